"""Checks of keys: which columns may be keys, and that every row of an insert has its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import BadRequestError, RowError
from atlas.kit.plurals import many
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.frames import Frame, dtype_of

KEY_TYPES = (Dtype.STRING, Dtype.INT, Dtype.BOOLEAN)
# An index holds entries of up to 2,700 bytes: MOST_KEYS texts of KEY_BYTES with a time.
MOST_KEYS, KEY_BYTES = 4, 600
KINDS = {Dtype.STRING: "a text", Dtype.INT: "an integer", Dtype.BOOLEAN: "true or false", Dtype.FLOAT: "a float"}
_WANTED = "a key is a text, an integer or a boolean"


class SeriesKeyError(RowError):
    """A row of an insert has no usable key. `field` is the name of the key."""

    def within(self, *, single: bool = False) -> RowError:
        """Returns the error for JSON, whose keys stand in `values`; with `single`, of a body that is one row."""
        return RowError(None if single else self.row, f"values.{self.field}", self.reason)


def refuse_names(names: Sequence[str]) -> None:
    """Checks the names of the keys that a request declares.

    Raises BadRequestError: when a name is empty, too long, there twice, or one of too many.
    """
    if len(names) > MOST_KEYS:
        raise BadRequestError("Invalid parameter", f"keys: at most {many(MOST_KEYS, 'key')}")
    for index, name in enumerate(names):
        if not name or len(name) > 1000 or "\0" in name:
            raise BadRequestError("Invalid parameter", f"keys[{index}]: 1 to 1000 characters, without NUL")
        if name in names[:index]:
            raise BadRequestError("Invalid parameter", f"keys: {name!r} is there twice")


def refuse_column(name: str, column: Column) -> None:
    """Checks that a column of this type may be a key.

    Raises BadRequestError: when the column holds floats or nested values.
    """
    if column.dtype not in KEY_TYPES or column.physical is None:
        raise BadRequestError("Invalid parameter", f"keys: {name!r} holds {column.dtype} values; {_WANTED}")


def check_keys(frame: Frame, keys: Sequence[str], columns: Mapping[str, Column], first_row: int) -> None:
    """Checks that every row of a frame has a value of the right type for each key.

    `first_row` is the number of the frame's first row in the body.

    Raises SeriesKeyError: for the first row in the body without a usable key.
    """
    if not len(frame):
        return
    faults = [fault for name in keys if (fault := _fault(frame, name, columns.get(name))) is not None]
    if faults:
        row, name, reason = min(faults)
        raise SeriesKeyError(first_row + row, name, reason)


def _fault(frame: Frame, name: str, column: Column | None) -> tuple[int, str, str] | None:
    """Returns the first row in the body's order, the key and the reason, or None when all rows have the key."""
    array = frame.columns.get(name)
    known = column.dtype if column is not None and column.physical else None
    if array is None or array.null_count == len(array):
        return _first(frame, None), name, _missing(frame, name, known, _first_index(frame, None))
    dtype = dtype_of(array)
    wanted = known or dtype
    if wanted not in KEY_TYPES:
        return _first(frame, None), name, f"{KINDS.get(wanted, wanted)}; {_WANTED}"
    if array.null_count:
        index = _first_index(frame, pc.is_null(array))
        return _place(frame, index), name, _missing(frame, name, wanted, index)
    wrong = _wrong_type(array, dtype, wanted)
    if wrong is not None:
        index = _first_index(frame, wrong)
        return _place(frame, index), name, f"the dataset's key is {KINDS[wanted]}, not {_shown(array[index].as_py())}"
    if wanted is Dtype.STRING:
        long = pc.greater(pc.binary_length(array), KEY_BYTES)
        if pc.any(long).as_py():
            index = _first_index(frame, long)
            return _place(frame, index), name, f"a key has at most {KEY_BYTES} bytes"
    return None


def _wrong_type(array: pa.Array, dtype: Dtype, wanted: Dtype) -> pa.Array | None:
    """Returns which values are of another type than the key's, or None when there are none."""
    if dtype is wanted:
        return None
    if wanted is Dtype.INT and dtype is Dtype.FLOAT:
        fraction = pc.invert(pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 2.0**53)))
        return fraction if pc.any(fraction).as_py() else None
    if wanted is Dtype.INT and dtype is Dtype.STRING:
        other = pc.invert(pc.match_substring_regex(array, r"^\s*-?\d{1,18}\s*$"))
        return other if pc.any(other).as_py() else pa.array(np.ones(len(array), bool))
    return pa.array(np.ones(len(array), bool))


def _missing(frame: Frame, name: str, wanted: Dtype | None, index: int) -> str:
    other = name in frame.extra_keys and frame.extra is not None and frame.extra[index].is_valid
    needed = KINDS.get(wanted, "a text, an integer or a boolean") if wanted else "a text, an integer or a boolean"
    if other:
        return f"the dataset's key; it needs {needed}, not null, a nested value or one of another type"
    return f"missing; it is a key of the dataset, and needs {needed}"


def _first_index(frame: Frame, chosen: pa.Array | None) -> int:
    """Returns the index in the frame of the chosen row that comes first in the body. None chooses all rows."""
    indices = np.arange(len(frame)) if chosen is None else np.flatnonzero(chosen.to_numpy(zero_copy_only=False))
    if frame.order is None:
        return int(indices[0])
    return int(indices[np.argmin(frame.order.take(pa.array(indices)).to_numpy())])


def _place(frame: Frame, index: int) -> int:
    return index if frame.order is None else int(frame.order[index].as_py())


def _first(frame: Frame, chosen: pa.Array | None) -> int:
    return _place(frame, _first_index(frame, chosen))


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
