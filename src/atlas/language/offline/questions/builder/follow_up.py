"""Builds the queries of follow-ups in a thread:

`and only those from California?`, `by month instead`, `what about Texas?`, `top 3`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.lexicon import ADJECTIVES, MONTHS, adjective
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.tokenizer import Token
from atlas.language.question import Turn

_OPENINGS = tuple(
    tuple(text.split())
    for text in (
        "and|only|just|now|what about|how about|same|but|then|also|of those|of these|of them|those|instead|sort|order|sorted|ordered|rank|ranked|exclude|"
        "excluding|without|except|filter|group|per|by|for|in|top|bottom|the top|the bottom|show only|show just|show those|show them|show the top|show the bottom|"
        "show me the top|show me the bottom|show me only|show me just|break|split|limit|add|why not|why not by|make it|since|before|after|between|from|until|highest first|lowest first|largest first|"
        "smallest first|newest first|oldest first|descending|ascending|in descending|in ascending|of|at|on|with|during|over|under|above|below|"
        "which one|which ones|which is the|what is the highest|what is the lowest|as a top|the year|the month|the week|the previous|the same"
    ).split("|")
)
_BACK = frozenset("instead those them these it their its".split())
_KEEPING = frozenset("only just".split())
_LOWEST = frozenset("lowest minimum min smallest least fewest bottom worst cheapest".split())
_HIGHEST = frozenset("highest maximum max largest biggest greatest most top best".split())
_EMPTY = frozenset("and what about the how is was which one ones are there of them those in it so ok".split())
_LINKS = frozenset("in from with over under above below have had cost".split())
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATED = frozenset(
    "in since before after from to until between of during for year or vs versus on by through january february march "
    "april may june july august september october november december".split()
)


def last_query(turns: Sequence[Turn]) -> q.Query | None:
    """Decodes the typed query of the thread's last turn. Returns None if another engine answered the turn."""
    if not turns or turns[-1].state is None:
        return None
    try:
        return msgspec.json.decode(turns[-1].state, type=q.Query)
    except msgspec.MsgspecError:
        return None


def is_follow_up(found: Sequence[Token]) -> bool:
    """Checks whether the words of a question refer to the question before."""
    words = tuple(token.lower for token in found if token.kind != "sign")
    if any(words[: len(opening)] == opening for opening in _OPENINGS) or bool(_BACK & set(words)):
        return True
    # `how many` and `2024` say nothing of what is asked.
    return (words[:2] == ("how", "many") and (set(words[2:]) <= _EMPTY or words[2] in _LINKS)) or (
        len(words) == 1 and bool(_YEAR.fullmatch(words[0]))
    )


def prepare(found: Sequence[Token], before: q.Query) -> list[Token]:
    """Returns the words of a follow-up as the parser knows them: `per status` for `why not per status`, `in 2024` for
    `only 2024`. A month alone is one of the year asked for before.
    """
    tokens = _with_year(found, before)
    if [token.lower for token in tokens[:2]] == ["why", "not"]:
        tokens = tokens[2:]
    while (
        len(tokens) > 1
        and tokens[0].lower in ("show", "me", "the")
        and tokens[1].lower in ("me", "the", "top", "bottom")
    ):
        tokens = tokens[1:]
    spread: list[Token] = []
    for token in tokens:
        last = spread[-1].lower if spread else ""
        several = last in ("and", "or") and any(_YEAR.fullmatch(one.text) for one in spread)
        if _YEAR.fullmatch(token.text) and last not in _DATED and not several:
            spread.append(Token("word", "in", "in", "in", 0))
        spread.append(token)
    return [msgspec.structs.replace(token, position=place) for place, token in enumerate(spread)]


