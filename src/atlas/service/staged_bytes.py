"""How much the imports that run at once hold in their stagings, and whose they are."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from atlas.core.access import Caller
from atlas.errors import OverloadedError


class StagedBytes:
    """Bounds the bytes that imports of this process stage at once.

    A user may hold half of them, and an organization three quarters, so that others always find room. Methods may be
    called from any thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes that are held now."""
        return self._held["", 0]

    @contextlib.contextmanager
    def held_by(self, caller: Caller) -> Iterator[Callable[[int], None]]:
        """Gives a function that counts bytes more; at the end of the block all of them are free again.

        It raises OverloadedError where they are more than the caller, or everybody together, may hold.
        """
        shares = (
            (("user", caller.user_id), self._limit // 2, "the imports of one user"),
            (("organization", caller.organization_id), self._limit * 3 // 4, "the imports of one organization"),
            (("", 0), self._limit, "the imports of everybody"),
        )
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            with self._lock:
                for key, most, whose in shares:
                    if self._held[key] + size > most:
                        raise OverloadedError(f"{whose} may stage {most} bytes at once; try again when others are done")
                for key, _, _ in shares:
                    self._held[key] += size
                counted += size

        try:
            yield count
        finally:
            with self._lock:
                for key, _, _ in shares:
                    self._held[key] -= counted
                    if not self._held[key]:
                        del self._held[key]
