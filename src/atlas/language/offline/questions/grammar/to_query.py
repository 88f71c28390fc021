"""Turns what a question asks for into a query: rows, groups with figures, ranks and shares."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Request
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import find_path
from atlas.language.offline.questions.grammar.tails import rows_of
from atlas.language.offline.questions.parser.shared import outputs
from atlas.language.offline.questions.tokenizer import stem


def to_query(reader: Reader, request: Request) -> q.Query:
    """Builds the query of a request.

    Raises NotRead: when parts of the request do not fit together.
    """
    _check_times(request)
    if request.share is not None:
        return _share(request)
    rank = request.phrase.rank
    if request.measures:
        if rank is not None:
            raise NotRead("whether rows or a figure is asked for")
        return _figures(reader, request)
    if rank is not None and isinstance(rank.measure.expr, q.Agg):
        return _ranked_groups(reader, request)
    if request.groups:
        return _grouped_rows(reader, request)
    return _rows(reader, request)


def _check_times(request: Request) -> None:
    """Refuses two periods of one time, and sums over the future.

    Raises NotRead: for such a question.
    """
    during = [cond for cond in request.phrase.where if isinstance(cond, q.During)]
    closed = [cond.column for cond in during if cond.start and cond.end and not cond.negated]
    if len(set(closed)) < len(closed):
        raise NotRead("how one time can be two")
    summed = any(isinstance(m.expr, q.Agg) and m.expr.function in ("sum", "avg") for m in request.measures)
    if summed and any("next" in cond.words.split() for cond in during):
        raise NotRead("what will be")


def _share(request: Request) -> q.Query:
    """Builds a share of rows, in percent or as a fraction, by group."""
    assert request.share is not None
    ratio: q.Expr = q.Op("/", q.Agg("count", where=request.share), q.Agg("count"))
    if request.percent:
        ratio = q.Op("*", q.Num(100), ratio)
    shown = (*outputs(request.groups), q.Output(ratio, "percent" if request.percent else "share"))
    order = (q.Order(ratio, True),) if request.groups else ()
    phrase = request.phrase
    return q.Query(phrase.table, shown, tuple(phrase.where), tuple(request.groups), order=order, limit=request.limit)


def _figures(reader: Reader, request: Request) -> q.Query:
    """Builds figures of all rows, or by group."""
    phrase = request.phrase
    table = request.measures[0].table
    if any(measure.table != table for measure in request.measures) or phrase.limit is not None:
        raise NotRead("figures of several tables")
    groups = list(request.groups)
    if (
        phrase.column is not None
        and reader.joins_rows(phrase.column)
        and reader.definition(phrase.column).type != "text"
    ):
        raise NotRead(phrase.column.name)
    if table != phrase.table and not request.shown and not request.groups:
        raise NotRead(phrase.table)
    if table != phrase.table:
        groups = [*(rows_of(reader, phrase.table) or []), *groups] if phrase.column is None else groups
        if not groups and phrase.column is None:
            raise NotRead(phrase.table)
    groups += [col for col in request.shown if col not in groups and col != _counted(request)]
    exprs: list[q.Expr] = [
        measure.expr if q.has_aggregate(measure.expr) else q.Agg("avg", measure.expr) for measure in request.measures
    ]
    if any(not q.has_aggregate(measure.expr) for measure in request.measures):
        raise NotRead("figures of rows")
    if len(request.measures) > 1 and any(m.where != request.measures[0].where for m in request.measures):
        raise NotRead("figures of different rows")
    where = [*phrase.where, *request.measures[0].where]
    if phrase.having:
        return _number_of_groups(request)
    _check_groups(reader, request, groups)
    order = _order(request, groups, exprs)
    return q.Query(table, outputs([*groups, *exprs]), tuple(where), tuple(groups), (), order, request.limit)


def _check_groups(reader: Reader, request: Request, groups: list[q.Expr]) -> None:
    """Refuses groups of one row each, where a column would be shown beside a figure of all rows.

    Raises NotRead: for such groups.
    """
    if request.groups or not groups:
        return
    if request.measures[0].table == request.phrase.table:
        raise NotRead("by what the figures are grouped")
    if request.phrase.named and any(
        isinstance(group, q.Col) and group.table == request.measures[0].table and reader.unique(group)
        for group in groups
    ):
        raise NotRead("by what the figures are grouped")


def _counted(request: Request) -> q.Expr | None:
    expr = request.measures[0].expr
    return expr.arg if isinstance(expr, q.Agg) else None


def _number_of_groups(request: Request) -> q.Query:
    """Builds `how many cities have more than 40 houses`: the number of values whose group meets a condition."""
    phrase = request.phrase
    if phrase.column is None or len(request.measures) != 1 or request.groups:
        raise NotRead("what the number is of")
    inner = q.Exists(phrase.column, phrase.table, phrase.column.name, _all(phrase.where), False, _all(phrase.having))
    return q.Query(phrase.table, outputs([q.Agg("count", phrase.column, distinct=True)]), (inner,))


def _all(conds: list[q.Cond]) -> q.Cond | None:
    return None if not conds else conds[0] if len(conds) == 1 else q.And(tuple(conds))


def _order(request: Request, groups: list[q.Expr], exprs: list[q.Expr]) -> tuple[q.Order, ...]:
    if request.orders:
        keys = []
        for measure, descending in request.orders:
            expr = measure.expr
            if isinstance(expr, q.Col) and expr not in groups:
                expr = next((one for one in exprs if isinstance(one, q.Agg) and one.arg == expr), None)  # type: ignore[assignment]
            if expr is None or (isinstance(expr, q.Agg) and expr not in exprs):
                raise NotRead("what the groups are sorted by")
            keys.append(q.Order(expr, descending))
        return tuple(keys)
    if not groups:
        return ()
    bucket = next((group for group in groups if isinstance(group, q.Bucket | q.Part)), None)
    return (q.Order(bucket),) if bucket is not None else (q.Order(exprs[0], True),)


def _ranked_groups(reader: Reader, request: Request) -> q.Query:
    """Builds `the airline with the most flights`: the groups with the greatest or least figure."""
    phrase = request.phrase
    rank = phrase.rank
    assert rank is not None
    measure = rank.measure
    if phrase.having or request.orders:
        raise NotRead("which of two orders is meant")
    known: list[q.Cond] = []
    if (
        phrase.column is not None
        and reader.joins_rows(phrase.column)
        and reader.definition(phrase.column).type != "text"
    ):
        raise NotRead(phrase.column.name)
    if phrase.column is not None:
        if measure.table != phrase.table and not find_path(measure.table, phrase.table, reader.index.catalog):
            raise NotRead(measure.table)
        groups: list[q.Expr] = [phrase.column]
        known = [q.Empty(phrase.column, True)]
    elif measure.table == phrase.table:
        groups = [group for group in request.groups if isinstance(group, q.Bucket | q.Part)]
        if not groups or len(groups) < len(request.groups):
            raise NotRead("what is compared")
    else:
        groups = list(rows_of(reader, phrase.table) or [])
        if not groups:
            raise NotRead(phrase.table)
    key = reader.key(phrase.table)
    if phrase.column is not None and any(isinstance(cond, q.Exists) and cond.column == key for cond in phrase.where):
        # The most common genre among students may count books, or loans of books by students.
        raise NotRead("what is counted")
    groups += [col for col in request.shown if col not in groups]
    within = tuple(expr for expr in request.groups if expr not in groups)
    if within and (measure.table != phrase.table or phrase.column is None):
        raise NotRead("the first of each group")
    groups = [*within, *groups]
    return q.Query(
        measure.table,
        outputs([*groups, measure.expr]),
        (*phrase.where, *measure.where, *known),
        tuple(groups),
        order=(q.Order(measure.expr, rank.descending),),
        limit=phrase.limit or 1,
        within=within,
    )


def _grouped_rows(reader: Reader, request: Request) -> q.Query:
    """Builds `recipes per cuisine`, which counts, and `price by city`, which takes the mean or the sum."""
    phrase = request.phrase
    if phrase.rank is not None:
        return _first_of_each(reader, request)
    if phrase.limit is not None:
        raise NotRead("the first of each group")
    if phrase.column is None and not request.shown:
        measures = [Measure(q.Agg("count"), phrase.table)]
    else:
        measures = _named_figures(reader, request)
        phrase = Phrase(phrase.table, where=phrase.where, having=phrase.having, named=True)
    counted = Request(phrase, [], measures, request.groups, request.orders, request.limit)
    return _figures(reader, counted)


# A sum of such columns has no meaning.
_INTENSIVE = frozenset(
    stem(word)
    for word in "price rate rating score age temperature temp percent pct percentage ratio share height altitude speed "
    "density level magnitude depth humidity pressure grade balance elevation width length average mean stars".split()
)


def _named_figures(reader: Reader, request: Request) -> list[Measure]:
    """Returns the total and the average of a column, as `kWh by month` names neither.

    Raises NotRead: when no single column of figures is named.
    """
    phrase = request.phrase
    shown: list[q.Expr] = list(dict.fromkeys([*([phrase.column] if phrase.column else []), *request.shown]))
    col = shown[0] if len(shown) == 1 else None
    if not isinstance(col, q.Col) or not reader.numeric(col) or col.table != phrase.table or phrase.having:
        raise NotRead("which figure of each group")
    functions = ["sum", "avg"]
    if not reader.summable(col) or _INTENSIVE & set(reader.linked(col).every):
        functions = ["avg"]
    reader.assume(f"{col.name} is shown as {'total and average' if len(functions) > 1 else 'average'} of each group.")
    return [Measure(q.Agg(function, col), phrase.table) for function in functions]


def _first_of_each(reader: Reader, request: Request) -> q.Query:
    """Builds `the 3 most expensive apartments in each district`: the first rows of each group.

    Raises NotRead: when the ranked rows have no figure of their own.
    """
    phrase, groups = request.phrase, request.groups
    rank = phrase.rank
    assert rank is not None
    by = rank.measure.expr
    if not isinstance(by, q.Col) or phrase.having or request.orders or by.table != phrase.table:
        raise NotRead("the first of each group")
    if phrase.column is not None and not reader.unique(phrase.column):
        raise NotRead("the first of each group")
    table = reader.index.catalog.table(phrase.table)
    every = [q.Col(phrase.table, column.name) for column in (table.columns if table is not None else ())]
    named: list[q.Expr] = [] if phrase.column is None else [phrase.column]
    shown = list(request.shown) or named or rows_of(reader, phrase.table) or every
    reader.assume("Rows that are equal share a place.")
    return q.Query(
        phrase.table,
        outputs([*groups, *(expr for expr in shown if expr not in groups), by]),
        (*phrase.where, *rank.measure.where, q.Empty(by, True)),
        order=(q.Order(by, rank.descending),),
        limit=phrase.limit or 1,
        within=tuple(groups),
    )


def _rows(reader: Reader, request: Request) -> q.Query:
    """Builds rows, or the different values of a column."""
    phrase = request.phrase
    shown = list(request.shown)
    if phrase.column is not None and phrase.column not in shown:
        shown.insert(0, phrase.column)
    if any(isinstance(cond, q.Compare) and cond.operator == "=" and cond.expr in shown[:1] for cond in phrase.where):
        raise NotRead("what is asked of it")
    if any(isinstance(part, q.Empty) and not part.negated and part.expr in shown[:1] for part in _alternatives(phrase)):
        raise NotRead("what is missing")
    if phrase.having:
        return _having(phrase, shown)
    name = reader.name(phrase.table)
    if not shown and name is not None and (request.which or phrase.rank is not None):
        key = reader.key(phrase.table)
        shown = [key, name] if key is not None and reader.definition(name).complete else [name]
    _check_rows(reader, phrase, shown)
    where, limit = list(phrase.where), phrase.limit
    keys: tuple[q.Order, ...] = tuple(q.Order(measure.expr, descending) for measure, descending in request.orders)
    if any(isinstance(key.expr, q.Agg) for key in keys):
        return _sorted_by_figure(reader, request, shown)
    if phrase.rank is not None:
        by, descending = phrase.rank.measure.expr, phrase.rank.descending
        where += phrase.rank.measure.where
        if shown and by not in shown:
            shown.append(by)
        if limit is None:
            same = _all(where)
            where.append(q.Extreme(by, "=", q.Agg("max" if descending else "min", by, where=same)))
        else:
            keys = (q.Order(by, descending), *keys)
    elif limit is not None:
        raise NotRead("which rows come first")
    if shown:
        shown += [
            key.expr
            for key in keys
            if isinstance(key.expr, q.Col) and key.expr not in shown and reader.numeric(key.expr)
        ]
    order = keys
    distinct = _is_distinct(reader, request, shown, order)
    return q.Query(phrase.table, outputs(shown), tuple(where), order=order, limit=limit, distinct=distinct)


def _alternatives(phrase: Phrase) -> list[q.Cond]:
    return [part for cond in phrase.where for part in (cond.parts if isinstance(cond, q.Or) else (cond,))]


def _check_rows(reader: Reader, phrase: Phrase, shown: list[q.Expr]) -> None:
    """Refuses `not` on a value that a thing may have several of, with a row for each.

    Raises NotRead: for such a question.
    """
    table = reader.index.catalog.table(phrase.table)
    key = table.key if table is not None else ()
    listed: list[q.Expr | None] = [*shown] or [reader.name(phrase.table)]
    several = len(key) > 1 and all(isinstance(expr, q.Col) and expr.name in key for expr in listed)
    if several and any(isinstance(cond, q.Compare) and cond.operator == "<>" for cond in phrase.where):
        raise NotRead("whether other rows of the same may say so")


def _is_distinct(reader: Reader, request: Request, shown: list[q.Expr], order: tuple[q.Order, ...]) -> bool:
    if not shown or any(key.expr not in shown for key in order):
        return False
    if request.phrase.distinct:
        return True
    own = request.phrase.column
    if own is None or reader.unique(own) or order or request.phrase.rank is not None or len(shown) > 1:
        return False
    if reader.numeric(own) or reader.temporal(own):
        return False
    reader.assume("Equal values are shown once.")
    return True


def _having(phrase: Phrase, shown: list[q.Expr]) -> q.Query:
    """Builds the values of a column whose group meets a condition."""
    figures = [cond.expr for cond in phrase.having if isinstance(cond, q.Compare | q.Extreme)]
    if len(shown) != 1 or phrase.rank is not None:
        raise NotRead("which figure of each group")
    return q.Query(
        phrase.table,
        outputs([*shown, *figures]),
        tuple(phrase.where),
        tuple(shown),
        tuple(phrase.having),
        (q.Order(figures[0], True),),
        phrase.limit,
    )


def _sorted_by_figure(reader: Reader, request: Request, shown: list[q.Expr]) -> q.Query:
    """Builds `countries sorted by the number of players`: groups in the order of a figure."""
    phrase = request.phrase
    measure, descending = request.orders[0]
    if phrase.column is None:
        if measure.table == phrase.table:
            raise NotRead("what is sorted")
        groups = [*(rows_of(reader, phrase.table) or []), *shown]
    elif measure.table == phrase.table:
        groups = shown
    else:
        raise NotRead("what is sorted")
    groups = list(dict.fromkeys(groups))
    return q.Query(
        measure.table,
        outputs([*groups, measure.expr]),
        (*phrase.where, *measure.where),
        tuple(groups),
        order=(q.Order(measure.expr, descending),),
        limit=phrase.limit,
    )
