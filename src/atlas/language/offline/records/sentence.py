"""Parses sentences on records: `Add a client named Acme with email a@b.co`, `Change Acme's phone to 5`."""

from __future__ import annotations

from dataclasses import replace

from atlas.language.offline.records.sentence_forms import (
    RecordRequest,
    front_hint,
    read_insert,
    read_object,
    read_update,
)
from atlas.language.offline.records.tokens import (
    DETERMINERS,
    FIELDS,
    INTENTS,
    NUMBERS,
    PHRASES,
    PLURAL_DETERMINERS,
    Token,
    Tokens,
    UnclearError,
    check_gates,
    text_of,
    trim,
)

_POLITE = frozenset(
    """hi hello hey please pls thanks thank you kindly ok okay now then also and so just great dear all team there
    everyone cheers regards many best good morning afternoon evening very much for me us""".split()
)
_START = frozenset("please pls kindly hi hello hey ok okay now then also and so just thanks , ".split())
_REQUESTS = [
    phrase.split()
    for phrase in (
        "can you|could you|would you|will you|i want you to|i need you to|i would like you to|i'd like you to|i want to|"
        "i need to|i would like to|i'd like to|we want to|we need to|we would like to|let's|let us|let me|"
        "go ahead and|you should|you can"
    ).split("|")
]
_REPHRASED = {
    ("bring", "back"): "restore",
    ("get", "rid", "of"): "archive",
    ("roll", "back"): "undo",
    ("take", "back"): "undo",
}
_QUESTIONS = frozenset("how what who which where when why is are do does did has have was were should".split())
_UNDO = frozenset(
    """that this it my the last latest previous most recent import change changes update action instruction one step
    operation upload insert write edit addition please""".split()
)
_LEAD_END = frozenset(
    """following details data fields field values information info records record entries entry these those below the
    new this with using as follows listed attributes properties them it , :""".split()
)
_BY = frozenset("by using on via".split())
_BEFORE_BY = frozenset("identified matched matching match keyed based found looked up find them it".split())


def remove_politeness(tokens: Tokens) -> Tokens:
    """Removes `please`, `can you` and similar words from a sentence. The result is empty if no other words remain."""
    if all(token.word in _POLITE or token.kind == "mark" for token in tokens if token.text != "?"):
        return [] if not any(token.text == "?" for token in tokens) else tokens
    start, asked = 0, False
    while start < len(tokens):
        if tokens[start].word in _START:
            start += 1
            continue
        words = [token.word for token in tokens[start : start + 5]]
        phrase = next((p for p in _REQUESTS if words[: len(p)] == p), None)
        if phrase is None:
            break
        asked = asked or phrase[-1] == "you"
        start += len(phrase)
    end = len(tokens) - (1 if asked and tokens[-1].text == "?" else 0)
    while end > start + 1:
        words = [token.word for token in tokens[end - 2 : end]]
        size = (
            2
            if words in (["thank", "you"], ["for", "me"], ["for", "us"])
            else int(words[-1] in ("please", "pls", "thanks", ","))
        )
        if not size:
            break
        end -= size
    return _rephrase(tokens[start:end])


def _rephrase(tokens: Tokens) -> Tokens:
    for phrase, verb in _REPHRASED.items():
        if tuple(token.word for token in tokens[: len(phrase)]) == phrase:
            return [Token(verb, "word"), *tokens[len(phrase) :]]
    return tokens


def _verb(tokens: Tokens) -> tuple[str, Tokens, str | None]:
    """Returns the intent of a sentence, the tokens behind the verb, and the table of `In the clients table, ...`."""
    hint = None
    check_gates(tokens)
    if tokens[0].word == "in" and (front := front_hint(tokens)) is not None:
        hint, size, _ = front
        tokens = tokens[size + 1 :] if size < len(tokens) and tokens[size].text == "," else tokens
    if tokens and tokens[0].word == "for":
        tokens = _for_first(tokens)
    if not tokens or tokens[0].word not in INTENTS or tokens[-1].text == "?":
        if tokens and (tokens[-1].text == "?" or tokens[0].word in _QUESTIONS):
            raise UnclearError(
                "This is a question, and I only write: insert, update, archive or restore records. What should be written?"
            )
        raise UnclearError(
            "I can insert, update, archive or restore records. What should be done, and with which record?"
        )
    return INTENTS[tokens[0].word], tokens[1:], hint


