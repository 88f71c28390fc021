"""Operations that wait: sleep, work in threads, reads of files. `_sync` has its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from atlas.client._batching import Batch

P = ParamSpec("P")
T = TypeVar("T")
PIECE = 256 * 1024

sleep = asyncio.sleep


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs computations or file operations in a thread, beside the event loop."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def file_pieces(path: Path) -> AsyncIterator[bytes]:
    """Yields a file's bytes."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def batches_of(data: Any, make: Callable[[Any], Iterator[Batch]], rows: int) -> AsyncIterator[Batch]:
    """Yields the batches of `make(data)`, computed beside the event loop. Asynchronous rows are batched by `rows`."""
    if isinstance(data, AsyncIterable):
        waiting: list[Any] = []
        async for row in data:
            waiting.append(row)
            if len(waiting) >= rows:
                async for batch in batches_of(waiting, make, rows):
                    yield batch
                waiting = []
        data = waiting
        if not waiting:
            return
    source = make(data)
    while (made := await in_thread(lambda: next(source, None))) is not None:
        yield made
