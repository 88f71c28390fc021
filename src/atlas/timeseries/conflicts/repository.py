"""SQL of conflicts: stored rows with the timestamp and keys of an insert's rows, and the history of replaced rows.

All statements run in the transaction of the insert, which holds the locks on the dataset's state and on packed rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from psycopg import sql

from atlas.db import executor
from atlas.db.copy import copy_table
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.conflicts.model import Flags, Held, Ints, Policy
from atlas.timeseries.ingest.array_parameters import array_type, array_values
from atlas.timeseries.repository import history_of, time_literal

# Up to this number of values, rows are parameters of a statement. More are copied to a temporary table.
FEW_CELLS = 2_000
PACKED = sql.Identifier("pg_temp", "_packed_rows")
_COMMA = sql.SQL(", ")
_MICROS = sql.SQL("(extract(epoch FROM ts) * 1000000)::bigint")


@dataclass(frozen=True, slots=True)
class Target:
    """The tables of a dataset. columns: by name; identity: physical names of what tells rows apart, `ts` first."""

    schema: str
    dataset_id: int
    hot: sql.Identifier
    columns: Mapping[str, Column]
    identity: tuple[str, ...]

    @property
    def cells(self) -> list[str]:
        """Names of all columns that a row has."""
        return ["_seq", "ts", "_extra", *(column.physical for column in self.columns.values() if column.physical)]

    def matching(self, one: str, other: str) -> sql.Composed:
        """Builds the condition that two relations have rows with equal timestamp and keys."""
        same = sql.SQL("{}.{} = {}.{}")
        parts = [
            same.format(sql.Identifier(one), sql.Identifier(name), sql.Identifier(other), sql.Identifier(name))
            for name in self.identity
        ]
        return sql.SQL(" AND ").join(parts)

    def equal(self, given: Sequence[str]) -> sql.Composed:
        """Builds the condition that `held` equals `given` in all values. given: the columns that `given` has."""
        parts: list[sql.Composable] = []
        for column in self.columns.values():
            if column.physical is None or column.physical in self.identity:
                continue
            name = sql.Identifier(column.physical)
            if column.physical not in given:
                parts.append(sql.SQL("held.{} IS NULL").format(name))
            elif column.dtype is Dtype.FLOAT:
                # By their bits, as -0.0 and 0.0 are two values.
                parts.append(sql.SQL("float8send(held.{n}) IS NOT DISTINCT FROM float8send(given.{n})").format(n=name))
            else:
                parts.append(sql.SQL("held.{n} IS NOT DISTINCT FROM given.{n}").format(n=name))
        rest = (
            "held._extra::text IS NOT DISTINCT FROM given._extra::text" if "_extra" in given else "held._extra IS NULL"
        )
        return sql.SQL(" AND ").join([*parts, sql.SQL(rest)])


def _names(names: Sequence[str]) -> sql.Composed:
    return _COMMA.join(map(sql.Identifier, names))


async def _source(
    connection: Connection, target: Target, rows: pa.Table, name: str
) -> tuple[sql.Composed, list[list[object]]]:
    """Returns a relation of rows and its parameters. `name` is that of a temporary table for many rows."""
    if rows.num_rows * rows.num_columns <= FEW_CELLS:
        arrays = _COMMA.join([sql.SQL(f"%s::{array_type(field)}") for field in rows.schema])
        source = sql.SQL("(SELECT * FROM unnest({}) AS given ({}))").format(arrays, _names(rows.column_names))
        return source, [array_values(column) for column in rows.columns]
    table = sql.Identifier("pg_temp", name)
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    # Without constraints, and with the columns of the rows only.
    await connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
            sql.Identifier(name), _names(rows.column_names), target.hot
        )
    )
    await copy_table(connection, table, rows, inline=False)
    await connection.execute(sql.SQL("ANALYZE {}").format(table))
    return sql.SQL("{}").format(table), []


async def lock_chunks(connection: Connection, dataset_id: int) -> None:
    """Keeps rows from being packed until the transaction ends."""
    await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})


async def find_held(connection: Connection, target: Target, rows: pa.Table, *, packed: bool) -> Held:
    """Finds stored rows with the timestamp and keys of `rows`, which are in order of time.

    packed: whether PACKED has further stored rows.
    """
    count: Ints = np.zeros(len(rows), np.int64)
    same: Flags = np.zeros(len(rows), np.bool_)
    given = rows.append_column("_seq", pa.array(np.arange(len(rows))))
    source, parameters = await _source(connection, target, given, "_given_rows")
    held: sql.Composable = target.hot
    if packed:
        cells = _names(target.cells)
        held = sql.SQL("(SELECT {c} FROM {hot} UNION ALL SELECT {c} FROM {packed})").format(
            c=cells, hot=target.hot, packed=PACKED
        )
    micros = rows.column("ts").cast(pa.int64())
    statement = sql.SQL(
        "SELECT given._seq, count(*), (array_agg({equal} ORDER BY held._seq))[1] FROM {source} AS given "
        "JOIN {held} AS held ON {match} AND held.ts >= {low} AND held.ts <= {high} GROUP BY 1"
    ).format(
        equal=target.equal(rows.column_names),
        source=source,
        held=held,
        match=target.matching("held", "given"),
        low=time_literal(micros[0].as_py()),
        high=time_literal(micros[-1].as_py()),
    )
    found = await (await connection.execute(statement, parameters or None)).fetchall()
    if found:
        at, counts, equal = (np.array(values) for values in zip(*found, strict=True))
        count[at], same[at] = counts, equal
    return Held(count, same)


async def make_packed(connection: Connection, target: Target, tables: Sequence[pa.Table]) -> None:
    """Puts rows of chunks into PACKED, which has the columns of the dataset's table."""
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(PACKED))
    await connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE _packed_rows ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
            _names(target.cells), target.hot
        )
    )
    for table in tables:
        await copy_table(connection, PACKED, table, inline=False)


