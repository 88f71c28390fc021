"""Cold rows: a dataset with old rows in segments of packed columns is still one relation for readers.

`dataset_<id>` is then a view of two tables: `_cold_<id>` with segments, which `segment_codec.py` makes, and `_hot_<id>`
with rows as they come. One transaction changes both tables, so every statement sees each row once. The view also has
the bounds of the segment that holds a row, so that conditions on the bounds keep whole segments packed.

With TimescaleDB, `_cold_<id>` is a hypertable in TimescaleDB's columnstore instead; see `timescale_store.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from atlas.db import executor
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold import timescale_store as columnstore
from atlas.timeseries.cold.segment_codec import EXTRA, NUMBER, PART_TYPES, SEGMENT_ROWS, TIME, key_of
from atlas.timeseries.cold.timescale_codec import PART_TYPES as COLUMN_TYPES
from atlas.timeseries.columns import BOUNDS, SQL_TYPES, Column, Dtype
from atlas.timeseries.repository import cold_of, columns_of, hot_of, keep_out, table_of, unpacked_of

_COMMA = sql.SQL(", ")
# Positions in a segment. A reader of a view needs the right to call the functions in the view, and generate_series
# could run for any time.
_POSITIONS = sql.SQL("{}::smallint[]").format(f"{{{','.join(map(str, range(SEGMENT_ROWS)))}}}")


@dataclass(frozen=True, slots=True)
class Cold:
    """A dataset's storage.

    - frozen: whether the dataset has packed rows at all.
    - hot, packed: the two tables of a frozen dataset.
    - columnstore: whether packed rows are in TimescaleDB's columnstore instead of segments.
    """

    dataset_id: int
    schema: str
    frozen: bool
    row_count: int
    columnstore: bool = False
    upto: int = 0
    rows: int = 0
    parts: tuple[str, ...] = ()

    @property
    def view(self) -> sql.Identifier:
        return table_of(self.schema, self.dataset_id)

    @property
    def unpacked(self) -> sql.Identifier:
        return unpacked_of(self.schema, self.dataset_id)

    @property
    def views(self) -> tuple[sql.Identifier, ...]:
        """The dataset's view, and the view of unpacked rows behind it in a columnstore."""
        return (self.view, self.unpacked) if self.columnstore else (self.view,)

    @property
    def hot(self) -> sql.Identifier:
        return hot_of(self.schema, self.dataset_id, cold=True)

    @property
    def packed(self) -> sql.Identifier:
        return cold_of(self.schema, self.dataset_id)


async def find(connection: Connection, dataset_id: int) -> Cold | None:
    """Returns a dataset's storage, or None when there is no such dataset."""
    row = await executor.row(connection, queries("timeseries/cold/cold")["find"], {"id": dataset_id})
    if row is None:
        return None
    schema, frozen, row_count, in_columnstore, upto, rows, parts = row
    return Cold(dataset_id, schema, frozen, row_count, in_columnstore, upto or 0, rows or 0, tuple(parts or ()))


async def freeze(connection: Connection, dataset_id: int, *, timescaledb: bool = True) -> bool:
    """Turns a dataset's table into a view of two tables, with an empty table of packed rows.

    The caller holds the lock on the dataset's state. `timescaledb` allows TimescaleDB's columnstore. Returns whether
    the packed rows are in a columnstore.
    """
    cold = await find(connection, dataset_id)
    if cold is None or cold.frozen:
        return cold is not None and cold.columnstore
    owner = sql.Identifier(f"{cold.schema}_owner")
    readers = await _readers(connection, cold.view)
    name = sql.Identifier(f"_hot_{dataset_id}")
    await connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(cold.view, name))
    for reader in readers:
        # From now on the readers' right is to the view.
        await connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(cold.hot, sql.Identifier(reader)))
    extension = await columnstore.schema_of(connection) if timescaledb else None
    if extension is None:
        await _create_segments(connection, cold.packed)
    else:
        await columnstore.create(connection, cold.packed, extension)
    await connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(cold.packed, owner))
    await connection.execute(
        queries("timeseries/cold/cold")["insert"], {"id": dataset_id, "columnstore": extension is not None}
    )
    await connection.execute(queries("timeseries/cold/cold")["freeze"], {"id": dataset_id})
    await make_view(connection, dataset_id, readers)
    return extension is not None


async def _create_segments(connection: Connection, relation: sql.Identifier) -> None:
    await connection.execute(
        sql.SQL(
            "CREATE TABLE {} (rows integer NOT NULL, low_seq bigint NOT NULL, high_seq bigint NOT NULL, "
            "low_ts timestamptz NOT NULL, high_ts timestamptz NOT NULL, unit interval NOT NULL)"
        ).format(relation)
    )
    for columns in ("high_ts, low_ts", "high_seq, low_seq"):
        await connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(relation, sql.SQL(columns)))


