"""Writes a backup: one zip file with a dump of the database, and a manifest of its tables.

The dump and the manifest's checksums come from one snapshot, so both show the same moment while writes go on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import atlas
from atlas.db.named_queries import queries
from atlas.db.postgres_programs import binary
from atlas.errors import UNREACHABLE, BadRequestError, UnavailableError

FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"
CHUNK = 1 << 20
# Attempts of a dump, which fails when a table is dropped or changed between the snapshot and pg_dump's lock.
ATTEMPTS = 3
# The checksum of a table is the sum of 64 bits of each row's MD5, so that the order of rows does not count.
CHECKSUM = (
    "SELECT count(*), coalesce(sum(('x' || substr(md5((r.*)::text), 1, 16))::bit(64)::bigint), 0)::text FROM {} r"
)
# TimescaleDB's own schemas. Hypertables are dumped without their chunks, and their rows follow after the dump.
_TIMESCALEDB = ("--exclude-schema=_timescaledb*", "--exclude-schema=timescaledb_*")

Connection = psycopg.Connection[Any]


class TableState(msgspec.Struct, frozen=True):
    """A table at the moment of the backup. member: the file with its rows, when the dump does not hold them."""

    schema: str
    name: str
    rows: int
    checksum: str
    member: str = ""

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


class Manifest(msgspec.Struct, frozen=True):
    """The content of a backup. postgres: the server's version, as in 180006. roles: roles that a restore creates."""

    format: int
    atlas: str
    postgres: int
    made_at: str
    migrations: list[str]
    schemas: list[str]
    roles: list[str]
    tables: list[TableState]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def write_backup(url: str, path: Path) -> Manifest:
    """Backs up the database to a new file, while other sessions read and write. Blocks.

    Raises UnavailableError when the database cannot be reached or dumped.
    Raises OSError when the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                manifest = _write(url, part)
                break
            except UnavailableError:
                if attempt == ATTEMPTS:
                    raise
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(url: str, part: Path) -> Manifest:
    with connected(url) as connection, _private(part) as file:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        known = queries("backup/backup")
        connection.execute(known["settings"])
        snapshot = str(_fetch_value(connection, known["snapshot"]))
        manifest = _describe(connection)
        names = [(str(schema), str(name)) for schema, name in connection.execute(known["tables"])]
        members = {name: f"rows/{number}.sql" for number, name in enumerate(_list_hypertables(connection), 1)}
        # The exclusion leaves out Atlas's revocations on PostgreSQL's own functions, which each start repeats.
        arguments = ["--format=custom", "--compress=1", f"--snapshot={snapshot}", "--exclude-schema=pg_catalog"]
        if members:
            arguments += _TIMESCALEDB
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            ThreadPoolExecutor(1) as threads,
        ):
            sums = threads.submit(_compute_checksums, connection, names)
            try:
                compressed_already = zipfile.ZipInfo(DUMP)
                compressed_already.external_attr = 0o600 << 16
                with archive.open(compressed_already, "w", force_zip64=True) as file_in_zip:
                    _dump(url, arguments, file_in_zip)
            except BaseException:
                connection.cancel()
                raise
            tables = [
                msgspec.structs.replace(one, member=members.get((one.schema, one.name), "")) for one in sums.result()
            ]
            for name, member in members.items():
                with archive.open(member, "w", force_zip64=True) as file_in_zip:
                    _copy(connection, sql.Identifier(*name), file_in_zip)
            manifest = msgspec.structs.replace(manifest, tables=tables)
            archive.writestr(MANIFEST, msgspec.json.encode(manifest))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _describe(connection: Connection) -> Manifest:
    known = queries("backup/backup")
    return Manifest(
        format=FORMAT,
        atlas=atlas.__version__,
        postgres=connection.info.server_version,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        migrations=[str(row[0]) for row in connection.execute(known["migrations"])],
        schemas=[str(row[0]) for row in connection.execute(known["schemas"])],
        roles=[str(row[0]) for row in connection.execute(known["roles"])],
        tables=[],
    )


def _compute_checksums(connection: Connection, names: list[tuple[str, str]]) -> list[TableState]:
    found = []
    for schema, name in names:
        row = connection.execute(sql.SQL(CHECKSUM).format(sql.Identifier(schema, name))).fetchone()
        assert row is not None
        found.append(TableState(schema, name, *row))
    return found


def _list_hypertables(connection: Connection) -> list[tuple[str, str]]:
    known = queries("backup/backup")
    if not _fetch_value(connection, known["has_hypertables"]):
        return []
    return [(str(schema), str(name)) for schema, name in connection.execute(known["hypertables"])]


def _copy(connection: Connection, table: sql.Identifier, target: IO[bytes]) -> None:
    """Writes a table's rows in the form that psql reads."""
    target.write(sql.SQL("COPY {} FROM stdin;\n").format(table).as_bytes(connection))
    with connection.cursor().copy(sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(table)) as rows:
        for part in rows:
            target.write(part)
    target.write(b"\\.\n")


