"""`atlas rows aggregate`: figures of a dataset by time bucket."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.cli.context import Session, remote
from atlas.cli.datasets import Dataset
from atlas.cli.exit_codes import say
from atlas.cli.output import RowFormat, data, print_rows
from atlas.cli.rows import By, Columns, End, FormatOption, KnownAt, Start, Where, columns_of, rows
from atlas.cli.tail import rows_tail  # noqa: F401 - a command of the same group
from atlas.cli.time_arguments import moment, since, until

if TYPE_CHECKING:
    from atlas.client import Aggregate

# Computed figures. The other figures are values of rows, and are shown unchanged.
COMPUTED = ("avg", "sum", "vwap", "stddev", "rate", "twa")


class Filling(StrEnum):
    """What stands in buckets without rows."""

    null = "null"
    previous = "previous"
    linear = "linear"
    zero = "zero"


@rows.command("aggregate")
@remote
def rows_aggregate(
    session: Session,
    name: Dataset,
    bucket: Annotated[str, typer.Option(help="Width: such as 15m, hour, 1d, month, quarter, year; auto.")] = "auto",
    functions: Annotated[
        str,
        typer.Option(
            help="Any of count, min, max, avg, sum, first, last, ohlc, vwap, median, p95, quantile:0.99, stddev, "
            "delta, rate, twa, separated by commas."
        ),
    ] = "count,min,max,avg",
    start: Start = None,
    end: End = None,
    columns: Columns = None,
    where: Where = None,
    known_at: KnownAt = None,
    by: By = None,
    timezone: Annotated[str | None, typer.Option(help="Days and hours of this zone, such as Europe/Berlin.")] = None,
    first_weekday: Annotated[str | None, typer.Option(help="With what day weeks begin: monday, sunday, …")] = None,
    fill: Annotated[
        Filling | None, typer.Option(help="Print buckets without rows, too, with null or values of such a kind.")
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="How many buckets a figure is of: each and those before it.")] = 1,
    price: Annotated[str | None, typer.Option(help="Column of prices for vwap.")] = None,
    volume: Annotated[str | None, typer.Option(help="Column of volumes for vwap.")] = None,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print figures of numeric columns by time bucket."""
    found = session.client.rows.aggregate(
        name,
        bucket=bucket,
        functions=functions,
        start=since(start, "--start"),
        end=until(end, "--end"),
        columns=columns,
        where=where,
        known_at=moment(known_at),
        by=by,
        timezone=timezone,
        first_weekday=first_weekday,
        fill=None if fill is None else fill.value,
        window=window,
        price=price,
        volume=volume,
    )
    show(session, found, form, filled=fill is not None)


def show(session: Session, found: Aggregate, form: RowFormat, *, filled: bool) -> None:
    """Prints figures, a line for each bucket."""
    if session.as_json:
        session.show(found)
        return
    if found.price is not None:
        say(f"vwap is of {found.price}, weighted by {found.volume}")
    lines = []
    for one in found.results:
        line: dict[str, Any] = {**(one.series or {}), "timestamp": data(one.timestamp)}
        if one.count is not None:
            line["count"] = one.count
        line |= {
            f"{key}.{function}": legible(value) if form is RowFormat.table and function in COMPUTED else value
            for key, by in one.values.items()
            for function, value in by.items()
        }
        if filled:
            line["filled"] = one.filled
        lines.append(line)
    print_rows(lines, columns_of(lines), form)


def legible(value: Any) -> Any:
    """Rounds a computed figure to the 15 digits that its type holds. Further digits are errors of the addition."""
    return float(f"{value:.15g}") if isinstance(value, float) else value
