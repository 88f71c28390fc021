"""Parsers of conditions in words: values, comparisons, ranges, periods and missing values."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.lexicon import ADJECTIVES, MONTHS
from atlas.language.offline.questions.related_tables import absence_condition, counts_things, is_of_other_table
from atlas.language.offline.questions.schema_linking import find_measured_column
from atlas.language.offline.questions.time_phrases import Period

if TYPE_CHECKING:
    from atlas.language.offline.questions.parser.state import Reading
    from atlas.language.offline.questions.schema_linking import Mention

_INVERSE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_JOINING = ("comma", "or", "and", "vs")


def value(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads one value or several values of one column: `in Texas or Ohio`.

    wanted: the column named before, or None.
    Returns the place to read on at, as all parsers here do.
    """
    chosen = _choose(reading, at, wanted)
    if is_of_other_table(reading, at, chosen):
        reading.unknown.append(reading.items[at].text)
        return at + 1
    values = list(chosen.values)
    column = q.Col(chosen.table, chosen.column)
    negated = reading.take_negation()
    end = at + 1
    joined = None
    while True:
        ahead = reading.next(end, skip=(*_JOINING, "filler"))
        between = [reading.kind(n) for n in range(end, ahead)]
        item = reading.item(ahead)
        if item is None or item.kind != "value" or not set(between) & set(_JOINING):
            break
        same = next(
            (m for m in item.mentions if (m.kind, m.table, m.column) == ("value", column.table, column.name)), None
        )
        if same is None:
            break
        if "vs" in between:
            reading.versus = True
        joined = next(kind for kind in between if kind in _JOINING)
        reading.absorbed.update(range(end, ahead))
        values += [v for v in same.values if v not in values]
        end = ahead + 1
    # The column's own name after the value adds nothing: `Italian food`.
    after = reading.item(end)
    own = (
        after is not None
        and after.kind == "col"
        and column in [q.Col(m.table, m.column) for m in reading.columns(after)]
    )
    if own and wanted is None and reading.kind(reading.next(end + 1)) not in ("cmp", "value", "quote", "between"):
        end += 1
    if any(other.text.startswith("compar") for other in reading.items[:at]):
        reading.versus = True
    if joined == "and" and any(isinstance(m, q.Agg) and m.function in ("avg", "median") for m in reading.measures):
        # `the average price of A and B` asks for two averages.
        reading.versus = True
    if joined is not None and reading.versus and column not in reading.groups:
        reading.groups.append(column)
    return reading.add(_equal(column, values, negated), at, end)


def _equal(column: q.Col, values: list[str], negated: bool) -> q.Cond:
    if len(values) == 1:
        return q.Compare(column, "<>" if negated else "=", values[0])
    return q.OneOf(column, tuple(values), negated)


_PLACED = ("in", "through", "of", "from", "within", "at", "the")


def _choose(reading: Reading, at: int, wanted: q.Col | None) -> Mention:
    """Chooses the column of a value: a column named beside the value, else the most distinctive column of the main
    table.
    """
    mentions = [m for m in reading.items[at].mentions if m.kind == "value"]
    near = [wanted] if wanted is not None else []
    display = reading.index.display(reading.table)
    owner = reading.before(at) == "of" and any((m.table, m.column) == (reading.table, display) for m in mentions)
    for step in (at + 1, reading.next(at + 1), *(() if owner else (at - 1, at - 2))):
        item = reading.item(step)
        if item is not None and item.kind == "col":
            near += [q.Col(m.table, m.column) for m in reading.columns(item)]
    for column in near:
        for mention in mentions:
            if (mention.table, mention.column) == (column.table, column.name):
                return mention
    taken = {f.cond.expr for f in reading.filters if isinstance(f.cond, q.Compare) and isinstance(f.cond.expr, q.Col)}
    free = [m for m in mentions if q.Col(m.table, m.column) not in taken] or mentions

    def entity(place: int) -> bool:
        item = reading.item(place)
        return item is not None and any(m.kind == "table" and m.table == reading.table for m in item.mentions)

    called = (
        reading.before(at) in ("called", "named") or entity(at + 1) or (reading.before(at) == "of" and entity(at - 2))
    )
    placed = not called and reading.entity is not None and reading.before(at) in _PLACED

    def rank(mention: Mention) -> tuple[bool, bool, float, int]:
        column = reading.index.column(mention.table, mention.column).column
        own = mention.column == reading.index.display(mention.table) and mention.table == reading.table
        return mention.table != reading.table, own if placed else not own, -mention.score, len(column.values)

    best = min(free, key=rank)
    others = {m.column for m in free if m.table == best.table} - {best.column}
    if others and wanted is None:
        reading.assumptions.append(f"{reading.items[at].text!r} is taken as {best.column}.")
    return best


