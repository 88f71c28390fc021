"""Several small inserts into one dataset, of different callers, in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import AtlasError, BadRequestError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.appender import Opening, Tail
from atlas.timeseries.ingest.single_statement import append_at_once


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a repeated insert safe: the caller's key for it, and a hash of what was sent."""

    user_id: int
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class SmallInsert:
    """Rows in memory, sorted by time, and the response for when they are stored."""

    frames: Sequence[Frame]
    rows: int
    response: Any
    retry: Retry | None = None


class ApartError(Exception):
    """These inserts do not go together, as one of them changes the schema."""


async def insert_group(
    database: Database, dataset_id: int, group: Sequence[SmallInsert], tail: Tail | None = None
) -> tuple[list[Any], Tail | None]:
    """Inserts all rows of a group, in its order, or none if anything is raised.

    No two of a group may have the same idempotency key. Gives for each insert its response, the response that its
    key had before, or the AtlasError that its key is refused with; and what is to be given as `tail` with the next
    group, if anything. Once it returns, the rows are committed and on disk, and listeners have been told. Raises
    ApartError, unless the group is of one.
    """
    keys = _arrays(group)
    async with database.connection() as connection:
        if tail is not None:
            frames = [frame for one in group for frame in one.frames if len(frame)]
            tail = await append_at_once(connection, dataset_id, tail, frames, keys) if frames else None
            if tail is not None:
                return [one.response for one in group], tail
        try:
            return await _insert(connection, dataset_id, group, keys)
        finally:
            # After an error; a pipeline cannot be in a transaction block that ends by itself.
            if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()


async def _insert(
    connection: Connection, dataset_id: int, group: Sequence[SmallInsert], keys: Mapping[str, list[Any]]
) -> tuple[list[Any], Tail | None]:
    opening = Opening(connection, dataset_id)
    claims: psycopg.AsyncCursor[Any] | None = None
    tail: Tail | None = None
    async with connection.pipeline():
        await connection.execute("BEGIN")
        # Keys are locked before the dataset, and in order, so that no two transactions wait for each other.
        # This waits for inserts with the same ones that are still under way.
        if keys:
            claims = await connection.execute(queries("timeseries/rows")["claim_idempotency_keys"], keys)
        await opening.send()
    answers = {} if claims is None else await _earlier(connection, group, claims)
    fresh = [one for one in group if _place(one) not in answers]
    if fresh:
        appender = await opening.receive()
        if len(group) > 1 and any(appender.changes_schema(one.frames) for one in fresh):
            raise ApartError
        for one in fresh:
            for frame in one.frames:
                await appender.add(frame)
        await appender.flush()
    async with connection.pipeline():
        if fresh:
            await appender.finish()
            tail = appender.tail
        await connection.execute("COMMIT")
    return [answers.get(_place(one), one.response) for one in group], tail


def _place(one: SmallInsert) -> tuple[int, str] | None:
    return None if one.retry is None else (one.retry.user_id, one.retry.key)


def _arrays(group: Sequence[SmallInsert]) -> dict[str, list[Any]]:
    keyed = sorted(
        ((one.retry.user_id, one.retry.key, one.retry.fingerprint, kept(one.response)) for one in group if one.retry),
        key=lambda found: found[:2],
    )
    return dict(zip(("users", "keys", "fingerprints", "responses"), map(list, zip(*keyed, strict=True)), strict=False))


async def _earlier(
    connection: Connection, group: Sequence[SmallInsert], claims: psycopg.AsyncCursor[Any]
) -> Mapping[Any, Any]:
    """The answers to those of a group whose keys were used before, by user and key."""
    claimed = {(user, key) for user, key in await claims.fetchall()}
    used = [one for one in group if one.retry is not None and _place(one) not in claimed]
    if not used:
        return {}
    arrays = _arrays(used)
    cursor = await connection.execute(
        queries("timeseries/rows")["find_idempotency_keys"], {"users": arrays["users"], "keys": arrays["keys"]}
    )
    found = {(user, key): (bytes(mark), again(answer)) for user, key, mark, answer in await cursor.fetchall()}
    answers: dict[Any, Any] = {}
    for one in used:
        assert one.retry is not None
        stored, response = found[one.retry.user_id, one.retry.key]
        answers[_place(one)] = response if stored == one.retry.fingerprint else reused()
    return answers


def kept(response: Any) -> Jsonb:
    """A response as it is stored for a repeated request: its text, since JSONB has no room for all that JSON says."""
    return Jsonb(msgspec.json.encode(response).decode())


def again(stored: Any) -> Any:
    """The response that `kept` was given: counts as such, a row as its text, with all digits of its numbers."""
    if not isinstance(stored, str):
        return stored
    try:
        return msgspec.json.decode(stored, type=dict[str, int])
    except (msgspec.DecodeError, ValueError):
        return msgspec.Raw(stored.encode())


def reused() -> AtlasError:
    """What the second use of a key for something else is refused with."""
    return BadRequestError("Idempotency-Key reused", "the key was used before for another request")
