"""Undoes an import: its rows, its changes of other rows, its columns and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from atlas.db.database import Connection
from atlas.tables import column_notes_repository as column_notes
from atlas.tables import repository as tables
from atlas.tables.model import Table
from atlas.tables.repository import physical


@dataclass(slots=True)
class Undone:
    """The result of an undo.

    rows_kept: rows that others changed since.
    values_kept: values that others changed since.
    """

    rows_removed: int = 0
    rows_restored: list[int] = field(default_factory=list)
    # Restored rows with another key now, or rows that are visible again.
    keys_restored: list[int] = field(default_factory=list)
    rows_kept: int = 0
    values_kept: int = 0
    columns_dropped: list[str] = field(default_factory=list)
    table_dropped: bool = False
    # Types that the import gave to columns, which the columns keep.
    widened: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.rows_kept and not self.values_kept

    def add(self, other: Undone) -> None:
        """Adds the result of another undo."""
        self.rows_removed += other.rows_removed
        self.rows_restored = sorted({*self.rows_restored, *other.rows_restored})
        self.keys_restored = sorted({*self.keys_restored, *other.keys_restored})
        self.rows_kept += other.rows_kept
        self.values_kept += other.values_kept
        self.columns_dropped += other.columns_dropped
        self.table_dropped = self.table_dropped or other.table_dropped
        self.widened |= other.widened


async def undo(connection: Connection, table: Table, row: dict[str, Any]) -> Undone:
    """Undoes an import, update or correction within the transaction. Later changes by others stay."""
    done = Undone()
    await _restore(connection, table, row["number"], done)
    await _remove(connection, table, row, done)
    await _drop_columns(connection, table, row, done)
    if row["made_table"] and done.complete and not await _in_use(connection, table, row["number"]):
        await column_notes.keep_dropped(connection, table.id, row["number"])
        await tables.drop(connection, table)
        done.table_dropped = True
    else:
        types = {column.name: column.type for column in table.columns if column.name not in done.columns_dropped}
        made = (row["plan"] or {}).get("widened") or {}
        done.widened = {name: type_ for name, type_ in made.items() if types.get(name) == type_}
    return done


async def _restore(connection: Connection, table: Table, number: int, done: Undone) -> None:
    """Restores the values that are still as the import left them."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in [*(c.name for c in table.columns), "_archived"])
    await connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE _undo ON COMMIT DROP AS WITH mine AS ("
            "SELECT c.row_id, k.key, (array_agg(c.before -> k.key ORDER BY c.id))[1] AS before, "
            "(array_agg(c.after -> k.key ORDER BY c.id DESC))[1] AS after "
            "FROM atlas.row_changes c CROSS JOIN LATERAL jsonb_object_keys(c.before) AS k (key) "
            "WHERE c.import_number = {number} AND c.table_id = {id} AND c.undone_at IS NULL GROUP BY c.row_id, k.key) "
            "SELECT m.*, to_jsonb(r) -> m.key IS NOT DISTINCT FROM m.after AS same FROM mine m "
            "JOIN (SELECT _row, {names} FROM {table}) r ON r._row = m.row_id"
        ).format(number=sql.Literal(number), id=sql.Literal(table.id), names=names, table=physical(table))
    )
    cursor = await connection.execute("SELECT count(*) FILTER (WHERE NOT same) FROM _undo")
    kept = await cursor.fetchone()
    done.values_kept = int(kept[0]) if kept else 0
    cursor = await connection.execute("SELECT DISTINCT key FROM _undo WHERE same")
    known = {column.name for column in table.columns} | {"_archived"}
    columns = [row[0] for row in await cursor.fetchall() if row[0] in known]
    if columns:
        sets = sql.SQL(", ").join(
            sql.SQL(
                "{c} = CASE WHEN p.patch ? {k} THEN (jsonb_populate_record(NULL::{t}, p.patch)).{c} ELSE t.{c} END"
            ).format(c=sql.Identifier(name), k=sql.Literal(name), t=physical(table))
            for name in columns
        )
        cursor = await connection.execute(
            sql.SQL(
                "UPDATE {t} t SET {sets}, _updated = now() "
                "FROM (SELECT row_id, jsonb_object_agg(key, before) AS patch FROM _undo "
                "WHERE same GROUP BY row_id) p WHERE t._row = p.row_id RETURNING t._row"
            ).format(t=physical(table), sets=sets)
        )
        done.rows_restored = [row[0] for row in await cursor.fetchall()]
        if "_archived" in columns:
            cursor = await connection.execute(
                "SELECT row_id FROM _undo WHERE same AND key = '_archived' AND before = 'null'"
            )
            done.keys_restored = [row[0] for row in await cursor.fetchall()]
            await recount(connection, table)
    await connection.execute(
        "UPDATE atlas.row_changes c SET undone_at = now() FROM _undo u WHERE c.import_number = %s AND c.table_id = %s "
        "AND c.undone_at IS NULL AND c.row_id = u.row_id "
        "AND NOT EXISTS (SELECT 1 FROM _undo o WHERE o.row_id = u.row_id AND NOT o.same)",
        (number, table.id),
    )
    await connection.execute("DROP TABLE _undo")


