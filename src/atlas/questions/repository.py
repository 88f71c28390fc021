"""The stored questions of users, and the verified questions and glossaries of organizations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg

from atlas.accounts.access import Caller
from atlas.contract.questions import AskedStatus, Engine, VerifiedSource, VerifiedStatus
from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its outcome.

    sql: with logical names.
    rating: 1 or -1.
    seconds: the time in the database.
    """

    id: UUID
    thread_id: str
    prompt: str
    table_hint: str | None = None
    engine: Engine
    status: AskedStatus
    sql: str | None = None
    response: str = ""
    rows_returned: int = 0
    seconds: float = 0.0
    confidence: float = 0.0
    rating: int | None = None
    rating_comment: str | None = None
    corrected_sql: str | None = None
    created_at: datetime | None = None


class Verified(msgspec.Struct, frozen=True):
    """A question with the SQL that answers it.

    tables: logical names.
    datasets: the ids of the datasets among the tables.
    """

    id: UUID
    question: str
    normalized: str
    sql: str
    tables: list[str]
    datasets: list[int]
    source: VerifiedSource
    status: VerifiedStatus
    created_by: str | None
    created_at: datetime
    updated_at: datetime


class GlossaryTerm(msgspec.Struct, frozen=True):
    """A term of an organization.

    dataset_id: set if `table_name` is a dataset.
    """

    id: UUID
    term: str
    meaning: str
    table_name: str | None
    dataset_id: int | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


async def record(database: Database, caller: Caller, asked: Asked, state: str | None) -> None:
    """Stores a question."""
    await database.fetch(
        queries("questions/questions")["insert_question"],
        organization=caller.organization_id,
        user=caller.user_id,
        id=asked.id,
        thread=asked.thread_id,
        prompt=asked.prompt,
        table_hint=asked.table_hint,
        engine=asked.engine,
        status=asked.status,
        sql=asked.sql,
        state=state,
        response=asked.response,
        rows_returned=asked.rows_returned,
        seconds=asked.seconds,
        confidence=asked.confidence,
    )


async def turns(database: Database, caller: Caller, thread: str, limit: int) -> list[tuple[str, str, str | None]]:
    """Returns (question, SQL, state) of the last answered questions in the caller's own thread, oldest first."""
    rows = await database.fetch(
        queries("questions/questions")["turns"], user=caller.user_id, thread=thread, limit=limit
    )
    return [(row[0], row[1], row[2]) for row in reversed(rows)]


async def find(
    database: Database,
    caller: Caller,
    *,
    question_id: UUID | None = None,
    thread: str | None = None,
    limit: int = 1,
    offset: int = 0,
) -> list[Asked]:
    """Returns the caller's own questions, newest first."""
    rows = await database.fetch(
        queries("questions/questions")["find_questions"],
        user=caller.user_id,
        id=question_id,
        thread=thread,
        limit=limit,
        offset=offset,
    )
    return [Asked(**dict(zip(Asked.__struct_fields__, row, strict=True))) for row in rows]


async def count(database: Database, caller: Caller, thread: str | None) -> int:
    rows = await database.fetch(queries("questions/questions")["count_questions"], user=caller.user_id, thread=thread)
    return int(rows[0][0])


async def rate(
    database: Database, caller: Caller, question_id: UUID, rating: int, comment: str | None, corrected: str | None
) -> None:
    """Stores a rating, 1 or -1, in place of an earlier rating."""
    await database.fetch(
        queries("questions/questions")["rate_question"],
        user=caller.user_id,
        id=question_id,
        rating=rating,
        comment=comment,
        corrected_sql=corrected,
    )


async def suggest(
    database: Database,
    caller: Caller,
    rated: UUID,
    question: str,
    normalized: str,
    sql: str,
    tables: Sequence[str],
    datasets: Sequence[int],
) -> UUID:
    """Stores the suggestion of a rated question, new or changed, and returns its id."""
    rows = await database.fetch(
        queries("questions/questions")["suggest"],
        organization=caller.organization_id,
        user=caller.user_id,
        rated=rated,
        question=question,
        normalized=normalized,
        sql=sql,
        tables=list(tables),
        datasets=list(datasets),
    )
    made: UUID = rows[0][0]
    return made


