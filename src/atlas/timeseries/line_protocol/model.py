"""Points of a write by measurement, and what is wrong with lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from atlas.timeseries.columns import Dtype

Scalar = int | float | bool | str
# Names of types in errors, as InfluxDB has them.
TYPE_NAMES: Mapping[Dtype, str] = {
    Dtype.INT: "integer",
    Dtype.FLOAT: "float",
    Dtype.BOOLEAN: "boolean",
    Dtype.STRING: "string",
    Dtype.JSON: "nested",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is not written. line: its number from 1; conflict: whether only its types are wrong."""

    line: int
    reason: str
    conflict: bool = False


@dataclass(slots=True)
class Sparse:
    """Values of some rows of a column."""

    rows: list[int] = field(default_factory=list)
    values: list[Scalar] = field(default_factory=list)


@dataclass(slots=True)
class Points:
    """The points of one measurement.

    lines: their numbers; micros: times since 1970, None for the server's time; tags: by name; fields: by name and type.
    """

    lines: list[int] = field(default_factory=list)
    micros: list[int | None] = field(default_factory=list)
    tags: dict[str, Sparse] = field(default_factory=dict)
    fields: dict[tuple[str, Dtype], Sparse] = field(default_factory=dict)

    def add(
        self, line: int, micros: int | None, tags: Mapping[str, str], fields: Sequence[tuple[str, Dtype, Scalar]]
    ) -> None:
        """Adds a point."""
        row = len(self.lines)
        self.lines.append(line)
        self.micros.append(micros)
        for name, text in tags.items():
            column = self.tags.get(name) or self.tags.setdefault(name, Sparse())
            column.rows.append(row)
            column.values.append(text)
        for name, dtype, value in fields:
            place = name, dtype
            column = self.fields.get(place) or self.fields.setdefault(place, Sparse())
            column.rows.append(row)
            column.values.append(value)

    @property
    def common_tags(self) -> list[str]:
        """The tags that every point has, in order of their names."""
        return sorted(name for name, column in self.tags.items() if len(column.rows) == len(self.lines))


@dataclass(slots=True)
class Batch:
    """A body. points: by measurement; faults: lines that cannot be read; cut: times finer than a microsecond."""

    points: dict[str, Points] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    cut: int = 0
    left_out: int = 0

    def of(self, measurement: str) -> Points:
        """Returns the points of a measurement, which are new where there are none."""
        return self.points.get(measurement) or self.points.setdefault(measurement, Points())
