"""Parameters that several routes of datasets and rows share.

All parameter functions are coroutines. FastAPI runs plain functions in a thread, which takes longer than each of these
functions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query

from atlas.errors import BadRequestError
from atlas.kit.timestamps import NAME_UNIT, NO_UNIT, parse_end, parse_epoch, parse_parameter, to_micros
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.moments import Asked, parse_known_at
from atlas.timeseries.series.conditions import Written, parse_where
from atlas.timeseries.zone_map import Range


async def dataset_parameter(dataset: Annotated[int, Query(description="ID of the dataset.")]) -> int:
    """Reads the `dataset` query parameter. A missing parameter is a 400 like any other bad value."""
    return dataset


DatasetParam = Annotated[int, Depends(dataset_parameter)]


Epoch = Literal["s", "ms", "us", "ns"]
EpochParam = Annotated[
    Epoch | None, Query(description="Timestamps are numbers of this unit since 1970 (UTC) instead of ISO 8601.")
]


def _moment(name: str, text: str, unit: str | None, parse: Callable[[str], datetime] = parse_parameter) -> int:
    try:
        return to_micros(parse(text)) if unit is None else parse_epoch(text.strip(), unit)
    except ValueError as error:
        more = f"; {NAME_UNIT}" if NO_UNIT in str(error) else ""
        raise BadRequestError("Invalid parameter", f"{name}: {error}{more}") from None


async def time_range(
    start: Annotated[str | None, Query(description="First timestamp, ISO 8601 in any zone (none means UTC).")] = None,
    end: Annotated[
        str | None, Query(description="Last timestamp, inclusive, ISO 8601 in any zone; a day alone is all of it.")
    ] = None,
    epoch: EpochParam = None,
) -> Range:
    """Reads `start` and `end`, both inclusive.

    Raises BadRequestError: when a time cannot be read or `end` is before `start`.
    """
    whole = Range()
    lo = whole.lo if start is None else _moment("start", start, epoch)
    hi = whole.hi if end is None else _moment("end", end, epoch, parse_end) + 1
    if lo > hi:
        raise BadRequestError("Invalid parameter", "end: before start")
    return Range(lo, hi)


RangeParam = Annotated[Range, Depends(time_range)]


OnConflictParam = Annotated[
    Policy | None,
    Query(
        description="What happens to a row whose timestamp and keys another row has: `append` keeps both, `replace` "
        "puts it in the other's place, `keep_first` leaves it out, `reject` refuses the insert. It may be as strict as "
        "the dataset's policy, or stricter."
    ),
]


async def known_moment(
    known_at: Annotated[
        str | None,
        Query(
            description="Rows as they were at a moment: a time, ISO 8601 with a time of day, or a version of the "
            "dataset. All that was committed by then, with corrections and deletes."
        ),
    ] = None,
) -> Asked | None:
    """Reads the `known_at` parameter.

    Raises BadRequestError: when it is neither a time nor a version.
    """
    return None if known_at is None else parse_known_at(known_at)


KnownAtParam = Annotated[Asked | None, Depends(known_moment)]


async def column_names(
    columns: Annotated[
        list[str] | None,
        Query(description="Only these keys: repeat the parameter, or separate names by commas."),
    ] = None,
) -> list[str] | None:
    """Reads the `columns` parameter. A single value may hold several names."""
    if columns is None:
        return None
    if len(columns) == 1:
        return [name for name in columns[0].split(",") if name]
    return columns


async def series_conditions(
    where: Annotated[
        list[str] | None,
        Query(
            description="Only these series: a key and its values, as in `symbol:MSFT,AAPL`. Repeat the parameter for "
            'several keys. Names and values with commas, colons or quotes stand in double quotes, `""` for a quote.'
        ),
    ] = None,
) -> list[Written]:
    """Reads the `where` parameter.

    Raises BadRequestError: when a condition cannot be read.
    """
    return parse_where(where or ())


WhereParam = Annotated[list[Written], Depends(series_conditions)]


async def series_names(
    by: Annotated[
        list[str] | None,
        Query(description="Each series apart, by these keys: repeat the parameter, or separate names by commas."),
    ] = None,
) -> list[str]:
    """Reads the `by` parameter. A single value may hold several names."""
    return await column_names(by) or []


ByParam = Annotated[list[str], Depends(series_names)]
ColumnsParam = Annotated[list[str] | None, Depends(column_names)]
