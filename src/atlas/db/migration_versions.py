"""The migrations that this version has, and the migrations that a database has had."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg

import atlas
from atlas.db.named_queries import queries
from atlas.errors import AtlasError


class NewerDatabaseError(AtlasError):
    """A newer Atlas has migrated the database, so this Atlas must not use it."""

    status = 503

    def __init__(self, unknown: frozenset[str]) -> None:
        super().__init__(
            "The database belongs to a newer Atlas",
            f"its migration {max(unknown)} is unknown to Atlas {atlas.__version__}; update this server",
        )


@cache
def known_migrations() -> frozenset[str]:
    """Returns names of the migrations that this version has."""
    folder = resources.files("atlas.db") / "migrations"
    return frozenset(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".sql"))


def applied_migrations(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """Returns names of the migrations that a database has had; an empty set for an empty database."""
    known = queries("db/versions")
    row = connection.execute(known["has_migrations"]).fetchone()
    if row is None or not row[0]:
        return frozenset()
    return frozenset(str(one) for (one,) in connection.execute(known["migrations"]))


def refuse_newer(connection: psycopg.Connection[Any]) -> None:
    """Raises NewerDatabaseError where a newer Atlas has migrated the database."""
    unknown = applied_migrations(connection) - known_migrations()
    if unknown:
        raise NewerDatabaseError(unknown)
