"""Questions in plain English: planned by an engine, checked, run as the caller, told in a sentence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4

from atlas.accounts.access import Caller
from atlas.catalog.mentions import read_by
from atlas.catalog.model import Catalog
from atlas.db.database import Database
from atlas.errors import AtlasError, BadRequestError, ModelError
from atlas.kit.query_csv import csv_text
from atlas.kit.validation import refuse_text, refuse_unstorable
from atlas.language.question import Question, QuestionPlan, Turn
from atlas.llm.service import ModelService
from atlas.llm.with_fallback import failure_note
from atlas.questions import repository as questions
from atlas.questions.glossary import GlossaryService
from atlas.questions.repository import Asked
from atlas.questions.verified import VerifiedService
from atlas.sqlgate.gate import CheckedQuery
from atlas.sqlgate.sandbox import QueryResult
from atlas.sqlgate.service import SqlService, restricted, row_limit, table_named, told_owners

Row = dict[str, Any]
Engine = Literal["verified", "model", "offline"]
Planner = Callable[[Question], QuestionPlan]
T = TypeVar("T")
MAX_PROMPT, MAX_THREAD, MAX_HINTS = 4_000, 200, 50
TURNS = 10
# Questions that the offline engine reads at once in a process: each keeps a core busy.
_PLANNERS = 4
_AGAIN = "Could you say it in other words?"


@dataclass(slots=True)
class Answer(Generic[T]):
    """What came of a question. found: what its SQL gave; error: why the last SQL could not be used, if so."""

    engine: Engine = "offline"
    plan: QuestionPlan = field(default_factory=QuestionPlan)
    found: T | None = None
    error: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> Literal["answered", "unclear", "failed"]:
        return "answered" if self.found is not None else "unclear" if self.error is None else "failed"

    @property
    def confidence(self) -> float:
        return 0.0 if self.found is None else round(self.plan.confidence, 3)

    def refusal(self) -> str:
        """What is told where there is no answer: what was not understood, and a question back."""
        if self.error is not None:
            return f"The query that answers this cannot be run: {self.error}. {_AGAIN}"
        told = self.plan.question or ""
        words = [word for word in self.plan.not_understood if word not in told]
        if words:
            told = f"I don't understand {', '.join(repr(word) for word in words)}. {told}"
        told = told.strip() or "I don't see which table or column this is about."
        return told if "?" in told else f"{told} {_AGAIN}"


class QuestionService:
    """Answers questions on what the caller may read.

    A verified question that asks the same answers first, then the organization's model if it has one, then the
    offline engine. planner: the offline engine, or None for the real one.
    """

    def __init__(
        self,
        database: Database,
        sql: SqlService,
        verified: VerifiedService,
        glossary: GlossaryService,
        models: ModelService,
        planner: Planner | None = None,
    ) -> None:
        self._database, self._sql = database, sql
        self._verified, self._glossary, self._models = verified, glossary, models
        self._planner = planner
        self._planning = asyncio.Semaphore(_PLANNERS)

    async def ask(
        self,
        caller: Caller,
        prompt: str,
        table_name: str | None = None,
        max_rows: int | None = None,
        thread_id: str | None = None,
    ) -> Row:
        """Answers a question; gives the response of `query`.

        max_rows: 1 to 10,000, by default 1,000; thread_id: None starts a thread. Raises BadRequestError,
        NotFoundError for an unknown table, UnavailableError where the query takes too long.
        """
        limit = row_limit(max_rows)
        thread = _thread(thread_id)
        question = await self._question(caller, prompt, [] if table_name is None else [table_name], thread)
        asked_id = uuid4()

        async def run(sql: str) -> tuple[CheckedQuery, QueryResult]:
            checked = await self._sql.check(sql, question.catalog, limit)
            return checked, await self._sql.run(caller, checked, question.catalog, limit)

        answer: Answer[tuple[CheckedQuery, QueryResult]] = Answer()
        try:
            await self._answer(caller, question, answer, run)
        except AtlasError as error:
            with contextlib.suppress(AtlasError):
                reason = error.details or error.message
                await self._record(caller, asked_id, thread, question, answer, {"response": reason}, status="failed")
            raise
        told = await asyncio.to_thread(_told, answer, question.catalog)
        told["assumptions"] += told_owners(question.catalog, told["tables"])
        await self._record(caller, asked_id, thread, question, answer, told, status=answer.status)
        return told | {"thread_id": thread, "question_id": str(asked_id)}

    async def generate(self, caller: Caller, prompt: str, table_hints: Sequence[str] = ()) -> Row:
        """SQL for a question; gives the response of `generate-sql`. Nothing is run or kept."""
        if len(table_hints) > MAX_HINTS:
            raise BadRequestError("Invalid parameter", f"table_hints: over {MAX_HINTS}")
        question = await self._question(caller, prompt, table_hints)
        answer: Answer[CheckedQuery] = Answer()
        await self._answer(caller, question, answer, lambda sql: self._sql.tried(caller, sql, question.catalog))
        checked, plan = answer.found, answer.plan
        return {
            "success": checked is not None,
            "sql_query": None if checked is None else checked.logical,
            "tables_referenced": [] if checked is None else list(checked.tables),
            "explanation": answer.refusal() if checked is None else plan.explanation or _explained(checked),
            "confidence": answer.confidence,
            "assumptions": [*plan.assumptions, *(told_owners(question.catalog, checked.tables) if checked else ())],
            "not_understood": list(plan.not_understood),
            "suggestions": list(plan.suggestions),
            "engine": answer.engine,
            "notes": answer.notes,
        }

    async def _question(self, caller: Caller, prompt: str, hints: Sequence[str], thread: str | None = None) -> Question:
        """A question with all that the caller's engines may know."""
        refuse_text("prompt", prompt, MAX_PROMPT)
        turns = [] if thread is None else await questions.turns(self._database, caller, thread, TURNS)
        # What the conversation is about is asked about further, and who verifies a question chooses its tables.
        chosen = {*hints, *await self._verified.tables_of(caller, prompt)}
        chosen |= {name for turn in turns for name in read_by(turn[1])}
        whole = await self._sql.catalog(caller, prompt, chosen)
        catalog = await asyncio.to_thread(restricted, whole, hints)
        return Question(
            text=prompt,
            catalog=catalog,
            turns=tuple(Turn(*turn) for turn in turns),
            examples=await self._verified.examples(caller, prompt, catalog),
            terms=await self._glossary.terms(caller, catalog),
            table=table_named(catalog, hints[0]).name if len(hints) == 1 else None,
            today=datetime.now(UTC).date().isoformat(),
        )

    async def _answer(
        self, caller: Caller, question: Question, answer: Answer[T], use: Callable[[str], Awaitable[T]]
    ) -> None:
        """Fills `answer` by the first engine whose SQL can be used, or that asks back.

        use: what becomes of SQL; BadRequestError from it lets the next engine try.
        """
        for plan_by in (self._by_verified, self._by_model, self._by_offline):
            planned = await plan_by(caller, question, answer.notes)
            if planned is None:
                continue
            answer.engine, answer.plan = planned
            answer.error = None
            if answer.plan.sql is None:
                return
            try:
                answer.found = await use(answer.plan.sql)
            except BadRequestError as error:
                answer.error = error.details or error.message
                if answer.engine != "offline":
                    whose = "a verified question" if answer.engine == "verified" else "the model"
                    answer.notes.append(f"The SQL of {whose} cannot be run ({answer.error}).")
            else:
                return

    async def _by_verified(
        self, caller: Caller, question: Question, notes: list[str]
    ) -> tuple[Engine, QuestionPlan] | None:
        found = await self._verified.exact(caller, question.text, question.catalog)
        if found is None:
            return None
        told = "The SQL of a verified question that asks the same."
        return "verified", QuestionPlan(sql=found.sql, explanation=told, confidence=1.0)

    async def _by_model(
        self, caller: Caller, question: Question, notes: list[str]
    ) -> tuple[Engine, QuestionPlan] | None:
        async def check(sql: str) -> str | None:
            try:
                await self._sql.tried(caller, sql, question.catalog)
            except BadRequestError as error:
                return error.details or error.message
            return None

        try:
            engine = await self._models.engine_for(caller)
            return None if engine is None else ("model", await engine.plan(question, check))
        except ModelError as error:
            notes.append(failure_note(error))
            return None

    async def _by_offline(
        self, caller: Caller, question: Question, notes: list[str]
    ) -> tuple[Engine, QuestionPlan] | None:
        if not question.catalog.tables:
            return "offline", QuestionPlan(question="There are no tables yet. Which file should be imported first?")
        async with self._planning:
            return "offline", await asyncio.to_thread(self._planner or _offline, question)

    async def _record(
        self,
        caller: Caller,
        asked_id: UUID,
        thread: str,
        question: Question,
        answer: Answer[tuple[CheckedQuery, QueryResult]],
        told: Row,
        *,
        status: str,
    ) -> None:
        checked, result = answer.found or (None, None)
        asked = Asked(
            id=asked_id,
            thread_id=thread,
            prompt=question.text,
            table_hint=question.table,
            engine=answer.engine,
            status=status,
            sql=answer.plan.sql if checked is None else checked.logical,
            response=told["response"],
            rows_returned=0 if result is None else len(result.rows),
            seconds=0.0 if result is None else result.seconds,
            confidence=answer.confidence,
        )
        await questions.record(self._database, caller, asked, answer.plan.state)


