"""Finds records that sum up the other records of a table. They are removed if their figures prove a sum, else noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atlas.column_formats.model import NUMBERS, Kind
from atlas.imports.duckdb_casts import cast, literal
from atlas.imports.files.source import physical
from atlas.imports.infer.types import infer

# The labels of totals, in the languages of instructions and further languages.
_TOTAL = (
    r"(grand |overall |sub)?totals?|sums?|all|gesamt(summe|betrag)?|summe|zwischensumme|insgesamt|somme|totaux|"
    r"total g[eé]n[eé]ral|sous-total|suma( total)?|totales?|totale|totaal|summa|soma|razem|celkem|итого|всего|toplam|"
    r"合計|总计|總計|소계|합계"
)
_AVERAGE = r"averages?|avg|means?|durchschnitt|mittelwert|moyenne|promedio|media|gemiddelde|среднее|平均"
_MARKS = " :*-="
_STRICT = re.compile(_TOTAL, re.IGNORECASE)
# The total of a part, as Excel labels it: `North Total`, `North Ergebnis`.
_PART = r".+ ((sub)?totals?|ergebnis|summe|gesamt|somme)"
# Texts behind a label, as in `Total (2 items)` or `Total for 2024`. Any other word makes a name of the label.
_MORE = r"(\s*[(\[:,;/–-].*|\s+(for|of|in|für|von|pour|de|del|\d).*)?"
_LABEL = re.compile(rf"((?P<total>{_TOTAL})|(?P<average>{_AVERAGE})){_MORE}", re.IGNORECASE)
# The number of records that are examined from the end, as an average may stand below a total.
_LAST = 3
_LEAST_RECORDS = 2
_SAMPLE = 200

Query = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record that may sum up others.

    number: of the record.
    texts: its texts by column.
    label: the label of a total or average, if any.
    """

    number: int
    texts: dict[int, str]
    label: re.Match[str] | None

    @property
    def shown(self) -> str:
        return ", ".join(self.texts.values())[:120]

    @property
    def strict(self) -> bool:
        return self.label is not None and _STRICT.fullmatch(self.label[0]) is not None

    @property
    def average(self) -> bool:
        return self.label is not None and self.label["average"] is not None


def leave_out_totals(query: Query, width: int) -> list[str]:
    """Removes totals from the staged records, and returns notes.

    query: runs a statement on the staged records.
    """
    cells = ", ".join(physical(place) for place in range(width))
    rows = query(
        f"(SELECT _n, {cells} FROM raw ORDER BY _n LIMIT 1) UNION "
        f"(SELECT _n, {cells} FROM raw ORDER BY _n DESC LIMIT {_LAST}) ORDER BY _n"
    )
    found = [_candidate(row) for row in rows]
    labelled = [one for one in found if one.label is not None]
    if labelled:
        return _judged(query, width, labelled)
    if not found or len(found[-1].texts) == width:
        return []
    # A sum without a label may be a record like any other.
    last = found[-1]
    if _Sums(query, "true").prove(last):
        return [f"the last record is the sum of the others, and was imported: {last.shown}"]
    return []


def _candidate(row: tuple[Any, ...]) -> _Candidate:
    texts = {place: text for place, text in enumerate(row[1:]) if text}
    labels = (_LABEL.fullmatch(text.strip(_MARKS)) for text in texts.values())
    return _Candidate(row[0], texts, next((label for label in labels if label is not None), None))


def _judged(query: Query, width: int, found: Sequence[_Candidate]) -> list[str]:
    totals = _named(_TOTAL, width)
    every, plain, whole = (
        _Sums(query, condition)
        for condition in (
            "true",
            f"NOT {_named(f'{_TOTAL}|{_AVERAGE}', width)}",
            f"NOT {_named(f'{_TOTAL}|{_AVERAGE}|{_PART}', width)}",
        )
    )
    notes: list[str] = []
    proven: list[_Candidate] = []
    others = False
    for one in found:
        if plain.prove(one):
            proven.append(one)
            others = others or one.strict
        elif every.prove(one):
            # Such a label elsewhere belongs to a record, such as a company of that name.
            proven.append(one)
        elif one.strict and whole.prove(one):
            # The others are sums of parts, such as `North Total`.
            proven.append(one)
            totals, others = _named(f"{_TOTAL}|{_PART}", width), True
        elif one.strict:
            notes.append(
                f"a record looks like a total, but is not the sum of the others, and was imported: {one.shown}"
            )
    for one in proven:
        query(f"DELETE FROM raw WHERE _n = {one.number}")
        what = "average" if one.average else "total"
        notes.append(f"a record beside the others was left out, as it is their {what}: {one.shown}")
    if others:
        # The figures are the sum without these records, so these are sums of parts.
        parts = query(f"SELECT count(*) FROM raw WHERE {totals}")[0][0]
        query(f"DELETE FROM raw WHERE {totals}")
        if parts:
            notes.append(f"{parts:,} more record{' that is a total' if parts == 1 else 's that are totals'} left out")
            notes = [note for note in notes if "looks like a total" not in note]
    return notes


def _named(labels: str, width: int) -> str:
    """Builds the condition for records with a cell that is exactly one of some labels."""
    cells = (f"lower(trim({physical(place)}, {literal(_MARKS)}))" for place in range(width))
    return f"coalesce({', '.join(f'regexp_full_match({cell}, {literal(labels)}) OR NULL' for cell in cells)}, false)"


class _Sums:
    """Sums of the columns over the records that meet a condition."""

    def __init__(self, query: Query, condition: str) -> None:
        self._query, self._condition = query, condition
        self._kinds: dict[int, Kind | None] = {}

    def prove(self, one: _Candidate) -> bool:
        """Checks whether a figure of the record is the sum of its column, or the average if the label says so."""
        return any(self._agrees(one, place) for place in one.texts)

    def _agrees(self, one: _Candidate, place: int) -> bool:
        kind = self._kind(place, one.number)
        if kind is None:
            return False
        number = f"TRY_CAST({cast('cell', kind)} AS DECIMAL(38, 9))"
        # As a column, the long expression is planned once.
        cells = (
            f"SELECT {literal(one.texts[place])} AS cell, true AS own UNION ALL "
            f"SELECT {physical(place)}, false FROM raw WHERE _n <> {one.number} AND {self._condition}"
        )
        total, count, summed = self._query(
            f"SELECT max(number) FILTER (own)::VARCHAR, count(number) FILTER (NOT own), "
            f"(sum(number) FILTER (NOT own))::VARCHAR FROM (SELECT own, {number} AS number FROM ({cells}))"
        )[0]
        if total is None or summed is None or count < _LEAST_RECORDS:
            return False
        expected = float(summed) / count if one.average else float(summed)
        # Figures that are rounded for display may be off by half of the last digit for each record.
        return bool(abs(expected - float(total)) < 0.006 * max(1, min(count, 10)))

    def _kind(self, place: int, but: int) -> Kind | None:
        """Returns the kind of a column's numbers, or None if the column has other values."""
        if place not in self._kinds:
            column = physical(place)
            rows = self._query(
                f"SELECT {column} FROM raw WHERE {column} IS NOT NULL AND _n <> {but} AND {self._condition} "
                f"LIMIT {_SAMPLE}"
            )
            kind = infer([row[0] for row in rows], "") if rows else None
            # A total may have more or fewer digits than the numbers of the sum.
            self._kinds[place] = None if kind is None or kind.type not in NUMBERS else replace(kind, strict=False)
        return self._kinds[place]
