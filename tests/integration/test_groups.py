"""Small inserts that are committed together come out as if each had been made alone, in the order of commit."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
import psycopg
import pyarrow as pa
import pytest
from tests.conftest import Client, People, caller_of, make_dataset, new_dataset

from atlas.accounts.authorization import AccessService
from atlas.db.database import Database
from atlas.errors import AtlasError, UnavailableError
from atlas.kit.admission import Lane
from atlas.kit.timestamps import from_micros
from atlas.timeseries.formats import RowFormat, json_lines
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_exact, transaction
from atlas.timeseries.ingest.group_commit import GroupWriter
from atlas.timeseries.ingest.group_transaction import SmallInsert
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.read import row_queries, snapshot
from atlas.timeseries.stream import StreamService
from atlas.timeseries.zone_map import Range

pytestmark = pytest.mark.anyio
START = 1_700_000_000_000_000
# More find more: 100 take a minute.
SEEDS = int(os.environ.get("ATLAS_TEST_SEEDS", "6"))


@dataclass
class Attempt:
    """One insert of a history: what is sent, and whether its caller gives up."""

    insert: SmallInsert
    marks: set[int]
    cancelled: bool = False


def value(chance: random.Random) -> Any:
    kinds: list[Any] = [
        chance.randrange(100),
        chance.randrange(100),
        chance.random(),
        2**60 + chance.randrange(9),
        7.0,
        True,
        "text",
        "2025-01-01",
        None,
        {"a": [1, None]},
        -0.0,
    ]
    return chance.choice(kinds)


def attempt(chance: random.Random, number: int) -> Attempt:
    rows, marks = [], set()
    names = ["n", "x", "y"] if chance.random() < 0.8 else ["n", f"new{number}", "late"]
    for index in range(chance.choice([1, 1, 1, 2, 5, 40])):
        mark = number * 100 + index
        marks.add(mark)
        stamp = START + number * 1_000_000 + index - (5_000_000 if chance.random() < 0.2 else 0)
        values = {"mark": mark} | {name: value(chance) for name in names if chance.random() < 0.8}
        rows.append({"timestamp": from_micros(stamp).isoformat(), "values": values})
    frame = json_exact.decode(msgspec.json.encode({"rows": rows}))[0].sorted()
    if chance.random() < 0.1:
        # What passes every check of ours and is refused by PostgreSQL.
        columns = {**frame.columns, "y": pa.array(["\0"] * len(frame))}
        frame = Frame(frame.ts, columns)
    retry = None
    if chance.random() < 0.4:
        retry = Retry(1, f"key{chance.randrange(max(1, number // 2) + 1)}", bytes([chance.randrange(2)]))
    response = {"inserted": len(frame), "number": number}
    return Attempt(SmallInsert([frame], len(frame), response, retry), marks, chance.random() < 0.15)


async def answer(make: Callable[[], Awaitable[Any]]) -> Any:
    """What came of an insert, errors included."""
    try:
        return await make()
    except AtlasError as error:
        return error.status, error.details
    except psycopg.Error as error:
        return type(error).__name__


async def everything(database: Database, dataset: int) -> dict[str, Any]:
    """All that a dataset is: rows in order of their numbers, columns, counters."""
    shot = await snapshot.snapshot(database, dataset)
    table = await row_queries.page(
        database, shot, shot.columns, Range(), then=lambda found: found, descending=False, limit=10**6
    )
    table = table.sort_by("_seq")
    rows = zip(table.column("_seq").to_pylist(), json_lines(table, RowFormat(shot.columns)).to_list(), strict=True)
    state = await database.fetch(
        "SELECT last_seq, row_count, late_rows, max_ts, has_extra, rewritten FROM atlas.dataset_state "
        "WHERE dataset_id = %(id)s",
        id=dataset,
    )
    columns = [(column.name, column.dtype, column.physical is None) for column in shot.columns]
    return {"rows": list(rows), "columns": columns, "state": state, "blocks": shot.blocks}


async def one_by_one(database: Database, dataset: int, attempts: list[Attempt], stored: set[int]) -> list[Any]:
    """The answers to the same inserts, each in a transaction of its own."""
    answers = []
    for one in attempts:
        if one.cancelled and not one.marks <= stored:
            answers.append("cancelled")
            continue
        found = await answer(partial(single, database, dataset, one.insert))
        answers.append("cancelled" if one.cancelled else found)
    return answers


async def single(database: Database, dataset: int, insert: SmallInsert) -> Any:
    async def frames() -> AsyncIterator[Frame]:
        for frame in insert.frames:
            yield frame

    retry = insert.retry and replace(insert.retry, key=f"alone {insert.retry.key}")
    return await transaction.insert(database, dataset, frames(), lambda _: insert.response, retry)


def marks_of(found: dict[str, Any]) -> set[int]:
    return {msgspec.json.decode(line)["mark"] for _, line in found["rows"]}


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_groups_are_as_one_by_one(database: Database, people: People, seed: int) -> None:
    chance = random.Random(seed)
    dataset, other = await new_dataset(database, people), await new_dataset(database, people)
    writer = GroupWriter(database)
    attempts = [attempt(chance, number) for number in range(60)]
    tasks = []
    for one in attempts:
        tasks.append(asyncio.create_task(answer(partial(writer.insert, dataset, one.insert))))
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() / 200)
        for earlier, task in zip(attempts, tasks, strict=False):
            if earlier.cancelled and chance.random() < 0.3:
                task.cancel()
    for one, task in zip(attempts, tasks, strict=True):
        if one.cancelled:
            task.cancel()
    gathered = await asyncio.gather(*tasks, return_exceptions=True)
    answers = ["cancelled" if isinstance(found, asyncio.CancelledError) else found for found in gathered]
    await writer.close()
    grouped = await everything(database, dataset)
    stored = marks_of(grouped)
    for one, found in zip(attempts, answers, strict=True):
        # Whole or not at all, and one that was answered before its caller gave up counts as any other.
        assert one.marks <= stored or not one.marks & stored
        one.cancelled = found == "cancelled"
    assert await one_by_one(database, other, attempts, stored) == answers
    alone = await everything(database, other)
    assert grouped == alone
    kept = await database.fetch(
        "SELECT replace(key, 'alone ', ''), fingerprint, response, count(*) FROM atlas.idempotency_keys "
        "GROUP BY 1, 2, 3"
    )
    assert all(count == 2 for *_, count in kept)


async def test_one_group_one_commit(database: Database, people: People) -> None:
    """What queues while another commits is one transaction; two uses of a key are not in the same one."""
    dataset = await new_dataset(database, people)
    frame = json_exact.decode(b'{"rows":[{"timestamp":"2025-01-01T00:00:00Z","values":{"n":1}}]}')[0]
    writer = GroupWriter(database)

    async def insert(count: int, retry: Retry | None = None) -> list[Any]:
        inserts = [SmallInsert([frame], 1, {"n": number}, retry) for number in range(count)]
        return list(await asyncio.gather(*(answer(partial(writer.insert, dataset, one)) for one in inserts)))

    async def version() -> int:
        found = await snapshot.position(database, dataset)
        assert found is not None
        return found[1]

    await insert(1)
    before = await version()
    assert await insert(50) == [{"n": number} for number in range(50)]
    assert await version() - before == 1
    assert await insert(4, Retry(1, "k", b"f")) == [{"n": 0}] * 4
    assert await version() - before == 2
    refused = await insert(2, Retry(1, "k", b"g"))
    assert [found[0] for found in refused] == [400, 400]
    shot = await snapshot.snapshot(database, dataset)
    assert (shot.row_count, shot.last_seq) == (52, 52)
    assert [block.rows for block in shot.blocks] == [52]


async def test_killed_backend(database: Database, database_url: str, people: People) -> None:
    """Everybody in a group whose connection dies is told 503, and nothing of it is there."""
    dataset = await new_dataset(database, people)
    writer = GroupWriter(database)
    frame = json_exact.decode(b'{"rows":[{"timestamp":"2025-01-01T00:00:00Z","values":{"n":1}}]}')[0]
    inserts = [SmallInsert([frame], 1, n, Retry(1, f"k{n}", b"f") if n % 2 else None) for n in range(9)]
    assert await writer.insert(dataset, SmallInsert([frame], 1, "first")) == "first"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:

        async def kill(holder: int) -> None:
            while True:
                cursor = await admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))",
                    (holder,),
                )
                if await cursor.fetchall():
                    return
                await asyncio.sleep(0.01)

        async with database.transaction() as connection:
            await transaction.last_number(connection, dataset)
            tasks = [asyncio.create_task(writer.insert(dataset, one)) for one in inserts]
            # The first waits for the lock as a group of its own or with all others.
            while not all(task.done() for task in tasks):
                await kill(connection.info.backend_pid)
                await asyncio.wait(tasks, timeout=0.2)
            for error in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(error, UnavailableError)
    shot = await snapshot.snapshot(database, dataset)
    assert shot.row_count == 1
    assert not await database.fetch("SELECT 1 FROM atlas.idempotency_keys")
    assert await asyncio.gather(*(writer.insert(dataset, one) for one in inserts)) == list(range(9))
    assert (await snapshot.snapshot(database, dataset)).row_count == 10


async def test_streams_see_groups_in_order(database: Database, people: People) -> None:
    """A reader gets each row once, in the order of its number, while two processes' writers take turns."""
    dataset = await new_dataset(database, people)
    service = StreamService(database, AccessService(database), Lane("streams", 5, 1))
    stream = await service.open(await caller_of(database, people.owner), dataset, 1, None)
    writers = [GroupWriter(database), GroupWriter(database)]

    async def write(number: int) -> None:
        for turn in range(10):
            body = {"rows": [{"timestamp": "2025-01-01T00:00:00Z", "values": {"n": number * 10 + turn}}]}
            frame = json_exact.decode(msgspec.json.encode(body))[0]
            await writers[number % 2].insert(dataset, SmallInsert([frame], 1, None))

    writing_all = asyncio.gather(*(write(number) for number in range(20)))
    ids: list[int] = []
    values: set[int] = set()
    async with asyncio.timeout(60):
        async for text in stream:
            service.wake(dataset)
            for event in text.decode().split("\n\n"):
                if "event: data" in event:
                    lines = dict(line.split(": ", 1) for line in event.splitlines())
                    ids.append(int(lines["id"]))
                    values.add(msgspec.json.decode(lines["data"])["n"])
            if len(ids) >= 200:
                break
    await stream.aclose()  # type: ignore[attr-defined]
    await writing_all
    assert ids == list(range(1, 201))
    assert values == set(range(200))


