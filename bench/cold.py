"""What packing old rows saves and costs: the same rows packed and not, in one server.

    python dev.py run python bench/cold.py [--rows N] [--rounds N] [--database-url URL]

On the embedded PostgreSQL, or in a database of its own on one that is given, such as one with TimescaleDB. Bytes a row
with indexes, and how many times as long requests take where the rows are packed (medians of so many rounds, in which
the two datasets take turns).

Figures: `bench/record.py cold` adds them to `bench/results/cold.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from timeseries import START, Server, fill, prices, seconds, stamps

from atlas.db.database import Database
from atlas.timeseries.cold import mover


def full(rows: int) -> bytes:
    """Five columns of random floats, of which every bit counts."""
    random = np.random.default_rng(1)
    micros = (int(START.timestamp()) + np.arange(rows)) * 1_000_000
    table = pa.table(
        {
            "timestamp": pa.array(micros).cast(pa.timestamp("us", "UTC")),
            **{name: random.normal(size=rows) for name in prices(1)},
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


async def pack(url: str, datasets: list[int]) -> int:
    """Packs all rows of datasets, and gives back their space; gives the number of rows."""
    database = Database(url, pool_size=2, statement_timeout=600)
    await database.open()
    total, before = 0, int(time.time() * 1e6)
    for dataset in datasets:
        # Where the server is in the way, a sweep leaves the rest to the next one.
        while dataset in await mover.find_due(database, before, least=1):
            total += await mover.pack_next(database, dataset, before, 2**62) or 0
        for _ in range(60):
            if await mover.settle(database, dataset):
                break
            await asyncio.sleep(1)
    await database.close()
    return total


def size(server: Server, dataset: int, rows: int) -> float:
    return float(server.client.get(f"/api/datasets/{dataset}/summary/").json()["bytes"]) / rows


def requests(server: Server, rows: int) -> dict[str, Callable[[int], object]]:
    """What is asked of a dataset, by name."""
    hour = f"start={stamps(1, rows // 2)[0]}&end={stamps(1, rows // 2 + 3600)[0]}"
    during = f"ts >= '{stamps(1, rows // 2)[0]}' AND ts < '{stamps(1, rows // 2 + 3600)[0]}'"

    def get(path: str) -> Callable[[int], object]:
        return lambda d: server.client.get(f"/api/rows/{path}&dataset={d}").raise_for_status().content

    def sql(text: str) -> Callable[[int], object]:
        # The oldest dataset has its own name as a table, the other one its number behind it.
        return lambda d: server.client.post(
            "/api/v1/sql", json={"sql": text.format("bench" if d == 1 else f"bench_{d}")}
        ).raise_for_status()

    return {
        "all rows as CSV": get("bulk_download/?output=csv"),
        "an hour as CSV": get(f"bulk_download/?output=csv&{hour}"),
        "page of 250 of an hour": get(f"?{hour}"),
        "latest row": get("latest/?"),
        "500 buckets": get("aggregate/?bucket=auto&points=500"),
        "SQL: average of all": sql("SELECT avg(close) FROM {}"),
        "SQL: sums of all by day": sql("SELECT date_trunc('day', ts), sum(volume) FROM {} GROUP BY 1"),
        "SQL: average of an hour": sql(f"SELECT avg(close) FROM {{}} WHERE {during}"),
        "insert of 1,000 rows": lambda d: fill(server, d, 1_000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database-url")
    arguments = parser.parse_args()
    os.environ["ATLAS_COLD_AFTER_DAYS"] = "inf"
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        server = Server(Path(name), arguments.database_url)
        try:
            compare(server, arguments.rows, arguments.rounds)
        finally:
            server.stop()


def compare(server: Server, rows: int, rounds: int) -> None:
    """Prints the figures."""
    plain, packed, random = (server.dataset() for _ in range(3))
    for dataset in (plain, packed):
        fill(server, dataset, rows)
    server.client.post(
        f"/api/rows/bulk_insert/?dataset={random}",
        content=full(rows),
        headers={"Content-Type": "application/vnd.apache.arrow.stream"},
    ).raise_for_status()
    print(f"load of the machine {os.getloadavg()[0]:.1f}; {rows:,} rows of {len(prices(1))} columns")
    before = {dataset: size(server, dataset, rows) for dataset in (packed, random)}
    started = time.perf_counter()
    moved = asyncio.run(pack(server.postgres.url(), [packed]))
    taken = time.perf_counter() - started
    asyncio.run(pack(server.postgres.url(), [random]))
    print(f"packed {moved:,} rows in {taken:.1f} s, {moved / taken:,.0f} a second")
    print(f"prices in cents: {before[packed]:.2f} bytes a row, packed {size(server, packed, rows):.2f}")
    print(f"random floats of full precision: {before[random]:.2f}, packed {size(server, random, rows):.2f}")
    print("| request | rows as they came, ms | packed, ms | times |\n|---|---:|---:|---:|")
    for what, ask in requests(server, rows).items():
        times: dict[int, list[float]] = {plain: [], packed: []}
        for dataset in (plain, packed):
            ask(dataset)
        for _ in range(rounds):
            for dataset, found in times.items():
                found.append(seconds(partial(ask, dataset)) * 1000)
        one, other = (statistics.median(found) for found in times.values())
        print(f"| {what} | {one:.1f} | {other:.1f} | {other / one:.2f} |")


if __name__ == "__main__":
    main()
