"""Resolves values of filters: a value without its column, and a year, quarter or month of dates."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.column_formats.currencies import may_be_same, split_currency
from atlas.column_formats.model import NUMBERS, Kind
from atlas.imports.duckdb_casts import literal
from atlas.imports.files.source import physical
from atlas.imports.infer.column_matching import related
from atlas.imports.plan import ColumnPlan
from atlas.imports.staging import Staging
from atlas.language.instructions import Filter
from atlas.language.time_spans import find_span

_COMPARED = ("=", "!=", "in", "between", "<", "<=", ">", ">=")
_TIMES = ("date", "timestamp")
# Endings of one word in the languages of instructions, and the length of the shortest stem.
_ENDINGS = ("e", "en", "er", "es", "em", "s", "a", "o", "as", "os", "ée", "és", "ées")
_SHORTEST = 4


def with_column(item: Filter, headers: Sequence[str], kinds: Sequence[Kind], staging: Staging) -> Filter | str:
    """Adds the only column with all the values to a filter without a column. Other filters stay unchanged.

    A year, quarter or month is a value of the only column of dates. Returns a question if no column or several columns
    have the value.
    """
    if item.column:
        return item
    value = ", ".join(item.values)
    cells = ", ".join(
        " AND ".join(
            f"coalesce(bool_or(lower({physical(place)}) = {literal(one.lower())}), false)" for one in item.values
        )
        for place in range(len(kinds))
    )
    holds = staging.query(f"SELECT {cells} FROM raw")[0]
    found = [place for place, held in enumerate(holds) if held]
    if not found and (spelled := _inflected(item, staging, len(kinds))) is not None:
        place, values = spelled
        return msgspec.structs.replace(item, column=headers[place], values=values)
    if find_span(value) is not None:
        found += [place for place, kind in enumerate(kinds) if kind.type in _TIMES and place not in found]
    if len(found) == 1:
        return msgspec.structs.replace(item, column=headers[found[0]])
    if not found:
        return (
            f"No record has {value[:100]!r} in any column. Which column and value are meant? Say them, as in "
            f"'only rows where {headers[0] or 'country'} is …'."
        )
    listed = " or ".join(repr(headers[place]) for place in found[:10])
    return f"Which column is meant by {value[:100]!r}: {listed}? Say 'only rows where' and its name."


def unknown_column(told: str, names: Sequence[str]) -> str:
    """Describes a filter whose column the file lacks, with columns of related names: `Betrag` for `amounts`."""
    meant = " or ".join(map(repr, related(told, names)))
    return f"the filter names {told!r}; the file has {', '.join(names)}" + (f"; is {meant} meant?" if meant else "")


def _inflected(item: Filter, staging: Staging, width: int) -> tuple[int, tuple[str, ...]] | None:
    """Returns the only column, and its values, that differ from the filter's words by their endings.

    In `nur bezahlte` the value is `bezahlt`, and in `sans les payées` it is `payé`.
    """
    matches: list[tuple[int, tuple[str, ...]]] = []
    for place in range(width):
        values = [_same_word(one, place, staging) for one in item.values]
        if all(len(each) == 1 for each in values):
            matches.append((place, tuple(each.pop() for each in values)))
    return matches[0] if len(matches) == 1 else None


def _same_word(word: str, place: int, staging: Staging) -> set[str]:
    """Returns the values of a column that are the same word with another ending."""
    told = word.lower()
    if not told.isalpha() or len(told) < _SHORTEST:
        return set()
    column = physical(place)
    query = (
        f"SELECT DISTINCT {column} FROM raw WHERE starts_with(lower({column}), {literal(told[:_SHORTEST])}) LIMIT 50"
    )
    cells = [row[0] for row in staging.query(query)]
    return {cell for cell in cells if cell.isalpha() and _stems(cell.lower()) & _stems(told)}


def _stems(word: str) -> set[str]:
    ends = [end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _SHORTEST]
    return {word, *(word[: -len(end)] for end in ends)}


def as_range(item: Filter, column: ColumnPlan) -> tuple[Filter, str | None]:
    """Converts a comparison of dates with years, quarters or months to one with their first and last days.

    Returns a question as well if several of these are listed.
    """
    if column.type not in _TIMES or item.operator not in _COMPARED:
        return item, None
    spans = [find_span(value) for value in item.values]
    if not any(spans):
        return item, None
    known = [span for span in spans if span is not None]
    firsts = [span[0].isoformat() for span in known]
    lasts = [f"{span[1].isoformat()}{'T23:59:59.999999' if column.type == 'timestamp' else ''}" for span in known]
    if item.operator == "between" and len(known) == 2:
        return msgspec.structs.replace(item, values=(firsts[0], lasts[1])), None
    if len(known) < len(spans) or len(known) != 1:
        told = ", ".join(item.values[:10])
        return item, f"Which dates of {column.name} are meant by {told}? Say one range, as in 'between 2023 and 2024'."
    if item.operator in ("=", "in", "!="):
        negated = item.negated != (item.operator == "!=")
        return Filter(item.column, "between", (firsts[0], lasts[0]), negated), None
    value = firsts[0] if item.operator in ("<", ">=") else lasts[0]
    return msgspec.structs.replace(item, values=(value,)), None


def without_currency(item: Filter, column: ColumnPlan) -> tuple[Filter, str | None]:
    """Gives a comparison of amounts without the currencies of its values.

    Gives a question, too, where the column has other currencies, or several.
    """
    if column.type not in NUMBERS or item.operator not in _COMPARED:
        return item, None
    split = [split_currency(value) for value in item.values]
    found = [currency for _, currency in split if currency]
    if not found:
        return item, None
    own = column.kind.currency
    item = msgspec.structs.replace(item, values=tuple(number for number, _ in split))
    if column.kind.own_currency:
        return item, f"{column.name} has amounts in several currencies. Are those in {found[0]} meant, or all amounts?"
    if own and not all(may_be_same(own, one) for one in found):
        return item, f"{column.name} is in {own}, not in {found[0]}. Which amounts are meant?"
    return item, None
