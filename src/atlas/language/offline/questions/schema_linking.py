"""Links the words of a question to the schema: the tables, columns and values that a phrase may name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable
from atlas.kit.identifiers import singular
from atlas.language.offline.questions.lexicon import ADJECTIVES, AGGREGATES, FILLERS
from atlas.language.offline.questions.name_index import Owners, same_word
from atlas.language.offline.questions.name_words import GENERIC_TABLES, UNITS_IN_NAMES, expand, initials
from atlas.language.offline.questions.places import is_code, places
from atlas.language.offline.questions.tokenizer import Token, parts, stem
from atlas.language.offline.questions.value_forms import ValueForms, land_of
from atlas.language.offline.questions.value_linking import is_plausible, places_of, words_of, write_in_style

MAX_PHRASE = 6
NUMERIC = ("bigint", "numeric", "double")
TEMPORAL = ("date", "timestamp")
# Words of column names with little meaning.
_WEAK = frozenset(
    "name id num no number count total date dt ts at time code text value flag is has key uuid of in the and by to "
    "tx sb amount type kind categori be have".split()
)
# Words that may follow a column's own words, as in `airline code`, if they name no other column.
_TRAILING = frozenset("id name code number column field valu date type level".split())
# The score of a column by a part of its name that no other column of the table has. `_VERBS` never stand in a name.
# `_SMALL` may stand between the words of a name.
_PARTIAL = 0.7
_VERBS = frozenset("is are was were be been have has had do does did that which who whose can will".split())
_SORTING = ("ascending", "descending")
_SMALL = ("of", "the", "a", "an", "for")
# Common words in identifiers without separators. The words of the schema's tables are added.
_COMMON = frozenset(
    "name id num date type count status text title year code key time amount price total address email phone number "
    "day month symbol currency country state city rate close open high low volume cust customer join tx ticker daily "
    "exchange sector postal cited citing start end first last user order product dest source src dep arr origin home away "
    "size life living room count rate avg min max temp wind speed dew point width height depth length weight fuel engine "
    "model make brand color list sold built net gross ticket seat bed bath lot area floor age sex birth death".split()
)
_DISPLAY = ("name", "title", "label", "username", "full_name", "display_name", "email", "code", "number", "symbol")


class Mention(msgspec.Struct, frozen=True):
    """A phrase, tokens [start, end), and the thing that the phrase may name.

    kind: table, column or value.
    score: 0 to 1.
    """

    start: int
    end: int
    kind: str
    table: str
    column: str = ""
    values: tuple[str, ...] = ()
    score: float = 1.0


class LinkedColumn(msgspec.Struct, frozen=True):
    """A column with the words for the column.

    core: stems with a meaning.
    every: all stems.
    place: us, country or None.
    """

    table: CatalogTable
    column: CatalogColumn
    core: tuple[str, ...]
    every: tuple[str, ...]
    place: str | None
    by_place: dict[str, tuple[str, ...]]


# The longest word that is split into known words.
MAX_SPLIT = 64
# The number of words of a name that are compared one by one. The whole name is compared as well.
MAX_WORDS = 32


class Index:
    """The schema, prepared for linking."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        vocabulary = _COMMON | {w for t in catalog.tables for p in parts(t.name) for w in (p, singular(p))}
        self.table_words = {
            table.name: tuple(stem(p) for p in _split(table.name, vocabulary)) for table in catalog.tables
        }
        words = {name: _words(name, vocabulary) for name in {c.name for t in catalog.tables for c in t.columns}}
        self.columns: dict[str, list[LinkedColumn]] = {
            table.name: [self._column(table, column, words[column.name]) for column in table.columns]
            for table in catalog.tables
        }
        self._index_names()
        self._forms = ValueForms(catalog)
        self._values: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
        for table in catalog.tables:
            for column in table.columns:
                if column.type == "text":
                    for value in column.values:
                        self._values.setdefault(words_of(value), []).append((table.name, column.name, value))

    def _index_names(self) -> None:
        """Indexes names by their words and as a whole."""
        self._tables, self._all = Owners(), [linked for columns in self.columns.values() for linked in columns]
        self._columns, self._placed = Owners(), [linked for linked in self._all if linked.place is not None]
        self._names = list(self.table_words)
        for number, name in enumerate(self._names):
            self._tables.add(number, self.table_words[name], {name.lower(), _solid(name)})
        for number, linked in enumerate(self._all):
            self._columns.add(number, linked.every, {linked.column.name.lower(), _solid(linked.column.name)})

    def _tables_of(self, words: Sequence[str], wholes: Sequence[str]) -> Iterable[str]:
        """Returns tables that have all of the words, or are named by one of the whole texts, in order."""
        owners = sorted((self._tables.find_by_word(word) for word in words), key=len)
        found = self._tables.find_whole(wholes) | owners[0].intersection(*owners[1:])
        return (self._names[number] for number in sorted(found))

    def _columns_of(self, words: Sequence[str], wholes: Sequence[str]) -> Iterable[LinkedColumn]:
        """Returns columns that have one of the words, or are named by one of the whole texts, in order."""
        found = self._columns.find_whole(wholes).union(*(self._columns.find_by_word(word) for word in words))
        return (self._all[number] for number in sorted(found))

    def _column(self, table: CatalogTable, column: CatalogColumn, words: Sequence[str]) -> LinkedColumn:
        own = set(self.table_words[table.name])
        measured = [w for w in words if w not in UNITS_IN_NAMES] or words
        core = (
            [w for w in measured if w not in _WEAK and w not in own]
            or [w for w in measured if w not in own]
            or measured
        )
        place, by_place = places_of(column)
        return LinkedColumn(table, column, tuple(core), tuple(words), place, by_place)

    def column(self, table: str, name: str) -> LinkedColumn:
        return next(linked for linked in self.columns[table] if linked.column.name == name)

    def tables_holding(self, words: tuple[str, ...]) -> frozenset[str]:
        """Returns the tables that hold a value of these words in lower case."""
        return frozenset(table for table, _, _ in self._values.get(words, ()))

    def display(self, table: str) -> str | None:
        """Returns the column that names a row: name or title, else the key, else the first text."""
        linked = self.columns[table]
        own = set(self.table_words[table])
        for wanted in _DISPLAY:
            for column in linked:
                words = [w for w in column.every if w not in own]
                if column.column.name.lower() == wanted or words == [stem(wanted)]:
                    return column.column.name
        for column in linked:
            if column.column.type == "text" and column.every[-1:] == ("name",) and not column.column.complete:
                return column.column.name
        found = self.catalog.table(table)
        keyed = found is not None and len(found.key) == 1
        for column in linked:
            if column.column.type == "text" and set(column.every) <= own and keyed:
                # The column named as the table, such as `airline` of airlines, names a row.
                return column.column.name
        key = self.catalog.table(table).key if self.catalog.table(table) else ()  # type: ignore[union-attr]
        if key:
            return key[0]
        texts = [c.column.name for c in linked if c.column.type == "text"]
        return texts[0] if texts else None

    def mentions(self, found: Sequence[Token]) -> list[Mention]:
        """Lists everything that phrases of a question may name."""
        result: list[Mention] = []
        for start in range(len(found)):
            if found[start].kind == "sign":
                continue
            for end in range(start + 1, min(start + MAX_PHRASE, len(found)) + 1):
                if found[end - 1].kind == "sign":
                    break
                result += self._phrase(found, start, end)
        return result

    def _phrase(self, found: Sequence[Token], start: int, end: int) -> Iterable[Mention]:
        phrase = found[start:end]
        if any(token.lower in _SORTING for token in phrase):
            return
        yield from self._value_mentions(found, phrase, start, end)
        if len(phrase) > 1 and any(token.kind == "quote" for token in phrase):
            return
        small = ("of", "the", "a", "an", "for", "with") if phrase[-1].lower in ("id", "name", "code") else _SMALL
        content = [t for t in phrase if t.lower not in small]
        if not content or len(content) > 4 or phrase[0] not in content or phrase[-1] not in content:
            return
        words = [t.stem if t.kind != "quote" else stem(t.lower) for t in content]
        if len(words) == 1 and "_" in content[0].lower:
            words = [stem(p) for p in parts(content[0].text)[:MAX_WORDS]]
        if not words:
            return
        joined = "".join(t.lower for t in content)
        letters = initials([t.lower for t in phrase]) or joined
        wholes = (joined, singular(joined))
        framed = content[0].lower in FILLERS or content[-1].lower in FILLERS
        for name in self._tables_of(words, wholes):
            own = self.table_words[name]
            if framed and singular(joined) != singular(_solid(name)):
                continue
            score = (
                0.98
                if len(content) > 1 and _solid(name) in wholes
                else _table_score(words, own, len(phrase) == 1 and content[0].lower == name.lower())
            )
            if score:
                yield Mention(start, end, "table", name, score=score)
        if len(content) > 1 and any(token.lower in _VERBS for token in content):
            return
        # `total amount` asks for a sum, unless a column has that name.
        led = words[0] if len(words) > 1 and content[0].lower in AGGREGATES else None
        named = {self._names[number] for word in words[:-1] for number in self._tables.find_by_word(word)}
        scores: dict[tuple[tuple[str, ...], ...], float] = {}
        for linked in self._columns_of(words, (*wholes, letters)):
            if led is not None and led not in linked.every and not _bounds(led, linked.every):
                continue
            own = self.table_words[linked.table.name]
            if len(words) > 1 and words[0] in own and content[0].lower != singular(content[0].lower):
                # `leads created` means leads. `lead status` means a column.
                continue
            # Columns of the same name score the same in all tables without a word in the phrase.
            key = (linked.core, linked.every, own if linked.table.name in named else ())
            if key not in scores:
                scores[key] = _column_score(words, linked, key[2])
            score = scores[key]
            if 0.3 < score < _PARTIAL and self._alone(words, linked):
                score = _PARTIAL
            if len(phrase) == 1 and content[0].lower == linked.column.name.lower():
                score = 1.05
            elif _solid(linked.column.name) in (*wholes, letters):
                score = max(score, 0.98)
            if score:
                yield Mention(start, end, "column", linked.table.name, linked.column.name, score=score)

    def _alone(self, words: Sequence[str], linked: LinkedColumn) -> bool:
        """Checks that no other column of the table has one of these words, such as `range` in `range_miles`."""
        if not all(len(word) > 3 and any(same_word(word, part) >= 0.85 for part in linked.core) for word in words):
            return False
        others = (other for other in self.columns[linked.table.name] if other is not linked)
        return not any(same_word(word, part) >= 0.85 for other in others for part in other.every for word in words)

    @staticmethod
    def _is_country_word(found: Sequence[Token], start: int) -> bool:
        """Checks whether `us` stands at a country's place and is not the pronoun."""
        return start > 0 and found[start - 1].lower in ("the", "in", "from", "of", "vs", "versus", "and", "or")

    def _value_mentions(
        self, found: Sequence[Token], phrase: Sequence[Token], start: int, end: int
    ) -> Iterable[Mention]:
        if phrase[0].kind == "quote" and len(phrase) == 1:
            key = words_of(phrase[0].text)
        else:
            key = tuple(token.lower for token in phrase)
        stems = tuple(stem(word) for word in key)
        seen = set()
        text = " ".join(token.lower for token in phrase)
        for table, column, value in [
            *self._values.get(key, ()),
            *(self._values.get(stems, ()) if stems != key else ()),
        ]:
            if (table, column) in seen or not is_plausible(
                phrase, value, text == "us" and self._is_country_word(found, start)
            ):
                continue
            seen.add((table, column))
            same = tuple(v for t, c, v in self._values.get(key, ()) if (t, c) == (table, column)) or (value,)
            yield Mention(start, end, "value", table, column, same, 1.0)
        if phrase[0].kind == "word":
            for table, column, value, score in self._forms.find(phrase):
                if (table, column) not in seen:
                    seen.add((table, column))
                    yield Mention(start, end, "value", table, column, (value,), score)
        text = land_of(text) or text
        ids = places(text) if phrase[0].lower not in _SMALL else frozenset()
        if not ids or (
            is_code(text)
            and not phrase[0].text.isupper()
            and not (text == "us" and self._is_country_word(found, start))
        ):
            return
        for linked in self._placed:
            where = (linked.table.name, linked.column.name)
            if where in seen:
                continue
            for place in ids:
                if linked.place is None or not place.startswith(linked.place):
                    continue
                if place in linked.by_place:
                    yield Mention(start, end, "value", *where, linked.by_place[place], 0.97)
                elif linked.table.name not in {table for table, _ in seen}:
                    yield Mention(start, end, "value", *where, (write_in_style(place, linked),), 0.8)