def _dump(url: str, arguments: list[str], target: IO[bytes]) -> None:
    conninfo, environment = for_program(url)
    with tempfile.TemporaryFile() as errors:
        command = [program("pg_dump"), *arguments, f"--dbname={conninfo}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as process:
            assert process.stdout is not None
            try:
                shutil.copyfileobj(process.stdout, target, CHUNK)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise UnavailableError("The backup failed", error_output(errors))


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Opens a backup, and yields its file and manifest. Raises BadRequestError for another or truncated file."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise BadRequestError("No such backup", str(path)) from None
    except (zipfile.BadZipFile, OSError) as error:
        raise BadRequestError("Not a backup of Atlas, or one that is cut off", f"{path}: {error}") from None
    with archive:
        try:
            archive.getinfo(DUMP)
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
        except (KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
            raise BadRequestError("Not a backup of Atlas", f"{path}: {error}") from None
        if manifest.format != FORMAT:
            raise BadRequestError("A backup of another version of Atlas", f"{path}: format {manifest.format}")
        yield archive, manifest


@contextlib.contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Opens a separate connection. Raises UnavailableError when the server cannot be reached."""
    try:
        connection = psycopg.connect(url)
    except psycopg.OperationalError as error:
        raise UnavailableError(UNREACHABLE[0], str(error).split("\n", 1)[0]) from None
    with connection:
        yield connection


def _fetch_value(connection: Connection, query: Any, **parameters: Any) -> Any:
    row = connection.execute(query, parameters or None).fetchone()
    assert row is not None
    return row[0]


def program(name: str) -> str:
    """Returns the path of a PostgreSQL program: the embedded version's, else the system's. Raises UnavailableError."""
    with contextlib.suppress(RuntimeError):
        if binary(name).exists():
            return str(binary(name))
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(f"{name} is missing", "install PostgreSQL's client programs")
    return found


def for_program(url: str) -> tuple[str, dict[str, str]]:
    """Returns the connection string and environment for a program.

    The password is in the environment, so that lists of processes do not show it.
    """
    parameters: dict[str, Any] = conninfo_to_dict(url)
    environment = dict(os.environ)
    password = parameters.pop("password", None)
    if password:
        environment["PGPASSWORD"] = str(password)
    # Programs before PostgreSQL 16 refuse a connection string with require_auth.
    methods = parameters.pop("require_auth", None)
    if methods:
        environment["PGREQUIREAUTH"] = str(methods)
    return make_conninfo(**parameters), environment


def error_output(errors: IO[bytes]) -> str:
    """Returns the first 2,000 bytes that a program wrote to standard error."""
    errors.seek(0)
    return errors.read(2000).decode(errors="replace").strip() or "it gave no reason"


@contextlib.contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """Creates a new file that only its owner may read."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "w+b") as file:
        yield file