async def withdraw(database: Database, rated: UUID) -> None:
    """Removes the suggestion of a rated question, unless the suggestion is accepted."""
    await database.fetch(queries("questions/questions")["withdraw"], rated=rated)


async def find_verified(
    database: Database,
    caller: Caller,
    *,
    verified_id: UUID | None = None,
    status: str | None = None,
    normalized: str | None = None,
    limit: int = 1,
    offset: int = 0,
) -> list[Verified]:
    """Returns the verified and suggested questions that the caller may see, latest change first."""
    rows = await database.fetch(
        queries("questions/questions")["find_verified"],
        organization=caller.organization_id,
        user=caller.user_id,
        id=verified_id,
        status=status,
        normalized=normalized,
        limit=limit,
        offset=offset,
    )
    return [Verified(*row) for row in rows]


async def count_verified(database: Database, caller: Caller, status: str | None) -> int:
    rows = await database.fetch(
        queries("questions/questions")["count_verified"],
        organization=caller.organization_id,
        user=caller.user_id,
        status=status,
    )
    return int(rows[0][0])


async def save_verified(
    database: Database,
    caller: Caller,
    verified_id: UUID | None,
    question: str,
    normalized: str,
    sql: str,
    tables: Sequence[str],
    datasets: Sequence[int],
    status: str,
) -> UUID | None:
    """Creates a verified question if `verified_id` is None, else changes the question.

    Returns None if the question is gone.
    """
    rows = await database.fetch(
        queries("questions/questions")["insert_verified" if verified_id is None else "update_verified"],
        organization=caller.organization_id,
        user=caller.user_id,
        id=verified_id,
        question=question,
        normalized=normalized,
        sql=sql,
        tables=list(tables),
        datasets=list(datasets),
        status=status,
    )
    return rows[0][0] if rows else None


async def delete_verified(database: Database, caller: Caller, verified_id: UUID) -> None:
    await database.fetch(
        queries("questions/questions")["delete_verified"], organization=caller.organization_id, id=verified_id
    )


async def find_terms(
    database: Database, caller: Caller, *, term_id: UUID | None = None, limit: int = 1, offset: int = 0
) -> list[GlossaryTerm]:
    """Returns the terms that the caller may see, by name."""
    rows = await database.fetch(
        queries("questions/questions")["find_terms"],
        organization=caller.organization_id,
        user=caller.user_id,
        id=term_id,
        limit=limit,
        offset=offset,
    )
    return [GlossaryTerm(*row) for row in rows]


async def count_terms(database: Database, caller: Caller) -> int:
    rows = await database.fetch(
        queries("questions/questions")["count_terms"], organization=caller.organization_id, user=caller.user_id
    )
    return int(rows[0][0])


async def save_term(
    database: Database,
    caller: Caller,
    term_id: UUID | None,
    term: str,
    meaning: str,
    table_name: str | None,
    dataset_id: int | None,
) -> UUID | None:
    """Creates a term if `term_id` is None, else changes the term. Returns None if the term is gone.

    Raises BadRequestError: when the organization has another term of that name.
    """
    try:
        rows = await database.fetch(
            queries("questions/questions")["insert_term" if term_id is None else "update_term"],
            organization=caller.organization_id,
            user=caller.user_id,
            id=term_id,
            term=term,
            meaning=meaning,
            table_name=table_name,
            dataset=dataset_id,
        )
    except psycopg.errors.UniqueViolation:
        raise BadRequestError("Invalid term", f"term: {term[:100]!r} is in the glossary already") from None
    return rows[0][0] if rows else None


async def delete_term(database: Database, caller: Caller, term_id: UUID) -> None:
    await database.fetch(queries("questions/questions")["delete_term"], organization=caller.organization_id, id=term_id)
