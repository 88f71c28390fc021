"""Reads figures and ranks: `the highest average fare`, `most flights`, `number of pages`, `longest`."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Rank
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import counted_table
from atlas.language.offline.questions.lexicon import ADJECTIVES
from atlas.language.offline.questions.name_index import same_word
from atlas.language.offline.questions.schema_linking import find_measured_column
from atlas.language.offline.questions.tokenizer import parts, root, stem

_COMMON = ("common", "commonly", "frequent", "frequently", "often", "popular")
_COUNTS = ("count", "num", "number", "total", "qty", "quantity", "amount")
_BY_TIME = frozenset("latest last first earliest newest recent new early late".split())


def read_measure(reader: Reader, at: int, phrase: Phrase) -> tuple[Measure, int] | None:
    """Reads a figure of the rows of a phrase. Returns the figure and the place to read on at, or None."""
    at = reader.skip(at)
    kind = reader.kind(at)
    if kind == "count":
        return read_count(reader, at + 1, phrase)
    if kind == "agg":
        return _read_aggregate(reader, at, phrase)
    if kind == "col":
        col = reader.column(at, phrase.table)
        if col is None or not (reader.numeric(col) or reader.temporal(col)):
            return None
        return Measure(col, col.table), at + 1
    return None


def _read_aggregate(reader: Reader, at: int, phrase: Phrase) -> tuple[Measure, int] | None:
    function = str(reader.items[at].value)
    ahead = reader.skip(at + 1)
    col = reader.column(ahead, phrase.table) if reader.kind(ahead) == "col" else None
    if reader.kind(ahead) == "value":
        return read_figure_of_kind(reader, function, ahead, phrase)
    if col is None or not reader.numeric(col) or (function == "sum" and not reader.summable(col)):
        return None
    return Measure(q.Agg(function, col), col.table), ahead + 1


def only_measure(reader: Reader, at: int, table: str) -> q.Col | None:
    """Returns the only column of a table that holds figures, and tells so. None: no such column, or several."""
    found = [q.Col(table, linked.column.name) for linked in reader.index.columns[table]]
    found = [col for col in found if reader.summable(col)]
    if len(found) != 1:
        return None
    reader.assume(f"The figure is taken as {found[0].name}, the only one of {table}.")
    return found[0]


def read_figure_of_kind(reader: Reader, function: str, at: int, phrase: Phrase) -> tuple[Measure, int] | None:
    """Reads `average NO2`, where rows of one kind hold one figure each."""
    own = {m.column for m in reader.items[at].mentions if m.kind == "value" and m.table == phrase.table}
    if len(own) != 1 or any(reader.kind(n) == "table" for n in (at + 1, reader.skip(at + 1))):
        return None
    col = only_measure(reader, at, phrase.table)
    if col is None:
        return None
    values = next(m.values for m in reader.items[at].mentions if m.column in own and m.table == phrase.table)
    kind = q.Col(phrase.table, own.pop())
    cond = q.Compare(kind, "=", values[0]) if len(values) == 1 else q.OneOf(kind, values)
    end = at + 1
    if reader.kind(end) == "col" and col in reader.columns(end, phrase.table):
        end += 1
    return Measure(q.Agg(function, col) if function else col, phrase.table, [cond]), end


def read_count(reader: Reader, at: int, phrase: Phrase) -> tuple[Measure, int] | None:
    """Reads what is counted: rows of the phrase's table or of a related one, or a column that holds a number."""
    at = reader.skip(at, ("filler", "link", "distinct"))
    distinct = reader.kind(at - 1) == "distinct"
    own = reader.columns(at, phrase.table) if reader.kind(at) == "col" else []
    if own and reader.summable(own[0]) and _holds_number(own[0]):
        return Measure(q.Agg("sum", own[0]) if phrase.column is not None else own[0], phrase.table), at + 1
    if phrase.table in reader.tables(at) or names_people(reader, at, phrase.table):
        return Measure(rows_counted(reader, phrase.table), phrase.table), at + 1
    other = reader.related_table(at, phrase.table)
    if other is not None:
        path = reader.path(phrase.table, other, at)
        counted = counted_table(path or ())
        if counted is None:
            return None
        if distinct:
            key = reader.key(other)
            return None if key is None else (Measure(q.Agg("count", key, distinct=True), counted), at + 1)
        return Measure(q.Agg("count"), counted), at + 1
    if own and not reader.unique(own[0]) and (distinct or not reader.numeric(own[0])):
        return Measure(q.Agg("count", own[0], distinct=True), phrase.table), at + 1
    return None


