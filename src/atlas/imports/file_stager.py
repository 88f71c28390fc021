"""Stages a file, read by a worker process, within the caller's limits."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.imports.files.in_worker import read_in_worker
from atlas.imports.files.source import ReadOptions
from atlas.imports.staged_bytes import StagedBytes
from atlas.imports.staging import Staging, within_memory
from atlas.kit.threads import in_thread_until
from atlas.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class FileStager:
    """Stages files.

    max_bytes: the largest size of an unpacked file.
    """

    workers: WorkerPool
    staged: StagedBytes
    max_bytes: int

    @contextlib.asynccontextmanager
    async def staging(
        self,
        caller: Caller,
        path: Path,
        name: str,
        options: ReadOptions | None = None,
        *,
        on_progress: Callable[[int], None] | None = None,
    ) -> AsyncIterator[Staging]:
        """Stages a file for the duration of a block.

        Raises BadRequestError: when the file cannot be read.
        Raises TooLargeError: when the file exceeds a limit.
        Raises OverloadedError: when the caller's other imports hold too much.
        A cancellation ends the worker.
        """
        with (
            within_memory(),
            tempfile.TemporaryDirectory(prefix="atlas-import-") as made,
            self.staged.held_by(caller) as count,
            self.workers.reading() as reading,
        ):
            folder = Path(made)

            def stage() -> Staging:
                source = read_in_worker(reading, path, name, folder, options, max_bytes=self.max_bytes)
                source.batches = _counted(source.batches, count)
                most = self.workers.limits.output_bytes
                return Staging(folder, source, on_progress=on_progress, spill_bytes=most)

            staging = await in_thread_until(reading.cancel, stage)
            try:
                yield staging
            finally:
                await in_thread_until(_nothing, staging.close)


def _counted(batches: Iterator[pa.Table], count: Callable[[int], None]) -> Iterator[pa.Table]:
    for table in batches:
        count(table.nbytes)
        yield table


def _nothing() -> None:
    """Does nothing, since the staging ends on its own."""
