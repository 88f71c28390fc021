"""Login roles that read for questions: one a user, with the rights that the user has at that moment."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Collection
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from atlas.core.access import Caller
from atlas.errors import NotFoundError
from atlas.store.database import Connection, Database
from atlas.store.datasets import table_of
from atlas.store.queries import queries

# SET and RESET of these are statements, which no cursor can be declared for, and set_config is revoked.
SETTINGS = {
    "default_transaction_read_only": "on", "search_path": "pg_catalog", "timezone": "UTC", "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s", "work_mem": "64MB", "max_parallel_workers_per_gather": "0",
    "cursor_tuple_fraction": "1", "standard_conforming_strings": "on", "jit": "off",
}  # fmt: skip
CONNECTIONS = 20


class ReaderRoles:
    """Makes the roles and keeps their rights. secret: gives what their passwords are made from; may block."""

    def __init__(self, database: Database, secret: Callable[[], str], *, timeout: float) -> None:
        self._database, self._secret, self._timeout = database, secret, timeout
        self._ready: set[str] = set()

    async def prepare(self, caller: Caller, datasets: Collection[int]) -> str:
        """The URL by which the caller's role connects, granted those datasets and no other that it may not read.

        Raises NotFoundError for a dataset that the caller may not read.
        """
        role = f"{caller.schema_name}_u{caller.user_id}"
        if role not in self._ready:
            await self.make(caller, role)
        await self._grant(caller, role, datasets)
        return await self._url(role)

    async def make(self, caller: Caller, role: str) -> None:
        """Makes the role where it is missing, and sets its password and settings."""
        password = await self._password(role)
        async with self._database.transaction() as connection:
            await connection.execute(queries("wall")["lock_role"], {"role": role})
            name = sql.Identifier(role)
            exists = await (await connection.execute(queries("wall")["role_exists"], {"role": role})).fetchone()
            if exists is None:
                await connection.execute(sql.SQL("CREATE ROLE {}").format(name))
            # Hashed here, so that no log of the server's ever holds it.
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            await connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN NOCREATEDB NOCREATEROLE INHERIT CONNECTION LIMIT {} PASSWORD {}").format(
                    name, sql.Literal(CONNECTIONS), sql.Literal(hashed)
                )
            )
            superuser = await (await connection.execute(queries("wall")["is_superuser"])).fetchone()
            # Only a superuser may set it; without it, sorts of a query may fill the disk until it is stopped.
            limited = {"temp_file_limit": "2GB"} if superuser is not None and superuser[0] else {}
            settings = SETTINGS | limited | {"statement_timeout": f"{int(self._timeout * 1000)}ms"}
            for setting, value in settings.items():
                await connection.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
                )
            reader = sql.Identifier(f"{caller.schema_name}_reader")
            modern = connection.info.server_version >= 160000
            # The organization's role has the rights on views, which come and go; SET ROLE to it would gain nothing.
            options = sql.SQL(" WITH INHERIT TRUE, SET FALSE" if modern else "")
            await connection.execute(sql.SQL("GRANT {} TO {}{}").format(reader, name, options))
        self._ready.add(role)

    async def _grant(self, caller: Caller, role: str, datasets: Collection[int]) -> None:
        wanted = list(datasets)
        async with self._database.transaction() as connection:
            parameters = {"user": caller.user_id, "ids": wanted}
            found = await (await connection.execute(queries("wall")["grants"], parameters)).fetchall()
            readable = {row[0] for row in found if row[3]}
            missing = set(wanted) - readable
            if missing:
                raise NotFoundError("Dataset not found", f"no dataset {min(missing)} that you may read")
            for dataset_id, schema, granted, may in found:
                if granted and not may:
                    await self._change(connection, caller, role, dataset_id, schema, grant=False)
                elif not granted and may and dataset_id in wanted:
                    await self._change(connection, caller, role, dataset_id, schema, grant=True)

    async def _change(
        self, connection: Connection, caller: Caller, role: str, dataset_id: int, schema: str, *, grant: bool
    ) -> None:
        await connection.execute(queries("wall")["lock_role"], {"role": role})
        name, table = sql.Identifier(role), table_of(schema, dataset_id)
        query = "record_grant" if grant else "remove_grant"
        await connection.execute(queries("wall")[query], {"user": caller.user_id, "id": dataset_id})
        if grant:
            await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), name))
            await connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, name))
        else:
            await connection.execute(sql.SQL("REVOKE SELECT ON {} FROM {}").format(table, name))

    async def _password(self, role: str) -> str:
        secret = await asyncio.to_thread(self._secret)
        return hmac.new(secret.encode(), f"reader:{role}".encode(), hashlib.sha256).hexdigest()

    async def _url(self, role: str) -> str:
        """The database's URL with the role's name and password."""
        parts = urlsplit(self._database.url)
        host = parts.netloc.rpartition("@")[2]
        login = f"{quote(role, safe='')}:{await self._password(role)}"
        return urlunsplit(parts._replace(netloc=f"{login}@{host}"))

    async def connect(self, caller: Caller, datasets: Collection[int]) -> Connection:
        """A connection of its own for one query. Raises NotFoundError, psycopg.OperationalError."""
        url = await self.prepare(caller, datasets)
        try:
            return await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error) and "does not exist" not in str(error):
                raise
            # The secret has changed, or the database was restored without its roles.
            role = f"{caller.schema_name}_u{caller.user_id}"
            await self.make(caller, role)
            return await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=10)
