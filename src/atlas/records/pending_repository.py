"""SQL of the questions that instructions in conversations asked back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from psycopg.types.json import Jsonb

from atlas.accounts.access import Caller
from atlas.db.database import Database
from atlas.db.named_queries import queries

# What answers a question: a yes, a table, fields that tell a row from others, a yes to an update, or another text.
Asks = Literal["yes", "table", "row", "update", "other"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of a conversation.

    text: the instruction that it is about.
    fingerprint: of the rows and values that were shown.
    table_name, match: what was answered before.
    """

    text: str
    asks: Asks
    fingerprint: str | None = None
    table_name: str | None = None
    match: Mapping[str, str] = field(default_factory=dict)


async def keep(database: Database, caller: Caller, thread_id: str, pending: Pending) -> None:
    """Keeps the question of a conversation, in place of an earlier one."""
    await database.fetch(
        queries("records/pending")["keep"],
        user=caller.user_id,
        thread=thread_id,
        text=pending.text,
        asks=pending.asks,
        fingerprint=pending.fingerprint,
        table=pending.table_name,
        match=Jsonb(dict(pending.match)),
    )


async def take(database: Database, caller: Caller, thread_id: str) -> Pending | None:
    """Returns and forgets the question of a conversation. None: nothing was asked in the last hour."""
    rows = await database.fetch(queries("records/pending")["take"], user=caller.user_id, thread=thread_id)
    return Pending(*rows[0]) if rows else None
