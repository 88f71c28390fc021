"""Converts columns of Arrow data to the types of a frame. Values that these types cannot hold become JSON texts."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import BadRequestError, RowError
from atlas.kit.timestamps import EPOCHS, MAX_MICROS, MIN_MICROS
from atlas.timeseries.frames import nested_to_json
from atlas.timeseries.ingest.number_texts import Numbers, read_numbers

_TEXTS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
)
_BYTES: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
_LISTS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_struct,
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
)

_FAR = "outside the years 1 to 9999"
_NOT_FINITE = "NaN and Infinity are refused; leave the value out instead"


def is_text(kind: pa.DataType) -> bool:
    """Checks whether a type is a type of text."""
    return any(check(kind) for check in _TEXTS)


def decode_array(array: pa.Array) -> pa.Array:
    """Converts an array to an array of plain values: without a dictionary, run ends or views."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        # Arrow cannot repeat texts of views.
        return pa.DictionaryArray.from_arrays(array.indices, decode_array(array.dictionary)).dictionary_decode()
    if pa.types.is_run_end_encoded(kind):
        return decode_array(pc.run_end_decode(array))
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    return array


def values_of(array: pa.Array, name: str, first_row: int) -> Numbers:
    """Converts a column to frame values, and to JSON texts for values that the frame's type cannot hold.

    Raises RowError: when a value has no place in a row.
    Raises BadRequestError: when the column's type has no place in a row. Both errors name the column.
    """
    try:
        array = decode_array(array)
        return _values(array, name, first_row)
    except pa.ArrowNotImplementedError:
        raise unsupported(name, array.type) from None
    except pa.ArrowInvalid as error:
        raise BadRequestError("Invalid values", f"{name}: {str(error).splitlines()[0][:300]}") from None


def unsupported(name: str, kind: object) -> BadRequestError:
    """Builds the error for a column of a type that has no place in a row."""
    return BadRequestError("Invalid values", f"{name}: Arrow type {str(kind)[:300]} is not supported")


def _values(array: pa.Array, name: str, first_row: int) -> Numbers:
    kind = array.type
    if pa.types.is_unsigned_integer(kind) and kind.bit_width == 64:
        return _exact(array, array.cast(pa.string()), as_float=False)
    if pa.types.is_decimal(kind):
        return _decimal(array)
    return Numbers(_plain(array, name, first_row), None)


def numbers_of(texts: pa.Array, name: str, first_row: int, *, as_float: bool) -> Numbers:
    """Converts the texts of numbers like `values_of`.

    Raises RowError: when a text is NaN or Infinity.
    """
    try:
        return read_numbers(texts, as_float=as_float)
    except ValueError as error:
        raise _not_finite(int(error.args[0]), name, first_row) from None


def _plain(array: pa.Array, name: str, first_row: int) -> pa.Array:
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_boolean(kind):
        return array
    if pa.types.is_floating(kind):
        return _finite(array.cast(pa.float64()), name, first_row)
    if any(check(kind) for check in _BYTES):
        array = _as_text(array, name, first_row)
        kind = array.type
    if is_text(kind):
        nul = pc.match_substring(array, "\0")
        if pc.any(nul, min_count=0).as_py():
            raise RowError(first_row + pc.index(nul, True).as_py(), name, "text with a NUL character")
        return array.cast(pa.string())
    if pa.types.is_duration(kind):
        # A text of a duration would be a number without its unit.
        raise BadRequestError("Invalid values", f"{name}: {kind} is no value; cast it to a number, say of seconds")
    if pa.types.is_temporal(kind):
        return _dated(array, name, first_row).cast(pa.string())
    if any(check(kind) for check in _LISTS):
        # JSON would show something else for these values.
        if (fault := _inner_fault(array)) is not None:
            raise RowError(first_row + fault[0], name, fault[1])
        return nested_to_json(array)
    raise unsupported(name, kind)


