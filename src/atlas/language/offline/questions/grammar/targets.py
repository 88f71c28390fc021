"""Reads what a question asks for: columns, rows, numbers of rows, aggregates and differences."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.group_differences import read_difference_of_groups
from atlas.language.offline.questions.grammar.heads import flag_condition, is_participle, read_head
from atlas.language.offline.questions.grammar.measures import (
    measured_column,
    read_count,
    read_figure_of_kind,
    read_rank,
    rows_counted,
)
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Request
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import counted_table
from atlas.language.offline.questions.grammar.tails import behind_part, part_of_day
from atlas.language.offline.questions.lexicon import ADJECTIVES, adjective
from atlas.language.offline.questions.tokenizer import stem


def read_target(reader: Reader, at: int, request: Request) -> int | None:
    at = reader.skip(at, ("filler", "wh", "distinct")) if not request.phrase.named else at
    if reader.kind(at) == "distinct" or reader.kind(at - 1) == "distinct":
        request.phrase.distinct = True
    kind = reader.kind(at)
    if request.groups and reader.low(at) in ("id", "ids", "name", "names") and kind in ("col", "filler", "unknown"):
        # `for each shop, its id and name`: the groups show both.
        return at + 1
    if kind == "count":
        return read_counted(reader, at, request)
    if kind == "agg":
        return _read_figures(reader, at, request)
    if kind in ("superlative", "most"):
        found = _read_extreme(reader, at, request)
        if found is not None:
            return found
    if reader.low(at) == "difference":
        return _read_difference(reader, at, request)
    if request.shown and kind in ("col", "table") and (listed := reader.columns(at, reader.table)):
        # In `makers and models` the second noun is a column, as the first one is.
        request.shown.append(listed[0])
        return at + 1
    if kind == "how" and reader.kind(at + 1) == "positive" and not request.shown and not request.measures:
        return _read_how(reader, at, request)
    if kind == "unit" and not request.groups and not request.shown:
        return _read_unit(reader, at, request)
    if kind == "where" and at == 0:
        return _read_where(reader, at, request)
    start = at - 1 if reader.kind(at - 1) == "distinct" else at
    read = read_head(reader, start, reader.table)
    if read is None:
        return None
    phrase, end = read
    if phrase.column is None:
        if request.shown or request.phrase.named:
            return None
        request.phrase = phrase
        return end
    if phrase.where or phrase.rank is not None or phrase.limit is not None:
        request.phrase = phrase
        request.shown.append(phrase.column)
        return end
    request.phrase.distinct = request.phrase.distinct or phrase.distinct
    request.shown.append(phrase.column)
    return end


_SEPARATING = ("and", "comma")
_PLACES = ("citi", "hometown", "town", "locat", "address", "countri", "state", "region", "place")


def _read_unit(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `which month had the most trips`: the periods are groups."""
    bucket = part_of_day(reader, at, reader.table) or reader.classic(reader.table).bucket(str(reader.items[at].value))
    if bucket is None:
        return None
    if isinstance(bucket, q.Col):
        request.shown.append(bucket)
        return at + 1
    request.groups.append(bucket)
    request.phrase.named = True
    return behind_part(reader, at)


