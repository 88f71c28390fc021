"""Few rows of CSV decoded without Arrow come out as they do with it, or are left to it."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.errors import AtlasError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import csv_rows, csv_small

NUMBERS = st.sampled_from(
    "0 -0 -0.0 1 1.0 1E5 1e400 -2.5e-320 9007199254740993 9007199254740992 0.1 .5 5. 007 -07 +5 +.5 0x1f 1_0 00"
    " 9223372036854775807 9223372036854775808 123456789012345678.5 0.30000000000000004"
    " 1.2345678901234567890 1e05 0.10 1e-7".split()
)
NUMBERS |= st.integers(-(2**65), 2**65).map(str) | st.floats().map(repr) | st.floats(-1e6, 1e6).map(repr)
WORDS = st.sampled_from(
    [
        "true",
        "false",
        "True",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "nano",
        "null",
        "",
        "a b",
        " a",
        "1 ",
        "a\tb",
        "\u00a01",
        "2025-01-02",
        "2025-01-02 03:04:05",
        "10:30",
        "12:30:15",
        "2025/01/02",
        "-",
        ".",
        "e5",
        "ä",
        "a'b",
        "x\x00",
        "1d",
    ]
)
CELLS = st.one_of(NUMBERS, WORDS, st.text(max_size=3))
STAMPS = st.sampled_from(
    [
        "2025-01-01T00:00:00Z",
        "2025-01-01 00:00:00.123",
        "2025-01-01T00:00:00+01:00",
        "2025-01-01",
        "2025-02-30T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "2025-01-01T24:00:00Z",
        "1735689600",
        "",
        "Jan 1 2025",
    ]
)
HEADS = st.sampled_from(
    [
        "timestamp,a,b",
        "a,ts,b",
        "time,a,b",
        "timestamp,a,a",
        "timestamp,a,",
        "timestamp,time,a",
        "timestamp, a,b",
        "x,a,b",
        '"timestamp",a,b',
        "timestamp,values.timestamp,b",
        "Timestamp,ä,b",
        "timestamp;a;b",
        "timestamp,a,b,c",
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    column = draw(st.sampled_from([NUMBERS, CELLS, st.integers(-9, 9).map(str), st.floats(-9, 9).map(repr)]))
    head, end = draw(st.just("timestamp,a,b") | HEADS), draw(st.sampled_from(["\n", "\n", "\r\n"]))
    stamp = draw(st.sampled_from([STAMPS, st.just("2025-01-01T00:00:00Z")]))
    lines = [head]
    for _ in range(draw(st.integers(0, 4))):
        cells = [draw(stamp), draw(column), draw(CELLS)]
        if head.startswith("a,"):
            cells[:2] = cells[1::-1]
        lines.append(",".join(cells))
    return (end.join(lines) + draw(st.sampled_from([end, "", end + end]))).encode()


def usual(body: bytes) -> Frame | str:
    try:
        frames = list(csv_rows.read_csv(io.BytesIO(body), None, None))
    except AtlasError as error:
        return str(error)
    assert len(frames) <= 1
    return frames[0] if frames else "empty"


def same(one: Frame, other: Frame) -> bool:
    def columns(frame: Frame) -> dict[str, tuple[pa.DataType, list[str]]]:
        # `repr` tells -0.0 from 0.0.
        full = {name: array for name, array in frame.columns.items() if array.null_count < len(array)}
        return {name: (array.type, [repr(value) for value in array.to_pylist()]) for name, array in full.items()}

    return one.ts.equals(other.ts) and columns(one) == columns(other) and other.extra is None


@given(bodies())
@settings(max_examples=150, deadline=None)
def test_rows_are_those_of_arrow(body: bytes) -> None:
    found = csv_small.decode(body, 1)
    if found is not None:
        expected = usual(body)
        assert isinstance(expected, Frame), (body, expected)
        assert same(found.frame(), expected), (body, found, expected)


@pytest.mark.parametrize(
    "line", ["1,2.5", "0.30000000000000004,-7", "x y,true", ",1", "1e-05,1E5", "2025-01-02,ä", "1,", "abc.def,-0.5"]
)
def test_usual_bodies_are_plain(line: str) -> None:
    body = f"timestamp,a,b\n2025-01-01T00:00:00Z,{line}\n".encode()
    found, expected = csv_small.decode(body, 1), usual(body)
    assert found is not None
    assert isinstance(expected, Frame)
    assert same(found.frame(), expected)
