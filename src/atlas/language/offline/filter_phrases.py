"""Conditions on columns in plain words: `where country is US and (amount over 100 or paid is yes)`.

`and` binds tighter than `or`, as in SQL. A comparison may omit its column if the comparison before has a column:
`amount is more than 10 and less than 100`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from atlas.language.instructions import Filter
from atlas.language.offline.import_clauses.grammar import CLAUSE, DOUBT, Slot, Text, splits_word
from atlas.language.offline.import_clauses.slots import name_slot, value_slot, values_slot

# The maximum number of groups that a condition may have in disjunctive normal form.
MAX_GROUPS = 64
_MAX_DEPTH = 60
# The cost exceeds that of a separate clause, so that the separate clause wins.
_PREDICATE = CLAUSE + DOUBT

Groups = tuple[tuple[Filter, ...], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition.

    joint: "and", "or" or "not" of `parts`, or "" for the single comparison `item`.
    """

    joint: str
    parts: tuple[Condition, ...] = ()
    item: Filter | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """The previous comparison. The next comparison may omit its column and operator."""

    column: str
    operator: str
    negated: bool


def condition_slot(text: Text, place: int) -> list[Slot]:
    """Reads a condition and each prefix that is a condition, the longest first."""
    return text.memoize(("condition", place), lambda: _expression(text, place, bare=False))


def traits_slot(text: Text, place: int) -> list[Slot]:
    """Reads a condition as `condition_slot` does, with an optional verb: `status open and country US`."""
    return text.memoize(("traits", place), lambda: _expression(text, place, bare=True))


def _expression(text: Text, place: int, *, bare: bool, depth: int = 0) -> Iterator[Slot]:
    found: dict[int, tuple[Condition, float]] = {}
    for end, chain, _, cost in _chains(text, place, None, bare, depth):
        condition = _join(chain)
        if end not in found or cost < found[end][1]:
            found[end] = (condition, cost)
    yield from ((end, *found[end]) for end in sorted(found, reverse=True))


_Chain = tuple[tuple[str, Condition], ...]


def _chains(
    text: Text, place: int, subject: _Subject | None, bare: bool, depth: int
) -> Iterator[tuple[int, _Chain, _Subject | None, float]]:
    """Yields every sequence of comparisons that are joined by `and` and `or` from a place on."""
    heads: list[tuple[int, _Chain, _Subject | None, float]] = [
        (end, (("", condition),), after, cost)
        for end, condition, after, cost in _primary(text, place, subject, bare, depth)
    ]
    seen: dict[tuple[int, int], float] = {}
    while heads:
        end, chain, last, cost = heads.pop(0)
        key = (end, len(chain))
        if len(chain) > _MAX_DEPTH or seen.get(key, 1e9) <= cost:
            continue
        seen[key] = cost
        yield end, chain, last, cost
        for after, joint, doubt in _joints(text, end):
            for stop, condition, then, more in _primary(text, after, last, bare, depth):
                heads.append((stop, (*chain, (joint, condition)), then, cost + more + doubt))


def _joints(text: Text, place: int) -> Iterator[tuple[int, str, float]]:
    for joint, pattern, doubt in _joint_patterns(text.vocabulary.joins, text.vocabulary.either):
        found = pattern.match(text.text, place)
        if found is not None and not splits_word(text.text, found.end()):
            yield found.end(), joint, doubt
            return


@lru_cache
def _joint_patterns(joins: str, either: str) -> tuple[tuple[str, re.Pattern[str], float], ...]:
    return (
        ("or", re.compile(rf",? (?:{either}|\|\|?) ", re.IGNORECASE), 0.0),
        ("and", re.compile(rf",? (?:(?:{joins}) (?:also |where )?|but |&&? )", re.IGNORECASE), 0.0),
        ("and", re.compile(r", ", re.IGNORECASE), 2 * DOUBT),
    )