def _for_first(tokens: Tokens) -> Tokens:
    """Rearranges `For deal 42, set status to closed` to `set status to closed for deal 42`."""
    for position, token in enumerate(tokens[:-1]):
        if token.kind == "mark" and token.text in ",:" and INTENTS.get(tokens[position + 1].word) == "update":
            return [*tokens[position + 1 :], *tokens[:position]]
    return tokens


def read_sentence(tokens: Tokens) -> RecordRequest:
    """Reads the request of a sentence on its own.

    Raises UnclearError: when the sentence is unclear.
    """
    intent, rest, hint = _verb(tokens)
    if intent == "undo":
        if all(token.word in _UNDO for token in rest):
            return RecordRequest("undo")
        raise UnclearError("What should be undone? I undo the last change only, told as `undo that`.")
    if intent == "insert":
        found = read_insert(rest, lead=False)
    elif intent == "update":
        found = read_update(tokens[-len(rest) - 1].word, rest)
    else:
        found = read_object(rest)
        if not found.match:
            raise UnclearError(f"Which {found.kind or 'record'} should be {intent}d? Name a field that identifies it.")
        if found.kind is None:
            raise UnclearError(f"Which kind of record is {text_of(rest)!r}? Say it as in `the client Acme`.")
    if hint is not None and found.hint not in (None, hint):
        raise UnclearError(f"Is it the table {hint} or {found.hint}?")
    return replace(found, intent=intent, hint=found.hint or hint)


def read_lead(tokens: Tokens) -> RecordRequest:
    """Reads the request of a sentence that precedes a list of records.

    Raises UnclearError: when the sentence is unclear.
    """
    intent, rest, hint = _verb(tokens)
    if intent == "undo":
        raise UnclearError("What should be undone, and what should be done with the records?")
    rest, by = _by(trim(rest, back=_LEAD_END))
    rest = trim(rest, back=_LEAD_END)
    count, plural, rest = _count(rest)
    if not rest:
        found = RecordRequest(intent)
    elif intent == "insert":
        found = read_insert(rest, lead=True)
    elif rest[0].word in PHRASES | FIELDS or any(t.word.endswith("'s") for t in rest):
        raise UnclearError(f"Which record does {text_of(tokens)!r} mean, and what should be changed?")
    else:
        found = read_object(rest, lead=True)
    if by and found.match:
        raise UnclearError("You tell two ways to find the record. Which one is right?")
    plural = plural or found.plural
    single = not plural and bool(rest) and rest[0].word in ("a", "an", "another", "this")
    return replace(found, intent=intent, hint=found.hint or hint, by=by, count=count, plural=plural, single=single)


def _by(tokens: Tokens) -> tuple[Tokens, tuple[str, ...]]:
    """Removes `by email` or `identified by name and city` from the end of a sentence.

    Returns the sentence and the fields.
    """
    for position in range(len(tokens) - 1, -1, -1):
        if tokens[position].word in _BY and tokens[position].kind == "word":
            names: list[list[str]] = [[]]
            for token in tokens[position + 1 :]:
                if token.word in ("and", ","):
                    names.append([])
                elif token.kind != "word":
                    raise UnclearError(f"Which field is meant by {text_of(tokens[position:])!r}?")
                elif token.word not in ("their", "its", "the", "same", "field", "column"):
                    names[-1].append(token.text)
            start = position
            while start and tokens[start - 1].word in _BEFORE_BY:
                start -= 1
            if not all(names) or any(len(name) > 3 for name in names):
                raise UnclearError(f"Which field is meant by {text_of(tokens[position:])!r}?")
            return tokens[:start], tuple(" ".join(name) for name in names)
    return tokens, ()


def _count(tokens: Tokens) -> tuple[int | None, bool, Tokens]:
    """Returns the number of records that a sentence starts with, whether several are asked for, and the rest."""
    count, plural, start = None, False, 0
    while start < len(tokens) and tokens[start].kind == "word":
        word = tokens[start].word
        if word in NUMBERS or (word.isascii() and word.isdigit() and len(word) < 5):
            count, plural = NUMBERS.get(word) or int(word), True
        elif word in PLURAL_DETERMINERS or (
            word == "all" and start + 1 < len(tokens) and tokens[start + 1].word in ("these", "of")
        ):
            plural = True
        elif word not in DETERMINERS | {"of"}:
            break
        start += 1
    # Articles belong to the following words.
    return (count, plural, tokens[start:] if plural else tokens)
