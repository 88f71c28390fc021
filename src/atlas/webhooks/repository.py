"""SQL of webhook deliveries and of the secrets that sign deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from atlas.accounts.access import Caller
from atlas.contract.webhooks import Attempt
from atlas.contract.webhooks import Delivery as LoggedDelivery
from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.webhooks.sender import Delivery

Row = dict[str, Any]


async def secret(database: Database, organization_id: int, fresh: str, *, rotate: bool = False) -> str:
    """Returns the organization's secret. `fresh` becomes the secret when there is none, or with `rotate`."""
    named = queries("webhooks/webhooks")
    rows = [] if rotate else await database.fetch(named["secret"], organization=organization_id)
    if not rows or rows[0][0] is None:
        query = named["rotate_secret" if rotate else "make_secret"]
        rows = await database.fetch(query, organization=organization_id, secret=fresh)
    return str(rows[0][0])


async def create(connection: Connection, delivery_id: UUID, import_id: UUID, payload: str) -> None:
    """Creates a delivery of an import's result, in the transaction in which the import ends."""
    given = {"id": delivery_id, "import": import_id, "payload": payload}
    await connection.execute(queries("webhooks/webhooks")["create_delivery"], given)


async def has_delivery(connection: Connection, import_id: UUID) -> bool:
    """Checks whether an import has a delivery."""
    cursor = await connection.execute(queries("webhooks/webhooks")["deliveries_of_import"], {"id": import_id})
    return await cursor.fetchone() is not None


async def find(database: Database, delivery_id: UUID) -> Row | None:
    rows = await database.fetch(queries("webhooks/webhooks")["find_delivery"], id=delivery_id)
    names = ("id", "organization_id", "url", "payload", "status", "attempts", "import_id")
    return dict(zip(names, rows[0], strict=True)) if rows else None


async def record(database: Database, delivery_id: UUID, attempt: Delivery, status: str) -> None:
    """Logs an attempt and the delivery's status after it."""
    async with database.transaction() as connection:
        parameters = {"id": delivery_id, "status": attempt.status, "error": attempt.error, "seconds": attempt.seconds}
        await connection.execute(queries("webhooks/webhooks")["record_attempt"], parameters)
        await connection.execute(queries("webhooks/webhooks")["set_delivery"], {"id": delivery_id, "status": status})


async def list_deliveries(
    database: Database, caller: Caller, import_id: UUID | None, limit: int, offset: int
) -> list[LoggedDelivery]:
    """Returns deliveries of imports that the caller may see, with attempts, newest first."""
    rows = await database.fetch(
        queries("webhooks/webhooks")["list_deliveries"],
        **{
            "organization": caller.organization_id,
            "user": caller.user_id,
            "import": import_id,
            "limit": limit,
            "offset": offset,
        },
    )
    return [_logged(*row) for row in rows]


def _logged(
    delivery_id: UUID,
    import_id: UUID,
    kind: str | None,
    url: str,
    status: Literal["pending", "delivered", "failed"],
    created_at: datetime,
    delivered_at: datetime | None,
    attempts: list[Row],
) -> LoggedDelivery:
    return LoggedDelivery(
        str(delivery_id),
        str(import_id),
        kind,
        url,
        status,
        created_at,
        delivered_at,
        tuple(Attempt(**attempt) for attempt in attempts),
    )


async def job(database: Database | Connection, import_id: UUID) -> Row | None:
    """Returns the fields of an asynchronous import that a worker needs, or None."""
    query = queries("webhooks/webhooks")["job_of_import"]
    rows = await executor.rows(database, query, {"id": import_id})
    names = (
        "status",
        "number",
        "file_name",
        "instruction",
        "thread_id",
        "table_name",
        "organization_id",
        "schema",
        "user_id",
        "user_name",
        "error",
        "inserted",
        "duplicates",
        "metadata",
        "callback_url",
        "age",
        "records",
        "updated",
        "left_out",
        "failures",
        "replacements",
        "summary",
        "waiting",
        "public_id",
        "accept_proposals",
        "dataset_id",
    )
    return dict(zip(names, rows[0], strict=True)) if rows else None


async def claim(database: Database, import_id: UUID) -> int:
    """Marks an import as running. Returns the number of its starts, including this start, or 0 when the import has
    ended.
    """
    rows = await database.fetch(queries("webhooks/webhooks")["claim_import"], id=import_id)
    return int(rows[0][0]) if rows else 0


async def take_start_back(database: Database, import_id: UUID) -> None:
    """Uncounts a start of an import: its process did not die, and the import will run again."""
    await database.fetch(queries("webhooks/webhooks")["take_start_back"], id=import_id)


async def lost_imports(database: Database) -> list[UUID]:
    """Returns imports whose job or delivery was lost with a killed server."""
    return [row[0] for row in await database.fetch(queries("webhooks/webhooks")["forgotten_imports"])]


async def lost_deliveries(database: Database) -> list[UUID]:
    """Returns deliveries whose job was lost."""
    return [row[0] for row in await database.fetch(queries("webhooks/webhooks")["forgotten_deliveries"])]


async def reopen(database: Database, delivery_id: UUID) -> None:
    """Marks a delivery as undelivered."""
    await database.fetch(queries("webhooks/webhooks")["reopen_delivery"], id=delivery_id)
