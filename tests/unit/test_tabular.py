"""Arrow and Parquet bodies to frames: all rows of a body or a refusal, and no value other than what was sent."""

from __future__ import annotations

import decimal
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.errors import BadRequestError
from atlas.timeseries.ingest.number_texts import gives_back
from atlas.timeseries.ingest.tabular import TimeColumn, read_arrow, read_parquet

TIMES = pa.array([0, 1_000_000]).cast(pa.timestamp("us", "UTC"))
TABLE = pa.table({"timestamp": TIMES, "a": [1.5, 2.5]})


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def file(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def read(body: bytes) -> list[dict[str, Any]]:
    """Rows of a body: values of the columns, and JSON numbers beside them as Decimal."""
    rows = []
    for frame in (read_parquet if body[:4] == b"PAR1" else read_arrow)(io.BytesIO(body), None, None):
        extra = frame.extra.to_pylist() if frame.extra is not None else [None] * len(frame)
        for index, text in enumerate(extra):
            row = {name: array[index].as_py() for name, array in frame.columns.items()}
            given = msgspec.json.decode("{" + (text or "") + "}", type=dict[str, msgspec.Raw])
            rows.append(row | {name: Decimal(bytes(raw).decode()) for name, raw in given.items()})
    return rows


def refusal(body: bytes) -> str:
    with pytest.raises(BadRequestError) as refused:
        read(body)
    return refused.value.details or ""


def test_streams_one_behind_the_other_are_all_read() -> None:
    other = pa.table({"timestamp": TIMES, "b": ["x", "y"]})
    assert [list(row) for row in read(stream(TABLE) + stream(other) + stream(TABLE))] == [["a"]] * 2 + [["b"]] * 2 + [
        ["a"]
    ] * 2
    assert len(read(stream(TABLE, use_legacy_format=True) + stream(TABLE))) == 4
    assert len(read(stream(TABLE)[:-8])) == 2


@pytest.mark.parametrize("rest", [b"\n", b"\0" * 8, b"garbage", file(TABLE), parquet(TABLE), b"\xff\xff\xff\xff"])
def test_bytes_behind_a_stream_are_refused(rest: bytes) -> None:
    assert "behind the end of a stream" in refusal(stream(TABLE) + rest)


@pytest.mark.parametrize("between", [b"", b"\n", b"\0" * 64])
@pytest.mark.parametrize("first", [TABLE, TABLE.slice(0, 1), pa.table({"timestamp": TIMES.slice(0, 0)})])
@pytest.mark.parametrize("make", [file, parquet, lambda table: parquet(table, write_page_index=True)])
def test_files_one_behind_the_other_are_refused(between: bytes, first: pa.Table, make: Any) -> None:
    assert refusal(make(first) + between + make(TABLE))
    assert refusal(make(TABLE) + between + make(first))


def test_texts_that_name_the_end_of_a_file_are_texts() -> None:
    table = pa.table({"timestamp": TIMES, "s": ["PAR1PAR1", "xyz ARROW1ARROW1"]})
    for body in (file(table), stream(table), parquet(table), parquet(table, write_page_index=True)):
        assert [row["s"] for row in read(body)] == table["s"].to_pylist()


def arrays() -> list[tuple[pa.Array, list[Any]]]:
    texts, long = ["x", "a text of more than twelve bytes"], decimal.Decimal("1.123456789012345678901")
    return [
        *((pa.array(texts, kind), texts) for kind in (pa.string(), pa.large_string(), pa.string_view())),
        *((pa.array([b"ab", None], kind), ["ab", None]) for kind in (pa.binary(), pa.large_binary(), pa.binary(2))),
        (pa.array([b"ab", None], pa.binary_view()), ["ab", None]),
        (pa.array(texts).dictionary_encode(), texts),
        (pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(texts, pa.string_view())), texts[::-1]),
        (pc.run_end_encode(pa.array(["r", "r"])), ["r", "r"]),
        (pc.run_end_encode(pa.array([3, 3])), [3, 3]),
        (pa.array([["a"], None], pa.large_list(pa.string_view())), ['["a"]', None]),
        (pa.array([2**64 - 1, 5], pa.uint64()), [Decimal(2**64 - 1), 5]),
        (pa.array([5, None], pa.uint64()), [5, None]),
        (pa.array([Decimal(10**50), Decimal(-3)], pa.decimal256(60, 0)), [Decimal(10**50), -3]),
        (pa.array([Decimal(1200), Decimal(-300)], pa.decimal128(5, -2)), [1200, -300]),
        (pa.array([long, Decimal(2)]), [long, 2.0]),
        (pa.array([Decimal("12345678901234567.89"), None]), [Decimal("12345678901234567.89"), None]),
        (pa.array([1.5, -0.0], pa.float16()), [1.5, -0.0]),
    ]


@pytest.mark.parametrize("number", range(len(arrays())))
def test_types_and_what_they_become(number: int) -> None:
    array, wanted = arrays()[number]
    table = pa.table({"timestamp": TIMES, "v": array})
    for make in (stream, file):
        assert [row.get("v") for row in read(make(table))] == wanted


