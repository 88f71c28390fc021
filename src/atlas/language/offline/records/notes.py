"""Reads notes as people write them, with the tables that they may mean: in four languages, e-mails included.

A note is read only as a whole. What no table's words explain is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from atlas.kit.identifiers import singular
from atlas.language.offline.records.entities import Entity, RecordInstruction
from atlas.language.offline.records.mail_text import request_of
from atlas.language.offline.records.note_changes import ChangeReader
from atlas.language.offline.records.note_people import PeopleReader
from atlas.language.offline.records.note_words import POLITE
from atlas.language.offline.records.table_words import TableWords, kind_pattern, words_of_tables
from atlas.language.offline.records.tokens import UnclearError
from atlas.tables.model import Table

_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "\t": " ", "\u00a0": " "}
)
_ADD = (
    r"(?:add|create|insert|register|save|store|enter|record|put|fügen?(?: sie)?|legen?(?: sie)?|erstellen?(?: sie)?|erfassen?(?: sie)?|nimm|"
    r"nehmen sie|tragen?(?: sie)?|ajoute[rz]?|crée[rz]?|créer|enregistre[rz]?|insère|añad[ae]|añadir|agreg[au]e?|agregar|cre[ae]|crear|"
    r"registr[ae]|registrar|insert[ae]r?)"
)
_ONE = r"a|an|another|the|this|one|ein|eine|einen|der|die|das|den|un|une|le|la|uno|una|el|este"
_MANY = r"these|following|some|two|three|four|five|folgende[rns]?|diese|zwei|drei|vier|les|des|ces|suivante?s?|deux|trois|los|las|estos|siguientes?|dos|tres"
_NEW = r"new|neue[rns]?|nouve(?:au|aux|lle|lles)|nuev[oa]s?"
_DET = rf"(?P<det>(?:(?:{_ONE}|{_MANY}|{_NEW}|our|my|us|me|bitte|unseren?|nos|notre)\s+)*)"
_TAIL_VERB = r"(?:anlegen|hinzufügen|erstellen|erfassen|aufnehmen|eintragen|añadir|agregar|crear|ajouter|créer)"
_INTO = (
    r"(?:to|into|in|zu|zum|zur|zu den|dans|à|aux?|en|a)\s+(?:the\s+|our\s+|my\s+|den\s+|die\s+|der\s+|unseren?\s+|les\s+|nos\s+|la\s+|los\s+|las\s+|mis\s+|"
    r"list of\s+)*"
)
_COUNTS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "deux": 2,
    "trois": 3,
    "dos": 2,
    "tres": 3,
}
# Words with which a note may ask for something else, or for nothing.
_DENIED = re.compile(
    r"\b(?:do not|don't|never|not|no longer|nicht|kein\w*|niemals|ne|n'|pas|jamais|aucune?|nunca|ningun\w*|unless|if|maybe|perhaps|wenn|falls|"
    r"vielleicht|si|quizás|peut-être)\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?m)^\s*(?:#|\||>|```)")
_MOST = 4_000


def read_note(text: str, tables: Sequence[Table]) -> RecordInstruction | None:
    """Reads a note that names records of known tables. None: the note is not of the forms that are read.

    The result has a question where the note is such a form and a part is unclear.
    """
    plain = re.sub(r"[^\S\n]+", " ", request_of(text).translate(_QUOTES).replace("\r", "")).strip()
    if not plain or len(plain) > _MOST or _MARKED.search(plain) or not tables:
        return None
    unquoted = re.sub(r"\"[^\"]*\"", "", plain)
    if _DENIED.search(unquoted) or unquoted.rstrip().endswith("?") or '"' in unquoted:
        return None
    start = re.compile(POLITE, re.IGNORECASE).match(plain)
    plain = plain[start.end() :] if start else plain
    words = words_of_tables(tables)
    asked = _asked_for_new(plain, words)
    found: list[tuple[str, list[Entity]]] = []
    questions: list[str] = []
    for each in words:
        try:
            if asked is None:
                read = _changed(plain, each)
            else:
                read = _new_records(asked, each, words) if asked.kind in each.kinds else None
        except UnclearError as question:
            questions.append(str(question))
            continue
        if read is not None:
            found.append(read)
    if len(found) > 1:
        names = " or ".join(entities[0].table_hint or "" for _, entities in found[:5])
        return RecordInstruction(None, (), f"Which table is meant: {names}?")
    if found:
        return RecordInstruction(found[0][0], tuple(found[0][1]))
    return RecordInstruction(None, (), questions[0]) if len(set(questions)) == 1 else None


def _changed(text: str, words: TableWords) -> tuple[str, list[Entity]] | None:
    read = ChangeReader(text, words).read()
    return None if read is None else (read[0], [read[1]])


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request for new records. counted: whether articles and numbers stand before the kind."""

    kind: str
    fields: str
    determiners: str = ""
    counted: bool = True


