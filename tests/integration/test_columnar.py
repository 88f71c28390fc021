"""Columnar reads: what their connections share, and what becomes of connections that the server ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import adbc_driver_postgresql
import psycopg
import pytest

from atlas.errors import UnavailableError
from atlas.store.columnar import ArrowReaders


def _pids(readers: ArrowReaders, count: int) -> set[int]:
    query = "SELECT pg_backend_pid() AS pid, pg_sleep(0.2)::text AS slept"
    with ThreadPoolExecutor(count) as threads:
        return {table.column("pid")[0].as_py() for table in threads.map(readers.read, [query] * count)}


def test_connections_share_what_is_known_of_the_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    connect = adbc_driver_postgresql.connect

    def counted(uri: str) -> object:
        made.append(uri)
        return connect(uri)

    monkeypatch.setattr(adbc_driver_postgresql, "connect", counted)
    readers = ArrowReaders(database_url, "-c timezone=Asia/Tokyo", size=4, wait=10)
    readers.warm_up()
    first = _pids(readers, 4)
    assert len(first) == 4
    assert len(made) == 1
    assert readers.read("SELECT current_setting('timezone') AS zone").column("zone")[0].as_py() == "Asia/Tokyo"
    # What a connection writes is committed: none is in a transaction that it was not told to begin.
    readers.read("CREATE TABLE written AS SELECT 1 AS n")
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute("SELECT n FROM written").fetchall() == [(1,)]
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (list(first),))
    second = _pids(readers, 4)
    assert len(second) == 4
    assert not first & second
    assert len(made) == 1
    readers.close()
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row == (0,)


def test_a_database_that_is_away_is_asked_again_later(database_url: str) -> None:
    away = ArrowReaders(database_url.rsplit("/", 1)[0] + "/nowhere", "-c timezone=UTC", size=1, wait=1)
    away.warm_up()
    with pytest.raises(UnavailableError):
        away.read("SELECT 1")
    away.close()