def _read_how(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `how long do trials take` and `how old is the youngest player`: the column that the adjective measures."""
    base = str(reader.items[at + 1].value)
    column = measured_column(reader, base, reader.table)
    if column is not None:
        reader.assume(f"{reader.low(at + 1)!r} is taken by {column.name}.")
    shown = column if column is not None else duration(reader) if base == "long" else None
    if shown is None:
        return None
    request.shown.append(shown)
    end = at + 2
    while reader.kind(end) in ("link", "filler"):
        end += 1
    read = read_head(reader, end, reader.table)
    if read is None or read[0].column is not None:
        return None
    request.phrase = read[0]
    verb = read[1]
    return (
        verb + 1 if reader.kind(verb) in ("link", "unknown") and reader.low(verb) in ("take", "last", "takes") else verb
    )


def duration(reader: Reader) -> q.Op | None:
    """Returns the days between the only pair of a start and an end of a row."""
    days = [
        q.Col(reader.table, linked.column.name)
        for linked in reader.index.columns[reader.table]
        if linked.column.type == "date"
    ]
    starts = [col for col in days if _STARTS & set(reader.linked(col).every)]
    ends = [col for col in days if _ENDS & set(reader.linked(col).every)]
    if len(starts) != 1 or len(ends) != 1:
        return None
    reader.assume(f"The time is taken as the days from {starts[0].name} to {ends[0].name}.")
    return q.Op("-", ends[0], starts[0])


_STARTS = frozenset(
    map(stem, "start started begin began open opened admitted admission departure loaned rented".split())
)
_ENDS = frozenset(
    map(stem, "end ended finish finished complete completed completion close closed discharge returned return".split())
)


def _read_where(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `where is the youngest teacher from`: the columns that hold places."""
    for linked in reader.index.columns[reader.table]:
        if linked.every[-1] in _PLACES and linked.column.type == "text":
            request.shown.append(q.Col(reader.table, linked.column.name))
    read = read_head(reader, reader.skip(at + 1), reader.table)
    if not request.shown or read is None or read[0].column is not None:
        return None
    request.phrase = read[0]
    return read[1] + 1 if reader.low(read[1]) == "from" else read[1]


# Fillers behind `how many` that leave nothing to count.
_STOPPING = frozenset(
    "in from at on for by to with square kilometers kilometres miles meters metres feet dollars".split()
)


def read_counted(reader: Reader, at: int, request: Request) -> int:
    """Reads `how many recipes`, `number of different countries`, or the number that a column holds."""
    ahead = at + 1
    while reader.kind(ahead) in ("filler", "wh", "count") and reader.low(ahead) not in _STOPPING:
        ahead += 1
    read = read_head(reader, ahead, reader.table)
    if read is not None and read[0].rank is None and read[0].limit is None:
        phrase, end = read
        if phrase.column is None:
            if not request.phrase.named:
                request.phrase = phrase
            elif phrase.where:
                raise NotRead(reader.low(at))
            request.measures.append(Measure(rows_counted(reader, reader.table), reader.table))
            return end
        if reader.flag(phrase.column) and not request.phrase.named and not request.measures:
            # `how many captains` counts the rows with that mark.
            marked = Phrase(
                reader.table, where=[*phrase.where, flag_condition(reader, phrase.column, False)], named=True
            )
            request.phrase = marked
            request.measures.append(Measure(q.Agg("count"), reader.table))
            return end
        done = reader.temporal(phrase.column) and is_participle(reader.low(end - 1))
        if done and not phrase.distinct and not request.phrase.named and not request.measures:
            # `how many were hired` counts rows and not days.
            request.phrase = Phrase(reader.table, where=[*phrase.where, q.Empty(phrase.column, True)], named=True)
            request.measures.append(Measure(q.Agg("count"), reader.table))
            return end
        if _PRICES & set(reader.linked(phrase.column).every) and not phrase.distinct:
            # Nobody asks how many prices there are, nor for their sum.
            raise NotRead(reader.low(end - 1))
        if reader.summable(phrase.column) and not phrase.distinct:
            if phrase.where or request.measures:
                raise NotRead(reader.low(ahead))
            request.measures.append(Measure(q.Agg("sum", phrase.column), reader.table))
            return end
        if not request.phrase.named and not request.shown:
            request.phrase = phrase
        request.measures.append(Measure(_distinct(reader, phrase), reader.table))
        return end
    counted = read_count(reader, at + 1, request.phrase)
    if counted is None:
        raise NotRead(f"{reader.low(at)} {reader.low(ahead)}")
    request.measures.append(counted[0])
    return counted[1]


def _distinct(reader: Reader, phrase: Phrase) -> q.Agg:
    assert phrase.column is not None
    if phrase.column == reader.key(phrase.table):
        return q.Agg("count")
    return q.Agg("count", phrase.column, distinct=True)


_PRICES = frozenset(map(stem, "price cost fare fee rate rating score salary temperature age".split()))
_MOST = {"maximum number of": "max", "minimum number of": "min", "the maximum number of": "max"}


def _read_figures(reader: Reader, at: int, request: Request) -> int:
    """Reads `minimum, average and maximum fare and distance`: each aggregate of each column."""
    functions: list[str] = []
    while reader.kind(at) == "agg" or (functions and reader.low(at) in _MOST):
        functions.append(str(reader.items[at].value) if reader.kind(at) == "agg" else _MOST[reader.low(at)])
        ahead = at + 1
        while reader.kind(ahead) in (*_SEPARATING, "filler"):
            ahead += 1
        if reader.kind(ahead) == "agg" or reader.low(ahead) in _MOST:
            at = ahead
            continue
        at += 1
        break
    at = reader.skip(at, ("filler", "count"))
    days = reader.kind(at) == "unit" and reader.items[at].value == "day" and reader.kind(at + 1) == "between"
    if reader.low(at) == "difference" or days or (reader.low(at) == "time" and reader.kind(at + 1) == "between"):
        if len(functions) != 1:
            raise NotRead("difference")
        end = _read_difference(reader, at, request)
        request.measures.append(Measure(q.Agg(functions[0], request.shown.pop()), reader.table))
        return end
    if reader.kind(at) == "value" and len(functions) == 1 and not request.measures:
        of_kind = read_figure_of_kind(reader, functions[0], at, Phrase(reader.table))
        if of_kind is not None:
            request.measures.append(of_kind[0])
            return of_kind[1]
    found = reader.column(at, request.phrase.table) if reader.kind(at) == "col" else None
    if found is None or (found.table != reader.table and not _of_related(reader, found, request, at)):
        raise NotRead(f"{functions[0]} {reader.low(at)}")
    cols = [found]
    end = at + 1
    while reader.kind(end) in _SEPARATING:
        ahead = reader.skip(end + 1, ("filler",))
        more = reader.columns(ahead, reader.table) if reader.kind(ahead) == "col" else []
        if not more or not reader.numeric(more[0]) or (functions[-1] in ("min", "max") and len(functions) == 1):
            break
        cols.append(more[0])
        end = ahead + 1
    for col in cols:
        for function in functions:
            timed = function in ("min", "max") and reader.temporal(col)
            if not (timed or reader.numeric(col)) or (function == "sum" and not reader.summable(col)):
                raise NotRead(f"{function} {reader.low(at)}")
            request.measures.append(Measure(q.Agg(function, col), col.table))
    if reader.low(end) == "in" and found in reader.columns(end + 1, reader.table):
        end += 2
    return end


def _of_related(reader: Reader, col: q.Col, request: Request, at: int) -> bool:
    """Checks whether a figure of related rows is asked for beside a column, as `the name and average rating` does."""
    path = reader.path(reader.table, col.table, at)
    beside = bool(request.shown) and not request.measures
    return beside and bool(path) and counted_table(path or ()) == col.table


def _read_difference(reader: Reader, at: int, request: Request) -> int:
    """Reads `difference between list price and sold price`."""
    first = reader.skip(at + 1, ("filler", "between"))
    joint = reader.skip(first + 1)
    second = reader.skip(joint + 1)
    if [reader.kind(place) for place in (first, joint, second)] == ["superlative", "and", "superlative"]:
        return _read_spread(reader, first, second, request)
    cols = [reader.columns(place, reader.table) for place in (first, second)]
    if reader.kind(joint) == "and" and all(cols) and all(reader.definition(one[0]).type == "date" for one in cols):
        request.shown.append(q.Op("-", cols[1][0], cols[0][0]))
        reader.assume("The difference is in days.")
        return second + 1
    if reader.kind(joint) != "and" or not all(cols) or not all(reader.numeric(one[0]) for one in cols):
        return read_difference_of_groups(reader, at, request)
    request.shown.append(q.Op("-", cols[0][0], cols[1][0]))
    return second + 1


def _read_spread(reader: Reader, first: int, second: int, request: Request) -> int:
    """Reads `difference between the highest and the lowest salary`.

    Raises NotRead: when no figure is named, or both are the same extreme.
    """
    read = [adjective(reader.low(place)) for place in (first, second)]
    ways = [ADJECTIVES[one[0]][0] for one in read if one is not None]
    at = reader.skip(second + 1)
    cols = reader.columns(at, reader.table) if reader.kind(at) == "col" else []
    if len(ways) < 2 or ways[0] == ways[1] or not cols or not reader.numeric(cols[0]):
        raise NotRead("difference")
    request.measures.append(Measure(q.Op("-", q.Agg("max", cols[0]), q.Agg("min", cols[0])), reader.table))
    return at + 1


def _read_extreme(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `the highest attendance`: the greatest value of a column, unless a noun of rows follows."""
    ahead = reader.skip(at + 1)
    cols = reader.columns(ahead, reader.table) if reader.kind(ahead) == "col" else []
    if is_participle(reader.low(ahead)) and read_head(reader, reader.skip(ahead + 1), reader.table):
        # `the highest rated dessert` is a row.
        return None
    if not cols or not (reader.numeric(cols[0]) or reader.temporal(cols[0])) or reader.kind(at) == "most":
        return None
    rank, end = read_rank(reader, at, Phrase(reader.table))
    if rank.measure.expr != cols[0]:
        return None
    if reader.low(0) == "who" and reader.name(reader.table) is not None:
        # `who has the highest salary` asks for a person.
        request.phrase, request.which = Phrase(reader.table, rank=rank, named=True), True
        return end
    request.measures.append(Measure(q.Agg("max" if rank.descending else "min", cols[0]), reader.table))
    return end
