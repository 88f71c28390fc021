"""SQL of saved queries and favourites."""

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
    """Returns queries that the caller may see, by name. `pattern` is a pattern of ILIKE for name or SQL."""
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
    """Counts the queries that the caller may see."""
    rows = await database.fetch(
        queries("saved/saved")["count_saved"], organization=caller.organization_id, user=caller.user_id, pattern=pattern
    )
    return int(rows[0][0])


async def count_own(database: Database, caller: Caller) -> int:
    """Counts the caller's own queries."""
    return int((await database.fetch(queries("saved/saved")["count_own"], user=caller.user_id))[0][0])


async def save(
    database: Database, caller: Caller, query_id: UUID | None, name: str, sql: str, *, shared: bool
) -> UUID | None:
    """Stores a new query of the caller when `query_id` is None, else changes the query.

    Returns the query's id, or None when the query is gone.

    Raises BadRequestError: when the caller has another query of that name.
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
    """Deletes a query of the caller."""
    await database.fetch(queries("saved/saved")["delete_saved"], user=caller.user_id, id=query_id)


async def favourites(database: Database, caller: Caller) -> list[Favourite]:
    """Returns the caller's favourites that the caller may still read, the last added first."""
    rows = await database.fetch(
        queries("saved/saved")["list_favourites"], user=caller.user_id, organization=caller.organization_id
    )
    return [Favourite(*row) for row in rows]


async def count_other_favourites(database: Database, caller: Caller, *, dataset: int | None, table: int | None) -> int:
    """Counts the caller's favourites besides a dataset or table."""
    query = queries("saved/saved")["count_other_favourites"]
    return int((await database.fetch(query, user=caller.user_id, dataset=dataset, table=table))[0][0])


async def mark(database: Database, caller: Caller, *, dataset: int | None, table: int | None, on: bool) -> None:
    """Adds a dataset or table to the favourites, or removes the favourite. Repetition changes nothing."""
    await database.fetch(
        queries("saved/saved")["add_favourite" if on else "remove_favourite"],
        user=caller.user_id,
        dataset=dataset,
        table=table,
    )
