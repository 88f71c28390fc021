"""Inserts by one statement, where nobody has changed the dataset, are what the same inserts are by a transaction."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import sql
from tests.api.test_cold import pack
from tests.conftest import Client, People, make_dataset, new_dataset, serve
from tests.integration.test_groups import answer, attempt, everything

from atlas.db.database import Database
from atlas.settings import Settings
from atlas.timeseries import deletion
from atlas.timeseries.ingest import group_transaction, json_exact, single_statement
from atlas.timeseries.ingest.appender import MOST_COLUMNS
from atlas.timeseries.ingest.group_commit import UNSURE, GroupWriter
from atlas.timeseries.ingest.group_transaction import SmallInsert
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.zone_map import BLOCK_ROWS

pytestmark = pytest.mark.anyio


def rows(values: list[dict[str, Any]], retry: Retry | None = None, response: Any = "stored") -> SmallInsert:
    listed = [{"timestamp": f"2025-01-01T00:00:{n % 60:02}Z", "values": one} for n, one in enumerate(values)]
    frame = json_exact.decode(msgspec.json.encode({"rows": listed}))[0].sorted()
    return SmallInsert([frame], len(values), response, retry)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How groups were written, in order."""
    seen: list[str] = []
    quick, usual = group_transaction.append_at_once, group_transaction._insert

    async def append_at_once(*given: Any) -> Any:
        done = await quick(*given)
        seen.append("missed" if done is None else "at once")
        return done

    async def insert(*given: Any) -> Any:
        seen.append("transaction")
        return await usual(*given)

    monkeypatch.setattr(group_transaction, "append_at_once", append_at_once)
    monkeypatch.setattr(group_transaction, "_insert", insert)
    return seen


class Writing:
    """A writer of one dataset, whose rows have an `n`."""

    def __init__(self, database: Database, dataset: int) -> None:
        self._database, self.dataset, self.writer = database, dataset, GroupWriter(database)

    async def insert(self, *values: dict[str, Any], retry: Retry | None = None, response: Any = "stored") -> Any:
        return await self.writer.insert(self.dataset, rows(list(values) or [{"n": 1}], retry, response))

    async def known(self) -> None:
        """Inserts until the dataset's tail is known."""
        await self.insert()
        await self.insert()

    async def all(self) -> list[Any]:
        return [line for _, line in (await everything(self._database, self.dataset))["rows"]]


@pytest.fixture
async def writing_to(database: Database, people: People) -> Writing:
    return Writing(database, await new_dataset(database, people))


async def test_a_lone_client(writing_to: Writing, ways: list[str]) -> None:
    for _ in range(5):
        assert await writing_to.insert() == "stored"
    # The first makes the column, the second finds the first block.
    assert ways == ["transaction", "transaction", "at once", "at once", "at once"]
    assert len(await writing_to.all()) == 5


