"""Previews of a body of rows: number of rows, first and last time, resulting columns, and the first rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from atlas.contract.rows import PreviewedColumn, PreviewedRow, PreviewedRows
from atlas.contract.shape import absent
from atlas.kit.timestamps import format_micros, format_timestamp
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.frames import Frame, plan_schema
from atlas.timeseries.ingest.csv_rows import Guesses
from atlas.timeseries.series.checks import check_keys

SHOWN_ROWS = 5


@dataclass(slots=True)
class PreviewFigures:
    """The rows of a body. first, last: microseconds since 1970; shown: the earliest rows of the first frame."""

    rows: int = 0
    first: int | None = None
    last: int | None = None
    columns: dict[str, Dtype] = field(default_factory=dict)
    shown: tuple[PreviewedRow, ...] = ()

    def add(self, frame: Frame, known: Mapping[str, Column]) -> None:
        """Counts the rows of a frame, and plans its columns. `known` are the columns of the dataset."""
        if not len(frame):
            return
        bounds = pc.min_max(frame.ts.cast(pa.int64())).as_py()
        self.first = bounds["min"] if self.first is None else min(self.first, bounds["min"])
        self.last = bounds["max"] if self.last is None else max(self.last, bounds["max"])
        self.rows += len(frame)
        change = plan_schema(known, [frame])
        for name in (*frame.columns, *frame.extra_keys):
            found = change.add.get(name)
            if name in known:
                self.columns.setdefault(name, known[name].dtype)
            elif found is not None:
                self.columns[name] = _wider(self.columns.get(name), found)
        for column in change.widen:
            self.columns[column.name] = Dtype.FLOAT
        if not self.shown:
            self.shown = _first_rows(frame)

    def as_answer(self, known: Mapping[str, Column], guesses: Guesses) -> PreviewedRows:
        """Returns the preview as the API answers it. known: columns of the dataset."""
        return PreviewedRows(
            rows=self.rows,
            first_timestamp=_moment(self.first),
            last_timestamp=_moment(self.last),
            columns=tuple(
                PreviewedColumn(name, str(dtype), name not in known)  # type: ignore[arg-type]
                for name, dtype in self.columns.items()
            ),
            sample=self.shown,
            timestamp_column=guesses.found or absent(),
            timestamp_format=guesses.timestamp_format or absent(),
        )


async def preview_frames(
    frames: AsyncIterator[Frame], known: Mapping[str, Column], keys: Sequence[str] = ()
) -> PreviewFigures:
    """Counts all frames of a body. `known` and `keys` are the columns and series keys of the dataset.

    Raises the errors of the frames' reader, and RowError for a row without its keys.
    """
    found = PreviewFigures()
    async for frame in frames:
        check_keys(frame, keys, known, found.rows)
        found.add(frame, known)
    return found


def _wider(before: Dtype | None, found: Dtype) -> Dtype:
    """Returns the type of a column that had the type `before` in earlier frames."""
    if before is None or before is found or before is Dtype.JSON:
        return found
    return Dtype.FLOAT if {before, found} == {Dtype.INT, Dtype.FLOAT} else before


def _first_rows(frame: Frame) -> tuple[PreviewedRow, ...]:
    """Returns the first rows, each with its present values."""
    count = min(SHOWN_ROWS, len(frame))
    cells = {name: array.slice(0, count).to_pylist() for name, array in frame.columns.items()}
    extra = [None] * count if frame.extra is None else frame.extra.slice(0, count).to_pylist()
    rows = []
    for n in range(count):
        values: dict[str, Any] = {name: column[n] for name, column in cells.items() if column[n] is not None}
        if extra[n]:
            values |= msgspec.json.decode(f"{{{extra[n]}}}", type=dict[str, msgspec.Raw])
        rows.append(PreviewedRow(format_timestamp(frame.ts[n].as_py()), values))
    return tuple(rows)


def _moment(micros: int | None) -> str | None:
    return None if micros is None else format_micros(micros)
