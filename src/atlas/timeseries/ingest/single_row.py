"""The body of an insert of one row: its frame, and the answer that shows the row as stored."""

from __future__ import annotations

from typing import Any

import msgspec

from atlas.contract.rows import InsertedRow
from atlas.errors import RowError
from atlas.kit.timestamps import format_timestamp
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_exact, json_small


class OneRow(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an insert of one row."""

    dataset: int
    timestamp: msgspec.Raw
    values: msgspec.Raw


def frame_and_answer(row: OneRow, unit: str | None) -> tuple[Frame, InsertedRow]:
    """Builds the frame of a single row, and the row of the answer."""
    wrapped = b'{"rows":[{"timestamp":%b,"values":%b}]}' % (bytes(row.timestamp), bytes(row.values))
    try:
        # For a single row, `json_small` is less work than Arrow.
        small = None if unit else json_small.decode(wrapped)
        frame, _ = small or json_exact.decode(wrapped, unit=unit)
    except RowError as error:
        raise RowError(None, error.field, error.reason) from None
    at = format_timestamp(frame.ts[0].as_py())
    return frame, InsertedRow(row.dataset, at, _echo(row.values))


def _echo(values: msgspec.Raw) -> Any:
    """Returns the values of a row for its answer, each in its own notation with all digits of a number."""
    return msgspec.json.decode(values, type=dict[str, msgspec.Raw])
