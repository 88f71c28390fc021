"""A question and the plan that an engine makes of a question. A plan is neither checked nor run here."""

from __future__ import annotations

import msgspec

from atlas.catalog.model import Catalog


class Turn(msgspec.Struct, frozen=True):
    """An earlier question of the thread and the SQL of its answer.

    state: what the engine keeps for the next question.
    """

    question: str
    sql: str
    state: str | None = None


class Term(msgspec.Struct, frozen=True):
    """A business term and its meaning: a condition in SQL, or plain words."""

    name: str
    meaning: str
    table: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question with all that an engine may know.

    examples: verified questions and their SQL, best first.
    """

    text: str
    catalog: Catalog
    turns: tuple[Turn, ...] = ()
    examples: tuple[Turn, ...] = ()
    terms: tuple[Term, ...] = ()
    table: str | None = None
    today: str | None = None


class Chart(msgspec.Struct, frozen=True):
    """The best chart for a result.

    kind: bar, line, pie, scatter or number.
    x, y: columns of the result.
    """

    kind: str
    x: str | None = None
    y: tuple[str, ...] = ()


class QuestionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """SQL with logical names that answers a question, or the reason why there is no SQL.

    sql: None where the engine does not understand the question.
    explanation: one sentence on what the SQL does.
    assumptions: how the engine reads unclear words.
    not_understood: words that the engine does not know.
    question: what to ask back.
    suggestions: questions that the engine could answer.
    confidence: 0 to 1.
    state: what the engine needs for the next question of the thread.
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
