"""What must hold once all is quiet: rows, imports, jobs, catalog, backup."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from atlas.consistency import repository as consistency
from atlas.db.embedded import EmbeddedPostgres
from faulting.ledger import Import, Ledger
from faulting.traffic import TABLES, Traffic
from faulting.world import ATLAS, World

OPEN = ("pending", "running")


def wait_for_jobs(world: World, ledger: Ledger, seconds: float) -> int:
    """Waits until every import has ended and every webhook has come; gives how many have not after so long."""
    end = time.monotonic() + seconds
    while True:
        with world.connect() as connection:
            left = len(unfinished(connection, ledger))
        if not left or time.monotonic() > end:
            return left
        time.sleep(1)


def unfinished(connection: psycopg.Connection, ledger: Ledger) -> list[str]:
    """Imports that are under way, and accepted ones whose webhook has not come."""
    known = _imports(connection)
    left = [key for key, row in known.items() if row["status"] in OPEN]
    for one in ledger.imports:
        row = known.get(one.import_id)
        # Rows of the catalog are what counts: an import whose answer was lost was accepted as well.
        if one.asynchronous and row is not None and row["status"] not in OPEN and not ledger.hooks[one.tag]:
            left.append(one.import_id)
    return left


def _imports(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    names = ("status", "error", "table", "inserted", "jobs")
    found = connection.execute(
        "SELECT i.public_id::text, i.status, i.error, i.table_name, i.inserted, (SELECT count(*) FROM"
        " atlas_jobs.procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND (j.args ->> 'import_id' = i.id::text"
        " OR j.args ->> 'delivery_id' IN (SELECT d.id::text FROM atlas.webhook_deliveries d WHERE d.import_id = i.id)))"
        " FROM atlas.imports i"
    ).fetchall()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}


def check_all(world: World, ledger: Ledger, traffic: Traffic, *, patient: bool) -> Counter[str]:
    """Compares the database with the ledger. patient: whether every job has had the time that it may take."""
    with world.connect() as connection:
        for dataset in traffic.datasets:
            _check_dataset(connection, ledger, dataset)
        (packed,) = _one(connection, "SELECT coalesce(sum(rows), 0)::bigint FROM atlas.cold")
        print(f"checked; {packed:,} of the rows are packed", flush=True)
        ended = _check_imports(connection, ledger, patient=patient)
        _check_tables(connection, ledger)
    for found in consistency.check(world.url_of_database()).findings:
        ledger.violate(f"{found.subject}: {found.problem}")
    return ended


def _one(connection: psycopg.Connection, query: sql.Composable | str, *values: Any) -> tuple[Any, ...]:
    found = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
    assert found is not None
    return found


def _check_dataset(connection: psycopg.Connection, ledger: Ledger, dataset: int) -> None:
    (schema,) = _one(connection, "SELECT table_schema FROM atlas.datasets WHERE id = %s", dataset)
    columns = connection.execute(
        "SELECT name, physical FROM atlas.dataset_columns WHERE dataset_id = %s AND name IN ('w', 'n')", (dataset,)
    ).fetchall()
    physical = dict(columns)
    name = _one(
        connection,
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s"
        " AND relkind IN ('r', 'v') AND relname = 'dataset_' || %s",
        schema,
        str(dataset),
    )[0]
    table = sql.Identifier(schema, name)
    query = sql.SQL("SELECT {}, {}, count(*) FROM {} GROUP BY 1, 2").format(
        sql.Identifier(physical["w"]), sql.Identifier(physical["n"]), table
    )
    found = {(w, n): count for w, n, count in connection.execute(query).fetchall()}
    wanted = {(w, n) for w, numbers in ledger.acknowledged[dataset].items() for n in numbers}
    if lost := wanted - found.keys():
        ledger.violate(f"dataset {dataset}: {len(lost)} acknowledged rows are lost, such as {min(lost)}")
    if alien := found.keys() - wanted:
        ledger.violate(f"dataset {dataset}: {len(alien)} rows were never acknowledged, such as {min(alien)}")
    if doubled := [key for key, count in found.items() if count > 1]:
        ledger.violate(f"dataset {dataset}: {len(doubled)} rows are doubled, such as {min(doubled)}")
    _check_catalog(connection, ledger, dataset, table, schema)


def _check_catalog(
    connection: psycopg.Connection, ledger: Ledger, dataset: int, table: sql.Identifier, schema: str
) -> None:
    """State, row blocks and rollups against the rows."""
    rows = _one(
        connection, sql.SQL("SELECT count(*), coalesce(max(_seq), 0), count(DISTINCT _seq) FROM {}").format(table)
    )
    state = _one(connection, "SELECT row_count, last_seq FROM atlas.dataset_state WHERE dataset_id = %s", dataset)
    blocks = _one(
        connection,
        "SELECT coalesce(sum(row_count), 0)::bigint, coalesce(max(last_seq), 0) FROM atlas.row_blocks"
        " WHERE dataset_id = %s",
        dataset,
    )
    if len({(rows[0], rows[1]), state, blocks}) != 1 or rows[2] != rows[0]:
        ledger.violate(f"dataset {dataset}: rows {rows}, state {state} and blocks {blocks} (count, last) differ")
    wrong = _one(
        connection,
        sql.SQL(
            "SELECT count(*) FROM atlas.row_blocks b WHERE b.dataset_id = {} AND (b.row_count, b.min_ts, b.max_ts) IS"
            " DISTINCT FROM (SELECT (count(*), (extract(epoch FROM min(ts)) * 1000000)::bigint,"
            " (extract(epoch FROM max(ts)) * 1000000)::bigint) FROM {} WHERE _seq BETWEEN b.first_seq AND b.last_seq)"
        ).format(sql.Literal(dataset), table),
    )[0]
    if wrong:
        ledger.violate(f"dataset {dataset}: {wrong} row blocks do not describe their rows")
    rollup = connection.execute("SELECT width, upto FROM atlas.rollups WHERE dataset_id = %s", (dataset,)).fetchone()
    if rollup is not None and rollup[0]:
        stored = sql.Identifier(schema, f"_rollup_{dataset}")
        query = sql.SQL("SELECT width, sum(rows)::bigint FROM {} GROUP BY 1").format(stored)
        for width, counted in connection.execute(query).fetchall():
            if counted != rollup[1]:
                ledger.violate(f"dataset {dataset}: a rollup of {counted} of {rollup[1]} rows at {width} s")


def _check_imports(connection: psycopg.Connection, ledger: Ledger, *, patient: bool) -> Counter[str]:
    """Every import ended, or has a job; its rows are all there or none; its webhook came."""
    known = _imports(connection)
    ended: Counter[str] = Counter()
    for one in ledger.imports:
        row = known.get(one.import_id)
        kind = "asynchronous" if one.asynchronous else "synchronous"
        if row is None:
            ended[f"{kind}, never begun"] += 1
            if one.accepted:
                ledger.violate(f"an accepted {kind} import is gone: {one}")
            continue
        ended[f"{kind}, {row['status']}"] += 1
        _check_import(ledger, one, row, patient=patient)
    return ended


def _check_import(ledger: Ledger, one: Import, row: dict[str, Any], *, patient: bool) -> None:
    if one.acknowledged and row["status"] != "success":
        ledger.violate(f"an import was answered as done, but is {row}")
    if row["error"]:
        ledger.look("the error of an import", row["error"])
        if row["error"] == "internal error":
            ledger.violate(f"an import failed by an internal error: {one}")
        elif one.asynchronous:
            ledger.violate(f"an accepted import failed: {row['error']}")
    unfinished = row["status"] in OPEN
    if unfinished and patient:
        ledger.violate(f"an import has not ended: {one}, {row}")
    if one.asynchronous and not unfinished and not ledger.hooks[one.tag] and (patient or not row["jobs"]):
        ledger.violate(f"no webhook of an import that has ended: {one}, {row}")


def _check_tables(connection: psycopg.Connection, ledger: Ledger) -> None:
    known = _imports(connection)
    for table in TABLES:
        number, counted, schema = _one(
            connection,
            "SELECT t.id, t.row_count, o.schema_name FROM atlas.tables t JOIN atlas.organizations o"
            " ON o.id = t.organization_id WHERE t.name = %s",
            table,
        )
        name = sql.Identifier(schema, f"_table_{number}")
        (rows,) = _one(connection, sql.SQL("SELECT count(*) FROM {}").format(name))
        if rows != counted:
            ledger.violate(f"table {table}: {rows} rows, row_count is {counted}")
        found = dict(connection.execute(sql.SQL("SELECT tag, count(*) FROM {} GROUP BY 1").format(name)).fetchall())
        for one in ledger.imports:
            if one.table == table:
                row = known.get(one.import_id)
                wanted = one.rows if row is not None and row["status"] == "success" else 0
                if found.get(one.tag, 0) != wanted:
                    ledger.violate(f"{found.get(one.tag, 0)} of {wanted} rows of {one}, {row}")


def connections(world: World) -> int:
    """Connections to the database, without the harness's own."""
    with world.connect() as connection:
        return (
            int(_one(connection, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")[0]) - 1
        )


def check_backup(world: World, ledger: Ledger) -> str:
    """Backs up, restores into a new folder, and compares every table with a checksum of the harness's own."""
    with tempfile.TemporaryDirectory(prefix="atlas-backup-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "backup.zip"
        _admin("backup", str(file), "--data-dir", str(world.data))
        with EmbeddedPostgres(world.data).join() as url:
            before = contents(url)
        _admin("restore", str(file), "--data-dir", str(folder / "data"))
        with EmbeddedPostgres(folder / "data").serve() as url:
            after = contents(url)
        differing = sorted(t for t in before.keys() | after.keys() if before.get(t) != after.get(t))
        if differing:
            ledger.violate(f"the restored backup differs in {', '.join(differing)}")
        rows = sum(count for count, _ in before.values())
        return f"{len(before)} tables, {rows:,} rows, {file.stat().st_size / 2**20:.1f} MiB"


def _admin(*command: str) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
    subprocess.run([str(ATLAS), "admin", *command], check=True, env=variables, stdout=subprocess.DEVNULL)


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Number of rows and an order-free checksum of each table."""
    tables = (
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'"
    )
    query = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 7)), 0)::text FROM {} t"
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{table}": _one(connection, sql.SQL(query).format(sql.Identifier(schema, table)))  # type: ignore[misc]
            for schema, table in connection.execute(tables).fetchall()
        }


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long a block took."""
    begun = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - begun:.1f} s", flush=True)
