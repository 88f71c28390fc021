"""Opens any file that can be imported as a source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atlas.errors import BadRequestError
from atlas.imports.files.csv import read_delimited
from atlas.imports.files.csv_dialects import shown_delimiter
from atlas.imports.files.excel import read_excel
from atlas.imports.files.json import read_json
from atlas.imports.files.sniffing import FileKind, Upload
from atlas.imports.files.source import MAX_COLUMNS, ReadOptions, Source, physical
from atlas.imports.files.text import to_utf8
from atlas.imports.files.xml import read_xml
from atlas.kit.durations import duration_texts
from atlas.kit.field_metadata import parse_field_metadata
from atlas.kit.plurals import many
from atlas.tables.model import FileFormat
from atlas.timeseries.frames import nested_to_json

_BATCH_ROWS = 65_536


def read_file(upload: Upload, folder: Path, options: ReadOptions | None = None) -> Source:
    """Opens an uploaded file.

    folder: where unpacked and decoded files are written.
    Raises BadRequestError: when the file cannot be read.
    """
    options = options or ReadOptions()
    _refuse_options(upload, options)
    if upload.kind is FileKind.EXCEL:
        return read_excel(upload.path, upload.name, options)
    if upload.kind is FileKind.PARQUET:
        return read_parquet(upload.path, upload.name)
    if upload.kind is FileKind.XML:
        # The parser reads the encoding from the document itself.
        return read_xml(upload.path, upload.name)
    text = to_utf8(upload.path, folder / "text", stated=options.encoding, before=options.before.encoding)
    if upload.kind is FileKind.JSON:
        source = read_json(text.path, upload.name, folder)
    else:
        source = read_delimited(text.path, upload.name, options, folder=folder)
        source.written = FileFormat(text.encoding, source.written.delimiter)
        source.notes += _contradictions(source.written, options)
    source.notes += text.notes
    return source


def _contradictions(found: FileFormat, options: ReadOptions) -> list[str]:
    """Writes notes if a text file has another encoding or delimiter than the table's last file."""
    told, before = [], options.before
    if None not in (before.encoding, found.encoding) and before.encoding != found.encoding:
        told.append(f"the file is in {found.encoding}, the last file of the table was in {before.encoding}")
    if None not in (before.delimiter, found.delimiter) and before.delimiter != found.delimiter:
        between = f"{shown_delimiter(found.delimiter)} between cells"
        told.append(f"the file has {between}, the last file of the table had {shown_delimiter(before.delimiter)}")
    return told


def _refuse_options(upload: Upload, options: ReadOptions) -> None:
    """Refuses options for parts that a file of this format does not have.

    Raises BadRequestError: for such an option.
    """
    if options.sheet is not None and upload.kind is not FileKind.EXCEL:
        reason = (
            f"sheet {options.sheet!r} is asked for, but {upload.name} is {upload.kind.upper()}, which has no sheets"
        )
        raise BadRequestError("Instruction is unclear", reason)
    if options.encoding is not None and upload.kind not in (FileKind.CSV, FileKind.JSON):
        reason = f"an encoding is spoken of, but {upload.name} is {upload.kind.upper()}, which says its own"
        raise BadRequestError("Instruction is unclear", reason)
    if options.delimiter is not None and upload.kind is not FileKind.CSV:
        reason = f"a delimiter is spoken of, but {upload.name} is {upload.kind.upper()}, which has none"
        raise BadRequestError("Instruction is unclear", reason)
    if options.speaks_of_rows and upload.kind not in (FileKind.EXCEL, FileKind.CSV):
        reason = f"a header row is spoken of, but {upload.name} is {upload.kind.upper()}, which has none"
        raise BadRequestError("Instruction is unclear", reason)


def read_parquet(path: Path, name: str) -> Source:
    """Opens a Parquet file. Nested values become JSON.

    Raises BadRequestError: when the file cannot be read or has too many columns.
    """
    try:
        # INT96 is read in nanoseconds by default, which cannot hold the year 9999.
        file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
        schema = file.schema_arrow
        names = schema.names
        legacy = any(file.schema.column(n).physical_type == "INT96" for n in range(len(file.schema.names)))
        fine = pq.ParquetFile(path) if legacy else None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _refused(name, error) from None
    if len(schema) > MAX_COLUMNS:
        reason = f"{name}: the file has {len(schema):,} columns; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    source = Source(names, [_native(field.type) for field in schema], iter(()), declares_texts=True)
    source.batches = _parquet_batches(file, fine, name, source.notes)
    for field in schema:
        if _is_bytes(field.type):
            source.notes.append(f"{field.name} has bytes, which are stored as text in hexadecimal digits")
    for position, (unit, description) in enumerate(parse_field_metadata(field.metadata) for field in schema):
        source.units |= {position: unit} if unit else {}
        source.descriptions |= {position: description} if description else {}
    return source


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _native(kind: pa.DataType) -> str | None:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if pa.types.is_nested(kind):
        return "json"
    return "text"


def _parquet_batches(
    file: pq.ParquetFile, fine: pq.ParquetFile | None, name: str, notes: list[str]
) -> Iterator[pa.Table]:
    """Yields batches of texts.

    fine: the same file with INT96 in nanoseconds, if the file has INT96, else None.
    notes: gets a note on NaN, which is stored as no value.
    """
    nans = 0
    exact = fine.iter_batches(batch_size=_BATCH_ROWS) if fine is not None else itertools.repeat(None)
    try:
        for batch, finer in zip(file.iter_batches(batch_size=_BATCH_ROWS), exact, strict=False):
            batch.validate(full=True)
            floats = [column for column in batch.columns if pa.types.is_floating(column.type)]
            nans += sum(pc.sum(pc.is_nan(column)).as_py() or 0 for column in floats)
            columns = [
                _texts(column if finer is None else _finest(column, finer.column(position)))
                for position, column in enumerate(batch.columns)
            ]
            yield pa.table({physical(n): column for n, column in enumerate(columns)})
        if nans:
            notes.append(f"NaN in {many(nans, 'value')} stored as no value")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _refused(name, error) from None


def _finest(column: pa.Array, finer: pa.Array) -> pa.Array:
    """Formats times with nanoseconds, or with microseconds for times outside the range of nanoseconds."""
    if finer.type == column.type or not pa.types.is_timestamp(column.type):
        return column
    same = pc.equal(finer.cast(column.type, safe=False), column)
    return pc.if_else(same, finer.cast(pa.string()), column.cast(pa.string()))


def _refused(name: str, error: Exception) -> BadRequestError:
    reason = "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).split("\n", 1)[0][:200]
    return BadRequestError("Invalid file", f"{name}: {reason}")


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_nested(kind):
        return nested_to_json(column)
    if pa.types.is_floating(kind):
        # Whole floats are written as 1.0 elsewhere as well. NaN is a missing value in most writers.
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_duration(kind):
        return duration_texts(column)
    if _is_bytes(kind):
        column = pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())
    return column.cast(pa.string())