def _primary(
    text: Text, place: int, subject: _Subject | None, bare: bool, depth: int
) -> Iterator[tuple[int, Condition, _Subject | None, float]]:
    """Yields one comparison, or a condition in parentheses."""
    if depth > 8:
        return
    vocabulary = text.vocabulary
    lead = _lead(vocabulary.leads).match(text.text, place)
    start = place if lead is None else lead.end()
    negation = _lead(vocabulary.negation).match(text.text, start)
    if negation is not None and negation.end() > start:
        for end, inner, last, cost in _primary(text, negation.end(), None, bare, depth + 1):
            yield end, Condition("not", (inner,)), last, cost
    if text.text[start : start + 1] == "(":
        inside = start + 1 + (text.text[start + 1 : start + 2] == " ")
        for end, inner, cost in _expression(text, inside, bare=bare, depth=depth + 1):
            after = end + (text.text[end : end + 1] == " ")
            if text.text[after : after + 1] == ")":
                yield after + 1, inner, None, cost
        return
    for end, column, cost in name_slot(text, start):
        here = end + (text.text[end : end + 1] == " ")
        yield from _comparisons(text, here, column, cost)
        if bare and here > end and (column in text.names or not text.names) and not _is_stop(text, here):
            for stop, values, more in _either(text, here):
                item = Filter(column, "=", values)
                yield stop, Condition("", item=item), _Subject(column, "=", False), cost + more + DOUBT
    if subject is not None:
        yield from _comparisons(text, start, subject.column, 0.0)


def _is_stop(text: Text, place: int) -> bool:
    found = re.compile(r"\w+").match(text.text, place)
    return found is not None and found[0].lower() in text.vocabulary.stops


def _comparisons(
    text: Text, place: int, column: str, cost: float
) -> Iterator[tuple[int, Condition, _Subject | None, float]]:
    """Yields an operator with its values."""
    for pattern, operator, negated in _operators(text):
        found = pattern.match(text.text, place)
        if found is None or splits_word(text.text, found.end()) or found.end() == place:
            continue
        subject = _Subject(column, operator, negated)
        for end, name, values, more in _values(text, found.end(), operator):
            doubt = sum(_is_predicate(text, value, end) for value in values) * _PREDICATE
            yield _past_verb(text, end), _build_comparison(column, name, values, negated), subject, cost + more + doubt
        return


def _is_predicate(text: Text, value: str, end: int) -> bool:
    """Checks whether the value may belong to another clause on the column: `status is open and email is required`."""
    told, vocabulary = value.lower(), text.vocabulary
    plain = text.text[end - 1] not in "\"'"
    return plain and (told in vocabulary.types or told.split(" ")[-1] in vocabulary.predicates)


def _past_verb(text: Text, place: int) -> int:
    """Returns the place behind a verb that ends a comparison, as in German."""
    if not text.vocabulary.behind:
        return place
    found = re.compile(rf" (?:{text.vocabulary.behind})(?!\w)", re.IGNORECASE).match(text.text, place)
    return place if found is None else found.end()


def _build_comparison(column: str, operator: str, values: tuple[str, ...], negated: bool) -> Condition:
    if len(values) > 1 and operator in ("contains", "starts", "ends"):
        parts = tuple(Condition("", item=Filter(column, operator, (value,), negated)) for value in values)
        return Condition("and" if negated else "or", parts)
    return Condition("", item=Filter(column, operator, values, negated))


def _operators(text: Text) -> list[tuple[re.Pattern[str], str, bool]]:
    return _compile(tuple(text.vocabulary.comparisons))


@lru_cache
def _compile(comparisons: tuple[tuple[str, str, bool], ...]) -> list[tuple[re.Pattern[str], str, bool]]:
    return [
        (re.compile(f"(?:{pattern})", re.IGNORECASE), operator, negated) for pattern, operator, negated in comparisons
    ]


@lru_cache
def _lead(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{pattern}) )*", re.IGNORECASE)


def _values(text: Text, place: int, operator: str) -> Iterator[tuple[int, str, tuple[str, ...], float]]:
    """Yields the values of a comparison: their end, the operator, the values and the cost.

    The values may change the operator, as in `10 or more`.
    """
    if operator == "empty":
        yield place, operator, (), 0.0
        return
    place += text.text[place : place + 1] == " "
    if operator == "between":
        yield from _bounds(text, place)
        return
    if operator == "in":
        open_ = text.text[place : place + 1] == "("
        for end, values, cost in values_slot(text, place + open_):
            if not open_:
                yield end, "in", values, cost
            elif text.text[end : end + 1] == ")":
                yield end + 1, "in", values, cost
        return
    if operator in (">", ">=", "<", "<="):
        yield from ((end, operator, (value,), cost) for end, value, cost in value_slot(text, place))
        return
    if operator == "like":
        yield from (
            (end, _like(value), (value.strip("%"),), cost)
            for end, value, cost in value_slot(text, place)
            if value.strip("%") and "%" not in value.strip("%")
        )
        return
    if operator == "=":
        for end, value, cost in value_slot(text, place):
            for after, sign in _or_more(text, end):
                yield after, sign, (value,), cost
    yield from ((end, operator, values, cost) for end, values, cost in _either(text, place))


