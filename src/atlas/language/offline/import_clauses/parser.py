"""The offline engine's reading of an import instruction, in English, German, French or Spanish.

Every word is part of a clause, means nothing to the import (`please`), or is told as not understood; see `grammar`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.language.instructions import ImportInstruction
from atlas.language.offline.filter_phrases import condition_slot, traits_slot
from atlas.language.offline.import_clauses import english, french, german, spanish
from atlas.language.offline.import_clauses.ambiguity import question_of
from atlas.language.offline.import_clauses.grammar import Cover, Grammar, Text, plain_text
from atlas.language.offline.import_clauses.interpretation import Reading
from atlas.language.offline.import_clauses.slots import SLOTS, known_slot, knowns_slot
from atlas.language.offline.known_names import NameIndex
from atlas.language.paraphrase import describe

MAX_CHARACTERS = 10_000
_SLOTS = {**SLOTS, "condition": condition_slot, "traits": traits_slot, "known": known_slot, "knowns": knowns_slot}
_LANGUAGES = (english, german, french, spanish)
_GRAMMARS = [Grammar(language.VOCABULARY, language.RULES, _SLOTS) for language in _LANGUAGES]


def parse_import(text: str, tables: Sequence[str], headers: Sequence[str] = ()) -> ImportInstruction:
    """What an import instruction says.

    tables: names of the organization's tables, to recognize one by; headers: of the file and the columns of the table,
    once they are known; without them any word may be a column. Never raises; what is not understood is listed in the
    result, and asked about where it could change which rows or which table are written.
    """
    plain = plain_text(text[:MAX_CHARACTERS])
    names, known = NameIndex(headers), NameIndex(tables)
    covers: list[tuple[Text, Cover]] = []
    for grammar in _GRAMMARS:
        read = Text(plain, grammar.vocabulary, names, known)
        covers.append((read, grammar.cover(read)))
    read, cover = min(covers, key=lambda each: each[1].cost)
    reading = Reading(read, cover, list(tables))
    said = reading.instruction()
    rest = reading.not_understood()
    question = said.question or question_of(read, cover, said, rest)
    said = msgspec.structs.replace(said, not_understood=rest, question=question)
    return msgspec.structs.replace(said, understood=describe(said, reading.words))
