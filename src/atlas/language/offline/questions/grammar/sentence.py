"""Reads a whole question: what it asks for, the rows, the groups and the order."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.comparisons import read_period
from atlas.language.offline.questions.grammar.conditions import read_conditions
from atlas.language.offline.questions.grammar.heads import read_head
from atlas.language.offline.questions.grammar.measures import read_count, read_measure
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Rank, Request
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.tails import read_groups, read_keys, read_order
from atlas.language.offline.questions.grammar.targets import read_counted, read_target
from atlas.language.offline.questions.state_verbs import tells_state

_OF = frozenset("of for from in among by at on across".split())
_SEPARATING = ("and", "comma")


def read_question(reader: Reader) -> Request:
    """Reads all items of a question.

    Raises NotRead: when a word has no part in the question.
    """
    request = Request(Phrase(reader.table))
    compared = reader.low(0).startswith("compar")
    at = _skip_opening(reader, 1 if compared else 0, request)
    leading = at if reader.kind(at) == "period" and reader.kind(at + 1) == "comma" else None
    if leading is not None:
        at = _skip_opening(reader, at + 2, request)
    if reader.kind(at) == "per" and reader.low(at) not in ("every", "each", "for all the different"):
        at = _skip_opening(reader, _leading_groups(reader, at, request), request)
    at = (_read_share if reader.kind(at) == "share" else _read_targets)(reader, at, request)
    if leading is not None:
        cond, _ = read_period(reader, leading, request.phrase, None, False)
        request.phrase.where.append(cond)
    _read_rest(reader, at, request)
    _group_compared(reader, request, compared)
    return request


def _group_compared(reader: Reader, request: Request, compared: bool) -> None:
    """Groups by a column whose values are compared: `leads from the US vs Canada`, `the average of A and B`.

    Raises NotRead: when `compare` names nothing that is compared.
    """
    if compared and not (request.measures and (reader.beside or request.groups)):
        raise NotRead(reader.low(0))
    means = compared or any(
        isinstance(m.expr, q.Agg) and m.expr.function in ("avg", "median") for m in request.measures
    )
    for col, joint in reader.beside:
        if request.measures and (joint == "vs" or (joint == "and" and means)) and col not in request.groups:
            request.groups.append(col)


def _skip_opening(reader: Reader, at: int, request: Request) -> int:
    """Skips commands and question words: `show me`, `what are`, `which`."""
    while at < len(reader.items):
        kind = reader.kind(at)
        if kind == "wh" and (reader.low(at) in ("which", "who") or reader.kind(at + 1) in ("table", "col")):
            request.which = True
        if at == 0 and reader.low(at) == "rank" and kind == "unknown":
            at += 1
            continue
        if at == 0 and reader.low(at) in ("state", "name", "list") and reader.low(at + 1) == "the":
            at += 1
            continue
        if kind not in ("filler", "link", "wh", "comma", "stop") or reader.low(at) in _MEANT:
            break
        at += 1
    return at


_MEANT = frozenset("both only will should shall must would could if difference".split())


def _leading_groups(reader: Reader, at: int, request: Request) -> int:
    """Reads `for each museum,` before what is asked for."""
    end = read_groups(reader, at, request)
    if end is None:
        raise NotRead(reader.low(at))
    return end


def _read_share(reader: Reader, at: int, request: Request) -> int:
    """Reads `percentage of trips [that] had no tip`: the condition behind the noun is the part."""
    request.percent = reader.low(at) not in ("fraction of", "proportion", "proportion of")
    ahead = reader.skip(at + 1)
    read = read_head(reader, ahead, reader.table)
    if read is None or read[0].column is not None or read[0].rank is not None:
        raise NotRead(reader.low(at))
    phrase, at = read
    whole = len(phrase.where)
    verb = next((n for n in range(at, len(reader.items)) if reader.low(n) in _VERBS), None)
    if verb is not None:
        limited = Reader(reader.index, reader.table, reader.items[:verb], reader.tokens, reader.assumptions)
        end = read_conditions(limited, at, phrase)
        if end < verb:
            raise NotRead(reader.low(end))
        whole, at = len(phrase.where), verb
    at = read_conditions(reader, at, phrase)
    part = phrase.where[whole:]
    if not part:
        part, phrase.where = phrase.where, []
    else:
        phrase.where = phrase.where[:whole]
    if not part or phrase.rank is not None or phrase.having:
        raise NotRead("share")
    request.share = part[0] if len(part) == 1 else q.And(tuple(part))
    request.phrase = phrase
    return at


_VERBS = frozenset("are is was were have has had that who which do does did".split())


def _read_targets(reader: Reader, at: int, request: Request) -> int:
    """Reads what is asked for, and the noun phrase that it is asked of."""
    end = read_target(reader, at, request)
    at = at if end is None else end
    while end is not None:
        ahead = at
        while reader.kind(ahead) in _SEPARATING or (ahead > at and reader.kind(ahead) in ("filler", "wh")):
            ahead += 1
        if ahead == at or not _starts_target(reader, ahead, request):
            break
        behind = read_target(reader, ahead, request)
        if behind is None:
            break
        at = behind
    if request.phrase.column is not None:
        return _skip_own_noun(reader, at, request)
    if request.phrase.named:
        return at
    if not request.shown and not request.measures:
        raise NotRead(reader.low(at))
    return _read_owner(reader, at, request)


def _skip_own_noun(reader: Reader, at: int, request: Request) -> int:
    """Reads the rows that have the values asked for: `the most common hometown of teachers`."""
    if reader.low(at) not in _OF:
        return at
    read = read_head(reader, reader.skip(at), reader.table)
    if read is None or read[0].column is not None or read[0].rank is not None or read[0].limit is not None:
        return at
    request.phrase.where += read[0].where
    return read[1]


def _starts_target(reader: Reader, at: int, request: Request) -> bool:
    kind = reader.kind(at)
    if kind in ("count", "agg"):
        return True
    return kind in ("col", "table") and not request.phrase.named


def _read_owner(reader: Reader, at: int, request: Request) -> int:
    """Reads the noun phrase behind the columns that are asked for: `of all singers`, `for each museum`."""
    ahead = at
    while reader.kind(ahead) in ("filler", "link", "wh") or reader.low(ahead) in ("from", "by"):
        ahead += 1
    per = reader.kind(ahead) == "per"
    others = [m for m in (reader.items[ahead].mentions if ahead < len(reader.items) else ()) if m.score >= 0.95]
    named = {m.table for m in others if m.kind in ("table", "other")}
    pinned = reader.kind(reader.skip(ahead + 1)) in ("value", "quote")
    apart = named and reader.table not in named and not pinned
    if request.shown and not request.measures and reader.low(at) in ("of", "for") and apart:
        # The columns of `the names of all stadiums` are those of a stadium.
        raise NotRead(reader.low(ahead))
    if per:
        ahead += 1
        ahead = reader.skip(ahead)
    read = (
        read_head(reader, ahead, reader.table) if reader.low(at) in _OF or per or reader.kind(at) == "table" else None
    )
    if read is not None and read[0].column is None and not (per and request.measures):
        phrase, end = read
        phrase.distinct = phrase.distinct or request.phrase.distinct
        request.phrase = phrase
        return end
    if len(request.shown) == 1 and not request.measures and isinstance(request.shown[0], q.Col):
        request.phrase = Phrase(reader.table, request.shown[0], distinct=request.phrase.distinct)
    return at


def _read_rest(reader: Reader, at: int, request: Request) -> None:
    """Reads conditions, groups and orders up to the end.

    Raises NotRead: for the first word that nothing takes.
    """
    while True:
        start = at
        at = read_conditions(reader, at, request.phrase)
        for read in (read_order, _read_by, read_groups, _read_more, _read_on_average):
            end = read(reader, at, request)
            if end is not None:
                at = end
        if at == start:
            break
    at = _skip_end(reader, at, request)
    if at < len(reader.items):
        raise NotRead(reader.low(at))


def _is_over(reader: Reader, at: int) -> bool:
    """Checks whether only fillers are left, as behind `in each one`."""
    return all(reader.kind(n) in ("filler", "stop") for n in range(at, len(reader.items)))


def _skip_end(reader: Reader, at: int, request: Request) -> int:
    """Skips what may stand at the end of a question without a meaning: `are there?`, `does it have?`."""
    while at < len(reader.items):
        kind = reader.kind(at)
        if (
            kind in ("stop", "link", "filler") and reader.low(at) not in ("both", "either", "only", "will", "should")
        ) or (kind == "per" and request.shown and request.measures and _is_over(reader, at + 1)):
            at += 1
        elif kind in ("table", "other") and reader.low(at - 1) in ("they", "it"):
            reader.loose += 0.3
            at += 1
        elif kind == "unknown" and reader.low(at).isalpha() and _is_last_verb(reader, at):
            reader.loose += 0.3
            reader.assume(f"{reader.low(at)!r} is read as the link between the words around it.")
            at += 1
        else:
            return at
    return at


def _read_again(reader: Reader, at: int, request: Request) -> int | None:
    """Reads a second sentence that names the columns of the groups: `List the name and the number of countries.`"""
    tables = {group.table for group in request.groups if isinstance(group, q.Col)}
    end: int | None = None
    while at < len(reader.items):
        if reader.kind(at) == "count":
            counted = read_count(reader, at + 1, Phrase(request.measures[0].table)) if request.measures else None
            if request.measures and counted is None and reader.kind(at + 1) in ("stop", ""):
                return at + 1
            if counted is None or counted[0].expr != request.measures[0].expr:
                return end
            at = end = counted[1]
        elif reader.kind(at) == "col":
            cols = [col for table in sorted(tables) for col in reader.columns(at, table)]
            if not cols:
                return end
            request.groups += [cols[0]] if cols[0] not in request.groups else []
            at = end = at + 1
            owner = reader.skip(at)
            if reader.low(at) == "of" and cols[0].table in reader.tables(owner):
                at = end = owner + 1
        else:
            return end
        while reader.kind(at) in ("comma", "and", "filler"):
            at += 1
    return end


def _is_last_verb(reader: Reader, at: int) -> bool:
    """Checks whether an unknown word is the verb of a question: `how many models does each maker produce?`"""
    words = reader.words(0, at)
    if tells_state(reader.low(at)):
        return False
    if any(low in ("do", "does", "did") for low in words):
        return True
    return reader.low(at).endswith(("ed", "ing")) and any(low in ("is", "are", "was", "were") for low in words)


def _read_by(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `top 5 recipes by number of reviews`."""
    phrase = request.phrase
    if reader.kind(at) == "by" and reader.low(0) in ("sort", "order", "rank", "arrange") and not request.orders:
        end = read_keys(reader, at + 1, request)
        if reader.low(0) == "rank" and not any(item.kind in ("asc", "desc") for item in reader.items):
            # The first rank is the greatest.
            request.orders = [(measure, True) for measure, _ in request.orders]
        return end
    ranked = phrase.rank is not None and isinstance(phrase.rank.measure.expr, q.Col)
    if reader.kind(at) != "by" or request.groups or not (ranked or (phrase.rank is None and phrase.limit is not None)):
        return None
    read = read_measure(reader, at + 1, request.phrase)
    if read is None:
        return None
    descending = phrase.rank.descending if phrase.rank is not None else "bottom" not in reader.words(0, at)
    measure = read[0]
    if phrase.column is not None and isinstance(measure.expr, q.Col) and not reader.unique(phrase.column):
        if not reader.summable(measure.expr):
            raise NotRead(f"by {measure.expr.name}")
        measure = Measure(q.Agg("sum", measure.expr), measure.table)
    phrase.rank = Rank(measure, descending)
    return read[1]


