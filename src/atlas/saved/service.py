"""Saved queries that users share, and favourite datasets and tables."""

from __future__ import annotations

from uuid import UUID

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.saved import (
    FavouriteKind,
    FavouritesView,
    FavouriteView,
    RemovedView,
    SavedQuery,
    SavedQueryPage,
    SavedQueryView,
)
from atlas.db.database import Database
from atlas.errors import BadRequestError, ForbiddenError, NotFoundError
from atlas.kit.like_patterns import containing
from atlas.kit.validation import identified, refuse_text, refuse_unstorable
from atlas.saved import repository as saved
from atlas.tables.service import TableService

MAX_NAME, MAX_SQL = 200, 20_000
# Limits of one user. Longer lists would be too long to read.
MAX_QUERIES, MAX_FAVOURITES = 1_000, 500


class SavedQueryService:
    """A caller's queries, and those that others of the organization share. Only a query's creator may change it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, caller: Caller, search: str | None, limit: int, offset: int) -> SavedQueryPage:
        """Returns a page of queries by name. `search` is a text in name or SQL, in any case."""
        pattern = None
        if search:
            refuse_unstorable("search", search)
            pattern = containing(search)
        found = await saved.find(self._database, caller, pattern=pattern, limit=limit, offset=offset)
        total = await saved.count(self._database, caller, pattern)
        return SavedQueryPage(tuple(found), total, limit, offset)

    async def get(self, caller: Caller, query_id: str) -> SavedQueryView:
        """Returns one query.

        Raises NotFoundError: when the caller may see no such query.
        """
        return SavedQueryView(await self._find(caller, query_id))

    async def create(self, caller: Caller, name: str, sql: str, *, shared: bool) -> SavedQueryView:
        """Creates a query.

        Raises BadRequestError: when the caller has used the name, or has too many queries.
        """
        if await saved.count_own(self._database, caller) >= MAX_QUERIES:
            raise BadRequestError("Too many queries", f"you have {MAX_QUERIES:,} already; delete some first")
        return await self._save(caller, None, name, sql, shared=shared)

    async def change(
        self, caller: Caller, query_id: str, name: str | None, sql: str | None, shared: bool | None
    ) -> SavedQueryView:
        """Changes the given fields of a query.

        Raises ForbiddenError: when the query belongs to another user.
        """
        old = await self._own(caller, query_id)
        return await self._save(
            caller,
            old,
            old.name if name is None else name,
            old.sql if sql is None else sql,
            shared=old.shared if shared is None else shared,
        )

    async def delete(self, caller: Caller, query_id: str) -> RemovedView:
        """Deletes a query of the caller."""
        found = await self._own(caller, query_id)
        await saved.delete(self._database, caller, UUID(found.id))
        return RemovedView(found.id)

    async def _find(self, caller: Caller, query_id: str) -> SavedQuery:
        missing = NotFoundError("Query not found", f"no query with ID {query_id[:64]!r}")
        found = await saved.find(self._database, caller, query_id=identified(query_id, missing))
        if not found:
            raise missing
        return found[0]

    async def _own(self, caller: Caller, query_id: str) -> SavedQuery:
        found = await self._find(caller, query_id)
        if not found.is_owner:
            raise ForbiddenError("Permission denied", f"the query is {found.owner}'s; save a copy of your own")
        return found

    async def _save(
        self, caller: Caller, old: SavedQuery | None, name: str, sql: str, *, shared: bool
    ) -> SavedQueryView:
        name = " ".join(name.split())
        refuse_text("name", name, MAX_NAME)
        refuse_text("sql", sql, MAX_SQL)
        made = await saved.save(self._database, caller, None if old is None else UUID(old.id), name, sql, shared=shared)
        return await self.get(caller, str(made))


class FavouriteService:
    """Favourite datasets and tables of a caller."""

    def __init__(self, database: Database, access: AccessService, tables: TableService) -> None:
        self._database, self._access, self._tables = database, access, tables

    async def list(self, caller: Caller) -> FavouritesView:
        """Lists all favourites that the caller may still read, the last added first."""
        return FavouritesView(tuple(await saved.favourites(self._database, caller)))

    async def mark(self, caller: Caller, kind: FavouriteKind, name: str, *, on: bool) -> FavouriteView:
        """Adds the dataset of an id, or the table of a name, to the favourites, or removes the favourite.

        Raises NotFoundError, ForbiddenError: when the caller may not read the dataset or table.
        Raises BadRequestError: when the caller has too many favourites.
        """
        if kind == "dataset":
            if not name.isascii() or not name.isdigit() or len(name) > 9:
                raise NotFoundError("Dataset not found", f"no dataset with ID {name[:64]!r}")
            await self._access.require(caller, int(name))
            dataset, table = int(name), None
        else:
            dataset, table = None, (await self._tables.find(caller, name)).id
        if on:
            others = await saved.count_other_favourites(self._database, caller, dataset=dataset, table=table)
            if others >= MAX_FAVOURITES:
                reason = f"you have {MAX_FAVOURITES:,} already; take some away first"
                raise BadRequestError("Too many favourites", reason)
        await saved.mark(self._database, caller, dataset=dataset, table=table, on=on)
        return FavouriteView(kind, name, on)
