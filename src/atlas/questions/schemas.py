"""The answers of the endpoints for questions."""

from __future__ import annotations

from pydantic import BaseModel, Field

from atlas.contract.questions import Engine


class ChartView(BaseModel):
    """The best chart for a result."""

    kind: str = Field(examples=["bar"], description="bar, line, pie, scatter or number.")
    x: str | None = Field(None, examples=["state"])
    y: list[str] = Field(default_factory=list, examples=[["count"]])


class AnswerView(BaseModel):
    """The answer to a question. With `success` false: what is unclear about the question."""

    success: bool
    response: str = Field(examples=["Found 87 leads from California added in the last 30 days."])
    executed_sql: str | None = Field(examples=["SELECT * FROM leads WHERE state = 'CA'"])
    data_csv: str = Field(examples=["name,email,state\nJohn Doe,john@example.com,CA\n"])
    rows_returned: int = Field(examples=[87])
    execution_time_seconds: float = Field(examples=[0.42])
    thread_id: str
    question_id: str
    engine: Engine = Field(description="Who answered: a verified question, the model provider or the offline engine.")
    confidence: float = Field(examples=[0.95], description="0 to 1.")
    tables: list[str] = Field(examples=[["leads"]])
    truncated: bool = Field(description="Whether there are more rows.")
    chart: ChartView | None
    units: dict[str, str] = Field(
        description="Of the result's columns, by their names, where people have said them and the answer keeps them."
    )
    assumptions: list[str] = Field(description="How unclear words were read.")
    not_understood: list[str]
    suggestions: list[str] = Field(description="Questions that could be answered.")
    notes: list[str] = Field(description="What else happened, such as a model provider that failed.")


class GeneratedView(BaseModel):
    """SQL for a question. With `success` false, `explanation` says what is unclear about the question."""

    success: bool
    sql_query: str | None = Field(examples=["SELECT email, company_name FROM customers WHERE status = 'active'"])
    tables_referenced: list[str] = Field(examples=[["customers"]])
    explanation: str
    confidence: float
    assumptions: list[str]
    not_understood: list[str]
    suggestions: list[str]
    engine: Engine
    notes: list[str]


class ResultColumn(BaseModel):
    """A column of a result."""

    name: str
    type: str = Field(examples=["int8"], description="PostgreSQL's name of its type.")


class ResultView(BaseModel):
    """Rows of a query."""

    success: bool
    columns: list[ResultColumn]
    data_csv: str
    rows_returned: int
    truncated: bool
    executed_sql: str
    execution_time_seconds: float
    tables: list[str]
