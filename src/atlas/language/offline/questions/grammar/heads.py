"""Reads the noun of a phrase with the words before the noun: `the 5 most expensive Italian recipes`."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas.kit.identifiers import singular
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.measures import names_people, read_rank
from atlas.language.offline.questions.grammar.phrase import Phrase, Rank
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.values import read_value
from atlas.language.offline.questions.lexicon import adjective
from atlas.language.offline.questions.tokenizer import stem

_RANKING = ("superlative", "most")


@dataclass
class Before:
    """The words before a noun: places of values and flags, a rank, and a number of rows."""

    values: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    rank: int | None = None
    top: bool | None = None
    limit: int | None = None
    distinct: bool = False
    behind: int = -1


def read_head(reader: Reader, at: int, table: str) -> tuple[Phrase, int] | None:
    """Reads a noun for rows or for a column of a table, with the words before the noun.

    Returns the phrase and the place behind the noun, or None if no such noun stands here.
    """
    before, at = _read_before(reader, at, table)
    phrase = _noun(reader, at, table)
    if phrase is None:
        phrase = _row_noun(reader, at, table)
    end = at + 1
    if phrase is None and before.values and before.behind == at and not before.flags:
        # A value may stand for its rows: `how many condos`, `the nurses`.
        phrase, end = Phrase(table, named=True), at
    if phrase is None:
        return None
    phrase.limit, phrase.distinct = before.limit, before.distinct
    for place in before.values:
        cond, after = read_value(reader, place, phrase.table, taken=pinned(phrase))
        if after != place + 1 and reader.kind(place + 1) not in ("or", "comma"):
            return None
        phrase.where.append(cond)
    for place in before.flags:
        negated = reader.kind(place - 1) in _NEGATING
        phrase.where.append(flag_condition(reader, reader.columns(place, table)[0], negated))
    if before.rank is not None:
        phrase.rank = _rank_before(reader, before.rank, at, phrase)
    elif before.top is not None:
        phrase.limit = before.limit or 10
    titled = reader.low(end) == "of" and singular(reader.low(end - 1)) == reader.low(end - 1)
    own_name = reader.name(table)
    if titled and phrase.column is None and not phrase.where and reader.kind(end + 1) == "value" and own_name:
        # `the city of New York` is a city.
        columns = {m.column for m in reader.items[end + 1].mentions if m.kind == "value" and m.table == table}
        if own_name.name in columns and len(columns) > 1:
            cond, end = read_value(reader, end + 1, table, own_name)
            phrase.where.append(cond)
    if phrase.column is None and reader.kind(end) == "value" and not phrase.where:
        # `the airline United` and `stadium Anfield` name a row.
        name = reader.name(table)
        own = {m.column for m in reader.items[end].mentions if m.kind == "value" and m.table == table}
        if (name is not None and name.name in own) or len(own) == 1:
            chosen = name if name is not None and name.name in own else q.Col(table, own.pop())
            cond, end = read_value(reader, end, table, chosen)
            phrase.where.append(cond)
    return phrase, end


def names_rows(reader: Reader, at: int, table: str) -> bool:
    """Checks whether an unknown noun is the first word of the rows' name or key, or of the table."""
    word = stem(reader.low(at))
    if reader.kind(at) != "unknown" or len(word) < 3:
        return False
    named = [reader.linked(col).every for col in (reader.name(table), reader.key(table)) if col is not None]
    return any(words[0] == word and len(words) > 1 for words in [*named, reader.index.table_words[table]])


def _row_noun(reader: Reader, at: int, table: str) -> Phrase | None:
    """Reads a noun for rows that only the name of a column tells: `recipes` where rows have a recipe_name."""
    word = reader.low(at)
    if reader.kind(at) != "unknown" or not word.isalpha():
        return None
    if names_rows(reader, at, table):
        reader.assume(f"{word!r} is taken as the rows of {table}.")
        return Phrase(table, named=True)
    if names_people(reader, at, table):
        return Phrase(table, named=True)
    if word in _ROWS:
        reader.assume(f"{word!r} is taken as the rows of {table}.")
        reader.loose += 0.5
        return Phrase(table, named=True)
    return None


def _noun(reader: Reader, at: int, table: str) -> Phrase | None:
    named = table in reader.tables(at)
    own = reader.columns(at, table)
    if own and own[0] in (reader.name(table), reader.key(table)) and _is_bare(reader, at, own[0]):
        return Phrase(table, named=True)
    if own and not named and reader.kind(at) == "col":
        others = [m for m in reader.items[at].mentions if m.kind == "table" and m.score >= 0.95]
        reader.loose += 0.6 if others else 0.0
    if named:
        reader.loose += 0.3 * (1 - min(1.0, max(m.score for m in reader.items[at].mentions if m.table == table)))
    if named and not (own and reader.kind(at) == "col" and _scores_higher(reader, at, table)):
        return Phrase(table, named=True)
    if own and reader.kind(at) == "col":
        return Phrase(table, own[0])
    return None


_ROWS = frozenset(
    "record records row rows entry entries item items case cases event events incident incidents observation observations".split()
)
_NAMING = frozenset("name titl id code number no key label".split())


def _is_bare(reader: Reader, at: int, col: q.Col) -> bool:
    """Checks whether a noun leaves out the last word of a name, as `jobs` for job_title or `airlines` for airline."""
    words = reader.linked(col).every
    said = {stem(word) for word in reader.low(at).split()}
    own = set(reader.index.table_words[col.table])
    named = words[-1] in _NAMING and len(words) > 1 and words[-1] not in said and bool(said & set(words))
    return named or (set(words) <= own and said <= own)


