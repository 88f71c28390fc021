"""Files on this machine that an assistant may hand over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError


class Folders:
    """Folders that were allowed, and nothing outside them."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        self._allowed = [path.resolve(strict=True) for path in allowed]

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def __str__(self) -> str:
        return ", ".join(map(str, self._allowed))

    def file(self, path: str) -> Path:
        """The file that `path` leads to, links followed. Raises ToolError for one that is not inside."""
        refused = ToolError(f"{path!r} is not a file inside an allowed folder: {self}")
        try:
            # A relative path is meant within the first folder, wherever this server was started.
            found = (self._allowed[0] / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError, IndexError):
            # Whether something is there is told only of what may be seen.
            raise refused from None
        if not found.is_file() or not any(found.is_relative_to(folder) for folder in self._allowed):
            raise refused
        return found
