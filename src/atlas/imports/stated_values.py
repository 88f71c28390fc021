"""Compares the values in filters and rules of an instruction with the file, and notes or asks about misfits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from atlas.column_formats.model import NUMBERS
from atlas.contract.imports import Clause
from atlas.imports.checks import REASONS, holds_value
from atlas.imports.duckdb_casts import literal
from atlas.imports.files.source import physical
from atlas.imports.plan import ColumnPlan
from atlas.imports.staging import Staging
from atlas.kit.identifiers import identifier
from atlas.language.instructions import Filter, ImportInstruction
from atlas.language.paraphrase import filter_text
from atlas.tables.model import SHOWN_TYPES, Rules

# Words for "one of" that texts begin with as well, as in `in progress` and `en cours`.
_INSIDE = ("in", "en", "dans")
_MOST = 20


@dataclass(frozen=True, slots=True)
class CheckedFilter:
    """A filter with resolved values.

    notes: on its values.
    questions: to ask about its values.
    """

    filter: Filter
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def check_values(item: Filter, column: ColumnPlan, staging: Staging, is_column: Callable[[str], bool]) -> CheckedFilter:
    """Looks up the texts of a comparison for equality.

    is_column: whether a text is the name of a column.
    """
    if column.type != "text" or item.operator not in ("=", "in") or len(item.values) > _MOST:
        return CheckedFilter(item)
    if item.operator == "in" and len(item.values) == 1:
        return _phrase(item, column, staging)
    absent = _absent(item.values, column, staging)
    names = [value for value in absent if is_column(value)]
    if names:
        return CheckedFilter(
            item,
            questions=(
                f"{names[0]!r} is a column, and no record has it as {column.name}. A filter compares with values; "
                "which one is meant?",
            ),
        )
    return CheckedFilter(item, tuple(_told(column, value) for value in absent))


def _phrase(item: Filter, column: ColumnPlan, staging: Staging) -> CheckedFilter:
    """Resolves `status is in progress`: a list with one value, or the text `in progress`."""
    value = item.values[0]
    phrases = [f"{word} {value}" for word in _INSIDE]
    absent = _absent([value, *phrases], column, staging)
    found = [phrase for phrase in phrases if phrase not in absent]
    if not found:
        return CheckedFilter(item, (_told(column, value),) if value in absent else ())
    if value in absent and len(found) == 1:
        return CheckedFilter(msgspec.structs.replace(item, operator="=", values=(found[0],)))
    return CheckedFilter(
        item,
        questions=(
            f"Which {column.name} is meant, {found[0]!r} or {value!r}? Records have both; say it in quotes, as in "
            f"'{column.name} is \"{found[0]}\"'.",
        ),
    )


def _told(column: ColumnPlan, value: str) -> str:
    return f"no record has {value[:100]!r} as {column.name}"


def _absent(values: Sequence[str], column: ColumnPlan, staging: Staging) -> list[str]:
    """Returns the texts that equal no cell, without regard to case."""
    cell = f"lower({physical(column.position)})"
    counts = ", ".join(f"count(*) FILTER ({cell} = {literal(value.lower())})" for value in values)
    row = staging.query(f"SELECT {counts} FROM raw")[0]
    return [value for value, count in zip(values, row, strict=True) if not count]


def rule_questions(rule: Rules, column: ColumnPlan, staging: Staging) -> list[str]:
    """Returns questions on a rule that no value of its column can satisfy."""
    shown = SHOWN_TYPES[column.type]
    if rule.bounded and column.type not in NUMBERS:
        return [f"{column.name} is {shown}, of which nothing is less or more than a number. Which rule is meant?"]
    return [
        f"{column.name} is {shown}, and {value!r} is {REASONS[column.type]}. Which values are allowed?"
        for value in rule.values
        if column.type != "text" and not holds_value(staging, column, value)
    ]


def rename_questions(renamed: Mapping[int, str], chosen: Sequence[int], headers: Sequence[str]) -> list[str]:
    """Returns questions on new names that other columns have.

    renamed: new names by position.
    chosen: the positions of imported columns.
    """
    told = [identifier(renamed.get(place, headers[place])) for place in chosen]
    twice = [
        renamed[place] for place, name in zip(chosen, told, strict=True) if place in renamed and told.count(name) > 1
    ]
    return [f"{name!r} is the name of another column, too. What shall that be called?" for name in dict.fromkeys(twice)]


def with_filter(said: ImportInstruction, filters: tuple[tuple[Filter, ...], ...]) -> tuple[Clause, ...]:
    """Returns the understood clauses, with the filter as applied to the file."""
    meaning = filter_text(filters, exclude=said.exclude)
    return tuple(replace(each, meaning=meaning) if each.kind == "filter" else each for each in said.understood)
