"""Rollups in the background: creation, updates, and repairs after rows are deleted. See levels.py.

A rollup holds the rows numbered up to `upto`. Newer rows are read as rows, so inserts do nothing for the rollup. Rows
are added in order of their numbers: values of later batches join the stored values, whatever their times are.

No statement rewrites a table, because a reader with an older snapshot would see an empty table. Therefore a column that
becomes float gets new columns beside the old columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg
import structlog
from psycopg import sql

from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries.cold import unpacking
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.cold.unpacking import Place
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.repository import columns_of, rollup_of, time_literal
from atlas.timeseries.rollups import levels as core
from atlas.timeseries.rollups.calendars import Grid, Width
from atlas.timeseries.zone_map import Range

# Rows added in one transaction: about a quarter of a second, for which a change of columns may have to wait.
BATCH_ROWS = 200_000
# Runs of rows that measure how dense a dataset is.
RUNS, RUN_ROWS = 8, 4_096
# Growth of the number of rows after which the width is checked again.
GROWTH = 1.5
# Up to this number, buckets take little space, and their density predicts little.
FEW_BUCKETS = 100

ORIGIN = sql.SQL("'2000-01-03Z'")
# Two thousand years in seconds: more than the time from the year 1 to ORIGIN, a quarter of the time after ORIGIN.
_MILLENNIA = 2000 * 366 * 86_400
_VALUES = ("lo", "hi", "s", "f", "l")
_TYPES = {"n": "bigint", "ft": "timestamptz", "lt": "timestamptz"}
# Parts of a column {c} from rows, and from parts of narrower buckets.
FROM_ROWS = {
    "n": "count({c})",
    "lo": "min({c})",
    "hi": "max({c})",
    "s": "sum({c})",
    "f": "(array_agg({c} ORDER BY ts, _seq) FILTER (WHERE {c} IS NOT NULL))[1]",
    "l": "(array_agg({c} ORDER BY ts, _seq) FILTER (WHERE {c} IS NOT NULL))[count({c})::int]",
    "ft": "min(ts) FILTER (WHERE {c} IS NOT NULL)",
    "lt": "max(ts) FILTER (WHERE {c} IS NOT NULL)",
}
FROM_PARTS = {
    "n": "coalesce(sum({c}), 0)::bigint",
    "lo": "min({c})",
    "hi": "max({c})",
    "s": "sum({c})",
    "f": "(array_agg({c} ORDER BY start) FILTER (WHERE {c} IS NOT NULL))[1]",
    "l": "(array_agg({c} ORDER BY start) FILTER (WHERE {c} IS NOT NULL))[count({c})::int]",
    "ft": "min({c})",
    "lt": "max({c})",
}
# Joins a stored part with a part of rows that have greater numbers.
_JOINED = {
    "n": "coalesce(r.{c}, 0) + coalesce(EXCLUDED.{c}, 0)",
    "lo": "least(r.{c}, EXCLUDED.{c})",
    "hi": "greatest(r.{c}, EXCLUDED.{c})",
    "s": "coalesce(r.{c} + EXCLUDED.{c}, r.{c}, EXCLUDED.{c})",
    "f": "CASE WHEN r.{ft} IS NULL OR EXCLUDED.{ft} < r.{ft} THEN EXCLUDED.{c} ELSE r.{c} END",
    "l": "CASE WHEN r.{lt} IS NULL OR EXCLUDED.{lt} >= r.{lt} THEN EXCLUDED.{c} ELSE r.{c} END",
    "ft": "least(r.{c}, EXCLUDED.{c})",
    "lt": "greatest(r.{c}, EXCLUDED.{c})",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rollup:
    """A dataset's rollup as one transaction sees it. width: 0 when there is no rollup."""

    dataset_id: int
    schema: str
    last_seq: int
    row_count: int
    cold: bool
    legacy: bool
    made: bool
    width: int
    upto: int
    checked: int
    columns: tuple[int, ...]
    floats: tuple[int, ...]

    @property
    def table(self) -> sql.Identifier:
        return rollup_of(self.schema, self.dataset_id)

    @property
    def place(self) -> Place:
        """Where the dataset's rows lie."""
        return Place(self.dataset_id, self.schema, self.cold, self.legacy)

    def cell(self, part: str, column_id: int) -> sql.Identifier:
        """Returns the rollup's column for a part of a dataset's column."""
        typed = "f" if part in _VALUES and column_id in self.floats else ""
        return sql.Identifier(f"{part}{column_id}{typed}")

    def value(self, part: str, column: Column) -> sql.Composable:
        """Returns the expression of a part with the type of `column`, which may have become float since."""
        cell = self.cell(part, column.id)
        late = part in _VALUES and column.dtype is Dtype.FLOAT and column.id not in self.floats
        return sql.SQL("{}::float8").format(cell) if late else cell