def _dated(array: pa.Array, name: str, first_row: int) -> pa.Array:
    """Returns dates and times unchanged. Arrow cannot write a day outside of the years 1 to 9999 as text.

    Raises RowError: when there is such a day.
    """
    if (row := _far_at(array)) is not None:
        raise RowError(first_row + row, name, _FAR)
    return array


def _far_at(array: pa.Array) -> int | None:
    """Returns the first row of dates or times outside of the years 1 to 9999, or None."""
    kind = array.type
    if pa.types.is_date(kind):
        steps, micros = array.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), 86_400 * 1_000_000
    elif pa.types.is_timestamp(kind) and kind.unit != "ns":
        # Nanoseconds of 64 bits reach from 1677 to 2262.
        steps, micros = array.cast(pa.int64()), 1_000_000 // EPOCHS[kind.unit]
    else:
        return None
    fits = pc.and_(pc.greater_equal(steps, MIN_MICROS // micros), pc.less_equal(steps, MAX_MICROS // micros))
    return None if pc.all(fits, min_count=0).as_py() else int(pc.index(fits, False).as_py())


def _as_text(array: pa.Array, name: str, first_row: int) -> pa.Array:
    """Decodes bytes in UTF-8 to text.

    Raises RowError: when the bytes of a row are not UTF-8.
    """
    array = array.cast(pa.large_binary())
    try:
        return array.cast(pa.large_string())
    except pa.ArrowException:
        for index, value in enumerate(array):
            try:
                str(value.as_py() or b"", "utf-8")
            except UnicodeDecodeError:
                raise RowError(first_row + index, name, f"{array.type} that is not UTF-8 text") from None
        raise


def _finite(array: pa.Array, name: str, first_row: int) -> pa.Array:
    finite = pc.is_finite(array)
    if not pc.all(finite, min_count=0).as_py():
        raise _not_finite(pc.index(finite, False).as_py(), name, first_row)
    return array


def _inner_fault(array: pa.Array) -> tuple[int, str] | None:
    """Returns the first row of lists and structs with an inner value that JSON cannot express, and the
    reason, or None.
    """
    kind = array.type
    if pa.types.is_floating(kind):
        finite = pc.fill_null(pc.is_finite(array), True)
        return None if pc.all(finite, min_count=0).as_py() else (int(pc.index(finite, False).as_py()), _NOT_FINITE)
    if pa.types.is_duration(kind):
        some = array.is_valid()
        row = int(pc.index(some, True).as_py())
        return None if row < 0 else (row, f"{kind} is no value; cast it to a number, say of seconds")
    if pa.types.is_temporal(kind):
        far = _far_at(array)
        return None if far is None else (far, _FAR)
    if pa.types.is_struct(kind):
        faults = [fault for inner in array.flatten() if (fault := _inner_fault(decode_array(inner))) is not None]
        return min(faults, default=None)
    if pa.types.is_nested(kind) and hasattr(kind, "value_type") and not pa.types.is_map(kind):
        fault = _inner_fault(decode_array(pc.list_flatten(array)))
        return None if fault is None else (int(pc.list_parent_indices(array)[fault[0]].as_py()), fault[1])
    return None


def _not_finite(row: int, name: str, first_row: int) -> RowError:
    return RowError(first_row + row, name, _NOT_FINITE)


def _decimal(array: pa.Array) -> Numbers:
    """Converts decimals with a scale to floats, and others to integers. Texts are used, because Arrow's own cast is not
    exact.
    """
    if array.type.scale > 0:
        return _exact(array, array.cast(pa.string()), as_float=True)
    if array.type.scale < 0:
        array = array.cast(pa.decimal256(76, 0))
    return _exact(array, array.cast(pa.string()), as_float=False)


def _exact(array: pa.Array, texts: pa.Array, *, as_float: bool) -> Numbers:
    found = read_numbers(texts, as_float=as_float)
    if found.values is None and found.rest is None:
        return Numbers(pa.nulls(len(array), pa.int64()), None)
    return found
