"""The database's wall, with the parser's switched off: hostile SQL goes straight to a user's reader role."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.api.test_imports import send
from tests.conftest import Client, People, caller_of, make_dataset
from tests.hostile_database import HOSTILE

from atlas.accounts.access import Caller
from atlas.db.database import Database
from atlas.db.hardening import harden
from atlas.errors import BadRequestError, NotFoundError, UnavailableError
from atlas.settings import Settings
from atlas.sqlgate.sandbox import QueryLimits, QueryRunner

pytestmark = pytest.mark.anyio
SECRET = "a secret for tests"
LEADS = b"name,email_address,age\nAnn,ann@x.com,30\nBob,bob@x.com,41\nCid,cid@x.com,52\n"


@dataclass
class World:
    """Two organizations with a table each, and datasets of the owner: 1 with the tag public, 2 without."""

    url: str
    database: Database
    runner: QueryRunner
    owner: Caller
    holder: Caller
    stranger: Caller
    schema: str
    other: str

    def physical(self, sql: str) -> str:
        names = {
            "OWN": f'"{self.schema}"."_view_1"',
            "OTHER": f'"{self.other}"."_view_2"',
            "COLLEAGUE": f'"{self.schema}"."dataset_2"',
        }
        for word, name in names.items():
            sql = sql.replace(word, name)
        return sql


@pytest.fixture
async def world(client: Client, people: People, settings: Settings, anyio_backend: str) -> AsyncIterator[World]:
    owner, stranger = client(people.owner), client(people.stranger)
    for key in (owner, stranger):
        await send(key, "Import into leads", LEADS)
    for name, tags in (("shared", ["public"]), ("private", [])):
        dataset = await make_dataset(owner, name=name)
        for tag in tags:
            await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": tag})
        rows = [{"timestamp": "2024-01-01T00:00:00Z", "values": {"value": 1}}]
        response = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        assert response.status_code == 200, response.text
    await client(people.holder).post("/api/tags/acquire/", json={"tag_name": "public"})
    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=4, statement_timeout=60)
    await database.open()
    callers = [await caller_of(database, key) for key in (people.owner, people.holder, people.stranger)]
    runner = QueryRunner(database, lambda: SECRET, QueryLimits(seconds=2.0))
    yield World(
        settings.database_url,
        database,
        runner,
        *callers,
        callers[0].schema_name,
        callers[2].schema_name,
    )
    await database.close()


async def test_hostile(world: World) -> None:
    """Nothing of the corpus gets a row that is not the caller's, waits past the timeout, or changes anything."""
    await world.runner.run(world.holder, world.physical("SELECT * FROM OWN"))
    with psycopg.connect(world.url, autocommit=True) as admin:
        admin.execute("LISTEN atlas_test")
        before = _state(admin, world)
        passed, told = [], []
        for sql in HOSTILE:
            started = time.perf_counter()
            try:
                result = await world.runner.run(world.holder, world.physical(sql))
                passed.append((sql, result.rows))
            except (BadRequestError, UnavailableError) as error:
                told.append(f"{error.message}{error.details}")
            assert time.perf_counter() - started < 9, sql
        # What ran into its time is ended behind the answer, and holds its slot until then.
        end = time.monotonic() + 10
        while _state(admin, world) != before and time.monotonic() < end:
            await asyncio.sleep(0.1)
        assert _state(admin, world) == before
        assert not list(admin.notifies(timeout=0.1))
    assert not [text for text in told if "org_" in text]
    host = Path("/etc/hostname")
    secret = host.read_text().strip() if host.exists() else "no such file"
    assert secret not in str([rows for _, rows in passed])
    # What is left reads constants or the caller's own rows, and leaves nothing behind.
    assert {sql for sql, _ in passed} <= HARMLESS, [sql for sql, _ in passed if sql not in HARMLESS]


# Syntax that only the parser's wall refuses. To PostgreSQL the last two are constants; the first turn a name that the
# caller has written, or a number, into a name. All of Atlas's are made of numbers, so that they tell nothing.
HARMLESS = {
    "SELECT 'pg_authid'::regclass",
    "SELECT '1260'::regclass",
    "SELECT 'postgres'::regrole",
    "SELECT 'pg_sleep'::regproc",
    "SELECT CAST('atlas' AS regnamespace)",
    "SELECT 1 -- ; DROP TABLE OWN",
    "SELECT E'\\'; DROP TABLE OWN; --'",
    # Grammar of PostgreSQL's own, where it is built with libxml; it reads no external entity.
    "SELECT xmlparse(DOCUMENT '<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><x>&e;</x>')",
    "SELECT * FROM xmltable('/x' TRANSIENT '<x/>' COLUMNS a text)",
}