async def find(connection: Connection, dataset_id: int) -> Rollup | None:
    """Returns the rollup of a dataset, even an empty one, or None when there is no such dataset."""
    row = await executor.row(connection, queries("timeseries/rollups/rollups")["find"], {"id": dataset_id})
    if row is None:
        return None
    *state, width, upto, checked, columns, floats = row
    schema, last_seq, count, cold, legacy = state
    place = (dataset_id, schema, last_seq, count, cold, legacy)
    if width is None:
        return Rollup(*place, False, 0, 0, 0, (), ())
    return Rollup(*place, True, width, upto, checked, tuple(columns), tuple(floats))


async def count_missing(database: Database, dataset_id: int, *, least: int = core.LEAST_ROWS) -> int:
    """Counts the row numbers that the rollup still lacks. Returns 0 when a dataset needs no rollup."""
    async with database.connection() as connection:
        found = await find(connection, dataset_id)
    return 0 if found is None or not _due(found, least) else found.last_seq - found.upto


def _due(rollup: Rollup, least: int) -> bool:
    """Checks whether a dataset has a rollup or needs one."""
    return rollup.made or rollup.row_count >= least


async def advance(
    database: Database, dataset_id: int, *, least: int = core.LEAST_ROWS, batch: int = BATCH_ROWS
) -> bool:
    """Adds the next batch of rows to a rollup, and creates the rollup when due. Returns False when no rows are left."""
    try:
        async with database.transaction() as connection:
            known = await find(connection, dataset_id)
            if known is None or not _due(known, least):
                return False
            if not known.made:
                await _make(connection, known)
                return True
            if known.cold:
                # Before the rollup's lock, as a deletion of rows takes the two.
                await connection.execute(queries("timeseries/cold/cold")["hold"], {"id": dataset_id})
            free = await connection.execute(queries("timeseries/rollups/rollups")["lock_if_free"], {"id": dataset_id})
            return await free.fetchone() is not None and await _advance(connection, dataset_id, batch)
    except psycopg.errors.UndefinedTable:
        return False
    except psycopg.errors.NumericValueOutOfRange:
        # Reads then use the rows, where this sum is out of range as well.
        log.warning("no rollup", dataset=dataset_id, reason="a sum is out of the range of a float")
        return False


async def _make(connection: Connection, rollup: Rollup) -> None:
    """Creates an empty rollup if there is none yet. A deletion of rows holds the lock on the dataset's state. Therefore
    a deletion either sees the rollup or has ended before the rollup exists.
    """
    parameters = {"id": rollup.dataset_id}
    for lock in ("keep_dataset", "lock_state"):
        await connection.execute(queries("timeseries/rollups/rollups")[lock], parameters)
    if await executor.row(connection, queries("timeseries/rollups/rollups")["insert"], parameters) is None:
        return
    await connection.execute(
        sql.SQL("CREATE TABLE {} (width integer, start timestamptz, rows bigint, PRIMARY KEY (width, start))").format(
            rollup.table
        )
    )
    owner = sql.Identifier(f"{rollup.schema}_owner")
    await connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(rollup.table, owner))


async def _advance(connection: Connection, dataset_id: int, batch: int) -> bool:
    found = await find(connection, dataset_id)
    if found is None:
        return False
    # The lock keeps other sessions from changing a column's type during this transaction.
    await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(found.place.plain))
    # The numbers are read first. Rows up to these numbers then have no columns beyond the columns that are read next.
    found = await find(connection, dataset_id)
    if found is None:
        return False
    columns = numeric_columns((await columns_of(connection, [dataset_id]))[dataset_id])
    if (found.upto if found.width else found.last_seq) >= GROWTH * found.checked:
        found = await _choose_width(connection, found, columns)
    if not found.width:
        await save(connection, replace(found, upto=found.last_seq))
        return False
    found = await align(connection, found, columns)
    upto = min(found.last_seq, found.upto + batch)
    source = await buckets_of_rows(connection, found, columns, Bounds(Range(), found.upto + 1, upto))
    await add_buckets(connection, found, source, core.levels(found.width))
    await save(connection, replace(found, upto=upto))
    return upto < found.last_seq