def _offline(question: Question) -> QuestionPlan:
    # It loads lexicons, which a server whose users ask nothing can do without.
    from atlas.language.offline.questions.planner import plan_question

    return plan_question(question)


def _thread(thread_id: str | None) -> str:
    """The thread of a question; a new one where none is given."""
    if not thread_id:
        return str(uuid4())
    if len(thread_id) > MAX_THREAD:
        raise BadRequestError("Invalid parameter", f"thread_id: over {MAX_THREAD} characters long")
    refuse_unstorable("thread_id", thread_id)
    return thread_id


def _told(answer: Answer[tuple[CheckedQuery, QueryResult]], catalog: Catalog) -> Row:
    """The response of `query`, but for its ids."""
    from atlas.language.offline.questions.answer_text import column_units, describe
    from atlas.language.offline.questions.units import units_of

    plan = answer.plan
    row: Row = {
        "success": False,
        "response": "",
        "executed_sql": None,
        "data_csv": "",
        "rows_returned": 0,
        "execution_time_seconds": 0.0,
        "engine": answer.engine,
        "confidence": answer.confidence,
        "tables": [],
        "truncated": False,
        "chart": None,
        "units": {},
        "assumptions": list(plan.assumptions),
        "not_understood": list(plan.not_understood),
        "suggestions": list(plan.suggestions),
        "notes": answer.notes,
    }
    if answer.found is None:
        return row | {"response": answer.refusal()}
    (checked, result), chart = answer.found, plan.chart
    units = units_of(catalog)
    return row | {
        "success": True,
        "response": describe(plan, result.columns, result.rows, result.truncated, units),
        "units": column_units(plan, result.columns, units),
        "executed_sql": checked.logical,
        "data_csv": csv_text(result.columns, result.rows),
        "rows_returned": len(result.rows),
        "execution_time_seconds": round(result.seconds, 3),
        "tables": list(checked.tables),
        "truncated": result.truncated,
        "chart": None if chart is None else {"kind": chart.kind, "x": chart.x, "y": list(chart.y)},
    }


def _explained(checked: CheckedQuery) -> str:
    return f"Reads {' and '.join(checked.tables) or 'no table'}."
