"""Checks the catalog's figures of datasets and tables against the rows, without changes.

Each dataset and table is read in one snapshot, so servers may write meanwhile. Every row is read once or twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from atlas.backup.dump import Connection, connected
from atlas.consistency import packed
from atlas.db.named_queries import queries
from atlas.kit.plurals import many
from atlas.timeseries.repository import cold_of, history_of, readable_of, rollup_of, series_of
from atlas.timeseries.rollups import levels
from atlas.timeseries.rollups.maintenance import bucket_start
from atlas.timeseries.zone_map import Block

# Row numbers in a finding.
EXAMPLES = 20
# Timestamps that the API cannot read or write, because a `datetime` of Python in UTC cannot hold them.
_OUTSIDE = sql.SQL("(ts < '0001-01-01 00:00:00+00' OR ts > '9999-12-31 23:59:59.999999+00')")
_Look = Callable[[Connection, list["Finding"], int], int]
_MICROS = "CASE WHEN isfinite({t}) THEN (extract(epoch FROM {t}) * 1000000)::bigint END"


@dataclass(frozen=True, slots=True)
class Finding:
    """An inconsistency. rows: the first few numbers of affected rows."""

    subject: str
    problem: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The extent of a check, and its findings. rows: of datasets and tables, including archived rows."""

    datasets: int
    tables: int
    rows: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A dataset in the catalog. packed: number of packed rows, or None for a dataset without a record of
    packed rows.
    """

    id: int
    name: str
    schema: str
    last_seq: int | None
    row_count: int | None
    cold: bool | None
    packed: int | None
    legacy: bool
    columnstore: bool
    width: int | None
    upto: int | None

    @property
    def subject(self) -> str:
        return f"dataset {self.id} ({self.name})"

    @property
    def plain(self) -> sql.Identifier:
        """The relation of all rows that are not in chunks."""
        return readable_of(self.schema, self.id, cold=bool(self.cold), legacy=self.legacy)

    @property
    def table(self) -> sql.Composable:
        """A relation of all rows, by number and time."""
        if not self.cold:
            return self.plain
        query = "(SELECT _seq, ts FROM {} UNION ALL SELECT _seq, ts FROM {}) AS everything"
        return sql.SQL(query).format(self.plain, packed.UNPACKED)


class _Run(NamedTuple):
    """Rows of a dataset from the first number of a row block to that of the next block.

    Times are microseconds since 1970.
    """

    block: int
    rows: int
    numbers: int
    first_seq: int
    last_seq: int
    min_ts: int | None
    max_ts: int | None
    outside: int


def check(url: str) -> Report:
    """Checks all datasets and tables. Blocks.

    Raises UnavailableError: when the database cannot be reached.
    """
    findings: list[Finding] = []
    rows = 0
    known = queries("consistency/consistency")
    with connected(url) as connection:
        connection.autocommit = True
        datasets = [row[0] for row in connection.execute(known["dataset_ids"])]
        tables = [row[0] for row in connection.execute(known["table_ids"])]
        for dataset_id in datasets:
            rows += _collect(connection, findings, _check_dataset, dataset_id, "dataset")
        for table_id in tables:
            rows += _collect(connection, findings, _check_table, table_id, "table")
        unanswered = _one(connection, known["unanswered_keys"])[0]
        if unanswered:
            findings.append(Finding("idempotency keys", f"{unanswered} have no answer"))
    return Report(len(datasets), len(tables), rows, tuple(findings))


def _collect(connection: Connection, findings: list[Finding], look: _Look, number: int, kind: str) -> int:
    """Adds the findings on a dataset or table, and returns its number of rows."""
    known = queries("consistency/consistency")
    try:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(known["settings"])
            return look(connection, findings, number)
    except psycopg.errors.UndefinedTable as error:
        # A snapshot still lists a table that another session has dropped since. A second query shows whether it is
        # gone.
        row = connection.execute(known[kind], {"id": number}).fetchone()
        if row is not None:
            findings.append(Finding(f"{kind} {number} ({row[0]})", f"a table is missing: {error.diag.message_primary}"))
        return 0


def _one(connection: Connection, query: Any, **parameters: Any) -> tuple[Any, ...]:
    row = connection.execute(query, parameters or None).fetchone()
    assert row is not None
    return tuple(row)


def _check_dataset(connection: Connection, findings: list[Finding], dataset_id: int) -> int:
    known = queries("consistency/consistency")
    row = connection.execute(known["dataset"], {"id": dataset_id}).fetchone()
    if row is None:
        return 0
    dataset = _Dataset(dataset_id, *row)
    if dataset.last_seq is None:
        findings.append(Finding(dataset.subject, "it has no state"))
        return 0
    if dataset.cold != (dataset.packed is not None):
        told = "its state and its record of packed rows do not agree on whether there are any"
        findings.append(Finding(dataset.subject, told))
        return dataset.row_count or 0
    if dataset.cold:
        problems = packed.unpack(connection, dataset.schema, dataset_id)
        findings += [Finding(dataset.subject, problem) for problem in problems]
    blocks = [Block(*one) for one in connection.execute(known["blocks"], {"id": dataset_id})]
    runs = _runs(connection, dataset, blocks)
    findings += [Finding(dataset.subject, problem) for problem in _problems(dataset, blocks, runs)]
    for look in (_outside, _packed, _rollup, _columns, _series, _history):
        findings += look(connection, dataset, runs)
    return sum(run.rows for run in runs)


def _runs(connection: Connection, dataset: _Dataset, blocks: list[Block]) -> list[_Run]:
    """Summarizes the rows by block. Block 0 stands for rows before the first block."""
    query = sql.SQL(
        "SELECT block, count(*), count(DISTINCT _seq), min(_seq), max(_seq), {low}, {high},"
        " count(*) FILTER (WHERE {outside}) FROM (SELECT width_bucket(_seq, {firsts}::bigint[]) AS block, _seq, ts"
        " FROM {table}) AS r GROUP BY block ORDER BY block"
    ).format(
        low=sql.SQL(_MICROS.format(t="min(ts)")),
        high=sql.SQL(_MICROS.format(t="max(ts)")),
        outside=_OUTSIDE,
        firsts=sql.Literal([block.first_seq for block in blocks] or [1]),
        table=dataset.table,
    )
    return [_Run(*row) for row in connection.execute(query)]


def _problems(dataset: _Dataset, blocks: list[Block], runs: list[_Run]) -> Iterator[str]:
    """Yields differences between state, row blocks and rows."""
    rows = sum(run.rows for run in runs)
    last = max((run.last_seq for run in runs), default=0)
    if rows != dataset.row_count:
        yield f"it has {many(rows, 'row')}, and its state says {dataset.row_count}"
    if last > (dataset.last_seq or 0):
        yield f"its greatest row number is {last}, and its state says {dataset.last_seq}"
    if doubled := sum(run.rows - run.numbers for run in runs):
        yield f"{many(doubled, 'row has', 'rows have')} the number of another"
    found = {run.block: run for run in runs}
    if 0 in found or not blocks:
        lost = found[0].rows if 0 in found else rows
        if lost:
            yield f"{many(lost, 'row is', 'rows are')} in no row block"
    for number, block in enumerate(blocks, 1):
        run = found.get(number)
        if run is None:
            yield f"the row block from {block.first_seq} on has no rows, and says {block.rows}"
        elif run.last_seq > block.last_seq:
            yield f"rows after {block.last_seq} are in no row block"
        elif (run.rows, run.min_ts, run.max_ts) != (block.rows, block.min_ts, block.max_ts):
            yield (
                f"the row block from {block.first_seq} on says {many(block.rows, 'row')} from {block.min_ts}"
                f" to {block.max_ts} (microseconds since 1970), and has {run.rows} from {run.min_ts} to {run.max_ts}"
            )


def _outside(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    """Yields a finding on rows with timestamps that no answer can hold."""
    count = sum(run.outside for run in runs)
    if not count:
        return
    query = sql.SQL("SELECT _seq, ts::text FROM {} WHERE {} ORDER BY _seq LIMIT {}")
    rows = connection.execute(query.format(dataset.table, _OUTSIDE, sql.Literal(EXAMPLES))).fetchall()
    outside = many(count, "row has a timestamp", "rows have timestamps")
    problem = f"{outside} outside of the years 1 to 9999, such as {rows[0][1]}"
    yield Finding(dataset.subject, problem, tuple(row[0] for row in rows))


def _packed(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    """Yields findings on the number of packed rows."""
    if dataset.packed is None:
        return
    (count,) = _one(connection, packed.count(dataset.schema, dataset.id))
    if dataset.legacy:
        cell = "count(*)" if dataset.columnstore else "coalesce(sum(rows), 0)::bigint"
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(cell), cold_of(dataset.schema, dataset.id))
        count += _one(connection, query)[0]
    if count != dataset.packed:
        yield Finding(dataset.subject, f"{count} of its rows are packed, and the catalog says {dataset.packed}")


def _rollup(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    """Yields findings on every level of the rollup: the number of rows in each bucket."""
    if not dataset.width:
        return
    for width in levels.levels(dataset.width):
        query = sql.SQL(
            "SELECT count(*), min(coalesce(a.start, b.start))::text FROM"
            " (SELECT start, rows FROM {rollup} WHERE width = {width} AND rows > 0) a FULL JOIN"
            " (SELECT {start} AS start, count(*) AS rows FROM {table} WHERE _seq <= {upto} AND isfinite(ts)"
            " GROUP BY 1) b ON a.start = b.start WHERE a.rows IS DISTINCT FROM b.rows"
        ).format(
            rollup=rollup_of(dataset.schema, dataset.id),
            width=sql.Literal(width),
            start=bucket_start(width, "ts"),
            table=dataset.table,
            upto=sql.Literal(dataset.upto),
        )
        wrong, first = _one(connection, query)
        if wrong:
            yield Finding(
                dataset.subject, f"{wrong} buckets of its rollup by {width} s are wrong, the first at {first}"
            )


def _columns(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    parameters = {"id": dataset.id, "relation": dataset.plain.as_string()}
    for (name,) in connection.execute(queries("consistency/consistency")["missing_columns"], parameters).fetchall():
        yield Finding(dataset.subject, f"its table has no column for {name!r}")


def _series(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    """Yields findings on the table of each series' latest row."""
    found = connection.execute(queries("consistency/consistency")["series_keys"], {"id": dataset.id}).fetchall()
    keys = [name for (name,) in found]
    if not keys or None in keys:
        return
    series = series_of(dataset.schema, dataset.id)
    # Without the keys of packed rows, only whether each row is there can be seen.
    query = sql.SQL(
        "SELECT count(*) FROM {series} s WHERE NOT EXISTS"
        " (SELECT FROM (SELECT _seq, ts FROM {table}) t WHERE t._seq = s._seq AND t.ts = s.ts)"
    )
    if not dataset.cold:
        query = sql.SQL(
            "SELECT count(*) FROM (SELECT DISTINCT ON ({keys}) _seq FROM {table} ORDER BY {keys}, ts DESC, _seq DESC) a"
            " FULL JOIN {series} s ON a._seq = s._seq WHERE a._seq IS NULL OR s._seq IS NULL"
        )
    names = sql.SQL(", ").join(map(sql.Identifier, keys))
    (wrong,) = _one(connection, query.format(series=series, table=dataset.table, keys=names))
    if wrong:
        yield Finding(
            dataset.subject, f"{many(wrong, 'latest row')} of its series {'is' if wrong == 1 else 'are'} wrong"
        )