def _with_year(found: Sequence[Token], before: q.Query) -> list[Token]:
    years = {cond.start[6:10] for cond in before.where if isinstance(cond, q.During) and cond.start and cond.end}
    named = [n for n, token in enumerate(found) if token.lower in MONTHS and len(token.lower) > _SHORT_MONTH]
    if len(years) != 1 or len(named) != 1 or any(token.kind == "number" for token in found):
        return list(found)
    year = years.pop()
    if not _YEAR.fullmatch(year):
        return list(found)
    month = found[named[0]]
    led = [] if named[0] and found[named[0] - 1].lower in _DATED else [Token("word", "in", "in", "in", 0)]
    return [*found[: named[0]], *led, month, Token("number", year, year, year, 0, int(year)), *found[named[0] + 1 :]]


_SHORT_MONTH = 3


def turn_around(before: q.Query, found: Sequence[Token]) -> q.Query | None:
    """Returns the query with another extreme: `and the lowest?` after the highest, `which one is the cheapest?` of groups.

    Returns None for other words.
    """
    words = {token.lower for token in found if token.kind != "sign"} - _EMPTY
    highest = _direction(words.pop()) if len(words) == 1 else None
    if highest is None:
        return None
    extremes = [cond for cond in before.where if isinstance(cond, q.Extreme) and cond.operator == "="]
    if len(extremes) == 1 and not before.aggregated:
        other = "max" if highest else "min"
        if extremes[0].value.function == other:
            return None
        turned = msgspec.structs.replace(extremes[0], value=msgspec.structs.replace(extremes[0].value, function=other))
        where = tuple(turned if cond == extremes[0] else cond for cond in before.where)
        return msgspec.structs.replace(before, where=where)
    figures = [output.expr for output in before.outputs if q.has_aggregate(output.expr)]
    asked = any(token.lower in ("which", "who") for token in found)
    if asked and before.limit is None and before.group and len(figures) == 1:
        return msgspec.structs.replace(before, order=(q.Order(figures[0], highest),), limit=1)
    if before.limit is None or len(before.order) != 1 or before.order[0].descending == highest:
        return None
    return msgspec.structs.replace(before, order=(q.Order(before.order[0].expr, highest),))


def _direction(word: str) -> bool | None:
    """Returns whether a superlative asks for the greatest. None: the word does not tell."""
    if word in ("best", "worst"):
        # The worst delay is the longest, and the worst score is the least.
        return None
    if word in _LOWEST or word in _HIGHEST:
        return word in _HIGHEST
    found = adjective(word)
    return ADJECTIVES[found[0]][0] if found is not None and found[1] == "superlative" else None


_BEFORE = frozenset("before previous prior earlier last preceding".split())
_AFTER = frozenset("after next following later".split())
_DATE = re.compile(r"DATE '(\d{4})-(\d\d)-(\d\d)'", re.IGNORECASE)


def shift_period(before: q.Query, found: Sequence[Token]) -> q.Query | None:
    """Returns the query of the year, quarter or month beside the one asked for: `and the year before?`.

    Returns None for other words, and where the period before is another one.
    """
    words = {token.lower for token in found if token.kind != "sign"} - _EMPTY - {"a", "same", "for"}
    units = words & {"year", "month", "quarter"}
    back, ahead = words & _BEFORE, words & _AFTER
    if len(units) != 1 or len(words) != len(units) + len(back) + len(ahead) or bool(back) == bool(ahead):
        return None
    during = [cond for cond in before.where if isinstance(cond, q.During) and cond.start and cond.end]
    if len(during) != 1 or during[0].negated:
        return None
    months = {"year": 12, "quarter": 3, "month": 1}[units.pop()] * (-1 if back else 1)
    start, end = (_shift(text or "", months) for text in (during[0].start, during[0].end))
    if start is None or end is None:
        return None
    shifted = q.During(during[0].column, start, end, f"from {start[6:16]} to before {end[6:16]}")
    where = tuple(shifted if cond == during[0] else cond for cond in before.where)
    return msgspec.structs.replace(before, where=where)


