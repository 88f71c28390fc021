"""Counts requests by key: in memory, added to the database in the background."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import astuple, dataclass, replace
from datetime import date

from atlas.accounts import usage_repository as usage
from atlas.accounts.access import Caller
from atlas.contract.accounts import DayUsage, KeyUsage, Storage, Usage
from atlas.db.database import Database
from atlas.kit.write_behind import WriteBehind

FLUSH_SECONDS = 5.0
_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(slots=True)
class Tally:
    """The traffic of a request, or of a key on one day."""

    requests: int = 0
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    rows_written: int = 0

    def add(self, other: Tally) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.rows_written += other.rows_written


_current: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextlib.contextmanager
def counting() -> Iterator[Tally]:
    """Opens the tally of one request, to which `wrote` adds rows."""
    tally = Tally(requests=1)
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)


def wrote(rows: int) -> None:
    """Counts rows that the current request has stored or changed. Outside of a request the call has no effect."""
    tally = _current.get()
    if tally is not None:
        tally.rows_written += rows


class UsageService:
    """Counts and reports usage.

    Counts of several processes on a database add up; a killed process loses its last seconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tallies = WriteBehind[tuple[int, int], Tally]("usage", FLUSH_SECONDS, self._store)

    def count(self, key_id: int, tally: Tally) -> None:
        """Counts a request."""
        self.tallies.add((key_id, int(time.time()) // _DAY_SECONDS), replace(tally))

    async def _store(self, tallies: Mapping[tuple[int, int], Tally]) -> None:
        counted: list[usage.Counted] = []
        for (key_id, day), tally in tallies.items():
            requests, errors, bytes_in, bytes_out, rows = astuple(tally)
            at = date.fromordinal(_EPOCH + day)
            counted.append((key_id, at, requests, errors, bytes_in, bytes_out, rows))
        await usage.add(self._database, counted)

    async def report(self, caller: Caller, days: int) -> Usage:
        """Returns the usage of the caller's keys in the last days, today included, and what is stored."""
        await self.tallies.flush()
        by_day, by_key, stored = await usage.report(self._database, caller, days)
        return Usage(
            tuple(DayUsage(**row) for row in by_day), tuple(KeyUsage(**row) for row in by_key), Storage(**stored)
        )
