"""Rows that are packed are read as those that are not, whatever is written, deleted, packed and read meanwhile."""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.conftest import People, new_dataset

from atlas.db.database import Database
from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries import deletion
from atlas.timeseries.cold import mover
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import chunk_appender, transaction
from atlas.timeseries.read import counts, row_queries, snapshot
from atlas.timeseries.rollups import maintenance, query
from atlas.timeseries.rollups.functions import parse_functions, parts_of
from atlas.timeseries.zone_map import Range

pytestmark = pytest.mark.anyio
START = 1_700_000_000_000_000
FOREVER = MAX_MICROS
# More find more.
SEEDS = int(os.environ.get("ATLAS_TEST_SEEDS", "4"))


async def insert(
    database: Database,
    dataset: int,
    micros: list[int],
    columns: dict[str, pa.Array],
    extra: pa.Array | None = None,
    *,
    packed: bool = False,
) -> None:
    """Inserts rows, straight into chunks if `packed` says so."""
    ts = pa.array(micros).cast(pa.timestamp("us", "UTC"))

    async def frames() -> AsyncIterator[Frame]:
        yield Frame(ts, columns, extra, frozenset({"note"} if extra is not None else ())).sorted()

    if packed:
        await chunk_appender.prepare(database, dataset)
    await transaction.insert(database, dataset, frames(), lambda rows: rows, packed=packed)


async def pack_all(database: Database, dataset: int, before: int = FOREVER, **options: int) -> int:
    total = 0
    while (rows := await mover.pack_next(database, dataset, before, 2**62, **options)) is not None:
        total += rows
    return total


async def everything(database: Database, dataset: int, span: Range | None = None) -> list[dict[str, Any]]:
    """All rows in order of time, floats by their bits."""
    shot = await snapshot.snapshot(database, dataset)
    table = await row_queries.window(database, shot, shot.columns, span or Range())
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            bits = table.column(index).combine_chunks().view(pa.int64())
            table = table.set_column(index, field.name, bits)
    rows: list[dict[str, Any]] = table.to_pylist()
    return [{key: value for key, value in row.items() if key != "_seq" and value is not None} for row in rows]


def values(source: random.Random, kind: str, rows: int) -> pa.Array:
    """Values of a kind, some of them missing."""
    whole = {
        "step": lambda n: 5 * n,
        "constant": lambda _: -7,
        "small": lambda _: source.randrange(-50, 50),
        "int2": lambda _: source.randrange(2**16),
        "int4": lambda _: source.randrange(-(2**31), 2**31),
        "int8": lambda _: source.randrange(-(2**63), 2**63),
        "edge": lambda _: source.choice([-(2**63), 2**63 - 1]),
    }
    floats = {
        "cents": lambda _: round(source.gauss(100, 5), 2),
        "nano": lambda _: source.randrange(10**9) / 10**9,
        "half": lambda _: float(np.float32(source.gauss(0, 1))),
        "full": lambda _: source.gauss(0, 1),
        "odd": lambda _: source.choice([-0.0, 0.0, math.inf, -math.inf, 1e300, 5e-324, 0.1]),
        "negative zero": lambda _: -0.0,
        "whole": lambda _: float(source.randrange(-9, 9)),
        "nan": lambda _: source.choice([math.nan, 1.5]),
    }
    others = {
        "text": lambda _: source.choice(["", "a", 'ä{},"\\ \n', "NULL", "😀" * 5]),
        "flag": lambda _: source.random() < 0.5,
    }
    make = (whole | floats | others)[kind]
    missing = source.choice([0.0, 0.0, 0.3])
    cells = [None if source.random() < missing else make(n) for n in range(rows)]
    cells[source.randrange(rows)] = make(0)
    type_ = (
        pa.int64()
        if kind in whole
        else pa.float64()
        if kind in floats
        else pa.string()
        if kind == "text"
        else pa.bool_()
    )
    return pa.array(cells, type_)


