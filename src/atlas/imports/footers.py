"""Removes texts below a table, such as `Source: …` or another table, if they are surely no records, and notes the
removal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from atlas.imports.duckdb_casts import cast, literal
from atlas.imports.files.source import physical
from atlas.imports.infer.note_lines import lines_below, reads_like_note
from atlas.imports.infer.types import infer

# The lines that are examined from the end, and the widest table whose filled cells are queried.
_LAST = 12
_WIDEST = 200
_LEAST_RECORDS = 2
_SAMPLE = 500
_DIGITS = re.compile(r"^[\d.,+-]+$")

Query = Callable[..., list[tuple[Any, ...]]]


def leave_out_notes(query: Query, width: int) -> list[str]:
    """Removes single-cell records behind the last full record. Returns notes.

    All other records must have several cells, and the text must not fit its column or must read like a note. In a table
    of two columns both must be true.
    query: runs a statement on the staged records.
    """
    if not 2 <= width <= _WIDEST:
        return []
    cells = ", ".join(physical(place) for place in range(width))
    below: list[tuple[int, int, str]] = []
    for number, *row in query(f"SELECT _n, {cells} FROM raw ORDER BY _n DESC LIMIT {_LAST}"):
        filled = [(place, text) for place, text in enumerate(row) if text is not None]
        if len(filled) != 1:
            break
        below.append((number, *filled[0]))
    if not below:
        return []
    first = below[-1][0]
    count = " + ".join(f"({physical(place)} IS NOT NULL)::INT" for place in range(width))
    records, single = query(f"SELECT count(*), count(*) FILTER ({count} = 1) FROM raw WHERE _n < {first}")[0]
    if single or records < _LEAST_RECORDS:
        return []
    found = []
    for number, place, text in below:
        signs = (reads_like_note(text), _misfits(query, place, first, text))
        # In a table of two columns, a record may lack one of them.
        if not (all(signs) if width == 2 else any(signs)):
            break
        found.append((number, text))
    if not found:
        return []
    query(f"DELETE FROM raw WHERE _n IN ({', '.join(str(number) for number, _ in found)})")
    return [lines_below([text for _, text in reversed(found)])]


def leave_out_another(query: Query, names: Sequence[str]) -> list[str]:
    """Removes another table below the first, which is recognized by its header: a name among nothing but values.

    query: runs a statement on the staged records. Returns notes.
    """
    named = {place: name.strip() for place, name in enumerate(names) if len(name.strip()) > 1}
    if not named or len(names) > _WIDEST:
        return []
    # The query is cheap, since few records have such a cell.
    spelled = {place: sorted({name, name.lower(), name.upper(), name.title()}) for place, name in named.items()}
    tests = [f"{physical(place)} IN ({', '.join(map(literal, texts))})" for place, texts in spelled.items()]
    cells = ", ".join(physical(place) for place in range(len(names)))
    for number, *row in query(f"SELECT _n, {cells} FROM raw WHERE {' OR '.join(tests)} ORDER BY _n LIMIT {_LAST}"):
        texts = [text for text in row if text is not None]
        if len(texts) < 2 or any(_DIGITS.search(text) for text in texts):
            continue
        own = [place for place, texts_of in spelled.items() if row[place] in texts_of]
        values = " AND ".join(_all_values(place, number) for place in own)
        conditions = (f"_n < {number}", f"NOT ({values})", f"_n > {number}")
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
        above, odd, below = query(f"SELECT {counts} FROM raw")[0]
        if above and below and not odd:
            query(f"DELETE FROM raw WHERE _n >= {number}")
            told = f"another table below the first was left out, with {below:,} of its records"
            return [f"{told}: {', '.join(texts)[:120]}"]
    return []


def _all_values(place: int, but: int) -> str:
    return f"(_n = {but} OR coalesce(regexp_matches({physical(place)}, '^[^A-Za-z]*[0-9]'), true))"


def _misfits(query: Query, place: int, before: int, text: str) -> bool:
    """Checks whether a text is no value of its column's kind in the records above."""
    column = physical(place)
    rows = query(f"SELECT {column} FROM raw WHERE {column} IS NOT NULL AND _n < {before} LIMIT {_SAMPLE}")
    kind = infer([row[0] for row in rows], "") if rows else None
    if kind is None or kind.type in ("text", "json"):
        return False
    return bool(query(f"SELECT {cast(literal(text), kind)} IS NULL")[0][0])
