"""Validates single records with the checks of an import, and writes them into tables."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from atlas.column_formats.model import Kind
from atlas.db.copy import in_thread
from atlas.db.database import Connection
from atlas.errors import BadRequestError
from atlas.imports.checked import Checked, check
from atlas.imports.checks import Staged
from atlas.imports.duckdb_casts import cast, literal
from atlas.imports.files.source import Source, physical, text_table
from atlas.imports.key_changes import rekey_changed
from atlas.imports.matched import aim, match
from atlas.imports.plan import ColumnPlan, ImportPlan
from atlas.imports.staging import Staging
from atlas.records.cells import double_meaning, read_cell
from atlas.tables import bulk
from atlas.tables import repository as tables
from atlas.tables.model import Table, TableColumn

Record = Mapping[str, Any]
_NUMBERS = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record with its label in messages, such as `validation_failures[0]`. relaxed: only its types are checked.

    typed: columns whose value a person typed; None means all columns.
    """

    label: str
    record: Record
    relaxed: bool = False
    typed: frozenset[str] | None = None


def resolve_names(table: Table, record: Record, label: str) -> dict[str, Any]:
    """Renames a record's fields to the table's columns. Raises BadRequestError for an unknown field."""
    found = {}
    for name, value in record.items():
        column = table.find_column(name)
        if column is None:
            listed = ", ".join(column.name for column in table.columns)
            raise BadRequestError("Unknown column", f"{label}.{name}: {table.name!r} has {listed}")
        found[column.name] = value
    return found


def as_text(value: Any) -> str | None:
    """Converts a JSON value to the text of a cell."""
    if value is None or isinstance(value, str):
        return None if value is None else value.replace("\0", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value) if isinstance(value, int | Decimal) else _NUMBERS.encode(value).decode()


def record_plan(table: Table, columns: Sequence[TableColumn], *, relaxed: bool) -> ImportPlan:
    """Builds a plan that reads plain values of some columns, in order. relaxed: only types are checked."""
    planned = tuple(
        ColumnPlan(
            position,
            column.header,
            column.name,
            column.type,
            Kind(column.type),
            new=False,
            semantic=None if relaxed else column.semantic,
            required=column.required and not relaxed,
            rules=msgspec.structs.replace(column.rules, minimum=None, maximum=None, above=None, values=())
            if relaxed
            else column.rules,
        )
        for position, column in enumerate(columns)
    )
    return ImportPlan(table.name, True, planned, key=table.key, duplicates="keep")


@contextlib.asynccontextmanager
async def staged(
    table: Table, columns: Sequence[TableColumn], records: Sequence[Labelled], notes: list[str] | None = None
) -> AsyncIterator[Checked]:
    """Checks records as an import does. Raises BadRequestError, which names the first failing record.

    notes: receives a note for each text that was parsed by its column's notation, such as `1.250,50`. Without `notes`
    such texts are refused.
    """
    rows = [[as_text(item.record.get(column.name)) for column in columns] for item in records]
    source = Source([""] * len(columns), [None] * len(columns), iter([text_table(rows, len(columns))]))
    with tempfile.TemporaryDirectory(prefix="atlas-records-") as folder:
        staging = await asyncio.to_thread(Staging, Path(folder), source, keep_blank=True)
        try:
            file = Staged(staging, record_plan(table, columns, relaxed=records[0].relaxed))
            read: dict[tuple[int, str], str] = {}
            if notes is not None:
                understood = await asyncio.to_thread(_understand, file, table, columns, records, read)
                notes += [note for note in understood if note not in notes]
            checked = await asyncio.to_thread(check, file)
            if (found := checked.first_problem()) is not None:
                number, problems = found
                reasons = "; ".join(
                    f"{p['column']}: {p['reason']} ({read.get((number, p['column']), p['value'])!r})" for p in problems
                )
                raise BadRequestError("Invalid data", f"{records[number - 1].label}: {reasons}")
            yield checked
        finally:
            await asyncio.to_thread(staging.close)


