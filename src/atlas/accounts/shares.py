"""Counts bytes that users hold at once, and limits the share of a user and an organization."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from atlas.accounts.access import Caller

Holder = tuple[Literal["user", "organization", "everybody"], int]
_EVERYBODY: Holder = ("everybody", 0)


@dataclass(frozen=True, slots=True)
class Share:
    """The maximum number of bytes of a holder."""

    holder: Holder
    most: int


class Shares:
    """Counts bytes for their user, for the user's organization, and for everybody. Not thread-safe.

    limit: bytes of everybody. user, organization: the fractions of `limit` that each of them may hold.
    """

    def __init__(self, limit: int, *, user: float, organization: float) -> None:
        self._limit, self._user, self._organization = limit, int(limit * user), int(limit * organization)
        self._held: Counter[Holder] = Counter()

    @property
    def total(self) -> int:
        """Bytes held now."""
        return self._held[_EVERYBODY]

    def of(self, caller: Caller) -> tuple[Share, Share, Share]:
        """Returns the shares of a caller: the user's, the organization's, everybody's."""
        return (
            Share(("user", caller.user_id), self._user),
            Share(("organization", caller.organization_id), self._organization),
            Share(_EVERYBODY, self._limit),
        )

    def fits(self, share: Share, size: int) -> bool:
        """Returns whether a share has room for `size` more bytes."""
        return self._held[share.holder] + size <= share.most

    def hold(self, caller: Caller, size: int) -> None:
        """Adds `size` bytes, or removes bytes for a negative `size`."""
        for share in self.of(caller):
            self._held[share.holder] += size
            if not self._held[share.holder]:
                del self._held[share.holder]