async def late_twin(
    connection: Connection, table: Table, rows: Sequence[int], undone: Sequence[int]
) -> tuple[int, int] | None:
    """Returns the first of `rows` whose key another row has got since the imports numbered `undone`, and that row.

    Two rows may share a key that both had before these imports. Archived rows do not count.
    """
    query = sql.SQL(
        "WITH mine AS (SELECT min(c.id) AS id, min(coalesce(c.at, i.finished_at)) AS at FROM atlas.row_changes c "
        "JOIN atlas.imports i ON i.number = c.import_number WHERE c.import_number = ANY({undone}) "
        "AND c.table_id = {id} AND (c.undone_at IS NULL OR c.undone_at = now())) "
        "SELECT t._row, o._row FROM {t} t JOIN {t} o ON o._key = t._key AND o._row <> t._row CROSS JOIN mine m "
        "WHERE t._row = ANY({rows}) AND t._archived IS NULL AND o._archived IS NULL "
        # The differences from the moment before: new rows, new changes, and changes that were undone since.
        "AND (o._created > m.at OR EXISTS (SELECT 1 FROM atlas.row_changes c WHERE c.table_id = {id} "
        "AND c.row_id IN (t._row, o._row) AND c.import_number <> ALL({undone}) AND c.after ?| {keys} "
        "AND CASE WHEN c.id > m.id THEN c.undone_at IS NULL ELSE c.undone_at > m.at END)) "
        "ORDER BY t._row, o._row LIMIT 1"
    ).format(
        t=physical(table),
        id=sql.Literal(table.id),
        rows=sql.Literal(list(rows)),
        undone=sql.Literal(list(undone)),
        keys=sql.Literal([*table.key, "_archived"]),
    )
    row = await (await connection.execute(query)).fetchone()
    return None if row is None else (row[0], row[1])


async def recount(connection: Connection, table: Table) -> None:
    """Counts the rows that are not archived again."""
    await connection.execute(
        sql.SQL(
            "UPDATE atlas.tables SET row_count = (SELECT count(*) FROM {} WHERE _archived IS NULL) WHERE id = {}"
        ).format(physical(table), sql.Literal(table.id))
    )


async def _remove(connection: Connection, table: Table, row: dict[str, Any], done: Undone) -> None:
    """Removes the rows that the import brought and nobody has changed since."""
    if row["first_row"] is None:
        return
    # The rows of a correction belong to the import.
    mine = sql.SQL("_row BETWEEN {} AND {} AND _import = {}").format(
        *map(sql.Literal, (row["first_row"], row["last_row"], row["corrects"] or row["number"]))
    )
    changed = sql.SQL(
        "EXISTS (SELECT 1 FROM atlas.row_changes c "
        "WHERE c.table_id = {} AND c.row_id = t._row AND c.import_number <> {} AND c.undone_at IS NULL)"
    ).format(sql.Literal(table.id), sql.Literal(row["number"]))
    cursor = await connection.execute(
        sql.SQL("DELETE FROM {} t WHERE {} AND NOT {}").format(physical(table), mine, changed)
    )
    done.rows_removed = cursor.rowcount
    await recount(connection, table)
    cursor = await connection.execute(sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(physical(table), mine))
    kept = await cursor.fetchone()
    done.rows_kept = int(kept[0]) if kept else 0


