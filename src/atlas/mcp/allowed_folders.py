"""Limits the files that an assistant may read and create to allowed folders."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from mcp.server.mcpserver.exceptions import ToolError


class Folders:
    """Allowed folders. Files outside are refused."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        self._allowed = [path.resolve(strict=True) for path in allowed]

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def __str__(self) -> str:
        return ", ".join(map(str, self._allowed))

    def file(self, path: str) -> Path:
        """Resolves `path` to a file within an allowed folder, links followed.

        Raises ToolError: when the path leads elsewhere or to no file.
        """
        refused = ToolError(f"{path!r} is not a file inside an allowed folder: {self}")
        try:
            # A relative path is within the first folder, wherever this server was started.
            found = (self._allowed[0] / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError, IndexError):
            # The error is the same for missing files and for files outside, so that no existence outside is revealed.
            raise refused from None
        if not found.is_file() or not any(found.is_relative_to(folder) for folder in self._allowed):
            raise refused
        return found

    @contextlib.contextmanager
    def new_file(self, path: str) -> Iterator[tuple[Path, IO[bytes]]]:
        """Creates a new file to write to, and removes the file if the writing fails.

        Raises ToolError: when the path is outside, or the file exists.
        """
        try:
            wanted = self._allowed[0] / path
            parent = wanted.parent.resolve(strict=True)
        except (OSError, ValueError, RuntimeError, IndexError):
            parent = None
        if parent is None or not wanted.name or not any(parent.is_relative_to(folder) for folder in self._allowed):
            raise ToolError(f"{path!r} is not inside a folder for exports: {self}")
        made = parent / wanted.name
        try:
            # The mode refuses existing files and links.
            file = made.open("xb")
        except FileExistsError:
            raise ToolError(f"{path!r} is there already; take another name") from None
        except (OSError, ValueError):
            raise ToolError(f"{path!r} cannot be made; take another name") from None
        try:
            with file:
                yield made, file
        except BaseException:
            made.unlink(missing_ok=True)
            raise