def names_people(reader: Reader, at: int, table: str) -> bool:
    """Checks whether `people` are the rows of a table of persons, and tells so."""
    if (
        reader.low(at) not in _PEOPLE
        or reader.kind(at) != "unknown"
        or not _PERSONS & set(reader.index.table_words[table])
    ):
        return False
    reader.assume(f"{reader.low(at)!r} is taken as the rows of {table}.")
    return True


_PEOPLE = frozenset("people persons person folks folk".split())
_PERSONS = frozenset(
    stem(word)
    for word in "employee staff worker person people customer client member user student pupil teacher patient author "
    "player passenger subscriber guest visitor doctor nurse artist actor donor volunteer applicant participant tenant".split()
)


def rows_counted(reader: Reader, table: str) -> q.Agg:
    """Returns the number of things of a table: the sum of its column `count`, if it has one, else its rows."""
    for linked in reader.index.columns[table]:
        if linked.column.name.lower() == "count" and linked.column.type == "bigint":
            return q.Agg("sum", q.Col(table, linked.column.name))
    return q.Agg("count")


def _holds_number(col: q.Col) -> bool:
    words = parts(col.name)
    return words[0] in _COUNTS or words[-1] in _COUNTS or words[-1].endswith("s")


def find_by_verb(reader: Reader, word: str, table: str, beside: q.Col | None = None) -> q.Col | None:
    """Returns the only numeric column that a participle names: `rated` a rating, `attended` an attendance.

    beside: a column whose words decide between several, as `home_team` does between home_goals and away_goals.
    """
    wanted = root(word)
    if len(wanted) < 3:
        return None
    found = []
    for linked in reader.index.columns[table]:
        col = q.Col(table, linked.column.name)
        own = parts(linked.column.name)
        if reader.numeric(col) and any(
            root(part) == wanted or same_word(stem(word), stem(part)) >= 0.9 for part in own
        ):
            found.append(col)
    near = set(parts(beside.name)) if beside is not None else set()
    chosen = [col for col in found if near & set(parts(col.name))] if len(found) > 1 else found
    return chosen[0] if len(chosen) == 1 else None


