"""Answers on asked questions, and on the words that organizations teach the engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atlas.contract.shape import Moment, Shape, Success

Engine = Literal["verified", "model", "offline"]
Rating = Literal["up", "down"]
VerifiedStatus = Literal["verified", "suggested"]
VerifiedSource = Literal["user", "rating"]
AskedStatus = Literal["answered", "unclear", "failed"]


@dataclass(frozen=True)
class WordsView(Success):
    """Words that queries may use."""

    functions: tuple[str, ...]
    types: tuple[str, ...]
    keywords: tuple[str, ...]


@dataclass(frozen=True)
class AskedItem(Shape):
    """A question that was asked."""

    question_id: str
    thread_id: str
    prompt: str
    table_name: str | None
    status: AskedStatus
    engine: Engine
    response: str
    executed_sql: str | None
    rows_returned: int
    execution_time_seconds: float
    confidence: float
    rating: Rating | None
    rating_comment: str | None
    corrected_sql: str | None
    created_at: Moment | None


@dataclass(frozen=True)
class AskedView(Success):
    """One question."""

    question: AskedItem


@dataclass(frozen=True)
class AskedPage(Success):
    """A page of questions."""

    total_count: int
    limit: int
    offset: int
    questions: tuple[AskedItem, ...]


@dataclass(frozen=True)
class RatedView(Success):
    """A stored rating. suggestion_id: the verified question that the rating suggests, if any."""

    question_id: str
    rating: Rating
    suggestion_id: str | None


@dataclass(frozen=True)
class VerifiedItem(Shape):
    """A question with SQL that answers it."""

    id: str
    question: str
    sql: str
    tables: tuple[str, ...]
    status: VerifiedStatus
    source: VerifiedSource
    created_by: str | None
    created_at: Moment | None
    updated_at: Moment | None


@dataclass(frozen=True)
class VerifiedView(Success):
    """One verified question."""

    verified_question: VerifiedItem


@dataclass(frozen=True)
class VerifiedPage(Success):
    """A page of verified questions."""

    total_count: int
    limit: int
    offset: int
    verified_questions: tuple[VerifiedItem, ...]


@dataclass(frozen=True)
class TermItem(Shape):
    """A term with its meaning."""

    id: str
    term: str
    meaning: str
    table_name: str | None
    created_by: str | None
    created_at: Moment | None
    updated_at: Moment | None


@dataclass(frozen=True)
class TermView(Success):
    """One term."""

    term: TermItem


@dataclass(frozen=True)
class TermPage(Success):
    """A page of terms."""

    total_count: int
    limit: int
    offset: int
    terms: tuple[TermItem, ...]
