"""Rows that an earlier version packed are read as before, and become chunks while others read, write and delete."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from psycopg import sql
from tests.conftest import People, new_dataset
from tests.integration.test_cold import START, everything, insert, pack_all, values

from atlas.consistency.repository import check
from atlas.db.database import Connection, Database
from atlas.timeseries import deletion
from atlas.timeseries.cold import conversion, legacy_view, mover
from atlas.timeseries.cold.scheduler import Compaction
from atlas.timeseries.read import row_queries, snapshot
from atlas.timeseries.repository import columns_of
from atlas.timeseries.zone_map import Range

pytestmark = pytest.mark.anyio
ROWS, SEGMENT = 4_000, 700


async def fill(database: Database, people: People) -> int:
    source = random.Random(3)
    dataset = await new_dataset(database, people)
    columns = {kind: values(source, kind, ROWS) for kind in ("small", "int8", "cents", "full", "text", "flag")}
    extra = pa.array([source.choice([None, f'"note": [{n}]']) for n in range(ROWS)])
    micros = [START + n * 1_000_000 + source.randrange(3) for n in range(ROWS)]
    await insert(database, dataset, micros, columns, extra)
    return dataset


async def as_segments(database: Database, dataset: int) -> None:
    """Puts a dataset's rows into segments of arrays, as earlier versions did."""
    shot = await snapshot.snapshot(database, dataset)
    letters = {"int": "z", "float": "f", "string": "c", "boolean": "o"}
    types = {"z": "int8[]", "f": "float8[]", "c": "text[]", "o": "bool[]", "b": "bigint"}
    parts = {"bn": "0", "zn": "array_agg(_seq ORDER BY _seq)", "ce": "array_agg(_extra::text ORDER BY _seq)"}
    parts["zt"] = "array_agg((extract(epoch FROM ts) * 1000000)::bigint - low ORDER BY _seq)"
    for column in shot.columns:
        if column.physical is None:
            continue
        if column.dtype == "int":
            parts[f"b{column.id}"] = "0"
        name = sql.Identifier(column.physical).as_string()
        parts[f"{letters[column.dtype]}{column.id}"] = f"array_agg({name} ORDER BY _seq)"
    added = ", ".join(f"{name} {types[name[0]]}" for name in parts)
    schema, packed = shot.schema, f"{shot.schema}._cold_{dataset}"
    async with database.transaction() as connection:
        await hot(connection, schema, dataset)
        await run(
            connection,
            f"CREATE TABLE {packed} (rows integer, low_seq bigint, high_seq bigint, low_ts timestamptz,"
            f" high_ts timestamptz, unit interval, {added})",
            f"INSERT INTO {packed} SELECT count(*), min(_seq), max(_seq), min(ts), max(ts), '1 microsecond',"
            f" {', '.join(parts.values())} FROM (SELECT *, (extract(epoch FROM min(ts) OVER (PARTITION BY _seq /"
            f" {SEGMENT})) * 1000000)::bigint AS low FROM {schema}._hot_{dataset}) r GROUP BY _seq / {SEGMENT}",
            f"DELETE FROM {schema}._hot_{dataset}",
            f"INSERT INTO atlas.cold (dataset_id, rows, upto, parts, legacy) VALUES ({dataset}, {ROWS}, {ROWS},"
            f" ARRAY[{', '.join(map(repr, parts))}], true)",
        )
        await run(connection, f"ALTER TABLE {schema}._cold_{dataset} OWNER TO {schema}_owner")
        await legacy_view.make_view(connection, dataset, [])


async def as_columnstore(database: Database, dataset: int) -> None:
    """Puts a dataset's rows into the table of a columnstore, here without TimescaleDB."""
    shot = await snapshot.snapshot(database, dataset)
    letters = {"int": "b", "float": "f", "string": "c", "boolean": "o"}
    cells = {"ce": "_extra::text"}
    for column in shot.columns:
        if column.physical is not None:
            name = sql.Identifier(column.physical).as_string()
            cells[f"{letters[column.dtype]}{column.id}"] = name
    schema = shot.schema
    async with database.transaction() as connection:
        await hot(connection, schema, dataset)
        await run(
            connection,
            f"CREATE TABLE {schema}._cold_{dataset} AS SELECT _seq, ts,"
            f" {', '.join(f'{cell} AS {name}' for name, cell in cells.items())} FROM {schema}._hot_{dataset}",
            f"DELETE FROM {schema}._hot_{dataset}",
            f"INSERT INTO atlas.cold (dataset_id, rows, upto, parts, legacy, columnstore) VALUES ({dataset}, {ROWS},"
            f" {ROWS}, ARRAY[{', '.join(map(repr, cells))}], true, true)",
        )
        await run(connection, f"ALTER TABLE {schema}._cold_{dataset} OWNER TO {schema}_owner")
        await legacy_view.make_view(connection, dataset, [])