def numeric_columns(columns: Sequence[Column]) -> list[Column]:
    """Returns the columns of a rollup: the first MAX_COLUMNS numeric columns."""
    return [column for column in columns if column.dtype in (Dtype.INT, Dtype.FLOAT)][: core.MAX_COLUMNS]


async def save(connection: Connection, rollup: Rollup) -> None:
    """Stores the extent and the columns of a rollup."""
    parameters = {
        "id": rollup.dataset_id,
        "width": rollup.width,
        "upto": rollup.upto,
        "checked": rollup.checked,
        "columns": list(rollup.columns),
        "floats": list(rollup.floats),
    }
    await connection.execute(queries("timeseries/rollups/rollups")["set"], parameters)


async def align(connection: Connection, rollup: Rollup, columns: Sequence[Column]) -> Rollup:
    """Adds columns to the rollup for new columns of the dataset, where stored rows have no values."""
    additions, copies = [], []
    known, floats = list(rollup.columns), list(rollup.floats)
    for column in columns:
        is_float = column.dtype is Dtype.FLOAT
        new = column.id not in known
        if not new and is_float == (column.id in floats):
            continue
        # A sum of integers may exceed 64 bits.
        types = {part: "double precision" if is_float else "numeric" if part == "s" else "bigint" for part in _VALUES}
        after = replace(rollup, floats=(column.id,) if is_float else ())
        additions += [
            sql.SQL("ADD COLUMN {} {}").format(after.cell(part, column.id), sql.SQL((_TYPES | types)[part]))
            for part in (core.ALL_PARTS if new else _VALUES)
        ]
        if new:
            known.append(column.id)
        else:
            for part in _VALUES:
                old = rollup.cell(part, column.id)
                copies.append(sql.SQL("{} = {}, {} = NULL").format(after.cell(part, column.id), old, old))
        if is_float:
            floats.append(column.id)
    if additions:
        await connection.execute(sql.SQL("ALTER TABLE {} {}").format(rollup.table, sql.SQL(", ").join(additions)))
    if copies:
        await connection.execute(sql.SQL("UPDATE {} SET {}").format(rollup.table, sql.SQL(", ").join(copies)))
    return replace(rollup, columns=tuple(known), floats=tuple(floats))


def bucket_start(width: Width | sql.Composable, time: str) -> sql.Composed:
    """Builds the expression for the start of the bucket of `width` seconds, or of a calendar unit, that
    holds a time. Of a grid, the expression is the number of the bucket, from 1.
    """
    if isinstance(width, Grid):
        return sql.SQL("width_bucket({}, {}::timestamptz[])").format(sql.SQL(time), sql.Literal(width.texts()))
    if isinstance(width, str):
        return sql.SQL("date_trunc({}, {})").format(sql.Literal(width), sql.SQL(time))
    stamp = sql.SQL(time)
    if isinstance(width, int) and width > _MILLENNIA:
        # PostgreSQL has neither times as early as the start of such a bucket nor intervals of every width.
        query = "CASE WHEN {} < {} THEN '0001-01-01Z' ELSE {} END"
        return sql.SQL(query).format(stamp, ORIGIN, bucket_start(sql.Literal(min(width, 4 * _MILLENNIA)), time))
    seconds = sql.Literal(width) if isinstance(width, int) else width
    return sql.SQL("date_bin(make_interval(secs => {}), {}, {})").format(seconds, stamp, ORIGIN)


async def buckets_of_rows(
    connection: Connection, rollup: Rollup, columns: Sequence[Column], bounds: Bounds
) -> sql.Composed:
    """Builds a query of the narrowest buckets from rows."""
    cells = [
        sql.SQL(FROM_ROWS[part] + " AS {name}").format(
            c=sql.Identifier(column.physical or ""), name=rollup.cell(part, column.id)
        )
        for column in columns
        for part in core.ALL_PARTS
    ]
    return sql.SQL("SELECT {} AS start, {} FROM {} GROUP BY 1").format(
        bucket_start(rollup.width, "ts"),
        sql.SQL(", ").join([sql.SQL("count(*) AS rows"), *cells]),
        await unpacking.all_rows(connection, rollup.place, columns, bounds),
    )


def stored_buckets(rollup: Rollup, width: int, span: Range) -> sql.Composed:
    """Builds a query of a level's buckets."""
    return sql.SQL("SELECT * FROM {} WHERE {}").format(rollup.table, starting(width, span))


