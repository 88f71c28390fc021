"""CSV to frames: each cell comes out as what it says, or is refused with its row."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.errors import BadRequestError, RowError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import csv_rows
from atlas.timeseries.ingest.csv_rows import Guesses, read_csv
from atlas.timeseries.ingest.number_texts import Numbers, gives_back, loses_digits, read_numbers

GUESSED = ("timestamp_column", "timestamp_format")


def rows_of(frames: list[Frame]) -> list[dict[str, Any]]:
    """Rows of frames: values of the columns, and JSON numbers beside them as Decimal."""
    rows: list[dict[str, Any]] = []
    for frame in frames:
        found = [{name: array[i].as_py() for name, array in frame.columns.items()} for i in range(len(frame))]
        for row, extra in zip(found, (frame.extra or pa.nulls(len(frame))).to_pylist(), strict=True):
            given = msgspec.json.decode("{" + (extra or "") + "}", type=dict[str, msgspec.Raw])
            row |= {name: Decimal(bytes(raw).decode()) for name, raw in given.items()}
        rows += [{name: value for name, value in row.items() if value is not None} for row in found]
    return rows


def read(body: str | bytes, guesses: Guesses | None = None) -> list[dict[str, Any]]:
    return rows_of(list(read_csv(io.BytesIO(body.encode() if isinstance(body, str) else body), None, None, guesses)))


def column(*cells: str) -> list[Any]:
    """What a column of these cells becomes."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerows([["timestamp", "a"], *(["2025-01-01", cell] for cell in cells)])
    return [row.get("a") for row in read(sink.getvalue())]


def test_a_zero_has_a_sign_among_fractions_only() -> None:
    assert [str(value) for value in column("-0", "1.5", "-0.0")] == ["-0.0", "1.5", "-0.0"]
    assert [str(value) for value in column("-0", "5")] == ["0", "5"]


WHOLE = st.one_of(
    st.integers(-5, 5), st.integers(-(2**54), 2**54), st.integers(-(2**65), 2**65), st.integers(-(10**40), 10**40)
)
FRACTION = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map("{:f}".format),
    st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-10, max_value=10).map("{:f}".format),
    st.builds("{}e{}".format, st.integers(1, 999), st.integers(-400, 400)),
)


@given(st.lists(st.one_of(WHOLE.map(str), st.just("")), min_size=1, max_size=8))
def test_whole_numbers_of_any_size(cells: list[str]) -> None:
    found = column(*cells)
    assert [None if value is None else int(value) for value in found] == [int(c) if c else None for c in cells]
    assert all(type(value) in (int, Decimal, type(None)) for value in found)


@given(st.lists(st.one_of(WHOLE.map(str), FRACTION), min_size=1, max_size=8))
def test_numbers_are_given_back_with_all_their_digits(cells: list[str]) -> None:
    for cell, value in zip(cells, column(*cells), strict=True):
        assert gives_back(cell, value) if isinstance(value, float) else Decimal(cell) == value, (cell, value)
        if isinstance(value, float) and cell.lstrip("-").isdigit():
            assert int(cell) == value


TEXTS = [
    "x",
    "007",
    "+5",
    "0x1f",
    "-0X2",
    "12:30",
    "2025-01-01",
    "2025-01-01 10:00",
    "True",
    "1.2.3",
    "1_000",
    "1,5",
    "-",
]


@given(st.lists(st.one_of(WHOLE.map(str), FRACTION, st.sampled_from(TEXTS)), min_size=1, max_size=6))
def test_a_column_with_a_text_is_text(cells: list[str]) -> None:
    if any(not is_number(cell) for cell in cells):
        assert column(*cells) == cells


def is_number(cell: str) -> bool:
    bare = cell.removeprefix("-")
    return (
        bare.replace(".", "0").replace("e-", "0").replace("e+", "0").replace("e", "0").isdigit()
        and not (bare[:1] == "0" and bare[1:2].isdigit())
        and bare.count(".") < 2
    )


