"""Saved queries and favourites in the catalog."""

from __future__ import annotations

from uuid import UUID

import psycopg

from atlas.accounts.access import Caller
from atlas.contract.saved import Favourite, SavedQuery
from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError


async def find(
    database: Database,
    caller: Caller,
    *,
    query_id: UUID | None = None,
    pattern: str | None = None,
    limit: int = 1,
    offset: int = 0,
) -> list[SavedQuery]:
    """Queries that the caller may see, by name. pattern: one of ILIKE, for name or SQL."""
    rows = await database.fetch(
        queries("saved/saved")["find_saved"],
        organization=caller.organization_id,
        user=caller.user_id,
        id=query_id,
        pattern=pattern,
        limit=limit,
        offset=offset,
    )
    return [SavedQuery(str(row[0]), *row[1:]) for row in rows]


async def count(database: Database, caller: Caller, pattern: str | None) -> int:
    """How many queries the caller may see."""
    rows = await database.fetch(
        queries("saved/saved")["count_saved"], organization=caller.organization_id, user=caller.user_id, pattern=pattern
    )
    return int(rows[0][0])


async def count_own(database: Database, caller: Caller) -> int:
    """How many queries the caller keeps."""
    return int((await database.fetch(queries("saved/saved")["count_own"], user=caller.user_id))[0][0])


async def save(
    database: Database, caller: Caller, query_id: UUID | None, name: str, sql: str, *, shared: bool
) -> UUID | None:
    """A new query of the caller's where `query_id` is None, else the changed one; None where that is gone.

    Raises BadRequestError where the caller has another of that name.
    """
    try:
        rows = await database.fetch(
            queries("saved/saved")["insert_saved" if query_id is None else "update_saved"],
            organization=caller.organization_id,
            user=caller.user_id,
            id=query_id,
            name=name,
            sql=sql,
            shared=shared,
        )
    except psycopg.errors.UniqueViolation:
        raise BadRequestError("Invalid query", f"name: you have a query {name[:100]!r} already") from None
    return rows[0][0] if rows else None


async def delete(database: Database, caller: Caller, query_id: UUID) -> None:
    """Removes one of the caller's own."""
    await database.fetch(queries("saved/saved")["delete_saved"], user=caller.user_id, id=query_id)


async def favourites(database: Database, caller: Caller) -> list[Favourite]:
    """What the caller marked, without what they may not read any more, marked last first."""
    rows = await database.fetch(
        queries("saved/saved")["list_favourites"], user=caller.user_id, organization=caller.organization_id
    )
    return [Favourite(*row) for row in rows]


async def count_other_favourites(database: Database, caller: Caller, *, dataset: int | None, table: int | None) -> int:
    """How many marks the caller has beside that of a dataset or a table."""
    query = queries("saved/saved")["count_other_favourites"]
    return int((await database.fetch(query, user=caller.user_id, dataset=dataset, table=table))[0][0])


async def mark(database: Database, caller: Caller, *, dataset: int | None, table: int | None, on: bool) -> None:
    """Marks a dataset or a table, or takes the mark away; either may be done again."""
    await database.fetch(
        queries("saved/saved")["add_favourite" if on else "remove_favourite"],
        user=caller.user_id,
        dataset=dataset,
        table=table,
    )
