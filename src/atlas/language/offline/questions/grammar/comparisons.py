"""Reads comparisons of figures: `more than 4 cylinders`, `older than 30`, `above the average`, `between 2 and 5`."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.measures import find_by_verb
from atlas.language.offline.questions.grammar.phrase import Phrase
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.values import on_rows
from atlas.language.offline.questions.lexicon import ADJECTIVES
from atlas.language.offline.questions.parser import filters
from atlas.language.offline.questions.schema_linking import find_measured_column
from atlas.language.offline.questions.tokenizer import parts, root

INVERSE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_UNITS = frozenset(
    "dollars dollar usd euros eur pounds pound lbs miles mile kilometers kilometres km meters metres m feet ft percent % "
    "kg grams g cm mm inches degrees points stars year years old minutes minute min hours hour days seconds people times "
    "calories square".split()
)


def amount(reader: Reader, at: int) -> float | int | None:
    """Returns the number at a place, or None."""
    item = reader.items[at] if at < len(reader.items) else None
    return item.value if item is not None and item.kind == "num" and isinstance(item.value, int | float) else None


def operator_and_number(reader: Reader, at: int) -> tuple[str, float | int, int] | None:
    """Reads `more than 5`, `at least 5`, `5 or more` or `exactly 5`."""
    operator = "="
    if reader.kind(at) == "cmp":
        operator, at = str(reader.items[at].value), at + 1
        while reader.kind(at) == "filler" and reader.low(at) not in ("one", "once", "a"):
            at += 1
    number = amount(reader, at)
    if number is None and reader.kind(at - 1) in ("cmp", "filler") and reader.low(at) in ("one", "once", "a"):
        number = 1
    if number is None:
        return None
    if reader.kind(at + 1) == "after":
        return str(reader.items[at + 1].value), number, at + 2
    return operator, number, at + 1


def skip_unit(reader: Reader, at: int) -> int:
    """Returns the place behind a unit, which no column holds."""
    while reader.low(at) in _UNITS and reader.kind(at) in ("filler", "unknown", "unit", "positive"):
        at += 1
    return at


def read_adjective(reader: Reader, at: int, phrase: Phrase, negated: bool) -> tuple[q.Cond, int]:
    """Reads `older than 30` and `larger than the average`.

    Raises NotRead: when no column is measured by the adjective.
    """
    base = str(reader.items[at].value)
    column = find_measured_column(reader.index.columns[phrase.table], base)
    if column is None or reader.kind(at + 1) != "than":
        raise NotRead(reader.low(at))
    col = q.Col(phrase.table, column.name)
    descending = ADJECTIVES[base][0]
    if reader.temporal(col):
        descending = not descending
    operator = ">" if descending else "<"
    if not any(reader.low(at).startswith(part) for part in (column.name.lower()[:4],)):
        reader.assume(f"{reader.low(at)!r} is taken by {column.name}.")
    return against(reader, reader.skip(at + 2), phrase, col, INVERSE[operator] if negated else operator)


def against(reader: Reader, at: int, phrase: Phrase, col: q.Col, operator: str) -> tuple[q.Cond, int]:
    """Reads what a column is compared with: a number, the average of all rows, or another column.

    Raises NotRead: for anything else.
    """
    number = amount(reader, at)
    if number is not None:
        if reader.temporal(col):
            raise NotRead(reader.low(at))
        end = at + 1
        if reader.kind(end) == "after":
            operator, end = str(reader.items[end].value), end + 1
        return _placed(reader, q.Compare(col, operator, number), phrase, at), skip_unit(reader, end)
    if reader.kind(at) == "agg" or reader.low(at) in ("average", "mean"):
        return _with_average(reader, at, phrase, col, operator)
    if reader.kind(at) == "period":
        return _during(reader, at, phrase, col, operator)
    other = reader.column(at, phrase.table) if reader.kind(at) == "col" else None
    if other is not None and other.table == col.table == phrase.table and reader.numeric(other) and reader.numeric(col):
        return q.Versus(col, operator, other), at + 1
    raise NotRead(reader.low(at))


def _with_average(reader: Reader, at: int, phrase: Phrase, col: q.Col, operator: str) -> tuple[q.Cond, int]:
    function = str(reader.items[at].value)
    if function not in ("avg", "min", "max", "median"):
        raise NotRead(reader.low(at))
    end = at + 1
    ahead = reader.skip(end)
    if col in reader.columns(ahead, col.table) or col.table in reader.tables(ahead):
        end = ahead + 1
        # `than the average age of all singers` compares with all rows.
        behind = reader.skip(end)
        if reader.kind(behind) == "per":
            behind += 1
        if col.table in reader.tables(behind) and reader.kind(behind) in ("table", "other"):
            end = behind + 1
    reader.assume(f"The {reader.low(at)} is that of all rows.")
    return _placed(reader, q.Extreme(col, operator, q.Agg(function, col)), phrase, at), end


def _placed(reader: Reader, cond: q.Cond, phrase: Phrase, at: int) -> q.Cond:
    col = cond.expr if isinstance(cond, q.Compare | q.Extreme) else None
    return on_rows(reader, cond, col.table, phrase.table, at) if isinstance(col, q.Col) else cond


def _during(reader: Reader, at: int, phrase: Phrase, col: q.Col, operator: str) -> tuple[q.Cond, int]:
    when = reader.items[at].period
    if when is None:
        raise NotRead(reader.low(at))
    if reader.temporal(col):
        start, end = {
            ">": (when.end or when.start, None),
            ">=": (when.start, None),
            "<": (None, when.start),
            "<=": (None, when.end),
        }.get(operator, (when.start, when.end))
        cond: q.Cond = q.During(col, start, end, f"{operator} {reader.low(at)}", operator == "<>")
        return on_rows(reader, cond, col.table, phrase.table, at), at + 1
    year = when.first or when.last
    whole = year is not None and (year.month, year.day) == (1, 1) and "year" in reader.linked(col).every
    if not whole or year is None:
        raise NotRead(reader.low(at))
    return on_rows(reader, q.Compare(col, operator, year.year), col.table, phrase.table, at), at + 1


def read_between(reader: Reader, at: int, phrase: Phrase, col: q.Col) -> tuple[q.Cond, int] | None:
    """Reads `between 10 and 20` of a column."""
    low = reader.skip(at + 1)
    joint = reader.skip(low + 1)
    high = reader.skip(joint + 1)
    first, last = amount(reader, low), amount(reader, high)
    if first is None or last is None or reader.kind(joint) not in ("and", "to"):
        return None
    cond = q.And((q.Compare(col, ">=", first), q.Compare(col, "<=", last)))
    return on_rows(reader, cond, col.table, phrase.table, at), skip_unit(reader, high + 1)


def read_period(reader: Reader, at: int, phrase: Phrase, wanted: q.Col | None, negated: bool) -> tuple[q.Cond, int]:
    """Reads a period, of the time named before, of the verb before, or of the row's own time.

    Raises NotRead: when the row has no such time.
    """
    column = wanted or _of_verb(reader, at, phrase.table)
    table = column.table if column is not None else phrase.table
    classic = reader.classic(table)
    classic.negated = negated
    filters.during(classic, at, column)
    if classic.unknown or not classic.filters:
        raise NotRead(reader.low(at))
    conds = tuple(found.cond for found in classic.filters)
    cond = conds[0] if len(conds) == 1 else q.And(conds)
    end = at + 1
    while reader.kind(end) == "or" and not negated:
        beyond = reader.items[end + 1] if end + 1 < len(reader.items) else None
        number = amount(reader, end + 1)
        if beyond is not None and beyond.kind == "period":
            other, end = read_period(reader, end + 1, Phrase(table), column, False)
        elif number is not None and isinstance(cond, q.Compare) and cond.operator == "=":
            other, end = q.Compare(cond.expr, "=", number), end + 2
        elif reader.low(end + 1) in ("after", "later") and isinstance(cond, q.Compare) and cond.operator == "=":
            return on_rows(reader, q.Compare(cond.expr, ">=", cond.value), table, phrase.table, at), end + 2
        else:
            break
        cond = q.Or((cond, other))
    return on_rows(reader, cond, table, phrase.table, at), end


def _of_verb(reader: Reader, at: int, table: str) -> q.Col | None:
    """Returns the time that the verb before a period names: `built before 1990`, `returned in May`."""
    place = at - 1
    while place >= 0 and reader.kind(place) == "filler":
        place -= 1
    if place < 0 or reader.kind(place) not in ("unknown", "link", "col"):
        return None
    wanted = root(reader.low(place).split()[-1])
    for linked in reader.index.columns[table]:
        col = q.Col(table, linked.column.name)
        timed = reader.temporal(col) or "year" in linked.every
        if timed and any(root(part) == wanted for part in parts(linked.column.name)):
            return col
    return None


def numeric_column(reader: Reader, at: int, table: str) -> q.Col | None:
    """Returns the column of numbers that an item names, of the table first."""
    if reader.kind(at) == "col":
        own = [col for col in reader.columns(at, table) if reader.numeric(col)]
        if own:
            return own[0]
        other = reader.column(at, table)
        return other if other is not None and reader.numeric(other) else None
    return find_by_verb(reader, reader.low(at), table) if reader.kind(at) == "unknown" else None


def alternatives(reader: Reader, at: int) -> tuple[tuple[float | int, ...], int] | None:
    """Reads further numbers: `32 or 33`."""
    found: list[float | int] = []
    end = at + 1
    while reader.kind(end) in ("or", "comma") and (number := amount(reader, end + 1)) is not None:
        found.append(number)
        end += 2
    return (tuple(found), end) if found else None


_UNIT_WORDS = {
    "minutes": ("min", "mins", "minutes", "minute"),
    "minute": ("min", "mins", "minutes"),
    "hours": ("hr", "hrs", "hours", "hour", "h"),
    "miles": ("miles", "mi", "mile"),
    "km": ("km", "kms"),
    "kilometers": ("km", "kms"),
    "kilometres": ("km", "kms"),
    "kg": ("kg", "kgs"),
    "grams": ("g", "grams"),
    "cm": ("cm",),
    "mm": ("mm",),
    "meters": ("m", "meters"),
    "metres": ("m", "metres"),
    "feet": ("ft", "feet"),
    "dollars": ("usd", "dollars"),
    "euros": ("eur", "euros"),
    "seconds": ("sec", "secs", "seconds"),
}


# How many of the first unit the second one is, where columns hold the first.
_SCALES = {
    ("min", "hour"): 60,
    ("sec", "minute"): 60,
    ("sec", "hour"): 3_600,
    ("hour", "day"): 24,
    ("m", "km"): 1_000,
    ("g", "kg"): 1_000,
    ("cm", "m"): 100,
    ("mm", "cm"): 10,
    ("day", "week"): 7,
}
_SPELLED = {
    "min": "min mins minute minutes",
    "hour": "hr hrs hour hours h",
    "sec": "sec secs second seconds",
    "day": "day days",
    "week": "week weeks",
    "m": "m meter meters metre metres",
    "km": "km kms kilometer kilometers kilometre kilometres",
    "g": "g gram grams",
    "kg": "kg kgs kilograms kilogram",
    "cm": "cm centimeters centimetres",
    "mm": "mm",
}
_UNIT_OF = {word: unit for unit, words in _SPELLED.items() for word in words.split()}


def scale_of_unit(reader: Reader, at: int, col: q.Col) -> int:
    """Returns how many units of a column the unit at a place is: 60 for hours where a column holds minutes."""
    said = _UNIT_OF.get(reader.low(at))
    held = [_UNIT_OF[part] for part in parts(col.name) if part in _UNIT_OF]
    scale = _SCALES.get((held[-1], said), 1) if held and said else 1
    if scale > 1:
        reader.assume(f"One {said} is taken as {scale} {held[-1]} of {col.name}.")
    return scale


def column_of_unit(reader: Reader, at: int, table: str) -> q.Col | None:
    """Returns the only column whose name has the unit at a place, or None."""
    spelled = _UNIT_WORDS.get(reader.low(at), ())
    own = [linked for linked in reader.index.columns[table] if set(parts(linked.column.name)) & set(spelled)]
    said = _UNIT_OF.get(reader.low(at))
    if said is not None and not own:
        smaller = {word for held, larger in _SCALES if larger == said for word in _SPELLED[held].split()}
        spelled = (*spelled, *smaller)
    found = [
        q.Col(table, linked.column.name)
        for linked in reader.index.columns[table]
        if set(parts(linked.column.name)) & set(spelled) and reader.numeric(q.Col(table, linked.column.name))
    ]
    return found[0] if len(found) == 1 else None