async def _drop_columns(connection: Connection, table: Table, row: dict[str, Any], done: Undone) -> None:
    empty = []
    for name in row["new_columns"] or []:
        if table.column(name) is None:
            continue
        query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE {} IS NOT NULL)").format(
            physical(table), sql.Identifier(name)
        )
        used = await (await connection.execute(query)).fetchone()
        if used is not None and not used[0] and name not in table.key:
            empty.append(name)
    if empty:
        await column_notes.keep_dropped(connection, table.id, row["number"], empty)
        await tables.change_columns(connection, table, drop=empty)
        done.columns_dropped = empty


async def _in_use(connection: Connection, table: Table, number: int) -> bool:
    """Checks whether a table has rows, or another import in force."""
    query = sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM {}) OR EXISTS (SELECT 1 FROM atlas.imports "
        "WHERE table_id = {} AND number <> {} AND corrects IS DISTINCT FROM {} "
        "AND status IN ('success', 'partially_undone'))"
    ).format(physical(table), sql.Literal(table.id), sql.Literal(number), sql.Literal(number))
    row = await (await connection.execute(query)).fetchone()
    return row is None or bool(row[0])


async def archive_all(connection: Connection, table: Table, number: int) -> int:
    """Hides every row of a table, logged like any change. Returns the number of rows."""
    cursor = await connection.execute(
        sql.SQL(
            "WITH old AS (SELECT _row FROM {t} WHERE _archived IS NULL FOR UPDATE), "
            "done AS (UPDATE {t} t SET _archived = now() FROM old WHERE t._row = old._row "
            "RETURNING t._row, t._archived AS becomes) "
            "INSERT INTO atlas.row_changes (table_id, row_id, import_number, before, after) "
            "SELECT {id}, _row, {number}, jsonb_build_object('_archived', NULL::timestamptz), "
            "jsonb_build_object('_archived', becomes) FROM done"
        ).format(t=physical(table), id=sql.Literal(table.id), number=sql.Literal(number))
    )
    await tables.count_rows(connection, table, -cursor.rowcount)
    return cursor.rowcount


async def archive(
    connection: Connection, table: Table, number: int, rows: Sequence[int], *, restore: bool
) -> list[int]:
    """Hides rows from every read, or shows the rows again, logged like any change."""
    moment = sql.SQL("NULL::timestamptz" if restore else "now()")
    state = sql.SQL("NOT NULL" if restore else "NULL")
    cursor = await connection.execute(
        sql.SQL(
            "WITH old AS (SELECT _row, _archived FROM {t} WHERE _row = ANY({rows}) "
            "AND _archived IS {state} FOR UPDATE), "
            "done AS (UPDATE {t} t SET _archived = {moment}, _updated = now() FROM old WHERE t._row = old._row "
            "RETURNING t._row, old._archived AS was, t._archived AS becomes) "
            "INSERT INTO atlas.row_changes (table_id, row_id, import_number, before, after) "
            "SELECT {id}, _row, {number}, jsonb_build_object('_archived', was), "
            "jsonb_build_object('_archived', becomes) FROM done RETURNING row_id"
        ).format(
            t=physical(table),
            rows=sql.Literal(list(rows)),
            state=state,
            moment=moment,
            id=sql.Literal(table.id),
            number=sql.Literal(number),
        )
    )
    changed = [row[0] for row in await cursor.fetchall()]
    await tables.count_rows(connection, table, len(changed) if restore else -len(changed))
    return changed
