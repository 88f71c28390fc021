"""Decides the kinds of a staged file's columns for the file as a whole, and verifies the kinds on every cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from atlas.column_formats.model import NUMBERS, TEXT, Hints, Kind
from atlas.imports.currency_columns import currency_name
from atlas.imports.format_losses import remarks
from atlas.imports.infer.types import (
    dotted_day_first,
    few,
    infer,
    is_null_text,
    looks_right,
    no_value,
    sure_day_first,
    sure_decimal_comma,
)
from atlas.imports.staging import Staging
from atlas.kit.close_names import close_name
from atlas.kit.identifiers import unique_identifiers
from atlas.kit.plurals import many
from atlas.language.instructions import ImportInstruction
from atlas.tables.model import SHOWN_TYPES, WIDENINGS, Table

# The number of times that a column is inferred again because its cells show another format.
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Inferred:
    """The inferred columns of a file.

    names: identifiers.
    kinds: how to read each column.
    samples: texts of cells by column.
    stated: positions whose type the instruction states.
    notes: on the file.
    remarks: on columns by position, to follow a column's name.
    hints: the facts that settled ambiguous readings.
    """

    names: Sequence[str]
    kinds: Sequence[Kind]
    samples: Sequence[Sequence[str]]
    stated: frozenset[int] = frozenset()
    notes: Sequence[str] = ()
    remarks: Mapping[int, Sequence[str]] = field(default_factory=dict)
    hints: Hints = field(default_factory=Hints)


def inspect(staging: Staging, instruction: ImportInstruction, table: Table | None = None) -> Inferred:
    """Infers how to read each column of a file.

    table: the target, if the table exists. Its notation counts if the file's own columns are ambiguous.
    """
    return _Inspection(staging, instruction, table).run()


class _Inspection:
    def __init__(self, staging: Staging, instruction: ImportInstruction, table: Table | None) -> None:
        self._staging, self._said, self._table = staging, instruction, table
        self._native = staging.source.native
        self._headers = list(staging.source.names)
        self._names = unique_identifiers(self._headers)
        self._samples = staging.sample()
        self._notes: list[str] = []
        delimiter = staging.source.delimiter
        self._hints = Hints(
            instruction.day_first,
            instruction.decimal_comma,
            likely_comma={";": True, ",": False}.get(delimiter or ""),
            year=datetime.now(UTC).year,
            times=instruction.dataset,
        )

    def run(self) -> Inferred:
        stated = self._stated()
        kinds = self._decided()
        for place in self._bounded():
            if kinds[place].type not in NUMBERS:
                # Between 1 and 10 are numbers.
                stated.setdefault(place, "numeric")
        for place, type_ in stated.items():
            kinds[place] = _as_told(
                self._samples[place], self._names[place], kinds[place], type_, self._hints_of(place)
            )
        found: dict[int, list[str]] = {}
        for position, (total, failed) in enumerate(self._staging.failures(kinds)):
            if failed and position not in stated:
                kinds[position] = self._refined(position, kinds[position], total, failed, found)
            elif failed and stated[position] == "double":
                kinds[position] = self._exact(position, kinds[position], failed, found)
        for position, kind in enumerate(kinds):
            if lines := remarks(self._staging, position, kind):
                found.setdefault(position, []).extend(lines)
        return Inferred(self._names, kinds, self._samples, frozenset(stated), tuple(self._notes), found, self._hints)

    def _exact(self, position: int, kind: Kind, failed: int, found: dict[int, list[str]]) -> Kind:
        """Returns the kind of a column of numbers. Exact decimals are used if doubles do not reproduce all numbers."""
        exact = as_asked(self._samples[position], self._names[position], "numeric", self._hints_of(position))
        held = failed - self._staging.failures([*[TEXT] * position, exact])[position][1]
        if held <= 0:
            return kind
        found.setdefault(position, []).append(
            f"is {SHOWN_TYPES['numeric']}, as a double would not give back {many(held, 'number')} of it"
        )
        return exact

    def _stated(self) -> dict[int, str]:
        """Returns the types that the instruction states, by position."""
        every = self._said.every_type
        all_places = {} if every is None else dict.fromkeys(range(len(self._names)), every)
        places = {place_of(told, self._headers, self._names): type_ for told, type_ in self._said.types.items()}
        return all_places | {place: type_ for place, type_ in places.items() if place is not None}

    def _bounded(self) -> list[int]:
        """Returns the columns with bounds for their values in the instruction."""
        told = [name for name, rules in self._said.rules.items() if rules.bounded]
        places = [place_of(name, self._headers, self._names) for name in told]
        return [place for place in places if place is not None]

    def _all(self) -> list[Kind]:
        columns = enumerate(zip(self._samples, self._names, self._native, strict=True))
        return [infer(sample, name, native, self._hints_of(place)) for place, (sample, name, native) in columns]

    def _hints_of(self, position: int) -> Hints:
        """Returns the hints for a column. The table decides whether the column's currencies have a place."""
        if self._said.dataset or self._said.mapping:
            return self._hints
        column = self._table.find_column(self._headers[position]) if self._table else None
        if column and self._table and self._table.column(currency_name(column.name, self._names, self._table)):
            return replace(self._hints, currencies="any")
        new = column is None or column.type in NUMBERS
        grows = self._table is None or (self._said.policy or "evolve") == "evolve"
        return replace(self._hints, currencies="several") if new and grows else self._hints

    def _decided(self) -> list[Kind]:
        """Returns the kinds by samples. Other columns, else the table, settle ambiguous columns."""
        kinds = self._all()
        told = self._hints
        day_first, comma = told.day_first, told.decimal_comma
        sure_day, sure_comma = sure_day_first(kinds), sure_decimal_comma(kinds)
        known = [column.format for column in self._table.columns if column.format] if self._table else []
        table_day, table_comma = sure_day_first(known), sure_decimal_comma(known)
        if day_first is None:
            day_first = next(
                (
                    one
                    for one in (sure_day, dotted_day_first(kinds), table_day, dotted_day_first(known))
                    if one is not None
                ),
                None,
            )
        if comma is None:
            comma = sure_comma if sure_comma is not None else table_comma
        table_day = dotted_day_first(known) if table_day is None else table_day
        self._contradictions((told.day_first, table_day, sure_day), ("day first", "month first"), "dates")
        self._contradictions(
            (told.decimal_comma, table_comma, sure_comma), ("a decimal comma", "a decimal point"), "numbers"
        )
        if (day_first, comma) != (told.day_first, told.decimal_comma):
            self._hints = replace(told, day_first=day_first, decimal_comma=comma)
            if told.decimal_comma is None and sure_comma is None and comma is not None:
                self._notes += [
                    note for place, kind in enumerate(kinds) if (note := self._as_before(place, kind, comma))
                ]
            if told.day_first is None and sure_day is None and dotted_day_first(kinds) is None:
                self._notes += [note for place, kind in enumerate(kinds) if (note := self._days_as_before(place, kind))]
            kinds = [
                kind if not kind.ambiguous and not _open(kind) else again
                for kind, again in zip(kinds, self._all(), strict=True)
            ]
        return kinds

    def _as_before(self, place: int, kind: Kind, comma: bool) -> str | None:
        """Tells of numbers without a sure decimal sign, such as `1.300`, that the table's last file decides on."""
        example = next((text for text in self._samples[place] if re.search(r"[.,]\d{3}\b", text)), None)
        if not kind.ambiguous or not _open(kind) or example is None:
            return None
        digits = re.sub(r"[^\d.,-]", "", example)
        group, sign = (".", ",") if comma else (",", ".")
        return (
            f"{self._names[place]} is read with a decimal {'comma' if comma else 'point'}, as the last file of the "
            f"table had, so {example!r} is {digits.replace(group, '').replace(sign, '.')}; say that numbers use a "
            f"decimal {'point' if comma else 'comma'} to have it otherwise"
        )

    def _days_as_before(self, place: int, kind: Kind) -> str | None:
        """Tells of dates such as `02/04/2024`, whose order the table's last file decides on."""
        day_first = self._hints.day_first
        if kind.type not in ("date", "timestamp") or not kind.ambiguous or day_first is None:
            return None
        read, other = ("day", "month") if day_first else ("month", "day")
        number = re.match(r"\d+", self._samples[place][0])
        example = f", so in {self._samples[place][0]!r} the {read} is {number[0]}" if number else ""
        return (
            f"{self._names[place]} is read {read} first, as the last file of the table had{example}; "
            f"say that dates are {other} first to have it otherwise"
        )

    def _contradictions(
        self, sides: tuple[bool | None, bool | None, bool | None], words: tuple[str, str], what: str
    ) -> None:
        told, table, sure = sides
        if sure is None:
            return
        if told is not None and told != sure:
            self._notes.append(f"{what} of the file are with {words[not sure]}, whatever the instruction says")
        elif told is None and table is not None and table != sure:
            self._notes.append(f"{what} of the file have {words[not sure]}, those of the table {words[not table]}")

    def _refined(self, position: int, kind: Kind, total: int, failed: int, found: dict[int, list[str]]) -> Kind:
        """Returns the kind of a column whose sampled kind does not fit all cells."""
        first, name, native = kind, self._names[position], self._native[position]
        for _ in range(_ROUNDS):
            misfits = self._staging.misfits(position, kind)
            odd = [text for text, _ in misfits if not no_value(text) and not looks_right(text, kind)]
            if not odd and few(failed, total):
                return kind
            texts = [*self._samples[position], *(odd or [text for text, _ in misfits])]
            again = infer(texts, name, native, self._hints_of(position))
            if again == kind and kind.type == "double":
                again = replace(kind, type="numeric", digits="own")
            if again.type == "text" or again == kind:
                example = (odd or [misfits[0][0]])[0]
                found.setdefault(position, []).append(
                    f"stays text, since {failed:,} of {total:,} values are no {_NOUNS[first.type]}, such as {example!r}"
                )
                return replace(TEXT, semantic=again.semantic) if not again.why else again
            kind = again
            failed = self._staging.failures([*[TEXT] * position, kind])[position][1]
            if not failed:
                return kind
        return TEXT