def quote(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads a quoted text that is no known value.

    The condition is on the column named before, else on the row's name.
    """
    item = reading.items[at]
    before = reading.item(at - 1)
    adjacent = before is not None and (
        before.kind in ("table", "col") or before.text in ("called", "named", "for", "of", "is")
    )
    column = wanted or (reading.display() if adjacent else None)
    if column is None or reading.definition(column).type != "text":
        reading.unknown.append(item.text)
        return at + 1
    negated = reading.take_negation()
    return reading.add(q.Compare(column, "<>" if negated else "=", item.text, fold=True), at)


def compare(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads `more than 5 orders`, `above 4`, `longer than 750` or `above average`.

    wanted: the column named before, or None.
    """
    item = reading.items[at]
    operator = str(item.value)
    if item.kind == "comparative":
        descending, _ = ADJECTIVES[str(item.value)]
        operator = ">" if descending else "<"
        wanted = wanted or _hinted(reading, str(item.value))
        if reading.kind(at + 1) != "than":
            reading.unknown.append(item.text)
            return at + 1
        at += 1
    if reading.take_negation():
        operator = _INVERSE[operator]
    ahead = reading.next(at + 1)
    found = reading.item(ahead)
    if found is None:
        reading.unknown.append(item.text)
        return at + 1
    if found.kind == "num" and isinstance(found.value, int | float):
        return _number(reading, at, ahead, operator, found.value, wanted)
    if found.kind == "agg" and found.value == "avg" and wanted is not None:
        return reading.add(q.Extreme(wanted, operator, q.Agg("avg", wanted)), at, ahead + 1)
    if found.kind == "value" and wanted is not None and item.kind == "comparative":
        mention = _choose(reading, ahead, None)
        where = q.Compare(q.Col(mention.table, mention.column), "=", mention.values[0])
        return reading.add(
            q.Extreme(wanted, operator, q.Agg("max" if operator[0] == ">" else "min", wanted, where=where)),
            at,
            ahead + 1,
        )
    if found.kind == "value" and wanted is not None and operator in ("=", "<>"):
        reading.negated = operator == "<>"
        return value(reading, ahead, wanted)
    if found.kind == "period" and found.period is not None:
        return _period_compare(reading, at, ahead, operator, found.period, wanted)
    reading.unknown.append(item.text)
    return at + 1


def _period_compare(reading: Reading, at: int, ahead: int, operator: str, when: Period, wanted: q.Col | None) -> int:
    column = wanted or reading.time_column()
    if column is None or not reading.temporal(column):
        reading.unknown.append(reading.items[ahead].text)
        return ahead + 1
    start, end = {
        ">": (when.end or when.start, None),
        ">=": (when.start, None),
        "<": (None, when.start),
        "<=": (None, when.end),
    }.get(operator, (when.start, when.end))
    return reading.add(q.During(column, start, end, reading.items[ahead].text, operator == "<>"), at, ahead + 1)


def _number(reading: Reading, at: int, ahead: int, operator: str, number: float | int, wanted: q.Col | None) -> int:
    end = ahead + 1
    after = reading.item(end)
    if after is not None and after.kind == "after":
        operator, end = str(after.value), end + 1
    if wanted is not None:
        return _with_unit(reading, at, end, q.Compare(wanted, operator, number))
    ahead = reading.next(end, skip=("filler",))
    column = reading.best_column(ahead)
    item = reading.item(ahead)
    spoken = reading.before(end + 1) in ("dollars", "usd", "euros", "pounds")
    own = column is not None and (column.table == reading.table or (item is not None and item.kind == "col"))
    if column is not None and own and reading.numeric(column):
        if item is not None and counts_things(reading, item, column):
            # `at least 10 flights` counts flights and does not compare flight numbers.
            reading.unknown.append(f"{reading.items[at].text} {number} {item.text}")
            return ahead + 1
        return reading.add(q.Compare(column, operator, number), at, ahead + 1)
    rows = item is not None and any(m.kind == "table" and m.table == reading.table for m in item.mentions)
    counted = item is not None and (rows or item.kind == "table" or (column is not None and item.kind == "col"))
    if counted and reading.head is not None:
        # `cities with more than 3 restaurants` groups the rows by city and compares the number of rows.
        reading.having.append((operator, number))
        assert item is not None
        reading.counted = next((m.table for m in item.mentions if m.kind == "table"), None)
        return ahead + 1
    text = reading.items[end - 1].text
    amounts = [c for c in reading.index.columns[reading.table] if reading.numeric(q.Col(c.table.name, c.column.name))]
    money = [c for c in amounts if any(w in ("amount", "price", "total", "valu", "cost", "revenu") for w in c.every)]
    if (text[:1] in "$€£" or spoken) and money:
        return reading.add(q.Compare(q.Col(reading.table, money[0].column.name), operator, number), at, end)
    if reading.selects and reading.numeric(reading.selects[-1]):
        return reading.add(q.Compare(reading.selects[-1], operator, number), at, end)
    reading.unknown.append(reading.items[at].text + " " + text)
    return end


def _with_unit(reading: Reading, at: int, end: int, cond: q.Compare) -> int:
    """Skips the unit after a number, such as dollars or miles, as no column holds the unit."""
    item = reading.item(end)
    if (item is not None and item.kind in ("unit",)) or (item is not None and item.text.lower() in _MEASURES):
        end += 1
    return reading.add(cond, at, end)


_MEASURES = frozenset(
    "dollars usd euros eur pounds miles mile kilometers kilometres km meters metres m feet ft percent % years days hours "
    "minutes seconds units points stars people kg grams cm inches degrees people".split()
)


def between(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads `between 10 and 20`. A `from` without two numbers is a filler."""
    low = reading.item(reading.next(at + 1))
    place = reading.next(at + 1)
    joint = reading.item(place + 1)
    high = reading.item(reading.next(place + 2))
    numbers = low is not None and high is not None and low.kind == high.kind == "num"
    if not numbers or joint is None or joint.kind not in ("and", "to"):
        return at + 1
    assert low is not None
    assert high is not None
    column = wanted
    end = reading.next(place + 2) + 1
    if column is None:
        named = reading.best_column(reading.next(end, skip=("filler",)))
        if named is not None and reading.numeric(named):
            column, end = named, reading.next(end, skip=("filler",)) + 1
    if column is None or not isinstance(low.value, int | float) or not isinstance(high.value, int | float):
        reading.unknown.append(reading.items[at].text)
        return end
    negated = reading.take_negation()
    inside = q.And((q.Compare(column, ">=", low.value), q.Compare(column, "<=", high.value)))
    outside = q.Or((q.Compare(column, "<", low.value), q.Compare(column, ">", high.value)))
    return reading.add(outside if negated else inside, at, end)


def during(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads a period, of the time named before or of the row's own time."""
    item = reading.items[at]
    when = item.period
    assert when is not None
    negated = reading.take_negation()
    column = wanted if wanted is not None and reading.temporal(wanted) else reading.time_column()
    if column is not None and (wanted is None or reading.temporal(wanted)):
        return reading.add(q.During(column, when.start, when.end, item.text, negated), at)
    conds = _calendar_columns(reading, when, wanted)
    if not conds:
        reading.unknown.append(item.text)
        return at + 1
    for cond in conds:
        reading.add(cond, at)
    return at + 1


def _calendar_columns(reading: Reading, when: Period, wanted: q.Col | None) -> list[q.Cond]:
    """Builds conditions on columns with a year as a number or a month by name."""
    columns = reading.index.columns[reading.table]
    year = wanted or next(
        (q.Col(reading.table, c.column.name) for c in columns if c.every == ("year",) and c.column.type == "bigint"),
        None,
    )
    if year is None:
        year = next(
            (q.Col(reading.table, c.column.name) for c in columns if "year" in c.every and c.column.type == "bigint"),
            None,
        )
    month = next((c for c in columns if "month" in c.every and c.column.type == "text"), None)
    if year is None or when.relative or reading.definition(year).type != "bigint":
        return []
    conds: list[q.Cond] = []
    whole = all(day is None or (day.month, day.day) == (1, 1) for day in (when.first, when.last))
    if whole:
        if when.first is not None and when.last is not None and when.last.year == when.first.year + 1:
            return [q.Compare(year, "=", when.first.year)]
        if when.first is not None:
            conds.append(q.Compare(year, ">=", when.first.year))
        if when.last is not None:
            conds.append(q.Compare(year, "<", when.last.year))
        return conds
    if (
        month is None
        or when.first is None
        or when.last is None
        or (when.last - when.first).days > 31
        or when.first.day != 1
    ):
        return []
    name = next((v for v in month.column.values if MONTHS.get(v.lower()) == when.first.month), None)
    name = name or date(2000, when.first.month, 1).strftime("%B")
    conds.append(q.Compare(q.Col(reading.table, month.column.name), "=", name))
    return conds if when.month is not None else [*conds, q.Compare(year, "=", when.first.year)]


def empty(reading: Reading, at: int, wanted: q.Col | None = None) -> int:
    """Reads `email is missing`, `missing email` or `no phone number`."""
    column = wanted or reading.best_column(reading.next(at + 1))
    if column is None:
        reading.unknown.append(reading.items[at].text)
        return at + 1
    end = at + 1 if wanted is not None else reading.next(at + 1) + 1
    return reading.add(absence_condition(reading, column, reading.take_negation()), at, end)


def whether(reading: Reading, at: int) -> int:
    """Reads `how many have an exam and how many do not`: the rows are grouped by the yes-or-no column of the last
    condition.
    """
    last = reading.filters[-1].cond if reading.filters else None
    column = last.expr if isinstance(last, q.Truth | q.Compare) else None
    if not isinstance(column, q.Col) or not reading.flag(column):
        reading.unknown.append(reading.items[at].text)
        return at + 1
    reading.filters.pop()
    reading.groups.append(column)
    return at + 1


def contains(reading: Reading, at: int, wanted: q.Col) -> int:
    """Reads `name contains "x"` or `starting with A`."""
    item = reading.items[at]
    ahead = at + 1
    found = reading.item(ahead)
    if found is None or found.kind in ("col", "table"):
        reading.unknown.append(item.text)
        return at + 1
    text = reading.text(ahead)
    return reading.add(q.Contains(wanted, text, str(item.value), reading.take_negation()), at, ahead + 1)


def flag_condition(reading: Reading, column: q.Col, negated: bool) -> q.Cond:
    """Builds the condition that a yes-or-no column is true."""
    if reading.definition(column).type == "boolean":
        return q.Truth(column, negated)
    return q.Compare(column, "=", 0 if negated else 1)


def _hinted(reading: Reading, base: str) -> q.Col | None:
    column = find_measured_column(reading.index.columns[reading.table], base)
    return None if column is None else q.Col(reading.table, column.name)