@given(st.lists(st.text("0123456789.e-E", min_size=1, max_size=25), max_size=6))
def test_long_numbers_in_json_are_found(texts: list[str]) -> None:
    known = []
    for text in texts:
        try:
            value = msgspec.json.decode(text.encode(), type=float)
        except msgspec.DecodeError:
            continue
        if not text.lstrip("-").isdigit() and abs(value) != float("inf"):
            known.append((text, gives_back(text, value)))
    body = ("[" + ",".join(text for text, _ in known) + "]").encode()
    lost = not all(good for _, good in known)
    assert loses_digits(body) == loses_digits(body + b" " * 20_000) == lost


def test_a_late_fraction_changes_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_BLOCK", 4096)
    lines = [f"2025-01-01T00:00:00Z,{n},{10**18 + n},{n}\n" for n in range(2000)]
    lines += ["2025-01-01T00:00:00Z,0.5,1.5,0x10\n", "2025-01-01T00:00:00Z,9007199254740993,18446744073709551615,1\n"]
    rows = read("timestamp,a,b,c\n" + "".join(lines))
    assert [row["a"] for row in rows] == [*range(2000), 0.5, Decimal(9007199254740993)]
    assert [Decimal(row["b"]) for row in rows] == [10**18 + n for n in range(2000)] + [Decimal("1.5"), 2**64 - 1]
    assert [row["c"] for row in rows] == [*map(str, range(2000)), "0x10", "1"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('2025-01-01,1,x\n2025-01-02,2,"y\n2025-01-03,3,z\n', 1),
        ('2025-01-01,1,"x"\n\n2025-01-02,2,"y""\n2025-01-03,3,z', 1),
        ('2025-01-01,1,"', 0),
        ('2025-01-01,1,"x"y\n', 0),
        ('2025-01-01,5" pipe,x\n2025-01-02,"6",y\n2025-01-03,1,"a" b\n', 2),
        ('2025-01-01,"a\nb",x\n2025-01-02,1,"open\n', 1),
    ],
)
@pytest.mark.parametrize("size", [16, 1 << 22])
def test_quotes_that_are_wrong(monkeypatch: pytest.MonkeyPatch, text: str, row: int, size: int) -> None:
    monkeypatch.setattr(csv_rows, "_BLOCK", size)
    with pytest.raises(RowError) as refused:
        read("timestamp,a,s\n" + text)
    assert refused.value.row == row and "quote" in refused.value.reason  # noqa: PT018


CELLS = st.text('ab"\n\r,;é ', max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_texts_with_quotes_and_line_breaks(cells: list[tuple[str, str]], quoting: int) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n", quoting=quoting)
    writer.writerows([["timestamp", "a", "b"], *(["2025-01-01", *pair] for pair in cells)])
    kept = {"": ""} if quoting == csv.QUOTE_ALL else {"": None}
    assert [(row.get("a"), row.get("b")) for row in read(sink.getvalue())] == [
        (kept.get(a, a), kept.get(b, b)) for a, b in cells
    ]


@pytest.mark.parametrize("cell", ['5" pipe', 'ab"c"d', 'a"', "it's", 'x""y'])
def test_a_quote_inside_of_a_cell_is_a_character(cell: str) -> None:
    assert read(f'timestamp,a,b\n2025-01-01,{cell},"q"\n2025-01-02,x,{cell}\n') == [
        {"a": cell, "b": "q"},
        {"a": "x", "b": cell},
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("timestamp,a\n2025-01-01,1\n2025-01-02,é\n".encode("latin-1"), "rows[1]: byte 0xe9 is not UTF-8"),
        ("timestamp,a\n2025-01-01,1\né,2\n".encode("cp1250"), "rows[1]: byte 0xe9 is not UTF-8"),
        ("timestamp,a\n2025-01-01,1\n".encode("utf-16"), "charset=utf-16"),
        (b"timestamp,a\n2025-01-01,1\n2025-01-02,NaN\n", "rows[1].a: NaN and Infinity"),
        (b"timestamp,a\n2025-01-01,12345678901234567890\n2025-01-02,-inf\n", "rows[1].a: NaN and Infinity"),
        (b"timestamp,a\n2025-01-01,x\0y\n", "rows[0].a: text with a NUL"),
        (b"timestamp,a\nJan 1 2000,1\nSept 3 2001,2\n", "rows[1].timestamp: 'Sept 3 2001' does not match '%b %d %Y'"),
        (b"timestamp,a\nJan 2000,1\n", "rows[0].timestamp: 'Jan 2000' is not an ISO 8601"),
        (b"timestamp,a\n31 Feb 2024,1\n", "the month does not have that day"),
        (b"timestamp,a\n2000-01-01,1\nJan 2 2000,2\n", "rows[1].timestamp: 'Jan 2 2000' is not an ISO 8601"),
        (b"timestamp,a\n2000-01-01,1\ntimestamp,a\n", "rows[1].timestamp: 'timestamp' is not an ISO 8601"),
    ],
)
def test_what_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        read(body)
    assert reason in (refused.value.details or "")


