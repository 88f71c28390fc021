"""The database's wall: roles that read for questions can call listed functions, read their tables, and nothing else.

PostgreSQL lets every role read most of the catalog and call most functions, among them such that wait, notify, lock,
change settings and make large objects. Here all of that is taken from PUBLIC in Atlas's own database, and what queries
need is given back by name. What a role has is compared with what it should have, so that an upgraded or restored
database gets its wall again at the next start.
"""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from psycopg import sql

from atlas.db.allowed_functions import ALLOWED_FUNCTIONS
from atlas.db.named_queries import queries

# What grammar that the parser's wall admits calls, LIKE … ESCAPE, and what it writes itself, to guard texts.
_BEHIND_SYNTAX = {"like_escape", "octet_length"}
# What users have written stays out of PostgreSQL's log: statements, and messages about them, which repeat values. What
# goes wrong with Atlas's own statements is in Atlas's log; PostgreSQL's own processes log as before.
LOGGED = {"log_min_messages": "log", "log_min_error_statement": "panic", "log_error_verbosity": "terse"}
log = structlog.get_logger()


def harden(connection: psycopg.Connection[Any]) -> bool:
    """Builds what is missing of the wall; False where the server forbids some of it. Blocks."""
    known = queries("sqlgate/wall")
    row = connection.execute(known["state"]).fetchone()
    assert row is not None
    superuser, database, schemas, languages = row
    relations = ", ".join(name for (name,) in connection.execute(known["open_schemas"]))
    routines = connection.execute(known["routines"], {"names": sorted(ALLOWED_FUNCTIONS | _BEHIND_SYNTAX)}).fetchall()
    if database:
        # An owner that is no superuser may do that, too; for others PostgreSQL only warns.
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
        _quiet(connection)
        if schemas:
            connection.execute(known["revoke_schemas"])
        if relations:
            for kind in ("TABLES", "SEQUENCES"):
                connection.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {relations} FROM PUBLIC".encode())
        if languages:
            trusted = ", ".join(name for (name,) in connection.execute(known["trusted_languages"]))
            connection.execute(f"REVOKE USAGE ON LANGUAGE {trusted} FROM PUBLIC".encode())
        # The names come from PostgreSQL itself, as it quotes them.
        for wanted, statement in (
            (False, "REVOKE EXECUTE ON ROUTINE {} FROM"),
            (True, "GRANT EXECUTE ON ROUTINE {} TO"),
        ):
            names = ", ".join(name for name, should in routines if should == wanted)
            if names:
                connection.execute(f"{statement.format(names)} PUBLIC".encode())
    return True


def _quiet(connection: psycopg.Connection[Any]) -> None:
    """Sets what sessions of Atlas's database log, where it is not set so."""
    current = dict(connection.execute(queries("sqlgate/wall")["database_settings"]).fetchall())
    for setting, value in LOGGED.items():
        if current.get(setting) != value:
            name, wanted = sql.Identifier(connection.info.dbname), sql.Literal(value)
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), wanted))