_NOUNS = {
    "bigint": "whole numbers",
    "numeric": "numbers",
    "double": "numbers",
    "boolean": "yes or no",
    "date": "dates",
    "timestamp": "times",
    "json": "JSON",
}


def _open(kind: Kind) -> bool:
    """Checks whether a kind reads numbers with an ambiguous decimal sign, which another column may settle."""
    return (kind.type in NUMBERS and kind.digits == "fixed" and kind.scale == 3) or bool(
        kind.group and kind.digits == "none"
    )


def place_of(told: str, headers: Sequence[str], names: Sequence[str]) -> int | None:
    """Returns the position of the column that an instruction names, or None."""
    for candidates in (headers, names):
        found = close_name(told, candidates, columns=True)
        if found is not None:
            return list(candidates).index(found)
    return None


def _as_told(texts: Sequence[str], name: str, kind: Kind, type_: str, hints: Hints) -> Kind:
    if type_ == "text":
        return replace(TEXT, semantic=kind.semantic)
    return as_asked(texts, name, type_, hints)


def as_asked(texts: Sequence[str], name: str, type_: str, hints: Hints) -> Kind:
    """Returns how to read a column whose type a person has stated, whatever some of its cells are."""
    if type_ in ("text", "json", "boolean"):
        return Kind(type_)
    real = [text for text in texts if not is_null_text(text) and not no_value(text)]
    kind = infer(_usual(real), name, None, replace(hints, asked=type_))
    if type_ in NUMBERS:
        if kind.type in NUMBERS:
            if type_ in (kind.type, "double") or (kind.type, type_) in WIDENINGS:
                return replace(kind, type=type_, digits="any" if type_ != "bigint" else kind.digits)
            return Kind(type_)
        comma = hints.decimal_comma
        return Kind(type_, decimal="," if comma else ".", group="." if comma else ",", amount=True)
    if kind.type == type_ or (kind.type in ("date", "timestamp") and kind.formats):
        return replace(kind, type=type_)
    return Kind(type_)


def _usual(texts: Sequence[str]) -> Sequence[str]:
    """Returns the texts with the most frequent form, by the marks between digits and letters."""
    shapes: dict[str, list[str]] = {}
    for text in texts:
        shape = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text)
        shapes.setdefault(shape.replace("99", "9").replace("99", "9"), []).append(text)
    most = max(shapes.values(), key=len, default=[])
    return most if len(most) * 2 > len(texts) else texts
