"""Finds similar records with different keys. They are reported for review and never left out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

# Nobody reviews pairs among more rows, and the comparison would take long.
MAX_ROWS = 20_000
MAX_BLOCK = 400
LEAST = 90.0
_NAMES = re.compile(
    r"(^|_)(name|full_name|company|company_name|organization|organisation|customer|client|title|product)$"
)
_LEGAL = re.compile(
    r"\b(inc|incorporated|corp|corporation|co|company|ltd|limited|llc|gmbh|ag|sa|srl|bv|plc|the|mr|mrs|ms|dr)\b"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record or row.

    label: identifies the candidate.
    name: the compared text.
    others: values that must agree in part.
    keyed: whether the candidate has a stated key. Two such candidates differ, as records with equal keys are left out
    before.
    """

    label: int
    name: str
    others: tuple[str | None, ...]
    keyed: bool = False


def name_column(columns: Sequence[tuple[str, str]]) -> str | None:
    """Returns the column that names a record, among (name, type), or None."""
    texts = [name for name, type_ in columns if type_ == "text"]
    return next((name for name in texts if _NAMES.search(name)), None)


def find_similar(fresh: Sequence[Candidate], known: Sequence[Candidate]) -> list[tuple[int, int, bool, float]]:
    """Finds similar pairs.

    Returns (label of a fresh record, label of the similar candidate, whether that is a known row, score to 100). Names
    are compared word by word in any order, without case, punctuation and legal forms (rapidfuzz's token_sort_ratio).
    Another value must be equal, if both have any.
    """
    blocks: dict[str, list[tuple[str, Candidate, bool]]] = defaultdict(list)
    for is_known, group in ((True, known), (False, fresh)):
        for candidate in group:
            plain = normal_name(candidate.name)
            if len(plain) > 3:
                blocks[plain[:3]].append((plain, candidate, is_known))
    found = []
    for block in blocks.values():
        for position, (plain, candidate, is_known) in enumerate(block[:MAX_BLOCK]):
            if is_known:
                continue
            for other_plain, other, other_known in block[:position]:
                if candidate.keyed and other.keyed:
                    continue
                score = fuzz.ratio(plain, other_plain)
                if score >= LEAST and _agree(candidate.others, other.others):
                    found.append((candidate.label, other.label, other_known, round(score, 1)))
                    break
    return sorted(found)


def normal_name(name: str) -> str:
    """Returns a name's words in alphabetical order, without parts that people write in many ways."""
    words = re.findall(r"\w+", name.lower())
    kept = [word for word in words if not _LEGAL.fullmatch(word)] or words
    return " ".join(sorted(kept))


def _agree(ours: Sequence[str | None], theirs: Sequence[str | None]) -> bool:
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a and b]
    return not both or any(a.strip().lower() == b.strip().lower() for a, b in both)
