"""Queries of living browser sessions. Ended sessions are deleted."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from atlas.db.database import Database
from atlas.db.named_queries import queries


async def begin(database: Database, user_id: int, seconds: float) -> UUID:
    """Stores a new session of a user that lives for `seconds`, and returns its id. Expired sessions are deleted."""
    await database.fetch(queries("accounts/sessions")["sweep"])
    rows = await database.fetch(queries("accounts/sessions")["begin"], user=user_id, seconds=seconds)
    found: UUID = rows[0][0]
    return found


async def living(database: Database, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Returns those of the given sessions that live."""
    rows = await database.look_up(queries("accounts/sessions")["living"], ids=list(ids))
    return dict.fromkeys((row[0] for row in rows), True)


async def end(database: Database, session: UUID, *, everywhere: bool) -> None:
    """Ends a session, or all of its user's sessions."""
    await database.fetch(queries("accounts/sessions")["end_all" if everywhere else "end_one"], id=session)
