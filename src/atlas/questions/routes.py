"""The HTTP endpoints of questions in English, of SQL, of verified questions and of the glossary."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StrictInt

from atlas.accounts.dependencies import CallerDep
from atlas.contract.questions import (
    AskedPage,
    AskedView,
    GeneratedSql,
    QuestionAnswer,
    RatedView,
    SqlResult,
    TermPage,
    TermView,
    VerifiedPage,
    VerifiedView,
    WordsView,
)
from atlas.contract.saved import RemovedView
from atlas.db.allowed_functions import ALLOWED_FUNCTIONS
from atlas.kit.file_formats import Output
from atlas.questions.glossary import GlossaryService
from atlas.questions.history import AskedService
from atlas.questions.service import QuestionService
from atlas.questions.verified import VerifiedChange, VerifiedService
from atlas.sqlgate.service import FORMATS, SqlService
from atlas.sqlgate.vocabulary import KEYWORDS, PLACED, SYNTAX_FUNCTIONS, TYPES
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.media_types import media_type_for
from atlas.web.openapi.responses import result_file
from atlas.web.provided import provided

AskedServiceDep = Annotated[AskedService, provided(AskedService)]
GlossaryServiceDep = Annotated[GlossaryService, provided(GlossaryService)]
QuestionServiceDep = Annotated[QuestionService, provided(QuestionService)]
SqlServiceDep = Annotated[SqlService, provided(SqlService)]
VerifiedServiceDep = Annotated[VerifiedService, provided(VerifiedService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Questions"], responses=CONTENT_ERRORS)

SqlText = Annotated[
    str, Field(min_length=1, max_length=20_000, examples=["SELECT state, count(*) FROM leads GROUP BY state"])
]
Prompt = Annotated[str, Field(min_length=1, max_length=4_000)]
TableName = Annotated[str, Field(min_length=1, max_length=200, examples=["leads"])]
MaxRows = Annotated[StrictInt, Field(ge=1, le=10_000)]
LimitParam = Annotated[int, Query(ge=1, le=1000, description="Results of a page.")]
OffsetParam = Annotated[int, Query(ge=0, le=2**31, description="Results to skip.")]


class QueryBody(Body):
    """A question."""

    prompt: Prompt = Field(examples=["Show me all leads from California added in the last 30 days"])
    table_name: TableName | None = Field(None, description="The table that it is about.")
    max_rows: MaxRows | None = Field(None, description="Rows of the answer at most; by default 1,000.", examples=[500])
    thread_id: str | None = Field(None, max_length=200, description="Conversation: later questions refer to earlier.")


class GenerateBody(Body):
    """A question to turn into SQL."""

    prompt: Prompt = Field(examples=["Get all active customers with their email and company name"])
    table_hints: list[TableName] = Field(default_factory=list, max_length=50, examples=[["customers"]])


class SqlBody(Body):
    """One SELECT."""

    sql: SqlText
    max_rows: MaxRows | None = Field(None, description="Rows of the answer at most; by default 1,000.", examples=[500])


class SqlExportBody(Body):
    """One SELECT, and the file for its rows."""

    sql: SqlText
    format: Literal["xlsx", "csv"] = Field("xlsx", description="Format of the file.", examples=["xlsx"])
    max_rows: MaxRows | None = Field(None, description="Rows of the file at most; by default 10,000.", examples=[500])
    title: str = Field(
        "result", min_length=1, max_length=100, description="Name of the file and of its sheet.", examples=["leads"]
    )


class RatingBody(Body):
    """The rating of an answer."""

    rating: Literal["up", "down"]
    comment: str | None = Field(None, max_length=2_000, examples=["Closed deals are missing"])
    corrected_sql: SqlText | None = None


class VerifiedBody(Body):
    """A question and the SQL that answers it."""

    question: Prompt = Field(examples=["How many leads did we win?"])
    sql: SqlText = Field(examples=["SELECT count(*) FROM leads WHERE status = 'won'"])
    status: Literal["verified", "suggested"] = "verified"


class VerifiedChangeBody(Body):
    """Changes of a verified question. Fields that are left out stay. `status` "verified" accepts a suggestion."""

    question: Prompt | None = None
    sql: SqlText | None = None
    status: Literal["verified", "suggested"] | None = Field(None, examples=["verified"])


class TermBody(Body):
    """A word of your business."""

    term: str = Field(min_length=1, max_length=200, examples=["active"])
    meaning: str = Field(
        min_length=1,
        max_length=2_000,
        examples=["status in ('active', 'trial')"],
        description="With `table_name` a condition on its columns, else plain words.",
    )
    table_name: TableName | None = Field(None, examples=["customers"])


@router.post("/query", summary="Ask a question")
async def ask(caller: CallerDep, questions: QuestionServiceDep, body: QueryBody) -> QuestionAnswer:
    """Answers a question on tables of your organization and datasets that you may read. Reads only."""
    return await questions.ask(caller, body.prompt, body.table_name, body.max_rows, body.thread_id)


@router.post("/generate-sql", summary="Turn a question into SQL")
async def generate_sql(caller: CallerDep, questions: QuestionServiceDep, body: GenerateBody) -> GeneratedSql:
    """Turns a question into SQL. PostgreSQL plans the SQL but does not run it."""
    return await questions.generate(caller, body.prompt, body.table_hints)


@router.post("/sql", summary="Run SQL")
async def run_sql(caller: CallerDep, sql: SqlServiceDep, body: SqlBody) -> SqlResult:
    """Runs one SELECT with the names that you know."""
    return await sql.query(caller, body.sql, body.max_rows)


@router.post("/sql/export", summary="Export the rows of SQL", response_class=Response, responses=result_file(*FORMATS))
async def export_sql(request: Request, caller: CallerDep, sql: SqlServiceDep, body: SqlExportBody) -> Response:
    """Runs one SELECT and returns up to 10,000 rows as a file. `X-Truncated` says whether there are more."""
    output = Output(body.format)
    file = await sql.export(caller, body.sql, output, body.max_rows, body.title)
    headers = {
        "X-Rows-Count": str(file.rows),
        "X-Truncated": str(file.truncated).lower(),
        "Vary": "Accept",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(body.title, safe='')}.{output}",
    }
    return Response(file.content, media_type=media_type_for(request, file.media_type), headers=headers)


@router.get("/sql/words", summary="Words of SQL")
async def sql_words(caller: CallerDep) -> WordsView:
    """Lists the functions, types and keywords that queries may use, for completion in editors."""
    return WordsView(
        tuple(sorted(ALLOWED_FUNCTIONS | SYNTAX_FUNCTIONS)), tuple(sorted(TYPES)), tuple(sorted(KEYWORDS | PLACED))
    )


@router.get("/questions", summary="List your questions")
async def list_questions(
    caller: CallerDep,
    asked: AskedServiceDep,
    thread_id: Annotated[str | None, Query(max_length=200, description="Only of this conversation.")] = None,
    limit: LimitParam = 50,
    offset: OffsetParam = 0,
) -> AskedPage:
    """Lists the questions that you have asked, newest first. Nobody else sees them."""
    return await asked.list(caller, thread_id, limit, offset)


@router.get("/questions/{question_id}", summary="Get a question")
async def get_question(caller: CallerDep, asked: AskedServiceDep, question_id: str) -> AskedView:
    """Returns one of your questions with its SQL and answer, without the rows."""
    return await asked.get(caller, question_id)


@router.post("/questions/{question_id}/rating", summary="Rate an answer")
async def rate_question(caller: CallerDep, asked: AskedServiceDep, question_id: str, body: RatingBody) -> RatedView:
    """Stores your rating. A good answer, or your own SQL, becomes a suggestion for a verified question."""
    return await asked.rate(caller, question_id, body.rating, body.comment, body.corrected_sql)


@router.get("/verified-questions", summary="List verified questions")
async def list_verified(
    caller: CallerDep,
    verified: VerifiedServiceDep,
    status: Annotated[str | None, Query(description="`verified` or `suggested`.")] = None,
    limit: LimitParam = 50,
    offset: OffsetParam = 0,
) -> VerifiedPage:
    """Lists verified and suggested questions of your organization on data that you may read, latest change first."""
    return await verified.list(caller, status, limit, offset)


@router.post("/verified-questions", summary="Verify a question")
async def create_verified(caller: CallerDep, verified: VerifiedServiceDep, body: VerifiedBody) -> VerifiedView:
    """Stores a question with the SQL that answers it from now on.

    The pair is an example for similar questions as well.
    """
    return await verified.create(caller, body.question, body.sql, body.status)


@router.put("/verified-questions/{verified_id}", summary="Change a verified question")
async def change_verified(
    caller: CallerDep, verified: VerifiedServiceDep, verified_id: str, body: VerifiedChangeBody
) -> VerifiedView:
    """Changes a question, its SQL or its status."""
    change = VerifiedChange(body.question, body.sql, body.status)
    return await verified.change(caller, verified_id, change)


@router.delete("/verified-questions/{verified_id}", summary="Remove a verified question")
async def delete_verified(caller: CallerDep, verified: VerifiedServiceDep, verified_id: str) -> RemovedView:
    """Removes a verified or suggested question."""
    return await verified.delete(caller, verified_id)


@router.get("/glossary", summary="List the glossary")
async def list_terms(
    caller: CallerDep, glossary: GlossaryServiceDep, limit: LimitParam = 50, offset: OffsetParam = 0
) -> TermPage:
    """Lists the words of your organization with their meanings, by name."""
    return await glossary.list(caller, limit, offset)


@router.post("/glossary", summary="Add a term")
async def create_term(caller: CallerDep, glossary: GlossaryServiceDep, body: TermBody) -> TermView:
    """Adds a word that questions understand from now on."""
    return await glossary.create(caller, body.term, body.meaning, body.table_name)


@router.put("/glossary/{term_id}", summary="Replace a term")
async def change_term(caller: CallerDep, glossary: GlossaryServiceDep, term_id: str, body: TermBody) -> TermView:
    """Gives a term another name or meaning."""
    return await glossary.change(caller, term_id, body.term, body.meaning, body.table_name)


@router.delete("/glossary/{term_id}", summary="Remove a term")
async def delete_term(caller: CallerDep, glossary: GlossaryServiceDep, term_id: str) -> RemovedView:
    """Removes a term."""
    return await glossary.delete(caller, term_id)
