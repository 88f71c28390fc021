"""Files as parts of forms."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast

from atlas.client.errors import DataError

# A path, an open binary file with a name, or a name and its content.
FileSource = str | PathLike[str] | IO[bytes] | tuple[str, bytes | str | IO[bytes]]
Report = Callable[[int, int], None] | None


@contextlib.contextmanager
def upload(source: FileSource, progress: Report) -> Iterator[tuple[str, IO[bytes]]]:
    """Opens a file to upload, as (name, open file). `progress` is called with the bytes sent and their sum.

    Raises DataError: when the file has no name.
    Raises OSError: when the file cannot be opened.
    """
    if isinstance(source, str | PathLike):
        path = Path(source)
        with path.open("rb") as file:
            yield path.name, _with_progress(file, progress)
        return
    if isinstance(source, tuple):
        name, content = source
        text = content.encode() if isinstance(content, str) else content
        yield name, _with_progress(io.BytesIO(text) if isinstance(text, bytes) else text, progress)
        return
    file_name = getattr(source, "name", None)
    if not isinstance(file_name, str):
        raise DataError("Invalid file", "it has no name; give (name, file)")
    yield os.path.basename(file_name), _with_progress(source, progress)


def _with_progress(file: IO[bytes], progress: Report) -> IO[bytes]:
    return file if progress is None else cast(IO[bytes], _Counted(file, progress))


class _Counted:
    """A file that reports how many bytes were read."""

    def __init__(self, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
        self._file, self._progress = file, progress
        start = file.tell()
        self._total = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        self._sent = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        if piece:
            self._sent += len(piece)
            self._progress(self._sent, self._total)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset == 0:
            self._sent = 0
        return self._file.seek(offset, whence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
