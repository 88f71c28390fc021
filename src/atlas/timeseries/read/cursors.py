"""Cursors of pages: the time and number of the last row of a page, as a text."""

from __future__ import annotations

import base64
import struct

import pyarrow as pa

from atlas.errors import BadRequestError
from atlas.timeseries.zone_map import Range


def cursor_after(table: pa.Table) -> str | None:
    """Returns the cursor of the page after the rows of `table`, or None without rows."""
    if not len(table):
        return None
    return write_cursor(table.column("ts").cast(pa.int64())[-1].as_py(), table.column("_seq")[-1].as_py())


def write_cursor(micros: int, seq: int) -> str:
    """Returns the cursor of the page after a row, by its time and number."""
    return base64.urlsafe_b64encode(struct.pack(">qq", micros, seq)).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, int]:
    """Reads a cursor: the time of a row in microseconds since 1970, and its number.

    Raises BadRequestError: when no server gave the cursor.
    """
    whole = Range()
    try:
        micros, seq = struct.unpack(">qq", base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, struct.error):
        raise BadRequestError("Invalid parameter", "cursor: not one that this server gave") from None
    if not whole.lo <= micros < whole.hi:
        raise BadRequestError("Invalid parameter", "cursor: not one that this server gave")
    return micros, seq
