"""Cold rows in TimescaleDB's columnstore. Those that need it are skipped on a server without the extension:

    ATLAS_TEST_DATABASE_URL=postgresql://… python dev.py test tests/integration/test_columnstore.py

tests/integration/test_cold.py and tests/api/test_cold.py compare packed rows with plain ones, on such a server too.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from tests.conftest import (
    Client,
    People,
    clone,
    make_dataset,
    make_people,
    new_dataset,
    open_folder,
    with_database,
)
from tests.integration.test_cold import START, everything, insert, pack_all

from atlas.backup.dump import write_backup
from atlas.backup.restore import read_backup
from atlas.catalog import profiles
from atlas.catalog.model import CatalogColumn, CatalogTable
from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.db.named_queries import queries
from atlas.timeseries import deletion
from atlas.timeseries.cold import mover, timescale_store
from atlas.timeseries.cold.scheduler import Compaction
from atlas.timeseries.read import snapshot
from atlas.timeseries.zone_map import Range

pytestmark = pytest.mark.anyio
SECOND = 1_000_000
CHUNKS = (
    "SELECT _timescaledb_functions.chunk_status_text(format('%%I.%%I', chunk_schema, chunk_name)::regclass) "
    "FROM timescaledb_information.chunks WHERE hypertable_name LIKE '_cold_%%' ORDER BY range_start"
)


async def need_timescaledb(database: Database) -> None:
    """Skips the test where the server has no columnstore."""
    async with database.connection() as connection:
        if await timescale_store.schema_of(connection) is None:
            pytest.skip("the server has no TimescaleDB")


@pytest.fixture
async def timescaledb(database: Database) -> None:
    await need_timescaledb(database)


def prices(rows: int) -> dict[str, pa.Array]:
    random = np.random.default_rng(1)
    close = np.round(100 + np.cumsum(random.normal(size=rows)) / 10, 2)
    return {
        "close": pa.array(close),
        "high": pa.array(np.round(close + random.random(rows), 2)),
        "volume": pa.array(random.integers(0, 10**6, rows)),
    }


async def filled(database: Database, people: People, rows: int, step: int = SECOND) -> int:
    dataset = await new_dataset(database, people)
    await insert(database, dataset, [START + n * step for n in range(rows)], prices(rows))
    return dataset


async def stored(database: Database, dataset: int) -> tuple[bool, list[str], bool]:
    rows = await database.fetch(
        "SELECT columnstore, parts, settled FROM atlas.cold WHERE dataset_id = %(id)s", id=dataset
    )
    return rows[0]


async def test_small(timescaledb: None, database: Database, people: People) -> None:
    rows = 100_000
    dataset = await filled(database, people, rows)
    before = await everything(database, dataset)
    assert await pack_all(database, dataset) == rows
    assert await mover.unsettled(database) == {dataset}
    assert await mover.settle(database, dataset)
    assert not await mover.unsettled(database)
    assert await everything(database, dataset) == before
    in_columnstore, parts, settled = await stored(database, dataset)
    assert in_columnstore
    assert settled
    assert sorted(part.split("_")[0][0] for part in parts) == ["b", "d", "d"]
    assert [status for (status,) in await database.fetch(CHUNKS)] == [["COMPRESSED"]]
    size = (await database.fetch("SELECT sum(atlas.dataset_bytes(table_schema, id)) FROM atlas.datasets"))[0][0]
    assert size / rows < 10


async def test_those_with_segments_keep_them(timescaledb: None, database: Database, people: People) -> None:
    dataset = await filled(database, people, 9_000)
    before = await everything(database, dataset)
    assert await pack_all(database, dataset, timescaledb=False) == 9_000
    await insert(database, dataset, [START + n * SECOND for n in range(9_000, 9_500)], prices(500))
    assert await pack_all(database, dataset) == 500
    assert not (await stored(database, dataset))[0]
    assert (await everything(database, dataset))[:9_000] == before


async def test_what_is_deleted_or_late(timescaledb: None, database: Database, people: People) -> None:
    """What is left of a chunk is compressed again, and chunks without rows are dropped."""
    dataset = await filled(database, people, 50_000, step=3_600 * SECOND)
    await pack_all(database, dataset)
    assert await mover.settle(database, dataset)
    before = await everything(database, dataset)
    lo, hi = START + 10_000 * 3_600 * SECOND, START + 20_500 * 3_600 * SECOND
    assert await deletion.delete_range(database, dataset, Range(lo, hi)) == 10_500
    assert await everything(database, dataset) == before[:10_000] + before[20_500:]
    await insert(database, dataset, [lo + 5], {"volume": pa.array([7])})
    assert await pack_all(database, dataset) == 1
    assert await mover.settle(database, dataset)
    assert {tuple(status) for (status,) in await database.fetch(CHUNKS)} == {("COMPRESSED",)}
    assert await deletion.delete_range(database, dataset, Range()) == 39_501
    shot = await snapshot.snapshot(database, dataset)
    assert (shot.row_count, await snapshot.count(database, shot, Range())) == (0, 0)
    assert await mover.settle(database, dataset)
    assert await database.fetch(CHUNKS) == []
    await insert(database, dataset, [START], {"close": pa.array([1 / 3])})
    assert await pack_all(database, dataset) == 1
    assert len(await everything(database, dataset)) == 1


async def test_chunks_follow_the_density(timescaledb: None, database: Database, people: People) -> None:
    dataset = await filled(database, people, 3_000, step=3_600 * SECOND)
    await pack_all(database, dataset)
    later = START + 400 * 86_400 * SECOND * 365
    await insert(database, dataset, [later + n for n in range(3_000)], prices(3_000))
    await pack_all(database, dataset)
    spans = await database.fetch(
        "SELECT range_end - range_start FROM timescaledb_information.chunks WHERE hypertable_name LIKE '_cold_%%' "
        "ORDER BY range_start"
    )
    assert spans[0][0].days == 365
    assert spans[-1][0].total_seconds() <= 60


async def test_somebody_is_in_the_way(timescaledb: None, database: Database, people: People) -> None:
    dataset = await filled(database, people, 2_000)
    await pack_all(database, dataset)
    shot = await snapshot.snapshot(database, dataset)
    async with database.transaction() as reader:
        await reader.execute(f"SELECT count(*) FROM {shot.table.as_string()}".encode())
        assert not await mover.settle(database, dataset)
    async with database.transaction() as chart:
        await chart.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        await chart.execute(f"LOCK TABLE {shot.table.as_string()} IN ROW SHARE MODE".encode())
        await chart.execute("SELECT 1")
        assert not await mover.settle(database, dataset)
    async with database.connection() as backup:
        await backup.execute(queries("timeseries/cold/columnstore")["compress_later"])
        assert not await mover.settle(database, dataset)
        await backup.execute("SELECT pg_advisory_unlock_all()")
    async with database.transaction() as packer:
        await packer.execute("SELECT 1 FROM atlas.cold FOR UPDATE")
        assert not await mover.settle(database, dataset)
    assert await mover.settle(database, dataset)


async def test_sweeps_settle_what_others_left(database: Database, people: People) -> None:
    """A process that was killed, or a range delete; while another process does it, it is left to that one."""
    dataset = await filled(database, people, 2_000)
    sweeps = Compaction(database, days=7)
    await pack_all(database, dataset)
    assert await mover.unsettled(database) == {dataset}
    async with database.connection() as other:
        await other.execute(queries("timeseries/cold/cold")["settle_alone"], {"id": dataset})
        assert await sweeps.sweep() == 0
        assert await mover.unsettled(database) == {dataset}
        await other.execute(queries("timeseries/cold/cold")["settle_together"], {"id": dataset})
    assert await sweeps.sweep() == 0
    assert not await mover.unsettled(database)
    assert await deletion.delete_range(database, dataset, Range(hi=START + 1_500 * SECOND)) == 1_500
    assert await mover.unsettled(database) == {dataset}
    assert await sweeps.sweep() == 0
    assert not await mover.unsettled(database)


@pytest.mark.parametrize("in_columnstore", [True, False])
async def test_profile_from_a_sample(
    database: Database,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
    in_columnstore: bool,
) -> None:
    if in_columnstore:
        await need_timescaledb(database)
    monkeypatch.setattr(profiles, "SAMPLE_ROWS", 10_000)
    dataset = await new_dataset(database, people)
    rows = 30_000
    cities = pa.array([["Rome", "Oslo"][n % 2] for n in range(rows)])
    await insert(database, dataset, [START + n * SECOND for n in range(rows)], {"city": cities})
    await pack_all(database, dataset, batch=20_000, timescaledb=in_columnstore)
    shot = await snapshot.snapshot(database, dataset)
    schema, relation = (name.strip('"') for name in shot.table.as_string().split("."))
    columns = CatalogColumn("ts", "timestamptz"), CatalogColumn("city", "text")
    table = CatalogTable("prices", schema, relation, columns, "dataset", rows, dataset_id=dataset, cold=True)
    async with database.transaction() as transaction:
        found = await profiles.profile(transaction, table)
    assert sorted(found["city"].values) == ["Oslo", "Rome"]


async def test_backups(
    timescaledb: None,
    database: Database,
    people: People,
    database_url: str,
    postgres_url: str,
    template: str,
    tmp_path: Path,
) -> None:
    """They hold the rows, and are restored with the extension and without it."""
    dataset = await filled(database, people, 5_000)
    await pack_all(database, dataset)
    assert await mover.settle(database, dataset)
    await insert(database, dataset, [START + n * SECOND for n in range(5_000, 6_000)], prices(1_000))
    before = await everything(database, dataset)
    manifest = await asyncio.to_thread(write_backup, database_url, tmp_path / "backup.zip")
    assert [table.rows for table in manifest.tables if table.member] == [5_000]
    await database.close()
    with clone(postgres_url, template) as other, open_folder() as folder, EmbeddedPostgres(folder).serve() as plain:
        for url in (database_url, other, plain):
            await asyncio.to_thread(read_backup, url, tmp_path / "backup.zip", replace=True)
            restored = Database(url, pool_size=2, statement_timeout=60)
            await restored.open()
            assert await everything(restored, dataset) == before
            assert await pack_all(restored, dataset) == 6_000
            assert (await stored(restored, dataset))[0] == (url != plain)
            assert await everything(restored, dataset) == before
            await restored.close()


async def test_a_user_that_is_no_superuser(timescaledb: None, postgres_url: str) -> None:
    name = f"managed_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'for this test'".encode())
        admin.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
        parts = urlsplit(with_database(postgres_url, name))
        host = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"{name}:for%20this%20test@{host}"))
        try:
            database = Database(url, pool_size=2, statement_timeout=60)
            await asyncio.to_thread(database.migrate)
            people = await make_people(url)
            await database.open()
            dataset = await filled(database, people, 5_000)
            before = await everything(database, dataset)
            await pack_all(database, dataset)
            assert await mover.settle(database, dataset)
            assert (await stored(database, dataset))[0]
            assert await everything(database, dataset) == before
            assert await deletion.delete_range(database, dataset, Range(hi=START + 10 * SECOND)) == 10
            assert await mover.settle(database, dataset)
            assert await everything(database, dataset) == before[10:]
            await database.close()
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


QUERIES: tuple[tuple[str, Any], ...] = (
    # Of which TimescaleDB 2.29 gives none where PostgreSQL could merge the view's UNION ALL with this one.
    (
        "SELECT count(a), count(b) FROM (SELECT ts AS a, ts AS b FROM prices UNION ALL SELECT ts, ts FROM prices) AS u",
        "6000,6000",
    ),
    ("SELECT count(*), count(*) FILTER (WHERE ts >= '2024-01-01T00:00:10Z'), max(n) FROM prices", "3000,2990,2999"),
    ("SELECT count(*) FROM prices WHERE n = 7 OR (price < 0.5 AND ts < '2024-01-01T00:00:20Z')", "10"),
    (
        "SELECT a.n FROM prices AS a JOIN prices AS b ON a.ts = b.ts AND a.n = b.n "
        "WHERE a.n BETWEEN 5 AND 6 ORDER BY 1",
        "5\n6",
    ),
)


async def test_queries(client: Client, people: People, database: Database) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    first = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    numbers = pa.array(range(3_000))
    await insert(
        database,
        dataset,
        [first + n * SECOND for n in range(3_000)],
        {"n": numbers, "price": pa.array([n / 20 for n in range(3_000)])},
    )
    assert await pack_all(database, dataset) == 3_000
    await mover.settle(database, dataset)
    for query, wanted in QUERIES:
        answer = (await owner.post("/api/v1/sql", json={"sql": query})).json()
        assert answer.get("success"), (query, answer)
        assert answer["data_csv"].split("\n", 1)[1].strip() == wanted, query
