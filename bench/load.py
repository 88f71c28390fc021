"""Clients that send the same kind of request again and again, in a process of their own; `small_inserts.py` starts it.

    python bench/load.py < specification.json

Prints `[requests, seconds, p50, p99]`. The HTTP clients do little more than to write and read a socket, as they share
the machine with what they measure.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

START = datetime(2025, 1, 1, tzinfo=UTC)
COLUMNS = ("open", "high", "low", "close", "volume")
_MARK = START.strftime("%Y-%m-%dT%H:%M:%S").encode()


def _values(rows: int) -> list[dict[str, float]]:
    random = np.random.default_rng(rows)
    cents = np.round(100 + np.cumsum(random.normal(size=(rows, 4)) / 10, axis=0), 2)
    volumes = random.integers(0, 10**6, rows)
    return [
        dict(zip(COLUMNS, [*map(float, line), int(v)], strict=True)) for line, v in zip(cents, volumes, strict=True)
    ]


def _step(rows: int) -> int:
    """Microseconds between rows, so that those of a request fit a second."""
    return 1_000 if rows <= 1_000 else 1


def _stamp(row: int, rows: int) -> str:
    return f"{_MARK.decode()}.{row * _step(rows):06d}Z"


def _text(form: str, rows: int, dataset: int) -> bytes:
    values = _values(rows)
    if form == "json":
        lines = [{"timestamp": _stamp(n, rows), "values": v} for n, v in enumerate(values)]
        body = {"dataset": dataset, **lines[0]} if rows == 1 else {"dataset": dataset, "rows": lines}
        return json.dumps(body).encode()
    if form == "line":
        fields = [",".join(f"{k}={v}" for k, v in line.items()) for line in values]
        return "\n".join(f"m,d={dataset} {text} @{n:03d}" for n, text in enumerate(fields)).encode()
    between = "\t" if form == "copy" else ","
    head = "" if form == "copy" else "timestamp," + ",".join(COLUMNS) + "\n"
    cells = [between.join([_stamp(n, rows), *map(str, v.values())]) for n, v in enumerate(values)]
    return (head + "".join(line + "\n" for line in cells)).encode()


def maker(form: str, rows: int, dataset: int) -> Callable[[int], bytes]:
    """Gives the body of request number n: `rows` rows within a second, each request a second after the one before."""
    if form != "arrow":
        text = _text(form, rows, dataset)
        if form == "line":
            first = int(START.timestamp())
            return lambda n: text.replace(b"@", b"%d" % (first + n))
        return lambda n: text.replace(_MARK, (START + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S").encode())
    micros = int(START.timestamp()) * 1_000_000 + np.arange(rows, dtype=np.int64) * _step(rows)
    columns = {name: pa.array([v[name] for v in _values(rows)]) for name in COLUMNS}
    table = pa.table({"timestamp": pa.array(micros).cast(pa.timestamp("us", "UTC")), **columns})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body, plain = bytes(sink.getvalue()), micros.tobytes()
    at = body.index(plain)
    return lambda n: body[:at] + (micros + n * 1_000_000).tobytes() + body[at + len(plain) :]


class _Http(asyncio.Protocol):
    """One connection that is kept; `ask` sends a request and waits for the end of its answer."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._buffer = transport, b""

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        size = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) >= size:
            self._buffer = b""
            self._answer.set_result(head[9:12])


async def _http(specification: dict[str, Any], took: list[float]) -> float:
    numbers, loop = itertools.count(specification["first"]), asyncio.get_running_loop()
    datasets = specification["datasets"]
    clients = []
    for client in range(specification["clients"]):
        dataset = datasets[client % len(datasets)]
        _, protocol = await loop.create_connection(_Http, "127.0.0.1", specification["port"])
        head = specification["head"].replace("{dataset}", str(dataset))
        clients.append((protocol, head, maker(specification["form"], specification["rows"], dataset)))
    started = time.perf_counter()
    until = started + specification["seconds"]

    async def run(protocol: _Http, head: str, make: Callable[[int], bytes]) -> None:
        while (before := time.perf_counter()) < until:
            body = make(next(numbers))
            status = await protocol.ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            if not status.startswith(b"2"):
                raise RuntimeError(f"status {status.decode()}")
            took.append(time.perf_counter() - before)

    await asyncio.gather(*(run(*client) for client in clients))
    return time.perf_counter() - started


def _psycopg(specification: dict[str, Any], took: list[float]) -> float:
    numbers, rows = itertools.count(specification["first"]), specification["rows"]
    make = maker("copy", rows, 1)
    lines = [list(v.values()) for v in _values(rows)]
    statement = f"INSERT INTO {specification['table']} VALUES (%s, %s, %s, %s, %s, %s)"
    copying = f"COPY {specification['table']} FROM STDIN"
    opened = [psycopg.connect(specification["url"], autocommit=True) for _ in range(specification["clients"])]
    started = time.perf_counter()
    until = started + specification["seconds"]

    def run(connection: psycopg.Connection) -> None:
        while (before := time.perf_counter()) < until:
            n = next(numbers)
            if specification["kind"] == "insert":
                start = START + timedelta(seconds=n)
                if rows == 1:
                    connection.execute(statement, [start, *lines[0]], prepare=True)
                else:
                    values = [[start + timedelta(milliseconds=at), *line] for at, line in enumerate(lines)]
                    with connection.transaction(), connection.cursor() as cursor:
                        cursor.executemany(statement, values)
            else:
                with connection.cursor() as cursor, cursor.copy(copying) as copy:
                    copy.write(make(n))
            took.append(time.perf_counter() - before)

    threads = [threading.Thread(target=run, args=(connection,)) for connection in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def main() -> None:
    specification = json.load(sys.stdin)
    took: list[float] = []
    over_http = specification["kind"] == "http"
    seconds = asyncio.run(_http(specification, took)) if over_http else _psycopg(specification, took)
    hundredths = statistics.quantiles(took, n=100) if len(took) > 1 else took * 99
    print(json.dumps([len(took), seconds, hundredths[49], hundredths[98]]))


if __name__ == "__main__":
    main()