def _or_more(text: Text, place: int) -> Iterator[tuple[int, str]]:
    """Yields the operators for words that make the value before a bound: `100 or more`, `10+`."""
    for pattern, sign in _bound_patterns(text.vocabulary.bounds):
        found = pattern.match(text.text, place)
        if found is not None and not splits_word(text.text, found.end()):
            yield found.end(), sign


@lru_cache
def _bound_patterns(bounds: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern, re.IGNORECASE), sign) for pattern, sign in bounds]


def _like(value: str) -> str:
    """Returns the operator for an SQL pattern with `%` at its start, its end or both."""
    if value.startswith("%") == value.endswith("%"):
        return "contains"
    return "ends" if value.startswith("%") else "starts"


def _bounds(text: Text, place: int) -> Iterator[tuple[int, str, tuple[str, ...], float]]:
    joint = re.compile(rf" ?(?:(?:{text.vocabulary.joins}|to|bis|à|a|-|–) )", re.IGNORECASE)
    for end, low, cost in value_slot(text, place):
        found = joint.match(text.text, end)
        if found is not None:
            for last, high, more in value_slot(text, found.end()):
                yield last, "between", (low, high), cost + more


def _either(text: Text, place: int) -> Iterator[Slot]:
    """Yields a value, or several values with `or` before the last: `open`, `US, CA or DE`."""
    either = re.compile(rf",? (?:{text.vocabulary.either}|{text.vocabulary.nor}) ", re.IGNORECASE)
    lead = re.compile(
        rf"(?:(?:{text.vocabulary.either}|either|exactly) )?(?:(?:{text.vocabulary.articles}) )*", re.IGNORECASE
    ).match(text.text, place)
    heads: list[tuple[int, tuple[str, ...], float, bool]] = [
        (end, (value,), cost, False) for end, value, cost in value_slot(text, place if lead is None else lead.end())
    ]
    if lead is not None and lead.end() > place:
        # In "starts with A or B" the word that looks like an article may be the value.
        heads += [(end, (value,), cost + DOUBT / 2, False) for end, value, cost in value_slot(text, place)]
    while heads:
        end, values, cost, closed = heads.pop(0)
        if closed or len(values) == 1:
            yield end, values, cost
        if len(values) > _MAX_DEPTH:
            continue
        found = either.match(text.text, end)
        closes = found is not None
        if found is None and not closed:
            found = re.compile(r", ?").match(text.text, end)
        if found is not None:
            heads += [
                (last, (*values, value), cost + more + DOUBT / 2, closes)
                for last, value, more in value_slot(text, found.end())[-1:]
            ]


def _join(chain: _Chain) -> Condition:
    """Groups a chain by precedence: conditions between two `or` form one `and`."""
    groups: list[list[Condition]] = [[]]
    for joint, condition in chain:
        if joint == "or":
            groups.append([])
        groups[-1].append(condition)
    parts = [group[0] if len(group) == 1 else Condition("and", tuple(group)) for group in groups]
    return parts[0] if len(parts) == 1 else Condition("or", tuple(parts))


def normal_groups(condition: Condition) -> Groups | None:
    """Converts a condition to groups of comparisons. A record passes if all comparisons of one group hold.

    Returns None if there are more than `MAX_GROUPS`.
    """
    return _groups(condition, negated=False)


def negate(condition: Condition) -> Condition:
    """Returns the condition that holds where `condition` does not."""
    return Condition("not", (condition,))


def conjoin(first: Condition, second: Condition) -> Condition:
    return Condition("and", (first, second))


def _groups(condition: Condition, *, negated: bool) -> Groups | None:
    if condition.item is not None:
        item = condition.item
        return ((item if not negated else _opposite(item),),)
    if condition.joint == "not":
        return _groups(condition.parts[0], negated=not negated)
    found = [_groups(part, negated=negated) for part in condition.parts]
    if any(groups is None for groups in found):
        return None
    parts = [groups for groups in found if groups is not None]
    if (condition.joint == "or") != negated:
        return _limit_groups(tuple(group for groups in parts for group in groups))
    total = 1
    for groups in parts:
        total *= len(groups)
    if total > MAX_GROUPS:
        return None
    return tuple(tuple(itertools.chain(*choice)) for choice in itertools.product(*parts))


def _limit_groups(groups: Groups) -> Groups | None:
    return groups if len(groups) <= MAX_GROUPS else None


def _opposite(item: Filter) -> Filter:
    return Filter(item.column, item.operator, item.values, not item.negated)
