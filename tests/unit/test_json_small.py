"""Few rows decoded without Arrow come out as they do from the exact decoder, or are left to it."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_arrow, json_exact, json_small

KEYS = st.sampled_from(["a", "b", "timestamp", "ü", "", "a\\b"]) | st.text(max_size=4)
NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "-0.0",
        "1",
        "1.0",
        "1E5",
        "1e400",
        "-2.5e-320",
        "9007199254740993",
        "9007199254740992",
        "0.1",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "1" + "0" * 30,
        "123456789012345678.5",
    ]
)
NUMBERS |= st.integers(-(2**65), 2**65).map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
TEXTS = st.text(max_size=6).map(lambda text: msgspec.json.encode(text).decode())
ODD = st.sampled_from(
    ["null", "{}", '[1,"a"]', '"\\u0000"', '"\\ud83d\\ude00"', '"\\\\ud"', "NaN", "01", '"a\tb"', "+1"]
)
VALUES = st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false"]), ODD)
STAMPS = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    [
        "2026-01-01",
        "2026-01-01T00:00",
        "2026-01-01 01:02:03.4",
        "20260101T000000",
        "2026-01-01T24:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "2026-02-30T00:00:00",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00.1234560Z",
        "2026-01-01T00:00:00+01:00",
        "now",
        "",
    ]
)
ZONES = st.sampled_from(["", "Z", "z", "+01:00", "-0130", "+24:00", "-00:00", "+01:00:30"])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    kinds = draw(st.lists(st.tuples(KEYS, st.sampled_from([VALUES, NUMBERS, TEXTS, st.just("1.5")])), max_size=4))
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        stamp = draw(STAMPS) + draw(ZONES)
        members = ",".join(
            f"{msgspec.json.encode(key).decode()}:{draw(kind)}" for key, kind in kinds if draw(st.integers(0, 4))
        )
        rows.append(f'{{"timestamp":{msgspec.json.encode(stamp).decode()},"values":{{{members}}}}}')
    dataset = draw(st.sampled_from(["1", "null", "1.0", "true", '"1"', "18446744073709551616"]))
    return f'{{"dataset":{dataset},"rows":[{",".join(rows)}]}}'.encode()


def same(found: Frame, wanted: Frame) -> bool:
    return (
        found.ts.equals(wanted.ts)
        and list(found.columns) == list(wanted.columns)
        and all(found.columns[key].equals(wanted.columns[key]) for key in wanted.columns)
        and repr([column.to_pylist() for column in found.columns.values()])
        == repr([column.to_pylist() for column in wanted.columns.values()])
        and (found.extra, found.extra_keys) == (wanted.extra, wanted.extra_keys)
    )


@settings(max_examples=1500, deadline=None)
@given(bodies())
def test_what_is_taken_comes_out_as_from_the_exact_decoder(body: bytes) -> None:
    small = json_small.decode(body)
    if small is None:
        return
    frame, dataset = small
    wanted, named = json_exact.decode(body)
    assert same(frame, wanted), body
    assert (type(dataset), dataset) == (type(named), named)


@settings(max_examples=500, deadline=None)
@given(bodies())
def test_arrow_gives_the_same_for_what_it_takes_too(body: bytes) -> None:
    small = json_small.decode(body)
    if small is None:
        return
    try:
        frame, dataset = json_arrow._decode_fast(body, 0)
    except (json_arrow._NeedsExactError, pa.ArrowException):
        return
    assert same(small[0], frame), body
    assert small[1] == dataset


PLAIN = b'{"dataset":1,"rows":[{"timestamp":"2026-01-01T00:00:00Z","values":{"a":1,"b":1.5,"c":"x","d":true}}]}'


def test_plain_rows_are_taken() -> None:
    found = json_small.decode(PLAIN)
    assert found is not None
    assert [str(column.type) for column in found[0].columns.values()] == ["int64", "double", "string", "bool"]
    mixed = PLAIN.replace(b"]}", b',{"timestamp":"2026-01-01 00:00:01+01:00","values":{"a":0.5}}]}')
    found = json_small.decode(mixed)
    assert found is not None
    assert found[0].columns["a"].to_pylist() == [1.0, 0.5]
    assert found[0].columns["d"].to_pylist() == [True, None]


@pytest.mark.parametrize(
    "body",
    [
        PLAIN.replace(b'"x"', b'"' + b"x" * json_small.SMALL_BYTES + b'"'),
        PLAIN.replace(b'"x"', b"null"),
        PLAIN.replace(b'"x"', b'"\\u0041"'),
        PLAIN.replace(b"1.5", b"{}"),
        b'{"rows":[]}',
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN.replace(b"1,", b"-0 ,"),
        PLAIN.replace(b"rows", b"row"),
        PLAIN.replace(b"T00:00:00Z", b""),
        PLAIN.replace(b"x", b"\xff"),
    ],
)
def test_what_is_not_plain_is_left(body: bytes) -> None:
    assert json_small.decode(body) is None


def test_a_dataset_that_is_null_is_no_value_of_a_row() -> None:
    stamp = '{"timestamp":"2026-01-01T00:00:00Z","values":'
    rows = ",".join([stamp + "{}}", *[stamp + '{"a":1.5}}'] * 500])
    frame, dataset = json_arrow.decode(f'{{"dataset":null,"rows":[{rows}]}}'.encode())
    assert dataset is None
    assert (frame.extra, frame.extra_keys) == (None, frozenset())