KINDS = (
    "step",
    "constant",
    "small",
    "int2",
    "int4",
    "int8",
    "edge",
    "cents",
    "nano",
    "half",
    "full",
    "odd",
    "negative zero",
    "whole",
    "nan",
    "text",
    "flag",
)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_every_value_comes_back(database: Database, people: People, seed: int) -> None:
    source = random.Random(seed)
    dataset = await new_dataset(database, people)
    for part in range(3):
        rows = source.randrange(1, 8_000)
        spread = [
            lambda n: START + n * 1_000_000,
            lambda n: START + n * 7 + source.randrange(5),
            lambda _: source.randrange(MIN_MICROS, MAX_MICROS),
        ][part]
        extra = pa.array([source.choice([None, f'"note": [{n}]', '"note":"\\u00e9"']) for n in range(rows)])
        columns = {kind: values(source, kind, rows) for kind in KINDS if source.random() < 0.8}
        await insert(database, dataset, [spread(n) for n in range(rows)], columns, extra)
    before = await everything(database, dataset)
    assert await pack_all(database, dataset, batch=6_000) == len(before)
    assert await everything(database, dataset) == before
    schema = (await snapshot.snapshot(database, dataset)).schema
    async with database.connection() as connection:
        for table, wanted in (
            (f"{schema}._hot_{dataset}", (0,)),
            (f"(SELECT rows FROM {schema}._chunks_{dataset} WHERE part = 't') AS chunks", None),
        ):
            row = await (await connection.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
            assert wanted is None or row == wanted


class Twins:
    """Two datasets to which the same is done, but that rows of the first are packed."""

    def __init__(self, database: Database, packed: int, plain: int, source: random.Random) -> None:
        self.database, self.both, self.source = database, (packed, plain), source
        self.written, self.top = 0, START

    async def write(self) -> None:
        """Rows in order of time or late, with new columns or such as become float now and then."""
        source, rows = self.source, self.source.randrange(1, 900)
        first = self.top if source.random() < 0.7 else source.randrange(START - 10**9, self.top + 1)
        micros = [first + n * source.choice([1_000_000, 1_000_000, 0]) for n in range(rows)]
        self.top = max(self.top, *micros)
        self.written += rows
        columns = {
            "n": pa.array([source.randrange(100) for _ in range(rows)]),
            "cents": values(source, "cents", rows),
            "grows": values(source, source.choice(["small", "small", "small", "cents"]), rows),
            f"new {source.randrange(1 + self.written // 4000)}": values(source, source.choice(KINDS[:3]), rows),
            "text": values(source, "text", rows),
        }
        extra = pa.array([source.choice([None, f'"note":{n}']) for n in range(rows)]) if source.random() < 0.2 else None
        straight = source.random() < 0.3
        for dataset in self.both:
            packed = straight and dataset == self.both[0]
            await insert(self.database, dataset, micros, columns, extra, packed=packed)

    async def delete(self) -> None:
        source = self.source
        if source.random() < 0.5:
            lo = source.randrange(START - 10**9, self.top + 1)
            span = Range(lo, lo + source.randrange(1, 3 * 10**8))
            removed = [await deletion.delete_range(self.database, dataset, span) for dataset in self.both]
        else:
            first, removed = source.randrange(1, self.written + 2), []
            for dataset in self.both:
                async with self.database.transaction() as connection:
                    removed.append(await deletion.delete_numbered(connection, dataset, first, first + 500))
        assert removed[0] == removed[1]

    async def pack(self) -> None:
        before = self.source.choice([FOREVER, self.top - 10**8])
        await pack_all(self.database, self.both[0], before, batch=self.source.choice([1, 2_000, 100_000]))
        if self.source.random() < 0.5:
            await mover.settle(self.database, self.both[0])

    async def roll_up(self) -> None:
        for dataset in self.both:
            while await maintenance.advance(self.database, dataset, least=1, batch=1_000):
                pass

    async def compare(self) -> None:
        lo = self.source.randrange(START - 10**9, self.top + 1)
        span = self.source.choice([Range(), Range(lo, lo + self.source.randrange(1, 10**9))])
        seen = [await self._seen(dataset, span) for dataset in self.both]
        for name, value in seen[0].items():
            assert value == seen[1][name], name

    async def _seen(self, dataset: int, span: Range) -> dict[str, Any]:
        """What each way of reading gives; `source` is asked for the same, whichever of the two it is."""
        choose, database = random.Random(self.written), self.database
        shot = await snapshot.snapshot(database, dataset)
        renumbered = {c.physical: f"{c.name}" for c in shot.columns}
        columns: list[Column] = list(shot.columns)
        pages = [
            await row_queries.page(
                database,
                shot,
                columns,
                span,
                then=lambda table: table.rename_columns(
                    [renumbered.get(name, name) for name in table.column_names]
                ).to_pylist(),
                descending=descending,
                limit=choose.randrange(1, 300),
                offset=choose.randrange(50),
                after=after,
            )
            for descending in (False, True)
            for after in (None, (self.top - choose.randrange(10**8), 700))
        ]
        numeric = [c for c in columns if c.dtype in (Dtype.INT, Dtype.FLOAT)]
        found = await query.buckets(
            database, shot, numeric, span, 60, parts_of(parse_functions("count,min,max,last")), 10**6
        )
        after = choose.randrange(self.written + 1)
        following, upto = await row_queries.following(database, shot, after, choose.randrange(1, 600))
        return {
            "pages": pages,
            "buckets": found,
            "count": await counts.count(database, shot, span),
            "rows": await everything(database, dataset, span),
            "following": following.to_pylist(),
            "upto": upto,
            "blocks": shot.blocks,
            "dtypes": [(c.name, c.dtype) for c in columns],
        }


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_packed_and_plain_are_the_same(database: Database, people: People, seed: int) -> None:
    twins = Twins(
        database, await new_dataset(database, people), await new_dataset(database, people), random.Random(seed)
    )
    await twins.write()
    for _ in range(25):
        action = twins.source.choice([twins.write, twins.write, twins.delete, twins.pack, twins.pack, twins.roll_up])
        await action()
        await twins.compare()
    await twins.pack()
    await twins.compare()


async def test_while_others_write_read_and_delete(database: Database, people: People) -> None:
    """No row is lost or doubled, and no reader sees one twice."""
    dataset = await new_dataset(database, people)
    done = asyncio.Event()
    seen: list[int] = []

    async def write(writer: int) -> None:
        for batch in range(25):
            first = START + batch * 10**9
            numbers = pa.array([writer * 10**6 + batch * 1000 + n for n in range(400)])
            value: pa.Array = numbers if batch < 20 else numbers.cast(pa.float64())
            columns = {
                "n": numbers,
                f"new {batch // 9}": numbers,
                "wide": pa.array([0.5] * 400) if batch == 12 else value,
            }
            packed = (writer + batch) % 5 == 0
            await insert(database, dataset, [first + n for n in range(400)], columns, packed=packed)

    async def pack(before: int) -> None:
        while not done.is_set():
            await pack_all(database, dataset, before, batch=2_000)
            await mover.settle(database, dataset)
            await asyncio.sleep(0.01)

    async def read() -> None:
        while not done.is_set():
            shot = await snapshot.snapshot(database, dataset)
            table = await row_queries.window(database, shot, shot.columns, Range(lo=START + 3 * 10**9))
            found = table.column("n").to_pylist() if "n" in table.column_names else []
            assert len(found) == len(set(found))
            shot = await snapshot.snapshot(database, dataset)
            seen.append(await counts.count(database, shot, Range()))

    async def delete() -> None:
        for batch in range(3):
            await asyncio.sleep(0.3)
            span = Range(START + batch * 10**9, START + (batch + 1) * 10**9 - 10**6 + 200)
            await deletion.delete_range(database, dataset, span)

    others = [asyncio.create_task(one) for one in (pack(FOREVER), pack(START + 15 * 10**9), read(), read())]
    await asyncio.gather(*(write(writer) for writer in range(3)), delete())
    for batch in range(3):
        await deletion.delete_range(database, dataset, Range(START + batch * 10**9, START + (batch + 1) * 10**9))
    done.set()
    await asyncio.gather(*others)
    await pack_all(database, dataset)
    found = sorted(row["n"] for row in await everything(database, dataset))
    assert found == sorted(w * 10**6 + b * 1000 + n for w in range(3) for b in range(3, 25) for n in range(400))
    shot = await snapshot.snapshot(database, dataset)
    assert await counts.count(database, shot, Range()) == len(found) == shot.row_count


async def test_space_is_given_back_once_nobody_can_see_the_rows(database: Database, people: People) -> None:
    dataset = await new_dataset(database, people)
    rows = 30_000
    await insert(database, dataset, [START + n for n in range(rows)], {"n": pa.array(range(rows))})
    async with database.transaction() as reader:
        await reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await reader.execute("SELECT 1")
        assert await pack_all(database, dataset) == rows
        assert not await mover.settle(database, dataset)
    assert await mover.settle(database, dataset)
    async with database.connection() as connection:
        row = await (
            await connection.execute("SELECT pg_relation_size(oid) FROM pg_class WHERE relname = '_hot_1'")
        ).fetchone()
    assert row == (0,)
