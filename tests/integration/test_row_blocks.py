"""Blocks of rows stay few and about as large as each other, however much a dataset grows."""

from __future__ import annotations

import random

import pytest
from tests.conftest import People, new_dataset

from atlas.db.database import Database
from atlas.db.named_queries import queries

pytestmark = pytest.mark.anyio
MOST = 40


@pytest.mark.parametrize("sizes", [[10_000], [1, 10_000], [10, 300, 7_000, 10_000]])
async def test_blocks_stay_few_and_even(database: Database, people: People, sizes: list[int]) -> None:
    dataset = await new_dataset(database, people)
    pick, last = random.Random(1), 0
    async with database.connection() as connection:
        for _ in range(150):
            for _ in range(pick.randrange(1, 9)):
                rows = pick.choice(sizes)
                block = (dataset, last + 1, last + rows, rows, last + 1, last + rows)
                await connection.execute(
                    "INSERT INTO atlas.row_blocks (dataset_id, first_seq, last_seq, row_count, min_ts, max_ts) "
                    "VALUES (%s, %s, %s, %s, %s, %s)",
                    block,
                )
                last += rows
            await connection.execute(queries("timeseries/rows")["merge_blocks"], {"id": dataset, "most": MOST})
            cursor = await connection.execute(queries("timeseries/rows")["all_blocks"], {"id": dataset})
            blocks = await cursor.fetchall()
            assert len(blocks) <= MOST
            reached = 0
            for first, end, rows, low, high in blocks:
                assert (first, rows, low, high) == (reached + 1, end - first + 1, first, end)
                assert rows <= max(10_000, 4 * last / MOST)
                reached = end
            assert reached == last