def _read_on_average(reader: Reader, at: int, request: Request) -> int | None:
    """Reads `on average` behind a figure: `how long do trials take on average`, `which variety scores best on average`."""
    if not reader.low(at).endswith(" average") or reader.kind(at) != "agg":
        return None
    rank, col = request.phrase.rank, request.shown[0] if len(request.shown) == 1 else None
    if rank is not None and isinstance(rank.measure.expr, q.Col | q.Agg) and request.phrase.column is not None:
        expr = rank.measure.expr.arg if isinstance(rank.measure.expr, q.Agg) else rank.measure.expr
        if not isinstance(expr, q.Col) or not reader.numeric(expr):
            return None
        request.phrase.rank = Rank(Measure(q.Agg("avg", expr), rank.measure.table, rank.measure.where), rank.descending)
        return at + 1
    figures = [
        m.expr.arg if isinstance(m.expr, q.Agg) and m.expr.function in ("sum", "avg") else None
        for m in request.measures
    ]
    if figures and all(figures):
        request.measures = [
            Measure(q.Agg("avg", arg), m.table, m.where) for arg, m in zip(figures, request.measures, strict=True)
        ]
        return at + 1
    measured = isinstance(col, q.Op) or (isinstance(col, q.Col) and reader.numeric(col))
    if request.measures or rank is not None or col is None or not measured or request.groups:
        return None
    request.measures.append(Measure(q.Agg("avg", col), request.phrase.table))
    request.shown.clear()
    if request.phrase.column is not None:
        request.phrase = Phrase(request.phrase.table, where=request.phrase.where, named=True)
    return at + 1


