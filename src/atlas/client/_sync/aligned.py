# Made from _async/aligned.py by scripts/make_sync.py; change that one.
"""Rows of several datasets at the times of one, or of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import IO, Any, Literal

from atlas.client._requests import Call, Columns, Moment, Where, conditions, format_of, names, text_of
from atlas.client._sync.downloads import save
from atlas.client._sync.resource import DatasetRef, Resource

ALIGN = "/api/rows/align/"
Clock = DatasetRef | Mapping[str, str | float]
Direction = Literal["backward", "forward", "nearest"]


class Aligned(Resource):
    """Rows of several datasets at the times of one, or of a grid.

    - clock: the dataset whose rows tell the times, or `{"every": "15m"}` for a grid of times.
    - datasets: what is joined to each time.
    - by: keys whose series are aligned one by one. where: only some series, of the datasets that have these keys.
    - direction: at or before each time, at or after it, or nearest to it.
    - tolerance: the greatest distance of a row: seconds, or a length such as `5m`.
    - known_at: rows as they were at a time. limit: the most rows, the first ones.
    """

    def align(
        self,
        clock: Clock,
        datasets: Sequence[DatasetRef],
        *,
        by: Columns = None,
        where: Where = None,
        direction: Direction = "backward",
        tolerance: str | float | None = None,
        start: Moment = None,
        end: Moment = None,
        known_at: Moment = None,
        limit: int | None = None,
    ) -> Sequence[Mapping[str, Any]]:
        """Returns aligned rows: `timestamp`, and values by the names of columns, None where no row is near."""
        body = self._body(clock, datasets, by, where, direction, tolerance, start, end, known_at, limit)
        found: Sequence[Mapping[str, Any]] = self._transport.json(Call("POST", ALIGN, json=body))
        return found

    def download_aligned(
        self,
        target: str | PathLike[str] | IO[bytes],
        clock: Clock,
        datasets: Sequence[DatasetRef],
        format: Literal["json", "ndjson", "csv", "arrow", "parquet"] | None = None,
        *,
        by: Columns = None,
        where: Where = None,
        direction: Direction = "backward",
        tolerance: str | float | None = None,
        start: Moment = None,
        end: Moment = None,
        known_at: Moment = None,
        limit: int | None = None,
    ) -> int:
        """Writes aligned rows to a file, and returns the size in bytes. format: by default the ending of the name."""
        body = self._body(clock, datasets, by, where, direction, tolerance, start, end, known_at, limit)
        body["output"] = format or format_of(target, "csv")
        return save(self._transport, Call("POST", ALIGN, json=body), target)

    def _body(
        self,
        clock: Clock,
        datasets: Sequence[DatasetRef],
        by: Columns,
        where: Where,
        direction: Direction,
        tolerance: str | float | None,
        start: Moment,
        end: Moment,
        known_at: Moment,
        limit: int | None,
    ) -> dict[str, Any]:
        body = {
            "clock": dict(clock) if isinstance(clock, Mapping) else self._dataset_id(clock),
            "datasets": [self._dataset_id(one) for one in datasets],
            "by": names(by),
            "where": conditions(where),
            "direction": direction,
            "tolerance": tolerance,
            "start": text_of(start),
            "end": text_of(end),
            "known_at": text_of(known_at),
            "limit": limit,
        }
        return {name: value for name, value in body.items() if value is not None}
