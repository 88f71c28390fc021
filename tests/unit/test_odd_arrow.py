"""Arrow values that have no place in a row, or none that would tell what they mean: refused with column and reason."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.errors import AtlasError, BadRequestError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.tabular import read_arrow, read_parquet
from atlas.timeseries.ingest.timestamp_columns import epoch_texts

STAMPS = pa.array([0, 1], pa.timestamp("us", "UTC"))


def arrow(table: pa.Table) -> list[Frame]:
    made = io.BytesIO()
    with pa.ipc.new_stream(made, table.schema) as writer:
        writer.write_table(table)
    return list(read_arrow(io.BytesIO(made.getvalue()), None, None))


def refused(array: Any, metadata: dict[str, str] | None = None) -> str:
    field = pa.field("a", array.type, metadata=metadata)
    with pytest.raises(AtlasError) as told:
        arrow(pa.table([STAMPS, array], schema=pa.schema([pa.field("timestamp", STAMPS.type), field])))
    return str(told.value.details)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 2**62], pa.timestamp("us")),
        ([0, 2**60], pa.timestamp("s", "America/New_York")),
        ([0, -(2**61)], pa.timestamp("ms")),
        ([0, -800_000], pa.date32()),
        ([0, 3_000_000], pa.date32()),
    ],
)
def test_times_that_have_no_text(values: list[int], kind: pa.DataType) -> None:
    assert refused(pa.array(values, kind)) == "rows[1].a: outside the years 1 to 9999"


FAR = pa.array([0, 2**60], pa.timestamp("ms"))
DAYS = pa.array([3_000_000, 0, None], pa.date32())


@pytest.mark.parametrize(
    "array",
    [
        pa.StructArray.from_arrays([FAR], ["at"]),
        pa.ListArray.from_arrays(pa.array([0, 1, 2]), FAR),
        pa.ListArray.from_arrays(pa.array([0, 0, 3]), DAYS),
        pa.LargeListArray.from_arrays(pa.array([0, 0, 3], pa.int64()), DAYS),
        pa.StructArray.from_arrays([pa.ListArray.from_arrays(pa.array([0, 0, 3]), DAYS)], ["days"]),
        pa.ListArray.from_arrays(pa.array([0, 0, 3]), pa.StructArray.from_arrays([DAYS], ["day"])),
        pa.StructArray.from_arrays([FAR.dictionary_encode()], ["at"]),
    ],
)
def test_times_inside_others_that_have_no_text(array: Any) -> None:
    assert refused(array) == "rows[1].a: outside the years 1 to 9999"


def test_durations_inside_others_are_refused() -> None:
    spans = pa.array([None, 5], pa.duration("s"))
    for array in (pa.StructArray.from_arrays([spans], ["took"]), pa.ListArray.from_arrays(pa.array([0, 1, 2]), spans)):
        assert refused(array).startswith("rows[1].a: duration[s] is no value")


def test_times_that_have_one() -> None:
    for kind, text in (
        (pa.timestamp("ns"), "1970-01-01 00:00:00.000000001"),
        (pa.timestamp("us"), "1970-01-01 00:00:00.000001"),
        (pa.date32(), "1970-01-02"),
    ):
        (frame,) = arrow(pa.table({"timestamp": STAMPS, "a": pa.array([None, 1], kind)}))
        assert frame.columns["a"].to_pylist() == [None, text]


def test_types_that_are_told() -> None:
    assert refused(pa.array([1, 2], pa.duration("ms"))).startswith("a: duration[ms] is no value; cast it to a number")
    interval = pa.array([(1, 2, 3), None], pa.month_day_nano_interval())
    assert refused(interval) == "a: Arrow type month_day_nano_interval is not supported"
    assert refused(pa.array([[b"\xff"], None])) == "a: Arrow type list<item: binary> is not supported"
    twice = pa.StructArray.from_arrays([STAMPS, STAMPS], names=["x", "x"])
    assert "has two fields of one name" in refused(twice)
    nowhere = pa.array([0, 1], pa.timestamp("us", "Nowhere/Zone"))
    assert refused(nowhere).startswith("a: Cannot locate or parse timezone 'Nowhere/Zone'")
    # A month of pandas is kept as a number, which says nothing without its type.
    period = refused(pa.array([660, 661]), {"ARROW:extension:name": "pandas.period"})
    assert period == "a: Arrow type extension<pandas.period> is not supported"


def test_extensions_of_parquet() -> None:
    field = pa.field("a", pa.int64(), metadata={"ARROW:extension:name": "pandas.period"})
    made = io.BytesIO()
    pq.write_table(pa.table([STAMPS, pa.array([1, 2])], schema=pa.schema([pa.field("ts", STAMPS.type), field])), made)
    with pytest.raises(BadRequestError) as told:
        list(read_parquet(io.BytesIO(made.getvalue()), None, None))
    assert told.value.details == "a: Arrow type extension<pandas.period> is not supported"


@pytest.mark.parametrize("text", ["0x10", "0X1f", "-0x1"])
def test_numbers_since_1970_are_plain_digits(text: str) -> None:
    with pytest.raises(AtlasError) as told:
        epoch_texts(pa.array(["16", text]), "s")
    assert told.value.details == f"rows[1].timestamp: {text!r} is no number of s since 1970 in plain digits"
