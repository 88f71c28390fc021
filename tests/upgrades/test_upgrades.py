"""A database that an older Atlas filled is migrated, answers what that Atlas answered, and goes on being used.

The processes that migrate are killed in the midst of three migrations before.

Each fixture is named after the commit that made it (`make_fixture.py`). Answers may have members that the older ones
did not; a value that changed on purpose is in `CHANGED`, with the reason.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from tests.conftest import Client, serve, with_database
from tests.upgrades.make_fixture import SECRET

from atlas.consistency.service import ConsistencyService
from atlas.db.database import Database
from atlas.db.migration_versions import applied_migrations
from atlas.settings import Settings

FOLDER = Path(__file__).parent
FIXTURES = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.sql.gz"))
CHANGED = {
    r"\.last_used_at: ": "asking again uses the key",
    r"/summary/ \.bytes": "the size on disk, which a dump does not keep",
    r"/import-history.*\.started_at: None": "imports that did not wait had no start; migration 0014 gives them one",
}
# Of CSV downloads, which have one precision of times a file since.
DIGITS_OF_A_SECOND = re.compile(r"(:\d\d)(?:\.(\d*?)0*)?Z")


@dataclass(frozen=True)
class Upgraded:
    """A migrated database behind an application, and what the older Atlas said."""

    client: Client
    url: str
    told: dict[str, Any]

    @property
    def admin(self) -> httpx.AsyncClient:
        return self.client(self.told["keys"]["admin"])


def read(commit: str, kind: str) -> str:
    return gzip.decompress((FOLDER / f"{commit}.{kind}.gz").read_bytes()).decode()


def _kill_amid_migration(url: str, table: str) -> None:
    """Kills a process that migrates, in the midst of the first migration that changes a table of the catalog.

    The migration waits for a lock meanwhile. What it has done before must be gone.
    """
    program = "import sys; from atlas.db.database import Database\n"
    program += "Database(sys.argv[1], pool_size=2, statement_timeout=60).migrate()"
    waits = "SELECT pid FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
        before = applied_migrations(other)
        holder.execute(sql.SQL("LOCK TABLE atlas.{} IN ACCESS SHARE MODE").format(sql.Identifier(table)))
        process = subprocess.Popen([sys.executable, "-c", program, url])
        end = time.monotonic() + 120
        try:
            while not (stuck := other.execute(waits, (f"atlas.{table}",)).fetchall()):
                assert process.poll() is None, "the migration ended"
                assert time.monotonic() < end
                time.sleep(0.02)
            under_way = applied_migrations(other)
        finally:
            process.kill()
            process.wait()
        holder.rollback()
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        while other.execute(gone, ([pid for (pid,) in stuck],)).fetchone() != (0,):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert applied_migrations(other) == under_way, "the migration that was killed counts as none"
        assert before <= under_way


@pytest.fixture(params=FIXTURES, scope="module")
async def upgraded(request: pytest.FixtureRequest, postgres_url: str, anyio_backend: str) -> AsyncIterator[Upgraded]:
    commit = request.param
    name = f"atlas_upgrade_{commit}"
    url = with_database(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(read(commit, "sql").encode())
        for table in ("imports", "tables", "import_issues"):
            _kill_amid_migration(url, table)
        Database(url, pool_size=2, statement_timeout=60).migrate()
        # Keys of idempotent requests count however old the fixture is.
        settings = Settings(
            database_url=url, log_level="error", jobs=0, secret_key=SecretStr(SECRET), idempotency_hours=24 * 365 * 100
        )
        async with serve(settings) as client:
            yield Upgraded(client, url, json.loads(read(commit, "json")))
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def differences(old: Any, new: Any, path: str) -> list[str]:
    """Where `new` lacks or contradicts `old`; members that came since are no difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{path}.{name} is gone" for name in sorted(old.keys() - new.keys())]
        shared = sorted(old.keys() & new.keys())
        return gone + [one for name in shared for one in differences(old[name], new[name], f"{path}.{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [one for n, (first, second) in pairs for one in differences(first, second, f"{path}[{n}]")]
    if isinstance(old, str) and isinstance(new, str) and "output=csv" in path:
        old, new = (DIGITS_OF_A_SECOND.sub(r"\1.\2Z", text) for text in (old, new))
    same = old == new and isinstance(old, bool) == isinstance(new, bool)
    return [] if same else [f"{path}: {old!r} became {new!r}"]


# The tests of one database, in their order: first what only reads.


async def test_everything_reads_as_it_did(upgraded: Upgraded) -> None:
    wrong = []
    for path, old in upgraded.told["answers"].items():
        answer = await upgraded.admin.get(path)
        assert answer.is_success, f"{path}: {answer.text}"
        new = answer.text if isinstance(old, str) else answer.json()
        wrong += differences(old, new, f"{path} ")
    unknown = [one for one in wrong if not any(re.search(pattern, one) for pattern in CHANGED)]
    assert not unknown, "\n".join(unknown)
    assert len(upgraded.told["answers"]) > 50


async def test_queries_of_users_give_the_same_rows(upgraded: Upgraded) -> None:
    for query, old in upgraded.told["queries"].items():
        answer = await upgraded.admin.post("/api/v1/sql", json={"sql": query})
        assert answer.json()["data_csv"] == old, query


async def test_keys_open_what_they_opened(upgraded: Upgraded) -> None:
    keys = upgraded.told["keys"]
    for key, own, packed in (("dated", 200, 200), ("other", 403, 403), ("revoked", 401, 401)):
        client = upgraded.client(keys[key])
        assert (await client.get("/api/rows/?dataset=2")).status_code == own, key
        assert (await client.get("/api/rows/?dataset=1")).status_code == packed, key
    other = upgraded.client(keys["other"])
    assert (await other.post("/api/tags/acquire/", json={"tag_name": "public"})).is_success
    assert (await other.get("/api/rows/?dataset=1")).json()["count"] == 380
    assert (await other.post("/api/tags/acquire/", json={"tag_name": "premium", "secret": "wrong"})).status_code == 403
    held = await other.post("/api/tags/acquire/", json={"tag_name": "premium", "secret": "open sesame"})
    assert held.is_success, held.text


async def test_every_row_agrees_with_the_catalog(upgraded: Upgraded) -> None:
    report = await asyncio.to_thread(ConsistencyService(upgraded.url).check)
    assert list(report.findings) == []
    assert (report.datasets, report.tables) == (3, 2)


async def test_rows_arrive_in_packed_datasets_and_retries_are_known(upgraded: Upgraded) -> None:
    rows = [{"timestamp": f"2026-01-0{n}T00:00:00Z", "values": {"open": 1.125, "fresh": "x"}} for n in (1, 9)]
    inserted = await upgraded.admin.post("/api/rows/bulk_insert/", json={"dataset": 1, "rows": rows})
    assert inserted.json() == {"inserted": 2, "total": 2}
    page = (await upgraded.admin.get("/api/rows/?dataset=1&limit=1")).json()
    assert (page["count"], page["results"][0]["values"]["fresh"]) == (382, "x")
    again = await upgraded.admin.post(
        "/api/rows/", json={"dataset": 2, **rows[0]}, headers={"Idempotency-Key": "odd-1"}
    )
    assert again.status_code == 400
    assert again.json()["error"] == "Idempotency-Key reused"


async def test_open_issues_are_decided_and_imports_undone(upgraded: Upgraded) -> None:
    first, second, *_ = (f"/api/v1/import/{one}" for one in upgraded.told["imports"])
    issues = (await upgraded.admin.get(f"{first}/issues")).json()
    failure, replacement = issues["validation_failures"][0], issues["value_replacements"][0]
    decisions = {
        "validation_failures": [
            {
                "failure_id": failure["failure_id"],
                "action": "insert_corrected",
                "corrected_data": {"email": "bob@x.com"},
            }
        ],
        "value_replacements": [
            {"replacement_id": replacement["replacement_id"], "action": "set_custom", "custom_value": "12,50"}
        ],
    }
    decided = await upgraded.admin.post(f"{first}/issues/correct", json=decisions)
    assert decided.is_success, decided.text
    skipped = await upgraded.admin.post(
        f"{second}/issues/correct", json={"duplicates": [{"record_number": 3, "action": "skip"}]}
    )
    assert skipped.is_success, skipped.text
    rows = (await upgraded.admin.get("/api/v1/tables/members/rows")).json()["rows"]
    assert {row["name"]: row["paid"] for row in rows} == {"Ann S.": 1250.5, "Bob": 20, "Cy": 12.5, "Di": 3}
    undone = await upgraded.admin.post(f"/api/v1/import/{decided.json()['correction_id']}/undo")
    assert undone.is_success, undone.text
    assert (await upgraded.admin.get(f"{first}/issues")).json()["summary"]["has_issues"]


async def test_questions_are_answered_and_verified_ones_used(upgraded: Upgraded) -> None:
    asked = (await upgraded.admin.post("/api/v1/query", json={"prompt": "What is our revenue?"})).json()
    assert (asked["engine"], asked["data_csv"].split()) == ("verified", ["revenue", "100012.49"])
    big = (await upgraded.admin.post("/api/v1/query", json={"prompt": "How many big orders are there?"})).json()
    assert big["success"], big


async def test_old_imports_are_done_again(upgraded: Upgraded) -> None:
    undone = upgraded.told["imports"][3]
    done = await upgraded.admin.post(f"/api/v1/import/{undone}/redo", json={"auto_execute": True})
    assert done.is_success, done.text
    rows = (await upgraded.admin.get("/api/v1/tables/orders/rows")).json()["rows"]
    assert sorted(row["order_no"] for row in rows) == ["0017", "0019", "1017", "1018", "1019"]
