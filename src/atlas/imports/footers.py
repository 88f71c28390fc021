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


def leave_out_notes(query: Query, width: int, behind_blanks: Sequence[Sequence[str]] = ()) -> list[str]:
    """Removes single-cell records behind the last full record. Returns notes.

    All other records must have several cells, and the text must not fit its column or must read like a note. In a table
    of two columns both must be true, or the text must stand behind a blank line.
    query: runs a statement on the staged records.
    behind_blanks: the lines behind blank lines.
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
    apart = max((at for at, (_, _, text) in enumerate(below) if [text] in behind_blanks), default=-1)
    for at, (number, place, text) in enumerate(below):
        signs = (reads_like_note(text), _misfits(query, place, first, text), at <= apart)
        # In a table of two columns, a record may lack one of them.
        if sum(signs) < (2 if width == 2 else 1):
            break
        found.append((number, text))
    if not found:
        return []
    query(f"DELETE FROM raw WHERE _n IN ({', '.join(str(number) for number, _ in found)})")
    return [lines_below([text for _, text in reversed(found)])]


def leave_out_another(query: Query, names: Sequence[str], behind_blanks: Sequence[Sequence[str]] = ()) -> list[str]:
    """Removes another table below the first, which is recognized by its header: a name among nothing but values, or
    other texts behind a blank line.

    query: runs a statement on the staged records. Returns notes.
    behind_blanks: the lines behind blank lines.
    """
    for line in behind_blanks:
        if notes := _leave_out_from(query, line, len(names)):
            return notes
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


def _leave_out_from(query: Query, line: Sequence[str], width: int) -> list[str]:
    """Removes the records from a line of names on, where columns have nothing but values above it. Returns notes."""
    texts = [text for text in line if text]
    if len(texts) < 2 or len(line) > width or width > _WIDEST:
        return []
    cells = [*line, *[""] * (width - len(line))]
    same = " AND ".join(
        f"{physical(place)} = {literal(text)}" if text else f"{physical(place)} IS NULL"
        for place, text in enumerate(cells)
    )
    found = query(f"SELECT min(_n) FROM raw WHERE {same}")[0][0]
    if found is None:
        return []
    counts = [f"count(*) FILTER (_n < {found})", f"count(*) FILTER (_n > {found})"]
    for place, text in enumerate(cells):
        filled = f"_n < {found} AND {physical(place)} IS NOT NULL"
        odd = f"count(*) FILTER ({filled} AND NOT ({_all_values(place, found)}))"
        counts.append(f"CASE WHEN count(*) FILTER ({filled}) > 0 THEN {odd} ELSE -1 END" if text else "1")
    above, below, *odd_texts = query(f"SELECT {', '.join(counts)} FROM raw")[0]
    # A name stands among values, or where the first table has no column.
    if above < _LEAST_RECORDS or not below or not any(odd < 1 for odd in odd_texts):
        return []
    query(f"DELETE FROM raw WHERE _n >= {found}")
    told = f"another table below the first was left out, with {below:,} of its records"
    return [f"{told}: {', '.join(texts)[:120]}"]


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
