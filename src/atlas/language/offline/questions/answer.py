"""TEMPORARY until the merge: a plain sentence for a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atlas.language.plan import QuestionPlan


def describe(
    plan: QuestionPlan, columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]], truncated: bool
) -> str:
    """The answer in a sentence, with the figures."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return f"{columns[0][0]}: {rows[0][0]}"
    more = "more than " if truncated else ""
    return f"Found {more}{len(rows):,} row{'' if len(rows) == 1 else 's'}."
