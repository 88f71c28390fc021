"""Latest values and time buckets, computed in the database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.rows import Aggregated, TimeBucket
from atlas.contract.shape import absent
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.timestamps import MIN_MICROS, format_timestamp
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.formats import RowFormat, json_lines
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.timeseries.read import row_queries, snapshot
from atlas.timeseries.read.history import replaced_rows
from atlas.timeseries.read.latest import Found, latest_rows, list_series
from atlas.timeseries.read.service import select_columns
from atlas.timeseries.rollups import levels
from atlas.timeseries.rollups.query import buckets
from atlas.timeseries.series.conditions import Written, group_columns
from atlas.timeseries.zone_map import Range, narrow

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FUNCTIONS = tuple(levels.PARTS)
CALENDAR = ("month", "quarter", "year")
# Names of units that people and other systems use. Quarters and years may also be numbers of months.
WORDS = {
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours hourly",
    "d": "d day days daily",
    "w": "w week weeks weekly",
    "month": "mo month months monthly",
    "quarter": "q qtr quarter quarters quarterly",
    "year": "y yr year years yearly annual",
}
_WIDTHS = "a number and s, m, h, d or w, or their words (15 minutes, day); month; quarter; year; or auto"
UNIT_OF = {word: unit for unit, words in WORDS.items() for word in words.split()}
MONTHS = {1: "month", 3: "quarter", 12: "year"}
MAX_BUCKETS = 100_000
# Widths in seconds that people read easily.
STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    604800,
)
_WIDTH = re.compile(r"([1-9]\d{0,8})?[ _-]?([A-Za-z]+)", re.ASCII)


class SummaryService:
    """Aggregates and latest values for charts."""

    def __init__(self, database: Database, access: AccessService, upkeep: Upkeep) -> None:
        self._database = database
        self._access = access
        self._upkeep = upkeep

    async def latest(self, caller: Caller, dataset_id: int, where: Sequence[Written] = ()) -> bytes:
        """Returns the row with the greatest timestamp, of the series that meet conditions, as JSON.

        Raises NotFoundError: when there is no such row.
        Raises BadRequestError: when a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        if not shot.blocks:
            raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows")
        if shot.selection:
            found = await latest_rows(self._database, shot, (), shot.columns, 1, 0)
            if not found.rows:
                raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows of these series")
            return found.rows
        span = narrow(shot.blocks, Range(), 1, descending=True)
        style = RowFormat(shot.columns, flat=False, dataset=dataset_id)
        text: str = await row_queries.page(
            self._database,
            shot,
            shot.columns,
            span,
            then=lambda table: json_lines(table, style).item(),
            descending=True,
            limit=1,
        )
        return text.encode()

    async def history(
        self, caller: Caller, dataset_id: int, span: Range, where: Sequence[Written], limit: int, offset: int
    ) -> Found:
        """Returns the replaced rows of a range, of the series that meet conditions, in order of time.

        Raises BadRequestError: when a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        return await replaced_rows(self._database, shot, span, limit, offset)

    async def latest_by(
        self,
        caller: Caller,
        dataset_id: int,
        by: Sequence[str],
        where: Sequence[Written] = (),
        limit: int = 10_000,
        offset: int = 0,
    ) -> Found:
        """Returns the latest row of each series, by some or all keys, in order of the keys.

        Raises BadRequestError: when a name is no key of the dataset, or a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        columns = group_columns(by, shot.keys, shot.columns)
        return await latest_rows(self._database, shot, columns, shot.columns, limit, offset)

    async def series(
        self,
        caller: Caller,
        dataset_id: int,
        by: Sequence[str],
        where: Sequence[Written],
        search: str | None,
        limit: int,
        offset: int,
    ) -> Found:
        """Returns the series of a dataset, by all keys or some, with the time of the latest row of each.

        Raises BadRequestError: when the dataset has no keys, a name is none of them, or a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        if not shot.keys:
            raise BadRequestError("Invalid parameter", f"dataset: {dataset_id} has no keys; its owner declares them")
        if search and "\0" in search:
            raise BadRequestError("Invalid parameter", "search: the NUL character is not allowed")
        columns = group_columns(by or shot.keys, shot.keys, shot.columns)
        return await list_series(self._database, shot, columns, search, limit, offset)

    async def aggregate(
        self,
        caller: Caller,
        dataset_id: int,
        span: Range,
        names: Sequence[str] | None,
        bucket: str,
        functions: str,
        points: int,
        where: Sequence[Written] = (),
        by: Sequence[str] = (),
    ) -> Aggregated:
        """Returns figures of the numeric columns by time bucket.

        With `by`, returns them for each series, one series after the other in order of its keys. `where` are conditions
        on series keys.

        Raises BadRequestError: when a function, column, width, key or condition is invalid, or the result has too many
            buckets.
        """
        await self._access.require(caller, dataset_id)
        wanted = [name.strip() for name in functions.split(",") if name.strip()]
        unknown = next((name for name in wanted if name not in FUNCTIONS), None)
        if not wanted:
            raise BadRequestError("Invalid parameter", f"functions: one or more of {', '.join(FUNCTIONS)}")
        if unknown is not None:
            raise BadRequestError("Invalid parameter", f"functions: {unknown!r} is none of {', '.join(FUNCTIONS)}")
        shown = "auto" if bucket == "auto" else _name(_width(bucket, 0, points))
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        grouped = group_columns(by, shot.keys, shot.columns)
        columns = [
            column
            for column in select_columns(shot.columns, names)
            if column.dtype in (Dtype.INT, Dtype.FLOAT) and column not in grouped
        ]
        # A bucket starts at a time, and answers cannot show times in the year 0.
        span = Range(max(span.lo, MIN_MICROS), span.hi)
        met = [block for block in shot.blocks if span.meets(block)]
        if not met or span.empty:
            return Aggregated(shown, ())
        lo, hi = max(span.lo, min(b.min_ts for b in met)), min(span.hi, max(b.max_ts for b in met) + 1)
        width = _width(bucket, hi - lo, points)
        parts = levels.parts_of(wanted)
        rows = await buckets(self._database, shot, columns, span, width, parts, MAX_BUCKETS, grouped)
        if len(rows) > MAX_BUCKETS:
            fewer = ", or take fewer series by where" if grouped else ""
            raise BadRequestError("Invalid parameter", f"bucket: more than {MAX_BUCKETS} buckets; make it wider{fewer}")
        if shot.row_count >= levels.LEAST_ROWS:
            self._upkeep.want(dataset_id)
        return Aggregated(_name(width), await asyncio.to_thread(_results, rows, columns, parts, wanted, grouped))


def _width(bucket: str, micros: int, points: int) -> int | str:
    """Parses the width of a bucket: seconds, or a unit of the calendar."""
    if bucket == "auto":
        least = micros / 1e6 / points
        whole_weeks = -(-int(least) // 604800) * 604800
        return next((step for step in STEPS if step >= least), max(604800, whole_weeks + 604800))
    found = _WIDTH.fullmatch(bucket.strip())
    unit = None if found is None or found[2] == "M" else UNIT_OF.get(found[2].lower())
    if found is None or unit is None:
        reason = "M may be minutes or months: write m or month" if found and found[2] == "M" else _WIDTHS
        raise BadRequestError("Invalid parameter", f"bucket: {reason}")
    number = int(found[1] or 1)
    if unit in UNITS:
        return number * UNITS[unit]
    calendar = MONTHS.get(number * {"month": 1, "quarter": 3, "year": 12}[unit])
    if calendar is None:
        raise BadRequestError("Invalid parameter", f"bucket: of the calendar only a {', a '.join(CALENDAR)}")
    return calendar


def _name(width: int | str) -> str:
    if isinstance(width, str):
        return width
    unit = next(unit for unit in reversed(UNITS) if width % UNITS[unit] == 0)
    return f"{width // UNITS[unit]}{unit}"


def _results(
    rows: Sequence[levels.Bucket],
    columns: Sequence[Column],
    parts: Sequence[str],
    wanted: Sequence[str],
    grouped: Sequence[Column],
) -> tuple[TimeBucket, ...]:
    names, keys, size = [column.name for column in columns], [column.name for column in grouped], len(grouped)
    results = []
    for row in rows:
        figures = levels.figures(row[size:], parts, wanted)
        series = dict(zip(keys, row[:size], strict=True)) if keys else absent()
        values = dict(zip(names, figures, strict=True))
        results.append(TimeBucket(format_timestamp(row[size]), row[size + 1], values, series))
    return tuple(results)
