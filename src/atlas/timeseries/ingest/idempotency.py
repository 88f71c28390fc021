"""Idempotency keys of inserts: a repeated request gets the answer of the first, and stores nothing.

Every way of writing claims its keys here, in one statement. Keys come before the lock of a dataset, and in order, so
that no two transactions wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.errors import AtlasError, BadRequestError


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a repeated insert safe: the caller's key for it, and a hash of what was sent."""

    user_id: int
    key: str
    fingerprint: bytes

    @property
    def place(self) -> tuple[int, str]:
        """User and key, which no two inserts share."""
        return self.user_id, self.key


def claim_statement() -> LiteralString:
    """The statement that claims keys, and gives user and key of those that are new."""
    return queries("timeseries/rows")["claim_idempotency_keys"]


def parameters_of(answers: Iterable[tuple[Retry, Any]]) -> dict[str, list[Any]]:
    """Parameters of `claim_statement` for keys and the answers to keep with them, None for one that is not known yet.

    Empty where there are no keys.
    """
    keyed = sorted(((retry, _stored(answer)) for retry, answer in answers), key=lambda pair: pair[0].place)
    if not keyed:
        return {}
    return {
        "users": [retry.user_id for retry, _ in keyed],
        "keys": [retry.key for retry, _ in keyed],
        "fingerprints": [retry.fingerprint for retry, _ in keyed],
        "responses": [answer for _, answer in keyed],
    }


async def claim(connection: Connection, retry: Retry) -> Any | None:
    """Claims one key before its answer is known; gives the answer that the key has already, or None.

    Waits for an insert with the same key that is still under way. Raises BadRequestError for a key that was used for
    another request.
    """
    claims = await connection.execute(claim_statement(), parameters_of([(retry, None)]))
    found = (await earlier_answers(connection, [retry], claims)).get(retry.place)
    if isinstance(found, AtlasError):
        raise found
    return found


async def keep_answer(connection: Connection, retry: Retry, answer: Any) -> None:
    """Keeps the answer of a key that `claim` took."""
    parameters = {"user": retry.user_id, "key": retry.key, "response": _stored(answer)}
    await connection.execute(queries("timeseries/rows")["store_idempotency_response"], parameters)


async def earlier_answers(
    connection: Connection, retries: Sequence[Retry], claims: psycopg.AsyncCursor[Any]
) -> Mapping[tuple[int, str], Any]:
    """Answers to those of `retries` whose keys were used before, by user and key.

    An answer is an AtlasError where the key was used for another request. claims: the cursor of `claim_statement`.
    """
    new = {(user, key) for user, key in await claims.fetchall()}
    used = [retry for retry in retries if retry.place not in new]
    if not used:
        return {}
    parameters = {"users": [retry.user_id for retry in used], "keys": [retry.key for retry in used]}
    cursor = await connection.execute(queries("timeseries/rows")["find_idempotency_keys"], parameters)
    found = {(user, key): (bytes(mark), _restored(answer)) for user, key, mark, answer in await cursor.fetchall()}
    answers: dict[tuple[int, str], Any] = {}
    for retry in used:
        fingerprint, answer = found[retry.place]
        answers[retry.place] = answer if fingerprint == retry.fingerprint else _reused()
    return answers


def _stored(answer: Any) -> Jsonb | None:
    """An answer as it is stored: its text, since JSONB has no room for all that JSON says."""
    return None if answer is None else Jsonb(msgspec.json.encode(answer).decode())


def _restored(stored: Any) -> Any:
    """The answer that `_stored` was given: counts as such, a row as its text, with all digits of its numbers."""
    if not isinstance(stored, str):
        return stored
    try:
        return msgspec.json.decode(stored, type=dict[str, int])
    except (msgspec.DecodeError, ValueError):
        return msgspec.Raw(stored.encode())


def _reused() -> AtlasError:
    return BadRequestError("Idempotency-Key reused", "the key was used before for another request")