async def add_parts(connection: Connection, dataset_id: int, names: Sequence[str]) -> None:
    """Adds missing parts to the table of packed rows. The caller holds the lock on the dataset's state."""
    await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})
    cold = await find(connection, dataset_id)
    if cold is None:
        return
    missing = [name for name in names if name not in cold.parts]
    if not missing:
        return
    types = COLUMN_TYPES if cold.columnstore else PART_TYPES
    added = [sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(name), sql.SQL(types[name[0]])) for name in missing]
    await keep_out(connection, cold.view)
    await connection.execute(sql.SQL("ALTER TABLE {} {}").format(cold.packed, _COMMA.join(added)))
    await connection.execute(
        queries("timeseries/cold/cold")["set_parts"], {"id": dataset_id, "parts": [*cold.parts, *missing]}
    )
    await renew_view(connection, dataset_id)


async def renew_view(connection: Connection, dataset_id: int) -> None:
    """Rebuilds the view for the current columns and parts. Columns can only be added."""
    cold = await find(connection, dataset_id)
    assert cold is not None
    await _view(connection, cold)


async def drop_view(connection: Connection, dataset_id: int) -> list[str]:
    """Drops the view before a column of its tables changes its type. Returns the roles that could read the view."""
    cold = await find(connection, dataset_id)
    assert cold is not None
    readers = await _readers(connection, cold.view)
    await connection.execute(sql.SQL("DROP VIEW {}").format(_COMMA.join(cold.views)))
    return readers


async def make_view(connection: Connection, dataset_id: int, readers: Sequence[str]) -> None:
    """Creates the view and grants `readers` the right to read it."""
    cold = await find(connection, dataset_id)
    assert cold is not None
    await _view(connection, cold)
    owner = sql.Identifier(f"{cold.schema}_owner")
    for view in cold.views:
        await connection.execute(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view, owner))
    for reader in readers:
        await connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(cold.view, sql.Identifier(reader)))


async def remove(
    connection: Connection, dataset_id: int, bound: Literal["ts", "seq"], low: sql.Literal, high: sql.Literal
) -> int:
    """Deletes the packed rows with a time or number from `low` to `high`, and returns their number.

    Segments that also have other rows are unpacked: their rows become unpacked rows, none of them deleted. The caller
    holds the lock on the dataset's state.
    """
    await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})
    cold = await find(connection, dataset_id)
    assert cold is not None
    if cold.columnstore:
        name = sql.Identifier("ts" if bound == "ts" else "_seq")
        removed, back = await columnstore.remove(connection, cold.packed, name, low, high), 0
    else:
        removed, back = await _remove_segments(connection, cold, bound, low, high)
    moved = {"id": dataset_id, "upto": cold.upto, "rows": -removed - back}
    await connection.execute(queries("timeseries/cold/cold")["advance"], moved)
    return removed


async def _remove_segments(
    connection: Connection, cold: Cold, bound: Literal["ts", "seq"], first: sql.Literal, last: sql.Literal
) -> tuple[int, int]:
    """Deletes segments within bounds, and unpacks segments that the bounds cut. Returns the numbers of deleted and
    unpacked rows.
    """
    within = sql.SQL(f"low_{bound} >= {{}} AND high_{bound} <= {{}}").format(first, last)
    meeting = sql.SQL(f"high_{bound} >= {{}} AND low_{bound} <= {{}}").format(first, last)
    drop = sql.SQL(
        "WITH gone AS (DELETE FROM {} WHERE {} RETURNING rows) SELECT coalesce(sum(rows), 0)::bigint FROM gone"
    )
    row = await (await connection.execute(drop.format(cold.packed, within))).fetchone()
    dataset_id = cold.dataset_id
    columns = [c for c in (await columns_of(connection, [dataset_id]))[dataset_id] if c.physical]
    names = [sql.SQL("_seq, ts, _extra"), *(sql.Identifier(column.physical or "") for column in columns)]
    back = await connection.execute(
        sql.SQL("INSERT INTO {} ({}) {}").format(
            cold.hot, _COMMA.join(names), unpacked(cold, columns, bounds=False, where=meeting)
        )
    )
    await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(cold.packed, meeting))
    return int(row[0]) if row else 0, back.rowcount


async def _readers(connection: Connection, relation: sql.Identifier) -> list[str]:
    found = await connection.execute(queries("timeseries/cold/cold")["grants"], {"relation": relation.as_string()})
    return [row[0] for row in await found.fetchall()]


