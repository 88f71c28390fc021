"""A request for aligned rows, checked as far as it needs no dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from atlas.errors import BadRequestError
from atlas.kit.file_formats import Output
from atlas.timeseries.columns import Column
from atlas.timeseries.moments import Asked
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.series.conditions import Written
from atlas.timeseries.zone_map import Range

Direction = Literal["backward", "forward", "nearest"]
# Datasets of a request.
MOST_DATASETS = 20
_UNITS = {"us": 1, "ms": 1_000, "s": 10**6, "m": 60 * 10**6, "h": 3_600 * 10**6, "d": 86_400 * 10**6}
_UNITS |= {"min": _UNITS["m"], "w": 7 * _UNITS["d"]}
_LENGTH = re.compile(r"(-?)(\d{1,9}(?:\.\d{1,6})?) ?([a-z]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class AlignedDataset:
    """A dataset whose rows are wanted. names: of its columns, or None for all; where: conditions on its keys."""

    dataset: int
    names: Sequence[str] | None = None
    where: Sequence[Written] = ()


@dataclass(frozen=True, slots=True)
class GridClock:
    """Times at a distance of `every` microseconds from each other, multiples of it from Monday 2000-01-03 on."""

    every: int


@dataclass(frozen=True, slots=True)
class AlignRequest:
    """What is to be aligned.

    - clock: the dataset whose rows tell the times, or a grid.
    - datasets: what is joined to each time, with the clock's own columns where it is among them.
    - by: keys whose series are aligned one by one. where: conditions on keys, for each dataset that has these keys.
    - tolerance: the greatest distance of a joined row in microseconds, or None for any.
    - limit: the most rows of the answer, the first ones.
    """

    clock: AlignedDataset | GridClock
    datasets: Sequence[AlignedDataset]
    by: Sequence[str] = ()
    where: Sequence[Written] = ()
    direction: Direction = "backward"
    tolerance: int | None = None
    span: Range = Range()  # noqa: RUF009 - it is frozen
    known: Asked | None = None
    limit: int | None = None
    output: Output = Output.JSON


@dataclass(frozen=True, slots=True)
class Side:
    """A dataset of an alignment.

    - shot: its snapshot. keys: columns of the keys that are joined, which frames call `k0`, `k1` and so on.
    - outputs: columns of the answer by their names in frames.
    """

    shot: Snapshot
    keys: Sequence[Column]
    outputs: Mapping[str, Column]

    @property
    def columns(self) -> list[Column]:
        """What is read, each column once."""
        return list(dict.fromkeys([*self.keys, *self.outputs.values()]))

    @property
    def key_names(self) -> list[str]:
        return [f"k{place}" for place in range(len(self.keys))]

    @property
    def names(self) -> dict[str, str]:
        """Physical names of columns by their names in frames."""
        named = {**dict(zip(self.key_names, self.keys, strict=True)), **self.outputs}
        return {name: column.physical or "" for name, column in named.items()}


def length_of(name: str, value: str | float) -> int:
    """Reads a length of time in microseconds: a number of seconds, or a number with a unit such as `5m`.

    Raises BadRequestError: when it is none, or negative.
    """
    found = _LENGTH.fullmatch(str(value).strip().lower())
    unit = None if found is None else _UNITS.get(found[3] or "s")
    if found is None or unit is None:
        reason = f"{str(value)[:40]!r}; write seconds, or a number and us, ms, s, m, h, d or w"
        raise BadRequestError("Invalid parameter", f"{name}: {reason}")
    if found[1]:
        raise BadRequestError("Invalid parameter", f"{name}: {str(value)[:40]} is negative")
    return round(float(found[2]) * unit)
