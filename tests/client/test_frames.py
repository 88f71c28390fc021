"""Data frames, Arrow, files and odd rows: what is inserted is what comes back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from atlas import Client
from atlas.client import DataError, Invalid, Rows
from atlas.client.results import ResultColumn
from atlas.client.types import Row

START = datetime(2026, 1, 5, tzinfo=UTC)
STAMPS = [START + timedelta(minutes=n, microseconds=n) for n in range(5)]
BIG = [2**63 - 1, -(2**63), 2**53 + 1, 0, None]
COLUMNS: dict[str, list[Any]] = {
    "big": BIG,
    "price": [1.5, None, -2.25, 1e300, 0.1],
    "text": ["a", None, "", "ü\n\"'", "x"],
    "flag": [True, None, False, True, True],
}


def rows() -> list[dict[str, Any]]:
    """As JSON has them: nulls are absent keys."""
    cells = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
    return [{name: value for name, value in row.items() if value is not None} for row in cells]


def stored(client: Client, dataset: Any) -> list[tuple[datetime, dict[str, Any]]]:
    return [(row.timestamp, row.values) for row in client.rows.query(dataset)]


@pytest.fixture
def dataset(client: Client, request: pytest.FixtureRequest) -> int:
    return client.datasets.create(request.node.name).id


ARROW = pa.table({"timestamp": pa.array(STAMPS, pa.timestamp("us", tz="UTC")), **COLUMNS})
PLUS2 = timezone(timedelta(hours=2))


def frames() -> dict[str, Any]:
    polars = pl.DataFrame({"timestamp": STAMPS, **COLUMNS})
    nullable = {"big": pd.array(BIG, dtype="Int64"), "flag": pd.array(COLUMNS["flag"], dtype="boolean")}
    pandas = pd.DataFrame({"timestamp": pd.to_datetime(STAMPS), **COLUMNS, **nullable})
    index = pandas.set_index("timestamp")
    zoned = pandas.assign(timestamp=pandas["timestamp"].dt.tz_convert("Asia/Kolkata"))
    naive = pandas.assign(timestamp=pandas["timestamp"].dt.tz_localize(None))
    return {
        "arrow": ARROW,
        "reader": ARROW.to_reader(max_chunksize=2),
        "batch": ARROW.to_batches()[0],
        "polars": polars,
        "lazy": polars.lazy(),
        "polars-zoned": polars.with_columns(pl.col("timestamp").dt.convert_time_zone("America/New_York")),
        "pandas": pandas,
        "pandas-index": index,
        "pandas-zoned": zoned,
        "pandas-naive": naive,
        "pandas-unnamed-index": index.rename_axis(None),
        "rows": [{"timestamp": stamp, "values": row} for stamp, row in zip(STAMPS, rows(), strict=True)],
        "flat": [{"time": stamp, **row} for stamp, row in zip(STAMPS, rows(), strict=True)],
        "pairs": [(stamp.astimezone(PLUS2), row) for stamp, row in zip(STAMPS, rows(), strict=True)],
        "objects": (Row(stamp, row) for stamp, row in zip(STAMPS, rows(), strict=True)),
        "numpy": [(np.datetime64(stamp.replace(tzinfo=None)), row) for stamp, row in zip(STAMPS, rows(), strict=True)],
    }


@pytest.mark.parametrize("kind", [*frames()])
def test_round_trip(client: Client, dataset: int, kind: str) -> None:
    done = client.rows.bulk_insert(dataset, frames()[kind], batch_rows=2)
    assert (done.rows, done.batches) == (5, 3)
    expected = [*zip(STAMPS, rows(), strict=True)]
    assert stored(client, dataset) == expected


def test_they_come_back_as_frames(client: Client, dataset: int) -> None:
    client.rows.bulk_insert(dataset, ARROW)
    table = client.rows.to_arrow(dataset)
    assert table.column_names == ARROW.column_names
    assert table.to_pylist() == ARROW.to_pylist()
    frame = client.rows.to_polars(dataset)
    assert frame.equals(pl.DataFrame({"timestamp": STAMPS, **COLUMNS}))
    pandas = client.rows.to_pandas(dataset)
    assert [None if value is pd.NA else int(value) for value in pandas["big"]] == BIG
    assert str(pandas["timestamp"].dtype).endswith("UTC]")
    assert [None if value is pd.NA else bool(value) for value in pandas["flag"]] == COLUMNS["flag"]
    # And again: what came out goes in.
    for frame_again in (frame, pandas, table):
        other = client.datasets.create("copy")
        client.rows.bulk_insert(other, frame_again)
        assert stored(client, other) == stored(client, dataset)
    part = client.rows.to_arrow(dataset, STAMPS[1], STAMPS[2], columns=["price"])
    assert part.to_pylist() == [{"timestamp": STAMPS[1], "price": None}, {"timestamp": STAMPS[2], "price": -2.25}]
    assert client.rows.to_polars(client.datasets.create("nothing")).height == 0


def test_what_arrow_cannot_hold_goes_as_json(client: Client, dataset: int) -> None:
    values = [2**70, "text", None, 1.5, {"a": [1]}]
    client.rows.bulk_insert(dataset, pd.DataFrame({"ts": STAMPS, "mixed": values}))
    assert [row.values.get("mixed") for row in client.rows.query(dataset)] == values


def test_values_that_json_has_no_form_for(client: Client, dataset: int) -> None:
    given = {
        "whole": Decimal(2**70),
        "part": Decimal("0.5"),
        "day": date(2026, 1, 5),
        "id": UUID(int=1),
        "set": {1},
        "np": np.int64(5),
        "array": np.array([1, 2]),
        "null": None,
        "nested": {"a": [{"b": Decimal(1)}]},
    }
    row = client.rows.insert(dataset, date(2026, 1, 5), given)
    assert row.timestamp == START
    assert row.values == {
        "whole": 2**70,
        "part": 0.5,
        "day": "2026-01-05",
        "id": str(UUID(int=1)),
        "set": [1],
        "np": 5,
        "array": [1, 2],
        "null": None,
        "nested": {"a": [{"b": 1}]},
    }
    client.rows.insert(dataset, datetime(2026, 1, 6), {"values": {"a": 1}, "timestamp": 5, "values.timestamp": 6})
    assert client.rows.latest(dataset).values == {"values": {"a": 1}, "timestamp": 5, "values.timestamp": 6}
    assert client.rows.recent(dataset, 1)[0].values == client.rows.latest(dataset).values


def test_timestamp_columns(client: Client, dataset: int) -> None:
    table = ARROW.rename_columns(["at", *COLUMNS])
    with pytest.raises(Invalid, match="timestamp"):
        client.rows.bulk_insert(dataset, table)
    client.rows.bulk_insert(dataset, table, timestamp_column="at")
    client.rows.bulk_insert(dataset, [{"at": START, "timestamp": "its own"}], timestamp_column="at")
    assert client.rows.page(dataset).rows[1].values["timestamp"] == "its own"
    frame = pd.DataFrame({"timestamp": [1]}, index=pd.DatetimeIndex([START]))
    with pytest.raises(DataError, match="both"):
        client.rows.bulk_insert(dataset, frame)
    for wrong in (pd.Series([1]), pl.Series([1]), pa.array([1])):
        with pytest.raises(DataError):
            client.rows.bulk_insert(dataset, wrong)


def files(folder: Path) -> Iterator[Path]:
    pv.write_csv(ARROW.select(["timestamp", "big", "price"]), folder / "a.csv")
    (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    pq.write_table(ARROW, folder / "a.parquet")
    pyarrow.feather.write_feather(ARROW, folder / "a.feather", compression="uncompressed")
    with pa.ipc.new_stream(folder / "a.arrow", ARROW.schema) as writer:
        writer.write_table(ARROW)
    flat = [{"timestamp": stamp.isoformat(), **row} for stamp, row in zip(STAMPS, rows(), strict=True)]
    (folder / "a.ndjson").write_text("".join(json.dumps(row) + "\n" for row in flat))
    (folder / "a.json").write_text(json.dumps({"rows": flat}))
    (folder / "a.json.gz").write_bytes(gzip.compress(json.dumps(flat).encode()))
    yield from sorted(folder.iterdir())


def test_files(client: Client, tmp_path: Path) -> None:
    for path in files(tmp_path):
        for batch_rows, batches in ((None, 1), (2, 3)):
            dataset = client.datasets.create(path.name)
            done = client.rows.bulk_insert(dataset, path, batch_rows=batch_rows)
            assert (done.rows, done.batches) == (5, batches), path
            found = stored(client, dataset)
            assert [stamp for stamp, _ in found] == STAMPS
            kept = ("big", "price") if "csv" in path.name else (*COLUMNS,)
            expected = [{name: value for name, value in row.items() if name in kept} for row in rows()]
            assert [values for _, values in found] == expected, path


def test_csv_is_cut_between_records(client: Client, dataset: int, tmp_path: Path) -> None:
    text = 'ts,note\n2026-01-01,"two\nlines, ""quoted"""\n2026-01-02,plain\n\n2026-01-03,""\n'
    (tmp_path / "notes.csv").write_text(text)
    done = client.rows.bulk_insert(dataset, str(tmp_path / "notes.csv"), batch_rows=1)
    assert (done.rows, done.batches) == (3, 3)
    assert [row.values.get("note") for row in client.rows.query(dataset)] == ['two\nlines, "quoted"', "plain", ""]
    (tmp_path / "days.csv").write_text("day;n\n")
    with pytest.raises(DataError, match="Unknown kind"):
        client.rows.bulk_insert(dataset, tmp_path / "notes.docx")
    (tmp_path / "de.csv").write_text("day,n\n05.01.2026,1\n")
    other = client.datasets.create("german")
    client.rows.bulk_insert(other, tmp_path / "de.csv", timestamp_column="day", timestamp_format="%d.%m.%Y")
    assert client.rows.latest(other).timestamp == START


