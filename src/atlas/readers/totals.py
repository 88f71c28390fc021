"""Records below a table that are sums of those above: left out where they are, told where they only look so."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from atlas.readers.source import physical

# What such a record is called, in the languages of instructions and some more.
_LABEL = re.compile(
    r"(grand |overall |sub)?totals?|sums?|all|gesamt(summe|betrag)?|summe|zwischensumme|insgesamt|somme|totaux|"
    r"total g[eé]n[eé]ral|sous-total|suma( total)?|totales?|totale|totaal|summa|soma|razem|celkem|итого|всего|toplam|"
    r"合計|总计|總計|소계|합계",
    re.IGNORECASE,
)
# Records looked at from the end, as an average or a count may stand beneath a total.
_MOST = 3
_LEAST_RECORDS = 2
_NUMBER = re.compile(r"[^\d\w]*[-+(]?[^\d\w]*\d[\d.,'’\s]*[^\d\w]*\w{0,3}[^\w]*")

Query = Callable[..., list[tuple[Any, ...]]]


def leave_out_totals(query: Query, width: int, columns: Sequence[int] | None = None) -> list[str]:
    """Removes the totals from the end of the staged records; gives what is to be told. query: runs a statement."""
    places = list(columns if columns is not None else range(width))
    cells = ", ".join(physical(place) for place in places)
    notes: list[str] = []
    last = query(f"SELECT _n, {cells} FROM raw ORDER BY _n DESC LIMIT {_MOST}")
    for number, *texts in last:
        label = next((text for text in texts if text and _LABEL.fullmatch(text.strip(" :*-=").strip())), None)
        if label is None:
            continue
        shown = ", ".join(text for text in texts if text)[:120]
        above = int(query(f"SELECT count(*) FROM raw WHERE _n < {number}")[0][0])
        numbers = {place: text for place, text in zip(places, texts, strict=True) if text and _NUMBER.fullmatch(text)}
        if above < _LEAST_RECORDS or not numbers:
            continue
        if any(_is_sum(query, number, place, text) for place, text in numbers.items()):
            query(f"DELETE FROM raw WHERE _n = {number}")
            notes.append(f"a record below the others was left out, as it is their total: {shown}")
        else:
            notes.append(f"a record looks like a total, but is not the sum of the others, and was imported: {shown}")
    return notes


def _is_sum(query: Query, number: int, place: int, text: str) -> bool:
    """Whether a cell is the sum of those above in its column, with a point or a comma before its fraction."""
    for decimal, group in ((".", ","), (",", ".")):
        total = _value(text, decimal, group)
        if total is None:
            continue
        column = physical(place)
        plain = f"replace(regexp_replace({column}, '[^0-9{decimal}-]', '', 'g'), '{decimal}', '.')"
        row = query(
            f"SELECT count({column}), count(TRY_CAST({plain} AS DECIMAL(38, 9))), "
            f"coalesce(sum(TRY_CAST({plain} AS DECIMAL(38, 9))), 0)::VARCHAR FROM raw WHERE _n < {number}"
        )[0]
        # What is rounded for display may be off by half of the last digit for each record.
        if row[0] and row[1] * 10 >= row[0] * 9 and abs(float(row[2]) - total) < 0.006 * max(1, min(row[1], 10)):
            return True
    return False


def _value(text: str, decimal: str, group: str) -> float | None:
    plain = re.sub(rf"[^0-9{re.escape(decimal)}-]", "", text.replace(group, "")).replace(decimal, ".")
    try:
        return float(plain)
    except ValueError:
        return None
