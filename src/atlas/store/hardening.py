"""The database's wall: roles that read for questions can call listed functions, read their tables, and nothing else.

PostgreSQL lets every role read most of the catalog and call most functions, among them such that wait, notify, lock,
change settings and make large objects. Here all of that is taken from PUBLIC in Atlas's own database, and what queries
need is given back by name.
"""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from psycopg import sql

from atlas.core.sqlfunctions import ALLOWED_FUNCTIONS
from atlas.store.queries import queries

# Raise it whenever what is revoked or granted changes.
VERSION = 1
log = structlog.get_logger()


def harden(connection: psycopg.Connection[Any]) -> bool:
    """Applies the wall where it is missing; False where the server forbids that. Blocks."""
    known = queries("wall")
    row = connection.execute(known["hardened"]).fetchone()
    if row is not None and row[0] >= VERSION:
        return True
    superuser = connection.execute(known["is_superuser"]).fetchone()
    if superuser is None or not superuser[0]:
        log.warning(
            "database not hardened",
            reason="only a superuser may revoke rights of PUBLIC",
            lost="readers of questions could see the catalog and call PostgreSQL's functions past the SQL parser",
        )
        return False
    with connection.transaction():
        connection.execute(known["revoke_all"])
        names = connection.execute(known["grantable"], {"names": sorted(ALLOWED_FUNCTIONS)}).fetchall()
        # The names come from PostgreSQL itself, as it quotes them.
        listed = ", ".join(name for (name,) in names)
        connection.execute(f"GRANT EXECUTE ON ROUTINE {listed} TO PUBLIC".encode())
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("REVOKE CREATE, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute(known["record_hardening"], {"version": VERSION})
    return True
