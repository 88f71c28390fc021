"""Compares a question with a model's SQL, and finds the names and literals that the SQL leaves out."""

from __future__ import annotations

import re

from atlas.language.offline.questions.tokenizer import parts, stem, tokens
from atlas.language.question import Question

# A longer list would hide the important entries.
_MAX_OMISSIONS = 5
_SCALED = 100


def find_omissions(question: Question, sql: str) -> tuple[str, ...]:
    """Lists quoted texts, numbers and column names of a question that the SQL lacks, as the question writes them, 5 at
    most.
    """
    found, folded = tokens(question.text), sql.lower()
    numbers = {float(text) for text in re.findall(r"\d+(?:\.\d+)?", folded)}
    stems = {stem(part) for name in re.findall(r"[a-z_]\w*", folded) for part in parts(name)}
    missing: list[str] = []
    for token in found:
        if token.kind == "quote" and token.lower not in folded:
            missing.append(token.text)
        elif token.kind == "number" and token.value is not None:
            value = float(token.value)
            # SQL may write a percentage as a fraction.
            if not {value, value / _SCALED} & numbers:
                missing.append(token.text)
    words = {stem(token.lower) for token in found if token.kind == "word"}
    names = {
        column.name
        for table in question.catalog.tables
        if question.table in (None, table.name)
        for column in table.columns
    }
    for name in sorted(names):
        own = [stem(part) for part in parts(name)]
        # A column name of one word is ambiguous. A name of several words that are all in the question means the column.
        if len(own) > 1 and set(own) <= words and not set(own) <= stems:
            missing.append(name)
    return tuple(dict.fromkeys(missing))[:_MAX_OMISSIONS]
