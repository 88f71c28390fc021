"""Parses values and lists of fields in a sentence: `name Bob, email = b@x.co and city "New York"`.

The parsers walk the tokens forward only, in time linear in the text. Any text with two readings raises UnclearError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from atlas.language.offline.records.tokens import (
    FIELDS,
    INTENTS,
    PHRASES,
    Tokens,
    UnclearError,
    looks_like_name,
    names_field,
    text_of,
)

# Second words of a field's name, as in `phone number 5` or `status code 3`.
_TAILS = frozenset(
    "name number no address code date time id type status email phone title url level group size count rate".split()
)
_FREE_TEXT = frozenset("note notes comment comments description summary subject message text body reason title".split())
_FILLERS = frozenset("a an the its their his her set also with has having whose where".split())
# Words that start or end something else. A text with such a word may be more than one value.
_CONNECTORS = frozenset(
    """to into from for in with where whose named called then but except excluding because since until who which that
    having instead also please""".split()
)
_COMPARISONS = frozenset(
    """over under above below more less greater fewer at before after older newer like containing contains starts
    ends starting ending between one any all not null empty missing blank > < >= <= != <> ~ either""".split()
)
_COMPANY = frozenset("inc ltd llc co corp gmbh plc sa ag bv kg srl pty lp llp".split())
# Words before `to`, `is` or `as` that are no field, as in `and move to done`.
_NOT_NAMED = frozenset(
    """move go send talk reply call come return try need want have able according up down back next he she it they we
    you i this that there who which what""".split()
)


def read_value(tokens: Tokens, *, what: str = "value") -> str:
    """Reads one value, such as `"a, b"`, `Acme Corp` or `+1 800 5`.

    Raises UnclearError: when the text is empty or may be more than a value.
    """
    if not tokens or any(token.kind == "quoted" and not token.text.strip() for token in tokens):
        raise UnclearError(f"Which {what} is meant? It is empty.")
    if len(tokens) == 1 and tokens[0].kind != "mark":
        if tokens[0].kind == "word" and tokens[0].word in _CONNECTORS | {"and", "it", "them", "that", "this"}:
            raise UnclearError(f"Which {what} do you mean by {tokens[0].text!r}? Put it in quotes if it is one.")
        return tokens[0].text
    for position, token in enumerate(tokens):
        word = token.word
        bad = token.kind == "quoted" or (token.kind == "mark" and not _is_join(tokens, position))
        if position == 0 and word in ("by", "on", "at", "of", "via", "using", "about", "and"):
            bad = True
        if token.kind == "word" and not bad:
            is_word = token.text.islower()
            bad = (
                word in _CONNECTORS
                or (is_word and word in INTENTS)
                or (word == "and" and not _is_join(tokens, position))
            )
            bad = bad or (position > 0 and is_word and (word in FIELDS or word.endswith("_id")))
            bad = bad or (position < len(tokens) - 1 and word.endswith(("'s", "s'")))
            # `Bob (bob@x.co)` holds two values. `(555) 123` is one value.
            bad = bad or re.search(r"\([^)\d]", token.text) is not None
            bad = bad or (position > 0 and ("@" in word or "://" in word)) or (position == 0 and "@" in word)
        if bad:
            raise UnclearError(
                f"Is {text_of(tokens)!r} one {what}? Put it in quotes if so, or write fields as `name: value`."
            )
    return "".join(("" if t.glued else " ") + t.text for t in tokens).strip()


def _is_join(tokens: Tokens, position: int) -> bool:
    """Checks whether a comma or `and` joins the words of one value: `Acme, Inc.`, `Johnson and Johnson`."""
    before = tokens[position - 1] if position else None
    behind = tokens[position + 1] if position + 1 < len(tokens) else None
    if before is None or behind is None or before.kind != "word" or behind.kind != "word":
        return False
    if not re.fullmatch(r"[^\W\d_]+\.?", behind.text) or not re.fullmatch(r"[^\W\d_]+\.?", before.text):
        return False
    if tokens[position].text == ",":
        return behind.word.rstrip(".") in _COMPANY
    # Several words behind the joint may be another record or another field.
    return position + 2 == len(tokens) and before.text[0].isupper() == behind.text[0].isupper()


def separator(tokens: Tokens, position: int) -> int:
    """Counts the tokens at `position` that separate fields:

    `,`, `;`, `and` or `, and`. Returns 0 if no separator is there.
    """
    size = 0
    if position < len(tokens) and tokens[position].kind == "mark" and tokens[position].text in ",;":
        size = 1
    if position + size < len(tokens) and tokens[position + size].word in ("and", "&", "plus"):
        size += 1
    return size


def field_at(tokens: Tokens, position: int, *, first: bool, markers: Iterable[str]) -> tuple[str, int] | None:
    """Returns the field name at `position` and the start of its value, or None if no field is there.

    first: no text before could own the name, so an unknown name is a field as well.
    """
    # No sentence needs more fillers than `and also set the`. The limit keeps a long run of fillers from being walked
    # repeatedly.
    for _ in range(3):
        if position < len(tokens) and tokens[position].word in _FILLERS:
            position += 1
    size = 0
    while size < 4 and position + size < len(tokens) and names_field(tokens[position + size]):
        size += 1
    # `date of birth` is one field, not the date of something.
    whole = size >= 3 and " ".join(token.word for token in tokens[position : position + 3]) in PHRASES
    for count in range(3 if whole else 1, size + 1):
        end = position + count
        if end + 1 >= len(tokens):
            break
        name, mark = " ".join(token.text for token in tokens[position:end]), tokens[end]
        is_mark = mark.kind == "mark" and mark.text in "=:"
        plausible = count == 1 and (first or mark.word == "to") and name.lower() not in _NOT_NAMED
        if (plausible or _is_known(name) or is_mark) and (
            is_mark or mark.word in markers or (mark.word == "of" and _is_known(name))
        ):
            # The value of `phone is now 5` is the number.
            now = mark.word in ("is", "are") and end + 2 < len(tokens) and tokens[end + 1].word == "now"
            # The value of `price is: 5` or `price of 5` starts behind the second mark.
            return name, end + 1 + now
    return _read_unmarked(tokens, position, size, first)


def _is_known(name: str) -> bool:
    plain = name.lower()
    return plain in PHRASES or plain.endswith("_id") or plain.split(" ")[-1] in FIELDS


def _read_unmarked(tokens: Tokens, position: int, size: int, first: bool) -> tuple[str, int] | None:
    """Reads a known field name with its value directly behind: `email b@x.co`."""
    words = [token.word for token in tokens[position : position + size]]
    if len(words) >= 3 and " ".join(words[:3]) in PHRASES and position + 3 < len(tokens):
        return " ".join(t.text for t in tokens[position : position + 3]), position + 3
    follows = tokens[position + 2] if position + 2 < len(tokens) else None
    known = [index for index, word in enumerate(words[:3]) if word in FIELDS or word.endswith("_id")]
    count = 0
    if " ".join(words[:2]) in PHRASES or (known[:1] == [0] and len(words) > 1 and words[1] in _TAILS):
        count = 2 if tokens[position + 1].text.islower() or not tokens[position].text.islower() else 1
    elif known[:1] == [0]:
        count = 1
    elif known[:1] == [1] and tokens[position].text.islower():
        # `billing email b@x.co` has a field. `check email today` has none.
        count = 2 if first or (words[1] in _TAILS and follows is not None and looks_like_name(follows)) else 0
    elif first and words and words[0] not in _CONNECTORS and (follows is None or separator(tokens, position + 2)):
        count = 1 if position + 1 < len(tokens) and looks_like_name(tokens[position + 1]) else 0
    value = position + count
    if not count or value >= len(tokens) or tokens[value].kind == "mark" or separator(tokens, value):
        return None
    return " ".join(token.text for token in tokens[position:value]), value


def parse_fields(
    tokens: Tokens, *, named: bool = False, markers: Sequence[str] = ("is", "as", "equals"), match: bool = False
) -> dict[str, str]:
    """Parses a list of fields such as `name Bob, email = b@x.co and city "New York"`.

    named: the list starts with the value of the field `name`.
    match: the fields identify records.
    A separator splits only before a field.
    Raises UnclearError: when a part is no field or a field occurs twice.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    position, name, cased = 0, "name", True
    if not named:
        start = field_at(tokens, 0, first=True, markers=markers)
        if start is None:
            raise UnclearError(f"Which fields does {text_of(tokens)!r} mean? Write them as `name: value`.")
        name, position = start
        cased = not name[0].islower()
    while True:
        end, following = _value_end(tokens, position, markers)
        value = tokens[position:end]
        if match and value and value[0].word in _COMPARISONS:
            raise UnclearError(f"I find records by equal values only. Which {name} exactly is meant?")
        if name.lower() in seen:
            raise UnclearError(f"{name} is told twice. Which value is right?")
        seen.add(name.lower())
        found[name] = read_value(value, what=f"value of {name}")
        _check_shape(name, value, found[name])
        if following is None:
            return found
        if following[0][0].isupper() and not cased and tokens[following[1] - 1].kind != "mark":
            raise UnclearError(f"Is {text_of(tokens[end:])!r} a field, or does it belong to {name}? Quotes help.")
        name, position = following