def _state(admin: psycopg.Connection, world: World) -> object:
    rows = admin.execute(world.physical("SELECT * FROM OWN ORDER BY 1")).fetchall()
    objects = admin.execute("SELECT count(*) FROM pg_class").fetchone()
    roles = admin.execute("SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1").fetchall()
    large = admin.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    # Of this database alone: others may be in use on the same server.
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    locks = admin.execute(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {here}").fetchone()
    sessions = admin.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE usename LIKE '%\\_u%' AND datid = {here}"
    ).fetchone()
    return rows, objects, roles, large, locks, sessions


ANALYTICS = (
    "SELECT * FROM OWN",
    "SELECT count(*), count(DISTINCT name), min(age), max(age), sum(age), avg(age), stddev(age) FROM OWN",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY age), mode() WITHIN GROUP (ORDER BY name) FROM OWN",
    "SELECT string_agg(name, ', ' ORDER BY name), bool_and(age > 1) FROM OWN",
    "SELECT name, row_number() OVER (ORDER BY age DESC), lag(age) OVER (ORDER BY age), sum(age) OVER () FROM OWN",
    "SELECT lower(name), upper(name), trim(name), length(name), substring(name from 1 for 2), left(name, 1), "
    "position('a' in name), replace(name, 'a', 'b'), split_part(email_address, '@', 2), name || '-' || age, "
    "concat(name, age), initcap(name) FROM OWN",
    "SELECT round(age::numeric / 3, 2), abs(-age), ceil(age / 2.0), floor(1.5), sqrt(age), power(age, 2), ln(age), "
    "age::float / nullif(age, 0), mod(age, 2), age % 2, greatest(age, 1), least(age, 1), coalesce(age, 0) FROM OWN",
    "SELECT date_trunc('month', now()), extract(year FROM now()), now() - interval '3 days', current_date - 7, "
    "to_char(now(), 'YYYY-MM'), age(now()), now()::date, '2024-01-01'::timestamptz AT TIME ZONE 'UTC', "
    "make_date(2020, 1, 1), DATE '2020-01-01' + 1, '5'::int, '1.5'::float, 'true'::boolean",
    "SELECT CASE WHEN age > 30 THEN 'old' ELSE 'young' END AS class, count(*) FILTER (WHERE age IS NOT NULL) FROM OWN "
    "GROUP BY 1 HAVING count(*) > 0 ORDER BY 2 DESC LIMIT 5",
    "SELECT * FROM OWN WHERE name ILIKE '%a%' AND age BETWEEN 1 AND 99 AND age IN (30, 41) AND name NOT LIKE 'z%'",
    "WITH a AS (SELECT name FROM OWN) SELECT a.name FROM a JOIN OWN AS o ON o.name = a.name "
    "WHERE EXISTS (SELECT 1 FROM a)",
    "SELECT name FROM OWN UNION SELECT 'x' EXCEPT SELECT 'y'",
    "SELECT age IS DISTINCT FROM 3, name IS NULL, true AND NOT false FROM OWN",
    "SELECT name FROM OWN WHERE name NOT LIKE '!%%' ESCAPE '!' AND age NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
)


async def test_analytics(world: World) -> None:
    """Everything that questions are compiled to runs."""
    for sql in ANALYTICS:
        assert (await world.runner.run(world.holder, world.physical(sql))).rows, sql


async def test_who_may_read(world: World) -> None:
    own, shared, private = world.physical("SELECT * FROM OWN"), "dataset_1", "dataset_2"
    assert len((await world.runner.run(world.owner, own)).rows) == 3
    assert len((await world.runner.run(world.holder, own)).rows) == 3
    with pytest.raises(BadRequestError):
        await world.runner.run(world.stranger, own)
    for name, number, may in ((shared, 1, ("owner", "holder")), (private, 2, ("owner",))):
        sql = f'SELECT value FROM "{world.schema}".{name}'
        for who in ("owner", "holder", "stranger"):
            caller = getattr(world, who)
            if who in may:
                assert (await world.runner.run(caller, sql, [number])).rows == [(1,)]
                # Granted for one question, it may be read by the next.
                assert (await world.runner.run(caller, sql, [number])).rows == [(1,)]
            else:
                with pytest.raises(NotFoundError):
                    await world.runner.run(caller, sql, [number])
                with pytest.raises(BadRequestError):
                    await world.runner.run(caller, sql)


