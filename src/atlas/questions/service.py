"""Answers questions in plain English: an engine plans SQL, the SQL is checked and run as the caller, and a sentence
reports.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID, uuid4

import msgspec

from atlas.accounts.access import Caller
from atlas.catalog.mentions import read_by
from atlas.catalog.model import Catalog
from atlas.contract.questions import AskedStatus, Chart, Engine, GeneratedSql, QuestionAnswer
from atlas.db.database import Database
from atlas.errors import AtlasError, BadRequestError, ModelError
from atlas.kit.processor_time import in_charged_thread
from atlas.kit.query_csv import csv_text
from atlas.kit.validation import refuse_text, refuse_unstorable
from atlas.language.question import Question, QuestionPlan, Turn
from atlas.llm.service import ModelService
from atlas.llm.with_fallback import failure_note
from atlas.questions import repository as questions
from atlas.questions.glossary import GlossaryService
from atlas.questions.repository import Asked, Verified
from atlas.questions.verified import VerifiedService, usable
from atlas.sqlgate.gate import CheckedQuery
from atlas.sqlgate.sandbox import QueryResult
from atlas.sqlgate.service import SqlService, foreign_owner_notes, restrict_catalog, row_limit, table_named

Planner = Callable[[Question], QuestionPlan]
T = TypeVar("T")
MAX_PROMPT, MAX_THREAD, MAX_HINTS = 4_000, 200, 50
TURNS = 10
# The number of questions that the offline engine reads at once in a process. Each question keeps a core busy.
_PLANNERS = 4
_AGAIN = "Could you say it in other words?"


@dataclass(frozen=True, slots=True)
class Planned(Generic[T]):
    """The plan of one engine.

    found: the result of the plan's SQL, if the SQL was already used.
    notes: further notes for the answer.
    failure: the error that ended the attempt.
    """

    engine: Engine
    plan: QuestionPlan | None
    found: T | None = None
    notes: tuple[str, ...] = ()
    failure: AtlasError | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The answer to a question.

    found: the result of the SQL.
    error: the reason why the last SQL could not be used.
    failure: the error that ended the question, to be raised.
    """

    engine: Engine = "offline"
    plan: QuestionPlan = field(default_factory=QuestionPlan)
    found: T | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    failure: AtlasError | None = None

    @property
    def status(self) -> AskedStatus:
        return "answered" if self.found is not None else "unclear" if self.error is None else "failed"

    @property
    def confidence(self) -> float:
        return 0.0 if self.found is None else round(self.plan.confidence, 3)

    def refusal(self) -> str:
        """Writes the reply for a question without an answer: the unknown words, and a question back."""
        if self.error is not None:
            return f"The query that answers this cannot be run: {self.error}. {_AGAIN}"
        told = self.plan.question or ""
        words = [word for word in self.plan.not_understood if word not in told]
        if words:
            told = f"I don't understand {', '.join(repr(word) for word in words)}. {told}"
        told = told.strip() or "I don't see which table or column this is about."
        return told if "?" in told else f"{told} {_AGAIN}"


