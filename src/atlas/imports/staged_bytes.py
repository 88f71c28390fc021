"""Counts the bytes that concurrent imports hold in their stagings, by user and organization."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from atlas.accounts.access import Caller
from atlas.accounts.shares import Shares
from atlas.errors import OverloadedError

_WHOSE = {"user": "one user", "organization": "one organization", "everybody": "everybody"}


class StagedBytes:
    """Limits the bytes that imports of this process stage at once.

    A user may hold half of the bytes and an organization three quarters, so that others always find room. Methods may
    be called from any thread.
    """

    def __init__(self, limit: int) -> None:
        self._shares = Shares(limit, user=1 / 2, organization=3 / 4)
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """The bytes that are held now."""
        return self._shares.total

    @contextlib.contextmanager
    def held_by(self, caller: Caller) -> Iterator[Callable[[int], None]]:
        """Yields a function that counts further bytes. All counted bytes are released at the end of the block.

        The function raises OverloadedError: when the caller, or all callers together, would hold too much.
        """
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            with self._lock:
                for share in self._shares.of(caller):
                    if not self._shares.fits(share, size):
                        whose = f"the imports of {_WHOSE[share.holder[0]]} may stage {share.most} bytes at once"
                        raise OverloadedError(f"{whose}; try again when others are done")
                self._shares.hold(caller, size)
                counted += size

        try:
            yield count
        finally:
            with self._lock:
                self._shares.hold(caller, -counted)
