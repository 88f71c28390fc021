"""Units and descriptions of columns that a file states in its header or beside the header."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.column_formats.model import NUMBERS, Kind
from atlas.imports.files.source import Source
from atlas.imports.infer.header_units import HeaderUnit, header_units
from atlas.imports.plan import ColumnPlan
from atlas.kit.field_metadata import fitting
from atlas.tables.model import Table, TableColumn


def with_units(
    columns: Sequence[ColumnPlan], source: Source, table: Table | None
) -> tuple[list[ColumnPlan], list[str]]:
    """Adds the file's units and descriptions to new columns. Returns the columns and notes.

    table: the target, if the table exists. A note reports a different unit of the table.
    """
    headers = header_units(source.names)
    found: list[ColumnPlan] = []
    taken: list[str] = []
    notes: list[str] = []
    for column in columns:
        unit, description = _said(column, source, headers[column.position])
        if not column.new:
            notes += _contradiction(column, unit, table.column(column.name) if table else None)
            found.append(column)
            continue
        if unit and column.kind.currency and column.kind.currency.casefold() != unit.casefold():
            notes.append(f"{column.name} has {column.kind.currency} in its cells, but {unit} in its header")
            unit = ""
        taken += [f"{column.name} {unit}"] if unit else []
        found.append(msgspec.structs.replace(column, unit=unit, description=description))
    if taken:
        notes.append(f"units that the file says: {', '.join(taken)}")
    return found, notes


def _said(column: ColumnPlan, source: Source, header: HeaderUnit | None) -> tuple[str, str]:
    """Returns unit and description of a column in the file. Only columns of numbers have units in the header."""
    if column.type == "text" and column.kind.own_currency:
        # The file's words describe the amounts in the same place, not their currencies.
        return "", ""
    unit = "" if header is None or not numbers_with_a_unit(column.kind) or column.type not in NUMBERS else header.unit
    unit, description = fitting(source.units.get(column.position, unit), source.descriptions.get(column.position, ""))
    return "" if column.kind.percent or column.kind.own_currency else unit, description


def numbers_with_a_unit(kind: Kind) -> bool:
    """Checks whether values can have a unit. Hundredths of `12 %` and amounts in several currencies cannot."""
    return kind.type in NUMBERS and not kind.percent and not kind.own_currency


def _contradiction(column: ColumnPlan, unit: str, known: TableColumn | None) -> list[str]:
    """Writes notes on a column of the table with a unit in the file."""
    if known is None or not unit or unit.casefold() == known.unit.casefold():
        return []
    if known.unit:
        return [f"{column.name} is in {unit} in the file, in {known.unit} in the table; its numbers are not converted"]
    return [f"{column.name} is in {unit} in the file; the table says no unit of it"]
