"""Text timestamps of a whole column to microseconds in UTC."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from atlas.core.frames import TIMESTAMP
from atlas.core.timestamps import MAX_MICROS, MIN_MICROS, parse_timestamp
from atlas.errors import RowError


def timestamps(texts: pa.Array, first_row: int = 0, field: str = "timestamp") -> pa.Array:
    """ISO 8601 texts, none null, as timestamp[us, UTC]. Raises RowError for the first bad one.

    Arrow's cast takes texts that all have a zone, then texts that all have none (UTC); any other
    mixture and the rarer forms of ISO 8601 are parsed one by one.
    """
    found = plain_timestamps(texts)
    return _one_by_one(texts, first_row, field) if found is None else found


def plain_timestamps(texts: pa.Array) -> pa.Array | None:
    """As `timestamps` for texts that Arrow can cast; None where it cannot."""
    for target in (TIMESTAMP, pa.timestamp("us")):
        try:
            parsed = pc.cast(texts, target)
        except pa.ArrowException:
            continue
        micros = parsed.cast(pa.int64())
        bounds = pc.min_max(micros).as_py()
        if bounds["min"] is None or (bounds["min"] >= MIN_MICROS and bounds["max"] <= MAX_MICROS):
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
