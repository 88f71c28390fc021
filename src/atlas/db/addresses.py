"""Addresses of databases: URLs with several hosts, and poolers that answer in place of PostgreSQL."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

# A pooler gives the session that was used last to the next connection, unless another one asks in between.
_TRIES = 3


def refuse_pooler(url: str, connection: psycopg.Connection) -> None:
    """Raises RuntimeError where another connection gets the same session.

    Such a pooler keeps the lock of a migration when its holder is gone. Every later start would wait for ever.
    """
    for _ in range(_TRIES):
        with psycopg.connect(url, autocommit=True) as other:
            pids = [one.execute("SELECT pg_backend_pid()").fetchone() for one in (connection, other)]
        if pids[0] == pids[1]:
            raise RuntimeError(
                "the database is behind a pooler that shares sessions by transaction; Atlas needs sessions of its own: "
                "connect to PostgreSQL itself, or set the pooler to session mode"
            )


def one_host(url: str, connection: psycopg.Connection) -> str:
    """Returns what follows `://` in a URL, with the one host that a connection has found where it has several."""
    parameters: dict[str, Any] = conninfo_to_dict(url)
    if "," not in f"{parameters.get('host', '')}{parameters.get('port', '')}":
        return url.split("://", 1)[1]
    parameters |= {"host": connection.info.host, "port": connection.info.port}
    name = quote(str(parameters.pop("dbname", "")), safe="")
    parameters.pop("hostaddr", None)
    return f"/{name}?{urlencode(parameters)}"