@lru_cache(maxsize=50_000)
def _solid(name: str) -> str:
    """Joins the parts of a name, so that `check-ins` equals `checkin`, and `payload` equals `pay_load`."""
    return "".join(parts(name))


def _words(name: str, vocabulary: frozenset[str]) -> list[str]:
    """Returns the stems of a column's first words."""
    return [stem(part) for part in _split(name, vocabulary)[:MAX_WORDS]] or [name.lower()]


def _split(name: str, vocabulary: frozenset[str]) -> list[str]:
    """Splits an identifier into words. A part without separators is split if known words make up all of the part."""
    return [word for part in parts(name) for piece in expand(part) for word in _segments(piece, vocabulary) or [piece]]


def _segments(word: str, vocabulary: frozenset[str]) -> list[str] | None:
    # The name of a column may be a text of any length, and splitting takes cubic time.
    if word in vocabulary or not 5 <= len(word) <= MAX_SPLIT:
        return [word]
    best: dict[int, list[str]] = {0: []}
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = word[start:end]
            known = piece in vocabulary or (start == 0 and len(piece) == 2)
            if start in best and known and (end not in best or len(best[end]) > len(best[start]) + 1):
                best[end] = [*best[start], piece]
    return best.get(len(word))


def _table_score(words: Sequence[str], own: Sequence[str], exact: bool) -> float:
    if exact:
        return 1.02
    own = [word for word in own if word not in GENERIC_TABLES] or own
    if len(words) > len(own):
        return 0.0
    hits = [max(same_word(word, part) for part in own) for word in words]
    if min(hits) == 0:
        return 0.0
    if len(words) == len(own):
        return sum(hits) / len(hits)
    # A part of a table's name counts, as `offerings` for course_offering. The last word names the rows.
    return 0.8 * hits[-1] if same_word(words[-1], own[-1]) >= 0.85 else 0.0


