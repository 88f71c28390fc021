"""Notes the fields of JSON records that hold values of several types, which a column converts to one type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from atlas.imports.duckdb_casts import literal
from atlas.imports.files.json_survey import pointer

_NAMES = {
    "VARCHAR": "texts",
    "BOOLEAN": "true or false",
    "OBJECT": "objects",
    "ARRAY": "lists",
}
_STARTS = {ord('"'): "texts", ord("t"): "true or false", ord("f"): "true or false", ord("{"): "objects"}
# The number of fields that are listed one by one.
_MOST = 20


def mixed_notes(connection: Any, scan: str, fields: Sequence[tuple[Sequence[str], str | None]]) -> list[str]:
    """Writes notes on fields of several types.

    scan: a query's source of the records as a column `json`.
    fields: pairs of a field's path and its native type, see `Source`. Only fields without a native type can be mixed.
    """
    mixed = [steps for steps, native in fields if native is None]
    if not mixed:
        return []
    places = [literal(pointer(steps)) for steps in mixed]
    types = ", ".join(
        f"histogram(json_type(json, {place})) FILTER (json_extract_string(json, {place}) <> '')" for place in places
    )
    counts = connection.execute(f"SELECT {types} FROM {scan}").fetchall()[0]
    counted: dict[str, Counter[str]] = {}
    for steps, found in zip(mixed, counts, strict=True):
        named: Counter[str] = Counter()
        for kind, count in (found or {}).items():
            named[_NAMES.get(kind, "numbers")] += count
        counted[" ".join(steps)] = named
    return list(_notes(counted))


def list_notes(names: Sequence[str], rows: Sequence[Sequence[bytes]]) -> list[str]:
    """Writes notes as `mixed_notes` does, for records that are lists of values."""
    counted: dict[str, Counter[str]] = {}
    for position, name in enumerate(names):
        cells = (row[position].strip() for row in rows if position < len(row))
        found = Counter(
            "lists" if cell[:1] == b"[" else _STARTS.get(cell[0], "numbers")
            for cell in cells
            if cell not in (b"null", b'""', b"")
        )
        counted[name or f"column {position + 1}"] = found
    return list(_notes(counted))


def _notes(counted: Mapping[str, Counter[str]]) -> Iterator[str]:
    mixed = [(name, found) for name, found in counted.items() if len(found) > 1]
    for name, found in mixed[:_MOST]:
        parts = [f"{kind} ({count:,})" for kind, count in sorted(found.items(), key=lambda each: (-each[1], each[0]))]
        yield f"{name!r} holds {', '.join(parts[:-1])} and {parts[-1]} in the file, which become one column of one type"
    if len(mixed) > _MOST:
        yield f"{len(mixed) - _MOST:,} more fields hold values of several types"