def _understand(
    file: Staged,
    table: Table,
    columns: Sequence[TableColumn],
    records: Sequence[Labelled],
    read: dict[tuple[int, str], str],
) -> list[str]:
    """Replaces texts in the notation of their column, such as `1.250,50`, by plain values. Returns a note for each.

    read: receives these texts by record and column. Raises BadRequestError for an ambiguous text.
    """
    notes = []
    for position, column in enumerate(columns):
        if column.type in ("text", "json", "boolean"):
            continue
        raw = physical(position)
        value = file.value(file.plan.columns[position])
        rows = file.staging.query(f"SELECT _n, {raw}, {value} IS NULL FROM raw WHERE {raw} IS NOT NULL ORDER BY _n")
        for number, text, odd in rows:
            item = records[number - 1]
            # A JSON number is unambiguous.
            if not isinstance(item.record.get(column.name), str):
                continue
            if not odd:
                typed = item.typed is None or column.name in item.typed
                if typed and double_meaning(text, column, table):
                    notes.append(f"{column.name}: {text!r} was read with a decimal point, not with points in thousands")
                continue
            reading = read_cell(text, column, table)
            if reading.reason is not None:
                reason = f"{item.label}: {column.name}: {reading.reason} ({text!r})"
                raise BadRequestError("Invalid data", reason)
            plain = None if reading.kind is None else _plain(file.staging, text.strip(), reading.kind)
            if plain is not None:
                file.staging.query(f"UPDATE raw SET {raw} = {literal(plain)} WHERE _n = {number}")
                notes.append(f"{column.name}: {text!r} was read as {plain}")
                read[number, column.name] = text
    return notes


def _plain(staging: Staging, text: str, kind: Kind) -> str | None:
    """Converts a text of a kind to a plain text; None for a text that is no value."""
    found = staging.query(f"SELECT CAST({cast(literal(text), kind)} AS VARCHAR)")[0][0]
    return None if found is None else str(found)


async def insert_records(
    connection: Connection,
    table: Table,
    import_number: int,
    records: Sequence[Labelled],
    notes: list[str] | None = None,
) -> list[int]:
    """Inserts records that pass the table's checks, even if equal rows exist. Returns the numbers of their rows.

    notes: as for `staged`. Raises BadRequestError, which names the record, the column and the reason.
    """
    rows: list[int] = []
    for relaxed in (False, True):
        part = [item for item in records if item.relaxed is relaxed]
        if not part:
            continue
        named = [replace(i, record=resolve_names(table, i.record, i.label)) for i in part]
        for item in named:
            if not any(as_text(value) for value in item.record.values()):
                raise BadRequestError("Invalid data", f"{item.label}: the record is empty")
        async with staged(table, table.columns, named, notes) as checked:
            matched = await asyncio.to_thread(match, checked, table.columns)
            first = (await _last_row(connection, table)) + 1
            batches = in_thread(matched.rows())
            count = await bulk.insert(connection, table, table.columns, batches, import_number, first)
        await tables.count_rows(connection, table, count, first + count - 1)
        rows += range(first, first + count)
    order = [i for relaxed in (False, True) for i, item in enumerate(records) if item.relaxed is relaxed]
    return [row for _, row in sorted(zip(order, rows, strict=True))]


async def _last_row(connection: Connection, table: Table) -> int:
    return await tables.last_row(connection, table.id)


async def update_records(
    connection: Connection,
    table: Table,
    import_number: int,
    changes: Sequence[tuple[int, Labelled]],
    notes: list[str] | None = None,
) -> list[int]:
    """Sets values of rows, given by number, after the table's checks. Null empties a value.

    notes: as for `staged`. Returns the numbers of the rows that changed. Raises BadRequestError as `insert_records`
    does.
    """
    groups: dict[tuple[str, ...], list[tuple[int, Labelled]]] = {}
    for row, item in changes:
        record = resolve_names(table, item.record, item.label)
        groups.setdefault(tuple(record), []).append((row, Labelled(item.label, record, item.relaxed)))
    changed: list[int] = []
    for names, group in groups.items():
        columns = [column for column in table.columns if column.name in names]
        if not columns:
            continue
        # The last of several changes of a row counts.
        group = list({row: (row, item) for row, item in group}.values())
        async with staged(table, columns, [item for _, item in group], notes) as checked:
            targets = pa.table({"n": list(range(1, len(group) + 1)), "row": [row for row, _ in group]})
            matched = await asyncio.to_thread(aim, checked, targets)
            await bulk.stage_updates(connection, columns, in_thread(matched.updates()))
            found = await bulk.apply_updates(connection, table, columns, import_number, keep_on_null=False)
        await rekey_changed(connection, table, found, names, group[0][1].label)
        changed += found
    return changed
