"""Profiles of a relation's values: frequent values, bounds, and the columns that identify rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from psycopg import sql

from atlas.catalog.model import CatalogColumn, CatalogTable, Join
from atlas.db.database import Connection
from atlas.kit.identifiers import singular
from atlas.timeseries.cold import view
from atlas.timeseries.cold.segment_codec import SEGMENT_ROWS
from atlas.timeseries.repository import cold_of, hot_of

MAX_VALUES = 500
MAX_LENGTH = 80
MAX_CHARACTERS = 40_000
# A relation with more rows is profiled from a sample of about this number.
SAMPLE_ROWS = 200_000
_CHECKED_VALUES = 500
# MAX_CHECKED: pairs of columns with compared values. MAX_OWNERS: relations in which one name may identify rows.
MAX_CHECKED, MAX_OWNERS = 400, 8
_CONTAINED = 0.9
# The least length of a table's name that may end the name of a column that refers to the table.
_LEAST_THING = 4
# Samples of packed rows of a dataset, n times `rows` rows: whole segments, or rows after the start of a block.
_OF_SEGMENTS = sql.SQL(
    "SELECT {c} FROM {view} WHERE _low_seq = ANY (ARRAY(SELECT low_seq FROM {cold} ORDER BY random() LIMIT {n}))"
)
_OF_BLOCKS = sql.SQL(
    "SELECT r.* FROM (SELECT 'epoch'::timestamptz + min_ts * interval '1 us' AS first, "
    "(max_ts - min_ts) * interval '1 us' * least(1, {rows} / row_count::float8) AS span "
    "FROM atlas.row_blocks WHERE dataset_id = {id} ORDER BY random() LIMIT {n}) b "
    "CROSS JOIN LATERAL (SELECT {c} FROM {view} WHERE ts >= first AND ts <= first + span LIMIT {rows}) r"
)
# Columns of these names do not show which rows belong together.
_GENERIC = frozenset(
    "name title type status description count date time year month day value amount price note notes text state city "
    "country address comment rating score total quantity level position created_at updated_at ts active".split()
)


class ColumnProfile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column's profile. values, complete, low, high: as in CatalogColumn; unique: all examined rows have different
    values.
    """

    values: tuple[str, ...] = ()
    complete: bool = False
    low: str | None = None
    high: str | None = None
    unique: bool = False


Profile = dict[str, ColumnProfile]


async def profile(connection: Connection, table: CatalogTable) -> Profile:
    """Computes the profile of a relation, each column with one query. `connection` is in a transaction of its own."""
    sampled = (table.row_count or 0) > SAMPLE_ROWS
    source = await _sample(connection, table) if sampled else sql.Identifier(table.schema, table.relation)
    return {column.name: await _column(connection, source, column, sampled=sampled) for column in table.columns}