def test_what_was_guessed_is_told() -> None:
    for body, told in (
        ("timestamp,a\n2025-01-01,1\n", {}),
        ("timestamp,a\nJan 5 2026,1\n", {"timestamp_format": "%b %d %Y"}),
        ("time,date,a\n2025-01-01,2025-02-02,1\n", {"timestamp_column": "time"}),
        ("date,a\n2025/01/31,1\n", {"timestamp_format": "%Y/%m/%d"}),
    ):
        guesses = Guesses()
        read(body, guesses)
        assert {name: value for name in GUESSED if (value := getattr(guesses, name))} == told


def test_a_format_is_one_for_the_whole_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_BLOCK", 4096)
    good = "".join(f"Jan {1 + n % 31} 2000,{n}\n" for n in range(1000))
    with pytest.raises(RowError) as refused:
        read("timestamp,a\n" + good + "2000-01-05,1\n")
    assert refused.value.row == 1000


def test_number_texts_that_json_does_not_have() -> None:
    found = read_numbers(
        pa.array([".12345678901234567890123", "12345678901234567890.", "1234567890123456789.e3", None]), as_float=True
    )
    rest = pa.array(["0.12345678901234567890123", "12345678901234567890.0", "1234567890123456789.0e3", None])
    assert found == Numbers(None, rest)


SLOW = re.compile(rb'(?:^|[,\n"])[+-]?0[\dxX]|(?:^|[,\n"])\+\d', re.MULTILINE)


@given(st.text(alphabet='0123x+-.,"\na', max_size=40).map(str.encode))
def test_leading_zeros_and_plus_signs_are_found(block: bytes) -> None:
    assert csv_rows._may_lose_digits(block) >= (SLOW.search(block) is not None)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-05T10:00:00Z", 1767607200000000),
        ("2026-01-05", 1767571200000000),
        ("Jan 5 2026", 1767571200000000),
        ("5 Jan 2026", 1767571200000000),
        ("2026/01/05", 1767571200000000),
        ("2026/01/05 10:00:00", 1767607200000000),
        ("20260105T100000Z", 1767607200000000),
    ],
)
def test_timestamps_of_any_known_form(text: str, micros: int) -> None:
    body = io.BytesIO(f"timestamp,a\n{text},1\n{text},2\n".encode())
    (frame,) = read_csv(body, None, None)
    assert frame.ts.cast("int64").to_pylist() == [micros, micros]


MANY = b"timestamp,a\n" + b"2025-01-01,1\n" * 200_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b"timestamp,a,b\n2025-01-01,1,2\n\n\n2025-01-01,5\n",
            "rows[1]: the header names 3 columns; the row has 2 cells",
        ),
        (b"timestamp,a\n2025-01-01,'x,y'\n", "rows[0]: the header names 2 columns; the row has 3 cells"),
        (
            b'timestamp,"a\nb"\n2025-01-01,"x\ny"\n2025-01-01\n',
            "rows[1]: the header names 2 columns; the row has 1 cell",
        ),
        (MANY + b"2025-01-01,5,6\n", "rows[200000]: the header names 2 columns; the row has 3 cells"),
        (b"when;a\n2025-01-01;5\n", "the header has no comma, which stands between names; is it ';' that does?"),
        (b"when\ta\n2025-01-01\t5\n", "the header has no comma, which stands between names; is it '\\t' that does?"),
        (b"\n\ntimestamp,a\n2025-01-01,1\n", "the first line is blank; a header line is required"),
    ],
)
def test_what_is_no_table(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError) as told:
        read(body)
    assert told.value.details == reason


def test_a_name_may_hold_other_delimiters() -> None:
    (frame,) = read_csv(io.BytesIO(b"a;b\n2025-01-01\n"), "a;b", None)
    assert len(frame) == 1