async def open_history(connection: Connection, target: Target) -> None:
    """Creates the table of replaced rows unless there is one."""
    parameters = {"schema": target.schema, "id": target.dataset_id}
    await connection.execute(queries("timeseries/conflicts/conflicts")["create_history"], parameters)


async def replace_held(
    connection: Connection, target: Target, winners: pa.Table, *, packed: bool
) -> tuple[list[tuple[int, int]], list[int]]:
    """Moves stored rows with the timestamp and keys of `winners` to the history.

    winners: `ts`, keys, and in `_seq` the number of the row that replaces the others. Returns numbers and times
    (microseconds) of all moved rows, and the numbers of those from PACKED.
    """
    source, parameters = await _source(connection, target, winners, "_winning_rows")
    moved: list[tuple[int, int]] = []
    unpacked: list[int] = []
    cells = _names(target.cells)
    given = _COMMA.join([sql.SQL("held.{}").format(sql.Identifier(name)) for name in target.cells])
    for table in (target.hot, PACKED) if packed else (target.hot,):
        statement = sql.SQL(
            "WITH gone AS (DELETE FROM {table} AS held USING {source} AS given WHERE {match} "
            "RETURNING {given}, given._seq AS _high_seq), "
            "kept AS (INSERT INTO {history} ({cells}, _high_seq) SELECT {cells}, _high_seq FROM gone ORDER BY _seq "
            "RETURNING _seq, ts) SELECT _seq, {micros} FROM kept"
        ).format(
            table=table,
            source=source,
            match=target.matching("held", "given"),
            given=given,
            history=history_of(target.schema, target.dataset_id),
            cells=cells,
            micros=_MICROS,
        )
        rows = await (await connection.execute(statement, parameters or None)).fetchall()
        moved += rows
        if table is PACKED:
            unpacked = [row[0] for row in rows]
    return moved, unpacked


async def keep_replaced(connection: Connection, target: Target, rows: pa.Table) -> None:
    """Puts rows into the history that another row of the same insert has replaced. They have `_seq` and `_high_seq`."""
    await copy_table(connection, history_of(target.schema, target.dataset_id), rows, inline=len(rows) <= FEW_CELLS)


async def count_replaced(connection: Connection, dataset_id: int, rows: int, last: int) -> None:
    """Subtracts replaced rows from a dataset's row count. last: the number of the last row that replaced others."""
    parameters = {"id": dataset_id, "rows": rows, "last": last}
    await connection.execute(queries("timeseries/conflicts/conflicts")["count_replaced"], parameters)


async def set_policy(connection: Connection, dataset_id: int, policy: Policy) -> None:
    """Sets what inserts into a dataset do with conflicts. The caller holds the lock on the dataset's state.

    Writers that know the dataset from before look again.
    """
    parameters = {"id": dataset_id, "policy": policy}
    row = await executor.row(connection, queries("timeseries/conflicts/conflicts")["set_policy"], parameters)
    if row is not None:
        await connection.execute(queries("timeseries/rows")["change_columns"], {"id": dataset_id})
