"""Text timestamps of a whole column to microseconds in UTC."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from atlas.core.frames import TIMESTAMP
from atlas.core.timestamps import MAX_MICROS, MIN_MICROS, parse_timestamp
from atlas.errors import RowError
from atlas.readers.time_formats import time_format

# Dates that are not ISO 8601 but can be read in one way only.
PLAIN_FORMATS = ("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S")
_DAY = 86_400_000_000


class TimeTexts:
    """Reads the text timestamps of one body, batch by batch, all of them in one form.

    guessed: the one of PLAIN_FORMATS that the first text has, where no format was given, `guess` is set and the
    texts are not ISO 8601.
    """

    def __init__(self, field: str, layout: str | None, *, guess: bool) -> None:
        self._field = field
        self._format = time_format(layout) if layout else None
        self._may_guess = guess and not layout
        self.guessed: str | None = None

    def read(self, texts: pa.Array, first_row: int) -> pa.Array:
        """The texts, none of them null, as timestamp[us, UTC]. Raises RowError for the first that is wrong."""
        if self._may_guess and len(texts):
            found = plain_timestamps(texts)
            if found is None:
                self._guess(texts[0].as_py())
            self._may_guess = False
            if found is not None:
                return found
        return self._format.read(texts, first_row, self._field) if self._format else timestamps(
            texts, first_row, self._field
        )  # fmt: skip

    def _guess(self, text: str) -> None:
        for layout in PLAIN_FORMATS:
            if time_format(layout).matches(text):
                self._format, self.guessed = time_format(layout), layout
                return


def timestamps(texts: pa.Array, first_row: int = 0, field: str = "timestamp") -> pa.Array:
    """ISO 8601 texts, none null, as timestamp[us, UTC]. Raises RowError for the first bad one.

    Arrow's cast takes texts that all have a zone, then texts that all have none (UTC); any other
    mixture and the rarer forms of ISO 8601 are parsed one by one.
    """
    found = plain_timestamps(texts)
    return _one_by_one(texts, first_row, field) if found is None else found


def plain_timestamps(texts: pa.Array) -> pa.Array | None:
    """As `timestamps` for texts that Arrow can cast; None where it cannot.

    What Arrow takes is a part of what `parse_timestamp` takes, but for the last day of year 0, whose zone leads it
    into year 1.
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
            raise RowError(first_row + index, field, str(error)) from None
    return pa.array(values, TIMESTAMP)
