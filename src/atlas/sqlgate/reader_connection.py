"""Opens connections of reader roles from the database's URL, and checks the role of each connection."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import TextLoader

from atlas.db.database import Connection
from atlas.errors import UnavailableError

# Types with values that Python cannot hold, which become text: infinity, years before 1 and after 9999, 24:00.
_UNBOUNDED = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")


async def connect(url: str, role: str, password: str) -> Connection:
    """Opens a connection of the role.

    Raises psycopg.OperationalError when that fails, and UnavailableError when the connection has another role.
    """
    parameters: dict[str, Any] = conninfo_to_dict(url)
    # libpq looks at default_transaction_read_only, so a read-only session is no read-write session, but may be primary.
    wanted = parameters.get("target_session_attrs") or "any"
    parameters |= {
        "user": role,
        "password": password,
        "options": "",
        "connect_timeout": "10",
        "application_name": "atlas-reader",
        "target_session_attrs": "primary" if wanted == "read-write" else wanted,
    }
    for name in ("service", "servicefile", "passfile"):
        parameters.pop(name, None)
    connection = await psycopg.AsyncConnection.connect(make_conninfo(**parameters), autocommit=True)
    try:
        await _check(connection, role)
    except BaseException:
        await connection.close()
        raise
    _adapt(connection)
    return connection


async def _check(connection: Connection, role: str) -> None:
    """Checks that no pooler, and no user map of the server, has made the session another user's."""
    user = connection.info.parameter_status("session_authorization")
    if user is None:
        row = await (await connection.execute("SELECT session_user::text")).fetchone()
        user = row[0] if row else None
    if user != role or connection.info.parameter_status("is_superuser") == "on":
        raise UnavailableError("Queries unavailable", "the database does not let Atlas connect as a reader")


def _adapt(connection: Connection) -> None:
    adapters = connection.adapters
    for name in ("json", "jsonb"):
        # JSON stays unparsed text.
        adapters.register_loader(name, TextLoader)
    for name in _UNBOUNDED:
        loader = adapters.get_loader(adapters.types[name].oid, psycopg.pq.Format.TEXT)
        assert loader is not None
        adapters.register_loader(name, _tolerant(loader))


def _tolerant(loader: Any) -> type[Loader]:
    class Tolerant(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._inner = loader(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._inner.load(data)
            except (psycopg.DataError, OverflowError, ValueError):
                return bytes(data).decode()

    return Tolerant
