"""Rows that an earlier version packed in TimescaleDB's columnstore, until they are converted.

`_cold_<id>` is then a hypertable with a row for each row of the dataset. Decimals are integers by a power of ten:
`d2_17` has the cents of column 17. Other floats have parts of their own. `_unpacked_<id>` decodes the parts. The view
is a security_barrier, so that PostgreSQL does not merge the view into the dataset's view. In a merged view TimescaleDB
2.29 reads NULL where a query of a UNION ALL names a compressed column twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from atlas.db.database import Connection
from atlas.timeseries.cold.chunk_codec import EXTRA, part_name
from atlas.timeseries.columns import SQL_TYPES, Column, Dtype

_COMMA = sql.SQL(", ")
# Bounds of the unit that is unpacked for a row. In a columnstore the unit is the row itself, so a condition on the
# bounds adds nothing to the condition on the row. The planner sees that these constants satisfy the condition.
_BOUNDS = sql.SQL(
    "timestamptz '0001-01-01 00:00:00Z' AS _low_ts, timestamptz '9999-12-31 23:59:59.999999Z' AS _high_ts, "
    "bigint '0' AS _low_seq, bigint '9223372036854775807' AS _high_seq"
)


# Powers of ten of the parts of decimals.
_DIGITS = range(10)


async def remove(
    connection: Connection, relation: sql.Identifier, bound: sql.Identifier, low: sql.Literal, high: sql.Literal
) -> int:
    """Deletes the rows with `bound` (`ts` or `_seq`) from `low` to `high`, and returns their number."""
    # The limit protects users from unpacking a table by mistake. Here the deletion is intended.
    await connection.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
    gone = await connection.execute(
        sql.SQL("DELETE FROM {} WHERE {b} >= {} AND {b} <= {}").format(relation, low, high, b=bound)
    )
    return gone.rowcount


def view(
    name: sql.Identifier, relation: sql.Identifier, parts: Sequence[str], columns: Sequence[Column]
) -> sql.Composed:
    """Builds the statement that creates or replaces the view of decoded rows.

    The view has `_seq`, `ts`, `_extra`, bounds, and the physical columns.
    """
    held = set(parts)
    extra = sql.Identifier(f"c{EXTRA}") if f"c{EXTRA}" in held else sql.NULL
    cells: list[sql.Composable] = [sql.SQL("_seq, ts, {}::json AS _extra").format(extra), _BOUNDS]
    cells += [
        sql.SQL("{} AS {}").format(_value(column, held), sql.Identifier(column.physical or "")) for column in columns
    ]
    make = "CREATE OR REPLACE VIEW {} WITH (security_barrier) AS SELECT {} FROM {}"
    return sql.SQL(make).format(name, _COMMA.join(cells), relation)


def _value(column: Column, held: set[str]) -> sql.Composable:
    key, plain = part_name(column), sql.SQL("{}")
    if column.dtype is Dtype.FLOAT:
        parts = {f"d{digits}_{key}": sql.SQL(f"{{}} / {10**digits}::double precision") for digits in _DIGITS}
        # The "b" part dates from before the column's change from int to float.
        parts |= {f"f{key}": plain, f"b{key}": sql.SQL("{}::double precision")}
    else:
        letter = {Dtype.INT: "b", Dtype.BOOLEAN: "o"}.get(column.dtype, "c")
        parts = {f"{letter}{key}": plain}
    cells = [value.format(sql.Identifier(name)) for name, value in parts.items() if name in held]
    if not cells:
        return sql.SQL("NULL::{}").format(sql.SQL(SQL_TYPES[column.dtype]))
    return cells[0] if len(cells) == 1 else sql.SQL("coalesce({})").format(_COMMA.join(cells))
