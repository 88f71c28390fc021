"""Reads changes of records in notes: `the phone of John Carter is now 5`, `set city to Berlin for everyone at Fabrikam`.

Every word must be part of the change, or the note is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from atlas.kit.identifiers import singular
from atlas.language.offline.records import note_values as values
from atlas.language.offline.records.entities import Arithmetic, Comparison, Entity
from atlas.language.offline.records.note_words import (
    ARCHIVE,
    BY,
    CLEAR,
    COMPARE,
    DET,
    EMPTY,
    END,
    EVERY,
    FOR,
    IS,
    IS_NOW,
    LOWER,
    MOVES,
    OF,
    RAISE,
    SET,
    WHERE,
)
from atlas.language.offline.records.table_words import TableWords
from atlas.language.offline.records.tokens import UnclearError

_OWNER = re.compile(r"['’]s?\s+", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;]\s*)?(?:(?:and|und|et|y|&)\s+)?\s*|\s*[\n•-]+\s*", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)\s*(%|percent|prozent|pour cent|por ciento)?(?!\w)", re.IGNORECASE)
_SIGNED = re.compile(r"\s*([+*−–-])\s*", re.IGNORECASE)
_CODE = re.compile(r"#?(\w*\d[\w-]*)(?!\w)")


@dataclass(slots=True)
class _Change:
    data: dict[str, str | None] = field(default_factory=dict)
    arithmetic: dict[str, Arithmetic] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that a text means, and the place behind the words."""

    end: int
    match: dict[str, str]
    conditions: tuple[Comparison, ...] = ()
    every: bool = False
    named: bool = False


def _match(pattern: str, text: str, place: int) -> int | None:
    found = re.compile(rf"(?:{pattern})(?!\w)\s*", re.IGNORECASE).match(text, place)
    return None if found is None else found.end()