async def _view(connection: Connection, cold: Cold) -> None:
    """Creates or replaces the view."""
    known = {c.physical: c for c in (await columns_of(connection, [cold.dataset_id]))[cold.dataset_id]}
    # The order of the table's columns, because CREATE OR REPLACE requires new columns at the end.
    order = await connection.execute(queries("timeseries/cold/cold")["order"], {"relation": cold.hot.as_string()})
    columns = [known[name] for (name,) in await order.fetchall() if name in known]
    bounds = sql.SQL("ts AS _low_ts, ts AS _high_ts, _seq AS _low_seq, _seq AS _high_seq")
    names = [sql.Identifier(column.physical or "") for column in columns]
    plain = sql.SQL("SELECT {} FROM {}").format(_COMMA.join([sql.SQL("_seq, ts, _extra"), bounds, *names]), cold.hot)
    if cold.columnstore:
        await connection.execute(columnstore.view(cold.unpacked, cold.packed, cold.parts, columns))
        packed = sql.SQL("SELECT * FROM {}").format(cold.unpacked)
    else:
        packed = unpacked(cold, columns, bounds=True)
    make = sql.SQL("CREATE OR REPLACE VIEW {} AS {} UNION ALL {}").format(cold.view, packed, plain)
    await connection.execute(make)


def unpacked(
    cold: Cold, columns: Sequence[Column], *, bounds: bool, where: sql.Composable | None = None
) -> sql.Composed:
    """Builds a query of the rows in segments: `_seq`, `ts`, `_extra`, and `columns`, which all have physical names.

    `where` is a condition on segments. Arrays are unnested in the list of SELECT, where all arrays of a row advance
    together. Unnesting in FROM takes 1.4 to 2.5 times as long.
    """
    held = set(cold.parts)
    inner: list[sql.Composable] = [
        sql.SQL("low_ts, high_ts, low_seq, high_seq, unit, unnest(({})[1:rows]) AS i").format(_POSITIONS)
    ]
    for part in cold.parts:
        name = sql.Identifier(part)
        inner.append(sql.SQL("unnest({n}) AS {n}").format(n=name) if PART_TYPES[part[0]].endswith("[]") else name)
    cells = [
        sql.SQL("{} AS _seq").format(_integer(NUMBER, held)),
        sql.SQL("low_ts + ({})::double precision * unit AS ts").format(_offset(TIME, held)),
        sql.SQL("{}::json AS _extra").format(sql.Identifier(f"c{EXTRA}") if f"c{EXTRA}" in held else sql.NULL),
    ]
    if bounds:
        cells.append(sql.SQL(", ").join(sql.SQL(f"{name[1:]} AS {name}") for name in BOUNDS))
    cells += [
        sql.SQL("{} AS {}").format(_value(column, held), sql.Identifier(column.physical or "")) for column in columns
    ]
    source = sql.SQL("SELECT {} FROM {}").format(_COMMA.join(inner), cold.packed)
    if where is not None:
        source += sql.SQL(" WHERE {}").format(where)
    return sql.SQL("SELECT {} FROM ({}) AS segment").format(_COMMA.join(cells), source)


def _offset(key: str, held: set[str]) -> sql.Composable:
    """Builds the expression of a row's offset from the base of its segment."""
    cells: list[sql.Composable] = [sql.Identifier(f"{one}{key}") for one in "xyz" if f"{one}{key}" in held]
    if f"p{key}" in held:
        cells.append(sql.SQL("i * {}").format(sql.Identifier(f"p{key}")))
    if not cells:
        return sql.SQL("NULL::bigint")
    return sql.SQL("coalesce({})").format(_COMMA.join(cells)) if len(cells) > 1 else cells[0]


def _integer(key: str, held: set[str]) -> sql.Composable:
    if f"b{key}" not in held:
        return sql.SQL("NULL::bigint")
    return sql.SQL("({} + {})").format(sql.Identifier(f"b{key}"), _offset(key, held))


def _value(column: Column, held: set[str]) -> sql.Composable:
    key, kind = key_of(column), sql.SQL(SQL_TYPES[column.dtype])
    if column.dtype is Dtype.INT:
        return _integer(key, held)
    if column.dtype is Dtype.FLOAT:
        cells = [sql.Identifier(f"{one}{key}") for one in "fg" if f"{one}{key}" in held]
        whole = sql.SQL("{}::double precision").format(_integer(key, held))
        if f"s{key}" in held:
            whole += sql.SQL(" / coalesce({}, 1)").format(sql.Identifier(f"s{key}"))
        return sql.SQL("coalesce({})").format(_COMMA.join([*cells, whole])) if cells else whole
    letter = "o" if column.dtype is Dtype.BOOLEAN else "c"
    name = f"{letter}{key}"
    return sql.Identifier(name) if name in held else sql.SQL("NULL::{}").format(kind)