def starting(width: int, span: Range) -> sql.Composed:
    """Builds a condition for buckets of a level that start within `span`."""
    conditions = [sql.SQL("width = {}").format(width)]
    if span.lo >= MIN_MICROS:
        conditions.append(sql.SQL("start >= {}").format(time_literal(span.lo)))
    if span.hi <= MAX_MICROS:
        conditions.append(sql.SQL("start < {}").format(time_literal(span.hi)))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(conditions))


async def add_buckets(connection: Connection, rollup: Rollup, source: sql.Composed, widths: Sequence[int]) -> None:
    """Joins buckets with the buckets of levels. The new rows have greater numbers than the stored rows."""
    names: list[sql.Composable] = [sql.SQL("width"), sql.SQL("start"), sql.SQL("rows")]
    cells: list[sql.Composable] = [sql.SQL("level"), bucket_start(sql.SQL("level"), "start"), sql.SQL("sum(rows)")]
    joins: list[sql.Composable] = [sql.SQL("rows = r.rows + EXCLUDED.rows")]
    for column_id in rollup.columns:
        times = {time: rollup.cell(time, column_id) for time in ("ft", "lt")}
        for part in core.ALL_PARTS:
            name = rollup.cell(part, column_id)
            names.append(name)
            cells.append(sql.SQL(FROM_PARTS[part]).format(c=name))
            joins.append(sql.SQL("{c} = " + _JOINED[part]).format(c=name, **times))
    comma = sql.SQL(", ")
    await connection.execute(
        sql.SQL(
            "INSERT INTO {} AS r ({}) SELECT {} FROM ({}) AS source CROSS JOIN unnest({}::int[]) AS level "
            "GROUP BY 1, 2 ON CONFLICT (width, start) DO UPDATE SET {}"
        ).format(
            rollup.table, comma.join(names), comma.join(cells), source, sql.Literal(list(widths)), comma.join(joins)
        )
    )


async def _choose_width(connection: Connection, rollup: Rollup, columns: Sequence[Column]) -> Rollup:
    """Chooses the width when there is none or the width no longer fits, and rebuilds the levels."""
    need = core.least_rows(max(1, len(columns)))
    rollup = replace(rollup, checked=max(rollup.upto, 1))  # 0 means: check again at once
    if rollup.width:
        count = sql.SQL("SELECT count(*), sum(rows) FROM {} WHERE width = {}").format(rollup.table, rollup.width)
        row = await (await connection.execute(count)).fetchone()
        assert row is not None
        buckets, rows = row[0], int(row[1] or 0)
        if buckets > FEW_BUCKETS and rows < 0.8 * need * buckets:
            return await _widen(connection, rollup)
        if rows < 4 * need * buckets:
            return rollup
    chosen = core.choose(await _runs(connection, rollup), need) or 0
    if rollup.width and (not chosen or chosen >= rollup.width):
        return rollup
    # The dataset is denser than before, and only its rows have the values of narrower buckets.
    await connection.execute(sql.SQL("DELETE FROM {}").format(rollup.table))
    return replace(rollup, width=chosen, upto=0, checked=1 if chosen else rollup.last_seq)


async def _runs(connection: Connection, rollup: Rollup) -> list[list[int]]:
    query = sql.SQL("SELECT array_agg((extract(epoch FROM ts) * 1000000)::bigint) FROM {}")
    result = []
    for index in range(RUNS):
        first = rollup.last_seq * index // RUNS
        rows = await unpacking.all_rows(connection, rollup.place, (), Bounds(Range(), first + 1, first + RUN_ROWS))
        row = await (await connection.execute(query.format(rows))).fetchone()
        result.append((row[0] if row else None) or [])
        await asyncio.sleep(0)
    return result


async def _widen(connection: Connection, rollup: Rollup) -> Rollup:
    """Makes the next wider width the narrowest, or empties the rollup when there is no wider width."""
    width = core.wider(rollup.width)
    if width is None:
        await connection.execute(sql.SQL("DELETE FROM {}").format(rollup.table))
        return replace(rollup, width=0, checked=rollup.last_seq)
    old, new = core.levels(rollup.width), core.levels(width)
    missing = [one for one in new if one not in old]
    await add_buckets(connection, rollup, stored_buckets(rollup, rollup.width, Range()), missing)
    kept = sql.SQL("DELETE FROM {} WHERE NOT width = ANY ({})").format(rollup.table, sql.Literal(new))
    await connection.execute(kept)
    return replace(rollup, width=width, checked=0)
