"""Figures by time bucket are those of a plain GROUP BY, whatever was written, deleted and rolled up before."""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from importlib import resources
from typing import Any

import pyarrow as pa
import pytest
from tests.conftest import Client, People, caller_of, make_dataset, new_dataset

from atlas.db.database import Database
from atlas.errors import BadRequestError
from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS, from_micros
from atlas.sqlgate.sandbox import QueryLimits, QueryRunner
from atlas.timeseries import deletion
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import transaction
from atlas.timeseries.read import snapshot
from atlas.timeseries.rollups import functions, maintenance
from atlas.timeseries.rollups import levels as core
from atlas.timeseries.rollups import query as buckets
from atlas.timeseries.zone_map import Range

pytestmark = pytest.mark.anyio
START = 1_700_000_000_000_000
# More find more: 80 take a minute.
SEEDS = int(os.environ.get("ATLAS_TEST_SEEDS", "4"))
FUNCTIONS = functions.parse_functions(",".join(core.PARTS))
PARTS = functions.parts_of(FUNCTIONS)


async def insert(database: Database, dataset: int, micros: list[int], columns: dict[str, pa.Array]) -> None:
    ts = pa.array(micros).cast(pa.timestamp("us", "UTC"))

    async def frames() -> AsyncIterator[Frame]:
        yield Frame(ts, columns).sorted()

    await transaction.insert(database, dataset, frames(), lambda rows: rows)


async def plain(
    database: Database, shot: snapshot.Snapshot, columns: list[Column], span: Range, width: int | str
) -> list[tuple[Any, ...]]:
    """The same by one GROUP BY over the rows."""
    start = (
        f"date_trunc('{width}', ts)" if isinstance(width, str) else f"date_bin('{width} seconds', ts, '2000-01-03Z')"
    )
    cells = [
        f"count({c}), min({c}), max({c}), avg({c}::float8), sum({c}), "
        f"(array_agg({c} ORDER BY ts, _seq) FILTER (WHERE {c} IS NOT NULL))[1], "
        f"(array_agg({c} ORDER BY ts DESC, _seq DESC) FILTER (WHERE {c} IS NOT NULL))[1]"
        for c in (f'"{column.physical}"' for column in columns)
    ]
    conditions = ["true"]
    if span.lo > MIN_MICROS:
        conditions.append(f"ts >= '{from_micros(span.lo)}'")
    if span.hi <= MAX_MICROS:
        conditions.append(f"ts < '{from_micros(span.hi)}'")
    query = (
        f"SELECT {', '.join([start, 'count(*)', *cells])} FROM {shot.table.as_string()} "
        f"WHERE {' AND '.join(conditions)} GROUP BY 1 ORDER BY 1"
    )
    async with database.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def compare(database: Database, dataset: int, span: Range, width: int | str) -> None:
    shot = await snapshot.snapshot(database, dataset)
    columns = [c for c in shot.columns if c.dtype in (Dtype.INT, Dtype.FLOAT)]
    found = await buckets.buckets(database, shot, columns, span, width, PARTS, 100_000)
    expected = await plain(database, shot, columns, span, width)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for row, right in zip(found, expected, strict=True):
        cells = [dict(zip(PARTS, row[at : at + len(PARTS)], strict=True)) for at in range(2, len(row), len(PARTS))]
        values = [functions.value_of(one, cell, None)[one.name] for cell in cells for one in FUNCTIONS]
        for index, (value, wanted) in enumerate(zip(values, right[2:], strict=True)):
            name = FUNCTIONS[index % len(FUNCTIONS)].name
            if isinstance(wanted, Decimal):
                assert (type(value), value) == (int, wanted), (name, row[0])
            elif name in ("avg", "sum") and wanted is not None:
                # Sums of floats depend on their order in the last digits.
                assert math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-6), (name, row[0])
            else:
                assert (type(value), value) == (type(wanted), wanted), (name, row[0])


