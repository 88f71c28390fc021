"""Parses a text that a person typed for a cell, by the notation of its column and table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atlas.column_formats.currencies import plain_currency
from atlas.column_formats.dates import order_of
from atlas.column_formats.model import NUMBERS, Hints, Kind
from atlas.imports.infer.types import infer, is_null_text, sure_day_first, sure_decimal_comma
from atlas.tables.model import Table, TableColumn

_TIMES = ("date", "timestamp")
# Numbers with points between thousands, and with commas.
_GROUPED = {",": re.compile(r"[-+]?\d{1,3}(\.\d{3})+"), ".": re.compile(r"[-+]?\d{1,3}(,\d{3})+")}


@dataclass(frozen=True, slots=True)
class CellReading:
    """How to parse a text.

    kind: None for a text that is not parsed. reason: why not, if more than its type is wrong.
    """

    kind: Kind | None
    reason: str | None = None


def read_cell(text: str, column: TableColumn, table: Table) -> CellReading:
    """Returns how to parse a text that is no plain value of its column's type, as an import of one such cell would.

    The column's notation decides, then the table's other columns where they are certain. An ambiguous text is not
    parsed.
    """
    hints = _hints(column, table)
    family = NUMBERS if column.type in NUMBERS else _TIMES if column.type in _TIMES else ()
    if not family or is_null_text(text.strip()):
        return CellReading(None)
    kind = infer([text], column.name, hints=replace(hints, asked=column.type))
    if kind.type not in family:
        return CellReading(None)
    if kind.ambiguous:
        return CellReading(None, _either(kind))
    own = column.format.currency if column.format is not None else ""
    if kind.currency and column.format is not None and column.format.own_currency:
        return CellReading(None, "is in a currency, which stands in a column of its own; write the number alone")
    if kind.currency and own and plain_currency(kind.currency) != plain_currency(own):
        return CellReading(None, f"is in {kind.currency}, but the column is in {own}")
    # NUMERIC keeps all digits. The column's own type then accepts or refuses them.
    return CellReading(replace(kind, type="numeric") if kind.type == "double" else kind)


def double_meaning(text: str, column: TableColumn, table: Table) -> bool:
    """Returns whether a plain number would be another number in its column's notation: `1.250` may be 1250."""
    if column.type not in NUMBERS or _hints(column, table).decimal_comma is not True:
        return False
    return _GROUPED[","].fullmatch(text.strip()) is not None


def _hints(column: TableColumn, table: Table) -> Hints:
    own = column.format
    others: Sequence[Kind] = [each.format for each in table.columns if each.format is not None]
    day_first = comma = None
    if own is not None and own.type in _TIMES and own.formats:
        day_first = {"day": True, "month": False, None: None}[order_of(own.formats[0])]
    if own is not None and own.type in NUMBERS and (own.digits != "none" or own.group):
        comma = own.decimal == "," if own.digits != "none" else own.group == "."
    return Hints(
        day_first=sure_day_first(others) if day_first is None else day_first,
        decimal_comma=sure_decimal_comma(others) if comma is None else comma,
    )


def _either(kind: Kind) -> str:
    if kind.type in NUMBERS:
        return "could have a decimal point or a decimal comma; write it with a point and nothing between thousands"
    return "could be read day or month first; write it like 2025-01-31"
