"""Restores a backup in one transaction: the old content is dropped, the dump is restored, and every table is compared.

pg_restore writes the dump as a script, which psql runs between statements of Atlas. Any error leaves the database
unchanged, and so does a table that differs from the manifest.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from psycopg import sql

from atlas.backup.dump import (
    CHECKSUM,
    CHUNK,
    DUMP,
    Connection,
    Manifest,
    TableState,
    connected,
    error_output,
    for_program,
    open_backup,
    program,
)
from atlas.db.database import MIGRATION_LOCK
from atlas.db.guard import SERVERS_LOCK
from atlas.db.migration_versions import known_migrations
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError, UnavailableError

# Entries that a restore leaves out: rights that every start of a server sets again, and that only a superuser may set.
# Also the extension TimescaleDB, which the server has or lacks, and the revocations on its functions.
_LEFT_OUT = (
    " ACL - LANGUAGE ",
    " ACL - SCHEMA public ",
    " ACL public FUNCTION ",
    " ACL public PROCEDURE ",
    " ACL public AGGREGATE ",
    " EXTENSION - timescaledb ",
    " EXTENSION timescaledb ",
    " timescaledb_",
    " _timescaledb_",
)
# Programs of PostgreSQL 17 and newer set a parameter that older servers do not know.
_NEW_SETTING, _NEW_SINCE = b"SET transaction_timeout = 0;\n", 170000
_LOCK_WAIT = "30s"


def read_backup(url: str, path: Path, *, replace: bool) -> Manifest:
    """Replaces the content of a database by a backup. Blocks. replace: existing data may be replaced.

    Raises BadRequestError for a damaged file, or a file of another kind or version. So do other connections, and
    existing data without `replace`.
    Raises UnavailableError when the database refuses. After any error nothing has changed.
    """
    with open_backup(path) as (archive, manifest), connected(url) as connection:
        connection.autocommit = True
        known = queries("backup/backup")
        unknown = set(manifest.migrations) - known_migrations()
        if unknown:
            raise BadRequestError("A backup of a newer Atlas", f"Atlas {manifest.atlas} made it; update first")
        # A server that starts meanwhile waits for this lock.
        connection.execute(known["lock_migrations"], {"lock": MIGRATION_LOCK})
        # A running server that has lost its connections stays out by this lock.
        alone = connection.execute(queries("db/guard")["restore"], {"lock": SERVERS_LOCK}).fetchone()
        if alone is None or not alone[0]:
            raise BadRequestError("The database is in use", "an Atlas server runs on it; stop every one first")
        others = connection.execute(known["other_sessions"]).fetchone()
        if others is not None and others[0]:
            raise BadRequestError("The database is in use", f"{others[0]} connections; stop every Atlas server first")
        organizations = _list_organization_schemas(connection)
        present = [str(row[0]) for row in connection.execute(known["schemas"])]
        strangers = (set(present) & set(manifest.schemas)) - {"public", "atlas", "atlas_jobs", *organizations}
        if (organizations or strangers) and not replace:
            raise BadRequestError("The database has data", "--force replaces it by the backup")
        server = connection.info.server_version
        members = [table.member for table in manifest.tables if table.member]
        before, after = _before(connection, manifest, organizations), _after(connection, manifest)
        _run(url, archive, before, members, after, server)
        connection.execute("ANALYZE")
    return manifest


def _list_organization_schemas(connection: Connection) -> list[str]:
    known = queries("backup/backup")
    there = connection.execute(known["has_catalog"]).fetchone()
    if there is None or not there[0]:
        return []
    return [str(row[0]) for row in connection.execute(known["organization_schemas"])]


def _before(connection: Connection, manifest: Manifest, organizations: Iterable[str]) -> bytes:
    """Builds the statements before the dump, which drop the old content and create the roles that the dump names."""
    names = {*organizations, *manifest.schemas, "atlas", "atlas_jobs"} - {"public"}
    statements: list[sql.Composable] = [
        sql.SQL("SET statement_timeout = 0"),
        sql.SQL("SET lock_timeout = {}").format(sql.Literal(_LOCK_WAIT)),
        sql.SQL("SET client_min_messages = warning"),
    ]
    statements += [sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)) for name in sorted(names)]
    statements += [
        sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(table.identifier)
        for table in manifest.tables
        if table.schema == "public"
    ]
    there = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role in manifest.roles:
        if role not in there:
            statements.append(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    owners = {f"{schema}_owner" for schema in manifest.schemas} & set(manifest.roles)
    statements += [sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)) for role in sorted(owners)]
    return _script(connection, statements)


def _after(connection: Connection, manifest: Manifest) -> bytes:
    """Builds the statements after the dump, which set owners and compare every table with the manifest."""
    known = queries("backup/backup")
    statements: list[sql.Composable] = [sql.SQL(known["owners"]), sql.SQL(known["settings"])]
    statements += [_comparison(table) for table in manifest.tables]
    if any(table.member for table in manifest.tables):
        statements.append(sql.SQL(known["thaw"]))
    return _script(connection, statements)


def _comparison(table: TableState) -> sql.Composable:
    """Builds a statement that fails when a restored table differs from the backup."""
    query = sql.SQL("DO {}").format(
        sql.Literal(
            sql.SQL(
                "BEGIN IF (SELECT (f.n, f.s) IS DISTINCT FROM ({rows}::bigint, {sum}::text) FROM ({query}) f (n, s))"
                " THEN RAISE EXCEPTION 'the restored table % differs from the backup', {name}; END IF; END"
            )
            .format(
                rows=sql.Literal(table.rows),
                sum=sql.Literal(table.checksum),
                query=sql.SQL(CHECKSUM).format(table.identifier),
                name=sql.Literal(f"{table.schema}.{table.name}"),
            )
            .as_string()
        )
    )
    return query


def _script(connection: Connection, statements: Iterable[sql.Composable]) -> bytes:
    return "".join(f"{statement.as_string(connection)};\n" for statement in statements).encode()


def _run(url: str, archive: zipfile.ZipFile, before: bytes, members: Iterable[str], after: bytes, server: int) -> None:
    """Runs the parts as one transaction in psql. members: files with the rows of tables whose rows the dump lacks."""
    conninfo, environment = for_program(url)
    command = [
        program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        "--file=-",
        f"--dbname={conninfo}",
    ]
    with _list_entries(archive) as entries, tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**environment, "PGCLIENTENCODING": "UTF8"},
        ) as process:
            assert process.stdin is not None
            try:
                process.stdin.write(before)
                _convert(archive, entries, process.stdin, server)
                for member in members:
                    _append(archive, member, process.stdin)
                process.stdin.write(after)
                process.stdin.close()
            except BrokenPipeError:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
            except BaseException:
                # The transaction ends with the connection, before psql sees the end of the script.
                process.kill()
                raise
        if process.returncode:
            raise UnavailableError("The backup could not be restored; nothing has changed", error_output(errors))


def _convert(archive: zipfile.ZipFile, entries: str, target: IO[bytes], server: int) -> None:
    """Writes the dump as a script. Raises BadRequestError for a damaged file."""
    command = [program("pg_restore"), "--no-owner", f"--use-list={entries}", "--file=-"]
    failures: list[Exception] = []
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            feeder = threading.Thread(target=_feed, args=(archive, process.stdin, failures), name="backup-feed")
            feeder.start()
            try:
                first = process.stdout.read(CHUNK)
                target.write(first.replace(_NEW_SETTING, b"") if server < _NEW_SINCE else first)
                shutil.copyfileobj(process.stdout, target, CHUNK)
            except BaseException:
                process.kill()
                raise
            finally:
                feeder.join()
        if failures or process.returncode:
            reason = str(failures[0]) if failures else error_output(errors)
            raise BadRequestError("The backup is damaged; nothing has changed", reason)


def _append(archive: zipfile.ZipFile, member: str, target: IO[bytes]) -> None:
    """Writes one file of a backup. Raises BadRequestError for a damaged file."""
    try:
        with archive.open(member) as source:
            shutil.copyfileobj(source, target, CHUNK)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise BadRequestError("The backup is damaged; nothing has changed", str(error)) from None


def _feed(archive: zipfile.ZipFile, target: IO[bytes], failures: list[Exception]) -> None:
    """Copies the dump to a program, up to its end, where the zip's own checksum is compared."""
    try:
        with archive.open(DUMP) as source, target:
            shutil.copyfileobj(source, target, CHUNK)
    except BrokenPipeError:
        return
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        failures.append(error)


@contextlib.contextmanager
def _list_entries(archive: zipfile.ZipFile) -> Iterator[str]:
    """Yields the path of a list of the dump's entries to restore."""
    with tempfile.TemporaryDirectory(prefix="atlas-") as folder:
        found, wanted = Path(folder) / "all", Path(folder) / "wanted"
        failures: list[Exception] = []
        options: dict[str, Any] = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with found.open("wb") as output:
            with subprocess.Popen([program("pg_restore"), "--list"], stdout=output, **options) as process:
                assert process.stdin is not None
                _feed(archive, process.stdin, failures)
            if process.returncode or failures:
                raise BadRequestError("The backup is damaged", "its list of contents cannot be read")
        lines = found.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (line for line in lines if not any(left in line for left in _LEFT_OUT))
        wanted.write_text("".join(kept), encoding="utf-8")
        yield str(wanted)
