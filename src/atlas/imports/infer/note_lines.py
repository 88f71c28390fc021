"""Recognizes lines above and below a table that describe the table and are no records."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atlas.kit.plurals import many

_NOTE = re.compile(
    r"(?:sources?|notes?|remarks?|grand total|total|page|seite|generated|printed|created|exported|report|end of|"
    r"copyright|disclaimer|as of|last updated|data (?:from|source)|quelle|hinweis|anmerkung|stand|erstellt|fuente|nota|"
    r"página|généré|remarque|fonte)\b.*[:\s].*|[*©†‡(\[#=-].*|.*\b(?:rows?|records?|zeilen|lignes|filas)\b.*\d.*"
    r"|\(?\d+ (?:rows?|records?|tuples?|zeilen?|lignes?|filas?)\b.*|empty set\b.*|query ok\b.*",
    re.IGNORECASE | re.DOTALL,
)
# What databases write below a result, in every language that they have.
_COUNT = re.compile(r"\(?\d+ (?:rows?|records?|tuples?|zeilen?|lignes?|filas?)(?: in set)?\b[^|;,]*\)?", re.IGNORECASE)
_SHOWN = 3


def reads_like_note(text: str) -> bool:
    """Checks whether a text reads like a note below a table, such as `Source: …` or `(2 rows)`."""
    return _NOTE.fullmatch(text) is not None


def counts_records(text: str) -> bool:
    """Checks whether a text counts the records above it, such as `(2 rows)`."""
    return _COUNT.fullmatch(text) is not None


def lines_above(rows: Sequence[Sequence[str | None]]) -> str:
    """Tells of the rows above a table, which are left out."""
    texts = [" ".join(cell.strip() for cell in row if cell and cell.strip()) for row in rows]
    shown = "; ".join(repr(text[:80]) for text in [text for text in texts if text][:_SHOWN])
    return f"{many(len(rows), 'line')} above the table left out{': ' + shown if shown else ''}"


def lines_below(texts: Sequence[str]) -> str:
    """Tells of the lines below a table, which are left out."""
    shown = "; ".join(repr(text[:80]) for text in texts[:_SHOWN])
    return f"{many(len(texts), 'line')} below the table left out: {shown}"
