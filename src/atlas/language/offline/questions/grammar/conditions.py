"""Reads the conditions behind a noun: `with more than 3 pets`, `whose age is over 30`, `that never sold`, `in Paris`."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar import comparisons as compare
from atlas.language.offline.questions.grammar.column_conditions import (
    having_figure,
    lacks_any,
    read_above_average,
    read_column,
    read_done,
    read_group_figure,
    read_never,
    read_quote,
    read_term,
    read_turned,
    read_verb_number,
    without,
)
from atlas.language.offline.questions.grammar.counted_kinds import count_of_kind, most_of_kind, stands_alone
from atlas.language.offline.questions.grammar.heads import names_rows, pinned, read_head
from atlas.language.offline.questions.grammar.measures import only_measure, read_count, read_rank
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.values import on_rows, read_value
from atlas.language.offline.questions.grammar.verbs import (
    is_called,
    is_done,
    is_link_table,
    is_verb,
    keep_done,
    may_follow,
    moves_behind,
    names_other,
    names_row,
    owner_of,
)
from atlas.language.offline.questions.related_tables import counts_things

# Words before a condition that have no meaning of their own.
_LEADING = frozenset(
    "with have has had having that who which whose where whom in from at on of for to by is are was were be been being "
    "do does did it its their they there a an the any some all made named called as while when under also and".split()
)
_HAVING = frozenset("with have has had having own owns owned contain contains include includes".split())
_JOINING = ("and", "comma")


def read_conditions(reader: Reader, at: int, phrase: Phrase, *, nested: bool = False) -> int:
    """Reads all conditions from a place on, and adds them to the phrase. Returns the place to read on at.

    nested: whether the phrase stands inside the condition of another one, which takes what follows `and`.
    """
    while at < len(reader.items):
        count = (len(phrase.where), len(phrase.having), phrase.rank is None)
        start = at
        if reader.kind(at) in _JOINING and not any(count[:2]) and names_other(reader, at, phrase):
            return start
        joined = reader.kind(at)
        if nested and reader.low(at).startswith("but"):
            return start
        if joined in _JOINING or reader.low(at) == "but":
            if nested:
                return start
            at += 1
            while reader.kind(at) in _JOINING:
                at += 1
        elif joined == "or":
            at += 1
        try:
            never = read_never(reader, at, phrase)
            if never is not None:
                return never
            end = _read_one(reader, at, phrase, joined_by_or=joined == "or")
        except NotRead:
            if joined == "or" or not may_follow(reader, at):
                raise
            return start
        if end is None or (len(phrase.where), len(phrase.having), phrase.rank is None) == count:
            return start
        if joined == "or":
            _join_last(phrase, count)
        phrase.where = [cond for cond in phrase.where if cond != q.And(())]
        at = end
    return at


def _join_last(phrase: Phrase, count: tuple[int, int, bool]) -> None:
    """Joins the last two conditions by `or`."""
    if len(phrase.where) != count[0] + 1 or count[0] != 1:
        raise NotRead("or")
    second, first = phrase.where.pop(), phrase.where.pop()
    phrase.where.append(q.Or((first, second)))


def _read_one(reader: Reader, at: int, phrase: Phrase, joined_by_or: bool = False) -> int | None:
    """Reads one condition. Returns the place behind it, or None if no condition stands here."""
    negated, having, both, verb = False, False, False, None
    while at < len(reader.items):
        kind, low = reader.kind(at), reader.low(at)
        if kind in ("neg", "negation"):
            negated = True
            having = having or low in ("without", "no", "lacking", "lack", "never")
        elif low == "both":
            both = True
        elif kind == "to" or low == "either" or is_link_table(reader, at, phrase):
            pass
        elif kind == "col" and low.endswith("ed") and reader.kind(at + 1) in ("cmp", "most", "by"):
            named = reader.column(at, phrase.table)
            if named is None or reader.numeric(named):
                break
            verb = at
        elif kind == "col" and (is_called(reader, at, phrase.table) or is_done(reader, at, phrase)):
            verb = at
        elif (
            kind == "by"
            and verb is not None
            and reader.kind(reader.skip(at + 1)) in ("cmp", "table", "col", "value", "quote")
        ) or (kind == "between" and low == "from" and reader.kind(at + 1) != "num"):
            pass
        elif kind in ("filler", "wh", "where", "link", "when") and low not in ("than", "only", "either", "if"):
            having = having or low in _HAVING
            verb = at if kind == "link" else verb
        elif kind == "unknown" and is_verb(reader, at, phrase):
            verb = at
        else:
            break
        at += 1
    if at >= len(reader.items):
        return None
    known = len(phrase.where)
    whole = negated and lacks_any(reader, phrase)
    ranked = phrase.rank is not None
    end = _by_kind(reader, at, phrase, negated and not whole, having, both)
    if verb is not None and reader.kind(verb) == "col":
        keep_done(reader, verb, phrase, known, None if ranked else phrase.rank)
    if whole:
        phrase.where[known:] = [without(reader, phrase, phrase.where[known:])]
    if verb is not None and phrase.named and any(names_row(reader, cond, phrase) for cond in phrase.where[known:]):
        # In `the states that the Mississippi runs through` the Mississippi is no state.
        raise NotRead(reader.low(verb))
    if (
        end is not None
        and moves_behind(reader, end)
        and any(isinstance(cond, q.Compare | q.Exists) for cond in phrase.where[known:])
    ):
        raise NotRead(reader.low(end))
    if end is not None and verb is not None and reader.kind(verb) == "unknown":
        reader.loose += 0.3
        reader.assume(f"{reader.low(verb)!r} is read as the link between the words around it.")
    return end


def _by_kind(reader: Reader, at: int, phrase: Phrase, negated: bool, having: bool, both: bool) -> int | None:
    kind = reader.kind(at)
    if both and kind != "value":
        return _read_two(reader, at, phrase, negated)
    if kind in ("superlative", "most") and phrase.rank is None and not negated:
        return _read_rank(reader, at, phrase)
    if kind in ("cmp", "num"):
        return _read_number(reader, at, phrase, negated, having)
    if kind == "agg":
        return read_group_figure(reader, at, phrase, negated)
    if kind == "comparative" and reader.kind(at + 1) != "than":
        return read_turned(reader, at, phrase, negated)
    if kind == "comparative":
        cond, end = compare.read_adjective(reader, at, phrase, negated)
        phrase.where.append(cond)
        return end
    if kind == "between":
        return _read_range(reader, at, phrase)
    if kind == "period":
        cond, end = compare.read_period(reader, at, phrase, None, negated)
        phrase.where.append(cond)
        return end
    related = reader.related_table(at, phrase.table)
    if kind == "col" or (kind in ("table", "other") and reader.kind(reader.skip(at + 1)) in ("value", "quote")):
        found = read_column(reader, at, phrase, negated, having)
        if found is not None:
            return found
    own = reader.columns(at, phrase.table)
    times = compare.operator_and_number(reader, reader.skip(at + 1)) if related is not None else None
    if times is not None and related is not None and reader.low(times[2]) in ("times", "time") and not negated:
        # `books loaned more than 8 times`
        having_figure(reader, Measure(q.Agg("count"), related), times[0], times[1], phrase, at)
        return times[2] + 1
    if kind in ("table", "other", "col") and related is not None and (not own or reader.joins_rows(own[0])):
        return _read_related(reader, at, phrase, related, negated)
    if kind == "value" and reader.low(at + 1) in ("that", "who", "which") and not negated:
        owner = owner_of(reader, at, phrase.table)
        if owner is not None:
            return _read_related(reader, at, phrase, owner, negated)
    if kind in ("value", "quote") and related is None:
        ahead = _noun_behind(reader, at, phrase)
        if ahead is not None:
            return _read_related(reader, at, phrase, ahead, negated, both)
    if kind == "value":
        return _read_values(reader, at, phrase, negated, both)
    if kind == "quote":
        return read_quote(reader, at, phrase, negated)
    if kind == "term":
        return read_term(reader, at, phrase, negated)
    if phrase.table in reader.tables(at) and not negated and (phrase.column is not None or not phrase.named):
        return _read_own(reader, at, phrase)
    if kind in ("unknown", "link"):
        return read_verb_number(reader, at, phrase) or read_done(reader, at, phrase, negated)
    return None


def _read_own(reader: Reader, at: int, phrase: Phrase) -> int | None:
    """Reads a noun for the rows behind the columns asked for: `the countries with singers above age 20`."""
    read = read_head(reader, at, phrase.table)
    if read is None or read[0].column is not None or read[0].rank is not None or read[0].limit is not None:
        return None
    phrase.where += read[0].where
    if phrase.column is None:
        phrase.named = True
    inner = Phrase(phrase.table, named=True)
    end = read_conditions(reader, read[1], inner, nested=True)
    if inner.rank is not None or inner.having:
        raise NotRead(reader.low(at))
    phrase.where += inner.where or [q.And(())]
    return end


def _read_rank(reader: Reader, at: int, phrase: Phrase) -> int:
    counted = most_of_kind(reader, at, phrase)
    phrase.rank, end = counted if counted is not None else read_rank(reader, at, phrase)
    if isinstance(phrase.rank.measure.expr, q.Agg):
        # `the most flights from Boston` counts only such flights.
        measure = phrase.rank.measure
        behind = reader.skip(end)
        if measure.table != phrase.table or reader.kind(behind) in ("value", "period"):
            inner = Phrase(measure.table)
            end = read_conditions(reader, end, inner, nested=True)
            if inner.rank is not None or inner.having:
                raise NotRead(reader.low(at))
            measure.where += inner.where
    return end


def _read_number(reader: Reader, at: int, phrase: Phrase, negated: bool, having: bool) -> int | None:
    """Reads a number with what is counted or measured: `at least 10 flights`, `more than 4 cylinders`."""
    if reader.kind(at) == "cmp" and reader.kind(reader.skip(at + 1)) == "agg":
        return read_above_average(reader, at, phrase, negated)
    read = compare.operator_and_number(reader, at)
    if read is None:
        return read_turned(reader, at, phrase, negated)
    operator, number, end = read
    listed = _read_numbers(reader, at, phrase) if operator == "=" and not negated else None
    if listed is not None:
        return listed
    if reader.kind(at) == "num" and not having and operator == "=":
        return None
    operator = compare.INVERSE[operator] if negated else operator
    ahead = reader.skip(end)
    if reader.low(ahead) in ("times", "time"):
        return None
    column = compare.numeric_column(reader, ahead, phrase.table)
    if column is not None and counts_things(reader.classic(phrase.table), reader.items[ahead], column):
        # `at least 10 flights` counts flights and does not compare flight numbers.
        raise NotRead(f"{reader.low(at)} {number}")
    if column is not None and column.table == phrase.table:
        phrase.where.append(q.Compare(column, operator, number))
        return ahead + 1
    measured = compare.column_of_unit(reader, end, phrase.table) if column is None else None
    if measured is not None:
        scale = compare.scale_of_unit(reader, end, measured)
        phrase.where.append(q.Compare(measured, operator, number * scale))
        return compare.skip_unit(reader, end)
    counted = read_count(reader, end, phrase) or count_of_kind(reader, end, phrase)
    measured = only_measure(reader, at, phrase.table) if counted is None and column is None else None
    if measured is not None and phrase.column is None and stands_alone(reader, end):
        phrase.where.append(q.Compare(measured, operator, number))
        return end
    if counted is None and column is not None:
        phrase.where.append(on_rows(reader, q.Compare(column, operator, number), column.table, phrase.table, at))
        return ahead + 1
    owner = owner_of(reader, ahead, phrase.table) if counted is None and reader.kind(ahead) == "value" else None
    if owner is not None:
        # `at least one keeper` counts the players of that kind.
        cond, end = read_value(reader, ahead, owner)
        counted = Measure(q.Agg("count"), owner, [cond]), end
    if counted is None or not isinstance(counted[0].expr, q.Agg):
        raise NotRead(f"{reader.low(at)} {number}")
    measure, end = counted
    inner = Phrase(measure.table)
    end = read_conditions(reader, end, inner, nested=True)
    if inner.rank is not None or inner.having:
        raise NotRead(reader.low(at))
    measure.where += inner.where
    having_figure(reader, measure, operator, number, phrase, at)
    return end


def _read_range(reader: Reader, at: int, phrase: Phrase) -> int | None:
    """Reads `between 5 and 10 miles`, where a unit or a column behind the numbers tells what they measure."""
    named = compare.numeric_column(reader, reader.skip(at + 1), phrase.table)
    if named is not None and named.table == phrase.table:
        # `between magnitude 4 and 5`
        found = compare.read_between(reader, reader.skip(at + 1), phrase, named)
        phrase.where += [found[0]] if found is not None else []
        return found[1] if found is not None else None
    last = reader.skip(reader.skip(reader.skip(at + 1) + 1) + 1)
    column = compare.numeric_column(reader, reader.skip(last + 1), phrase.table)
    measured = (
        column or compare.column_of_unit(reader, last + 1, phrase.table) or only_measure(reader, at, phrase.table)
    )
    read = compare.read_between(reader, at, phrase, measured) if measured is not None else None
    if read is None:
        return None
    phrase.where.append(read[0])
    return max(read[1], reader.skip(last + 1) + 1) if column is not None else read[1]


def _read_numbers(reader: Reader, at: int, phrase: Phrase) -> int | None:
    """Reads `3 or 4 goals`."""
    more = compare.alternatives(reader, at)
    if more is None or compare.amount(reader, at) is None:
        return None
    column = compare.numeric_column(reader, reader.skip(more[1]), phrase.table)
    if column is None or column.table != phrase.table:
        raise NotRead(reader.low(at))
    phrase.where.append(q.OneOf(column, (compare.amount(reader, at) or 0, *more[0])))
    return reader.skip(more[1]) + 1


def _noun_behind(reader: Reader, at: int, phrase: Phrase) -> str | None:
    """Returns the related table whose noun follows a value, as in `cat pets`."""
    ahead = at + 1
    while reader.kind(ahead) in ("and", "or", "comma", "value", "filler") and ahead < at + 6:
        ahead += 1
    return reader.related_table(ahead, phrase.table) if reader.kind(ahead) in ("table", "other", "col") else None


def _read_related(reader: Reader, at: int, phrase: Phrase, table: str, negated: bool, both: bool = False) -> int | None:
    """Reads rows of a related table that must or must not be there: `who have a cat`, `without any flights`."""
    if both:
        return _read_both(reader, at, phrase, table, negated)
    read = read_head(reader, at, table)
    if read is None or read[0].rank is not None or read[0].column is not None:
        raise NotRead(reader.low(at))
    inner, end = read
    end = read_conditions(reader, end, inner, nested=True)
    if inner.rank is not None or inner.having:
        raise NotRead(reader.low(at))
    path = reader.path(phrase.table, table, at)
    if not path:
        raise NotRead(reader.low(at))
    where = q.And(tuple(inner.where)) if len(inner.where) > 1 else inner.where[0] if inner.where else None
    if where is None and path[-1].to != path[0].to:
        key = q.Col(path[-1].to, path[-1].key)
        where = q.Empty(key, True)
    first = path[0]
    phrase.where.append(q.Exists(q.Col(first.table, first.column), first.to, first.key, where, negated))
    if reader.low(end) == "as" and table in reader.tables(reader.skip(end)):
        # `a cat as a pet` names the rows twice.
        end = reader.skip(end) + 1
    return end


def _read_two(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int:
    """Reads `both a museum opened before 2009 and a museum opened after 2011`: there must be a row of each kind."""
    behind = at
    table = reader.related_table(at, phrase.table)
    for _ in range(2):
        related = reader.related_table(at, phrase.table)
        path = reader.path(phrase.table, related, at) if related is not None else None
        if negated or related != table or related is None or not path or not any(step.many for step in path):
            raise NotRead("both")
        end = _read_related(reader, at, phrase, related, False)
        if end is None:
            raise NotRead("both")
        behind, at = end, reader.skip(end, ("and", "filler"))
    return behind


def _read_both(reader: Reader, at: int, phrase: Phrase, table: str, negated: bool) -> int:
    """Reads `both cats and dogs`: there must be related rows of each kind."""
    if negated:
        raise NotRead("both")
    places = [at]
    while reader.kind(at + 1) in ("and", "comma", "filler", "value") and at + 1 < len(reader.items):
        at += 1
        if reader.kind(at) == "value":
            places.append(at)
    for place in places:
        cols = [m for m in reader.items[place].mentions if m.kind == "value"]
        path = reader.path(phrase.table, cols[0].table, place) if cols else None
        if len(places) < 2 or not path or not any(step.many for step in path):
            raise NotRead("both")
        cond, _ = read_value(_single(reader, place), place, cols[0].table)
        phrase.where.append(on_rows(reader, cond, cols[0].table, phrase.table, place))
    return at + 2 if table and table in reader.tables(at + 1) else at + 1


def _single(reader: Reader, at: int) -> Reader:
    return Reader(reader.index, reader.table, reader.items[: at + 1], reader.tokens, reader.assumptions)


def _read_values(reader: Reader, at: int, phrase: Phrase, negated: bool, both: bool) -> int:
    if both:
        if any(m.table == phrase.table for m in reader.items[at].mentions):
            raise NotRead("both")
        return _read_both(reader, at, phrase, "", negated)
    cond, end = read_value(reader, at, phrase.table, None, negated, pinned(phrase), phrase.named)
    if isinstance(cond, q.Exists) and any(reader.kind(n) == "and" for n in range(at, end)):
        raise NotRead("and")
    phrase.where.append(cond)
    # The column's own name behind a value adds nothing: `Italian food`.
    inner = cond.where if isinstance(cond, q.Exists) else cond
    col = inner.expr if isinstance(inner, q.Compare | q.OneOf) else None
    if not isinstance(col, q.Col):
        return end
    again = reader.kind(end) == "col" and col in reader.columns(end, col.table)
    return end + 1 if again or (col.table == phrase.table and names_rows(reader, end, phrase.table)) else end