def _shift(text: str, months: int) -> str | None:
    found = _DATE.fullmatch(text)
    if found is None or int(found[3]) != 1:
        return None
    count = int(found[1]) * 12 + int(found[2]) - 1 + months
    return f"DATE '{count // 12:04}-{count % 12 + 1:02}-01'"


def apply_follow_up(before: q.Query, reading: Reading) -> q.Query:
    """Applies the changes of a follow-up to the query before.

    Raises Unclear: when the follow-up changes nothing.
    """
    groups = list(before.group)
    measures = [output.expr for output in before.outputs if q.has_aggregate(output.expr)]
    selects: list[q.Expr] = [
        o.expr for o in before.outputs if not q.has_aggregate(o.expr) and o.expr not in before.group
    ]
    where = _extremes(_conditions(before.where, conditions(reading)))
    changed = bool(reading.filters)
    if changed and before.aggregated and not before.group and _lists_rows(reading):
        return q.Query(before.table, where=where)
    if reading.groups:
        groups, changed = _groups(reading, groups), True
        measures = measures or [q.Agg("count")]
        selects = []
    new = _measures(reading, measures)
    if new:
        measures, changed = new, True
        selects = [] if not before.aggregated else selects
    columns = [col for col in reading.selects if col not in selects and not q.has_aggregate(col) and not new]
    if columns:
        changed = True
        if before.aggregated and not reading.groups:
            # `what about the quantity` asks for another figure, `and the city` for groups.
            amounts = [col for col in columns if reading.numeric(col)]
            replaced = _of_other_column(measures, amounts)
            measures = replaced or measures
            groups += [col for col in columns if col not in groups and not (replaced and col in amounts)]
        elif _KEEPING & {item.text.lower() for item in reading.items}:
            selects = list(columns)
        else:
            selects += columns
    order, limit, ordered = _order(before, reading, measures, groups)
    if not (changed or ordered):
        raise Unclear("what should change")
    if measures:
        _check_order(order, measures, groups)
        if not groups:
            order, limit = (), None
            if reading.best is not None:
                raise Unclear("of what it is the highest or lowest")
    if measures:
        shown = outputs([*groups, *selects, *measures]) if groups or measures else ()
        return q.Query(before.table, shown, where, tuple(groups), before.having, order, limit)
    return msgspec.structs.replace(before, outputs=outputs(selects), where=where, order=order, limit=limit)


def _extremes(where: Sequence[q.Cond]) -> tuple[q.Cond, ...]:
    """Takes the greatest or least value among the rows that the new conditions leave."""
    others = tuple(cond for cond in where if not isinstance(cond, q.Extreme))
    same = None if not others else others[0] if len(others) == 1 else q.And(others)
    return tuple(
        q.Extreme(cond.expr, "=", msgspec.structs.replace(cond.value, where=same))
        if isinstance(cond, q.Extreme) and cond.operator == "="
        else cond
        for cond in where
    )


def _lists_rows(reading: Reading) -> bool:
    """Checks for `which of them`, which asks for rows after a figure."""
    words = [token.lower for token in reading.tokens[:3]]
    return words[:2] == ["which", "of"] or (words[:1] in (["list"], ["show"]) and bool(_BACK & set(words)))


def _of_other_column(measures: Sequence[q.Expr], amounts: Sequence[q.Col]) -> list[q.Expr]:
    """Returns the same aggregate of another column. Empty if that has no meaning."""
    if len(measures) != 1 or len(amounts) != 1:
        return []
    (measure,) = measures
    if not isinstance(measure, q.Agg) or measure.arg is None or measure.function == "count":
        return []
    return [msgspec.structs.replace(measure, arg=amounts[0])]


def _check_order(order: Sequence[q.Order], measures: Sequence[q.Expr], groups: Sequence[q.Expr]) -> None:
    """Refuses an order by a column that the groups no longer have.

    Raises Unclear: for such an order.
    """
    for one in order:
        if not q.has_aggregate(one.expr) and one.expr not in groups and one.expr not in measures:
            raise Unclear("what to sort by")