async def hot(connection: Connection, schema: str, dataset: int) -> None:
    await run(
        connection,
        f"ALTER TABLE {schema}.dataset_{dataset} RENAME TO _hot_{dataset}",
        f"SELECT atlas.create_chunks('{schema}', {dataset})",
        f"UPDATE atlas.dataset_state SET cold = true, rewritten = true WHERE dataset_id = {dataset}",
    )


async def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        await connection.execute(statement.encode())


@pytest.mark.parametrize("store", [as_segments, as_columnstore])
async def test_conversion(database: Database, people: People, store: object) -> None:
    dataset = await fill(database, people)
    before = await everything(database, dataset)
    old = await snapshot.snapshot(database, dataset)
    await store(database, dataset)  # type: ignore[operator]
    assert await everything(database, dataset) == before
    assert await conversion.unconverted(database) == [dataset]
    assert not check(database.url).findings
    # A batch, and then what others do meanwhile.
    assert await conversion.convert_next(database, dataset, batch=1_000)
    assert await everything(database, dataset) == before
    await insert(database, dataset, [START - 5, START + 7], {"small": pa.array([1, 2]), "new": pa.array([1, None])})
    # The column becomes float, which makes the view anew.
    await insert(database, dataset, [START + 10**12], {"small": pa.array([1.5])})
    kept = await everything(database, dataset)
    span = Range(START + 1_500 * 10**6, START + 1_900 * 10**6)
    removed = await deletion.delete_range(database, dataset, span)
    assert removed > 300
    async with database.transaction() as connection:
        assert await deletion.delete_numbered(connection, dataset, 100, 149) == 50
    left = await everything(database, dataset)
    assert len(left) == len(kept) - removed - 50
    while await conversion.convert_next(database, dataset, batch=1_000) is not None:
        assert await everything(database, dataset) == left
    assert await conversion.unconverted(database) == []
    assert await everything(database, dataset) == left
    relations = await database.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relname ~ %(of)s ORDER BY 1", of=f"_{dataset}$"
    )
    assert [name for (name,) in relations if "rollup" not in name] == [f"_chunks_{dataset}", f"_hot_{dataset}"]
    assert not check(database.url).findings
    # A reader that began before any of it still finds the rows that it may see.
    async with database.connection() as connection:
        known = (await columns_of(connection, [dataset]))[dataset]
    rows = await row_queries.window(database, old, [one for one in known if one.name in ("cents", "text")], Range())
    assert len(rows) == len([row for row in left if row["ts"].timestamp() * 10**6 >= START]) - 2
    assert await pack_all(database, dataset) >= 3
    assert await everything(database, dataset) == left


async def test_sweeps_convert(database: Database, people: People) -> None:
    """Sweeps convert also where nothing more is to be packed, and go on where one was stopped."""
    dataset = await fill(database, people)
    before = await everything(database, dataset)
    await as_segments(database, dataset)
    assert await conversion.convert_next(database, dataset, batch=1_500)
    assert await Compaction(database, days=float("inf")).sweep() == 0
    assert await conversion.unconverted(database) == []
    assert await everything(database, dataset) == before
    assert await mover.settle(database, dataset)


async def test_damaged_chunks_are_named(database: Database, people: People) -> None:
    """A check names a damaged chunk, and what does not need it is read all the same."""
    dataset = await fill(database, people)
    assert await pack_all(database, dataset) == ROWS
    shot = await snapshot.snapshot(database, dataset)
    cents = next(column for column in shot.columns if column.name == "cents")
    await database.fetch(
        f"UPDATE {shot.schema}._chunks_{dataset} SET body = set_byte(body, 200, get_byte(body, 200) # 255) "  # type: ignore[arg-type]
        "WHERE part = %(part)s",
        part=str(cents.id),
    )
    findings = check(database.url).findings
    assert len(findings) == 1, findings
    (finding,) = findings
    assert finding.problem == f"the chunk of its rows 1 to {ROWS} is damaged, in part {cents.id}"
    rest = [column for column in shot.columns if column.name != "cents"]
    assert len(await row_queries.window(database, shot, rest, Range())) == ROWS
