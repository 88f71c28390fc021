"""Prepared statements on connections of their own: each caller gets its own result, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import psycopg
import pytest

from atlas.db import prepared
from atlas.db.binary_values import BOOL, FLOAT8, INT4, INT8, TEXT, TIMESTAMPTZ, arrays, int8, numbers, text
from atlas.db.prepared import PreparedStatements, Statement
from atlas.kit.timestamps import to_micros

pytestmark = pytest.mark.anyio
ECHO = Statement(b"SELECT $1::bigint", 1)
PID = Statement(b"SELECT pg_backend_pid()", 0)


async def nothing(*_: Any) -> None:
    pass


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[PreparedStatements]:
    made = PreparedStatements(database_url, "-c timezone=UTC", 3, nothing, nothing)
    yield made
    await made.close()


async def echoed(pool: PreparedStatements, number: int, wait: float = 0.0) -> int:
    waits = Statement(f"SELECT $1::bigint FROM pg_sleep({wait})".encode(), 1) if wait else ECHO
    return int((await pool.run(waits, [int8(number)]))[0][0])


async def test_results_are_their_callers_own(pool: PreparedStatements) -> None:
    """Among callers that give up at any moment, and statements that fail."""
    chance = random.Random(1)
    broken = Statement(b"SELECT 1 / $1::bigint", 1)

    async def fails() -> None:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await pool.run(broken, [int8(0)])

    async def gives_up(number: int) -> None:
        task = asyncio.create_task(echoed(pool, number, 0.01))
        await asyncio.sleep(chance.random() / 50)
        task.cancel()
        await asyncio.wait((task,))

    async def asks(number: int) -> None:
        assert await echoed(pool, number, chance.choice([0.0, 0.0, 0.002])) == number

    works = [chance.choice([asks, asks, gives_up])(number) for number in range(300)] + [fails() for _ in range(20)]
    chance.shuffle(works)
    await asyncio.gather(*works)
    assert len({(await pool.run(PID, []))[0][0] for _ in range(3)}) == 1
    assert await asyncio.gather(*(echoed(pool, number) for number in range(20))) == list(range(20))


async def test_connections_that_the_server_ends(pool: PreparedStatements, database_url: str) -> None:
    async def end_all() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    for _ in range(3):
        assert await asyncio.gather(*(echoed(pool, number, 0.01) for number in range(6))) == list(range(6))
        # Those at rest are replaced before anybody notices.
        await end_all()
    sleeping = [asyncio.create_task(echoed(pool, number, 60)) for number in range(3)]
    waiting = [asyncio.create_task(echoed(pool, number)) for number in range(5)]
    await asyncio.sleep(0.5)
    await end_all()
    for failed in await asyncio.gather(*sleeping, return_exceptions=True):
        assert isinstance(failed, psycopg.OperationalError)
    assert await asyncio.gather(*waiting) == list(range(5))


async def test_a_closed_pool(pool: PreparedStatements) -> None:
    sleeping = asyncio.create_task(echoed(pool, 1, 60))
    await asyncio.sleep(0.2)
    await pool.close()
    for work in (sleeping, echoed(pool, 2)):
        with pytest.raises(psycopg.OperationalError):
            await work


async def test_more_statements_than_are_kept(pool: PreparedStatements, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST_KEPT", 5)
    statements = [Statement(f"SELECT {number} + $1::bigint".encode(), 1) for number in range(12)]
    chance, kept = random.Random(2), Statement(b"SELECT count(*) FROM pg_prepared_statements", 0)
    for _ in range(200):
        number = int(chance.triangular(0, 12, 0))
        assert (await pool.run(statements[number], [int8(1)]))[0][0] == number + 1
    assert 1 < (await pool.run(kept, []))[0][0] <= 5
    # One that cannot be prepared is not kept, and does no harm to others.
    wrong = Statement(b"SELECT nothing_of_the_kind", 0)
    for _ in range(3):
        with pytest.raises(psycopg.errors.UndefinedColumn):
            await pool.run(wrong, [])
        assert await echoed(pool, 7) == 7


async def test_parameters_larger_than_what_the_system_takes_at_once(pool: PreparedStatements) -> None:
    length = Statement(b"SELECT length($1::text)", 1)
    sizes = [1, 3_000_000, 10, 20_000_000]
    found = await asyncio.gather(*(pool.run(length, [text("x" * size)]) for size in sizes))
    assert [rows[0][0] for rows in found] == sizes


async def test_values_arrive_as_they_are(pool: PreparedStatements) -> None:
    chance = random.Random(3)
    whole = [0, -1, 2**31 - 1, -(2**31)]
    large = [*whole, 2**63 - 1, -(2**63)]
    floats = [0.0, -0.0, 1.5, 5e-324, math.inf, 1.7976931348623157e308, 0.1]
    times = [0, -1, 1_234_567_890_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999]
    texts = ["", "a", "ä€😀", 'quo"te', "back\\slash", "{1,2}", "NULL", "'; --"]
    kinds: list[tuple[int, str, list[Any]]] = [
        (INT4, "int", whole),
        (INT8, "bigint", large),
        (FLOAT8, "float8", floats),
        (TIMESTAMPTZ, "timestamptz", times),
        (TEXT, "text", texts),
        (BOOL, "bool", [True, False]),
    ]
    for kind, name, values in kinds:
        given = Statement(f"SELECT unnest($1::{name}[])".encode(), 1)
        for size in (0, 1, 2, 30):
            sent = [chance.choice([*values, None]) for _ in range(size)]
            found = [row[0] for row in await pool.run(given, [arrays(kind, sent)])]
            if kind == TIMESTAMPTZ:
                found = [one and to_micros(one) for one in found]
            assert list(map(repr, found)) == list(map(repr, sent))
        if kind in (INT8, FLOAT8, TIMESTAMPTZ):
            assert numbers(kind, np.array(values)) == arrays(kind, values)
