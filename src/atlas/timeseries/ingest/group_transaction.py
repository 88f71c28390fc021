"""Writes several small inserts of different callers into one dataset in one transaction."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from atlas.db.database import Connection, Database
from atlas.timeseries.conflicts.model import Outcome, Policy
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import idempotency
from atlas.timeseries.ingest.appender import Appender, Opening, Tail
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.ingest.plain_row import PlainRow
from atlas.timeseries.ingest.single_statement import append_at_once


@dataclass(frozen=True, slots=True)
class SmallInsert:
    """Rows in memory, sorted by time, and the response to send once the rows are stored.

    - plain: few rows, in place of frames.
    - key_id: the caller's API key, if only the statement that stores the rows checks whether the key is live.
    - policy: what happens to rows whose timestamp and keys others have; None leaves that to the dataset.
    - respond: builds the response from what a policy did, in place of `response`.
    """

    frames: Sequence[Frame]
    rows: int
    response: Any
    retry: Retry | None = None
    plain: Sequence[PlainRow] = ()
    key_id: int | None = None
    policy: Policy | None = None
    respond: Callable[[Outcome], Any] | None = None

    @property
    def parts(self) -> Sequence[PlainRow | Frame]:
        """The rows, without empty frames."""
        return self.plain or [frame for frame in self.frames if len(frame)]


class Unchecked(enum.Enum):
    """The answer to an insert that was not stored, because nothing tells whether its caller's key is live."""

    UNCHECKED = enum.auto()


class ApartError(Exception):
    """The inserts cannot share a transaction, because one insert changes the schema."""


async def insert_group(
    database: Database, dataset_id: int, group: Sequence[SmallInsert], tail: Tail | None = None
) -> tuple[list[Any], Tail | None]:
    """Inserts all rows of a group in its order, or no row when an error is raised.

    No two inserts of a group may have the same idempotency key. When the function returns, the rows are committed and
    on disk, and listeners are notified. Returns an answer for each insert, and the `tail` for the next group, or None.
    An answer is the insert's response, the earlier response of its key, or the AtlasError that refuses its key. An
    insert with a `key_id` that the single statement did not store has the answer UNCHECKED.

    Raises ApartError: when a group of several inserts needs a schema change.
    """
    claims = _claims(group)
    if tail is not None and all(one.policy is None for one in group):
        parts = [part for one in group for part in one.parts]
        keys = {one.key_id for one in group if one.key_id is not None}
        tail = await append_at_once(database, dataset_id, tail, parts, claims, keys) if parts else None
        if tail is not None:
            return [one.response for one in group], tail
    checked = [one for one in group if one.key_id is None]
    if len(checked) < len(group):
        answers: Iterable[Any] = ()
        if checked:
            answers, tail = await insert_group(database, dataset_id, checked)
        known = iter(answers)
        return [Unchecked.UNCHECKED if one.key_id is not None else next(known) for one in group], tail
    async with database.connection() as connection:
        try:
            return await _insert(connection, dataset_id, group, claims)
        finally:
            # After an error the transaction is rolled back here, because a pipeline cannot run inside
            # `connection.transaction()`.
            if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()


def _claims(group: Sequence[SmallInsert]) -> dict[str, list[Any]]:
    return idempotency.parameters_of((one.retry, one.response) for one in group if one.retry is not None)


async def _insert(
    connection: Connection, dataset_id: int, group: Sequence[SmallInsert], keys: Mapping[str, list[Any]]
) -> tuple[list[Any], Tail | None]:
    opening = Opening(connection, dataset_id)
    claims: psycopg.AsyncCursor[Any] | None = None
    tail: Tail | None = None
    async with connection.pipeline():
        await connection.execute("BEGIN")
        # The claim waits for running inserts with the same keys.
        if keys:
            claims = await connection.execute(idempotency.claim_statement(), keys)
        await opening.send()
    answers: Mapping[Any, Any] = {}
    if claims is not None:
        retries = [one.retry for one in group if one.retry is not None]
        answers = await idempotency.earlier_answers(connection, retries, claims)
    fresh = [one for one in group if _place(one) not in answers]
    outcomes: dict[int, Any] = {}
    if fresh:
        appender = await opening.receive()
        if len(group) > 1 and any(appender.changes_schema(one.frames) for one in fresh):
            raise ApartError
        outcomes = await _add(connection, appender, fresh)
        await appender.close()
        if settled := appender.replaces:
            await appender.finish()
    async with connection.pipeline():
        if fresh:
            if not settled:
                await appender.finish()
            tail = appender.tail
        await connection.execute("COMMIT")
    return [answers.get(_place(one), outcomes.get(id(one), one.response)) for one in group], tail


async def _add(connection: Connection, appender: Appender, fresh: Sequence[SmallInsert]) -> dict[int, Any]:
    """Adds the rows of inserts one after another, and returns the responses that tell what a policy did."""
    responses: dict[int, Any] = {}
    for one in fresh:
        outcome = appender.follow(one.policy)
        rows = 0
        for frame in one.frames:
            await appender.add(frame, rows)
            rows += len(frame)
        if outcome is not None and one.respond is not None:
            responses[id(one)] = response = one.respond(outcome)
            if one.retry is not None:
                await idempotency.keep_answer(connection, one.retry, response)
    return responses


def _place(one: SmallInsert) -> tuple[int, str] | None:
    return None if one.retry is None else one.retry.place
