"""Reads groups and orders: `per borough`, `for each museum`, `by month`, `sorted by age in descending order`."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.measures import read_measure
from atlas.language.offline.questions.grammar.phrase import Measure, Request
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.verbs import done_times
from atlas.language.offline.questions.lexicon import ADJECTIVES, UNITS
from atlas.language.offline.questions.tokenizer import parts

_ALL_ROWS = ("across all", "across", "over the", "through each")
_RANKING = ("superlative", "most", "comparative", "positive")


def read_groups(reader: Reader, at: int, request: Request) -> int | None:
    """Reads the groups of figures. Returns the place behind them, or None if no groups stand here."""
    ahead = at
    while reader.kind(ahead) in ("filler", "comma", "stop", "link"):
        ahead += 1
    if reader.kind(ahead) == "unit" and reader.low(ahead).endswith("ly"):
        bucket = reader.classic(request.phrase.table).bucket(str(reader.items[ahead].value))
        if bucket is None:
            return None
        request.groups.append(bucket)
        return ahead + 1
    done = _read_done_per(reader, ahead, request)
    if done is not None:
        return done
    if reader.kind(ahead) not in ("per", "by"):
        return None
    of_unit = _per_unit(reader, ahead, request)
    if of_unit is not None:
        return of_unit
    start, end = ahead + 1, None
    while True:
        place = reader.skip(start, ("filler", "distinct", "link", "per"))
        if reader.kind(place) == "count" and reader.kind(place + 1) == "col":
            place += 1
        found = _group(reader, place, request)
        if place == start and _is_own_mean(reader, place, request):
            # `the average number of goals per match` is a mean of all rows.
            return place + 1
        if found is None:
            break
        if reader.low(ahead) in _ALL_ROWS and found == rows_of(reader, request.phrase.table) and request.measures:
            # `across all the shops` asks for one figure of all rows.
            return place + 1
        request.groups += [expr for expr in found if expr not in request.groups]
        end = behind_part(reader, place)
        start = end
        while reader.kind(start) in ("comma", "and"):
            start += 1
        if start == end:
            break
    return end


def _read_done_per(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `joined each year`, where a participle names the time whose periods are the groups."""
    table = request.phrase.table
    cols = reader.columns(at, table) if reader.kind(at) == "col" else done_times(reader, at, table)
    if not cols or not reader.temporal(cols[0]) or not reader.low(at).endswith("ed"):
        return None
    per = reader.skip(at + 1)
    place = reader.skip(per + 1)
    if reader.kind(per) not in ("per", "by") or reader.columns(place, table):
        return None
    bucket = reader.classic(table).bucket(UNITS.get(reader.low(place), ""))
    if not isinstance(bucket, q.Bucket) or (bucket.unit == "hour" and reader.definition(cols[0]).type == "date"):
        return None
    request.groups.append(q.Bucket(bucket.unit, cols[0]))
    request.phrase.where.append(q.Empty(cols[0], True))
    return place + 1