async def test_a_lost_tag_counts_at_once(world: World, client: Client, people: People) -> None:
    sql = f'SELECT value FROM "{world.schema}".dataset_1'
    assert (await world.runner.run(world.holder, sql, [1])).rows == [(1,)]
    async with world.database.connection() as connection:
        await connection.execute("DELETE FROM atlas.user_tags WHERE user_id = %s", (world.holder.user_id,))
    with pytest.raises(NotFoundError):
        await world.runner.run(world.holder, sql, [1])
    # Without being asked for, too: whatever runs next takes the right away.
    await world.runner.run(world.holder, "SELECT 1")
    with pytest.raises(BadRequestError, match="failed"):
        await world.runner.run(world.holder, sql)
    # A dataset of another organization, shared by a tag.
    await client(people.stranger).post("/api/tags/acquire/", json={"tag_name": "public"})
    assert (await world.runner.run(world.stranger, sql, [1])).rows == [(1,)]


async def test_limits(world: World) -> None:
    result = await world.runner.run(world.owner, world.physical("SELECT name FROM OWN"), max_rows=2)
    assert len(result.rows) == 2
    assert result.truncated
    assert not (await world.runner.run(world.owner, world.physical("SELECT name FROM OWN"), max_rows=3)).truncated
    small = QueryRunner(world.database, lambda: SECRET, QueryLimits(rows=10))
    assert (await small.run(world.owner, world.physical("SELECT * FROM OWN"))).truncated
    cross = ", ".join(f"OWN AS t{n}" for n in range(18))
    with pytest.raises(UnavailableError, match="too long"):
        await world.runner.run(world.owner, world.physical(f"SELECT count(*) FROM {cross}"))


async def test_reasons(world: World) -> None:
    """PostgreSQL's reason is told, without names that are not the caller's."""
    assert await world.runner.explain(world.owner, world.physical("SELECT name FROM OWN")) is None
    assert "nope" in (await world.runner.explain(world.owner, world.physical("SELECT nope FROM OWN")) or "")
    with pytest.raises(BadRequestError) as error:
        await world.runner.run(world.owner, world.physical("SELECT 1 / (age - age) FROM OWN"))
    assert error.value.details == "division by zero"
    assert await world.runner.explain(world.owner, world.physical("DELETE FROM OWN")) is not None


async def test_many_at_once_and_a_new_secret(world: World) -> None:
    """Roles are made once, whoever comes first; another secret sets their passwords anew."""
    sql = world.physical("SELECT count(*) FROM OWN")
    one, two = (QueryRunner(world.database, lambda: SECRET) for _ in range(2))
    results = await asyncio.gather(*(runner.run(world.holder, sql) for runner in (one, two, one, two, one, two)))
    assert {result.rows[0] for result in results} == {(3,)}
    changed = QueryRunner(world.database, lambda: "another secret")
    assert (await changed.run(world.holder, sql)).rows == [(3,)]
    assert (await one.run(world.holder, sql)).rows == [(3,)]


async def test_the_role_itself(world: World) -> None:
    await world.runner.run(world.owner, "SELECT 1")
    async with world.database.connection() as connection:
        query = (
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolbypassrls FROM pg_roles WHERE rolname = %s"
        )
        row = await (await connection.execute(query, (f"{world.schema}_u{world.owner.user_id}",))).fetchone()
        assert row == (False, False, False, True, False)
        stored = await (
            await connection.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin AND rolname LIKE 'org%'")
        ).fetchall()
        assert all(password.startswith("SCRAM-SHA-256$") for (password,) in stored)


async def test_schemas_of_extensions(world: World) -> None:
    """Whatever an extension lets everybody read is taken at the next start."""
    await world.runner.run(world.owner, "SELECT 1")
    role = f"{world.schema}_u{world.owner.user_id}"
    with psycopg.connect(world.url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA extended; GRANT USAGE ON SCHEMA extended TO PUBLIC")
        admin.execute(
            "CREATE VIEW extended.tables AS SELECT relname FROM pg_class; GRANT SELECT ON extended.tables TO PUBLIC"
        )
        assert harden(admin)
        readable = admin.execute(
            "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class "
            "WHERE relkind <> 'i' AND has_table_privilege(%s, oid, 'SELECT')",
            (role,),
        )
        assert {name for (name,) in readable} <= {world.schema}
    with pytest.raises(BadRequestError):
        await world.runner.run(world.owner, "SELECT relname FROM extended.tables")
