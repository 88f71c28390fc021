"""Parses text timestamps of a whole column to microseconds in UTC."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import BadRequestError, RowError
from atlas.kit.timestamps import EPOCHS, MAX_MICROS, MIN_MICROS, NAME_UNIT, NO_UNIT, parse_epoch, parse_timestamp
from atlas.timeseries.frames import TIMESTAMP
from atlas.timeseries.ingest.time_formats import time_format

# Formats of dates that are not ISO 8601 and have only one reading.
PLAIN_FORMATS = ("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S")
_DAY = 86_400_000_000
# Prefix of a layout of numbers since 1970; the unit follows.
_EPOCH = "epoch:"


class TimeTexts:
    """Reads the text timestamps of one body, batch by batch, all in one format.

    `guessed` is the format of PLAIN_FORMATS that the first text has. A format is guessed only with `guess`, without
    `layout`, and when the texts are not ISO 8601.
    """

    def __init__(self, field: str, layout: str | None, *, guess: bool) -> None:
        self._field = field
        self._unit = epoch_unit(layout)
        self._format = time_format(layout) if layout and self._unit is None else None
        self._may_guess = guess and not layout
        self.guessed: str | None = None

    def read(self, texts: pa.Array, first_row: int) -> pa.Array:
        """Converts texts without nulls to timestamp[us, UTC].

        Raises RowError: when a text is no timestamp.
        """
        if self._unit is not None:
            return epoch_texts(texts, self._unit, first_row, self._field)
        if self._may_guess and len(texts):
            found = plain_timestamps(texts)
            if found is None:
                self._guess(texts[0].as_py())
            self._may_guess = False
            if found is not None:
                return found
        return (
            self._format.read(texts, first_row, self._field)
            if self._format
            else timestamps(texts, first_row, self._field)
        )

    def _guess(self, text: str) -> None:
        for layout in PLAIN_FORMATS:
            if time_format(layout).matches(text):
                self._format, self.guessed = time_format(layout), layout
                return


def timestamps(texts: pa.Array, first_row: int = 0, field: str = "timestamp") -> pa.Array:
    """Converts ISO 8601 texts without nulls to timestamp[us, UTC].

    Arrow's cast converts texts that all have a zone, then texts that all have none (UTC). Mixtures and rarer forms of
    ISO 8601 are parsed one by one.

    Raises RowError: when a text is no timestamp.
    """
    found = plain_timestamps(texts)
    return _one_by_one(texts, first_row, field) if found is None else found


def plain_timestamps(texts: pa.Array) -> pa.Array | None:
    """Converts texts like `timestamps` if Arrow can cast them, or returns None.

    Arrow accepts a subset of the texts that `parse_timestamp` accepts. The exception is the last day of the year 0,
    whose zone leads into the year 1.
    """
    for target in (TIMESTAMP, pa.timestamp("us")):
        try:
            parsed = pc.cast(texts, target)
        except pa.ArrowException:
            continue
        micros = parsed.cast(pa.int64())
        bounds = pc.min_max(micros).as_py()
        least = MIN_MICROS + _DAY if target is TIMESTAMP else MIN_MICROS
        if bounds["min"] is None or (bounds["min"] >= least and bounds["max"] <= MAX_MICROS):
            return micros.cast(TIMESTAMP)
    return None


def _one_by_one(texts: pa.Array, first_row: int, field: str) -> pa.Array:
    values = []
    for index, text in enumerate(texts.to_pylist()):
        try:
            values.append(parse_timestamp(text))
        except ValueError as error:
            more = f"; {NAME_UNIT}" if NO_UNIT in str(error) else ""
            raise RowError(first_row + index, field, f"{error}{more}") from None
    return pa.array(values, TIMESTAMP)


def epoch_layout(unit: str) -> str:
    """Returns the layout of timestamps that are numbers of a unit since 1970."""
    return _EPOCH + unit


def epoch_unit(layout: str | None) -> str | None:
    """Returns the unit of a layout of numbers since 1970, or None for another layout."""
    unit = (layout or "").removeprefix(_EPOCH)
    return unit if unit in EPOCHS and layout != unit else None


def epoch_texts(texts: pa.Array, unit: str, first_row: int = 0, field: str = "timestamp") -> pa.Array:
    """Converts texts of numbers since 1970, without nulls, to timestamp[us, UTC].

    Raises RowError: when a text is no number or out of range.
    """
    # Arrow reads 0x10 as 16.
    if not pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py():
        try:
            return epoch_numbers(pc.cast(texts, pa.int64()), unit, first_row, field)
        except pa.ArrowException:
            pass
    values = []
    for index, text in enumerate(texts.to_pylist()):
        try:
            values.append(parse_epoch(text, unit))
        except ValueError as error:
            raise RowError(first_row + index, field, str(error)) from None
    return pa.array(values, pa.int64()).cast(TIMESTAMP)


def epoch_numbers(numbers: pa.Array, unit: str, first_row: int = 0, field: str = "timestamp") -> pa.Array:
    """Converts whole numbers like `epoch_texts`. Other numbers are converted by their texts, which have all digits.

    Raises RowError: when a number is out of range.
    Raises BadRequestError: when the column has no numbers.
    """
    if not pa.types.is_integer(numbers.type):
        if not (pa.types.is_floating(numbers.type) or pa.types.is_decimal(numbers.type)):
            raise BadRequestError("Invalid timestamps", f"{field}: {numbers.type} is no number of {unit} since 1970")
        return epoch_texts(pc.cast(numbers, pa.string()), unit, first_row, field)
    try:
        whole = numbers.cast(pa.int64())
    except pa.ArrowInvalid:
        return epoch_texts(numbers.cast(pa.string()), unit, first_row, field)
    return moments(whole.cast(pa.timestamp(unit)), field, first_row)


def moments(stamps: pa.Array, name: str, first_row: int) -> pa.Array:
    """Converts dates and timestamps to microseconds.

    Raises RowError: when a value is finer than a microsecond or out of range.
    """
    kind = stamps.type
    if pa.types.is_date(kind):
        stamps = stamps.cast(pa.timestamp("ms") if pa.types.is_date64(kind) else pa.timestamp("s"))
    steps, values = EPOCHS[stamps.type.unit], stamps.cast(pa.int64())
    if steps > 1_000_000:
        whole = pc.equal(pc.multiply(pc.divide(values, 1000), 1000), values)
        if not pc.all(whole, min_count=0).as_py():
            row = pc.index(whole, False).as_py()
            raise RowError(first_row + row, name, f"{values[row].as_py()} ns since 1970 is finer than a microsecond")
        micros = pc.divide(values, 1000)
        low, high = MIN_MICROS, MAX_MICROS
    else:
        micros, (low, high) = values, (-(-MIN_MICROS * steps // 1_000_000), MAX_MICROS * steps // 1_000_000)
    within = pc.and_(
        pc.greater_equal(micros, pa.scalar(low, pa.int64())), pc.less_equal(micros, pa.scalar(high, pa.int64()))
    )
    if not pc.all(within, min_count=0).as_py():
        row = pc.index(within, False).as_py()
        raise RowError(first_row + row, name, "outside the years 1 to 9999")
    return (micros if steps > 1_000_000 else pc.multiply(micros, 1_000_000 // steps)).cast(TIMESTAMP)
