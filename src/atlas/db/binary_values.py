"""Encodes values as PostgreSQL's binary format of parameters."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

# Seconds of PostgreSQL's first moment, 2000-01-01, since 1970, in microseconds.
POSTGRES_EPOCH = 946_684_800_000_000
# Object identifiers of types (pg_type).
BOOL, BYTEA, INT8, INT4, TEXT, JSON, FLOAT8, TIMESTAMPTZ, JSONB = 16, 17, 20, 23, 25, 114, 701, 1184, 3802
_HEAD = struct.Struct(">iiiii")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)

int4: Callable[[int], bytes] = struct.Struct(">i").pack
int8: Callable[[int], bytes] = struct.Struct(">q").pack
float8: Callable[[float], bytes] = struct.Struct(">d").pack
boolean: Callable[[bool], bytes] = struct.Struct(">?").pack


def text(value: str) -> bytes:
    return value.encode()


def timestamp(micros: int) -> bytes:
    """Encodes microseconds since 1970 as a timestamptz."""
    return int8(micros - POSTGRES_EPOCH)


ENCODERS: dict[int, Callable[[Any], bytes]] = {
    BOOL: boolean,
    INT4: int4,
    INT8: int8,
    FLOAT8: float8,
    TEXT: text,
    JSON: text,
    JSONB: lambda value: b"\1" + value,
    BYTEA: bytes,
    TIMESTAMPTZ: timestamp,
}


def array(kind: int, values: Iterable[Any]) -> bytes:
    """Encodes values of the type `kind`, or None, as an array. JSONB is given as bytes of JSON."""
    encode = ENCODERS[kind]
    parts, count, nulls = [b""], 0, 0
    for value in values:
        count += 1
        if value is None:
            nulls = 1
            parts.append(_NULL)
        else:
            item = encode(value)
            parts += (_LENGTH.pack(len(item)), item)
    parts[0] = _HEAD.pack(1, nulls, kind, count, 1) if count else struct.pack(">iii", 0, 0, kind)
    return b"".join(parts)


def numbers(kind: int, values: np.ndarray[Any, Any]) -> bytes:
    """Encodes numbers without nulls as an array of INT8, FLOAT8 or TIMESTAMPTZ, whose values are microseconds."""
    if kind == TIMESTAMPTZ:
        values = values - POSTGRES_EPOCH
    cells = np.empty(len(values), [("length", ">i4"), ("value", ">f8" if kind == FLOAT8 else ">i8")])
    cells["length"], cells["value"] = 8, values
    return _HEAD.pack(1, 0, kind, len(values), 1) + cells.tobytes()


def one(kind: int, value: Any) -> bytes:
    """Encodes one value as an array."""
    item = ENCODERS[kind](value)
    return _HEAD.pack(1, 0, kind, 1, 1) + _LENGTH.pack(len(item)) + item


def arrays(kind: int, values: Sequence[Any]) -> bytes:
    """Encodes one value or several as an array."""
    return one(kind, values[0]) if len(values) == 1 and values[0] is not None else array(kind, values)
