"""Decodes Parquet and Arrow bodies to frames, and tables of any origin to frames."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atlas.errors import BadRequestError, RowError
from atlas.kit.field_metadata import parse_field_metadata
from atlas.kit.timestamps import NAME_UNIT, NO_UNIT
from atlas.timeseries.formats import from_flat_key
from atlas.timeseries.frames import Frame, join_members, raw_members
from atlas.timeseries.ingest.arrow_values import decode_array, is_text, numbers_of, unsupported, values_of
from atlas.timeseries.ingest.timestamp_columns import TimeTexts, epoch_numbers, epoch_unit, moments

# Names of a timestamp column when the request names none, most likely first.
TIME_NAMES = ("timestamp", "ts", "time", "datetime", "date")
_ARROW_MAGIC = b"ARROW1"
_PARQUET_MAGIC = b"PAR1"
_EXTENSION = b"ARROW:extension:name"
_BLOCK = 1024 * 1024
# Number of names in an error, and characters of each name.
_SHOWN_NAMES, _SHOWN_NAME = 10, 60
_TWO_FILES = "there are two files, one behind the other; send them one by one"


def read_parquet(file: IO[bytes], time_column: str | None, time_format: str | None) -> Iterator[Frame]:
    """Yields the frames of a Parquet file. Null is an absent key.

    Raises BadRequestError: when the file cannot be read.
    """
    clock = TimeColumn(time_column, time_format)
    try:
        parquet = pq.ParquetFile(file)
        _refuse_two(file, parquet.metadata)
        first_row = 0
        for batch in parquet.iter_batches(batch_size=65536):
            batch.validate(full=True)
            yield frame_of(pa.table(batch), clock, first_row)
            first_row += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid Parquet", reason_of(error)) from None


def _refuse_two(file: IO[bytes], metadata: pq.FileMetaData) -> None:
    """Checks that a body is a single file. The last footer of two concatenated files refers to the rows of the first
    file.

    Raises BadRequestError: when the body has two files.
    """
    end = 4
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        for at in range(group.num_columns):
            chunk = group.column(at)
            start = min(chunk.data_page_offset, chunk.dictionary_page_offset or chunk.data_page_offset)
            end = max(end, start + chunk.total_compressed_size)
    # Between the rows and the footer lie indexes, which are small, or a whole second file.
    if _has_end(file, _PARQUET_MAGIC, end, _size(file) - metadata.serialized_size - 8):
        raise BadRequestError("Invalid Parquet", _TWO_FILES)


def _has_end(file: IO[bytes], magic: bytes, start: int, end: int) -> bool:
    """Checks whether a file ends between two positions: with the length of a footer, unlike a text, and a
    magic number.
    """
    place, before = file.tell(), b""
    file.seek(start)
    try:
        while start < end and (block := file.read(min(_BLOCK, end - start))):
            text, at = before + block, -1
            first = start - len(before)
            while (at := text.find(magic, at + 1)) >= 0:
                footer = int.from_bytes(text[max(0, at - 4) : at], "little")
                if at >= 4 and 0 < footer <= first + at - 4:
                    return True
            before, start = text[-len(magic) - 3 :], start + len(block)
        return False
    finally:
        file.seek(place)


def _size(file: IO[bytes]) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def read_arrow(file: IO[bytes], time_column: str | None, time_format: str | None) -> Iterator[Frame]:
    """Yields the frames of concatenated Arrow IPC streams, or of an IPC file. Null is an absent key.

    Raises BadRequestError: when the body cannot be read.
    """
    clock = TimeColumn(time_column, time_format)
    try:
        first_row = 0
        for batch in _arrow_batches(file):
            # Offsets and indices come from the sender. Without validation they may point anywhere in memory.
            batch.validate(full=True)
            yield frame_of(pa.table(batch), clock, first_row)
            first_row += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid Arrow data", reason_of(error)) from None


def _arrow_batches(file: IO[bytes]) -> Iterator[pa.RecordBatch]:
    is_file = file.read(6) == _ARROW_MAGIC
    file.seek(0)
    size = _size(file)
    if is_file:
        opened = pa.ipc.open_file(file)
        # The footer of a second file refers to the rows of the first file.
        if _has_end(file, _ARROW_MAGIC, len(_ARROW_MAGIC), size - len(_ARROW_MAGIC)):
            raise BadRequestError("Invalid Arrow data", _TWO_FILES)
        for index in range(opened.num_record_batches):
            yield opened.get_batch(index)
        return
    yield from pa.ipc.open_stream(file)
    # The end of a stream is not the end of the body.
    while (end := file.tell()) < size:
        try:
            following = pa.ipc.open_stream(file)
        except pa.ArrowException:
            reason = f"the {size - end} bytes behind the end of a stream are no stream"
            raise BadRequestError("Invalid Arrow data", reason) from None
        yield from following


def _describe_columns(names: Sequence[str]) -> str:
    """Describes the columns of a body, and the likely reason for a single column."""
    if not names:
        return "the body has no columns"
    shown = ", ".join(repr(name[:_SHOWN_NAME]) for name in names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    other = len(names) == 1 and any(delimiter in names[0] for delimiter in ";\t|")
    why = ", since only commas separate the cells of a CSV" if other else ""
    return f"there {'is only' if len(names) == 1 else 'are'} {shown}{more}{why}"


class TimeColumn:
    """The column with a body's timestamps: the column that the request names, else one of TIME_NAMES.

    - guess: texts may have a format that the request does not name.
    - guessed: that format.
    """

    def __init__(self, name: str | None, layout: str | None, *, guess: bool = False) -> None:
        self._name = name
        self._layout = layout
        self._guess = guess
        self._texts: TimeTexts | None = None

    @property
    def guessed(self) -> str | None:
        return self._texts.guessed if self._texts else None

    def find(self, names: Sequence[str]) -> str:
        """Returns the name of the column.

        Raises BadRequestError: when the body has no such column.
        """
        name = self._name or next(iter(time_names(names)), None)
        if name is None or name not in names:
            wanted = f"no column {name!r}" if name else "no timestamp column; name it with timestamp_column"
            raise BadRequestError("Missing timestamp column", f"{wanted}; {_describe_columns(names)}")
        return name

    def read(self, stamps: pa.Array, name: str, first_row: int) -> pa.Array:
        """Converts the column to timestamp[us, UTC].

        Raises RowError: when a value is no timestamp.
        Raises BadRequestError: when the column's type is no type of timestamps.
        """
        stamps = decode_array(stamps)
        if stamps.null_count:
            row = pc.index(pc.is_null(stamps), True).as_py()
            raise RowError(first_row + row, name, "missing timestamp")
        if pa.types.is_timestamp(stamps.type) or pa.types.is_date(stamps.type):
            return moments(stamps, name, first_row)
        unit = epoch_unit(self._layout)
        if unit is not None and not is_text(stamps.type):
            return epoch_numbers(stamps, unit, first_row, name)
        if not is_text(stamps.type):
            how = f"{NO_UNIT}; {NAME_UNIT}" if pa.types.is_integer(stamps.type) else "use ISO 8601 text"
            raise BadRequestError("Invalid timestamps", f"{name}: {stamps.type} is not a timestamp; {how}")
        if self._texts is None:
            self._texts = TimeTexts(name, self._layout, guess=self._guess)
        return self._texts.read(stamps.cast(pa.string()), first_row)


def time_names(names: Sequence[str]) -> list[str]:
    """Lists the columns that may have the timestamps, most likely first."""
    lowered = {name.strip().lower(): name for name in reversed(names)}
    return [lowered[name] for name in TIME_NAMES if name in lowered]


def frame_of(table: pa.Table, clock: TimeColumn, first_row: int, numbers: Mapping[str, bool] | None = None) -> Frame:
    """Converts the rows of a table to a frame.

    `numbers` are the names of text columns to read as numbers, and whether the numbers are floats.

    Raises RowError: when a row is invalid.
    Raises BadRequestError: when a column is invalid.
    """
    repeated = next((name for name, times in Counter(table.column_names).items() if times > 1), None)
    if repeated is not None:
        raise BadRequestError("Invalid columns", f"column {repeated!r} appears twice")
    name = clock.find(table.column_names)
    ts = clock.read(table.column(name).combine_chunks(), name, first_row)
    columns, extra, notes = {}, dict[str, pa.Array](), dict[str, tuple[str, str]]()
    for label in table.column_names:
        if label == name:
            continue
        if (extension := (table.field(label).metadata or {}).get(_EXTENSION)) is not None:
            # Only the extension type gives the stored values their meaning, such as a number for a month.
            raise unsupported(label, f"extension<{extension.decode('utf-8', 'replace')}>")
        key, cells = from_flat_key(label), table.column(label).combine_chunks()
        if any(note := parse_field_metadata(table.field(label).metadata)):
            notes[key] = note
        if numbers and label in numbers:
            found = numbers_of(cells, label, first_row, as_float=numbers[label])
        else:
            found = values_of(cells, label, first_row)
        if found.values is not None:
            columns[key] = found.values
        if found.rest is not None:
            extra[key] = found.rest
    if not extra:
        return Frame(ts, columns, notes=notes)
    joined = join_members([raw_members(key, pl.Series(texts)) for key, texts in extra.items()])
    return Frame(ts, columns, joined.to_arrow().cast(pa.string()), frozenset(extra), notes)


def reason_of(error: Exception) -> str:
    """Returns a library's error on a body in one line."""
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).split("\n", 1)[0][:300]
