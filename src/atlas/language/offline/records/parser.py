"""Parses texts on records, in Markdown or plain English: insert, update, archive or restore.

The parser never guesses what to write. An unclear text becomes a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atlas.kit.identifiers import singular
from atlas.kit.plurals import many
from atlas.language.offline.records.entities import Entity, RecordInstruction
from atlas.language.offline.records.fields import identify
from atlas.language.offline.records.markdown import Document, Record, Section, plain_name, read_document
from atlas.language.offline.records.notes import read_note
from atlas.language.offline.records.sentence import read_lead, read_sentence, remove_politeness
from atlas.language.offline.records.sentence_forms import RecordRequest
from atlas.language.offline.records.tokens import (
    GENERIC,
    INTENTS,
    Token,
    UnclearError,
    check_gates,
    kind_of,
    kind_size,
    sentences,
    text_of,
    tokenize,
)
from atlas.tables.model import Table

__all__ = ["MAX_ENTITIES", "Entity", "RecordInstruction", "parse_records"]

MAX_CHARACTERS = 100_000
MAX_LINES = 10_000
MAX_ENTITIES = 1_000
_ABILITIES = "I can insert, update, archive or restore records, and undo that."
_NO_TITLES = frozenset("details detail information info data fields field values profile attributes properties".split())


def parse_records(text: str, tables: Sequence[Table] = ()) -> RecordInstruction:
    """Parses a text on records. Never raises.

    tables: known tables, whose words a note in everyday language may use.
    """
    note = read_note(text, tables)
    if note is not None and note.intent in ("update", "archive"):
        # With the words of the tables, conditions and columns are known more precisely.
        return note
    try:
        intent, entities = _read(text)
    except UnclearError as question:
        return note or RecordInstruction(None, (), str(question))
    if note is not None and any(entity.entity_type == "record" and not entity.table_hint for entity in entities):
        # The text names no table, but its words are those of one table only.
        return note
    return RecordInstruction(intent, tuple(entities))


def _read(text: str) -> tuple[str, list[Entity]]:
    if len(text) > MAX_CHARACTERS:
        raise UnclearError(f"The text has over {MAX_CHARACTERS:,} characters. Can you send it in parts, or as a file?")
    if text.count("\n") + text.count("\r") > MAX_LINES:
        raise UnclearError(f"The text has over {MAX_LINES:,} lines. Can you send it in parts, or as a file?")
    if not text.strip():
        raise UnclearError(f"What should be written? {_ABILITIES}")
    if text.strip()[0] in "{[":
        raise UnclearError("This looks like JSON. Can you send it as application/json, or as a list of fields?")
    document = read_document(text.replace("\0", " "))
    if sum(len(section.records) for section in document.sections) > MAX_ENTITIES:
        raise UnclearError(f"The text names over {MAX_ENTITIES:,} records. Can you send them as a file?")
    if any(section.records for section in document.sections):
        return _from_document(document)
    prose = [*(section.title for section in document.sections), *document.prose]
    parts = [part for paragraph in prose for part in sentences(tokenize(paragraph))]
    return _one_intent([read_sentence(part) for part in map(remove_politeness, parts) if part])


def _one_intent(found: list[RecordRequest]) -> tuple[str, list[Entity]]:
    """Returns the common intent and the entities of sentences.

    Raises UnclearError: when the intents differ.
    """
    if not found:
        raise UnclearError(f"What should be written? {_ABILITIES}")
    intents = list(dict.fromkeys(item.intent for item in found))
    if len(intents) > 1:
        raise UnclearError(f"Should this be {intents[0]} or {intents[1]}? One at a time, please.")
    if len(found) > MAX_ENTITIES:
        raise UnclearError(f"The text names over {MAX_ENTITIES:,} records. Can you send them as a file?")
    if intents == ["undo"]:
        if len(found) > 1:
            raise UnclearError("What should be undone? I undo the last change only.")
        return "undo", []
    return intents[0], [Entity(item.kind or "record", item.hint, item.data, item.match) for item in found]


def _from_document(document: Document) -> tuple[str, list[Entity]]:
    """Returns the intent and the entities of fields under headings. A sentence or the headings give the intent."""
    general: RecordRequest | None = None
    for paragraph in document.prose:
        for part in map(remove_politeness, sentences(tokenize(paragraph))):
            if not part:
                continue
            lead = read_lead(part)
            if general is not None:
                _one_intent([general, lead])
                raise UnclearError("Two sentences say what to do with the records. Can you send one at a time?")
            general = lead
    kinds: list[tuple[int, str]] = []
    found: list[tuple[RecordRequest, Section, str | None]] = []
    for index, section in enumerate(document.sections):
        kinds = [(level, kind) for level, kind in kinds if level < section.level]
        own, kind = _title(section, general, kinds[-1][1] if kinds else None)
        following = document.sections[index + 1].level if index + 1 < len(document.sections) else 0
        if section.records:
            if own is None and general is None:
                raise UnclearError("Should these records be inserted, updated, archived or restored?")
            found.append((own or general or RecordRequest("insert"), section, kind))
        elif following > section.level:
            general = general or own
            kinds += [(section.level, kind)] if kind else []
        elif section.title and own is not None and general is None and not found:
            general = own
        elif section.title:
            raise UnclearError(f"There are no fields under {section.title[:80]!r}. What does it mean?")
    leads = list({id(lead): lead for lead, _, _ in found}.values())
    if general is not None and not any(lead is general for lead in leads):
        leads.append(general)
    intent = _one_intent(leads)[0]
    if any(lead.single and len(section.records) > 1 for lead, section, _ in found):
        # Two phone numbers of one client are not two clients.
        raise UnclearError("You tell of one record, and I find several. Can you give each a heading of its own?")
    for lead in leads:
        _check_count(lead, [record for used, section, _ in found if used is lead for record in section.records])
    return intent, [_entity(lead, kind, record) for lead, section, kind in found for record in section.records]


def _title(
    section: Section, general: RecordRequest | None, parent: str | None
) -> tuple[RecordRequest | None, str | None]:
    """Returns the request of a heading, and the kind of the records below. Either may be None."""
    known = (general.kind if general else None) or parent
    if not section.title:
        return None, known
    if len(section.title) > 200:
        raise UnclearError("A heading is very long. Which kind of record stands below it?")
    tokens = remove_politeness(tokenize(section.title))
    if len(tokens) > 1 and tokens[0].word == "new" and kind_size(tokens[1:]) == len(tokens) - 1:
        # `New contacts` above a list asks for contacts to be added.
        tokens = [Token("add", "word"), *tokens]
    if tokens and tokens[0].word in INTENTS:
        own = read_lead(tokens)
        if own.kind and known and own.kind != known:
            raise UnclearError(f"Is this a {known} or a {own.kind}?")
        return own, own.kind or known
    kind = _heading_kind(section.title, known, section.records)
    return None, kind or known


def _heading_kind(title: str, known: str | None, records: list[Record]) -> str | None:
    """Returns the kind of record that a title names:

    `New client`, `Clients`, `Client 1`, `Client: Acme`. None for `Details`.

    known: the kind from another place.
    Raises UnclearError: when the title is rather a name, or names another kind.
    """
    check_gates(tokenize(title))
    parts = re.search(r":|\s[-–—](?=\s)", title)
    head, name = (title[: parts.start()], title[parts.end() :].strip()) if parts else (title, "")
    words = [word for word in tokenize(head) if not re.fullmatch(r"#?\d+\.?", word.text) and word.kind == "word"]
    while words and words[0].word in ("new", "the", "a", "an", "my", "our"):
        words = words[1:]
    while words and words[-1].word in _NO_TITLES:
        words = words[:-1]
    if name and not all(name.lower() in map(str.lower, record.fields.values()) for record in records):
        raise UnclearError(f"Is {name[:80]!r} a value of the record? Put it into the list of its fields.")
    if not words or (len(words) == 1 and singular(words[0].word) in GENERIC):
        return None
    kind = kind_of(words)
    if known is not None and kind != known:
        raise UnclearError(f"Is {text_of(words)!r} a kind of record or the name of a {known}?")
    if kind != known and kind_size(words) != len(words) and (len(words) > 1 or not words[0].text.isalpha()):
        raise UnclearError(f"Is {text_of(words)!r} the kind of record, or a record's name?")
    return kind


def _check_count(lead: RecordRequest, records: list[Record]) -> None:
    """Checks that the records have the number that the sentence names.

    Raises UnclearError: when the number differs.
    """
    if lead.count is not None and lead.count != len(records):
        raise UnclearError(
            f"You tell of {many(lead.count, 'record')}, and I find {len(records)}. Which ones are meant?"
        )
    if (lead.data or lead.match) and len(records) != 1:
        raise UnclearError("The sentence names values, and there are several records. Which record do they belong to?")
    if (
        lead.plural
        and len(records) == 1
        and len(records[0].fields) > 1
        and not any(
            plain_name(name) in ("name", "id", "email", "phone", "title") or (len(name.split()) == 1 and name.islower())
            for name in records[0].fields
        )
    ):
        # `- Acme: a@b.co` and `- Beta: c@d.co` are two clients rather than two fields.
        raise UnclearError("You tell of several records, and I find the fields of one. Which fields does each have?")


def _entity(lead: RecordRequest, kind: str | None, record: Record) -> Entity:
    """Builds the entity of a record and of the sentence above the record."""
    kind = kind or (singular(lead.hint.lower()) if lead.hint else None)
    if kind is None and lead.intent == "insert":
        raise UnclearError("Which kind of record is this? Say it as in `Add a client:`.")
    kind = kind or "record"
    fields = {name: value for name, value in record.fields.items() if value}
    if record.title and (fields or lead.intent in ("insert", "update")):
        # Numbers of a list such as `Client 1` have no meaning.
        _heading_kind(record.title, kind, [record])
    if lead.intent == "insert":
        data = lead.data | fields
        if any(data[name] != value for name, value in lead.data.items()) or _repeats(data):
            raise UnclearError(f"A value of the {kind} is told twice. Which one is right?")
        if not data:
            raise UnclearError(f"Which fields does the new {kind} have?")
        return Entity(kind, lead.hint, data)
    if lead.intent == "update":
        return _update(lead, kind, record.fields)
    match = identify(record.title) if record.title and not fields else fields
    if lead.by:
        match = {name: fields[name] for name in _find_named(lead.by, fields, kind)}
    if not match or any(lead.match.get(name, value) != value for name, value in match.items()):
        raise UnclearError(f"Which {kind} should be {lead.intent}d? Name a field that identifies it.")
    return Entity(kind, lead.hint, {}, lead.match | match)


def _repeats(fields: dict[str, str]) -> bool:
    return len({plain_name(name) for name in fields}) < len(fields)


def _update(lead: RecordRequest, kind: str, fields: dict[str, str]) -> Entity:
    """Builds an update.

    The record is found by the fields that the sentence names, else by its id, email or `..._id`.
    """
    empty = next((name for name, value in fields.items() if not value), None)
    if empty is not None:
        raise UnclearError(f"{empty} has no value. Should it stay as it is, or be emptied?")
    if lead.match:
        match = lead.match
        keys = {name for name, value in fields.items() if match_value(match, name) == value}
    else:
        keys = set(_find_named(lead.by, fields, kind) if lead.by else _identifier(fields, kind))
        match = {name: value for name, value in fields.items() if name in keys}
    data = {name: value for name, value in fields.items() if name not in keys}
    if not data:
        raise UnclearError(f"What should be changed in the {kind}?")
    return Entity(kind, lead.hint, data, match)


def match_value(match: dict[str, str], name: str) -> str | None:
    """Returns the value that a match has for a field, in any spelling of the name."""
    return next((value for told_name, value in match.items() if plain_name(told_name) == plain_name(name)), None)


def _find_named(names: tuple[str, ...], fields: dict[str, str], kind: str) -> list[str]:
    """Returns the fields of a record that a sentence names.

    Raises UnclearError: when the record lacks a field.
    """
    by_name = {plain_name(name): name for name, value in fields.items() if value}
    missing = [name for name in names if plain_name(name) not in by_name]
    if missing:
        raise UnclearError(f"A {kind} has no field {missing[0]!r} to find it by. Which field identifies it?")
    return [by_name[plain_name(name)] for name in names]


def _identifier(fields: dict[str, str], kind: str) -> list[str]:
    by_name = {plain_name(name): name for name in fields}
    for name in ("id", "email", plain_name(f"{kind}_id")):
        if name in by_name:
            return [by_name[name]]
    ids = [name for name in fields if re.search(r"[_ ]id$", name, re.IGNORECASE)]
    if len(ids) != 1:
        raise UnclearError(f"Which field identifies the {kind} to update?")
    return ids
