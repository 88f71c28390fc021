"""Downloads as files on disk, so that clients can request parts of one file repeatedly.

A client reads a Parquet file by its end, then by the wanted columns and row groups: dozens of requests. Each file is
written once, has no name in any folder, and ends with the process.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import IO

from atlas.accounts.access import Caller
from atlas.accounts.shares import Share, Shares

# Seconds that a file stays after its last use. In that time a client without an ETag continues with the version that it
# began with.
IDLE_SECONDS = 300.0
PIECE_BYTES = 1024 * 1024
MOST_FILES = 128


@dataclass(frozen=True, slots=True)
class FileKey:
    """The identity of a file's bytes.

    - tag: the ETag of the bytes, quoted.
    - family: the requested download, regardless of the dataset's version.
    - deleted: number of rows deleted from the dataset before. Later deletions make the file unusable. None at a past
      moment, whose rows stay.
    """

    tag: str
    family: str
    dataset: int
    deleted: int | None


@dataclass(slots=True)
class RenderedFile:
    """A download on disk. size: in bytes; readers: number of current readers."""

    key: FileKey
    owner: Caller
    handle: IO[bytes]
    size: int = 0
    used: float = 0.0
    readers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, start: int, length: int) -> bytes:
        """Reads up to `length` bytes from position `start`."""
        with self.lock:
            self.handle.seek(start)
            return self.handle.read(length)

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yields the bytes from `start` to before `end`."""
        self.readers += 1
        try:
            while start < end:
                length = min(PIECE_BYTES, end - start)
                yield await asyncio.to_thread(self.read, start, length)
                start += length
        finally:
            self.readers -= 1
            self.used = time.monotonic()


class _FullError(Exception):
    """A file has no room beside the files with current readers."""


class RenderedFiles:
    """The files of a process, in `limit` bytes: at most a quarter for one user and half for one organization."""

    def __init__(self, limit: int) -> None:
        self._shares = Shares(limit, user=1 / 4, organization=1 / 2)
        self._files: dict[str, RenderedFile] = {}
        self._writing: dict[str, asyncio.Lock] = {}
        self._pinned: dict[tuple[int, str], str] = {}
        # Downloads without room are not written again and again.
        self._too_large: set[str] = set()

    @property
    def total(self) -> int:
        """Number of bytes on disk now."""
        return self._shares.total

    def close(self) -> None:
        """Deletes all files."""
        for file in [*self._files.values()]:
            self._remove(file)

    def forget(self, dataset: int) -> None:
        """Deletes the files of a dataset that have no reader at the moment."""
        for file in [*self._files.values()]:
            if file.key.dataset == dataset and not file.readers:
                self._remove(file)

    def earlier(self, caller: Caller, key: FileKey, tag: str | None) -> RenderedFile | None:
        """Returns an earlier version of the caller's download: the version of `tag`, else the version that the caller
        began with.
        """
        file = self._files.get(self._pinned.get((caller.user_id, key.family), "") if tag is None else tag)
        if file is None:
            return None
        if file.key.deleted != key.deleted:
            self.forget(key.dataset)
            return None
        if file.key.family != key.family:
            return None
        file.used = time.monotonic()
        return file

    async def get(self, caller: Caller, key: FileKey, chunks: AsyncIterator[bytes]) -> RenderedFile | None:
        """Returns the file of `key`, written from `chunks` when there is none yet. Returns None when there
        is no room.
        """
        lock = self._writing.setdefault(key.tag, asyncio.Lock())
        try:
            async with lock:
                file = self._files.get(key.tag)
                if file is None and key.tag not in self._too_large:
                    file = await self._write(caller, key, chunks)
        finally:
            if not lock.locked():
                self._writing.pop(key.tag, None)
        if file is not None:
            file.used = time.monotonic()
            self._pinned[caller.user_id, key.family] = key.tag
        return file

    async def _write(self, caller: Caller, key: FileKey, chunks: AsyncIterator[bytes]) -> RenderedFile | None:
        self._sweep()
        file = RenderedFile(key, caller, tempfile.TemporaryFile())  # noqa: SIM115
        try:
            async for chunk in chunks:
                self._reserve(file, len(chunk))
                await asyncio.to_thread(file.handle.write, chunk)
            await asyncio.to_thread(file.handle.flush)
        except _FullError:
            self._release(file)
            self._too_large = {*list(self._too_large)[-1000:], key.tag}
            return None
        except BaseException:
            self._release(file)
            raise
        self._files[key.tag] = file
        asyncio.get_running_loop().call_later(IDLE_SECONDS + 1, self._sweep)
        return file

    def _reserve(self, file: RenderedFile, size: int) -> None:
        """Reserves `size` more bytes, and deletes files without readers to make room, the caller's own files first.

        Raises _FullError: when there is no room.
        """
        for share in self._shares.of(file.owner):
            idle = self._idle(share)
            while not self._shares.fits(share, size) or len(self._files) >= MOST_FILES:
                unwanted = next(idle, None)
                if unwanted is None:
                    raise _FullError
                self._remove(unwanted)
        self._shares.hold(file.owner, size)
        file.size += size

    def _idle(self, share: Share) -> Iterator[RenderedFile]:
        """Lists files in a share without readers, the longest unused file first."""
        found = [one for one in self._files.values() if not one.readers and share in self._shares.of(one.owner)]
        return iter(sorted(found, key=lambda one: one.used))

    def _sweep(self) -> None:
        now = time.monotonic()
        for file in [*self._files.values()]:
            if not file.readers and now - file.used > IDLE_SECONDS:
                self._remove(file)

    def _remove(self, file: RenderedFile) -> None:
        self._files.pop(file.key.tag, None)
        self._pinned = {key: tag for key, tag in self._pinned.items() if tag != file.key.tag}
        self._release(file)

    def _release(self, file: RenderedFile) -> None:
        self._shares.hold(file.owner, -file.size)
        with file.lock:
            file.handle.close()