async def _sample(connection: Connection, table: CatalogTable) -> sql.Composed:
    """Builds a sample of a relation's rows. A view has no pages to sample, but the tables behind it have."""
    share = sql.Literal(round(100 * SAMPLE_ROWS / (table.row_count or 1), 4))
    if table.cold:
        dataset_id = table.dataset_id or 0
        found = await view.find(connection, dataset_id)
        columns = sql.SQL(", ").join(sql.Identifier(column.stored) for column in table.columns)
        packed = _OF_BLOCKS if found is not None and found.columnstore else _OF_SEGMENTS
        some = packed.format(
            c=columns,
            view=sql.Identifier(table.schema, table.relation),
            cold=cold_of(table.schema, dataset_id),
            id=sql.Literal(dataset_id),
            rows=sql.Literal(SEGMENT_ROWS),
            n=sql.Literal(SAMPLE_ROWS // SEGMENT_ROWS),
        )
        return sql.SQL("({} UNION ALL SELECT {} FROM {} TABLESAMPLE SYSTEM ({})) sample").format(
            some, columns, hot_of(table.schema, dataset_id, cold=True), share
        )
    archived = sql.SQL(" WHERE _archived IS NULL" if table.relation.startswith("_view_") else "")
    behind = sql.Identifier(table.schema, table.relation.replace("_view_", "_table_"))
    return sql.SQL("(SELECT * FROM {} TABLESAMPLE SYSTEM ({}){}) sample").format(behind, share, archived)


async def _column(
    connection: Connection, source: sql.Composable, column: CatalogColumn, *, sampled: bool
) -> ColumnProfile:
    name = sql.Identifier(column.stored)
    if column.type == "json":
        return ColumnProfile()
    low = high = None
    bounded = column.type in ("bigint", "numeric", "double", "date", "timestamp")
    bounds = sql.SQL("min({c})::text, max({c})::text" if bounded else "NULL, NULL").format(c=name)
    counts = sql.SQL("SELECT count(*), count(DISTINCT {c}), {b} FROM {s}").format(c=name, b=bounds, s=source)
    row = await (await connection.execute(counts)).fetchone()
    total, distinct, low, high = row or (0, 0, None, None)
    unique = total > 0 and distinct == total
    if column.type != "text":
        return ColumnProfile(low=low, high=high, unique=unique)
    frequent = sql.SQL(
        "SELECT {c} FROM {s} WHERE {c} IS NOT NULL AND length({c}) <= {m} GROUP BY {c} "
        "ORDER BY count(*) DESC, {c} LIMIT {n}"
    ).format(c=name, s=source, m=sql.Literal(MAX_LENGTH), n=sql.Literal(MAX_VALUES))
    values, size = [], 0
    for (value,) in await (await connection.execute(frequent)).fetchall():
        size += len(value)
        if size > MAX_CHARACTERS:
            break
        values.append(value)
    return ColumnProfile(tuple(values), not sampled and len(values) == distinct, unique=unique)


def with_profile(table: CatalogTable, found: Profile) -> CatalogTable:
    """Adds a profile to a table."""
    columns = tuple(
        msgspec.structs.replace(column, values=p.values, complete=p.complete, low=p.low, high=p.high)
        if (p := found.get(column.name)) is not None
        else column
        for column in table.columns
    )
    unique = [c.name for c in columns if (p := found.get(c.name)) is not None and p.unique]
    key = table.key or tuple(_best_key(unique))
    return msgspec.structs.replace(table, columns=columns, key=key)


def _best_key(unique: Sequence[str]) -> Iterator[str]:
    """Yields the unique column that was made to identify rows, if there is one."""
    named = [name for name in unique if name.lower() in ("id", "uuid", "key", "code") or name.lower().endswith("id")]
    named += [name for name in unique if name.lower().endswith(("code", "key"))]
    yield from named[:1]


async def find_joins(
    connection: Connection, tables: Sequence[CatalogTable], profiles: dict[str, Profile]
) -> list[Join]:
    """Finds pairs of columns with the same meaning: similar names, unique values on the right, nearly all left values
    there.

    Only the first MAX_CHECKED candidates are checked, pairs of tables before pairs of datasets.
    """
    found = []
    named = {table.name: table for table in tables}
    for join in islice(candidates(tables, profiles), MAX_CHECKED):
        left, right = named[join.left_table], named[join.right_table]
        if await _contained(connection, left, join.left_column, right, join.right_column):
            found.append(join)
    return found


def candidates(tables: Iterable[CatalogTable], profiles: dict[str, Profile]) -> Iterator[Join]:
    """Yields pairs of columns whose names and types allow a join, the unique column on the right.

    A name that is unique in many relations, such as a counter of a hundred sensors, means another thing in each
    relation. Pairs of two such columns are left out.
    """
    known = list(tables)
    keys = [
        (right, column)
        for right in known
        for column in right.columns
        if column.type in ("bigint", "text")
        and (facts := profiles.get(right.name, {}).get(column.name)) is not None
        and facts.unique
    ]
    unique = {(table.name, column.name) for table, column in keys}
    owners = Counter(column.name.lower() for _, column in keys)
    named: dict[str, list[tuple[CatalogTable, CatalogColumn]]] = {}
    things = {singular(table.name.lower().rpartition("_")[2]) for table, _ in keys}
    for left in known:
        for other in left.columns:
            lowered = other.name.lower()
            named.setdefault(lowered, []).append((left, other))
            for thing in _things_of(lowered, things):
                named.setdefault(f"…{thing}", []).append((left, other))
    for right, column in keys:
        for name in sorted(_references(right.name, column.name)):
            shared = name == column.name.lower() and owners[name] > MAX_OWNERS
            for left, other in named.get(name, ()):
                alike = left is not right and other.type == column.type
                if alike and not (shared and (left.name, other.name) in unique):
                    yield Join(left.name, other.name, right.name, column.name)


def _references(table: str, column: str) -> set[str]:
    """Lists names of columns that may refer to `table.column`, such as `customer_id` to `customers.id`."""
    lowered = column.lower()
    entities = {table.lower(), singular(table.lower()), singular(table.lower().rpartition("_")[2])}
    names = {f"{entity}_{lowered}" for entity in entities} | {f"{entity}{lowered}" for entity in entities}
    if lowered not in _GENERIC and lowered != "id":
        names.add(lowered)
    if lowered in ("id", "uid", "code", "key", "name") or lowered.endswith(("id", "code", "key")):
        # A column named after the thing holds its key: `flights.airline`, `flights.source_airport`.
        names |= entities | {f"…{entity}" for entity in entities}
    return names


def _things_of(column: str, things: set[str]) -> Iterator[str]:
    """Yields the things that the end of a column's name refers to, as `source_airport` and `destairport` do."""
    for thing in things:
        if len(thing) >= _LEAST_THING and column != thing and column.endswith(thing):
            yield thing


async def _contained(connection: Connection, left: CatalogTable, own: str, right: CatalogTable, other: str) -> bool:
    """Checks whether nearly all of a sample of a column's values occur in another column."""
    stored = [table.column(name) for table, name in ((left, own), (right, other))]
    assert stored[0] is not None
    assert stored[1] is not None
    query = sql.SQL(
        "SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {r} r WHERE r.{o} = l.v)) FROM "
        "(SELECT DISTINCT {c} AS v FROM (SELECT {c} FROM {l} WHERE {c} IS NOT NULL LIMIT 20000) s LIMIT {n}) l"
    ).format(
        r=sql.Identifier(right.schema, right.relation),
        o=sql.Identifier(stored[1].stored),
        c=sql.Identifier(stored[0].stored),
        l=sql.Identifier(left.schema, left.relation),
        n=sql.Literal(_CHECKED_VALUES),
    )
    row = await (await connection.execute(query)).fetchone()
    return row is not None and row[0] > 0 and row[1] >= _CONTAINED * row[0]
