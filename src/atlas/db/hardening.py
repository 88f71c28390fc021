"""Hardens the database: roles that read for questions can call listed functions, read their tables, and nothing else.

By default PostgreSQL lets every role read most of the catalog and call most functions. Some of those functions wait,
notify, lock, change settings or make large objects. Here these rights are revoked from PUBLIC in Atlas's own database,
and the functions that queries need are granted by name. The actual rights are compared with the intended rights, so
that an upgraded or restored database is hardened at the next start.
"""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from psycopg import sql

from atlas.db.allowed_functions import ALLOWED_FUNCTIONS
from atlas.db.named_queries import queries

# Functions that allowed syntax calls (LIKE … ESCAPE), and functions that the SQL generator writes to guard texts.
_BEHIND_SYNTAX = {"like_escape", "octet_length"}
# Keeps users' statements out of PostgreSQL's log, and the error messages that repeat their values. Errors of Atlas's
# own statements are in Atlas's log. PostgreSQL's own processes log as before.
LOGGED = {"log_min_messages": "log", "log_min_error_statement": "panic", "log_error_verbosity": "terse"}
log = structlog.get_logger()


def harden(connection: psycopg.Connection[Any]) -> bool:
    """Revokes and grants the rights that differ. Returns False when the server forbids part of that. Blocks."""
    known = queries("sqlgate/wall")
    row = connection.execute(known["state"]).fetchone()
    assert row is not None
    superuser, database, schemas, languages = row
    relations = ", ".join(name for (name,) in connection.execute(known["open_schemas"]))
    routines = connection.execute(known["routines"], {"names": sorted(ALLOWED_FUNCTIONS | _BEHIND_SYNTAX)}).fetchall()
    if database:
        # A database owner may revoke this without being a superuser. For other users PostgreSQL only warns.
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("REVOKE CREATE, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    if not superuser:
        if schemas or relations or languages or routines:
            log.warning(
                "database not hardened",
                reason="only a superuser may revoke what PostgreSQL grants to everybody",
                lost="the SQL parser alone keeps queries from the system catalog and from PostgreSQL's functions",
            )
            return False
        return True
    with connection.transaction():
        _set_log_settings(connection)
        if schemas:
            connection.execute(known["revoke_schemas"])
        if relations:
            for kind in ("TABLES", "SEQUENCES"):
                connection.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {relations} FROM PUBLIC".encode())
        if languages:
            trusted = ", ".join(name for (name,) in connection.execute(known["trusted_languages"]))
            connection.execute(f"REVOKE USAGE ON LANGUAGE {trusted} FROM PUBLIC".encode())
        # PostgreSQL itself returns the names, already quoted.
        for wanted, statement in (
            (False, "REVOKE EXECUTE ON ROUTINE {} FROM"),
            (True, "GRANT EXECUTE ON ROUTINE {} TO"),
        ):
            names = ", ".join(name for name, should in routines if should == wanted)
            if names:
                connection.execute(f"{statement.format(names)} PUBLIC".encode())
    return True


def _set_log_settings(connection: psycopg.Connection[Any]) -> None:
    """Sets the log settings of Atlas's database where they differ."""
    current = dict(connection.execute(queries("sqlgate/wall")["database_settings"]).fetchall())
    for setting, value in LOGGED.items():
        if current.get(setting) != value:
            name, wanted = sql.Identifier(connection.info.dbname), sql.Literal(value)
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), wanted))
