"""Policies for rows whose timestamp and keys other rows have, and what an insert by a policy did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

from atlas.errors import BadRequestError

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Policy(StrEnum):
    """What happens to a row whose timestamp and keys another row has, from the laxest policy to the strictest.

    - append: both rows are kept.
    - replace: the new row replaces the other row, which goes to the history.
    - keep_first: the other row is kept, and the new row is left out.
    - reject: the insert is refused as a whole.
    """

    APPEND = "append"
    REPLACE = "replace"
    KEEP_FIRST = "keep_first"
    REJECT = "reject"


def policy_in_force(declared: Policy, asked: Policy | None) -> Policy:
    """Returns the policy of an insert into a dataset: that of the dataset, or a stricter policy of the insert.

    Raises BadRequestError: when the insert asks for a laxer policy than the dataset declares.
    """
    if asked is None:
        return declared
    allowed = list(Policy)[list(Policy).index(declared) :]
    if asked not in allowed:
        raise BadRequestError(
            "Invalid parameter",
            f"on_conflict: the dataset declares {declared}, so an insert may be {' or '.join(allowed)}, not {asked}",
        )
    return asked


class Fate(IntEnum):
    """What becomes of a row of an insert."""

    INSERTED = 0
    REPLACES = 1
    IDENTICAL = 2
    LEFT_OUT = 3


@dataclass(slots=True)
class Outcome:
    """Numbers of rows of an insert by a policy.

    - inserted: rows with a timestamp and keys that no row had.
    - replaced: rows that replaced another row.
    - identical: rows that another row equals in all values. Nothing is stored of them.
    - kept: rows that differ from a row that was kept. Nothing is stored of them.
    """

    inserted: int = 0
    replaced: int = 0
    identical: int = 0
    kept: int = 0

    @property
    def total(self) -> int:
        return self.inserted + self.replaced + self.identical + self.kept

    @property
    def written(self) -> int:
        return self.inserted + self.replaced

    def add(self, fates: Ints) -> None:
        """Counts the rows of a frame."""
        counts = np.bincount(fates, minlength=len(Fate))
        self.inserted += int(counts[Fate.INSERTED])
        self.replaced += int(counts[Fate.REPLACES])
        self.identical += int(counts[Fate.IDENTICAL])
        self.kept += int(counts[Fate.LEFT_OUT])


@dataclass(frozen=True, slots=True)
class Held:
    """Stored rows with the timestamp and keys of each row of a frame.

    count: their number. same: whether the one that was inserted first equals the frame's row in all values.
    """

    count: Ints
    same: Flags

    @classmethod
    def nothing(cls, rows: int) -> Held:
        """Returns the value for rows that no stored row meets."""
        return cls(np.zeros(rows, np.int64), np.zeros(rows, np.bool_))


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows of a frame with equal timestamp and keys, in their order.

    first: index of the first such row; previous: index of the one before, or -1.
    """

    first: Ints
    previous: Ints

    @property
    def heads(self) -> Flags:
        """Marks the rows without an earlier row of the frame with their timestamp and keys."""
        heads: Flags = self.previous < 0
        return heads
