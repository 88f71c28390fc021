"""Chooses the key of a file's records by the table's key."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.imports.plan import ColumnPlan
from atlas.kit.identifiers import singular, table_identifier
from atlas.language.instructions import Duplicates
from atlas.tables.model import Table


def key_of_table(
    table: Table, columns: Sequence[ColumnPlan], duplicates: Duplicates | None
) -> tuple[tuple[str, ...], str | None]:
    """Returns the table's key if the file has it, and a note if records cannot be recognized without it."""
    present = {column.name for column in columns}
    if duplicates == "keep":
        return table.key if set(table.key) <= present else (), None
    if absent := [name for name in table.key if name not in present]:
        return (), (
            f"the file has no {' and '.join(absent)}, the key of {table.name}: records that are there already are "
            "recognized only where all columns agree"
        )
    if not table.key and (lacking := [c.name for c in table.columns if c.name not in present]):
        return (), (
            f"{table.name} has no key and the file lacks {', '.join(lacking)}: records that are there already are "
            "not recognized if those have values; say which column is the key"
        )
    return table.key, None


def unique_column(
    columns: Sequence[ColumnPlan], table: str, samples: Sequence[Sequence[str]], duplicates: Duplicates | None
) -> str | None:
    """Returns the column of a new table that identifies records by its name and values, or None.

    samples: texts of the file's columns, by position.
    """
    one = singular(table_identifier(table))
    # If duplicates are looked for, the file likely has some.
    least = 0.5 if duplicates in ("skip", "flag", "update") else 0.9
    for name in ("id", f"{one}_id", "uuid", "guid", "email", f"{one}_number", f"{one}_no", "sku", "isbn"):
        column = next((c for c in columns if c.name == name), None)
        if column is not None:
            texts = [text.strip().lower() for text in samples[column.position]]
            if texts and len(set(texts)) >= len(texts) * least:
                return name
    return None
