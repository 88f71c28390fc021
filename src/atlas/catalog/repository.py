"""The catalog for a caller's questions: the organization's tables, and datasets that the caller may read."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
import psycopg
import structlog
from psycopg.types.json import Jsonb

from atlas.accounts.access import Caller
from atlas.catalog.mentions import find_mentioned
from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable, Join
from atlas.catalog.profiles import ColumnProfile, Profile, find_joins, profile, with_profile
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.kit.identifiers import table_identifier
from atlas.kit.tasks import start_detached
from atlas.tables.repository import (
    DatasetName,
    ReadableDataset,
    dataset_names,
    find_tables,
    named_datasets,
    readable_datasets,
)
from atlas.timeseries.cold.chunk_rows import DamagedChunkError
from atlas.timeseries.columns import from_catalog

_TYPES = {"int": "bigint", "float": "double", "boolean": "boolean", "string": "text"}
# Seconds between renewals of an outdated profile, which stays in use until a new profile is made in the background.
REFRESH_SECONDS = 60.0
_PROFILE_TIMEOUT = "8s"
# Rows of a relation whose first profile comes before other work, as a question waits for it.
_PROMPT_ROWS = 20_000
# A profile is renewed after the time that it took, multiplied by this factor.
_PAUSES = 50.0
# Seconds that a question waits for relations without a profile.
PATIENCE_SECONDS = 2.0
# Most seconds for a profile of another organization's dataset.
_STRANGER_SECONDS = 5.0
# Relations of an organization that are profiled at once, so that connections are left for requests.
_AT_ONCE = 2
# Relations beyond this number are known by their columns only.
MAX_PROFILED = 200
log = structlog.get_logger()


class Known(NamedTuple):
    """A profile, the stamp of its relation at that time, and the time, in seconds since 1970."""

    stamp: str
    made_at: float
    profile: Profile


# Longest name of a dataset's column that queries and questions know.
MAX_COLUMN_NAME = 1000
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NOTHING = Known("", 0.0, {})


class CatalogStore:
    """Catalogs with profiles, which are stored in the database and cached in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles: dict[str, Known] = {}
        # Seconds that the last profile of a relation took here.
        self._took: dict[str, float] = {}
        self._joins: dict[tuple[str, ...], tuple[Join, ...]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # By schema, so that no organization waits for the relations of another.
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._last: dict[int, tuple[object, Catalog]] = {}

    async def for_question(self, caller: Caller, text: str = "", names: Collection[str] = ()) -> Catalog:
        """Returns the part of the caller's catalog that a question may use.

        Datasets of other organizations are included only if the question's `text` mentions them or `names` contains
        them. Therefore public datasets of others neither answer nor delay a question about the caller's data.

        Raises UnavailableError: when the database does not answer.
        """
        tables, stamps = await self._tables(caller)
        listed = named_datasets(await dataset_names(self._database, caller), {table.name for table in tables})
        own = {name: each for name, each in listed.items() if not each.owner}
        tables += await self._datasets(caller, own, stamps)
        strangers = [name for name, each in listed.items() if each.owner]
        spelled = {*names, *(table_identifier(name) for name in names)}
        wanted = {name: listed[name] for name in strangers if name in spelled}
        wanted |= {name: listed[name] for name in find_mentioned(text, strangers, tables)}
        catalog = await self._catalog(caller, tables, stamps)
        if not wanted:
            return catalog
        return await self._add_datasets(catalog, await self._datasets(caller, wanted, stamps), stamps)

    async def _catalog(self, caller: Caller, tables: Sequence[CatalogTable], stamps: dict[str, str]) -> Catalog:
        """Builds the catalog of the organization's tables and datasets. The first MAX_PROFILED have profiles."""
        known = {}
        patience = time.monotonic() + PATIENCE_SECONDS
        for table in tables[:MAX_PROFILED]:
            known[table.name] = await self._profile(table, stamps[table.name], patience)
        joins = await self._find_joins(tables[:MAX_PROFILED], known)
        made = tuple(one.made_at for one in known.values())
        notes = (tuple((column.unit, column.description) for column in table.columns) for table in tables)
        facts = tuple(
            (table.name, stamps[table.name], table.row_count, table.cold, table.samples, table.series, said)
            for table, said in zip(tables, notes, strict=True)
        )
        state = made, joins, facts
        kept = self._last.get(caller.user_id)
        if kept is not None and kept[0] == state:
            # The same object lets engines find their cached results for the catalog.
            return kept[1]
        catalog = Catalog(tuple(with_profile(t, known.get(t.name, _NOTHING).profile) for t in tables), joins)
        self._last[caller.user_id] = state, catalog
        return catalog

    async def _add_datasets(self, catalog: Catalog, others: Sequence[CatalogTable], stamps: dict[str, str]) -> Catalog:
        """Adds a few datasets of other organizations to a catalog, without joins to the caller's tables."""
        found = []
        patience = time.monotonic() + PATIENCE_SECONDS
        for table in others:
            relation = f"{table.schema}.{table.relation}"
            kept = await self._stored_profile(table, relation)
            stamp = stamps[table.name]
            if kept is None or self._outdated(relation, kept, stamp):
                # The owner of the dataset determines how long a profile takes, so no question waits for its end.
                self._refresh_later(table, relation, stamp)
                if kept is None:
                    await asyncio.wait((self._tasks[relation],), timeout=max(0.0, patience - time.monotonic()))
                    kept = self._profiles.get(relation, _NOTHING)
            found.append(with_profile(table, kept.profile))
        return Catalog((*catalog.tables, *found), catalog.joins)

    async def for_sql(self, caller: Caller, text: str) -> Catalog:
        """Returns the part of the caller's catalog that SQL of this text can name, without profiles and joins.

        With thousands of datasets, only the names of the other datasets are read.

        Raises UnavailableError: when the database does not answer.
        """
        tables, stamps = await self._tables(caller)
        upper, lower = text.upper(), text.lower()
        listed = named_datasets(await dataset_names(self._database, caller), {table.name for table in tables})
        wanted = {name: each for name, each in listed.items() if name.upper() in upper or name.lower() in lower}
        return Catalog((*tables, *(await self._datasets(caller, wanted, stamps))))

    async def close(self) -> None:
        """Cancels profiling in the background."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _datasets(
        self, caller: Caller, wanted: Mapping[str, DatasetName], stamps: dict[str, str]
    ) -> list[CatalogTable]:
        """Returns datasets by their names as tables, without profiles. Adds the current stamp of each to `stamps`."""
        if not wanted:
            return []
        ids = [each.id for each in wanted.values()]
        readable = {each.id: each for each in await readable_datasets(self._database, caller, ids)}
        found = []
        for name, each in wanted.items():
            if each.id in readable:
                found.append(_dataset(readable[each.id], name, each.owner))
                stamps[name] = f"{readable[each.id].version} {len(found[-1].columns)}"
        return found

    async def _tables(self, caller: Caller) -> tuple[list[CatalogTable], dict[str, str]]:
        found: list[CatalogTable] = []
        stamps: dict[str, str] = {}
        for table in await find_tables(self._database, caller):
            columns = tuple(
                CatalogColumn(column.name, column.type, description=column.description, unit=column.unit)
                for column in table.columns
            )
            found.append(
                CatalogTable(
                    table.name,
                    table.schema,
                    f"_view_{table.id}",
                    columns,
                    row_count=table.row_count,
                    key=table.key if len(table.key) == 1 else (),
                    row_times=table.row_times,
                    samples=table.samples == "organization",
                )
            )
            stamps[table.name] = f"{table.changed} {len(columns)}"
        return found, stamps

    async def _profile(self, table: CatalogTable, stamp: str, patience: float) -> Known:
        """Returns a relation's profile, made now if missing, or in the background after the time `patience`."""
        relation = f"{table.schema}.{table.relation}"
        kept = await self._stored_profile(table, relation)
        if kept is None or set(kept.profile) != {column.name for column in table.columns}:
            if time.monotonic() > patience:
                self._refresh_later(table, relation, stamp)
                return _NOTHING if kept is None else kept
            # Questions that come together wait for one profile.
            await asyncio.shield(self._refresh_later(table, relation, stamp, first=True))
            return self._profiles[relation]
        if self._outdated(relation, kept, stamp):
            self._refresh_later(table, relation, stamp)
        return kept

    def _outdated(self, relation: str, kept: Known, stamp: str) -> bool:
        """Checks whether a profile is to be renewed, which takes a small part of the time only."""
        pause = max(REFRESH_SECONDS, _PAUSES * self._took.get(relation, 0.0))
        return kept.stamp != stamp and time.time() - kept.made_at > pause

    async def _stored_profile(self, table: CatalogTable, relation: str) -> Known | None:
        """Returns the last stored profile, made by any process."""
        kept = self._profiles.get(relation)
        if kept is None:
            row = await self._database.fetch(queries("catalog/catalogs")["find_profile"], relation=relation)
            if row:
                kept = self._profiles[relation] = Known(row[0][0], row[0][2], msgspec.convert(row[0][1], Profile))
        return kept

    def _refresh_later(
        self, table: CatalogTable, relation: str, stamp: str, *, first: bool = False
    ) -> asyncio.Task[None]:
        """Starts to renew a profile, unless that is under way. first: whether a question waits for the profile."""
        task = self._tasks.get(relation)
        if task is None:
            behind = not first or (table.row_count or 0) > _PROMPT_ROWS
            task = self._tasks[relation] = start_detached(self._refresh(table, relation, stamp, behind=behind))
            task.add_done_callback(lambda _: self._tasks.pop(relation, None))
        return task

    async def _refresh(self, table: CatalogTable, relation: str, stamp: str, *, behind: bool = False) -> None:
        """Stores a new profile of a relation. A relation that takes too long is known by its columns only.

        behind: whether it comes behind other work of the machine.
        """
        turns = self._turns.setdefault(table.schema, asyncio.Semaphore(_AT_ONCE))
        begun = time.monotonic()
        lent = self._database.connection_behind() if behind else self._database.connection()
        async with turns, lent as connection:
            try:
                async with asyncio.timeout(_STRANGER_SECONDS if table.owner else None), connection.transaction():
                    await _unhurried(connection)
                    found = await profile(connection, table)
            except (psycopg.Error, TimeoutError, DamagedChunkError) as error:
                log.warning("relation not profiled", relation=relation, error=type(error).__name__)
                found = {column.name: ColumnProfile() for column in table.columns}
            parameters = {"relation": relation, "stamp": stamp, "profile": Jsonb(msgspec.to_builtins(found))}
            await connection.execute(queries("catalog/catalogs")["store_profile"], parameters)
        self._profiles[relation] = Known(stamp, time.time(), found)
        self._took[relation] = time.monotonic() - begun

    async def _find_joins(self, tables: Sequence[CatalogTable], known: dict[str, Known]) -> tuple[Join, ...]:
        """Returns the joins of relations, computed anew when a profile is new."""
        state = tuple(f"{t.schema}.{t.relation} {known[t.name].made_at}" for t in tables)
        if state not in self._joins:
            if len(self._joins) > 200:
                self._joins.clear()
            try:
                async with self._database.transaction() as connection:
                    await _unhurried(connection)
                    profiles = {name: one.profile for name, one in known.items()}
                    self._joins[state] = tuple(await find_joins(connection, tables, profiles))
            except (psycopg.Error, DamagedChunkError) as error:
                log.warning("joins not found", error=type(error).__name__)
                return ()
        return self._joins[state]


async def _unhurried(connection: Connection) -> None:
    """Allows a transaction to read whole relations, with a limit on time."""
    await connection.execute(f"SET LOCAL statement_timeout = '{_PROFILE_TIMEOUT}'".encode())
    await connection.execute("SET LOCAL enable_seqscan = on")


def _can_be_written(name: str) -> bool:
    """Checks whether a query can name a column. A row's key may have characters that the gate refuses, or
    be too long.
    """
    return 0 < len(name) <= MAX_COLUMN_NAME and not _UNWRITABLE.search(name)


def _dataset(readable: ReadableDataset, name: str, owner: str) -> CatalogTable:
    """Builds a dataset's table of this name: its time and typed columns. `owner` is the owner in another
    organization.
    """
    columns = [CatalogColumn("ts", "timestamp")]
    for column in readable.columns:
        called = from_catalog(column["name"])
        if column["physical"] is not None and column["dtype"] in _TYPES and _can_be_written(called):
            columns.append(
                CatalogColumn(
                    called,
                    _TYPES[column["dtype"]],
                    column["physical"],
                    column["description"],
                    column["unit"],
                )
            )
    return CatalogTable(
        name,
        readable.schema,
        f"dataset_{readable.id}",
        tuple(columns),
        "dataset",
        readable.row_count,
        dataset_id=readable.id,
        cold=readable.cold,
        owner=owner,
        samples=readable.samples == "readers" or (readable.samples == "organization" and not owner),
        series=tuple(key for key in map(from_catalog, readable.keys) if key in {column.name for column in columns}),
    )