def _history(connection: Connection, dataset: _Dataset, runs: list[_Run]) -> Iterator[Finding]:
    """Yields findings on replaced rows: each is gone from the rows, and was replaced by a row that was written."""
    history = history_of(dataset.schema, dataset.id)
    if _one(connection, queries("consistency/consistency")["relation"], relation=history.as_string()) == (None,):
        return
    query = sql.SQL(
        "SELECT count(*) FROM {history} h WHERE NOT (h._seq BETWEEN 1 AND h._high_seq AND h._high_seq <= {last})"
        " OR (h._seq < h._high_seq AND EXISTS (SELECT FROM (SELECT _seq FROM {table}) t WHERE t._seq = h._seq))"
    )
    (wrong,) = _one(connection, query.format(history=history, table=dataset.table, last=dataset.last_seq))
    if wrong:
        yield Finding(
            dataset.subject, f"{many(wrong, 'replaced row')} of its history {'is' if wrong == 1 else 'are'} wrong"
        )


def _check_table(connection: Connection, findings: list[Finding], table_id: int) -> int:
    known = queries("consistency/consistency")
    row = connection.execute(known["table"], {"id": table_id}).fetchone()
    if row is None:
        return 0
    name, schema, row_count, last_row = row
    subject, relation = f"table {table_id} ({name})", sql.Identifier(schema, f"_table_{table_id}")
    query = sql.SQL(
        "SELECT count(*), count(*) FILTER (WHERE _archived IS NULL), count(DISTINCT _row), coalesce(max(_row), 0)"
        " FROM {}"
    ).format(relation)
    rows, shown, numbers, last = _one(connection, query)
    problems = []
    if shown != row_count:
        problems.append(f"it has {shown} rows, and the catalog says {row_count}")
    if numbers != rows:
        problems.append(f"{many(rows - numbers, 'row has', 'rows have')} the number of another")
    if last > last_row:
        problems.append(f"its greatest row number is {last}, and the catalog says {last_row}")
    parameters = {"id": table_id, "relation": relation.as_string()}
    missing = connection.execute(known["missing_table_columns"], parameters).fetchall()
    problems += [f"it has no column {column!r}" for (column,) in missing]
    findings += [Finding(subject, problem) for problem in problems]
    findings += _half_done(connection, subject, relation)
    return int(rows)


def _half_done(connection: Connection, subject: str, relation: sql.Identifier) -> Iterator[Finding]:
    """Yields findings on rows of imports without a success. An import commits its rows together with its success."""
    query = sql.SQL(
        "SELECT coalesce(i.public_id::text, 'one that is gone'), coalesce(i.status, 'gone'), count(*),"
        " (array_agg(_row))[1:{most}] FROM {table} t LEFT JOIN atlas.imports i ON i.number = t._import"
        " WHERE i.number IS NULL OR i.status IN ('pending', 'running', 'failed') GROUP BY 1, 2 ORDER BY 1"
    ).format(most=sql.Literal(EXAMPLES), table=relation)
    for import_id, status, count, rows in connection.execute(query).fetchall():
        yield Finding(
            subject, f"{many(count, 'row is', 'rows are')} of the import {import_id}, which is {status}", tuple(rows)
        )
