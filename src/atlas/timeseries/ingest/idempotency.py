"""Idempotency keys of inserts: a repeated request gets the answer of the first request, and stores nothing.

Every writer claims its keys here, in one statement. Keys are claimed before a dataset's lock, and in order, so that no
two transactions wait for each other.
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
    """The identity of an insert that may be repeated: the user's key, and a hash of the request."""

    user_id: int
    key: str
    fingerprint: bytes

    @property
    def place(self) -> tuple[int, str]:
        """User and key, which no two inserts share."""
        return self.user_id, self.key


def claim_statement() -> LiteralString:
    """Returns the statement that claims keys and returns user and key of each new key."""
    return queries("timeseries/rows")["claim_idempotency_keys"]


def parameters_of(answers: Iterable[tuple[Retry, Any]]) -> dict[str, list[Any]]:
    """Builds the parameters of `claim_statement` from keys and their answers, None for an answer that is not known yet.

    Returns an empty dict when there are no keys.
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
    """Claims one key before its answer is known. Returns the answer that the key already has, or None.

    Waits for a running insert with the same key.

    Raises BadRequestError: when the key was used for another request.
    """
    claims = await connection.execute(claim_statement(), parameters_of([(retry, None)]))
    found = (await earlier_answers(connection, [retry], claims)).get(retry.place)
    if isinstance(found, AtlasError):
        raise found
    return found


async def keep_answer(connection: Connection, retry: Retry, answer: Any) -> None:
    """Stores the answer of a key that `claim` took."""
    parameters = {"user": retry.user_id, "key": retry.key, "response": _stored(answer)}
    await connection.execute(queries("timeseries/rows")["store_idempotency_response"], parameters)


async def earlier_answers(
    connection: Connection, retries: Sequence[Retry], claims: psycopg.AsyncCursor[Any]
) -> Mapping[tuple[int, str], Any]:
    """Returns the answers to those of `retries` that used a key again, by user and key.

    An answer is an AtlasError when the key was used for another request. `claims` is the cursor of `claim_statement`.
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
        answers[retry.place] = answer if fingerprint == retry.fingerprint else _reuse_error()
    return answers


def _stored(answer: Any) -> Jsonb | None:
    """Encodes an answer for storage as JSON text, because JSONB does not keep all digits and texts of JSON."""
    return None if answer is None else Jsonb(msgspec.json.encode(answer).decode())


def _restored(stored: Any) -> Any:
    """Decodes the answer that `_stored` encoded: counts as a dict, a row as its text, with all digits of
    its numbers.
    """
    if not isinstance(stored, str):
        return stored
    try:
        return msgspec.json.decode(stored, type=dict[str, int])
    except (msgspec.DecodeError, ValueError):
        return msgspec.Raw(stored.encode())


def _reuse_error() -> AtlasError:
    return BadRequestError("Idempotency-Key reused", "the key was used before for another request")