class Story:
    """A dataset and random things that happen to it."""

    def __init__(self, database: Database, dataset: int, seed: int) -> None:
        self.database, self.dataset = database, dataset
        self.random = random.Random(seed)
        self.clock = START
        self.inserts: list[tuple[int, int]] = []

    def values(self, rows: int) -> dict[str, pa.Array]:
        pick = self.random
        made: dict[str, list[Any]] = {"n": [pick.randrange(-99, 99) for _ in range(rows)]}
        if pick.random() < 0.7:
            made["f"] = [None if pick.random() < 0.3 else pick.uniform(-1, 1) for _ in range(rows)]
        if pick.random() < 0.5:
            # Whole at first; fractions, and integers that no float equals, come later.
            high = 2**60 if self.clock > START + 400_000_000 and pick.random() < 0.3 else 100
            whole = high > 100 or self.clock < START + 200_000_000
            made["w"] = [pick.randrange(high) if whole else pick.random() for _ in range(rows)]
        if pick.random() < 0.1:
            made[f"new{len(self.inserts) % 4}"] = [None if pick.random() < 0.9 else 1.5 for _ in range(rows)]
        return {name: pa.array(values) for name, values in made.items() if any(v is not None for v in values)}

    async def insert(self) -> None:
        pick = self.random
        rows = pick.choice([1, 40, 700])
        self.clock += rows * 100_000
        late = pick.choice([0, 0, 0.1, 1])
        micros = [
            self.clock - pick.randrange(rows * 100_000 if pick.random() >= late else self.clock - START + 1)
            for _ in range(rows)
        ]
        if pick.random() < 0.2:
            micros = [micro // 10_000_000 * 10_000_000 for micro in micros]
        before = await snapshot.position(self.database, self.dataset)
        await insert(self.database, self.dataset, micros, self.values(rows))
        assert before is not None
        self.inserts.append((before[0] + 1, before[0] + rows))

    async def delete(self) -> None:
        lo = self.random.randrange(START, self.clock)
        span = Range(lo, lo + self.random.choice([1, 30_000_000, 31_000_000, 200_000_000]))
        if self.random.random() < 0.3:
            span = Range(core.floor(span.lo, 60), core.ceiling(span.hi, 300))
        await deletion.delete_range(self.database, self.dataset, span)

    async def undo(self) -> None:
        first, last = self.inserts.pop(self.random.randrange(len(self.inserts)))
        async with self.database.transaction() as connection:
            await deletion.delete_numbered(connection, self.dataset, first, last)

    async def advance(self) -> None:
        for _ in range(self.random.choice([1, 3, 99])):
            if not await maintenance.advance(
                self.database, self.dataset, least=1, batch=self.random.choice([50, 1_000])
            ):
                break

    async def check(self) -> None:
        span = Range()
        if self.random.random() < 0.7:
            lo = self.random.randrange(START - 10**7, self.clock + 10**7)
            span = Range(lo, lo + self.random.randrange(1, self.clock - START + 10**7))
        if self.random.random() < 0.3:
            span = self.random.choice([Range(span.lo), Range(hi=span.hi)])
        width = self.random.choice(
            [1, 7, 11, 30, 50, 60, 100, 300, 900, 1800, 2000, 3600, 86_400, 604_800, "month", "quarter", "year"]
        )
        await compare(self.database, self.dataset, span, width)

    async def check_against_itself(self) -> None:
        """One wide bucket and many narrow ones of the same moment have as many rows, unless somebody wrote between."""
        shot = await snapshot.snapshot(self.database, self.dataset)
        counts = []
        for width in (86_400, 1):
            found = await buckets.buckets(self.database, shot, [], Range(), width, [], 100_000)
            counts.append(sum(row[1] for row in found))
        after = await snapshot.position(self.database, self.dataset)
        if after == (shot.last_seq, shot.version):
            assert counts == [shot.row_count] * 2


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_answers_are_those_of_the_rows(
    database: Database, people: People, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:
        # Rows of narrow buckets that lie in two wanted ones: range by range, as else only with many rows.
        monkeypatch.setattr(buckets, "RANGE_ROWS", 0)
    dataset = await new_dataset(database, people)
    story = Story(database, dataset, seed)
    for _ in range(3):
        await story.insert()
    for _ in range(60):
        step: Callable[[], Any] = story.random.choices(
            [story.insert, story.advance, story.delete, story.undo], [8, 5, 2, 0.5]
        )[0]
        await step()
        await story.check()
    await story.insert()
    while await maintenance.advance(database, dataset, least=1):
        pass
    async with database.connection() as connection:
        rollup = await maintenance.find(connection, dataset)
        assert rollup is not None
        assert rollup.width
        assert rollup.upto == rollup.last_seq
        count = await connection.execute(f"SELECT count(*) FROM {rollup.table.as_string()}".encode())
        assert ((await count.fetchone()) or (0,))[0] > 0
    for width in (rollup.width, 3600, 7, 3 * rollup.width + 1, 5 * rollup.width // 2 + 1, 2_000, "month"):
        await compare(database, dataset, Range(), width)


async def caught_up(database: Database, dataset: int, *, batch: int = 5_000) -> maintenance.Rollup:
    while await maintenance.advance(database, dataset, least=1, batch=batch):
        pass
    async with database.connection() as connection:
        found = await maintenance.find(connection, dataset)
    assert found is not None
    return found


async def test_the_width_follows_the_density(database: Database, people: People) -> None:
    """Wider where rows become fewer, narrower where they become more; exact all the while."""
    dataset = await new_dataset(database, people)

    async def add(rows: int, first: int, step: int) -> None:
        values = {"n": pa.array(range(rows)), "f": pa.array([n / 7 for n in range(rows)])}
        await insert(database, dataset, [first + n * step for n in range(rows)], values)

    # A row a minute, 200 a second, one in five minutes.
    await add(3_000, START, 60_000_000)
    widths = [(await caught_up(database, dataset)).width]
    await compare(database, dataset, Range(), 86_400)
    await add(60_000, START + 10**12, 5_000)
    widths.append((await caught_up(database, dataset)).width)
    for width in (1, 30, 3_600, "year"):
        await compare(database, dataset, Range(START + 10**12, START + 10**12 + 10**8), width)
    await compare(database, dataset, Range(), 86_400)
    await add(20_000, START + 2 * 10**12, 300_000_000)
    widths.append((await caught_up(database, dataset)).width)
    await add(40_000, START + 2 * 10**13, 300_000_000)
    widths.append((await caught_up(database, dataset)).width)
    assert widths[0] > widths[1] < widths[3] >= widths[2], widths
    for width in (604_800, "month"):
        await compare(database, dataset, Range(), width)


async def test_times_at_the_ends(database: Database, people: People) -> None:
    """The first and last microsecond that there is."""
    dataset = await new_dataset(database, people)
    micros = [MIN_MICROS + 86_400_000_000 * 7, *(START + n * 1_000 for n in range(2_000)), MAX_MICROS]
    await insert(database, dataset, micros, {"n": pa.array(range(len(micros)))})
    assert (await caught_up(database, dataset)).width
    for span in (Range(), Range(hi=START), Range(START + 1), Range(MIN_MICROS + 1, MAX_MICROS)):
        for width in (1, 3_600, 86_400, "year"):
            await compare(database, dataset, span, width)
    await deletion.delete_range(database, dataset, Range(START + 500_000))
    await deletion.delete_range(database, dataset, Range(hi=START + 400))
    await compare(database, dataset, Range(), 1)


async def test_a_sum_that_is_no_float(database: Database, people: People) -> None:
    dataset = await new_dataset(database, people)
    await insert(database, dataset, [START + n for n in range(2_000)], {"f": pa.array([1e308] * 2_000)})
    assert not (await caught_up(database, dataset)).upto
    shot = await snapshot.snapshot(database, dataset)
    with pytest.raises(BadRequestError, match="Invalid parameter"):
        await buckets.buckets(database, shot, shot.columns, Range(), 60, ["s"], 10)
    assert len(await buckets.buckets(database, shot, shot.columns, Range(), 60, ["hi"], 10)) == 1


async def test_writes_charts_readers_and_deletes(client: Client, people: People, database: Database) -> None:
    """In the running application: made after writes, read by charts, hidden from readers, dropped with the dataset."""
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    lines = [f'{{"timestamp":"2024-01-{1 + n // 4000:02}T00:00:{n % 60:02}Z","n":{n}}}\n' for n in range(60_000)]
    insert_path = f"/api/rows/bulk_insert/?dataset={dataset}"
    for first in (0, 30_000):
        # Fewer rows at once than go straight to chunks, which no reader's role can read.
        body = "".join(lines[first : first + 30_000])
        sent = await owner.post(insert_path, content=body, headers={"Content-Type": "application/x-ndjson"})
        assert sent.status_code == 200, sent.text
    path = f"/api/rows/aggregate/?dataset={dataset}&bucket=1d&functions=count,first,last,avg"
    before = (await owner.get(path)).json()
    assert len(before["results"]) == 15
    for _ in range(200):
        async with database.connection() as connection:
            rollup = await maintenance.find(connection, dataset)
        assert rollup is not None
        if rollup.upto == rollup.last_seq:
            break
        await asyncio.sleep(0.1)
    assert rollup.upto == rollup.last_seq
    assert (await owner.get(path)).json() == before
    runner = QueryRunner(database, lambda: "a secret for tests", QueryLimits(seconds=5.0))
    for key in (people.owner, people.holder, people.stranger):
        caller = await caller_of(database, key)
        for name in (rollup.table.as_string(), "atlas.rollups"):
            with pytest.raises(BadRequestError, match="Query failed"):
                await runner.run(caller, f"SELECT * FROM {name}", [dataset] if key == people.owner else [])
    assert (await owner.delete(f"/api/datasets/{dataset}/")).status_code == 204
    async with database.connection() as connection:
        left = await connection.execute(
            "SELECT 1 FROM pg_class WHERE relname = %s UNION SELECT 1 FROM atlas.rollups", (f"_rollup_{dataset}",)
        )
        assert await left.fetchone() is None


async def test_everything_at_once(database: Database, people: People) -> None:
    """Two processes roll up while rows come, go and are undone."""
    dataset = await new_dataset(database, people)
    story = Story(database, dataset, 7)
    for _ in range(5):
        await story.insert()
    ended = asyncio.Event()

    async def write() -> None:
        for number in range(40):
            await story.insert()
            await (story.delete, story.undo, story.insert)[number % 3]()
        ended.set()

    async def roll_up() -> None:
        while not ended.is_set():
            await maintenance.advance(database, dataset, least=1, batch=100)
            await story.check_against_itself()

    await asyncio.gather(write(), roll_up(), roll_up())
    rollup = await caught_up(database, dataset)
    for width in (rollup.width or 1, 3_600, 1):
        await compare(database, dataset, Range(), width)


async def test_rollups_of_older_versions_are_made_anew_for_exact_sums(database: Database, people: People) -> None:
    whole, fractions = await new_dataset(database, people), await new_dataset(database, people)
    stamps = [START + index * 1_000 for index in range(5_000)]
    await insert(database, whole, stamps, {"n": pa.array([2**53 + 1] * 5_000)})
    await insert(database, fractions, stamps, {"f": pa.array([0.5] * 5_000)})
    for dataset in (whole, fractions):
        while await maintenance.advance(database, dataset, least=1):
            pass
    async with database.transaction() as connection:
        found = [await maintenance.find(connection, dataset) for dataset in (whole, fractions)]
        assert all(one and one.width for one in found)
        # As they were: one sum for both, of floats.
        for one in found:
            assert one is not None
            old, new = (f"s{one.columns[0]}", one.cell("s", one.columns[0]).as_string().strip('"'))
            table = one.table.as_string()
            if one.floats:
                await connection.execute(f'ALTER TABLE {table} RENAME COLUMN "{new}" TO "{old}"'.encode())
            else:
                await connection.execute(f'ALTER TABLE {table} ALTER COLUMN "{old}" TYPE float8'.encode())
        script = (resources.files("atlas.db") / "migrations" / "0022_exact_sums.sql").read_text()
        await connection.execute(script.encode())
    async with database.connection() as connection:
        after = [await maintenance.find(connection, dataset) for dataset in (whole, fractions)]
    assert [one is not None and one.made for one in after] == [False, True]
    for _ in range(2):
        for dataset in (whole, fractions):
            await compare(database, dataset, Range(), 3600)
        while await maintenance.advance(database, whole, least=1):
            pass