def _read_more(reader: Reader, at: int, request: Request) -> int | None:
    """Reads further columns behind the rows, in a sentence of their own: `List the name and the age.`"""
    ahead = at
    while reader.kind(ahead) in ("stop", "comma", "and", "filler", "wh", "how"):
        ahead += 1
    separate = reader.low(at) == "with" and reader.low(at + 1) in ("their", "its", "his", "her")
    separate = separate or any(reader.kind(n) in ("stop", "and", "comma") for n in range(at, ahead))
    if separate and request.groups:
        return _read_again(reader, ahead, request)
    related = reader.related_table(ahead, request.phrase.table) if request.shown else None
    shown = reader.name(related) if related is not None and reader.kind(ahead) in ("table", "other", "col") else None
    if separate and shown is not None and not reader.columns(ahead, request.phrase.table):
        # `the names of teachers and the courses they teach` shows a row for each pair.
        request.shown.append(shown)
        return ahead + 1
    if not separate or (request.phrase.rank is not None and reader.kind(ahead) != "col"):
        return None
    if reader.kind(ahead) == "count" and not request.measures and request.phrase.column is None:
        return read_counted(reader, ahead, request)
    if reader.kind(ahead) not in ("col", "count"):
        return None
    end: int | None = None
    while reader.kind(ahead) == "col":
        col = reader.column(ahead, request.phrase.table)
        if col is None:
            raise NotRead(reader.low(ahead))
        request.shown.append(col)
        end = ahead + 1
        ahead = end
        while reader.kind(ahead) in ("comma", "and") or (ahead > end and reader.kind(ahead) == "filler"):
            ahead += 1
        if ahead == end:
            break
    return end
