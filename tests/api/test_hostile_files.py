"""Files that ended the server, and clients that leave, by a real server: it goes on, and nothing stays behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from psycopg import sql
from tests import bombs
from tests.conftest import People
from tests.contract import serving

from atlas.settings import Settings


def wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def send(url: str, key: str, data: bytes, name: str, path: str = "smart-import", timeout: float = 60) -> httpx.Response:
    form = {"instruction": "Import into people, name is the key"}
    return httpx.post(
        f"{url}/api/v1/{path}", data=form, files={"file": (name, data)}, headers={"X-API-Key": key}, timeout=timeout
    )


def test_the_server_goes_on(settings: Settings, people: People) -> None:
    before = psutil.Process().memory_info().rss
    with serving(settings) as url:
        for path in ("smart-import", "smart-import/preview"):
            for data in (bombs.far_cells("A1", "XFD1048576"), bombs.shared_text(32_000, 40_000)):
                answer = send(url, people.owner, data, "x.xlsx", path)
                assert (answer.status_code, "limit" in answer.json()["detail"]) == (413, True), answer.text
            answer = send(url, people.owner, bombs.repeated_cells(1_048_576, 16_384), "x.ods", path)
            assert answer.status_code == 400, answer.text
            assert httpx.get(f"{url}/health").status_code == 200
        assert send(url, people.owner, b"name,age\nAnn,30\n", "x.csv").status_code == 200
    assert psutil.Process().memory_info().rss - before < 400 * 2**20


def test_an_import_ends_with_its_client(settings: Settings, people: People, database_url: str) -> None:
    with (
        serving(settings) as url,
        psycopg.connect(database_url, autocommit=True) as watch,
        psycopg.connect(database_url) as lock,
    ):
        # What an import into a new table writes to.
        lock.execute("LOCK TABLE atlas.tables IN SHARE MODE")
        with contextlib.suppress(httpx.TimeoutException):
            send(url, people.owner, b"name,age\nAnn,30\n", "x.csv", timeout=5)
            pytest.fail("it waits for the lock")

        def ended() -> bool:
            row = watch.execute("SELECT status, error FROM atlas.imports").fetchone()
            return row == ("failed", "cancelled: the client went away, or the server stopped")

        wait(ended)
        lock.rollback()
        answer = httpx.get(f"{url}/api/v1/tables", headers={"X-API-Key": people.owner})
        assert answer.json()["tables"] == []


def test_updates_and_a_redo_end_with_their_client(settings: Settings, people: People, database_url: str) -> None:
    headers = {"X-API-Key": people.owner}
    rows = b"name,age\nAnn,30\nBob,40\n"
    with serving(settings) as url, psycopg.connect(database_url, autocommit=True) as watch:
        done = send(url, people.owner, rows, "x.csv").json()
        found = watch.execute(
            "SELECT o.schema_name, t.id FROM atlas.tables t JOIN atlas.organizations o ON o.id = t.organization_id"
        ).fetchone()
        assert found is not None
        stored = sql.Identifier(found[0], f"_table_{found[1]}")

        def ask(query: sql.Composable) -> list[Any]:
            return [value for (value,) in watch.execute(query)]

        everything = sql.SQL("SELECT jsonb_agg(to_jsonb(t)) FROM {} t").format(stored)
        statuses = sql.SQL("SELECT status FROM atlas.imports")
        before = ask(everything)
        condition = {"mode": "condition", "condition": "age > 0", "updates": {"age": 1}, "confirm_all": True}
        batch = {"mode": "batch", "batch_updates": [{"keys": {"name": "Ann"}, "values": {"age": 2}}]}
        update = f"{url}/api/v1/tables/people/update"
        requests: list[tuple[str, dict[str, Any]]] = [
            (update, {"json": condition}),
            (update, {"json": batch}),
            (f"{update}/file", {"data": {"key_columns": "name"}, "files": {"file": ("u.csv", b"name,age\nBob,3\n")}}),
            (f"{url}/api/v1/import/{done['import_id']}/redo", {"json": {"auto_execute": True}}),
        ]
        waiting = sql.SQL(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE NOT l.granted AND d.datname = current_database()"
        )
        for path, body in requests:
            with psycopg.connect(database_url) as lock:
                lock.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(stored))
                with contextlib.suppress(httpx.TimeoutException):
                    # The wait for an answer begins when the body has been sent.
                    answer = httpx.post(path, headers=headers, timeout=httpx.Timeout(30, read=1.5), **body)
                    pytest.fail(f"{path} waits for the lock: {answer.text}")
                # The work ends before the lock does.
                wait(lambda: ask(waiting) == [0])
            wait(lambda: "running" not in ask(statuses))
            assert ask(statuses).count("success") == 1, path
            assert ask(everything) == before, path
        assert httpx.post(update, headers=headers, json=condition, timeout=60).json()["rows_updated"] == 2
