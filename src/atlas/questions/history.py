"""The questions that a caller has asked, and the caller's ratings of the answers."""

from __future__ import annotations

from uuid import UUID

from atlas.accounts.access import Caller
from atlas.catalog.mentions import read_by
from atlas.contract.questions import AskedItem, AskedPage, AskedView, RatedView, Rating
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.validation import identified, refuse_text, refuse_unstorable
from atlas.questions import repository as questions
from atlas.questions.repository import Asked
from atlas.questions.verified import VerifiedService
from atlas.sqlgate.lexer import MAX_CHARACTERS as MAX_SQL
from atlas.sqlgate.service import SqlService

MAX_COMMENT = 2_000
_RATINGS: dict[Rating, int] = {"up": 1, "down": -1}


class AskedService:
    """Manages the caller's own questions. No other user can read the questions."""

    def __init__(self, database: Database, sql: SqlService, verified: VerifiedService) -> None:
        self._database, self._sql, self._verified = database, sql, verified

    async def list(self, caller: Caller, thread_id: str | None, limit: int, offset: int) -> AskedPage:
        """Returns a page of questions, newest first."""
        refuse_unstorable("thread_id", thread_id or "")
        found = await questions.find(self._database, caller, thread=thread_id, limit=limit, offset=offset)
        total = await questions.count(self._database, caller, thread_id)
        return AskedPage(total, limit, offset, tuple(_item(asked) for asked in found))

    async def get(self, caller: Caller, question_id: str) -> AskedView:
        """Returns one question.

        Raises NotFoundError: when the caller has no such question.
        """
        return AskedView(_item(await self._find(caller, question_id)))

    async def rate(
        self,
        caller: Caller,
        question_id: str,
        rating: Rating,
        comment: str | None = None,
        corrected_sql: str | None = None,
    ) -> RatedView:
        """Rates an answer, in place of an earlier rating.

        An answer with rating `up`, or corrected SQL, becomes a suggestion for the organization. A rating `down` without
        corrected SQL withdraws the suggestion.
        Raises BadRequestError: when the corrected SQL cannot be run.
        """
        asked = await self._find(caller, question_id)
        if comment is not None and comment.strip():
            refuse_text("comment", comment, MAX_COMMENT)
        suggestion = None
        if corrected_sql is not None:
            refuse_text("corrected_sql", corrected_sql, MAX_SQL)
            suggestion = await self._suggest(caller, asked, corrected_sql)
        elif rating == "up" and asked.status == "answered" and asked.engine != "verified" and asked.sql is not None:
            try:
                suggestion = await self._suggest(caller, asked, asked.sql)
            except BadRequestError:
                # The answer was right at its time, but the table has changed since.
                suggestion = None
        else:
            await questions.withdraw(self._database, asked.id)
        await questions.rate(self._database, caller, asked.id, _RATINGS[rating], comment, corrected_sql)
        return RatedView(str(asked.id), rating, None if suggestion is None else str(suggestion))

    async def _suggest(self, caller: Caller, asked: Asked, sql: str) -> UUID | None:
        catalog = await self._sql.catalog(caller, names=read_by(sql))
        checked = await self._sql.validate(caller, sql, catalog)
        return await self._verified.suggest(caller, asked, checked, catalog)

    async def _find(self, caller: Caller, question_id: str) -> Asked:
        missing = NotFoundError("Question not found", f"no question with ID {question_id[:64]!r}")
        found = await questions.find(self._database, caller, question_id=identified(question_id, missing))
        if not found:
            raise missing
        return found[0]


def _item(asked: Asked) -> AskedItem:
    rating: Rating | None = None if asked.rating is None else "up" if asked.rating > 0 else "down"
    return AskedItem(
        question_id=str(asked.id),
        thread_id=asked.thread_id,
        prompt=asked.prompt,
        table_name=asked.table_hint,
        status=asked.status,
        engine=asked.engine,
        response=asked.response,
        executed_sql=asked.sql if asked.status == "answered" else None,
        rows_returned=asked.rows_returned,
        execution_time_seconds=round(asked.seconds, 3),
        confidence=asked.confidence,
        rating=rating,
        rating_comment=asked.rating_comment,
        corrected_sql=asked.corrected_sql,
        created_at=asked.created_at,
    )