def _scores_higher(reader: Reader, at: int, table: str) -> bool:
    scores = {m.kind: m.score for m in reversed(reader.items[at].mentions) if m.table == table}
    return scores.get("column", 0) > scores.get("table", scores.get("other", 0))


def pinned(phrase: Phrase) -> list[q.Col]:
    """Returns the columns that a further value can't be of: those asked for, and those with a value."""
    conds = [
        cond.expr for cond in phrase.where if isinstance(cond, q.Compare | q.OneOf) and isinstance(cond.expr, q.Col)
    ]
    return [*conds, *([phrase.column] if phrase.column is not None else [])]


def flag_condition(reader: Reader, col: q.Col, negated: bool) -> q.Cond:
    """Builds the condition that a yes-or-no column is true."""
    if reader.definition(col).type == "boolean":
        return q.Truth(col, negated)
    return q.Compare(col, "=", 0 if negated else 1)


def _read_before(reader: Reader, at: int, table: str) -> tuple[Before, int]:
    """Reads determiners, numbers, superlatives, values and yes-or-no columns up to the noun."""
    before = Before()
    while True:
        kind = reader.kind(at)
        if kind == "filler" and reader.low(at) in _DETERMINERS:
            at += 1
        elif kind == "distinct":
            before.distinct, at = True, at + 1
        elif kind == "num" and _counts_rows(reader, at):
            before.limit, at = int(str(reader.items[at].value)), at + 1
        elif kind == "top" and before.top is None:
            before.top, at = bool(reader.items[at].value), at + 1
        elif kind in _RANKING and before.rank is None:
            before.rank = at
            at = _behind_rank(reader, at)
            if reader.kind(at) == "num" and before.limit is None:
                before.limit, at = int(str(reader.items[at].value)), at + 1
        elif kind == "value" and table not in reader.tables(at) and _leads_noun(reader, at + 1, table):
            before.values.append(at)
            at += 1
            while reader.kind(at) in ("or", "comma") and reader.kind(at + 1) == "value":
                at += 2
            before.behind = at
        elif kind == "col" and _is_flag(reader, at, table) and _leads_noun(reader, at + 1, table):
            before.flags.append(at)
            at += 1
        elif kind in _NEGATING and _is_flag(reader, at + 1, table) and _leads_noun(reader, at + 2, table):
            before.flags.append(at + 1)
            at += 2
        else:
            return before, at


_NEGATING = ("neg", "negation")
_DETERMINERS = frozenset("a an the all any each every some of these those this that our my their its list one".split())


def is_participle(word: str) -> bool:
    return word.endswith(("ed", "ing")) or word in _IRREGULAR


_IRREGULAR = frozenset("paid sold built made held spent won lost".split())


def _counts_rows(reader: Reader, at: int) -> bool:
    value = reader.items[at].value
    return isinstance(value, int) and 0 < value <= 1_000 and reader.kind(at + 1) != "unit"


def _behind_rank(reader: Reader, at: int) -> int:
    """Returns the place behind a superlative and its adjective or participle."""
    ahead = at + 1
    if reader.kind(at) == "superlative" and is_participle(reader.low(ahead)) and reader.kind(ahead) == "col":
        return ahead + 1
    measuring = reader.kind(ahead) == "col" and adjective(reader.low(ahead)) is not None
    if reader.kind(at) == "most" and (reader.kind(ahead) in ("positive", "unknown", "link", "filler") or measuring):
        return ahead + 1
    if reader.kind(at) == "superlative" and reader.kind(ahead) in ("unknown", "link"):
        return ahead + 1
    return ahead


def _leads_noun(reader: Reader, at: int, table: str) -> bool:
    """Checks whether a noun of the table follows, with values and yes-or-no columns in between."""
    while (
        reader.kind(at) in ("value", "superlative", "most", "positive")
        or (reader.kind(at) in ("or", "comma") and reader.kind(at + 1) == "value")
        or (reader.kind(at) == "col" and _is_flag(reader, at, table))
    ):
        at += 1
    if reader.kind(at - 1) == "value" and any(m.table == table for m in reader.items[at - 1].mentions):
        return True
    named = table in reader.tables(at) or names_rows(reader, at, table)
    return named or bool(reader.columns(at, table) and reader.kind(at) == "col")


def _is_flag(reader: Reader, at: int, table: str) -> bool:
    own = reader.columns(at, table)
    return bool(own) and reader.flag(own[0])


def _rank_before(reader: Reader, at: int, noun: int, phrase: Phrase) -> Rank:
    """Reads the superlative before a noun.

    Raises NotRead: when no column is compared, or words between the superlative and the noun are left.
    """
    rank, end = read_rank(_without_noun(reader, noun), at, phrase)
    end = max(end, _behind_rank(reader, at) if reader.kind(at) == "most" else end)
    if reader.kind(end) == "num":
        end += 1
    if end < noun and any(reader.kind(n) not in ("filler", "value", "col") for n in range(end, noun)):
        raise NotRead(reader.low(at))
    return rank


def _without_noun(reader: Reader, noun: int) -> Reader:
    """Returns a reader whose items end before the noun, which no figure may take."""
    return Reader(reader.index, reader.table, reader.items[:noun], reader.tokens, reader.assumptions)
