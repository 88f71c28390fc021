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
from atlas.timeseries.cold import store, unpacking
from atlas.timeseries.repository import columns_of

MAX_VALUES = 500
MAX_LENGTH = 80
MAX_CHARACTERS = 40_000
# A relation with more rows is profiled from a sample of about this number.
SAMPLE_ROWS = 200_000
# Rows, and different values among them, that show whether one column refers to another.
_JOIN_ROWS, _CHECKED_VALUES = 20_000, 500
# MAX_CHECKED: pairs of columns with compared values. MAX_OWNERS: relations in which one name may identify rows.
MAX_CHECKED, MAX_OWNERS = 400, 8
_CONTAINED = 0.9
# The least length of a table's name that may end the name of a column that refers to the table.
_LEAST_THING = 4
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
    source: sql.Composable = sql.Identifier(table.schema, table.relation)
    if table.cold:
        source = await _of_packed(connection, table, table.columns, SAMPLE_ROWS, "_sample")
    elif sampled:
        source = _sample(table)
    return {column.name: await _column(connection, source, column, sampled=sampled) for column in table.columns}


def _sample(table: CatalogTable) -> sql.Composed:
    """Builds a sample of a relation's rows. A view has no pages to sample, but the table behind it has."""
    archived = sql.SQL(" WHERE _archived IS NULL" if table.relation.startswith("_view_") else "")
    behind = sql.Identifier(table.schema, table.relation.replace("_view_", "_table_"))
    return sql.SQL("(SELECT * FROM {} TABLESAMPLE SYSTEM ({}){}) sample").format(behind, _share(table), archived)


def _share(table: CatalogTable) -> sql.Literal:
    """Returns the share of a relation's rows that a sample has, in percent."""
    return sql.Literal(round(min(100.0, 100 * SAMPLE_ROWS / (table.row_count or 1)), 4))


async def _of_packed(
    connection: Connection, table: CatalogTable, columns: Sequence[CatalogColumn], rows: int, name: str
) -> sql.Composed:
    """Builds a sample of some columns of a dataset with packed rows: about `rows` rows, or all of fewer rows.

    The rows of chunks are copied into a temporary table of this name.
    """
    dataset_id = table.dataset_id or 0
    cold = await store.find(connection, dataset_id)
    known = {column.physical: column for column in (await columns_of(connection, [dataset_id]))[dataset_id]}
    wanted = [known[column.stored] for column in columns if column.stored in known]
    unpacked = sql.Identifier("pg_temp", name)
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(unpacked))
    await unpacking.create_table(connection, unpacked, wanted)
    listed = sql.SQL(", ").join(sql.Identifier(column.stored) for column in columns)
    if cold is None or not cold.frozen:
        return sql.SQL("(SELECT {} FROM {}) sample").format(listed, unpacked)
    await unpacking.unpack_sample(connection, cold.chunks, unpacked, wanted, rows)
    union = "(SELECT {c} FROM {packed} UNION ALL SELECT {c} FROM {hot} TABLESAMPLE SYSTEM ({share}){legacy}) sample"
    legacy: sql.Composable = sql.SQL("")
    if cold.legacy:
        legacy = sql.SQL(" UNION ALL (SELECT {} FROM {} LIMIT {})").format(listed, cold.view, sql.Literal(rows))
    return sql.SQL(union).format(c=listed, packed=unpacked, hot=cold.hot, share=_share(table), legacy=legacy)


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
    """Checks whether nearly all of a sample of a column's values occur in another column.

    Packed rows are in no index, so a dataset with such rows is never the one that is looked into.
    """
    if right.cold:
        return False
    here, there = left.column(own), right.column(other)
    assert here is not None
    assert there is not None
    source: sql.Composable = sql.Identifier(left.schema, left.relation)
    if left.cold:
        source = await _of_packed(connection, left, [here], _JOIN_ROWS, "_joined")
    query = sql.SQL(
        "SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {r} r WHERE r.{o} = l.v)) FROM "
        "(SELECT DISTINCT {c} AS v FROM (SELECT {c} FROM {l} WHERE {c} IS NOT NULL LIMIT {some}) s LIMIT {n}) l"
    ).format(
        r=sql.Identifier(right.schema, right.relation),
        o=sql.Identifier(there.stored),
        c=sql.Identifier(here.stored),
        l=source,
        some=sql.Literal(_JOIN_ROWS),
        n=sql.Literal(_CHECKED_VALUES),
    )
    row = await (await connection.execute(query)).fetchone()
    return row is not None and row[0] > 0 and row[1] >= _CONTAINED * row[0]
