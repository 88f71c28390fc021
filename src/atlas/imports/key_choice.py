"""Which key a table gives to the records of a file."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.imports.plan import ColumnPlan
from atlas.language.instructions import Duplicates
from atlas.tables.model import Table


def key_of_table(
    table: Table, columns: Sequence[ColumnPlan], duplicates: Duplicates | None
) -> tuple[tuple[str, ...], str | None]:
    """The key of a table, if the file has it, and a note where records cannot be recognized without."""
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