def read_rank(reader: Reader, at: int, phrase: Phrase) -> tuple[Rank, int]:
    """Reads a superlative with what it compares, as in `the highest average fare` or `the most flights`.

    Raises NotRead: when nothing tells what is compared.
    """
    item = reader.items[at]
    most = item.kind == "most"
    descending = bool(item.value) if most else ADJECTIVES[str(item.value)][0]
    ahead = reader.skip(at + 1, ("filler", "link", "distinct"))
    if most and reader.kind(ahead) == "positive":
        base = str(reader.items[ahead].value)
        found = _measured(reader, base, phrase)
        if found is not None:
            return Rank(found, ADJECTIVES[base][0] == descending), ahead + 1
    if most and reader.low(ahead) in _COMMON:
        return Rank(Measure(q.Agg("count"), phrase.table), descending), ahead + 1
    if most:
        counted = read_count(reader, at + 1, phrase)
        if counted is not None:
            return Rank(counted[0], descending), counted[1]
    read = read_measure(reader, at + 1, phrase)
    if read is None and not most and reader.kind(ahead) == "value" and str(item.value).startswith(("high", "low")):
        read = read_figure_of_kind(reader, "", ahead, phrase)
    column = _column(read[0]) if read is not None else None
    if read is not None and column is None:
        return Rank(read[0], descending), read[1]
    if read is not None and column is not None and (str(item.value) not in _BY_TIME or reader.temporal(column)):
        if most and not reader.summable(column):
            raise NotRead(reader.low(at))
        path = reader.path(phrase.table, column.table, at) if most and column.table != phrase.table else None
        if path and any(step.many for step in path) and isinstance(read[0].expr, q.Col):
            # The author with the most pages has many books.
            return Rank(Measure(q.Agg("sum", column), column.table, read[0].where), descending), read[1]
        figure = _of_group(reader, read[0], phrase, most)
        return Rank(Measure(figure.expr, figure.table, read[0].where), descending), read[1]
    named = find_by_verb(reader, reader.low(ahead), phrase.table, phrase.column)
    if named is not None and reader.kind(ahead) in ("unknown", "link"):
        reader.assume(f"{reader.low(ahead)!r} is taken as {named.name}.")
        if most and phrase.column is None and not reader.summable(named):
            raise NotRead(reader.low(ahead))
        return Rank(_of_group(reader, Measure(named, phrase.table), phrase, most), descending), ahead + 1
    if reader.related_table(ahead, phrase.table) is not None and reader.kind(ahead) in ("table", "other"):
        raise NotRead(reader.low(at))
    found = None if most or read is not None else _measured(reader, str(item.value), phrase)
    if found is not None and phrase.column is not None and not reader.unique(phrase.column):
        # The largest capital is not the capital of the largest state.
        raise NotRead(reader.low(at))
    turned = turned_column(reader, str(item.value), phrase.table) if found is None and not most else None
    if turned is not None:
        reader.assume(f"{reader.low(at)!r} is taken by {turned.name}.")
        return Rank(Measure(turned, phrase.table), not descending), at + 1
    if found is None and str(item.value) == "busy" and phrase.column is not None:
        reader.assume(f"{reader.low(at)!r} is taken by the number of rows.")
        return Rank(Measure(q.Agg("count"), phrase.table), descending), at + 1
    if found is None:
        raise NotRead(reader.low(at))
    return Rank(found, descending), at + 1


def _column(measure: Measure) -> q.Col | None:
    """Returns the column of a figure, or None for a number of rows."""
    expr = measure.expr.arg if isinstance(measure.expr, q.Agg) else measure.expr
    return expr if isinstance(expr, q.Col) else None


def _of_group(reader: Reader, measure: Measure, phrase: Phrase, most: bool) -> Measure:
    """Turns a column into a figure of groups where the values of a column are ranked."""
    if phrase.column is None or not isinstance(measure.expr, q.Col) or reader.unique(phrase.column):
        return measure
    if most and reader.summable(measure.expr):
        return Measure(q.Agg("sum", measure.expr), measure.table)
    return measure


def _measured(reader: Reader, base: str, phrase: Phrase) -> Measure | None:
    column = measured_column(reader, base, phrase.table)
    if column is None:
        return None
    reader.assume(f"{base!r} is taken by {column.name}.")
    return Measure(column, phrase.table)


_MADE = frozenset(
    stem(word)
    for word in "built birth born founded opened established created made manufactured published released installed".split()
)


def measured_column(reader: Reader, base: str, table: str) -> q.Col | None:
    """Returns the column that an adjective measures, in the adjective's own direction."""
    column = find_measured_column(reader.index.columns[table], base)
    return None if column is None else q.Col(table, column.name)


def turned_column(reader: Reader, base: str, table: str) -> q.Col | None:
    """Returns the year or time that tells an age, where the oldest row has the least value."""
    if base not in ("old", "oldest", "young"):
        return None
    for linked in reader.index.columns[table]:
        col = q.Col(table, linked.column.name)
        timed = reader.temporal(col) or "year" in linked.every
        if timed and _MADE & set(linked.every):
            return col
    return None


def with_conditions(measure: Measure, extra: list[q.Cond]) -> Measure:
    """Returns a figure of the rows that also match further conditions."""
    return Measure(measure.expr, measure.table, [*measure.where, *extra])


def as_group_figure(measure: Measure) -> q.Agg | None:
    """Returns the aggregate of a figure, or None if it is a plain column."""
    return measure.expr if isinstance(measure.expr, q.Agg) else None
