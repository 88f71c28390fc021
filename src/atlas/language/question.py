"""What an engine makes of a question, whichever engine it was. Nothing in it has been checked or run."""

from __future__ import annotations

import msgspec

from atlas.catalog.model import Catalog


class Turn(msgspec.Struct, frozen=True):
    """An earlier question of the thread with the SQL that answered it. state: what the engine kept of it."""

    question: str
    sql: str
    state: str | None = None


class Term(msgspec.Struct, frozen=True):
    """A business term and what it means: a condition in SQL, or words."""

    name: str
    meaning: str
    table: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question with all that an engine may know. examples: verified questions and their SQL, best first."""

    text: str
    catalog: Catalog
    turns: tuple[Turn, ...] = ()
    examples: tuple[Turn, ...] = ()
    terms: tuple[Term, ...] = ()
    table: str | None = None
    today: str | None = None


class Chart(msgspec.Struct, frozen=True):
    """How a result is best drawn. kind: bar, line, pie, scatter or number; x, y: columns of the result."""

    kind: str
    x: str | None = None
    y: tuple[str, ...] = ()


class QuestionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """SQL with logical names that answers a question, or why there is none.

    sql: None where the question was not understood; explanation: what the SQL does, a sentence; assumptions: how
    unclear words were read; not_understood: words that mean nothing to the engine; question: what to ask back;
    suggestions: questions that it could answer; confidence: 0 to 1; state: what the engine wants to know when the
    next question of the thread comes.
    """

    sql: str | None = None
    explanation: str = ""
    assumptions: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    question: str | None = None
    suggestions: tuple[str, ...] = ()
    confidence: float = 0.0
    chart: Chart | None = None
    state: str | None = None
