"""Downloads of answers to files."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import IO

from atlas.client._async.transport import AsyncTransport
from atlas.client._async.waiting import in_thread, sleep
from atlas.client._requests import Call
from atlas.client.errors import AtlasClientError

Report = Callable[[int], None] | None


async def save(
    transport: AsyncTransport, call: Call, target: str | PathLike[str] | IO[bytes], progress: Report = None
) -> int:
    """Writes an answer to a file, and returns the size in bytes. After a lost connection the download starts again.

    A path is replaced when all bytes have arrived, and stays unchanged after an error.
    """
    if not isinstance(target, str | PathLike):
        return await _receive(transport, call, target, progress)
    path = Path(target)
    part = path.with_name(f"{path.name}.part")
    try:
        with await in_thread(part.open, "wb") as file:
            size = await _receive(transport, call, file, progress)
        await in_thread(part.replace, path)
    finally:
        part.unlink(missing_ok=True)
    return size


async def _receive(transport: AsyncTransport, call: Call, file: IO[bytes], progress: Report) -> int:
    start = file.tell() if file.seekable() else None
    attempt = 0
    while True:
        size = 0
        try:
            async with transport.open(call) as response:
                async for piece in response.aiter_bytes():
                    await in_thread(file.write, piece)
                    size += len(piece)
                    if progress is not None:
                        progress(size)
        except AtlasClientError as error:
            wait = transport.retry.wait(error, attempt)
            if wait is None or (size and start is None):
                raise
        else:
            return size
        if start is not None:
            file.seek(start)
            file.truncate()
        await sleep(wait)
        attempt += 1
