"""Answers on asked questions, and on the words that organizations teach the engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from atlas.contract.shape import Described, Moment, Shape, Success

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
class ResultColumn(Shape):
    """A column of a result. type: None where the server does not tell."""

    name: str
    type: Annotated[str | None, Described("string")] = field(
        default=None, metadata={"description": "PostgreSQL's name of its type.", "examples": ["int8"]}
    )


@dataclass(frozen=True)
class SqlResult(Success):
    """Rows of a query."""

    _name: ClassVar = "ResultView"
    columns: tuple[ResultColumn, ...]
    data_csv: str
    rows_returned: int
    truncated: bool
    executed_sql: str
    execution_time_seconds: float
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Chart(Shape):
    """The best chart for a result."""

    _name: ClassVar = "ChartView"
    kind: str = field(metadata={"description": "bar, line, pie, scatter or number.", "examples": ["bar"]})
    x: str | None = field(default=None, metadata={"examples": ["state"]})
    y: tuple[str, ...] = field(default=(), metadata={"examples": [["count"]]})


@dataclass(frozen=True)
class QuestionAnswer(Shape):
    """The answer to a question. With `success` false: what is unclear about the question."""

    _name: ClassVar = "AnswerView"
    success: bool
    response: str = field(metadata={"examples": ["Found 87 leads from California added in the last 30 days."]})
    executed_sql: str | None = field(metadata={"examples": ["SELECT * FROM leads WHERE state = 'CA'"]})
    data_csv: str = field(metadata={"examples": ["name,email,state\nJohn Doe,john@example.com,CA\n"]})
    rows_returned: int = field(metadata={"examples": [87]})
    execution_time_seconds: float = field(metadata={"examples": [0.42]})
    thread_id: str
    question_id: str
    engine: Engine = field(
        metadata={"description": "Who answered: a verified question, the model provider or the offline engine."}
    )
    confidence: float = field(metadata={"description": "0 to 1.", "examples": [0.95]})
    tables: tuple[str, ...] = field(metadata={"examples": [["leads"]]})
    truncated: bool = field(metadata={"description": "Whether there are more rows."})
    chart: Chart | None
    units: dict[str, str] = field(
        metadata={
            "description": "Of the result's columns, by their names, where people have said them and the answer keeps "
            "them."
        }
    )
    assumptions: tuple[str, ...] = field(metadata={"description": "How unclear words were read."})
    not_understood: tuple[str, ...]
    suggestions: tuple[str, ...] = field(metadata={"description": "Questions that could be answered."})
    notes: tuple[str, ...] = field(
        metadata={"description": "What else happened, such as a model provider that failed."}
    )


@dataclass(frozen=True)
class GeneratedSql(Shape):
    """SQL for a question. With `success` false, `explanation` says what is unclear about the question."""

    _name: ClassVar = "GeneratedView"
    success: bool
    sql_query: str | None = field(
        metadata={"examples": ["SELECT email, company_name FROM customers WHERE status = 'active'"]}
    )
    tables_referenced: tuple[str, ...] = field(metadata={"examples": [["customers"]]})
    explanation: str
    confidence: float
    assumptions: tuple[str, ...]
    not_understood: tuple[str, ...]
    suggestions: tuple[str, ...]
    engine: Engine
    notes: tuple[str, ...]


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