@given(st.integers(1, 30), st.lists(st.integers(-(10**30), 10**30), min_size=2, max_size=2))
def test_decimals_are_given_back(scale: int, unscaled: list[int]) -> None:
    values = [Decimal(number).scaleb(-scale) for number in unscaled]
    with decimal.localcontext(prec=76):
        table = pa.table({"timestamp": TIMES, "v": pa.array(values, pa.decimal256(70, scale))})
    for value, row in zip(values, read(stream(table)), strict=True):
        found = row["v"]
        assert gives_back(f"{value:f}", found) if isinstance(found, float) else found == value


def test_what_polars_writes_by_default() -> None:
    frame = pl.DataFrame(
        {
            "timestamp": ["2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"],
            "s": ["x", "a text of more than twelve bytes"],
            "b": [b"ab", b"c"],
            "l": [["q"], []],
            "c": pl.Series(["x", "y"], dtype=pl.Categorical),
            "e": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
            "d": pl.Series(["1.10", "2.2"]).cast(pl.Decimal(10, 2)),
        }
    )
    wanted = [
        {"s": "x", "b": "ab", "l": '["q"]', "c": "x", "e": "x", "d": 1.1},
        {"s": "a text of more than twelve bytes", "b": "c", "l": "[]", "c": "y", "e": "y", "d": 2.2},
    ]
    for write in (frame.write_ipc, frame.write_ipc_stream, frame.write_parquet):
        sink = io.BytesIO()
        write(sink)
        assert read(sink.getvalue()) == wanted


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (pa.array([0, 1], pa.timestamp("ns")), "rows[1].timestamp: 1 ns since 1970 is finer than a microsecond"),
        (pa.array([0, 10**12], pa.timestamp("s")), "rows[1].timestamp: outside the years 1 to 9999"),
        (pa.array([0, -(10**15)], pa.timestamp("ms")), "rows[1].timestamp: outside the years"),
        (pa.array([0, 253402300800000000], pa.timestamp("us")), "rows[1].timestamp: outside the years"),
        (pa.array([0, -719163], pa.date32()), "rows[1].timestamp: outside the years"),
        (
            pa.array(["2025-01-01", "2025-02-30"]),
            "rows[1].timestamp: '2025-02-30' is no timestamp: there is no such day",
        ),
        (pa.array(["2025-01-01", "20230808120000Z"], pa.string_view()), "rows[1].timestamp: '20230808120000Z'"),
        (pa.array(["Jan 5 2025", "Jan 6 2025"]), "rows[0].timestamp: 'Jan 5 2025' is not an ISO 8601"),
        (pa.array([datetime(2025, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")), "rows[1].timestamp: missing"),
        (pa.array([1, 2]), "int64 is not a timestamp"),
    ],
)
def test_times_that_are_refused_are_named(times: pa.Array, reason: str) -> None:
    for make in (stream, file):
        assert reason in refusal(make(pa.table({"timestamp": times, "a": [1, 2]})))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_ends_of_the_calendar_in_any_unit(unit: str) -> None:
    wanted = (
        [datetime(1677, 9, 22), datetime(2262, 4, 11)]
        if unit == "ns"
        else [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)]
    )
    table = pa.table({"timestamp": pa.array(wanted, pa.timestamp("us")).cast(pa.timestamp(unit)), "a": [1, 2]})
    (frame,) = read_arrow(io.BytesIO(stream(table)), None, None)
    assert [one.replace(tzinfo=None) for one in frame.ts.to_pylist()] == wanted


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pa.array([b"a", b"\xff"]), "rows[1].v: "),
        (pa.array(["a", "x\0y"]), "rows[1].v: text with a NUL"),
        (pa.array([1.0, float("nan")]), "rows[1].v: NaN"),
        (pa.array([[], [1.0, float("inf")]]), "rows[1].v: NaN"),
        (pa.array([{"a": [None]}, {"a": [{"b": float("nan")}]}]), "rows[1].v: NaN"),
        (pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())), "v: Arrow type map"),
    ],
)
def test_values_that_are_refused_are_named(values: pa.Array, reason: str) -> None:
    assert reason in refusal(stream(pa.table({"timestamp": TIMES, "v": values})))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["timestamp;a"], "there is only 'timestamp;a', since only commas separate the cells of a CSV"),
        (["#made today"], "there is only '#made today'"),
        (["when", "a"], "there are 'when', 'a'"),
        ([f"c{n}" for n in range(1_200)], "'c9' and 1,190 more"),
        ([], "the body has no columns"),
    ],
)
def test_columns_are_told_where_none_has_times(names: list[str], told: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        TimeColumn(None, None).find(names)
    assert str(refused.value.details).endswith(told)
    with pytest.raises(BadRequestError, match="Missing timestamp column"):
        TimeColumn("at", None).find(names)