async def test_mixed_requests(client: Client, people: People) -> None:
    """Over HTTP: each request of a crowd has its own answer, and usage and audit count each."""
    owner, stranger = client(people.owner), client(people.stranger)
    dataset = await make_dataset(owner)
    row = {"dataset": dataset, "timestamp": "2025-01-01T00:00:00Z", "values": {"n": 1}}
    bulk = {"dataset": dataset, "rows": [{"timestamp": row["timestamp"], "values": {"n": n}} for n in range(7)]}
    csv = {"content": b"timestamp,n\n2025-01-01,1\n2025-01-02,2\n", "headers": {"Content-Type": "text/csv"}}
    path = "/api/rows/bulk_insert/"
    requests = [
        (201, lambda: owner.post("/api/rows/", json=row)),
        (200, lambda: owner.post(path, json=bulk)),
        (200, lambda: owner.post(f"{path}?dataset={dataset}", **csv)),
        (201, lambda: owner.post("/api/rows/", json=row, headers={"Idempotency-Key": "same"})),
        (400, lambda: owner.post("/api/rows/", json=row | {"timestamp": "never"})),
        (400, lambda: owner.post(path, json=bulk, headers={"Idempotency-Key": ""})),
        (403, lambda: stranger.post("/api/rows/", json=row)),
        (404, lambda: owner.post("/api/rows/", json=row | {"dataset": 10**6})),
        (400, lambda: owner.post(path, json=bulk, headers={"Idempotency-Key": "same"})),
    ]
    assert (await requests[3][1]()).status_code == 201
    answers = await asyncio.gather(*(ask() for _ in range(6) for _, ask in requests))
    assert [found.status_code for found in answers] == [status for _ in range(6) for status, _ in requests]
    page = (await owner.get(f"/api/rows/?dataset={dataset}")).json()
    assert page["count"] == 1 + 6 * (1 + 7 + 2)
    used = (await owner.get("/api/v1/usage")).json()
    assert sum(day["rows_written"] for day in used["days"]) == page["count"]