def _column_score(words: Sequence[str], linked: LinkedColumn, table: Sequence[str]) -> float:
    own = linked.every
    hits, core = [], set()
    for word in words:
        best, which = max(((same_word(word, part), part) for part in (*linked.core, *own)), default=(0.0, ""))
        if best == 0:
            if word != words[-1] and any(same_word(word, part) >= 0.85 for part in table):
                hits.append(0.95)
                continue
            if word in _TRAILING and word == words[-1] and len(words) > 1 and not _TRAILING & set(own):
                hits.append(0.9)
                continue
            return 0.0
        hits.append(best)
        core.add(which)
    covered = sum(1 for word in linked.core if word in core) / len(linked.core)
    if covered == 0:
        return 0.0
    extra = sum(1 for word in own if word in core) / len(own)
    score = sum(hits) / len(hits) * (1.0 if covered == 1 else 0.55 * covered + 0.1)
    named = any(word in _NAMING for word in own if word not in core)
    return score * (0.95 + 0.04 * extra + (0.01 if named else 0.0))


def _bounds(led: str, own: Sequence[str]) -> bool:
    """Checks whether a name has the short form of `minimum` or `maximum`, as `salary_max` does."""
    return led in ("minimum", "maximum", "min", "max") and any(same_word(led, part) >= 0.85 for part in own)


_NAMING = ("name", "id", "code", "titl", "key")


def find_measured_column(columns: Sequence[LinkedColumn], base: str) -> CatalogColumn | None:
    """Returns the column that an adjective measures: `long` a length, `expensive` a price. None: no such column."""
    for hint in ADJECTIVES[base][1].split():
        for linked in columns:
            measured = linked.column.type in (*NUMERIC, *TEMPORAL) or base in ("high", "highest", "low", "lowest")
            named = any(same_word(stem(hint), part) >= 0.9 for part in linked.every)
            if measured and named and not is_key(linked):
                return linked.column
    return None


_KEYS = frozenset("id key uuid no nr code zip zipcod postcod phone ssn isbn".split())


def is_key(linked: LinkedColumn) -> bool:
    """Checks whether the column only identifies rows, so that sums have no meaning."""
    return linked.every[-1] in _KEYS or (linked.column.name,) == linked.table.key


@lru_cache(maxsize=32)
def index_of(catalog: Catalog) -> Index:
    """Returns the index of a catalog, from a cache of 32 catalogs."""
    return Index(catalog)
