"""Columnar reads: what their connections share, and what becomes of connections that the server ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql
import psycopg
import pytest
from adbc_driver_manager import dbapi

from atlas.db.arrow_pool import ArrowReaders
from atlas.errors import OverloadedError, UnavailableError


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
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database_url, autocommit=True) as connection:
        # A server's process ends a moment after its connection.
        until = time.monotonic() + 10
        while connection.execute(others).fetchone() != (0,) and time.monotonic() < until:
            time.sleep(0.05)
        assert connection.execute(others).fetchone() == (0,)


def test_connections_are_opened_and_closed_one_at_a_time(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver counts them without a lock."""
    busy, most = [0], [0]

    def alone(work: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
            time.sleep(0.002)
            try:
                return work(*arguments, **named)
            finally:
                busy[0] -= 1

        return watched

    monkeypatch.setattr(adbc_driver_manager, "AdbcConnection", alone(adbc_driver_manager.AdbcConnection))
    monkeypatch.setattr(dbapi.Connection, "close", alone(dbapi.Connection.close))
    readers = ArrowReaders(database_url, "-c timezone=UTC", size=6, wait=10)

    def change() -> None:
        for _ in range(5):
            # Who fails has the connection closed.
            with pytest.raises(ZeroDivisionError), readers._connection():
                raise ZeroDivisionError

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(change) for _ in range(6)]:
            done.result()
    readers.close()
    assert most == [1]


def test_a_database_that_is_away_is_asked_again_later(database_url: str) -> None:
    away = ArrowReaders(database_url.rsplit("/", 1)[0] + "/nowhere", "-c timezone=UTC", size=1, wait=1)
    away.warm_up()
    with pytest.raises(UnavailableError):
        away.read("SELECT 1")
    away.close()


def test_more_threads_than_connections_wait_and_reuse_them(database_url: str) -> None:
    readers = ArrowReaders(database_url, "-c timezone=UTC", size=2, wait=10)
    query = "SELECT pg_backend_pid() AS pid, pg_sleep(0.02)::text AS slept"
    with ThreadPoolExecutor(8) as threads:
        pids = {table.column("pid")[0].as_py() for table in threads.map(readers.read, [query] * 20)}
    assert len(pids) == 2
    # A statement that fails costs its connection, and no room.
    for _ in range(3):
        with pytest.raises(dbapi.Error):
            readers.read("SELECT 1 / 0 AS n")
    assert len(_pids(readers, 2)) == 2
    readers.close()


def test_waiting_for_a_connection_ends(database_url: str) -> None:
    readers = ArrowReaders(database_url, "-c timezone=UTC", size=1, wait=0.05)
    with readers._connection(), pytest.raises(OverloadedError):
        readers.read("SELECT 1 AS n")
    assert readers.read("SELECT 1 AS n").num_rows == 1
    readers.close()
