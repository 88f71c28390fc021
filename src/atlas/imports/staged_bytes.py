"""How much the imports that run at once hold in their stagings, and whose they are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from atlas.accounts.access import Caller
from atlas.accounts.shares import Shares
from atlas.errors import OverloadedError

_WHOSE = {"user": "one user", "organization": "one organization", "everybody": "everybody"}


class StagedBytes:
    """Bounds the bytes that imports of this process stage at once.

    A user may hold half of them, and an organization three quarters, so that others always find room. Methods may be
    called from any thread.
    """

    def __init__(self, limit: int) -> None:
        self._shares = Shares(limit, user=1 / 2, organization=3 / 4)
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes that are held now."""
        return self._shares.total

    @contextlib.contextmanager
    def held_by(self, caller: Caller) -> Iterator[Callable[[int], None]]:
        """Gives a function that counts bytes more; at the end of the block all of them are free again.

        It raises OverloadedError where they are more than the caller, or everybody together, may hold.
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
