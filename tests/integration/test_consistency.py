"""`atlas admin check`: nothing is found where all is well, and each kind of damage is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.consistency import repository as consistency
from atlas.consistency.repository import Finding
from atlas.consistency.service import ConsistencyService
from atlas.db import migration_versions
from atlas.db.database import Database
from atlas.db.migration_versions import NewerDatabaseError
from atlas.errors import BadRequestError
from atlas.kit.timestamps import MAX_MICROS
from atlas.timeseries.cold import mover
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
START = datetime(2025, 1, 1, tzinfo=UTC)


async def insert(client: httpx.AsyncClient, dataset: int, rows: int, first: int = 0) -> None:
    body = [
        {"timestamp": (START + timedelta(seconds=n)).isoformat(), "values": {"n": n, "x": n / 7}}
        for n in range(first, first + rows)
    ]
    answer = await client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": body})
    assert answer.status_code == 200, answer.text


async def fill(client: httpx.AsyncClient, url: str) -> tuple[int, int]:
    """A dataset with packed rows, a rollup and a hole, one without any of that, and a table of two imports."""
    packed, plain = await make_dataset(client, name="packed"), await make_dataset(client, name="plain")
    await insert(client, packed, 12_000)
    await insert(client, packed, 9_000, 12_000)
    await insert(client, plain, 100)
    database = Database(url, pool_size=2, statement_timeout=60)
    await database.open()
    try:
        while await maintenance.advance(database, packed, least=1):
            pass
        assert await mover.pack_next(database, packed, MAX_MICROS, 2**62)
    finally:
        await database.close()
    gone = {"dataset": packed, "start": "2025-01-01T01:00:00Z", "end": "2025-01-01T02:00:00Z"}
    answer = await client.delete("/api/rows/", params=gone)
    assert answer.status_code == 200, answer.text
    for n in range(2):
        files = {"file": (f"m{n}.csv", f"name,paid\na{n},1\nb{n},2\n".encode())}
        answer = await client.post("/api/v1/smart-import", files=files, data={"instruction": "Import into members"})
        assert answer.json()["status"] == "success", answer.text
    return packed, plain


def problems(url: str) -> list[str]:
    return [f"{found.subject}: {found.problem}" for found in consistency.check(url).findings]


async def test_what_is_well_has_no_findings_and_damage_has(client: Client, people: People, database_url: str) -> None:
    packed, plain = await fill(client(people.owner), database_url)
    report = ConsistencyService(database_url).check()
    assert report.findings == ()
    assert (report.datasets, report.tables) == (2, 1)
    assert report.rows == 21_000 - 3_601 + 100 + 4
    with psycopg.connect(database_url, autocommit=True) as connection:
        schema, table = connection.execute(  # type: ignore[misc]
            "SELECT schema_name, t.id FROM atlas.organizations o JOIN atlas.tables t ON t.organization_id = o.id"
        ).fetchone()
        damage = {
            f"UPDATE atlas.dataset_state SET row_count = 101 WHERE dataset_id = {plain}": "its state says 101",
            f"UPDATE atlas.dataset_state SET last_seq = 99 WHERE dataset_id = {plain}": "its state says 99",
            f"UPDATE atlas.row_blocks SET max_ts = max_ts + 1 WHERE dataset_id = {plain}": "the row block from 1 on",
            f"UPDATE atlas.row_blocks SET last_seq = 90 WHERE dataset_id = {plain}": "rows after 90",
            f"DELETE FROM atlas.row_blocks WHERE dataset_id = {plain}": "100 rows are in no row block",
            f"DELETE FROM {schema}.dataset_{plain} WHERE _seq = 7": "has 99 rows",
            f"INSERT INTO {schema}.dataset_{plain} SELECT * FROM {schema}.dataset_{plain} WHERE _seq = 7": "number of",
            f"UPDATE {schema}.dataset_{plain} SET ts = '0044-03-15 BC' WHERE _seq IN (3, 5)": "outside of the years",
            f"UPDATE {schema}.dataset_{plain} SET ts = 'infinity' WHERE _seq IN (3, 5)": "such as infinity",
            f"ALTER TABLE {schema}.dataset_{plain} RENAME TO elsewhere": "missing",
            f"UPDATE {schema}._rollup_{packed} SET rows = rows + 1 WHERE width = (SELECT min(width) FROM"
            f" {schema}._rollup_{packed})": "buckets of its rollup",
            f"DELETE FROM {schema}._rollup_{packed} WHERE width = (SELECT max(width) FROM"
            f" {schema}._rollup_{packed})": "buckets of its rollup",
            f"UPDATE atlas.cold SET rows = rows - 1 WHERE dataset_id = {packed}": "of its rows are packed",
            f"UPDATE atlas.dataset_state SET cold = true WHERE dataset_id = {plain}": "do not agree",
            f"UPDATE atlas.dataset_columns SET physical = 'lost' WHERE dataset_id = {plain} AND name = 'n'": "column",
            f"DELETE FROM atlas.dataset_state WHERE dataset_id = {plain}": "no state",
            "UPDATE atlas.tables SET row_count = 5": "the catalog says 5",
            "UPDATE atlas.tables SET last_row = 1": "the catalog says 1",
            "UPDATE atlas.imports SET status = 'running' WHERE file_name = 'm1.csv'": "which is running",
            f"ALTER TABLE {schema}._table_{table} DROP COLUMN paid CASCADE": "no column 'paid'",
            "INSERT INTO atlas.idempotency_keys (user_id, key, fingerprint) SELECT id, 'k', 'x' FROM atlas.users"
            " LIMIT 1": "have no answer",
        }
        name = connection.info.dbname
    for statement, told in damage.items():
        found = problems_after(database_url, name, statement)
        assert any(told in one for one in found), (statement, found)
        assert len(found) <= 3, (statement, found)


def problems_after(url: str, name: str, statement: str) -> list[str]:
    """What is found in a copy of the database in which a statement has done harm."""
    copy = f"{name}_damaged"
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
        admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" STRATEGY WAL_LOG')  # type: ignore[call-overload]
        try:
            with psycopg.connect(url.replace(name, copy), autocommit=True) as connection:
                connection.execute(statement.encode())
            return problems(url.replace(name, copy))
        finally:
            admin.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')  # type: ignore[call-overload]


async def test_rows_without_a_year_are_named(client: Client, people: People, database_url: str) -> None:
    dataset = await make_dataset(client(people.owner), name="old")
    await insert(client(people.owner), dataset, 50)
    with psycopg.connect(database_url, autocommit=True) as connection:
        (schema,) = connection.execute("SELECT table_schema FROM atlas.datasets").fetchone()  # type: ignore[misc]
        connection.execute(
            f"UPDATE {schema}.dataset_{dataset} SET ts = '0001-12-31 23:00:00+00 BC' WHERE _seq IN (8, 9)".encode()
        )
    found = [one for one in consistency.check(database_url).findings if "outside" in one.problem]
    told = "2 rows have timestamps outside of the years 1 to 9999, such as 0001-12-31 23:00:00+00 BC"
    assert found == [Finding(f"dataset {dataset} (old)", told, (8, 9))]


async def test_a_database_of_another_version_is_refused(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO public._yoyo_migration SELECT 'later', '9999_later', now() AT TIME ZONE 'UTC'")
    with pytest.raises(NewerDatabaseError) as told:
        ConsistencyService(database_url).check()
    assert "9999_later" in str(told.value.details)
    with pytest.raises(NewerDatabaseError):
        database.migrate()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM public._yoyo_migration WHERE migration_id = '9999_later'")
    more = migration_versions.known_migrations() | {"9999_later"}
    monkeypatch.setattr(migration_versions, "known_migrations", lambda: more)
    with pytest.raises(BadRequestError, match="older Atlas"):
        ConsistencyService(database_url).check()
