"""Queries of organizations, users and API keys."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from atlas.accounts.access import Caller
from atlas.accounts.api_keys import generate_key, hash_key, lookup_prefix, same_hash
from atlas.db import binary_values, executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.db.prepared import statement_of

_FIND_KEYS = statement_of(queries("accounts/keys")["find_keys"], "prefixes")


async def find_caller(database: Database, key: str) -> tuple[Caller, bool] | None:
    """Returns the user of a live key, and whether its last use should be recorded; None for any other key."""
    return (await find_callers(database, [key])).get(key)


async def find_callers(database: Database, keys: Collection[str]) -> dict[str, tuple[Caller, bool]]:
    """Returns the results of `find_caller` for the live keys among `keys`."""
    wanted = {key: prefix for key in keys if (prefix := lookup_prefix(key)) is not None and prefix.isascii()}
    if not wanted:
        return {}
    rows = await database.find(_FIND_KEYS, binary_values.arrays(binary_values.TEXT, list(set(wanted.values()))))
    found = {}
    for key, wanted_prefix in wanted.items():
        digest = hash_key(key)
        for prefix, key_id, stored, user_id, user_name, organization_id, schema, role, stale in rows:
            if prefix == wanted_prefix and same_hash(bytes(stored), digest):
                found[key] = Caller(user_id, user_name, organization_id, schema, key_id, role), stale
    return found


async def touch_key(database: Database, key_id: int) -> None:
    """Records that a key was used."""
    await database.fetch(queries("accounts/keys")["touch_key"], id=key_id)


async def lock_keys(connection: Connection) -> None:
    """Keeps other transactions from creating keys until this transaction ends."""
    await connection.execute("LOCK TABLE atlas.api_keys IN SHARE ROW EXCLUSIVE MODE")


async def any_key(connection: Connection) -> bool:
    """Returns whether a key was ever created."""
    cursor = await connection.execute(queries("accounts/keys")["any_key"])
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def ensure_organization(connection: Connection, name: str) -> tuple[int, bool]:
    """Returns the id of the organization called `name`, and whether the call created it, with its schema and roles."""
    schema = f"org_{secrets.token_hex(6)}"
    cursor = await connection.execute(queries("accounts/keys")["create_organization"], {"name": name, "schema": schema})
    made = await cursor.fetchone()
    if made is None:
        cursor = await connection.execute(queries("accounts/keys")["find_organization"], {"name": name})
        found = await cursor.fetchone()
        assert found is not None
        return int(found[0]), False
    await _create_schema(connection, schema)
    return int(made[0]), True


async def _create_schema(connection: Connection, schema: str) -> None:
    """Creates the organization's schema, owned by its owner role. Its reader role may only read there."""
    owner, reader = sql.Identifier(f"{schema}_owner"), sql.Identifier(f"{schema}_reader")
    name = sql.Identifier(schema)
    statements = [
        sql.SQL("CREATE ROLE {} NOLOGIN").format(owner),
        sql.SQL("CREATE ROLE {} NOLOGIN").format(reader),
        sql.SQL("GRANT {} TO CURRENT_USER").format(owner),
        sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(name, owner),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, reader),
    ]
    for statement in statements:
        await connection.execute(statement)


async def ensure_user(
    connection: Connection, organization_id: int, name: str, role: str = "member"
) -> tuple[int, bool]:
    """Returns the id of the organization's user called `name`, and whether the call created the user, with `role`."""
    parameters = {"organization": organization_id, "name": name, "role": role}
    cursor = await connection.execute(queries("accounts/keys")["create_user"], parameters)
    made = await cursor.fetchone()
    if made is not None:
        return int(made[0]), True
    cursor = await connection.execute(queries("accounts/keys")["find_user"], parameters)
    found = await cursor.fetchone()
    assert found is not None
    return int(found[0]), False


async def insert_key(
    connection: Connection, user_id: int, name: str, expires_at: datetime | None
) -> tuple[str, Mapping[str, Any]]:
    """Creates a key and returns the key, which is not stored, and its row."""
    key = generate_key()
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        queries("accounts/keys")["insert_key"],
        {
            "user": user_id,
            "name": name,
            "prefix": lookup_prefix(key),
            "hash": hash_key(key),
            "expires": expires_at,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return key, row


async def count_live_keys(connection: Connection, user_id: int) -> int:
    """Counts the live keys of a user. Other transactions wait with their count until this transaction ends."""
    await connection.execute(queries("accounts/keys")["lock_user"], {"user": user_id})
    row = await executor.row(connection, queries("accounts/keys")["count_live_keys"], {"user": user_id})
    return 0 if row is None else int(row[0])


async def revoke_key(
    connection: Connection, key_id: int, *, user_id: int | None = None
) -> tuple[int, str, datetime | None] | None:
    """Revokes a key, which must be the user's if a user is given. Returns its user, name and expiry, or None."""
    query = queries("accounts/keys")["revoke_key" if user_id is None else "revoke_own_key"]
    row = await (await connection.execute(query, {"id": key_id, "user": user_id})).fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def find(connection: Connection, query: str, **parameters: Any) -> dict[str, Any] | None:
    """Returns the row of a query for one row (`get_user`, `identity`, `lock_own_key` …), or None."""
    return await executor.record(connection, queries("accounts/keys")[query], parameters)


async def set_role(connection: Connection, user_id: int, role: str) -> None:
    await connection.execute(queries("accounts/keys")["set_role"], {"id": user_id, "role": role})


async def other_operator(connection: Connection, user_id: int) -> bool:
    """Returns whether another user is an operator with a live key. The answer holds until the transaction ends."""
    await connection.execute(queries("accounts/keys")["lock_operators"])
    row = await executor.row(connection, queries("accounts/keys")["other_operator"], {"id": user_id})
    return row is not None and bool(row[0])


async def list_rows(database: Database, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Returns the rows of a listing query (`list_organizations`, `list_users`, `list_keys`, `list_own_keys`)."""
    return await executor.records(database, queries("accounts/keys")[query], parameters)
