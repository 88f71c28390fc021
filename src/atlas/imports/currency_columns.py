"""Adds columns for the currencies of amounts, if a column has several currencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from atlas.column_formats.model import TEXT
from atlas.imports.plan import ColumnPlan
from atlas.kit.identifiers import unique_identifiers, with_ending
from atlas.tables.model import Table


def currency_name(name: str, others: Iterable[str], table: Table | None) -> str:
    """Returns the name of the column for the currencies of a column's amounts, whether or not the table has the column.

    others: names with another meaning in the file. A text column of the table that the file lacks may hold currencies.
    """
    fixed = (column.name for column in (table.columns if table else ()) if column.type != "text")
    return unique_identifiers([with_ending(name, "_currency")], [*others, *fixed])[0]


def with_currency_columns(columns: Sequence[ColumnPlan], table: Table | None) -> tuple[list[ColumnPlan], list[str]]:
    """Adds a column for currencies behind each column whose amounts have their own currencies.

    Returns columns and notes.

    table: the target, if the table exists.
    """
    found: list[ColumnPlan] = []
    notes: list[str] = []
    for column in columns:
        found.append(column)
        if not column.kind.own_currency:
            continue
        name = currency_name(column.name, [other.name for other in (*columns, *found)], table)
        known = table.column(name) if table else None
        kind = replace(TEXT, own_currency=True)
        found.append(ColumnPlan(column.position, column.header, name, "text", kind, new=known is None))
        notes.append(f"the currencies of {column.name} are kept in {name}")
        before = table.column(column.name) if table else None
        if known is None and before is not None and before.format is not None and before.format.currency:
            notes.append(f"{column.name} was in {before.format.currency} before, which {name} does not say")
    return found, notes
