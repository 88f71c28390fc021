"""Readers for the slots of clauses: names, lists, values, types, numbers and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas.column_formats.currencies import CURRENCY
from atlas.language.offline.import_clauses.grammar import DOUBT, UNKNOWN, Slot, Text, splits_word

_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'(?!\w)")
_WORD = re.compile(r"[\w#][\w.&%/'°#-]*")
_ANY = re.compile(r"[^\s,;:!?\"]+")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?!\w)")
_FIGURE = re.compile(r"[-+]?[$€£]?\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?%?|[-+]?[$€£]?\d+(?:[.,]\d+)*%?(?![\w-])")
# An amount with its currency on one side: `100 EUR`, `kr 100`.
_FIGURES = r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_AMOUNT = re.compile(
    rf"[-+]?(?:{CURRENCY.pattern} ?(?:{_FIGURES})(?![\w-])|(?:{_FIGURES}) ?{CURRENCY.pattern}(?![\w-]))"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WRITTEN_DATE = re.compile(
    rf"(?:{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? |\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH},? )\d{{4}}(?!\w)",
    re.IGNORECASE,
)
_VALUE_WORD = re.compile(r"[^\s,;!?()\"]+")
_MAX_LIST, _MAX_WORDS = 60, 4
# The cost of a column that the file lacks. The cost exceeds that of an unknown word, so that unknown words join no
# list.
_STRANGE = UNKNOWN + 2 * DOUBT
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "erste": 1,
    "ersten": 1,
    "zweite": 2,
    "zweiten": 2,
    "dritte": 3,
    "dritten": 3,
    "vierten": 4,
    "première": 1,
    "premiere": 1,
    "deuxième": 2,
    "deuxieme": 2,
    "troisième": 3,
    "primera": 1,
    "segunda": 2,
    "tercera": 3,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "zwei": 2,
    "drei": 3,
    "deux": 2,
    "trois": 3,
    "dos": 2,
    "tres": 3,
}


def match_quoted(text: str, place: int) -> tuple[int, str] | None:
    """Matches a text in quotes. Returns the end and the text, or None."""
    found = _QUOTED.match(text, place)
    return None if found is None else (found.end(), found[1] or found[2])


def words(text: Text, place: int, most: int, *, after_stop: bool = False) -> Iterator[tuple[int, str, int]]:
    """Yields sequences of words that begin or join no clause: the end, the text and the number of words."""
    here = place
    for count in range(1, most + 1):
        found = _WORD.match(text.text, here)
        if found is None:
            return
        word = found[0].rstrip(".'")
        if word.lower() in text.vocabulary.stops and not (after_stop and count == 1):
            return
        here += len(word)
        yield here, text.text[place:here], count
        if text.text[here : here + 1] != " ":
            return
        here += 1


def name_slot(text: Text, place: int) -> list[Slot]:
    """Reads a column: a name in quotes, a header of the file, or words that belong to no clause."""
    return text.memoize(("name", place), lambda: _names_at(text, place))


def _names_at(text: Text, place: int) -> Iterator[Slot]:
    place = _past(text, rf"(?:{text.vocabulary.articles})", place)
    told, in_quotes = _read_names(text, place)
    if not told and text.vocabulary.owners:
        # In "the client's email" the owner means nothing if the file has the column `email`.
        behind = _past(text, rf"(?:{text.vocabulary.owners})", place)
        told, in_quotes = _read_names(text, behind) if behind > place else (told, in_quotes)
        place = behind if told else place
    for end, name in told:
        clause = not in_quotes and text.text[place:end].lower() in text.vocabulary.stops
        yield end, name, DOUBT if clause else 0.0
        if (noun := _behind_noun(text, end)) is not None:
            yield noun, name, DOUBT if clause else 0.0
    if in_quotes:
        return
    known = {end for end, _ in told}
    for end, name, count in words(text, place, _MAX_WORDS):
        if end not in known and not name[0].isdigit() and name.lower() not in text.vocabulary.fillers:
            yield end, name, count * _STRANGE if text.names else (count - 1) * DOUBT


def _read_names(text: Text, place: int) -> tuple[list[tuple[int, str]], bool]:
    """Returns names at a place and whether the name is in quotes: a name in quotes, or columns of the file."""
    found = match_quoted(text.text, place)
    return ([found], True) if found is not None else (list(text.names.at(text.text, place)), False)


def _behind_noun(text: Text, place: int) -> int | None:
    """Returns the end of a word such as `column` behind a name, or None."""
    if not text.vocabulary.nouns:
        return None
    found = re.compile(rf" (?:{text.vocabulary.nouns})(?!\w)", re.IGNORECASE).match(text.text, place)
    return None if found is None else found.end()


def _past(text: Text, pattern: str, place: int) -> int:
    found = re.compile(rf"(?:{pattern} )*", re.IGNORECASE).match(text.text, place)
    return place if found is None else found.end()


def names_slot(text: Text, place: int) -> list[Slot]:
    """Reads a list of columns such as `a, b and c`, and each prefix, the longest first."""
    return text.memoize(("names", place), lambda: iter(_longest(_lists(text, place, name_slot))))


def _longest(found: Iterator[Slot]) -> list[Slot]:
    return sorted(found, key=lambda slot: -slot[0])


def _lists(text: Text, place: int, item: object, *, either: bool = False) -> Iterator[Slot]:
    """Yields prefixes of a list. After an `and` the list continues only with another `and`."""
    vocabulary = text.vocabulary
    join = f"{vocabulary.joins}|{vocabulary.either}" if either else vocabulary.joins
    comma = re.compile(rf" ?,(?: ?(?:{join})(?= ))? ?", re.IGNORECASE)
    last = re.compile(rf" ?(?:,? (?:{join})(?= )|&|\+|/) ?", re.IGNORECASE)
    read = value_slot if item == "value" else name_slot
    heads: list[tuple[int, tuple[str, ...], float, bool]] = [
        (end, (name,), cost, False) for end, name, cost in read(text, place)[:3]
    ]
    seen: set[tuple[int, int]] = set()
    while heads:
        end, names, cost, joined = heads.pop(0)
        if (end, len(names)) in seen or len(names) > _MAX_LIST:
            continue
        seen.add((end, len(names)))
        yield end, names, cost + (_disagrees(text, end, len(names)) if item is name_slot else 0.0)
        found = last.match(text.text, end)
        closes = found is not None
        if found is None and not joined:
            found = comma.match(text.text, end)
        if found is None or found.end() == end:
            continue
        # "a, and b" is hardly a list of two. It is a name, and something else.
        odd = UNKNOWN + DOUBT if closes and len(names) == 1 and "," in found[0] else 0.0
        for after, name, more in read(text, found.end())[:2]:
            if item is name_slot and name in names:
                # In "the key is email and zip and zip is text" the second `zip` is no part of the list, as no list has
                # a column twice.
                continue
            # A word may belong to the list or to the next clause: "drop the column notes, zip and code are text". The
            # list ends there, and a comma ends the list more easily than an "and".
            joint = DOUBT / 10 if closes else DOUBT / 5
            heads.append((after, (*names, name), cost + more + odd + joint, closes))


def _disagrees(text: Text, place: int, count: int) -> float:
    """Returns a doubt where the verb behind a list has the wrong number: `match on email and zip and code are text`."""
    verb = re.compile(rf" (?:{text.vocabulary.verbs[count == 1]})(?!\w)", re.IGNORECASE)
    return DOUBT / 2 if verb.match(text.text, place) else 0.0


def value_slot(text: Text, place: int) -> list[Slot]:
    """Reads a value: in quotes, a number, or up to 4 words. The first word may be any word that does not join."""
    return text.memoize(("value", place), lambda: _values_at(text, place))


def _values_at(text: Text, place: int) -> Iterator[Slot]:
    found = match_quoted(text.text, place)
    if found is not None:
        yield found[0], found[1], 0.0
        return
    date = _WRITTEN_DATE.match(text.text, place)
    if date is not None:
        yield date.end(), date[0], 0.0
        return
    amount = _AMOUNT.match(text.text, place)
    if amount is not None and not text.splits_token(amount.end()):
        yield amount.end(), amount[0], 0.0
    number = _FIGURE.match(text.text, place)
    if number is not None and not text.splits_token(number.end()):
        yield number.end(), spoken_number(number[0], text), 0.0
        return
    vocabulary, here, ends = text.vocabulary, place, []
    joins = re.compile(rf"(?:{vocabulary.joins}|{vocabulary.either}|{vocabulary.arrows})(?!\w)", re.IGNORECASE)
    for count in range(_MAX_WORDS):
        word = _VALUE_WORD.match(text.text, here)
        if word is None:
            break
        plain = word[0].rstrip(".:")
        if not plain or joins.match(plain) or (count and plain.lower() in vocabulary.stops):
            break
        here += len(plain)
        ends.append(here)
        if text.text[here : here + 1] != " ":
            break
        here += 1
    for count, end in reversed(list(enumerate(ends))):
        yield end, text.text[place:end], count * DOUBT


def spoken_number(written: str, text: Text) -> str:
    """Normalizes a number for comparison. In languages with a decimal comma `1.000,5` becomes 1000.5."""
    if text.vocabulary.decimal_comma and re.fullmatch(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?", written):
        return written.replace(".", "").replace(",", ".")
    return written


def values_slot(text: Text, place: int) -> list[Slot]:
    """Reads a list of values such as `a, b or c`, and each prefix, the longest first."""
    return text.memoize(("values", place), lambda: iter(_longest(_lists(text, place, "value", either=True))))


def type_slot(text: Text, place: int) -> list[Slot]:
    """Reads a word for a type."""
    return text.memoize(("type", place), lambda: _types_at(text, place))


def _types_at(text: Text, place: int) -> Iterator[Slot]:
    types = text.vocabulary.types
    for end in _word_ends(text.text, place, 3):
        told = text.text[place:end].lower()
        if told in types:
            yield end, types[told], 0.0


def _word_ends(text: str, place: int, most: int) -> list[int]:
    ends: list[int] = []
    here = place
    for _ in range(most):
        found = re.compile(r"[^\s,;:!?.()\"]+").match(text, here)
        if found is None:
            break
        ends.insert(0, found.end())
        if text[found.end() : found.end() + 1] != " ":
            break
        here = found.end() + 1
    return ends


def number_slot(text: Text, place: int) -> list[Slot]:
    """Reads a number."""
    found = _NUMBER.match(text.text, place)
    if found is None:
        return []
    plain = spoken_number(found[0], text).replace(",", "")
    return [(found.end(), float(plain), 0.0)] if plain.count(".") <= 1 else []


def count_slot(text: Text, place: int) -> list[Slot]:
    """Reads a whole number, as figures or as an ordinal: `2`, `2nd`, `second`."""
    found = re.compile(r"(\d{1,5})(?:st|nd|rd|th|e|er|ère|ª|º|\.(?= ))?(?!\w)|[^\W\d_]+").match(text.text, place)
    if found is None:
        return []
    number = int(found[1]) if found[1] else _ORDINALS.get(found[0].lower())
    return [] if number is None else [(found.end(), number, 0.0)]


def table_slot(text: Text, place: int) -> list[Slot]:
    """Reads the name of a table: in quotes, a known name, or one word."""
    return text.memoize(("table", place), lambda: _tables_at(text, place, 1))


def title_slot(text: Text, place: int) -> list[Slot]:
    """Reads the name of a table of up to 4 words."""
    return text.memoize(("title", place), lambda: _tables_at(text, place, 4))


def _tables_at(text: Text, place: int, most: int) -> Iterator[Slot]:
    found = match_quoted(text.text, place)
    if found is not None:
        yield found[0], found[1], 0.0
        return
    for end, name in text.tables.at(text.text, place):
        yield end, name, DOUBT / 2 if text.text[place:end].lower() in text.vocabulary.stops else 0.0
    for end, name, count in words(text, place, most):
        # "into a," names the table `a`. "into a list" does not.
        alone = text.text[end : end + 1] in ",.;!" or end == len(text.text)
        if not name[0].isdigit() and (alone or name.lower() not in text.vocabulary.fillers):
            yield end, name, (count - 1) * DOUBT / 2 + DOUBT / 4


def pairs_slot(text: Text, place: int) -> list[Slot]:
    """Reads old and new names of columns: `a to b, "c d" to e`."""
    return text.memoize(("pairs", place), lambda: iter(_longest(_pairs(text, place))))


def _pairs(text: Text, place: int) -> Iterator[Slot]:
    separator = re.compile(rf" ?(?:,? (?:{text.vocabulary.joins})(?= )|,|;|&) ?", re.IGNORECASE)
    heads: list[tuple[int, tuple[tuple[str, str], ...], float]] = [(place, (), 0.0)]
    while heads:
        here, pairs, cost = heads.pop(0)
        if pairs:
            yield here, pairs, cost
            found = separator.match(text.text, here)
            if found is None or len(pairs) > _MAX_LIST:
                continue
            here = found.end()
        best: dict[int, tuple[tuple[str, str], float]] = {}
        for end, pair, more in _pair(text, here, further=bool(pairs)):
            if end not in best or more < best[end][1]:
                best[end] = (pair, more)
        heads += [(end, (*pairs, pair), cost + more) for end, (pair, more) in best.items()][:4]


def _pair(text: Text, place: int, *, further: bool) -> Iterator[tuple[int, tuple[str, str], float]]:
    arrow = re.compile(rf" ?(?:{text.vocabulary.arrows}) ?", re.IGNORECASE)
    place = _past(text, rf"(?:{text.vocabulary.articles})", place)
    for end, old, cost in _old_names(text, place, further=further):
        found = arrow.match(text.text, end)
        if found is None or splits_word(text.text, end) or splits_word(text.text, found.end()):
            continue
        here = _past(text, rf"(?:{text.vocabulary.articles})", found.end())
        told = match_quoted(text.text, here)
        if told is not None:
            yield told[0], (old, told[1]), cost
            continue
        for last, new, count in words(text, here, 3, after_stop=True):
            # "rename a to b, treat zip as text" names a type. In "rename a to date" the word can only be a name.
            doubt = DOUBT if new.lower() in text.vocabulary.types else 0.0
            yield last, (old, new), cost + (count - 1) * DOUBT + doubt


def _old_names(text: Text, place: int, *, further: bool) -> Iterator[Slot]:
    """Yields names that a column has. further: the name is not the first of a list, so that a clause may begin."""
    told, in_quotes = _read_names(text, place)
    for end, name in told:
        yield end, name, 0.0
        if (noun := _behind_noun(text, end)) is not None:
            yield noun, name, 0.0
    if in_quotes:
        return
    known = {end for end, _ in told}
    # Any words may be a name here, dots and brackets included, since the arrow ends the name.
    here, first = place, ""
    for count in range(6):
        word = _ANY.match(text.text, here)
        if word is None:
            return
        first = first or word[0].lower()
        here = word.end()
        if here not in known:
            # "rename To to dest" is likely. "rename rename to x" is not.
            doubt = 2 * DOUBT if count == 0 and word[0].lower() in text.vocabulary.stops else 0.0
            if further and (count or text.names) and first in text.vocabulary.stops:
                # In "rename a to b, skip duplicates into c" no column is called `skip duplicates`.
                doubt = _STRANGE
            yield here, text.text[place:here], count * DOUBT + doubt + (DOUBT if text.names else 0.0)
        if text.text[here : here + 1] != " ":
            return
        here += 1


SLOTS = {
    "name": name_slot,
    "names": names_slot,
    "value": value_slot,
    "values": values_slot,
    "type": type_slot,
    "number": number_slot,
    "count": count_slot,
    "table": table_slot,
    "title": title_slot,
    "pairs": pairs_slot,
}


def known_slot(text: Text, place: int) -> list[Slot]:
    """Reads a column as `name_slot` does. If the headers are known, only columns of the file pass."""
    return [slot for slot in name_slot(text, place) if not text.names or slot[1] in text.names]


def knowns_slot(text: Text, place: int) -> list[Slot]:
    """Reads a list as `names_slot` does. If the headers are known, only columns of the file pass."""
    found = names_slot(text, place)
    return [slot for slot in found if not text.names or all(name in text.names for name in slot[1])]