def _groups(reading: Reading, groups: list[q.Expr]) -> list[q.Expr]:
    """Returns the new groups in place of the old groups, or both if the words ask for more groups."""
    words = {item.text.lower() for item in reading.items}
    if words & {"also", "add", "and also", "too", "as well"}:
        return [*groups, *(group for group in reading.groups if group not in groups)]
    return [expr for group in reading.groups for expr in _named(reading, group)]


def _named(reading: Reading, group: q.Expr) -> list[q.Expr]:
    """Adds the name of the rows that a key refers to: `by port` shows the names of ports."""
    for join in reading.index.catalog.joins:
        if isinstance(group, q.Col) and (join.left_table, join.left_column) == (group.table, group.name):
            display = reading.index.display(join.right_table)
            if display is not None and display != join.right_column:
                return [q.Col(join.right_table, join.right_column), q.Col(join.right_table, display)]
    return [group]


def _measures(reading: Reading, before: Sequence[q.Expr]) -> list[q.Expr]:
    """Returns new measures: `the average instead` of the same column, or of another column."""
    if reading.measures:
        return list(reading.measures)
    if reading.agg is not None:
        column = next((m.arg for m in before if isinstance(m, q.Agg) and m.arg is not None), None)
        amounts = [col for col in reading.selects if reading.numeric(col)]
        if amounts or column is not None:
            return [q.Agg(reading.agg, amounts[0] if amounts else column)]
        raise Unclear(f"what {reading.agg} is of")
    if reading.counting:
        return [q.Agg("count")]
    return []


def _order(
    before: q.Query, reading: Reading, measures: Sequence[q.Expr], groups: Sequence[q.Expr]
) -> tuple[tuple[q.Order, ...], int | None, bool]:
    """Returns (order, limit, whether the follow-up changes the order)."""
    limit = reading.limit if reading.limit is not None else before.limit
    if reading.best is not None:
        by = reading.best.by or (measures[0] if measures else None)
        if isinstance(by, q.Col) and measures:
            by = next((m for m in measures if isinstance(m, q.Agg) and m.arg == by), measures[0])
        if by is None and before.order:
            by = before.order[0].expr
        if by is None:
            raise Unclear("what to sort by")
        return (q.Order(by, reading.best.descending),), limit if reading.limit is not None else limit or 1, True
    if reading.orders:
        return tuple(reading.orders), limit, True
    if reading.direction is not None:
        key = before.order[0].expr if before.order else measures[0] if measures else None
        if any(token.lower in ("name", "alphabetically") for token in reading.tokens):
            key = groups[0] if groups else None
        if key is None:
            raise Unclear("what to sort by")
        return (q.Order(key, reading.direction),), limit, True
    kept = tuple(order for order in before.order if order.expr in measures or order.expr in groups or not measures)
    if reading.groups and limit is None and groups and isinstance(groups[0], q.Bucket):
        kept = ()
    if not kept and measures and groups:
        kept = (q.Order(measures[0], True),) if isinstance(groups[0], q.Col) else (q.Order(groups[0]),)
    return kept, limit, reading.limit is not None


def _conditions(before: Sequence[q.Cond], new: Sequence[q.Cond]) -> tuple[q.Cond, ...]:
    """Replaces the conditions on the columns that new conditions use, and keeps the other conditions."""
    named = {_column(cond) for cond in new} - {None}
    return (*(cond for cond in before if _column(cond) not in named), *(cond for cond in new if cond not in before))


def _column(cond: q.Cond) -> q.Expr | None:
    match cond:
        case (
            q.Compare(expr=expr) | q.OneOf(expr=expr) | q.Contains(expr=expr) | q.Empty(expr=expr) | q.Truth(expr=expr)
        ):
            return expr
        case q.During(column=column):
            return column
    return None
