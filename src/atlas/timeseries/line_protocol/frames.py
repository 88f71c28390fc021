"""Makes a frame of the points of a measurement, by the columns that the dataset has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from atlas.timeseries.columns import Dtype
from atlas.timeseries.frames import ARROW_TYPES, TIMESTAMP, Frame
from atlas.timeseries.line_protocol.model import TYPE_NAMES, Fault, Points, Scalar
from atlas.timeseries.series.checks import KEY_BYTES

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """A frame in order of time, or None when no point is left; and the points that the dataset's columns refuse."""

    frame: Frame | None
    faults: list[Fault]


def fitted(points: Points, measurement: str, known: Mapping[str, Dtype], keys: Sequence[str], now: int) -> Fitted:
    """Builds the frame of points.

    known: types of the dataset's columns; keys: the series keys of the dataset; now: microseconds since 1970, for
    points without a time. A key that a point lacks is the empty text, which a tag that is not there is in InfluxDB.
    """
    bad: dict[int, str] = {}
    texts, fields = _chosen(points, measurement, known, bad)
    for name in keys:
        if known.get(name, Dtype.STRING) is not Dtype.STRING and name not in fields:
            bad |= dict.fromkeys(range(len(points.lines)), f"field {name!r} is missing; it is a key of the dataset")
        elif name in texts or name not in fields:
            _fill(texts, name, points, bad)
    rows = [row for row in range(len(points.lines)) if row not in bad]
    faults = [Fault(points.lines[row], reason, conflict=True) for row, reason in bad.items()]
    if not rows:
        return Fitted(None, faults)
    place = {row: index for index, row in enumerate(rows)}
    arrays = {name: _array(column, Dtype.STRING, place) for name, column in texts.items()}
    extra: list[str | None] = [None] * len(rows)
    large = set()
    for name, (dtype, column) in fields.items():
        values = {row: value for row, value in column.items() if row in place}
        if dtype is Dtype.INT:
            over = {row: value for row, value in values.items() if value > _LARGEST}  # type: ignore[operator]
            for row, value in over.items():
                member = f"{msgspec.json.encode(name).decode()}:{value}"
                extra[place[row]] = member if extra[place[row]] is None else f"{extra[place[row]]},{member}"
                large.add(name)
            values = {row: value for row, value in values.items() if row not in over}
        if values:
            arrays[name] = _array(values, dtype, place)
    times = [now if points.micros[row] is None else points.micros[row] for row in rows]
    ts = pa.array(times, pa.int64()).cast(TIMESTAMP)
    members = pa.array(extra, pa.string()) if large else None
    return Fitted(Frame(ts, arrays, members, frozenset(large)).sorted(), faults)


def _chosen(
    points: Points, measurement: str, known: Mapping[str, Dtype], bad: dict[int, str]
) -> tuple[dict[str, dict[int, Scalar]], dict[str, tuple[Dtype, dict[int, Scalar]]]]:
    """Returns the columns of tags, and of fields with their types, and notes points of another type."""
    texts: dict[str, dict[int, Scalar]] = {}
    for name, column in points.tags.items():
        held = known.get(name, Dtype.STRING)
        if held is not Dtype.STRING:
            reason = f'tag "{name}" on measurement "{measurement}" already exists as a field of type {TYPE_NAMES[held]}'
            bad |= dict.fromkeys(column.rows, reason)
            continue
        texts[name] = dict(zip(column.rows, column.values, strict=True))
    fields: dict[str, tuple[Dtype, dict[int, Scalar]]] = {}
    for (name, dtype), column in sorted(points.fields.items(), key=lambda item: item[1].rows[0]):
        wanted = known.get(name) or (Dtype.STRING if name in texts else None)
        if wanted is None:
            wanted = fields[name][0] if name in fields else dtype
        if dtype is not wanted:
            bad |= dict.fromkeys(
                column.rows,
                f'field type conflict: input field "{name}" on measurement "{measurement}" is type '
                f"{TYPE_NAMES[dtype]}, already exists as type {TYPE_NAMES[wanted]}",
            )
            continue
        values = dict(zip(column.rows, column.values, strict=True))
        if name in texts:
            texts[name] |= values
        else:
            fields[name] = dtype, values
    return texts, fields


def _fill(texts: dict[str, dict[int, Scalar]], name: str, points: Points, bad: dict[int, str]) -> None:
    given = texts.setdefault(name, {})
    for row in range(len(points.lines)):
        if len(str(given.setdefault(row, "")).encode()) > KEY_BYTES:
            bad[row] = f"tag {name!r} has more than {KEY_BYTES} bytes; it is a key of the dataset"


def _array(values: Mapping[int, Scalar], dtype: Dtype, place: Mapping[int, int]) -> pa.Array:
    cells: list[Scalar | None] = [None] * len(place)
    for row, value in values.items():
        if row in place:
            cells[place[row]] = value
    return pa.array(cells, ARROW_TYPES[dtype])