class ChangeReader:
    """Reads one change of a table's rows."""

    def __init__(self, text: str, words: TableWords) -> None:
        self._text, self._words = text, words
        self._kind = "|".join(sorted(map(re.escape, words.kinds), key=len, reverse=True))

    def read(self) -> tuple[str, Entity] | None:
        """Returns the intent and the rows with their change. None: the text is no change that is read.

        Raises UnclearError: when a part of the change is unclear.
        """
        for form in (
            self._archive,
            self._arithmetic,
            self._signed,
            self._set_for,
            self._field_of,
            self._owner,
            self._fields,
            self._moves,
        ):
            if (found := form(0)) is not None:
                return found
        return None

    def _skip(self, pattern: str, place: int) -> int:
        return _match(pattern, self._text, place) or place

    def _at_end(self, place: int) -> bool:
        return re.compile(rf"\s*(?:{END})\s*", re.IGNORECASE).fullmatch(self._text, place) is not None

    def _result(self, intent: str, rows: _Rows, change: _Change, end: int) -> tuple[str, Entity] | None:
        if not self._at_end(end):
            return None
        name = self._words.table.name
        return intent, Entity(
            singular(name), name, change.data, rows.match, rows.every, rows.conditions, change.arithmetic
        )

    # The rows.

    def _one(self, place: int) -> Iterator[_Rows]:
        """Yields readings of one row: `the contact a@b.co`, `John Carter`, `product A1`."""
        start = self._skip(DET, place)
        named = _match(self._kind, self._text, start)
        here = (
            start
            if named is None
            else self._skip(r"named|called|with (?:the )?(?:e-?mail|name)|namens|mit der e-mail|avec l'e-mail", named)
        )
        address, name = self._words.concepts.get("email"), self._words.concepts.get("name")
        if address and (value := values.email(self._text, here)) is not None:
            yield _Rows(value.end, {address: value.text}, named=named is not None)
            return
        key = self._words.table.key
        if named is not None and (code := _CODE.match(self._text, here)) is not None and len(key) == 1:
            yield _Rows(code.end(), {key[0]: code[1]}, named=True)
        read = values.proper if named is not None else values.person
        if name and (value := read(self._text, here)) is not None:
            yield _Rows(value.end, {name: value.text}, named=named is not None)

    def _many(self, place: int, *, bare: bool = False) -> Iterator[_Rows]:
        """Yields readings of rows by conditions. bare: no word such as `all` is needed."""
        every = _match(EVERY, self._text, place)
        if every is None and not bare:
            return
        here = self._skip(DET, every if every is not None else place)
        kind = _match(self._kind, self._text, here)
        here = here if kind is None else kind
        conditions: list[Comparison] = []
        if every is not None:
            yield _Rows(here, {}, (), every=True, named=kind is not None)
        while (found := self._condition(here, first=not conditions)) is not None:
            here, condition = found
            conditions.append(condition)
            yield _Rows(here, {}, tuple(conditions), every=True, named=kind is not None)

    def _condition(self, place: int, *, first: bool) -> tuple[int, Comparison] | None:
        if not first:
            joined = _match(r"and|und|et|y|,", self._text, self._space(place))
            if joined is None:
                return None
            place = joined
        place = self._space(place)
        for concept, pattern in (*values.RELATIONS, ("city", "en")):
            column, end = self._words.concepts.get(concept), _match(pattern, self._text, place)
            value = None if column is None or end is None else values.proper(self._text, end)
            if column is not None and value is not None:
                if concept == "city":
                    column = values.place_column(self._words, column, value.text)
                return value.end, Comparison(column, "=", value.text)
        where = _match(WHERE, self._text, place)
        if where is None and first:
            return None
        here = self._skip(DET, where if where is not None else place)
        for end, column in self._words.label_at(self._text, here):
            if (found := self._comparison(self._space(end), column)) is not None:
                return found
        return None

    def _comparison(self, place: int, column: str) -> tuple[int, Comparison] | None:
        if (end := _match(EMPTY, self._text, place)) is not None:
            return self._trim(end), Comparison(column, "empty")
        for operator, pattern in COMPARE:
            found = re.compile(rf"(?:{pattern})\s*", re.IGNORECASE).match(self._text, place)
            if found is None:
                continue
            for value in values.value_of(self._text, found.end(), self._words.column(column), self._words):
                return value.end, Comparison(column, operator, value.text)
            return None
        return None

    def _space(self, place: int) -> int:
        return self._skip(r"(?=\s)", place) if self._text[place : place + 1].isspace() else place

    def _trim(self, place: int) -> int:
        return len(self._text[:place].rstrip())

    # The changes.

    def _assignment(self, place: int, change: _Change) -> int | None:
        """Reads one change of a field into `change`. Returns the end."""
        cleared = _match(CLEAR, self._text, place)
        start = self._skip(DET, cleared if cleared is not None else self._skip(SET, place))
        for end, column in self._words.label_at(self._text, start):
            if cleared is not None:
                self._put(change, column, None)
                return end
            mark = re.compile(rf"\s*(?:{IS})?\s*", re.IGNORECASE).match(self._text, end)
            here = end if mark is None else mark.end()
            for value in values.value_of(self._text, here, self._words.column(column), self._words):
                if here > end:
                    self._put(change, column, value.text)
                    return value.end
        return None

    def _put(self, change: _Change, column: str, value: str | None) -> None:
        if column in change.data:
            raise UnclearError(f"{column} is told twice. Which value is right?")
        change.data[column] = value

    def _assignments(self, place: int) -> Iterator[tuple[int, _Change]]:
        change = _Change()
        here: int | None = place
        while here is not None and (end := self._assignment(here, change)) is not None:
            yield end, change
            between = _SEPARATOR.match(self._text, end)
            here = between.end() if between is not None and between.end() > end else None

    def _fields(self, place: int) -> tuple[str, Entity] | None:
        """Reads `Update contact a@b.co: city Paris`, or `Contact a@b.co: remove the city`."""
        verb = _match(SET, self._text, place)
        for rows in self._one(verb if verb is not None else place):
            mark = re.compile(r"\s*[:,]\s*|\s+").match(self._text, rows.end)
            if mark is None or (verb is None and ":" not in mark[0]):
                continue
            for end, change in self._assignments(mark.end()):
                if (found := self._result("update", rows, change, end)) is not None:
                    return found
        return None

    def _field_of(self, place: int) -> tuple[str, Entity] | None:
        """Reads `change the email of John Carter to j@x.co`, or `remove the city of John Carter`."""
        verb, cleared = _match(SET, self._text, place), _match(CLEAR, self._text, place)
        start = self._skip(DET, cleared or verb or place)
        for end, column in self._words.label_at(self._text, start):
            of = _match(OF, self._text, self._space(end))
            for rows in self._one(of) if of is not None else ():
                if cleared is not None:
                    if (found := self._result("update", rows, _Change({column: None}), rows.end)) is not None:
                        return found
                    continue
                mark = re.compile(rf"\s*(?:{IS if verb is not None else IS_NOW})\s*", re.IGNORECASE).match(
                    self._text, rows.end
                )
                for value in (
                    values.value_of(self._text, mark.end(), self._words.column(column), self._words) if mark else ()
                ):
                    if (found := self._result("update", rows, _Change({column: value.text}), value.end)) is not None:
                        return found
        return None

    def _owner(self, place: int) -> tuple[str, Entity] | None:
        """Reads `John Carter's new phone is 5`."""
        verb = _match(SET, self._text, place)
        for rows in self._one(verb or place):
            owner = _OWNER.match(self._text, rows.end)
            if owner is None:
                continue
            start = self._skip(DET, owner.end())
            for end, column in self._words.label_at(self._text, start):
                mark = re.compile(rf"\s*(?:{IS})\s*", re.IGNORECASE).match(self._text, end)
                said = self._text[owner.end() : mark.end() if mark else end]
                if mark is None or not (verb is not None or re.search(r"\b(?:new|now)\b", said)):
                    continue
                for value in values.value_of(self._text, mark.end(), self._words.column(column), self._words):
                    if (found := self._result("update", rows, _Change({column: value.text}), value.end)) is not None:
                        return found
        return None

    def _moves(self, place: int) -> tuple[str, Entity] | None:
        """Reads `John Carter moved to Barcelona`, or `now works at Acme`."""
        for rows in self._one(place):
            here = self._space(rows.end)
            for concept, before, behind in MOVES:
                column, end = self._words.concepts.get(concept), _match(before, self._text, here)
                value = None if column is None or end is None else values.proper(self._text, end)
                if column is None or value is None:
                    continue
                after = value.end
                if behind:
                    last = _match(behind, self._text, self._space(after))
                    if last is None:
                        continue
                    after = self._trim(last)
                if concept == "city":
                    column = values.place_column(self._words, column, value.text)
                if (found := self._result("update", rows, _Change({column: value.text}), after)) is not None:
                    return found
        return None

    # Several rows, and numbers.

    def _archive(self, place: int) -> tuple[str, Entity] | None:
        """Reads `delete the contact a@b.co`, or `archive all contacts in Hamburg`."""
        verb = _match(ARCHIVE, self._text, place)
        if verb is None:
            return None
        for rows in self._one(verb):
            if (found := self._result("archive", rows, _Change(), rows.end)) is not None:
                return found
        for rows in self._many(verb):
            if rows.conditions and (found := self._result("archive", rows, _Change(), rows.end)) is not None:
                return found
        return None

    def _set_for(self, place: int) -> tuple[str, Entity] | None:
        """Reads `set city to Berlin for everyone at Fabrikam`, or `… where company is Fabrikam`."""
        verb = _match(SET, self._text, place)
        if verb is None:
            return None
        for end, change in self._assignments(verb):
            target = _match(FOR, self._text, self._space(end))
            for rows in self._many(target if target is not None else self._space(end), bare=target is None):
                whole = rows.conditions or rows.named
                if whole and (found := self._result("update", rows, change, rows.end)) is not None:
                    return found
        return None

    def _arithmetic(self, place: int) -> tuple[str, Entity] | None:
        """Reads `increase the price of all products in Berlin by 10 %`, in any order."""
        up, down = _match(RAISE, self._text, place), _match(LOWER, self._text, place)
        verb = up or down
        if verb is None:
            return None
        every = _match(EVERY, self._text, verb)
        start = self._skip(DET, every or verb)
        for end, column in self._words.label_at(self._text, start):
            if self._words.column(column).type not in ("bigint", "numeric", "double"):
                continue
            for early in (True, False):
                here = self._space(end)
                change = self._by(here, up=up is not None) if early else None
                if early and change is None:
                    continue
                here = self._space(change[0]) if change else here
                for rows in self._targets(here, whole=every is not None):
                    last = change or self._by(self._space(rows.end), up=up is not None)
                    if last is None:
                        continue
                    stop = max(last[0], rows.end)
                    found = self._result("update", rows, _Change({}, {column: last[1]}), stop)
                    if found is not None:
                        return found
        return None

    def _targets(self, place: int, *, whole: bool) -> Iterator[_Rows]:
        """Yields the rows behind `of` or `for`. whole: `all` stands before the column."""
        of = _match(rf"{OF}|{FOR}", self._text, place)
        if of is not None:
            yield from self._many(of)
            yield from self._one(of)
            if whole:
                yield from self._many(of, bare=True)
        yield from self._many(place, bare=True)
        if whole:
            yield _Rows(self._trim(place), {}, (), every=True)

    def _by(self, place: int, *, up: bool) -> tuple[int, Arithmetic] | None:
        by = _match(BY, self._text, place)
        found = None if by is None else _NUMBER.match(self._text, by)
        return None if found is None else (found.end(), _change_of("+" if up else "-", found))

    def _signed(self, place: int) -> tuple[str, Entity] | None:
        """Reads `price + 10 % for all products`, or `set price to price * 1.1 where …`."""
        start = self._skip(DET, self._skip(SET, place))
        for end, column in self._words.label_at(self._text, start):
            mark = re.compile(rf"\s*(?:{IS})\s*", re.IGNORECASE).match(self._text, end)
            again = (
                [stop for stop, other in self._words.label_at(self._text, mark.end()) if other == column]
                if mark
                else []
            )
            sign = _SIGNED.match(self._text, again[0] if again else end)
            found = None if sign is None else _NUMBER.match(self._text, sign.end())
            if sign is None or found is None or self._words.column(column).type not in ("bigint", "numeric", "double"):
                continue
            change = _Change({}, {column: _change_of(sign[1], found)})
            for rows in self._targets(self._space(found.end()), whole=False):
                if (result := self._result("update", rows, change, rows.end)) is not None:
                    return result
        return None


def _change_of(sign: str, found: re.Match[str]) -> Arithmetic:
    """Builds the change for a sign and a number, which may be a percentage."""
    sign = "-" if sign in "−–-" else sign
    number = Decimal(found[1].replace(",", "."))
    words = f"{sign} {found[1]}{' %' if found[2] else ''}"
    if sign == "*":
        if found[2]:
            number = number / 100
        return Arithmetic(number, Decimal(0), words)
    change = number if sign == "+" else -number
    return Arithmetic(1 + change / 100, Decimal(0), words) if found[2] else Arithmetic(Decimal(1), change, words)