class QuestionService:
    """Answers questions on data that the caller may read.

    An equal verified question answers first, then the organization's model, then the offline engine.
    planner: replaces the offline engine. None: the real engine.
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
    ) -> QuestionAnswer:
        """Answers a question.

        max_rows: 1 to 10,000, by default 1,000.
        thread_id: None starts a thread.
        Raises BadRequestError: when a parameter is invalid.
        Raises NotFoundError: when a table is unknown.
        Raises UnavailableError: when the query takes too long.
        """
        limit = row_limit(max_rows)
        thread = _thread(thread_id)
        question, same = await self._question(caller, prompt, [] if table_name is None else [table_name], thread)
        asked_id = uuid4()

        async def run(sql: str) -> tuple[CheckedQuery, QueryResult]:
            checked = await self._sql.check(sql, question.catalog, limit)
            return checked, await self._sql.run(caller, checked, question.catalog, limit)

        answer = await self._answer(caller, question, same, run)
        if answer.failure is not None:
            with contextlib.suppress(AtlasError):
                reason = answer.failure.details or answer.failure.message
                await self._record(caller, asked_id, thread, question, answer, reason, status="failed")
            raise answer.failure
        told = await asyncio.to_thread(_told, answer, question.catalog, thread, asked_id)
        await self._record(caller, asked_id, thread, question, answer, told.response, status=answer.status)
        return told

    async def generate(self, caller: Caller, prompt: str, table_hints: Sequence[str] = ()) -> GeneratedSql:
        """Generates SQL for a question. Nothing is run or stored."""
        if len(table_hints) > MAX_HINTS:
            raise BadRequestError("Invalid parameter", f"table_hints: over {MAX_HINTS}")
        question, same = await self._question(caller, prompt, table_hints)
        answer = await self._answer(
            caller, question, same, lambda sql: self._sql.validate(caller, sql, question.catalog)
        )
        if answer.failure is not None:
            raise answer.failure
        checked, plan = answer.found, answer.plan
        return GeneratedSql(
            success=checked is not None,
            sql_query=None if checked is None else checked.logical,
            tables_referenced=() if checked is None else tuple(checked.tables),
            explanation=answer.refusal() if checked is None else plan.explanation or _explained(checked),
            confidence=answer.confidence,
            assumptions=(
                *plan.assumptions,
                *(foreign_owner_notes(question.catalog, checked.tables) if checked else ()),
            ),
            not_understood=tuple(plan.not_understood),
            suggestions=tuple(plan.suggestions),
            engine=answer.engine,
            notes=answer.notes,
        )

    async def _question(
        self, caller: Caller, prompt: str, hints: Sequence[str], thread: str | None = None
    ) -> tuple[Question, Verified | None]:
        """Builds a question with all that an engine may know.

        Returns the question, and the equal verified question or None.
        """
        refuse_text("prompt", prompt, MAX_PROMPT)
        turns = [] if thread is None else await questions.turns(self._database, caller, thread, TURNS)
        # The catalog must hold the tables of the thread, as further questions are about them, and the tables of
        # verified questions, as their authors chose the tables.
        same = await self._verified.same(caller, prompt)
        chosen = {*hints, *(name for one in same for name in one.tables)}
        chosen |= {name for turn in turns for name in read_by(turn[1])}
        whole = await self._sql.catalog(caller, prompt, chosen)
        catalog = await asyncio.to_thread(restrict_catalog, whole, hints)
        question = Question(
            text=prompt,
            catalog=catalog,
            turns=tuple(Turn(*turn) for turn in turns),
            terms=await self._glossary.terms(caller, catalog),
            table=table_named(catalog, hints[0]).name if len(hints) == 1 else None,
            today=datetime.now(UTC).date().isoformat(),
        )
        return question, next(iter(usable(same, catalog)), None)

    async def _answer(
        self, caller: Caller, question: Question, same: Verified | None, use: Callable[[str], Awaitable[T]]
    ) -> Answer[T]:
        """Answers by the first engine whose SQL can be used, or that asks back.

        use: runs or checks the SQL, once for each SQL. On BadRequestError the next engine tries.
        """
        answer: Answer[T] = Answer()
        planners: tuple[Callable[[], Awaitable[Planned[T]]], ...] = (
            lambda: self._by_verified(same),
            lambda: self._by_model(caller, question, use),
            lambda: self._by_offline(question),
        )
        try:
            for plan_by in planners:
                planned = await plan_by()
                answer = replace(answer, notes=(*answer.notes, *planned.notes))
                if planned.plan is not None:
                    answer = replace(answer, engine=planned.engine, plan=planned.plan, found=planned.found, error=None)
                if planned.failure is not None:
                    raise planned.failure
                if planned.plan is None:
                    continue
                if answer.found is not None or answer.plan.sql is None:
                    return answer
                try:
                    return replace(answer, found=await use(answer.plan.sql))
                except BadRequestError as error:
                    answer = _refused(answer, error.details or error.message)
        except AtlasError as failure:
            return replace(answer, failure=failure)
        return answer

    async def _by_verified(self, same: Verified | None) -> Planned[T]:
        if same is None:
            return Planned("verified", None)
        told = "The SQL of a verified question that asks the same."
        return Planned("verified", QuestionPlan(sql=same.sql, explanation=told, confidence=1.0))

    async def _by_model(self, caller: Caller, question: Question, use: Callable[[str], Awaitable[T]]) -> Planned[T]:
        """Asks the organization's model, if there is one. The result of its SQL is passed on and not computed again."""
        found: T | None = None
        last: str | None = None

        async def check(sql: str) -> str | None:
            nonlocal found, last
            last = sql
            try:
                found = await use(sql)
            except BadRequestError as error:
                return error.details or error.message
            return None

        try:
            engine = await self._models.engine_for(caller)
            if engine is None:
                return Planned("model", None)
            examples = await self._verified.examples(caller, question.text, question.catalog)
            plan = await engine.plan(msgspec.structs.replace(question, examples=examples), check)
            return Planned("model", plan, None if plan.sql is None else found)
        except ModelError as error:
            return Planned("model", None, notes=(failure_note(error),))
        except AtlasError as error:
            # The model is not at fault, as when a query takes too long. The question is stored with its SQL.
            return Planned("model", None if last is None else QuestionPlan(sql=last), failure=error)

    async def _by_offline(self, question: Question) -> Planned[T]:
        if not question.catalog.tables:
            asked = "There are no tables yet. Which file should be imported first?"
            return Planned("offline", QuestionPlan(question=asked))
        async with self._planning:
            return Planned("offline", await self._plan(question))

    async def _plan(self, question: Question) -> QuestionPlan:
        if self._planner is not None:
            return await in_charged_thread(self._planner, question)
        # The planner loads lexicons, which a server without questions does not need.
        from atlas.language.offline.questions.planner import plan_question

        return await self._sql.calls.run(len(question.text), plan_question, question)

    async def _record(
        self,
        caller: Caller,
        asked_id: UUID,
        thread: str,
        question: Question,
        answer: Answer[tuple[CheckedQuery, QueryResult]],
        response: str,
        *,
        status: AskedStatus,
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
            response=response,
            rows_returned=0 if result is None else len(result.rows),
            seconds=0.0 if result is None else result.seconds,
            confidence=answer.confidence,
        )
        await questions.record(self._database, caller, asked, answer.plan.state)