@pytest.mark.parametrize("kind", ["csv", "ndjson", "json", "parquet", "arrow"])
def test_downloads_go_in_again(client: Client, tmp_path: Path, kind: str) -> None:
    first, second = client.datasets.create("first"), client.datasets.create("second")
    client.rows.bulk_insert(first, ARROW)
    client.rows.download(first, tmp_path / f"all.{kind}")
    client.rows.bulk_insert(second, tmp_path / f"all.{kind}")
    assert stored(client, second) == stored(client, first)


def test_wide_rows_make_small_batches(client: Client, dataset: int) -> None:
    table = pa.table({"ts": [START] * 3, "text": ["x" * 20_000_000] * 3})
    assert client.rows.bulk_insert(dataset, table).batches == 3


def test_rows_of_questions_are_typed() -> None:
    text = (
        'n,f,t,zip,flag,day,at,j,empty\n1,1.5,a,01234,true,2026-01-05,2026-01-05T00:00:00Z,"{""a"":1}",\n'
        ',NaN,"x,""y",99999,false,,,,\n'
    )
    found = Rows(text)
    assert len(found) == 2
    first = found.dicts()[0]
    assert first == {
        "n": 1,
        "f": 1.5,
        "t": "a",
        "zip": "01234",
        "flag": True,
        "day": date(2026, 1, 5),
        "at": START,
        "j": '{"a":1}',
        "empty": None,
    }
    kinds = ["int8", "float8", "text", "text", "bool", "date", "timestamptz", "jsonb", "numeric"]
    told = Rows(text, [ResultColumn(name, kind) for name, kind in zip(found.names, kinds, strict=True)])
    assert told.dicts()[0] == {**first, "j": {"a": 1}}
    table = told.to_arrow()
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert table.column("n").to_pylist() == [1, None]
    assert told.to_polars().height == len(told.to_pandas()) == 2
    assert Rows("").dicts() == []
    assert Rows("a\n").dicts() == []
    assert Rows("a,a\n1,2\n").tuples() == [(1, 2)]
    assert Rows('a\n""\n1\n').tuples() == [(None,), (1,)]
    assert Rows("at\n0001-01-01T00:00:00Z\n44-03-15T00:00:00Z BC\n").tuples()[1] == ("44-03-15T00:00:00Z BC",)


def test_sql_gives_exact_types(client: Client) -> None:
    result = client.sql(
        "SELECT 9007199254740993::bigint AS big, 1.10::numeric AS exact, '007' AS code, NULL::int AS nothing"
    )
    assert [column.type for column in result.columns] == ["int8", "numeric", "text", "int4"]
    assert result.dicts() == [{"big": 2**53 + 1, "exact": Decimal("1.10"), "code": "007", "nothing": None}]
    assert result.to_arrow().num_rows == result.to_polars().height == len(result.to_pandas()) == 1
