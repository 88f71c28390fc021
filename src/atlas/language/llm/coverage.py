"""Which names and literals of a question a model's SQL leaves out."""

from __future__ import annotations

import re

from atlas.language.offline.questions.tokenizer import parts, stem, tokens
from atlas.language.question import Question

# More would hide what counts.
_TOLD = 5
_SCALED = 100


def left_out(question: Question, sql: str) -> tuple[str, ...]:
    """Quoted texts, numbers and names of columns of a question that do not stand in the SQL, as it writes them."""
    found, folded = tokens(question.text), sql.lower()
    numbers = {float(text) for text in re.findall(r"\d+(?:\.\d+)?", folded)}
    stems = {stem(part) for name in re.findall(r"[a-z_]\w*", folded) for part in parts(name)}
    missing: list[str] = []
    for token in found:
        if token.kind == "quote" and token.lower not in folded:
            missing.append(token.text)
        elif token.kind == "number" and token.value is not None:
            value = float(token.value)
            # A percentage may be a fraction.
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
        # A name of one word may mean anything; one of several that are all said means the column.
        if len(own) > 1 and set(own) <= words and not set(own) <= stems:
            missing.append(name)
    return tuple(dict.fromkeys(missing))[:_TOLD]