def _refused(answer: Answer[T], reason: str) -> Answer[T]:
    """Returns the answer with the reason why its SQL cannot be used."""
    if answer.engine == "offline":
        return replace(answer, error=reason)
    whose = "a verified question" if answer.engine == "verified" else "the model"
    return replace(answer, error=reason, notes=(*answer.notes, f"The SQL of {whose} cannot be run ({reason})."))


def _thread(thread_id: str | None) -> str:
    """Returns the thread of a question, or a new thread if none is given.

    Raises BadRequestError: when the id is too long or cannot be stored.
    """
    if not thread_id:
        return str(uuid4())
    if len(thread_id) > MAX_THREAD:
        raise BadRequestError("Invalid parameter", f"thread_id: over {MAX_THREAD} characters long")
    refuse_unstorable("thread_id", thread_id)
    return thread_id


def _told(
    answer: Answer[tuple[CheckedQuery, QueryResult]], catalog: Catalog, thread: str, asked_id: UUID
) -> QuestionAnswer:
    """Builds the answer to a question."""
    from atlas.language.offline.questions.answer_text import column_units, describe
    from atlas.language.offline.questions.units import units_of

    plan = answer.plan
    none = QuestionAnswer(
        success=False,
        response="",
        executed_sql=None,
        data_csv="",
        rows_returned=0,
        execution_time_seconds=0.0,
        thread_id=thread,
        question_id=str(asked_id),
        engine=answer.engine,
        confidence=answer.confidence,
        tables=(),
        truncated=False,
        chart=None,
        units={},
        assumptions=tuple(plan.assumptions),
        not_understood=tuple(plan.not_understood),
        suggestions=tuple(plan.suggestions),
        notes=answer.notes,
    )
    if answer.found is None:
        return replace(none, response=answer.refusal())
    (checked, result), chart = answer.found, plan.chart
    units = units_of(catalog)
    return replace(
        none,
        success=True,
        response=describe(plan, result.columns, result.rows, result.truncated, units),
        units=column_units(plan, result.columns, units),
        executed_sql=checked.logical,
        data_csv=csv_text(result.columns, result.rows),
        rows_returned=len(result.rows),
        execution_time_seconds=round(result.seconds, 3),
        tables=tuple(checked.tables),
        truncated=result.truncated,
        chart=None if chart is None else Chart(chart.kind, chart.x, tuple(chart.y)),
        assumptions=(*none.assumptions, *foreign_owner_notes(catalog, checked.tables)),
    )


def _explained(checked: CheckedQuery) -> str:
    return f"Reads {' and '.join(checked.tables) or 'no table'}."
