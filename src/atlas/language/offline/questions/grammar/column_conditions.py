"""Reads conditions on a column: `age is over 30`, `tariff green`, `name contains 'x'`, `an average cost above 4500`."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar import comparisons as compare
from atlas.language.offline.questions.grammar.heads import flag_condition
from atlas.language.offline.questions.grammar.measures import find_by_verb, read_measure
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Rank
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import counted_table
from atlas.language.offline.questions.grammar.values import on_rows, read_value
from atlas.language.offline.questions.grammar.verbs import done_times
from atlas.language.offline.questions.lexicon import ADJECTIVES, UNITS
from atlas.language.offline.questions.related_tables import absence_condition


def read_done(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int | None:
    """Reads `have not been sold`: the time that the participle names is missing or given."""
    if reader.kind(at + 1) in ("per", "by") and reader.low(reader.skip(at + 2)) in UNITS:
        # In `ended each month` the verb tells what the months are of.
        return None
    for col in done_times(reader, at, phrase.table)[:1]:
        reader.assume(f"{reader.low(at)!r} is taken as {col.name} being given.")
        phrase.where.append(q.Empty(col, not negated))
        return at + 1
    return None


def lacks_any(reader: Reader, phrase: Phrase) -> bool:
    """Checks whether things have several rows each, so that none of these rows may meet a negated condition."""
    return _thing(reader, phrase) is not None


def _thing(reader: Reader, phrase: Phrase) -> q.Col | None:
    if phrase.column is not None:
        return None if reader.unique(phrase.column) or phrase.negated else phrase.column
    table = reader.index.catalog.table(phrase.table)
    return reader.name(phrase.table) if phrase.named and table is not None and not table.key else None


def without(reader: Reader, phrase: Phrase, conds: list[q.Cond]) -> q.Cond:
    """Returns the condition that none of the rows of a thing meets the conditions.

    Raises NotRead: when no condition is there.
    """
    thing = _thing(reader, phrase)
    conds = [cond for cond in conds if cond != q.And(())]
    if thing is None or not conds or phrase.having or reader.joins_rows(thing):
        # A thing that has no row here at all is known by its own table only.
        raise NotRead("not")
    where = conds[0] if len(conds) == 1 else q.And(tuple(conds))
    reader.assume(f"Only {thing.name} without any such row are meant.")
    return q.Exists(thing, phrase.table, thing.name, where, True)


def read_never(reader: Reader, at: int, phrase: Phrase) -> int | None:
    """Reads `which species has Ingrid never seen`: the conditions before `never` hold for no row of the thing."""
    verb = reader.skip(at + 1)
    if reader.low(at) != "never" or not lacks_any(reader, phrase) or not phrase.where or phrase.having:
        return None
    if reader.kind(verb) not in ("unknown", "link", "col") or reader.kind(reader.skip(verb + 1)) not in ("", "stop"):
        return None
    phrase.where = [without(reader, phrase, phrase.where)]
    return verb + 1


def read_verb_number(reader: Reader, at: int, phrase: Phrase) -> int | None:
    """Reads `aged 32 or 33` and `weighing no more than 5`, where a verb names the column."""
    column = find_by_verb(reader, reader.low(at), phrase.table)
    if column is None:
        return None
    found = _compared(reader, reader.skip(at + 1), phrase, column, False)
    if found is None:
        return None
    phrase.where.append(found[0])
    return found[1]


def read_turned(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int | None:
    """Reads `above age 20` and `a greater weight than 10`."""
    column = compare.numeric_column(reader, reader.skip(at + 1), phrase.table)
    if column is None:
        return None
    ahead = reader.skip(reader.skip(at + 1) + 1)
    if reader.kind(ahead) == "than":
        ahead = reader.skip(ahead + 1)
    operator = str(reader.items[at].value)
    if reader.kind(at) == "comparative":
        operator = ">" if ADJECTIVES[operator][0] else "<"
    cond, end = compare.against(reader, ahead, phrase, column, compare.INVERSE[operator] if negated else operator)
    phrase.where.append(cond)
    return end


def having_figure(reader: Reader, measure: Measure, operator: str, number: float, phrase: Phrase, at: int) -> None:
    """Adds a condition on a figure of the group of each row or value.

    Raises NotRead: when a row has no group.
    """
    cond = q.Compare(measure.expr, operator, number)
    if phrase.column is not None and measure.table == phrase.table:
        phrase.having.append(cond)
        phrase.where += measure.where
        return
    path = reader.path(phrase.table, measure.table, at)
    if not path or counted_table(path) is None or phrase.column is not None:
        raise NotRead(f"{reader.low(at)} {number}")
    if operator in ("<", "<="):
        reader.assume(f"Only {phrase.table} with at least one row of {measure.table} are counted.")
    first = path[0]
    if measure.table != first.to and not any(step.to == measure.table for step in path[:-1]):
        # The rows that are counted must be joined, even if nothing else names them.
        measure.where.append(q.Empty(q.Col(path[-1].to, path[-1].key), True))
    where = q.And(tuple(measure.where)) if len(measure.where) > 1 else measure.where[0] if measure.where else None
    phrase.where.append(q.Exists(q.Col(first.table, first.column), first.to, first.key, where, False, cond))


def read_above_average(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int | None:
    """Reads `above average calories`."""
    average = reader.skip(at + 1)
    column = compare.numeric_column(reader, reader.skip(average + 1), phrase.table)
    if column is None:
        raise NotRead(reader.low(at))
    operator = str(reader.items[at].value)
    operator = compare.INVERSE[operator] if negated else operator
    if phrase.column is not None and not reader.unique(phrase.column) and column.table == phrase.table:
        # The figure of each group is compared with that of all rows.
        figure = q.Agg("avg", column)
        phrase.having.append(q.Extreme(figure, operator, figure))
        reader.assume("The average of each group is compared with that of all rows.")
        return reader.skip(average + 1) + 1
    cond, end = compare.against(reader, average, phrase, column, operator)
    phrase.where.append(cond)
    return max(end, reader.skip(average + 1) + 1)


def read_group_figure(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int | None:
    """Reads `with an average cost above 4500`."""
    read = read_measure(reader, at, phrase)
    if read is None:
        return None
    measure, end = read
    ahead = reader.skip(end)
    if reader.kind(ahead) != "cmp":
        return None
    compared = compare.operator_and_number(reader, ahead)
    if compared is None:
        return None
    operator, number, end = compared
    having_figure(reader, measure, compare.INVERSE[operator] if negated else operator, number, phrase, at)
    return compare.skip_unit(reader, end)


def read_quote(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int:
    """Reads a quoted text that is no known value: `with 'Hey' in its name`, or the name of a row."""
    text = reader.items[at].text
    ahead = at + 1
    if reader.low(ahead) in ("in", "within"):
        named = reader.skip(ahead)
        if reader.low(ahead + 1) not in ("its", "their", "his", "her"):
            raise NotRead(text)
        own = reader.columns(named, phrase.table) or ([one] if (one := reader.name(phrase.table)) else [])
        if reader.kind(named) == "col" and own:
            phrase.where.append(q.Contains(own[0], text, "any", negated))
            return named + 1
        raise NotRead(text)
    name = reader.name(phrase.table)
    if name is None or phrase.column is not None or reader.low(at - 1) not in ("called", "named", phrase.table):
        raise NotRead(text)
    phrase.where.append(q.Compare(name, "<>" if negated else "=", text, fold=True))
    return at + 1


def read_term(reader: Reader, at: int, phrase: Phrase, negated: bool) -> int:
    term = reader.items[at].value
    classic = reader.classic(phrase.table)
    if not classic.states(term):  # type: ignore[arg-type]
        raise NotRead(reader.low(at))
    phrase.where.append(q.Given(term.table or phrase.table, term.meaning, reader.items[at].text, negated))  # type: ignore[attr-defined]
    return at + 1


def read_column(reader: Reader, at: int, phrase: Phrase, negated: bool, having: bool) -> int | None:
    """Reads a column with a condition on it: `age is over 30`, `tariff green`, `name contains 'x'`, `is remote`."""
    col = reader.column(at, phrase.table)
    if col is None:
        return None
    ahead = reader.skip(at + 1)
    if reader.kind(ahead) in ("neg", "negation"):
        negated, ahead = True, reader.skip(ahead + 1)
    apart = negated and col.table != phrase.table
    found = _compared(reader, ahead, phrase, col, negated and not apart)
    if found is not None and apart:
        # `does not border Texas` asks for rows without such a related row.
        if not isinstance(found[0], q.Exists):
            raise NotRead(reader.low(at))
        found = msgspec.structs.replace(found[0], negated=True), found[1]
    if found is None and reader.flag(col) and col.table == phrase.table:
        found = flag_condition(reader, col, negated), at + 1
    if found is None and apart:
        found = _without_related(reader, at, phrase, col)
    if found is None and negated and reader.summable(col) and reader.low(at - 1) in _NONE:
        found = q.Or((q.Compare(col, "=", 0), q.Empty(col))), at + 1
    if found is None and col == phrase.column and negated:
        raise NotRead(reader.low(at))
    if found is None and negated and not reader.numeric(col) and col.table == phrase.table:
        absent = absence_condition(reader.classic(phrase.table), col, False)
        found = on_rows(reader, absent, col.table, phrase.table, at), at + 1
    if found is None and reader.low(at).split()[0].endswith("est"):
        # In `the state with the highest elevation` the column's name is a superlative.
        if not having or not reader.numeric(col) or phrase.rank is not None:
            raise NotRead(reader.low(at))
        phrase.rank = Rank(Measure(col, col.table), reader.low(at).startswith(("high", "larg", "great", "long")))
        found = q.And(()), at + 1
    done = (
        reader.temporal(col) and reader.low(at).endswith(("ed", "en", "ld", "de", "nt")) and col.table == phrase.table
    )
    if found is None and done and not negated and reader.low(at - 1) in ("was", "were", "been", "be", "is", "are"):
        found = q.Empty(col, True), at + 1
    asked = reader.low(at - 1) in ("their", "its", "his", "her")
    directly = (
        having
        and reader.low(at - 1) in ("with", "have", "has", "had", "any", "a", "an")
        and reader.kind(at + 1)
        not in (
            "and",
            "comma",
            "or",
        )
    )
    if found is None and directly and not negated and col.table == phrase.table and reader.summable(col):
        reader.assume(f"Having {reader.low(at)} is taken as {col.name} over 0.")
        found = q.Compare(col, ">", 0), at + 1
    if found is None and having and col.table == phrase.table and not reader.numeric(col) and not asked:
        found = q.Empty(col, True), at + 1
    if found is None:
        return None
    if found[0] != q.And(()):
        phrase.where.append(found[0])
    return found[1]


_NONE = ("no", "without", "any", "a", "an")


def _without_related(reader: Reader, at: int, phrase: Phrase, col: q.Col) -> tuple[q.Cond, int] | None:
    """Reads `have no fines` and `never borrowed`: none of the related rows has such a figure or time.

    Raises NotRead: when a row has one related row at most, or several ways lead to it.
    """
    figure = reader.numeric(col) and reader.low(at - 1) in ("no", "any", "without")
    done = reader.temporal(col) and reader.low(at).endswith(("ed", "en", "ld", "de", "nt"))
    if not figure and not done:
        return None
    has: q.Cond = q.Compare(col, "<>", 0) if figure else q.Empty(col, True)
    path = reader.path(phrase.table, col.table, at)
    found = on_rows(reader, has, col.table, phrase.table, at)
    if phrase.column is not None or not path or not path[0].many or not isinstance(found, q.Exists):
        raise NotRead(reader.low(at))
    return msgspec.structs.replace(found, negated=True), at + 1


def _compared(reader: Reader, at: int, phrase: Phrase, col: q.Col, negated: bool) -> tuple[q.Cond, int] | None:
    """Reads what follows a column's name. Returns the condition and the place behind it, or None."""
    kind = reader.kind(at)
    ordered = reader.numeric(col) or reader.temporal(col)
    if kind in ("cmp", "comparative") and not ordered and str(reader.items[at].value) not in ("=", "<>"):
        return None
    if kind in ("cmp", "comparative"):
        operator = str(reader.items[at].value)
        start = reader.skip(at + 1)
        if kind == "comparative":
            if reader.kind(at + 1) != "than":
                return None
            descending = ADJECTIVES[operator][0]
            operator, start = ">" if descending else "<", reader.skip(at + 2)
        if operator in ("=", "<>") and reader.kind(start) in ("value", "quote"):
            at, kind, negated = start, reader.kind(start), negated ^ (operator == "<>")
        else:
            return compare.against(reader, start, phrase, col, compare.INVERSE[operator] if negated else operator)
    if kind in ("superlative", "most") and phrase.rank is None and reader.numeric(col) and not negated:
        descending = bool(reader.items[at].value) if kind == "most" else ADJECTIVES[str(reader.items[at].value)][0]
        if reader.kind(reader.skip(at + 1)) not in ("col", "table", "agg", "unknown"):
            phrase.rank = Rank(Measure(col, col.table), descending)
            return q.And(()), at + 1
    if kind == "between":
        return compare.read_between(reader, at, phrase, col)
    if kind == "value":
        cond, end = read_value(reader, at, col.table, col, negated)
        return on_rows(reader, cond, col.table, phrase.table, at), end
    if kind == "quote":
        cond = q.Compare(col, "<>" if negated else "=", reader.items[at].text, fold=True)
        return on_rows(reader, cond, col.table, phrase.table, at), at + 1
    if kind == "contains":
        text = reader.text(at + 1) if at + 1 < len(reader.items) else ""
        where = q.Contains(col, text, str(reader.items[at].value), negated)
        return (on_rows(reader, where, col.table, phrase.table, at), at + 2) if text else None
    if kind == "empty":
        return on_rows(reader, q.Empty(col, negated), col.table, phrase.table, at), at + 1
    if kind == "period" and (reader.temporal(col) or "year" in reader.linked(col).every):
        return compare.read_period(reader, at, phrase, col, negated)
    number = compare.amount(reader, at)
    if number is not None and reader.definition(col).type in ("bigint", "numeric", "double"):
        cond = q.Compare(col, "<>" if negated else "=", number)
        if reader.kind(at + 1) == "after":
            cond = q.Compare(col, str(reader.items[at + 1].value), number)
            at += 1
        more = compare.alternatives(reader, at)
        if more and not negated:
            return on_rows(reader, q.OneOf(col, (number, *more[0])), col.table, phrase.table, at), more[1]
        return on_rows(reader, cond, col.table, phrase.table, at), compare.skip_unit(reader, at + 1)
    return None
