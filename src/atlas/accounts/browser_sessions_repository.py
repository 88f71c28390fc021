"""Sessions of browsers: those that live. What has ended is not there."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from atlas.db.database import Database
from atlas.db.named_queries import queries


async def begin(database: Database, user_id: int, seconds: float) -> UUID:
    """Id of a new session of a user, good for so many seconds. Those that have run out are swept away."""
    await database.fetch(queries("accounts/sessions")["sweep"])
    rows = await database.fetch(queries("accounts/sessions")["begin"], user=user_id, seconds=seconds)
    found: UUID = rows[0][0]
    return found


async def living(database: Database, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Those of some sessions that live."""
    rows = await database.look_up(queries("accounts/sessions")["living"], ids=list(ids))
    return dict.fromkeys((row[0] for row in rows), True)


async def end(database: Database, session: UUID, *, everywhere: bool) -> None:
    """Ends a session, or all of its user's."""
    await database.fetch(queries("accounts/sessions")["end_all" if everywhere else "end_one"], id=session)
