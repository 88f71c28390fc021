"""Latest values and time buckets, worked out in the database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from atlas.core import rollups
from atlas.core.access import Caller
from atlas.core.blocks import Range, narrow
from atlas.core.columns import Column, Dtype
from atlas.core.formats import RowFormat, json_lines
from atlas.core.timestamps import MIN_MICROS, format_timestamp
from atlas.errors import BadRequestError, NotFoundError
from atlas.service.access import AccessService
from atlas.service.reads import chosen
from atlas.service.upkeep import Upkeep
from atlas.store import reading
from atlas.store.buckets import buckets
from atlas.store.database import Database

Row = dict[str, Any]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FUNCTIONS = tuple(rollups.PARTS)
CALENDAR = ("month", "year")
MAX_BUCKETS = 100_000
# Widths that people read easily, in seconds.
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
_WIDTH = re.compile(r"([1-9]\d{0,8})([smhdw])")


class SummaryService:
    """What a chart asks for."""

    def __init__(self, database: Database, access: AccessService, upkeep: Upkeep) -> None:
        self._database = database
        self._access = access
        self._upkeep = upkeep

    async def latest(self, caller: Caller, dataset_id: int) -> bytes:
        """The row with the greatest timestamp as JSON. Raises NotFoundError where there is no row."""
        await self._access.require(caller, dataset_id)
        shot = await reading.snapshot(self._database, dataset_id)
        if not shot.blocks:
            raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows")
        span = narrow(shot.blocks, Range(), 1, descending=True)
        style = RowFormat(shot.columns, flat=False, dataset=dataset_id)
        text: str = await reading.page(
            self._database, shot, shot.columns, span, then=lambda table: json_lines(table, style).item(),
            descending=True, limit=1,
        )  # fmt: skip
        return text.encode()

    async def aggregate(
        self, caller: Caller, dataset_id: int, span: Range, names: Sequence[str] | None,
        bucket: str, functions: str, points: int,
    ) -> dict[str, Any]:  # fmt: skip
        """Buckets `{"timestamp","count","values":{column:{function:value}}}` of the numeric columns."""
        await self._access.require(caller, dataset_id)
        wanted = [name.strip() for name in functions.split(",") if name.strip()]
        unknown = next((name for name in wanted if name not in FUNCTIONS), None)
        if unknown is not None or not wanted:
            raise BadRequestError("Invalid parameter", f"functions: {unknown!r} is none of {', '.join(FUNCTIONS)}")
        shot = await reading.snapshot(self._database, dataset_id)
        columns = [c for c in chosen(shot.columns, names) if c.dtype in (Dtype.INT, Dtype.FLOAT)]
        # A bucket has a time, which those of the year 0 have not in an answer.
        span = Range(max(span.lo, MIN_MICROS), span.hi)
        met = [block for block in shot.blocks if span.meets(block)]
        if not met or span.empty:
            return {"bucket": bucket, "results": []}
        lo, hi = max(span.lo, min(b.min_ts for b in met)), min(span.hi, max(b.max_ts for b in met) + 1)
        width = _width(bucket, hi - lo, points)
        parts = rollups.parts_of(wanted)
        rows = await buckets(self._database, shot, columns, span, width, parts, MAX_BUCKETS)
        if len(rows) > MAX_BUCKETS:
            raise BadRequestError("Invalid parameter", f"bucket: more than {MAX_BUCKETS} buckets; make it wider")
        if shot.row_count >= rollups.LEAST_ROWS:
            self._upkeep.want(dataset_id)
        results = await asyncio.to_thread(lambda: [_result(row, columns, parts, wanted) for row in rows])
        return {"bucket": _name(width), "results": results}


def _width(bucket: str, micros: int, points: int) -> int | str:
    """Seconds of a bucket, or `month` or `year`."""
    if bucket in CALENDAR:
        return bucket
    if bucket == "auto":
        least = micros / 1e6 / points
        whole_weeks = -(-int(least) // 604800) * 604800
        return next((step for step in STEPS if step >= least), max(604800, whole_weeks + 604800))
    found = _WIDTH.fullmatch(bucket)
    if found is None:
        raise BadRequestError("Invalid parameter", "bucket: a number and s, m, h, d or w; month; year; or auto")
    return int(found[1]) * UNITS[found[2]]


def _name(width: int | str) -> str:
    if isinstance(width, str):
        return width
    unit = next(unit for unit in reversed(UNITS) if width % UNITS[unit] == 0)
    return f"{width // UNITS[unit]}{unit}"


def _result(row: rollups.Bucket, columns: Sequence[Column], parts: Sequence[str], wanted: Sequence[str]) -> Row:
    names = [column.name for column in columns]
    values = dict(zip(names, rollups.figures(row, parts, wanted), strict=True))
    return {"timestamp": format_timestamp(row[0]), "count": row[1], "values": values}
