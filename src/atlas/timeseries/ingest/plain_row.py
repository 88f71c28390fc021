"""Decodes the body of one plain row to Python's own values, without Arrow; and few plain rows of other formats.

Plain is what `json_small` decodes of a body with one row. For other bodies, also for those with a mistake, the result
is None. For a plain row `PlainRow.frame` is the frame that the other decoders return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from atlas.kit.timestamps import format_timestamp, from_micros, parse_timestamp, to_micros
from atlas.timeseries.columns import EXACT_FLOAT, Column, Dtype
from atlas.timeseries.frames import ARROW_TYPES, TIMESTAMP, Frame
from atlas.timeseries.ingest.json_small import is_small_and_plain, is_stamp

Scalar = int | float | bool | str
_DTYPES: Mapping[type, Dtype] = {int: Dtype.INT, float: Dtype.FLOAT, bool: Dtype.BOOLEAN, str: Dtype.STRING}
_LEAST, _GREATEST = -(2**63), 2**63 - 1


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    dataset: int
    timestamp: str
    values: msgspec.Raw


_BODY = msgspec.json.Decoder(_Body)
_VALUES = msgspec.json.Decoder(dict[str, Scalar])
_TEXTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PlainRow:
    """One row. micros: since 1970; values: by key; echo: the values as JSON, each in its own notation."""

    dataset: int
    micros: int
    values: dict[str, Scalar]
    echo: bytes

    @property
    def timestamp(self) -> str:
        """The time as the answer shows it."""
        return format_timestamp(from_micros(self.micros))

    def frame(self) -> Frame:
        """Returns the row as arrays of one value."""
        ts = pa.array([self.micros], pa.int64()).cast(TIMESTAMP)
        columns = {name: pa.array([value], ARROW_TYPES[_DTYPES[type(value)]]) for name, value in self.values.items()}
        return Frame(ts, columns)

    def cells(self, columns: Mapping[str, Column]) -> dict[str, Scalar] | None:
        """Returns the values by physical name, or None when a value needs another column, or a place beside one."""
        found: dict[str, Scalar] = {}
        for name, value in self.values.items():
            column = columns.get(name)
            if column is None or column.physical is None:
                return None
            kind = _DTYPES[type(value)]
            if kind is not column.dtype:
                if kind is not Dtype.INT or column.dtype is not Dtype.FLOAT or abs(value) > EXACT_FLOAT:  # type: ignore[arg-type]
                    return None
                value = float(value)
            found[column.physical] = value
        return found


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Few rows of a body without nested values.

    micros: times since 1970; columns: values by key, each column of one type, null for an absent value.
    clock: the name of the column that had the times.
    """

    dataset: int
    micros: list[int]
    columns: dict[str, list[Scalar | None]]
    clock: str

    def __len__(self) -> int:
        return len(self.micros)

    def frame(self) -> Frame:
        """Returns the rows as arrays. A column without a value is one of texts."""
        ts = pa.array(self.micros, pa.int64()).cast(TIMESTAMP)
        columns = {}
        for name, values in self.columns.items():
            kind = next((_DTYPES[type(value)] for value in values if value is not None), Dtype.STRING)
            columns[name] = pa.array(values, ARROW_TYPES[kind])
        return Frame(ts, columns)

    def rows(self) -> list[PlainRow]:
        """Returns the rows in order of time."""
        names = list(self.columns)
        found = [
            PlainRow(
                self.dataset, at, {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}, b""
            )
            for at, *cells in zip(self.micros, *self.columns.values(), strict=True)
        ]
        return sorted(found, key=lambda row: row.micros)


def decode(body: bytes) -> PlainRow | None:
    """Decodes `{"dataset", "timestamp", "values"}`, or returns None for a body that is not plain."""
    if not is_small_and_plain(body):
        return None
    try:
        row = _BODY.decode(body)
        values = _VALUES.decode(row.values)
        if not is_stamp(row.timestamp):
            return None
        micros = to_micros(parse_timestamp(row.timestamp))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    colons, integers = row.timestamp.count(":"), True
    for name, value in values.items():
        colons += name.count(":")
        kind = type(value)
        if kind is str:
            colons += value.count(":")  # type: ignore[union-attr]
        elif kind is int:
            integers = integers and _LEAST <= value <= _GREATEST  # type: ignore[operator]
    # A colon beyond those of members and texts shows a member that is given twice.
    if not integers or body.count(b":") != 3 + len(values) + colons:
        return None
    return PlainRow(row.dataset, micros, values, _ENCODER.encode(_TEXTS.decode(row.values)))
