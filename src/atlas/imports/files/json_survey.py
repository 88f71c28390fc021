"""Lists the fields of JSON records by their exact keys, for files whose keys DuckDB would rename or refuse.

DuckDB names columns without regard to case: `Id` and `id` become `Id` and `id_1`, which no record has. DuckDB ignores
an empty key. The queries here read keys as data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from atlas.imports.duckdb_casts import literal

# The types of JSON values that are numbers in a file.
_NUMBERS = frozenset({"UBIGINT", "BIGINT", "HUGEINT", "DOUBLE"})
_NUMBERED = re.compile(r"(.*)_\d+", re.DOTALL)


def may_be_renamed(keys: Sequence[str]) -> bool:
    """Checks whether some of DuckDB's names may not be the keys of the file."""
    known = {key.lower() for key in keys}
    found = (_NUMBERED.fullmatch(key) for key in keys)
    return any(match is not None and match[1].lower() in known for match in found)


def pointer(steps: Sequence[str]) -> str:
    """Returns the JSON pointer to a field of a record."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def survey(connection: Any, scan: str, depth: int) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Yields the fields of records in order of appearance, each with its native type, see `Source`.

    scan: a query's source of the records as a column `json`.
    depth: the levels of objects that become columns.
    """
    yield from _below(connection, scan, (), depth)


def _below(
    connection: Any, scan: str, steps: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str | None]]:
    place = literal(pointer(steps))
    numbered = f"SELECT json, row_number() OVER () AS n FROM {scan}"
    found = f"json_keys(json, {place})"
    keys = f"SELECT json, n, unnest({found}) AS k, generate_subscripts({found}, 1) AS i FROM ({numbered})"
    step = f"{place} || '/' || replace(replace(k, '~', '~0'), '/', '~1')"
    rows = connection.execute(
        f"SELECT k, list(DISTINCT json_type(json, {step})) FROM ({keys}) GROUP BY k ORDER BY min((n, i))"
    ).fetchall()
    for key, types in rows:
        kinds = frozenset(types) - {None, "NULL"}
        inner = (*steps, key)
        if kinds == {"OBJECT"} and len(inner) <= depth:
            yield from _below(connection, scan, inner, depth)
        else:
            yield inner, _native(kinds)


def _native(kinds: frozenset[str]) -> str | None:
    if kinds and kinds <= {"OBJECT", "ARRAY"}:
        return "json"
    if kinds and kinds <= _NUMBERS:
        return "number"
    return {frozenset({"VARCHAR"}): "text", frozenset({"BOOLEAN"}): "boolean"}.get(kinds)
