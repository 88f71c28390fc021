"""Parses an import instruction in English, German, French or Spanish.

Every word is part of a clause, is a filler such as `please`, or is reported as not understood. See `grammar`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.language.instructions import ImportInstruction
from atlas.language.offline.filter_phrases import condition_slot, traits_slot
from atlas.language.offline.import_clauses import english, french, german, spanish
from atlas.language.offline.import_clauses.ambiguity import build_question
from atlas.language.offline.import_clauses.column_choices import COLUMN_RULES, ours_slot, several_slot
from atlas.language.offline.import_clauses.everyday_rows import EVERYDAY_RULES, called_slot, proper_slot
from atlas.language.offline.import_clauses.grammar import Cover, Grammar, Text, plain_text
from atlas.language.offline.import_clauses.interpretation import Reading
from atlas.language.offline.import_clauses.row_choices import (
    ROW_RULES,
    anywhere_slot,
    dated_slot,
    period_slot,
    size_slot,
)
from atlas.language.offline.import_clauses.short_clauses import SHORT_RULES, anyof_slot
from atlas.language.offline.import_clauses.slots import SLOTS, known_slot, knowns_slot
from atlas.language.offline.import_clauses.text_files import TEXT_FILE_RULES, delimiter_slot, encoding_slot
from atlas.language.offline.known_names import NameIndex
from atlas.language.paraphrase import describe

MAX_CHARACTERS = 10_000
_SLOTS = {
    **SLOTS,
    "condition": condition_slot,
    "traits": traits_slot,
    "known": known_slot,
    "knowns": knowns_slot,
    "ours": ours_slot,
    "several": several_slot,
    "size": size_slot,
    "anywhere": anywhere_slot,
    "anyof": anyof_slot,
    "proper": proper_slot,
    "called": called_slot,
    "period": period_slot,
    "dated": dated_slot,
    "encoding": encoding_slot,
    "delimiter": delimiter_slot,
}
_LANGUAGES = (english, german, french, spanish)
_SUBJECTS = (TEXT_FILE_RULES, COLUMN_RULES, ROW_RULES, SHORT_RULES, EVERYDAY_RULES)
_GRAMMARS = [
    Grammar(
        language.VOCABULARY,
        [*language.RULES, *(rule for rules in _SUBJECTS for rule in rules[language.VOCABULARY.name])],
        _SLOTS,
    )
    for language in _LANGUAGES
]


def parse_import(text: str, tables: Sequence[str], headers: Sequence[str] = ()) -> ImportInstruction:
    """Parses an import instruction.

    tables: names of the organization's tables, to recognize the target.
    headers: headers of the file and columns of the table, where known. Without headers any word may be a column.
    Never raises. Unknown words are listed in the result. The result has a question if unknown words could change which
    rows or which table are written.
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
    question = said.question or build_question(read, cover, said, rest)
    said = msgspec.structs.replace(said, not_understood=rest, question=question)
    return msgspec.structs.replace(said, understood=describe(said, reading.words))
