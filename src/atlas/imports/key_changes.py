"""Computes new keys for rows with changed key columns, and refuses changes that give two rows one key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from atlas.db.database import Connection
from atlas.errors import BadRequestError
from atlas.imports import undo_repository as undoing
from atlas.imports.key_rows import row_keys
from atlas.tables import bulk, export
from atlas.tables.model import Table


async def rekey(connection: Connection, table: Table, rows: Sequence[int] | None) -> list[int]:
    """Computes the keys of some rows, or of all if `rows` is None, within the transaction.

    Returns the rows with changed keys.
    """
    if rows is not None and not rows:
        return []
    texts = await bulk.key_texts(connection, table, rows)
    keys = await asyncio.to_thread(row_keys, texts, table.columns, table.key)
    return await bulk.set_keys(connection, table, keys)


async def rekey_changed(
    connection: Connection, table: Table, rows: Sequence[int], columns: Sequence[str], label: str
) -> None:
    """Computes the keys of rows after a change of `columns`.

    Raises BadRequestError: when a row would get the key of another row.
    """
    if not table.key or set(columns) & set(table.key):
        await refuse_taken_keys(connection, table, await rekey(connection, table, rows), label)


async def refuse_taken_keys(
    connection: Connection, table: Table, rows: Sequence[int], label: str | Mapping[int, str]
) -> None:
    """Refuses keys that two rows would share.

    label: the change's name in messages, or the name of each row, which then is new. Without key columns, equal rows
    are allowed.
    Raises BadRequestError: when another row that is not archived has the key of one of `rows`.
    """
    if not table.key or not rows:
        return
    twin = await bulk.key_twin(connection, table, rows)
    if twin is None:
        return
    row, other = twin
    told = await _key_of(connection, table, row)
    who = f"{label}: row {row}" if isinstance(label, str) else f"{label[row]}: the record"
    if other in rows and not isinstance(label, str):
        raise BadRequestError("Key is taken", f"{who} would have {told}, as {label[other]} has")
    raise BadRequestError("Key is taken", f"{who} would have {told}, which row {other} has already")


async def refuse_late_twins(connection: Connection, table: Table, rows: Sequence[int], undone: Sequence[int]) -> None:
    """Refuses an undo that would give two rows one key.

    rows: the rows with the key that they had before the imports numbered `undone`.
    Raises BadRequestError: when another row has got such a key since these imports.
    """
    if not table.key or not rows:
        return
    twin = await undoing.late_twin(connection, table, rows, undone)
    if twin is None:
        return
    row, other = twin
    told = await _key_of(connection, table, row)
    reason = f"undo: row {row} would have {told}, which row {other} has got since: archive row {other} first"
    raise BadRequestError("Key is taken", reason)


async def _key_of(connection: Connection, table: Table, row: int) -> str:
    """Formats the key of a row for messages."""
    record = (await export.records(connection, table, [row]))[row]
    return ", ".join(f"{name} {record.get(name)!r}" for name in table.key)