def _per_unit(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `average rent per square meter`, which is a ratio and no group.

    Raises NotRead: when no column holds the unit.
    """
    end = at + 1
    while reader.kind(end) in ("filler", "unknown") and reader.low(end) in _PER_UNITS:
        end += 1
    words = reader.words(at + 1, end)
    if not words or reader.kind(at) != "per":
        return None
    spelled = _PER_UNITS[words[-1]] if len(words) == 1 else _SQUARED.get(words[-1], ())
    found = [
        q.Col(reader.table, linked.column.name)
        for linked in reader.index.columns[reader.table]
        if set(parts(linked.column.name)) & set(spelled)
    ]
    found = [col for col in found if reader.numeric(col) and col != _measured(request)]
    if len(found) != 1 or len(request.measures) != 1 or not isinstance(_measured(request), q.Col):
        raise NotRead(" ".join(reader.words(at, end)))
    measure = request.measures[0]
    assert isinstance(measure.expr, q.Agg)
    assert measure.expr.arg is not None
    figure: q.Expr = q.Agg(measure.expr.function, q.Op("/", measure.expr.arg, found[0]))
    if measure.expr.function == "sum":
        figure = q.Op("/", measure.expr, q.Agg("sum", found[0]))
    reader.assume(f"{' '.join(words)!r} is taken as {found[0].name}.")
    request.measures = [Measure(figure, measure.table, measure.where)]
    return end


def _measured(request: Request) -> q.Expr | None:
    expr = request.measures[0].expr if len(request.measures) == 1 else None
    return expr.arg if isinstance(expr, q.Agg) else None


_SQUARED = {
    **dict.fromkeys("meter meters metre metres m".split(), ("sqm", "m2", "squaremeters")),
    **dict.fromkeys("foot feet ft".split(), ("sqft", "ft2", "squarefeet")),
    **dict.fromkeys("kilometer kilometers km".split(), ("sqkm", "km2")),
}
_PER_UNITS: dict[str, tuple[str, ...]] = {
    "square": (),
    "sq": (),
    "sqm": ("sqm", "m2"),
    "m2": ("sqm", "m2"),
    "sqft": ("sqft", "ft2"),
    **dict.fromkeys("kilometer kilometers kilometre km".split(), ("km", "kms")),
    **dict.fromkeys("mile miles".split(), ("mi", "miles", "mile")),
    **dict.fromkeys("meter meters metre metres".split(), ("m", "meters", "metres")),
    **dict.fromkeys("foot feet ft".split(), ("ft", "feet")),
    **dict.fromkeys("kg kilogram kilograms".split(), ("kg", "kgs")),
    **dict.fromkeys("ton tons".split(), ("ton", "tons", "t")),
}


def _is_own_mean(reader: Reader, at: int, request: Request) -> bool:
    """Checks whether means of rows are asked for by row."""
    means = [m for m in request.measures if isinstance(m.expr, q.Agg) and m.expr.function in ("avg", "median")]
    own = request.phrase.table
    return bool(means) and len(means) == len(request.measures) and own in reader.tables(at) and means[0].table == own


def _group(reader: Reader, at: int, request: Request) -> list[q.Expr] | None:
    """Returns what an item groups by: a column, a period, or the rows of a related table by key and name."""
    table = request.phrase.table
    if reader.kind(at) == "unit":
        bucket = part_of_day(reader, at, table) or reader.classic(table).bucket(str(reader.items[at].value))
        named = _time_behind(reader, at, table)
        if named is not None and isinstance(bucket, q.Bucket):
            bucket = q.Bucket(bucket.unit, named)
        return None if bucket is None else [bucket]
    own = reader.columns(at, table) if reader.kind(at) == "col" else []
    if table in reader.tables(at)[:1] and not own:
        return rows_of(reader, table)
    related = reader.related_table(at, table)
    if related is not None and (not own or (reader.joins_rows(own[0]) and reader.definition(own[0]).type != "text")):
        return rows_of(reader, related)
    if table in reader.tables(at) and not own:
        return rows_of(reader, table)
    if own and _is_one_of(reader, at, own[0]):
        raise NotRead(f"{reader.low(at - 1)} {reader.low(at)}")
    if own:
        return [own[0]]
    col = reader.column(at, table) if reader.kind(at) == "col" else None
    return None if col is None else [col]


def _is_one_of(reader: Reader, at: int, col: q.Col) -> bool:
    """Checks for `fare per passenger` where a column holds the number of passengers: a ratio and no group."""
    word = reader.low(at)
    return reader.kind(at - 1) == "per" and reader.summable(col) and f"{word}s" in parts(col.name)


def part_of_day(reader: Reader, at: int, table: str) -> q.Part | None:
    """Returns the day of the week or the hour of the day of the row's time, as a number. Monday is day 1."""
    words = " ".join(reader.words(at + 1, at + 4))
    unit = str(reader.items[at].value)
    part = "isodow" if unit == "day" and words.startswith(("of the week", "of week")) else None
    part = "isodow" if unit == "weekday" else part
    named = _time_behind(reader, at, table)
    usual = any(word in _USUALLY for word in reader.words(at + 1, at + 3))
    if usual and unit in ("month", "quarter", "hour", "day"):
        part = "isodow" if unit == "day" else unit
    if unit == "hour" and (
        words.startswith(("of the day", "of day"))
        or named is not None
        or reader.low(at - 1) in ("at what", "at which", "what", "which")
    ):
        part = "hour"
    if part is not None:
        reader.assume(
            "Days of the week are numbers, and Monday is 1."
            if part == "isodow"
            else f"{part.capitalize()}s are those of every {'day' if part == 'hour' else 'year'}."
        )
    time = (named or reader.classic(table).time_column()) if part is not None else None
    if part is None or time is None or (part == "hour" and reader.definition(time).type != "timestamp"):
        return None
    return q.Part(part, time)


_USUALLY = frozenset("usually typically generally normally".split())


def _time_behind(reader: Reader, at: int, table: str) -> q.Col | None:
    """Returns the time that a unit is of, as in `hour of departure`."""
    cols = reader.columns(at + 2, table) if reader.low(at + 1) == "of" and reader.kind(at + 2) == "col" else []
    return cols[0] if cols and reader.temporal(cols[0]) else None


def behind_part(reader: Reader, at: int) -> int:
    """Returns the place behind `day of the week` or `hour of the day`."""
    end = at + 1
    if reader.low(end) in ("of the week", "of week"):
        return end + 1
    if _time_behind(reader, at, reader.table) is not None:
        return end + 2
    if reader.low(end) in _USUALLY:
        return end + 1
    if reader.low(end) == "of":
        while reader.low(end) in ("of", "the", "week", "day") and end < at + 4:
            end += 1
    return end


def rows_of(reader: Reader, table: str) -> list[q.Expr] | None:
    """Returns the key and the name of a table's rows. Two rows of one name stay two groups."""
    found = [col for col in (reader.key(table), reader.name(table)) if col is not None]
    return list(dict.fromkeys(found)) or None


def read_order(reader: Reader, at: int, request: Request) -> int | None:
    """Reads the order of the result. Returns the place behind it, or None if no order stands here."""
    ahead = at
    while reader.kind(ahead) in ("filler", "comma", "and", "stop", "link", "wh"):
        ahead += 1
    kind = reader.kind(ahead)
    if kind == "order":
        return read_keys(reader, ahead + 1, request)
    if kind in ("asc", "desc"):
        place = reader.skip(ahead + 1, ("filler", "by", "order"))
        if reader.kind(place) in ("asc", "desc", "order"):
            place = reader.skip(place + 1)
        read = read_measure(reader, place, request.phrase) or _text_key(reader, place, request)
        if read is not None and reader.low(ahead) not in ("alphabetically",):
            request.orders.append((read[0], kind == "desc"))
            return read[1]
        default = _default_key(reader, request, alphabetic="alpha" in reader.low(ahead))
        if default is None:
            return None
        request.orders.append((default, kind == "desc"))
        return ahead + 1
    if kind == "between" and reader.kind(reader.skip(ahead + 1)) in _RANKING and not request.orders:
        return _from_to(reader, ahead, request)
    return None


def _from_to(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `from the oldest to the youngest`."""
    first = reader.skip(at + 1)
    joint = reader.skip(first + 1)
    last = reader.skip(joint + 1)
    if reader.kind(joint) != "to" or reader.kind(last) not in _RANKING:
        return None
    from atlas.language.offline.questions.schema_linking import find_measured_column

    base = str(reader.items[first].value)
    column = find_measured_column(reader.index.columns[request.phrase.table], base) if base in ADJECTIVES else None
    if column is None:
        return None
    request.orders.append(
        (Measure(q.Col(request.phrase.table, column.name), request.phrase.table), ADJECTIVES[base][0])
    )
    return last + 1


def read_keys(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `by age descending, name`."""
    end: int | None = None
    while True:
        place = reader.skip(at, ("filler", "by", "distinct", "wh"))
        read = read_measure(reader, place, request.phrase) or _text_key(reader, place, request)
        if read is None:
            if end is None and reader.kind(place) in ("asc", "desc"):
                default = _default_key(reader, request, alphabetic=False)
                if default is not None:
                    request.orders.append((default, reader.kind(place) == "desc"))
                    return place + 1
            return end
        measure, end = read
        descending, end = _direction(reader, end)
        request.orders.append((measure, descending))
        at = end
        while reader.kind(at) in ("comma", "and"):
            at += 1
        if at == end:
            return end


def _direction(reader: Reader, at: int) -> tuple[bool, int]:
    """Returns whether the order is descending, and the place behind the words for it."""
    place = at
    while reader.kind(place) in ("filler", "between", "link", "comma"):
        place += 1
    if reader.kind(place) in ("asc", "desc"):
        return reader.kind(place) == "desc", place + 1
    if reader.kind(place) in _RANKING:
        item = reader.items[place]
        descending = bool(item.value) if item.kind == "most" else ADJECTIVES[str(item.value)][0]
        joint = reader.skip(place + 1)
        last = reader.skip(joint + 1)
        if reader.kind(joint) == "to" and reader.kind(last) in _RANKING:
            return descending, last + 1
        return descending, place + 2 if reader.low(place + 1) == "first" else place + 1
    return False, at


def _text_key(reader: Reader, at: int, request: Request) -> tuple[Measure, int] | None:
    if reader.kind(at) == "unit":
        bucket = reader.classic(request.phrase.table).bucket(str(reader.items[at].value))
        return None if bucket is None else (Measure(bucket, request.phrase.table), at + 1)
    col = reader.column(at, request.phrase.table) if reader.kind(at) == "col" else None
    return None if col is None else (Measure(col, col.table), at + 1)


def _default_key(reader: Reader, request: Request, *, alphabetic: bool) -> Measure | None:
    """Returns what an order without a column sorts by: the only column or figure, or the first text."""
    if request.measures and not alphabetic:
        return request.measures[0]
    cols = [col for col in request.shown if isinstance(col, q.Col)]
    if alphabetic:
        cols = [col for col in cols if reader.definition(col).type == "text"]
    elif len(cols) > 1:
        return None
    col = cols[0] if cols else reader.name(request.phrase.table)
    return None if col is None else Measure(col, col.table)
