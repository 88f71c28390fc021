"""CSV, NDJSON, Parquet and Arrow bodies to frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import IO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from atlas.core.columns import EXACT_FLOAT
from atlas.core.formats import from_flat_key
from atlas.core.frames import TIMESTAMP, Frame, nested_to_json
from atlas.core.json_depth import TOO_DEEP
from atlas.core.timestamps import MAX_MICROS, MIN_MICROS
from atlas.errors import BadRequestError, RowError
from atlas.readers import json_rows
from atlas.readers.stamps import plain_timestamps, timestamps

# Names a timestamp column may have where the request names none, most likely first.
TIME_NAMES = ("timestamp", "ts", "time", "datetime", "date")
# Dates that are not ISO 8601 but can be read in one way only.
PLAIN_FORMATS = (
    "%b %d %Y",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%B %d, %Y",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
)

_BLOCK = 4 * 1024 * 1024
_HEADER = 1024 * 1024
_DIGIT = np.zeros(256, bool)
_DIGIT[list(b"0123456789")] = True
# What may stand before a cell, and before the digits of a number with a sign.
_BEFORE = np.zeros(256, bool)
_BEFORE[list(b',\n"')] = True
_SIGN = np.zeros(256, bool)
_SIGN[list(b"+-")] = True


def read_csv(file: IO[bytes], time_column: str | None, time_format: str | None) -> Iterator[Frame]:
    """Frames of a CSV with a header. An empty cell is an absent key.

    A column is a number only if every cell is one and none has a leading zero or plus sign, which a
    number would lose.
    """
    header = _csv_header(file)
    options = pv.ConvertOptions(
        null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
        true_values=["true"], false_values=["false"], timestamp_parsers=[],
        column_types=_csv_types(file, header, time_column),
    )  # fmt: skip
    try:
        reader = pv.open_csv(
            file,
            read_options=pv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=pv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
        first_row = 0
        for batch in reader:
            yield _frame(pa.table(batch), time_column, time_format, first_row)
            first_row += batch.num_rows
    except pa.ArrowException as error:
        raise BadRequestError("Invalid CSV", _reason(error)) from None


def _csv_header(file: IO[bytes]) -> list[str]:
    line = file.readline(_HEADER)
    # A name may hold line breaks, in quotes.
    while line.count(b'"') % 2 and len(line) < _HEADER and (more := file.readline(_HEADER)):
        line += more
    file.seek(0)
    if not line.strip():
        raise BadRequestError("Invalid CSV", "the body is empty; a header line is required")
    try:
        names: list[str] = pv.read_csv(pa.BufferReader(line.rstrip(b"\r\n") + b"\n")).column_names
    except (pa.ArrowException, UnicodeDecodeError):
        raise BadRequestError("Invalid CSV", "the header line cannot be read as UTF-8 CSV") from None
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadRequestError("Invalid CSV", f"column {repeated!r} appears twice in the header")
    return names


def _csv_types(file: IO[bytes], header: list[str], time_column: str | None) -> dict[str, pa.DataType]:
    """Types for the whole file, where those of its first block would not do for the rest."""
    types = {name: pa.string() for name in header if name == (time_column or _time_name(header))}
    kinds: dict[str, pa.DataType] = {}
    options = pv.ConvertOptions(
        null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
        true_values=["true"], false_values=["false"], timestamp_parsers=[], column_types=types,
    )  # fmt: skip
    while block := file.read(_BLOCK):
        block += file.readline()
        if file.tell() > len(block):
            block = b",".join(b'"' + n.replace('"', '""').encode() + b'"' for n in header) + b"\n" + block
        careful = _may_lose_digits(block)
        try:
            table = pv.read_csv(
                pa.BufferReader(block),
                parse_options=pv.ParseOptions(newlines_in_values=True),
                convert_options=options,
            )
        except pa.ArrowException:
            break
        for name in header:
            found = table.column(name).type
            if careful and found in (pa.int64(), pa.float64()) and _loses_digits(block, name, options):
                found = pa.string()
            kinds[name] = _merge(kinds.get(name), found)
    file.seek(0)
    for name, kind in kinds.items():
        types[name] = pa.string() if pa.types.is_null(kind) else kind
    return types


def _may_lose_digits(block: bytes) -> bool:
    """Whether a cell may begin with a plus sign, or with a zero before another digit; quick, as most have none."""
    # As if lines before had ended, so that the first cell has something before it.
    text = np.frombuffer(b"\n\n" + block + b"\n", np.uint8)
    before_digit = _DIGIT[text[3:]]
    zeros = np.flatnonzero((text[2:-1] == ord("0")) & before_digit) + 2
    signed = _SIGN[text[zeros - 1]] & _BEFORE[text[zeros - 2]]
    if (_BEFORE[text[zeros - 1]] | signed).any():
        return True
    pluses = np.flatnonzero((text[2:-1] == ord("+")) & before_digit) + 2
    return bool(_BEFORE[text[pluses - 1]].any())


def _loses_digits(block: bytes, name: str, options: pv.ConvertOptions) -> bool:
    cells = pv.read_csv(
        pa.BufferReader(block),
        parse_options=pv.ParseOptions(newlines_in_values=True),
        convert_options=pv.ConvertOptions(include_columns=[name], column_types={name: pa.string()}),
    ).column(name)
    return bool(pc.any(pc.match_substring_regex(cells, r"^(\+|-?0\d)"), min_count=0).as_py())


def _merge(old: pa.DataType | None, new: pa.DataType) -> pa.DataType:
    if old is None or pa.types.is_null(old) or old == new:
        return new
    if pa.types.is_null(new):
        return old
    if {old, new} == {pa.int64(), pa.float64()}:
        return pa.float64()
    return pa.string()


def read_parquet(file: IO[bytes], time_column: str | None, time_format: str | None) -> Iterator[Frame]:
    """Frames of a Parquet file. Null is an absent key."""
    try:
        parquet = pq.ParquetFile(file)
        first_row = 0
        for batch in parquet.iter_batches(batch_size=65536):
            batch.validate(full=True)
            yield _frame(pa.table(batch), time_column, time_format, first_row)
            first_row += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid Parquet", _reason(error)) from None


def read_arrow(file: IO[bytes], time_column: str | None, time_format: str | None) -> Iterator[Frame]:
    """Frames of an Arrow IPC stream or file. Null is an absent key."""
    try:
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        first_row = 0
        for batch in _arrow_batches(file, is_file):
            # Offsets and indices come from the sender; followed as they are, they may lead anywhere in memory.
            batch.validate(full=True)
            yield _frame(pa.table(batch), time_column, time_format, first_row)
            first_row += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid Arrow data", _reason(error)) from None


def _arrow_batches(file: IO[bytes], is_file: bool) -> Iterator[pa.RecordBatch]:
    if is_file:
        opened = pa.ipc.open_file(file)
        for index in range(opened.num_record_batches):
            yield opened.get_batch(index)
    else:
        yield from pa.ipc.open_stream(file)


def read_ndjson(file: IO[bytes]) -> Iterator[Frame]:
    """Frames of NDJSON, each line `{"timestamp":…,"values":{…}}` or flat `{"timestamp":…,"key":…}`.

    Flat is what `live` and downloads give; the first line with more than a timestamp decides for all.
    """
    first_row = 0
    nested: bool | None = None
    while block := file.read(_BLOCK):
        block += file.readline()
        lines = [line for line in block.split(b"\n") if line.strip()]
        if not lines:
            continue
        if nested is None:
            nested = _is_nested(lines)
        if not nested:
            lines = [_nest(line, first_row + index) for index, line in enumerate(lines)]
        frame, _ = json_rows.decode(b'{"rows":[' + b",".join(lines) + b"]}", first_row)
        first_row += len(lines)
        yield frame


def _is_nested(lines: list[bytes]) -> bool | None:
    """Whether rows have their keys in `values`; None where none of these has any."""
    for line in lines:
        try:
            row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return True
        if set(row) - {"timestamp"}:
            return set(row) <= {"timestamp", "values"} and bytes(row["values"])[:1] == b"{"
    return None


def _nest(line: bytes, number: int) -> bytes:
    try:
        row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RowError(number, None, str(error)) from None
    except RecursionError:
        raise RowError(number, None, TOO_DEEP) from None
    stamp = row.pop("timestamp", None)
    if stamp is None:
        raise RowError(number, "timestamp", "missing")
    row = {from_flat_key(key): value for key, value in row.items()}
    return b'{"timestamp":' + bytes(stamp) + b',"values":' + msgspec.json.encode(row) + b"}"


def _time_name(names: list[str]) -> str | None:
    lowered = {name.strip().lower(): name for name in reversed(names)}
    return next((lowered[name] for name in TIME_NAMES if name in lowered), None)


def _frame(table: pa.Table, time_column: str | None, time_format: str | None, first_row: int) -> Frame:
    repeated = next((name for name, times in Counter(table.column_names).items() if times > 1), None)
    if repeated is not None:
        raise BadRequestError("Invalid columns", f"column {repeated!r} appears twice")
    name = time_column or _time_name(table.column_names)
    if name is None or name not in table.column_names:
        wanted = f"no column {name!r}" if name else "no timestamp column; name it with timestamp_column"
        raise BadRequestError("Missing timestamp column", wanted)
    stamps = table.column(name).combine_chunks()
    if stamps.null_count:
        row = pc.index(pc.is_null(stamps), True).as_py()
        raise RowError(first_row + row, name, "missing timestamp")
    ts = _times(stamps, name, time_format, first_row)
    columns = {}
    for key in table.column_names:
        if key != name:
            columns[from_flat_key(key)] = _values(table.column(key).combine_chunks(), key, first_row)
    return Frame(ts, columns)


def _times(stamps: pa.Array, name: str, time_format: str | None, first_row: int) -> pa.Array:
    if pa.types.is_dictionary(stamps.type):
        stamps = stamps.dictionary_decode()
    if pa.types.is_timestamp(stamps.type) or pa.types.is_date(stamps.type):
        try:
            micros = stamps.cast(pa.timestamp("us", getattr(stamps.type, "tz", None))).cast(pa.int64())
        except pa.ArrowException:
            raise BadRequestError("Invalid timestamps", f"{name}: finer than a microsecond or out of range") from None
        bounds = pc.min_max(micros).as_py()
        if len(micros) and not (bounds["min"] >= MIN_MICROS and bounds["max"] <= MAX_MICROS):
            raise BadRequestError("Invalid timestamps", f"{name}: outside the years 1 to 9999")
        return micros.cast(TIMESTAMP)
    if not (pa.types.is_string(stamps.type) or pa.types.is_large_string(stamps.type)):
        raise BadRequestError("Invalid timestamps", f"{name}: {stamps.type} is not a timestamp; use ISO 8601 text")
    texts = stamps.cast(pa.string())
    if time_format is None and (found := plain_timestamps(texts)) is not None:
        return found
    for layout in [time_format] if time_format else PLAIN_FORMATS:
        if time_format is None and pc.strptime(texts[:1], format=layout, unit="us", error_is_null=True).null_count:
            continue
        parsed = pc.strptime(texts, format=layout, unit="us", error_is_null=True)
        if not parsed.null_count:
            return parsed.cast(pa.int64()).cast(TIMESTAMP)
        if time_format:
            row = pc.index(pc.is_null(parsed), True).as_py()
            raise RowError(first_row + row, name, f"{texts[row].as_py()[:64]!r} does not match {time_format!r}")
    return timestamps(texts, first_row, name)


def _values(array: pa.Array, name: str, first_row: int) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _values(array.dictionary_decode(), name, first_row)
    if pa.types.is_null(kind):
        return array.cast(pa.int64())
    if pa.types.is_boolean(kind):
        return array
    if pa.types.is_integer(kind):
        try:
            return array.cast(pa.int64())
        except pa.ArrowException:
            raise BadRequestError("Invalid values", f"{name}: an unsigned integer is past 64 bits signed") from None
    if pa.types.is_floating(kind):
        return _finite(array.cast(pa.float64()), name, first_row)
    if pa.types.is_decimal(kind):
        return _decimal(array, name)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if pc.any(pc.match_substring(array, "\0"), min_count=0).as_py():
            raise BadRequestError("Invalid values", f"{name}: text with a NUL character")
        return array.cast(pa.string())
    if pa.types.is_temporal(kind):
        return array.cast(pa.string())
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return nested_to_json(array)
    raise BadRequestError("Invalid values", f"{name}: Arrow type {kind} is not supported")


def _finite(array: pa.Array, name: str, first_row: int) -> pa.Array:
    if not pc.all(pc.is_finite(array), min_count=0).as_py():
        row = pc.index(pc.is_finite(array), False).as_py()
        raise RowError(first_row + row, name, "NaN and Infinity are refused; leave the value out instead")
    return array


def _decimal(array: pa.Array, name: str) -> pa.Array:
    if array.type.scale <= 0:
        try:
            return array.cast(pa.int64())
        except pa.ArrowException:
            pass
    floats = array.cast(pa.float64())
    if pc.max(pc.abs(floats)).as_py() is not None and pc.max(pc.abs(floats)).as_py() >= EXACT_FLOAT:
        raise BadRequestError("Invalid values", f"{name}: a decimal is too large to be exact as a float")
    return floats


def _reason(error: Exception) -> str:
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).split("\n", 1)[0][:300]
