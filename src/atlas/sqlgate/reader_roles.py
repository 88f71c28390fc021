"""Login roles that run questions: a role for each user, with the user's current rights."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Collection
from typing import Any

import psycopg
from psycopg import sql

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError, UnavailableError
from atlas.sqlgate.reader_connection import connect
from atlas.timeseries.repository import table_of

# A query cannot change these settings: SET and RESET are statements, for which no cursor can be declared, and
# set_config is revoked. The last setting makes a query end soon after its client has gone.
SETTINGS = {
    "default_transaction_read_only": "on",
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "work_mem": "64MB",
    "hash_mem_multiplier": "1",
    "max_parallel_workers_per_gather": "0",
    "cursor_tuple_fraction": "1",
    "standard_conforming_strings": "on",
    "jit": "off",
    "enable_seqscan": "on",
    "client_connection_check_interval": "2s",
}
# Only a superuser may set these.
SUPERUSER_SETTINGS = {"temp_file_limit": "2GB"}
CONNECTIONS = 20
_GRANT_LOCK_SECONDS = "2s"
_GRANT_ATTEMPTS = 3


class ReaderRoles:
    """Creates the roles and keeps their rights current.

    secret: returns the text from which passwords are derived; may block. timeout: seconds of a statement.
    """

    def __init__(self, database: Database, secret: Callable[[], str], *, timeout: float) -> None:
        self._database, self._secret, self._timeout = database, secret, timeout
        self._ready: set[str] = set()

    def role_of(self, caller: Caller) -> str:
        """Returns the role that a caller's queries run as."""
        return f"{caller.schema_name}_u{caller.user_id}"

    async def ensure(self, caller: Caller) -> str:
        """Returns the caller's role, made if it is not there yet."""
        role = self.role_of(caller)
        if role not in self._ready:
            await self._make(caller, role, await self._password(role))
        return role

    async def connect(self, caller: Caller, datasets: Collection[int]) -> Connection:
        """Opens a connection for one query, which may read these datasets and earlier granted datasets only.

        Raises NotFoundError for a dataset that the caller may not read.
        Raises psycopg.OperationalError or UnavailableError when no connection can be made.
        """
        role = self.role_of(caller)
        password = await self._password(role)
        if role not in self._ready:
            await self._make(caller, role, password)
        await self._grant(caller, role, datasets)
        try:
            return await connect(self._database.url, role, password)
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error) and "does not exist" not in str(error):
                raise
        # The secret has changed, or the database was restored without its roles.
        await self._make(caller, role, password)
        await self._grant(caller, role, datasets, anew=True)
        return await connect(self._database.url, role, password)

    async def _make(self, caller: Caller, role: str, password: str) -> None:
        """Creates a missing role, and sets its password and settings."""
        async with self._database.transaction() as connection:
            await connection.execute(queries("sqlgate/wall")["lock_roles"])
            name = sql.Identifier(role)
            row = await executor.row(connection, queries("sqlgate/wall")["find_role"], {"role": role})
            exists, superuser = row or (False, False)
            if not exists:
                await connection.execute(sql.SQL("CREATE ROLE {}").format(name))
            modern = connection.info.server_version >= 160000
            if modern:
                # Nobody guesses a password of 256 random bits. So hashing it slowly protects nothing and takes 5 ms.
                await connection.execute("SET LOCAL scram_iterations = 1")
            # Hashed here, so that no log of the server ever holds the password.
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            await connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN {} CONNECTION LIMIT {} PASSWORD {}").format(
                    name, sql.SQL("NOINHERIT" if modern else "INHERIT"), sql.Literal(CONNECTIONS), sql.Literal(hashed)
                )
            )
            settings = SETTINGS | {"statement_timeout": f"{int(self._timeout * 1000)}ms"}
            for setting, value in (settings | (SUPERUSER_SETTINGS if superuser else {})).items():
                await connection.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
                )
            # The organization's role has the rights on views, which come and go. SET ROLE to that role would gain
            # nothing.
            reader = sql.Identifier(f"{caller.schema_name}_reader")
            options = sql.SQL(" WITH INHERIT TRUE, SET FALSE" if modern else "")
            await connection.execute(sql.SQL("GRANT {} TO {}{}").format(reader, name, options))
            if not superuser:
                # This membership gives the right to end the role's backends.
                await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        self._ready.add(role)

    async def _grant(self, caller: Caller, role: str, datasets: Collection[int], *, anew: bool = False) -> None:
        """Grants the role the datasets, and revokes datasets that the caller has lost.

        anew: ignores the recorded grants.
        """
        parameters = {"user": caller.user_id, "ids": list(datasets)}
        found = await self._database.fetch(queries("sqlgate/wall")["grants"], **parameters)
        missing = set(datasets) - {row[0] for row in found if row[3]}
        if missing:
            raise NotFoundError("Dataset not found", f"no dataset {min(missing)} that you may read")
        if not anew and all(granted == may for _, _, granted, may in found):
            return
        for attempt in range(_GRANT_ATTEMPTS):
            try:
                return await self._change(caller, role, parameters, anew=anew)
            except psycopg.errors.LockNotAvailable:
                raise UnavailableError("The data is being changed", "try again in a moment") from None
            except (psycopg.errors.InternalError, psycopg.errors.UndefinedTable):
                # Another process changed the same rights at the same time, or dropped the table.
                if attempt == _GRANT_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.05)

    async def _change(self, caller: Caller, role: str, parameters: dict[str, Any], *, anew: bool) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{_GRANT_LOCK_SECONDS}'".encode())
            await connection.execute(queries("sqlgate/wall")["lock_roles"])
            found = await executor.rows(connection, queries("sqlgate/wall")["grants"], parameters)
            for dataset_id, schema, granted, may in found:
                if may and (anew or not granted):
                    await _allow(connection, caller, role, dataset_id, schema)
                elif granted and not may:
                    await _deny(connection, caller, role, dataset_id, schema)

    async def _password(self, role: str) -> str:
        secret = await asyncio.to_thread(self._secret)
        return hmac.new(secret.encode(), f"reader:{role}".encode(), hashlib.sha256).hexdigest()


async def _allow(connection: Connection, caller: Caller, role: str, dataset_id: int, schema: str) -> None:
    name, table = sql.Identifier(role), table_of(schema, dataset_id)
    # A writer that adds a column would fail if the table's rights changed meanwhile.
    await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
    if schema != caller.schema_name:
        await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), name))
    await connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, name))
    parameters = {"user": caller.user_id, "id": dataset_id, "schema": schema}
    await connection.execute(queries("sqlgate/wall")["record_grant"], parameters)


async def _deny(connection: Connection, caller: Caller, role: str, dataset_id: int, schema: str) -> None:
    """Revokes a dataset, whose table may be gone. After the last dataset of a schema, revokes the schema, too."""
    name, table = sql.Identifier(role), table_of(schema, dataset_id)
    parameters = {"user": caller.user_id, "id": dataset_id, "table": table.as_string()}
    row = await executor.row(connection, queries("sqlgate/wall")["find_table"], parameters)
    if row is not None and row[0]:
        await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
        await connection.execute(sql.SQL("REVOKE SELECT ON {} FROM {}").format(table, name))
    await connection.execute(queries("sqlgate/wall")["remove_grant"], parameters)
    parameters = {"user": caller.user_id, "schema": schema}
    left = await executor.row(connection, queries("sqlgate/wall")["grants_in_schema"], parameters)
    if schema != caller.schema_name and left is not None and not left[0]:
        await connection.execute(sql.SQL("REVOKE USAGE ON SCHEMA {} FROM {}").format(sql.Identifier(schema), name))
