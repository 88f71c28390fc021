"""Columns of a dataset as Arrow streams: packed segments as they are stored, or plain rows."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from atlas.timeseries.cold.segment_decoder import decode
from atlas.timeseries.columns import Dtype

# A column for queries that read no other, such as a count of rows.
PRESENT = "present"


class ColumnStream(msgspec.Struct, frozen=True):
    """How a stream of Arrow data is read. packed: whether it has segments; columns: (name, key, type); times: whether
    `ts` is wanted."""

    packed: bool
    columns: list[tuple[str, str, Dtype]]
    times: bool


def read_stream(table: pa.Table, stream: ColumnStream) -> pa.Table:
    """Returns the rows of a stream: the wanted columns, `ts` without a zone, and `present` where nothing is wanted."""
    if not stream.columns and not stream.times:
        rows = sum(table["rows"].to_pylist()) if stream.packed else len(table)
        return pa.table({PRESENT: pa.repeat(True, rows)})
    if stream.packed:
        return decode(table, stream.columns, times=stream.times)
    if stream.times:
        table = table.set_column(0, "ts", table["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")))
    return table
