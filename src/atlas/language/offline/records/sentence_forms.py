"""The forms of a sentence on one record: `a client named Acme`, `Acme's phone to 5`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from atlas.kit.identifiers import singular
from atlas.language.offline.records.fields import ends_in_free_text, identify, parse_fields, read_value
from atlas.language.offline.records.tokens import (
    DETERMINERS,
    FIELDS,
    GENERIC,
    KINDS,
    NO_NAMES,
    NUMBERS,
    PHRASES,
    PLURAL_DETERMINERS,
    Token,
    Tokens,
    UnclearError,
    kind_of,
    kind_size,
    looks_like_name,
    text_of,
    trim,
)

_TABLE = frozenset("table list database collection".split())
_OPEN = frozenset("with where having whose".split())
_NAMED = frozenset("named called".split())
_STOP = _OPEN | _NAMED | {"to", "into", "in", "from", "who", "that"}
_EVERY = frozenset("all every everything everyone everybody each any".split())
_RELATIVE = frozenset("more less higher lower twice double half".split())
_TO = ("to", "=", "as")
_MARKERS = ("to", "is", "as", "equals")


@dataclass(slots=True)
class RecordRequest:
    """The request of a sentence.

    kind: None where the sentence names none.
    by: fields that identify the records below.
    count, plural, single: the number of records, where the sentence stands above a list.
    """

    intent: str
    kind: str | None = None
    hint: str | None = None
    data: dict[str, str] = field(default_factory=dict)
    match: dict[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    count: int | None = None
    plural: bool = False
    single: bool = False


def front_hint(tokens: Tokens) -> tuple[str, int, bool] | None:
    """Returns the table of `to my contacts` or `in the crm table` at the start.

    The result has the number of tokens as well, and whether the word `table` is there.
    """
    position = 1
    while position < len(tokens) and tokens[position].word in ("the", "my", "our", "your", "a", "an"):
        position += 1
    if position < len(tokens) and tokens[position].word == "table":
        position += 1
        sure = True
    else:
        sure = False
    for size in (1, 2, 3):
        end = position + size
        if end < len(tokens) and tokens[end].word in _TABLE and all(t.kind == "word" for t in tokens[position:end]):
            return " ".join(t.text for t in tokens[position:end]), end + 1, True
    if position >= len(tokens) or tokens[position].kind == "mark" or tokens[position].word in _STOP | GENERIC | {"it"}:
        return None
    if position + 1 < len(tokens) and tokens[position].kind == "quoted" and tokens[position + 1].word in _TABLE:
        return tokens[position].text, position + 2, True
    return tokens[position].text, position + 1, sure


def _tail_hint(tokens: Tokens, words: Iterable[str], kind: str | None) -> tuple[Tokens, str | None, bool]:
    """Removes `to clients` from the end of a sentence. Returns the rest, the table, and whether the table is certain.

    A bare word is a table only if the word is the plural of the record's kind, or a well-known kind itself.
    """
    for position in range(len(tokens) - 1, max(-1, len(tokens) - 8), -1):
        if tokens[position].kind != "word" or tokens[position].word not in words:
            continue
        front = front_hint(tokens[position:])
        if front is None or position + front[1] != len(tokens):
            return tokens, None, False
        one = singular(front[0].lower())
        if front[2] or (one == kind if kind is not None else one in KINDS):
            return tokens[:position], front[0], front[2]
        return tokens, None, False
    return tokens, None, False


def _head(tokens: Tokens, *, determined: bool, named: bool) -> tuple[str | None, Tokens]:
    """Returns the kind of record that the tokens start with, and the bare name behind: `client`, `Acme Corp`.

    determined: an article stands before.
    named: `named` or a colon stands behind.
    Raises UnclearError: when a word may be the kind or a name.
    """
    size = kind_size(tokens)
    if not size:
        first = tokens[0]
        plain = first.kind == "word" and first.text.isalpha() and (first.text.islower() or named)
        rest = tokens[1:]
        told_as_kind = (determined or named) and all(looks_like_name(token) for token in rest)
        # In `widget 5` and `widget "A"` the first word is the kind.
        before_value = bool(rest) and not determined and (rest[0].kind == "quoted" or not rest[0].text.isalpha())
        if plain and (told_as_kind or before_value):
            size = 1
        elif not determined and looks_like_name(first) and not named:
            return None, tokens
        else:
            raise UnclearError(f"Which kind of record is {text_of(tokens)!r}? Say it as in `a client named Acme`.")
    if size == 1 and singular(tokens[0].word) in GENERIC:
        return None, tokens[1:]
    return kind_of(tokens[:size]), tokens[size:]


def _remove_determiners(tokens: Tokens, *, lead: bool) -> tuple[Tokens, bool]:
    """Removes articles. Returns the rest, and whether there was an article.

    Raises UnclearError: for `three` or `these`, unless records follow.
    """
    start = 0
    while start < len(tokens) and tokens[start].word in DETERMINERS:
        start += 1
    if not lead and start < len(tokens) and tokens[start].word in PLURAL_DETERMINERS | set(NUMBERS):
        raise UnclearError("Which records exactly? Tell one record a sentence, or a list with the fields of each.")
    return tokens[start:], start > 0


def _head_end(tokens: Tokens) -> int:
    """Returns the end of the kind and the bare name of a record."""
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if token.word in _STOP or (token.kind == "mark" and token.text in ",:;="):
            return position
        mark = following.text if following is not None and following.kind == "mark" else ""
        if mark == "=" or (mark == ":" and token.word in FIELDS):
            return position
    return len(tokens)


def read_insert(tokens: Tokens, *, lead: bool) -> RecordRequest:
    """Reads a new record.

    lead: the fields may follow below the sentence.
    """
    hint, rest = None, tokens
    if rest and rest[0].word in ("into", "to", "in") and (front := front_hint(rest)):
        hint, rest = front[0], rest[front[1] :]
    rest, determined = _remove_determiners(rest, lead=lead)
    end = _head_end(rest)
    head, rest = rest[:end], rest[end:]
    named = bool(rest) and (rest[0].word in _NAMED or rest[0].text == ":")
    kind, bare = _head(head, determined=determined, named=named) if head else (None, head)
    plural = bool(head) and kind is not None and not bare and head[-1].word != singular(head[-1].word)
    if rest and rest[0].word in ("to", "into", "in") and (front := front_hint(rest)):
        if bare and len(rest) > front[1]:
            raise UnclearError(f"Where do the fields of {text_of(bare)!r} start? Write them as `name: value`.")
        if not bare:
            hint, rest = front[0], rest[front[1] :]
    rest, tail, sure = _tail_hint(rest, ("to", "into", "in"), kind)
    found = RecordRequest("insert", kind, tail or hint, plural=plural)
    found.data = _insert_fields(bare, rest, lead=lead, kind=kind)
    if tail and not sure and ends_in_free_text(found.data) and rest[-1].kind != "quoted":
        raise UnclearError(f"Is {tail!r} the table, or does it belong to the {list(found.data)[-1]}? Quotes help.")
    if plural and any(" and " in value or "," in value for value in found.data.values()) and not lead:
        raise UnclearError("Are these several records? Tell one a sentence, or a list with the fields of each.")
    if found.kind is None and found.hint:
        found.kind = singular(found.hint.lower())
    if found.kind is None and not lead:
        raise UnclearError(f"Which kind of record is {text_of(tokens)!r}? Say it as in `a client named Acme`.")
    return found


def _insert_fields(bare: Tokens, rest: Tokens, *, lead: bool, kind: str | None) -> dict[str, str]:
    """Reads the fields of a new record.

    bare: the name, if it stands directly behind the kind.
    """
    if not bare:
        rest = trim(rest, front=_OPEN | {",", ":"})
    if bare:
        if not rest or not looks_like_name(bare[0]) or (rest[0].word not in _OPEN and rest[0].word not in (",", ":")):
            raise UnclearError(
                f"Which field is {text_of(bare)!r}? Write it as `named {text_of(bare)}` or `name: value`."
            )
        data = parse_fields([*bare, *rest], named=True)
        found = identify(data["name"])
        if "id" in found or len(data) == 1:
            raise UnclearError(f"Which field is {text_of(bare)!r}? Write it as `name: value`.")
        if "email" in found:
            del data["name"]
            if any(name.lower() in ("email", "e-mail") for name in data):
                raise UnclearError("Two email addresses are told. Which one is right?")
        return found | data
    if not rest:
        if lead:
            return {}
        raise UnclearError(f"Which fields does the new {kind or 'record'} have?")
    if rest[0].word in _NAMED:
        return parse_fields(rest[1:], named=True)
    return parse_fields(rest)


def read_object(tokens: Tokens, *, lead: bool = False) -> RecordRequest:
    """Reads an existing record: its kind, its table, and the fields that identify the record, possibly none."""
    hint, rest = None, tokens
    if rest and rest[0].word in ("from", "in") and (front := front_hint(rest)):
        hint, rest = front[0], rest[front[1] :]
    every = bool(rest) and rest[0].word in _EVERY
    rest, determined = _remove_determiners(rest[1:] if every else rest, lead=lead)
    end = _head_end(rest)
    head, rest = rest[:end], rest[end:]
    named = bool(rest) and rest[0].word in _NAMED
    kind, bare = _head(head, determined=determined or every, named=named) if head else (None, head)
    size = len(head) - len(bare)
    plural = kind is not None and size > 0 and head[size - 1].word != singular(head[size - 1].word)
    rest, tail, _ = _tail_hint(rest, ("from", "in", "of"), kind)
    hint = tail or hint
    if kind is None and hint:
        kind = singular(hint.lower())
    match = _match(bare, rest)
    if plural and any(token.word == "and" for token in bare):
        raise UnclearError(f"Is {text_of(bare)!r} one record? Put its name in quotes if so, or tell one a sentence.")
    if every and (bare or not match):
        raise UnclearError("Which records exactly? Name the field and value that they have.")
    return RecordRequest("", kind, hint, {}, match, plural=plural)


def _match(bare: Tokens, rest: Tokens) -> dict[str, str]:
    """Reads the fields that identify a record.

    bare: a name behind the kind.
    rest: tokens such as `named Acme` or `with email a@b.co`.
    """
    if bare and bare[0].kind == "word" and bare[0].text.islower() and bare[0].word in FIELDS | KINDS | NO_NAMES:
        # `the client email a@b.co` may mean the email rather than the client. `deal id 42` means the deal.
        if bare[0].word != "id" or len(bare) != 2:
            raise UnclearError(
                f"Which record is {text_of(bare)!r}? Say it as in `with email a@b.co`, or put a name in quotes."
            )
        return parse_fields([*bare, *rest], match=True)
    if bare:
        match = parse_fields([*bare, *rest], named=True, match=True)
        found = identify(match.pop("name"))
        if any(name.lower() in found for name in match):
            raise UnclearError(f"{next(iter(found))} is told twice. Which value is right?")
        return found | match
    if not rest:
        return {}
    if rest[0].word in _NAMED:
        return parse_fields(rest[1:], named=True, match=True)
    if rest[0].word in _OPEN or rest[0].word in (":", "="):
        return parse_fields(rest[1:], match=True)
    raise UnclearError(f"Which record do you mean by {text_of(rest)!r}? Name a field that identifies it.")


def _index(tokens: Tokens, words: Iterable[str], start: int = 0) -> int:
    """Returns the place of the first of some words or marks, or -1."""
    return next((i for i in range(start, len(tokens)) if tokens[i].kind != "quoted" and tokens[i].word in words), -1)


def read_update(verb: str, tokens: Tokens) -> RecordRequest:
    """Reads a change of one record, in any word order of English."""
    if verb == "rename":
        return _rename(tokens)
    if _index(tokens, _EVERY) == 0 and _index(tokens, _OPEN) < 0:
        raise UnclearError("Which records exactly? Name the field and value that they have.")
    owners = [i for i, t in enumerate(tokens) if t.kind == "word" and t.word.replace("’", "'").endswith(("'s", "s'"))]
    start = _index(tokens, ("set", "change", "update"), 1)
    if start > 0 and not (owners and owners[0] < start):
        return _build_update(tokens[:start], tokens[start + 1 :])
    if owners:
        if len(owners) > 1 or owners[0] + 1 >= len(tokens):
            raise UnclearError(f"Whose field should be changed in {text_of(tokens)!r}? Put names in quotes.")
        owner = _owner(tokens[: owners[0] + 1])
        return _build_update(owner, tokens[owners[0] + 1 :])
    tokens = trim(tokens, front=DETERMINERS)
    to, of = _index(tokens, _TO, 1), _index(tokens, ("of", "for", "on"), 1)
    if any(t.text == ":" and t.kind == "mark" for t in tokens):
        return _by_colon(tokens)
    if verb == "mark" and not 0 < of < to:
        raise UnclearError(
            f"Which field should become {text_of(tokens[to + 1 :])!r}?"
            if to > 0
            else "Which field should be changed, and to what?"
        )
    if to < 0:
        raise UnclearError("Which record should be updated, which of its fields, and to what?")
    if 0 < of < to and " ".join(t.word for t in tokens[:3]) not in PHRASES:
        # `the phone of client Acme to 5` has the record between `of` and `to`.
        if of > 3 or (of > 1 and tokens[of - 1].word not in FIELDS):
            raise UnclearError(f"Which field should be changed in {text_of(tokens)!r}?")
        return _build_update(tokens[of + 1 : to], [*tokens[:of], *tokens[to:]])
    return _for_last(tokens, to)


def _owner(tokens: Tokens) -> Tokens:
    """Reduces `Acme Corp's` to `Acme Corp`."""
    last = tokens[-1]
    if last.word.replace("’", "'") == "'s":
        return tokens[:-1]
    return [*tokens[:-1], replace(last, text=last.text[:-2] if last.text[-1] in "sS" else last.text[:-1])]


def _by_colon(tokens: Tokens) -> RecordRequest:
    """Reads `client 42: status = closed`."""
    error = UnclearError("Which record should be updated, and which of its fields?")
    marks = [i for i, token in enumerate(tokens) if token.kind == "mark" and token.text == ":"]
    # A colon may stand within the fields on either side as well.
    for mark in marks[:3]:
        try:
            if read_object(tokens[:mark]).match:
                return _build_update(tokens[:mark], tokens[mark + 1 :])
        except UnclearError as reason:
            error = reason
    raise error


def _for_last(tokens: Tokens, to: int) -> RecordRequest:
    """Reads `status to closed for deal 42`."""
    for words in (("for",), ("of", "on")):
        found = [i for i in range(to + 1, len(tokens)) if tokens[i].kind == "word" and tokens[i].word in words]
        if len(found) == 1:
            return _build_update(tokens[found[0] + 1 :], tokens[: found[0]])
        if found:
            raise UnclearError(f"Which record is meant in {text_of(tokens)!r}? Put values in quotes.")
    rest, hint, _ = _tail_hint(tokens, ("in", "of"), None)
    where = _index(rest, ("where", "whose"))
    if where > to and hint:
        return _build_update([Token("in", "word"), Token(hint, "quoted"), *rest[where:]], rest[:where])
    raise UnclearError(f"Which record should be updated? I read {text_of(tokens)!r}.")


def _build_update(found: Tokens, changes: Tokens) -> RecordRequest:
    """Builds an update.

    found: tokens that identify the record.
    changes: tokens with the new values.
    """
    found = trim(found, back=(",", ":", "and", "to"))
    where = _index(changes, ("where", "whose"))
    entity = read_object([*found, *(changes[where:] if where >= 0 else [])]) if found else None
    changes = changes[:where] if where >= 0 else changes
    if entity is None or not entity.match:
        raise UnclearError("Which record should be updated? Name a field that identifies it.")
    changes = trim(changes, front=(",", ":"))
    changes, hint, _ = _tail_hint(changes, ("in",), entity.kind)
    if not changes or _index(changes, _OPEN) >= 0:
        raise UnclearError(f"What should be changed in the {entity.kind or 'record'}? Say it as in `set phone to 5`.")
    if any(token.word in _RELATIVE for token in changes):
        raise UnclearError("I set values only. What exactly is the new value? Words of a value can stand in quotes.")
    data = parse_fields(changes, markers=_MARKERS)
    return RecordRequest("update", entity.kind, entity.hint or hint, data, entity.match)


def _rename(tokens: Tokens) -> RecordRequest:
    """Reads `rename the client Acme to Beta`."""
    to = _index(tokens, ("to", "as"))
    if to <= 0 or to + 1 >= len(tokens):
        raise UnclearError("Which record should be renamed, and to what?")
    entity = read_object(tokens[:to])
    if not entity.match:
        raise UnclearError("I rename records only. Which record should be renamed?")
    return RecordRequest(
        "update", entity.kind, entity.hint, {"name": read_value(tokens[to + 1 :], what="name")}, entity.match
    )