@pytest.mark.parametrize("seed", range(4))
async def test_they_are_as_by_a_transaction(
    database: Database, people: People, ways: list[str], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """One after the other, of any values, some with keys, and through the end of a block."""
    chance = random.Random(seed)
    inserts = [attempt(chance, number).insert for number in range(80)]
    inserts.insert(40, rows([{"mark": n} for n in range(BLOCK_ROWS - 200)]))
    found = []
    for quick in (True, False):
        monkeypatch.setattr(single_statement, "MOST_ROWS", 64 if quick else 0)
        dataset, writer, answers = await new_dataset(database, people), GroupWriter(database), []
        for one in inserts:
            answers.append(await answer(partial(writer.insert, dataset, one)))
        found.append((await everything(database, dataset), answers))
        await database.fetch("DELETE FROM atlas.idempotency_keys")
    assert found[0] == found[1]
    assert ways.count("at once") > 20


async def test_another_process_writes_too(database: Database, writing_to: Writing, ways: list[str]) -> None:
    other = GroupWriter(database)
    await writing_to.known()
    await other.insert(writing_to.dataset, rows([{"n": 2}]))
    del ways[:]
    for _ in range(UNSURE + 2):
        await writing_to.insert()
    assert ways == ["missed", *["transaction"] * (UNSURE + 1), "at once"]
    assert len(await writing_to.all()) == 3 + UNSURE + 2
    # All at once, and by turns.
    await asyncio.gather(*(one.insert(writing_to.dataset, rows([{"n": 3}])) for one in [writing_to.writer, other] * 50))
    found = await everything(database, writing_to.dataset)
    assert [number for number, _ in found["rows"]] == list(range(1, 3 + UNSURE + 2 + 101))
    assert found["state"][0][1] == sum(block.rows for block in found["blocks"]) == len(found["rows"])


async def test_keys(database: Database, writing_to: Writing, ways: list[str]) -> None:
    await writing_to.known()
    first, again = Retry(1, "k", b"f"), Retry(1, "k", b"other")
    assert await writing_to.insert(retry=first, response=1) == 1
    # As it was kept, byte for byte.
    assert msgspec.json.decode(await writing_to.insert(retry=first, response=2)) == 1
    with pytest.raises(Exception, match="reused"):
        await writing_to.insert(retry=again)
    assert ways[2:] == ["at once", "missed", "transaction", "transaction"]
    # One that is new, when the dataset is other than it was left.
    await writing_to.known()
    await GroupWriter(database).insert(writing_to.dataset, rows([{"n": 2}]))
    assert await writing_to.insert(retry=Retry(1, "new", b"f"), response=3) == 3
    assert ways[-2:] == ["missed", "transaction"]
    kept = await database.fetch("SELECT key, response FROM atlas.idempotency_keys ORDER BY key")
    assert kept == [("k", "1"), ("new", "3")]
    assert len(await writing_to.all()) == 2 + 1 + 2 + 1 + 1


async def test_a_column_has_changed(client: Client, people: People, database: Database, ways: list[str]) -> None:
    """An integer that no float equals is kept beside a column that somebody has declared float meanwhile."""
    owner = client(people.owner)
    made = Writing(database, await make_dataset(owner))
    await made.known()
    body = {"dataset": made.dataset, "name": "n", "dtype": "float"}
    declared = await owner.post("/api/columns/", json=body)
    assert declared.status_code in (200, 201), declared.text
    await made.insert({"n": 2**60 + 1})
    assert ways[-2:] == ["missed", "transaction"]
    assert msgspec.json.decode((await made.all())[-1]) == {"timestamp": "2025-01-01T00:00:00Z", "n": 2**60 + 1}


async def test_names_that_mean_something_in_sql(writing_to: Writing, ways: list[str]) -> None:
    names = [
        "%",
        "%s",
        "%(id)s",
        "%(c1)s",
        "%%",
        "$1",
        "$2",
        "number",
        "given",
        "state",
        "?column?",
        "_SEQ",
        "ts ",
        'a"b',
        "a', '",
        "{table}",
        "{",
        ":x",
        "select",
        "c0",
        "id",
    ]
    sent = [
        {name: turn * 100 + number for number, name in enumerate(names) if turn < 3 or number % turn}
        for turn in range(8)
    ]
    for one in sent:
        await writing_to.insert(one)
    assert ways == ["transaction"] * 2 + ["at once"] * 6
    assert [msgspec.json.decode(line) for line in await writing_to.all()] == [
        {"timestamp": "2025-01-01T00:00:00Z", **one} for one in sent
    ]


async def test_wide_rows(writing_to: Writing, ways: list[str]) -> None:
    for _ in range(4):
        await writing_to.insert({f"c{number}": number for number in range(MOST_COLUMNS + 1)})
    assert ways == ["transaction"] * 4
    assert len(await writing_to.all()) == 4


async def test_rows_were_deleted_or_packed(database: Database, writing_to: Writing, ways: list[str]) -> None:
    await writing_to.known()
    async with database.transaction() as connection:
        assert await deletion.delete_numbered(connection, writing_to.dataset, 1, 1) == 1
    await writing_to.insert({"n": 5})
    assert ways[-2:] == ["missed", "transaction"]
    for _ in range(UNSURE + 1):
        await writing_to.insert()
    assert ways[-1] == "at once"
    assert await pack(database, writing_to.dataset) > 0
    await writing_to.insert({"n": 6})
    assert ways[-2:] == ["missed", "transaction"]
    await writing_to.insert({"n": 7})
    assert ways[-1] == "at once"
    assert [msgspec.json.decode(line)["n"] for line in (await writing_to.all())[-2:]] == [6, 7]


async def test_the_dataset_is_gone(database: Database, writing_to: Writing) -> None:
    await writing_to.known()
    schema = (await database.fetch("SELECT table_schema FROM atlas.datasets"))[0][0]
    await database.fetch("DELETE FROM atlas.datasets")
    with pytest.raises(Exception, match="not found"):
        await writing_to.insert()
    async with database.connection() as connection:
        await connection.execute(
            sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, f"dataset_{writing_to.dataset}"))
        )


async def test_the_connection_ends(database: Database, writing_to: Writing, ways: list[str]) -> None:
    """Nobody knows then whether the rows are there, and nothing is tried a second time."""
    await writing_to.known()
    async with await psycopg.AsyncConnection.connect(database.url) as holder:
        await holder.execute("SELECT 1 FROM atlas.dataset_state FOR UPDATE")
        waiting = asyncio.create_task(writing_to.insert(retry=Retry(1, "k", b"f")))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE %(pid)s = ANY(pg_blocking_pids(pid))"
        while not await database.fetch(ended, pid=holder.info.backend_pid):
            await asyncio.sleep(0.01)
        with pytest.raises(Exception, match="unavailable"):
            await waiting
    assert ways[2:] == []
    assert await writing_to.insert(retry=Retry(1, "k", b"f")) == "stored"
    assert len(await writing_to.all()) == 3


async def test_a_dataset_that_another_process_deleted(settings: Settings, people: People) -> None:
    """Who may write is remembered, and what is gone is gone."""
    async with serve(settings) as one, serve(settings) as other:
        owner, stranger, elsewhere = one(people.owner), one(people.stranger), other(people.owner)
        dataset = await make_dataset(owner)
        row = {"dataset": dataset, "timestamp": "2025-01-01T00:00:00Z", "values": {"n": 1}}
        bulk = {"dataset": dataset, "rows": [{"timestamp": "2025-01-01T00:00:00Z", "values": {"n": 1}}]}

        async def statuses(client: httpx.AsyncClient) -> list[int]:
            path = "/api/rows/bulk_insert/"
            csv = {"content": b"timestamp,n\n2025-01-01,1\n", "headers": {"Content-Type": "text/csv"}}
            answers = [
                await client.post("/api/rows/", json=row),
                await client.post(path, json=bulk),
                await client.post(f"{path}?dataset={dataset}", **csv),
                await client.post(path, json=bulk | {"rows": []}),
            ]
            return [answer.status_code for answer in answers]

        assert await statuses(owner) == await statuses(owner) == [201, 200, 200, 200]
        assert await statuses(stranger) == [403, 403, 403, 403]
        assert (await elsewhere.delete(f"/api/datasets/{dataset}/")).status_code == 204
        assert await statuses(owner) == await statuses(elsewhere) == [404, 404, 404, 404]