def _check_shape(name: str, tokens: Tokens, value: str) -> None:
    """Checks an unquoted value against the shape of its field, such as the `@` of an email.

    Raises UnclearError: when the field cannot have the value, which then is likely a misreading.
    """
    last = name.lower().split()[-1]
    if tokens[0].kind == "quoted":
        return
    wrong = last in ("email", "e-mail") and "@" not in value
    wrong = wrong or (last in ("phone", "telephone", "mobile", "fax") and not re.search(r"\d", value))
    wrong = wrong or (last in ("name", "username") and value.islower() and " and " in value)
    if wrong:
        raise UnclearError(f"Is {value!r} the {name}? Put it in quotes if so.")


def _value_end(tokens: Tokens, start: int, markers: Sequence[str]) -> tuple[int, tuple[str, int] | None]:
    """Returns the end of the value from `start`, and the name and value start of the next field, or None."""
    for position in range(start, len(tokens)):
        size = separator(tokens, position)
        if not size and (tokens[position].word in ("with", "having", "whose", "where") or tokens[position].text == ":"):
            size = 1
        if not size and position == start + 1 and _is_pair(tokens, position):
            # `name=Bob email=b@x.co` needs no separator. Behind a longer value the name of the field could be longer as
            # well.
            following = field_at(tokens, position, first=False, markers=markers)
            return (position, following) if following is not None else (len(tokens), None)
        if not size or tokens[position].kind == "quoted":
            continue
        if position + size == len(tokens):
            return position, None
        following = field_at(tokens, position + size, first=False, markers=markers)
        if following is not None:
            return position, following
    return len(tokens), None


def _is_pair(tokens: Tokens, position: int) -> bool:
    mark = tokens[position + 1] if position + 1 < len(tokens) else None
    if mark is None or mark.kind != "mark" or not names_field(tokens[position]):
        return False
    return mark.text == "=" or (mark.text == ":" and tokens[position].word in FIELDS)


def ends_in_free_text(fields: dict[str, str]) -> bool:
    """Checks whether the last field may hold a sentence. Then `to clients` behind the field may belong to its value."""
    return bool(fields) and list(fields)[-1].lower().split()[-1] in _FREE_TEXT


def identify(value: str) -> dict[str, str]:
    """Returns the most obvious field for a bare name, number or address."""
    plain = value.removeprefix("#")
    if re.fullmatch(r"[^\s@]+@[^\s@]+", value):
        return {"email": value}
    return (
        {"id": plain}
        if re.fullmatch(r"\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", plain)
        else {"name": value}
    )
