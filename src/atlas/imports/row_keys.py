"""Keys of records, as DuckDB expressions."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.imports.duckdb_casts import key_hash, literal, normalized
from atlas.tables.model import TableColumn


def key_value(values: dict[str, str], columns: Sequence[TableColumn], key: Sequence[str]) -> str:
    """Builds the expression for a row's key. A single whole number is its own key, any other key is hashed."""
    known = {column.name: column for column in columns}
    if len(key) == 1 and key[0] in values and known[key[0]].type == "bigint":
        return values[key[0]]
    return key_hash(key_text(values, columns, key))


def key_text(values: dict[str, str], columns: Sequence[TableColumn], key: Sequence[str]) -> str:
    """Builds the text of a row's key from expressions by column name. Without a key, all values by name are used.

    Values are compared as people do, see `normalized`. In a key of all columns, missing values do not count, so that a
    later column changes no key.
    """
    known = {column.name: column for column in columns}
    parts = []
    names = list(key) or sorted(values)
    for name in names:
        if name not in values:
            parts.append("''")
            continue
        column = known[name]
        part = normalized(values[name], column.type, column.semantic)
        parts.append(f"coalesce({part}, '')" if key else f"coalesce({literal(name + '=')} || {part} || chr(30), '')")
    # A function with many arguments, since a chain of operators would nest too deep for a wide table.
    joined = f"concat_ws({'chr(31)' if key else literal('')}, {', '.join(parts)})"
    if not key:
        return f"nullif({joined}, '')"
    present = [values[name] for name in names if name in values]
    filled = ", ".join(f"CAST({value} AS VARCHAR)" for value in present) or "NULL"
    return f"CASE WHEN coalesce({filled}) IS NOT NULL THEN {joined} END"
