"""Reads a text as the answer to what an instruction of the conversation asked back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from atlas.kit.close_names import close_name
from atlas.language.offline.records.entities import RecordInstruction
from atlas.language.offline.records.note_people import PeopleReader
from atlas.language.offline.records.table_words import words_of_tables
from atlas.language.offline.records.tokens import UnclearError
from atlas.records.pending_repository import Pending
from atlas.tables.model import Table

_YES = re.compile(
    r"(?:yes|yep|yeah|ok|okay|sure|do it|go ahead|confirm(?:ed)?|please do|correct|ja|jawohl|genau|mach das|oui|"
    r"d'accord|sí|si|claro|adelante|hazlo)(?:[ ,]+(?:please|do it|go ahead|bitte|gern|svp|por favor))?[\s.!]*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:no|nope|cancel|stop|never ?mind|don't|do not|forget it|nein|abbrechen|lass es|non|annule[rz]?|cancelar?)"
    r"(?:[ ,]+(?:thanks|thank you|danke|merci|gracias))?[\s.!]*",
    re.IGNORECASE,
)
_UPDATE = re.compile(
    r"(?:(?:yes|ja|oui|sí)[, ]+)?(?:update|aktualisier|mets? .*à jour|actualiza)\w*"
    r"(?: (?:it|him|her|them|ihn|sie))?[\s.!]*",
    re.IGNORECASE,
)
_THE_ONE = re.compile(
    r"(?:i mean |it is |it's |ich meine |je veux dire |me refiero a )?"
    r"(?:the (?:one|row|record)|that|den|die|das|der|celui|celle|el|la)?\s*"
    r"(?:who |that |which |is |mit |with |avec |con |whose )*",
    re.IGNORECASE,
)
_TABLE = re.compile(
    r"(?:(?:in|to|into|the|table|die|der|tabelle|la|le|tabla|it is|it's|i mean)\s+)*"
    r"(?P<name>[\w ]{1,60}?)(?:\s+(?:table|tabelle))?[\s.!]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to carry out.

    text: the instruction, which is the earlier one where the reply answers its question.
    among: the only tables to choose from.
    match: further fields that tell the row from others.
    confirmed: the fingerprint of what was shown and agreed to.
    """

    text: str
    among: tuple[Table, ...] = ()
    match: dict[str, str] = field(default_factory=dict)
    confirmed: str | None = None
    declined: bool = False
    update: bool = False

    def applied(self, said: RecordInstruction) -> RecordInstruction:
        """Adds what the reply says to an instruction."""
        if said.question is not None:
            return said
        entities = said.entities
        if self.among:
            entities = tuple(replace(entity, table_hint=self.among[0].name) for entity in entities)
        if self.match and len(entities) == 1 and not entities[0].every:
            entities = (replace(entities[0], match={**entities[0].match, **self.match}),)
        return replace(said, entities=entities)


def read_reply(text: str, asked: Pending, tables: Sequence[Table]) -> Reply:
    """Reads a text of a conversation in which something was asked. A text that is no answer is an instruction."""
    plain = text.strip()
    before = Reply(asked.text, _named(asked.table_name, tables), dict(asked.match))
    if _NO.fullmatch(plain):
        return replace(before, declined=True)
    if asked.asks == "yes" and _YES.fullmatch(plain):
        return replace(before, confirmed=asked.fingerprint)
    if asked.asks == "update" and (_YES.fullmatch(plain) or _UPDATE.fullmatch(plain)):
        return replace(before, update=True)
    if asked.asks == "table" and (found := _TABLE.fullmatch(plain)) is not None:
        name = close_name(found["name"], [table.name for table in tables], slips=False)
        if name is not None:
            return replace(before, among=_named(name, tables))
    if asked.asks == "row" and (match := _fields_of(plain, before.among or tables)):
        return replace(before, match={**before.match, **match})
    return Reply(text)


def _named(name: str | None, tables: Sequence[Table]) -> tuple[Table, ...]:
    return tuple(table for table in tables if table.name == name)


def _fields_of(text: str, tables: Sequence[Table]) -> dict[str, str]:
    """Returns the fields by which a reply tells one row from others, such as `the one in Hamburg`."""
    start = _THE_ONE.match(text)
    rest = text[start.end() :] if start else text
    for words in words_of_tables(tables):
        kind = re.match(rf"(?:{'|'.join(map(re.escape, words.kinds))})\s+", rest, re.IGNORECASE)
        told = rest[kind.end() :] if kind else rest
        try:
            records = PeopleReader(told, words, partial=True).read()
        except UnclearError:
            continue
        if len(records) == 1:
            return records[0]
    return {}
