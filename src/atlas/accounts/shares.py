"""Bytes that users hold at once, and how many of all a user and an organization may hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from atlas.accounts.access import Caller

Holder = tuple[Literal["user", "organization", "everybody"], int]
_EVERYBODY: Holder = ("everybody", 0)


@dataclass(frozen=True, slots=True)
class Share:
    """The most bytes that somebody may hold."""

    holder: Holder
    most: int


class Shares:
    """Counts bytes for their user, for the user's organization, and for everybody. Not for several threads at once.

    limit: of everybody; user, organization: the parts of it that each of them may hold.
    """

    def __init__(self, limit: int, *, user: float, organization: float) -> None:
        self._limit, self._user, self._organization = limit, int(limit * user), int(limit * organization)
        self._held: Counter[Holder] = Counter()

    @property
    def total(self) -> int:
        """Bytes that are held now."""
        return self._held[_EVERYBODY]

    def of(self, caller: Caller) -> tuple[Share, Share, Share]:
        """The shares that bytes of a caller count in: the user's, the organization's, everybody's."""
        return (
            Share(("user", caller.user_id), self._user),
            Share(("organization", caller.organization_id), self._organization),
            Share(_EVERYBODY, self._limit),
        )

    def fits(self, share: Share, size: int) -> bool:
        """Whether a share has room for bytes more."""
        return self._held[share.holder] + size <= share.most

    def hold(self, caller: Caller, size: int) -> None:
        """Counts bytes more, or fewer where `size` is negative."""
        for share in self.of(caller):
            self._held[share.holder] += size
            if not self._held[share.holder]:
                del self._held[share.holder]
