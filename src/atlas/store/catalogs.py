"""The catalog that a caller's questions are about: tables of the organization, datasets that the caller may read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
import psycopg
import structlog
from psycopg.types.json import Jsonb

from atlas.core.access import Caller
from atlas.core.catalog import Catalog, CatalogColumn, CatalogTable, Join
from atlas.core.columns import from_catalog
from atlas.core.identifiers import table_identifier
from atlas.store.database import Connection, Database
from atlas.store.profiles import ColumnProfile, Profile, find_joins, profile, with_profile
from atlas.store.queries import queries
from atlas.store.tables import ReadableDataset, dataset_names, find_tables, readable_datasets

_TYPES = {"int": "bigint", "float": "double", "boolean": "boolean", "string": "text"}
# A profile of what has changed since is still used, and made again in the background, at most this often.
REFRESH_SECONDS = 60.0
_PROFILE_TIMEOUT = "8s"
# How long a question waits for relations that nobody has asked about before.
PATIENCE_SECONDS = 2.0
# Relations that are profiled at once, so that connections are left for requests.
_AT_ONCE = 2
# Relations beyond these many are known by their columns only.
MAX_PROFILED = 200
log = structlog.get_logger()


class Known(NamedTuple):
    """A profile, what its relation was like when it was made, and when that was, in seconds since 1970."""

    stamp: str
    made_at: float
    profile: Profile


_NOTHING = Known("", 0.0, {})


class CatalogStore:
    """Catalogs with what is known of their values, which is kept in the database and in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles: dict[str, Known] = {}
        self._joins: dict[tuple[str, ...], tuple[Join, ...]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._last: dict[int, tuple[object, Catalog]] = {}

    async def of(self, caller: Caller) -> Catalog:
        """The caller's catalog. Raises UnavailableError."""
        tables, stamps = await self._relations(caller)
        known = {}
        patience = time.monotonic() + PATIENCE_SECONDS
        for table in tables[:MAX_PROFILED]:
            known[table.name] = await self._profile(table, stamps[table.name], patience)
        joins = await self._find_joins(tables[:MAX_PROFILED], known)
        made = tuple(one.made_at for one in known.values())
        state = tuple(stamps.items()), made, joins, tuple((table.row_count, table.cold) for table in tables)
        kept = self._last.get(caller.user_id)
        if kept is not None and kept[0] == state:
            # The same object, so that what engines made of it is found again.
            return kept[1]
        catalog = Catalog(tuple(with_profile(t, known.get(t.name, _NOTHING).profile) for t in tables), joins)
        self._last[caller.user_id] = state, catalog
        return catalog

    async def named(self, caller: Caller, text: str) -> Catalog:
        """What of the caller's catalog SQL of this text can name, without profiles and joins.

        With thousands of datasets, their names are all that is looked at of the others. Raises UnavailableError.
        """
        tables, _ = await self._tables(caller)
        taken = {table.name for table in tables}
        upper, lower = text.upper(), text.lower()
        wanted = {}
        for dataset_id, plain in await dataset_names(self._database, caller):
            name = dataset_name(plain, dataset_id, taken)
            taken.add(name)
            if name.upper() in upper or name.lower() in lower:
                wanted[dataset_id] = name
        found = await readable_datasets(self._database, caller, list(wanted)) if wanted else []
        return Catalog((*tables, *(_dataset(readable, wanted[readable.id]) for readable in found)))

    async def close(self) -> None:
        """Stops what is profiled in the background."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _relations(self, caller: Caller) -> tuple[list[CatalogTable], dict[str, str]]:
        """Tables and datasets without profiles, and what each is like now."""
        found, stamps = await self._tables(caller)
        taken = {table.name for table in found}
        for readable in await readable_datasets(self._database, caller):
            dataset = _dataset(readable, dataset_name(readable.name, readable.id, taken))
            taken.add(dataset.name)
            found.append(dataset)
            stamps[dataset.name] = f"{readable.version} {len(dataset.columns)}"
        return found, stamps

    async def _tables(self, caller: Caller) -> tuple[list[CatalogTable], dict[str, str]]:
        found: list[CatalogTable] = []
        stamps: dict[str, str] = {}
        for table in await find_tables(self._database, caller):
            columns = tuple(CatalogColumn(column.name, column.type) for column in table.columns)
            found.append(
                CatalogTable(
                    table.name, table.schema, f"_view_{table.id}", columns, row_count=table.row_count,
                    key=table.key if len(table.key) == 1 else (), row_times=table.row_times,
                )
            )  # fmt: skip
            stamps[table.name] = f"{table.changed} {len(columns)}"
        return found, stamps

    async def _profile(self, table: CatalogTable, stamp: str, patience: float) -> Known:
        """What is known of a relation; what is not is found out now, or past `patience` in the background."""
        relation = f"{table.schema}.{table.relation}"
        kept = self._profiles.get(relation)
        if kept is None:
            row = await self._database.fetch(queries("catalogs")["find_profile"], relation=relation)
            if row:
                kept = Known(row[0][0], row[0][2], msgspec.convert(row[0][1], Profile))
                self._profiles[relation] = kept
        if kept is None or set(kept.profile) != {column.name for column in table.columns}:
            if time.monotonic() > patience:
                self._refresh_later(table, relation, stamp)
                return _NOTHING if kept is None else kept
            await self._refresh(table, relation, stamp)
            return self._profiles[relation]
        if kept.stamp != stamp and time.time() - kept.made_at > REFRESH_SECONDS:
            self._refresh_later(table, relation, stamp)
        return kept

    def _refresh_later(self, table: CatalogTable, relation: str, stamp: str) -> None:
        if relation not in self._tasks:
            task = asyncio.create_task(self._refresh(table, relation, stamp))
            self._tasks[relation] = task
            task.add_done_callback(lambda _: self._tasks.pop(relation, None))

    async def _refresh(self, table: CatalogTable, relation: str, stamp: str) -> None:
        """Profiles a relation; one that takes too long is known by its columns only."""
        async with self._turns, self._database.connection() as connection:
            try:
                async with connection.transaction():
                    await _unhurried(connection)
                    found = await profile(connection, table)
            except psycopg.Error as error:
                log.warning("relation not profiled", relation=relation, error=type(error).__name__)
                found = {column.name: ColumnProfile() for column in table.columns}
            parameters = {"relation": relation, "stamp": stamp, "profile": Jsonb(msgspec.to_builtins(found))}
            await connection.execute(queries("catalogs")["store_profile"], parameters)
        self._profiles[relation] = Known(stamp, time.time(), found)

    async def _find_joins(self, tables: Sequence[CatalogTable], known: dict[str, Known]) -> tuple[Join, ...]:
        """Joins of these relations, looked for when a profile is new."""
        state = tuple(f"{t.schema}.{t.relation} {known[t.name].made_at}" for t in tables)
        if state not in self._joins:
            if len(self._joins) > 200:
                self._joins.clear()
            try:
                async with self._database.transaction() as connection:
                    await _unhurried(connection)
                    profiles = {name: one.profile for name, one in known.items()}
                    self._joins[state] = tuple(await find_joins(connection, tables, profiles))
            except psycopg.Error as error:
                log.warning("joins not found", error=type(error).__name__)
                return ()
        return self._joins[state]


async def _unhurried(connection: Connection) -> None:
    """Lets a transaction read whole relations, but not for long."""
    await connection.execute(f"SET LOCAL statement_timeout = '{_PROFILE_TIMEOUT}'".encode())
    await connection.execute("SET LOCAL enable_seqscan = on")


# The names of all readable datasets are looked at for each SQL.
_identifier = lru_cache(maxsize=20_000)(table_identifier)


def dataset_name(name: str, dataset_id: int, taken: set[str]) -> str:
    """The name that a dataset has as a table: its own, with the id where that is taken."""
    plain = _identifier(name)
    return f"{plain}_{dataset_id}" if plain in taken else plain


def _dataset(readable: ReadableDataset, name: str) -> CatalogTable:
    """A dataset as a table of this name: its time and its typed columns."""
    columns = [CatalogColumn("ts", "timestamp")]
    for column in readable.columns:
        if column["physical"] is not None and column["dtype"] in _TYPES:
            columns.append(CatalogColumn(from_catalog(column["name"]), _TYPES[column["dtype"]], column["physical"]))
    return CatalogTable(
        name, readable.schema, f"dataset_{readable.id}", tuple(columns), "dataset", readable.row_count,
        dataset_id=readable.id, cold=readable.cold,
    )  # fmt: skip