def _asked_for_new(text: str, every: Sequence[TableWords]) -> _Asked | None:
    """Finds the request for new records in a note, with the kind of the records. None: there is no request."""
    kind = kind_pattern(every)
    for pattern in (
        rf"{_ADD}\s+{_DET}(?P<kind>{kind})(?:\s+(?:an|hinzu|auf|ein)(?!\w))?",
        rf"{_DET}(?P<kind>{kind})\s+{_TAIL_VERB}(?!\w)",
        rf"(?P<det>(?:{_NEW})\s+)(?P<kind>{kind})(?=\s*[:,\n–-])",
    ):
        found = re.compile(pattern, re.IGNORECASE).match(text)
        if found is not None:
            rest = text[found.end() :].lstrip(" :,.")
            return _Asked(found["kind"].casefold(), _without_target(rest, kind), found["det"])
    verb = re.compile(rf"{_ADD}\s+", re.IGNORECASE).match(text)
    target = rf"\s{_INTO}(?P<kind>{kind})(?:\s+(?:table|list|hinzu|an|auf))?(?=\s*(?:[.,;:(!\n]|$))"
    found = None if verb is None else re.compile(target, re.IGNORECASE).search(text, verb.end())
    if verb is not None and found is not None:
        fields = f"{text[verb.end() : found.start()]}, {text[found.end() :].lstrip(' :,.')}"
        return _Asked(found["kind"].casefold(), fields, counted=False)
    new = rf"\s(?:as|comme|como)\s+(?:a\s+|an\s+|our\s+|un\s+)?(?:(?:{_NEW})\s+)?(?P<kind>{kind})[\s.!]*$"
    found = None if verb is None else re.compile(new, re.IGNORECASE).search(text, verb.end())
    if verb is not None and found is not None:
        return _Asked(found["kind"].casefold(), text[verb.end() : found.start()], counted=False)
    last = rf"[,.\s](?:bitte\s+)?als\s+(?:neuen?\s+)?(?P<kind>{kind})\s+{_TAIL_VERB}[\s.!]*$"
    found = re.compile(last, re.IGNORECASE).search(text)
    return None if found is None else _Asked(found["kind"].casefold(), text[: found.start()], counted=False)


def _new_records(asked: _Asked, words: TableWords, every: Sequence[TableWords]) -> tuple[str, list[Entity]]:
    """Reads the new records of a table.

    Raises UnclearError: when the records or their number are unclear.
    """
    _refuse_two_tables(asked.kind, every)
    records = PeopleReader(asked.fields, words).read()
    _check_count(asked.determiners, asked.kind, len(records), counted=asked.counted)
    name = words.table.name
    return "insert", [Entity(singular(name), name, dict(record)) for record in records]


def _refuse_two_tables(kind: str, every: Sequence[TableWords]) -> None:
    """Raises UnclearError when a word means several tables, and is the name of none."""
    meant = [each.table.name for each in every if kind in each.kinds]
    if len(meant) > 1:
        raise UnclearError(f"Which table is meant: {' or '.join(meant[:5])}?")


def _without_target(rest: str, kind: str) -> str:
    """Removes the table from the end of the fields, as in `… to our contacts`."""
    return re.sub(rf"\s+{_INTO}{kind}(?:\s+(?:table|list|hinzu|an|auf))?(?=[\s.!]*$)", "", rest, flags=re.IGNORECASE)


def _check_count(determiners: str, kind: str, count: int, *, counted: bool) -> None:
    """Raises UnclearError when there are more or fewer records than the note speaks of."""
    said = determiners.casefold().split()
    number = next((_COUNTS[word] for word in said if word in _COUNTS), None)
    one = (
        counted
        and any(re.fullmatch(_ONE, word) for word in said)
        and not any(re.fullmatch(_MANY, word) for word in said)
    )
    if (number is not None and number != count) or (one and count > 1 and not kind.endswith(("s", "n"))):
        raise UnclearError(f"You tell of {number or 1} {kind}, and I find {count}. Which fields does each have?")
