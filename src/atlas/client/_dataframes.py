"""Converts Arrow, pandas and polars data to bodies of inserts, and answers to such data. Libraries are imported when
needed.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from atlas.client._batching import BATCH_BYTES, BATCH_ROWS, Batch, row_batches
from atlas.client.errors import DataError, MissingExtra

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

ARROW_STREAM = "application/vnd.apache.arrow.stream"
# Requirements of each optional library, like the extras of the package.
EXTRAS = {
    "pyarrow": ("pyarrow>=21",),
    "pandas": ("pandas>=2.2", "pyarrow>=21"),
    "polars": ("polars>=1.35", "pyarrow>=21"),
}


def library(name: str) -> Any:
    """Imports an optional library.

    Raises MissingExtra: when the library is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        wanted = " ".join(f"'{one}'" for one in EXTRAS[name])
        raise MissingExtra(f"{name} is not installed", f"pip install {wanted}") from None


def frame_batches(data: Any, time_column: str | None, batch_rows: int | None) -> Iterator[Batch]:
    """Yields batches of a pandas or polars data frame, or of any object that is or makes an Arrow stream.

    Raises DataError: when the object is no table.
    """
    pa = library("pyarrow")
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        yield from _pandas_batches(pa, data, time_column, batch_rows)
        return
    if module == "polars":
        frame = data.collect() if hasattr(data, "collect") else data
        if not hasattr(frame, "iter_rows"):
            raise DataError("Invalid data", "a polars Series is no table")
        data = frame.to_arrow(compat_level=library("polars").CompatLevel.oldest())
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    reader = data if isinstance(data, pa.RecordBatchReader) else _reader(pa, data)
    yield from arrow_batches(reader, time_column, batch_rows)


def _reader(pa: Any, data: Any) -> Any:
    if isinstance(data, pa.Table):
        return data.to_reader()
    try:
        return pa.RecordBatchReader.from_stream(data)
    except (TypeError, pa.ArrowException) as error:
        raise DataError("Invalid data", f"{type(data).__name__} is no Arrow table: {error}") from None


def _pandas_batches(pa: Any, frame: Any, time_column: str | None, batch_rows: int | None) -> Iterator[Batch]:
    pandas = library("pandas")
    if not isinstance(frame, pandas.DataFrame):
        raise DataError("Invalid data", f"a pandas {type(frame).__name__} is no table")
    if isinstance(frame.index, pandas.DatetimeIndex) and (time_column is None or time_column == frame.index.name):
        time_column = str(frame.index.name or "timestamp")
        if time_column in frame.columns:
            raise DataError("Invalid data", f"{time_column!r} is both the index and a column; give timestamp_column")
        frame = frame.reset_index(names=time_column)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, OverflowError):
        # JSON has room for a column of several types, or of integers past 64 bits.
        yield from row_batches(_records(pandas, frame), time_column, batch_rows or BATCH_ROWS)
        return
    yield from arrow_batches(table.to_reader(), time_column, batch_rows)


def _records(pandas: Any, frame: Any) -> Iterator[dict[str, Any]]:
    """Yields rows without their missing values."""
    labels = [str(label) for label in frame.columns]
    for row in frame.itertuples(index=False, name=None):
        cells = zip(labels, row, strict=True)
        yield {name: cell for name, cell in cells if not (pandas.api.types.is_scalar(cell) and pandas.isna(cell))}


def arrow_batches(reader: Any, time_column: str | None, batch_rows: int | None) -> Iterator[Batch]:
    """Yields Arrow streams of about `batch_rows` rows, or fewer when rows are wide."""
    pa = library("pyarrow")
    most = batch_rows or BATCH_ROWS
    waiting: list[Any] = []
    rows = size = 0
    for batch in reader:
        wide = max(1, batch.nbytes // max(1, batch.num_rows))
        step = max(1, min(most, BATCH_BYTES // wide))
        for start in range(0, batch.num_rows, step):
            piece = batch.slice(start, step)
            if waiting and (rows + piece.num_rows > most or size + piece.num_rows * wide > BATCH_BYTES):
                yield _arrow_batch(pa, waiting, rows, time_column)
                waiting, rows, size = [], 0, 0
            waiting.append(piece)
            rows += piece.num_rows
            size += piece.num_rows * wide
    if waiting:
        yield _arrow_batch(pa, waiting, rows, time_column)


def _arrow_batch(pa: Any, pieces: Iterable[Any], rows: int, time_column: str | None) -> Batch:
    table = pa.Table.from_batches(pieces).combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Batch(sink.getvalue(), ARROW_STREAM, rows, time_column)


def file_reader(file: IO[bytes], content_type: str) -> Any:
    """Reads the record batches of a Parquet or Arrow file.

    Raises DataError: when the file cannot be read.
    """
    pa = library("pyarrow")
    try:
        if content_type != ARROW_STREAM:
            return importlib.import_module("pyarrow.parquet").ParquetFile(file).iter_batches()
        start = file.read(6)
        file.seek(0)
        if start != b"ARROW1":
            return pa.ipc.open_stream(file)
        stored = pa.ipc.open_file(file)
        return (stored.get_batch(number) for number in range(stored.num_record_batches))
    except pa.ArrowException as error:
        raise DataError("Invalid file", str(error)) from None


def to_arrow(content: bytes) -> pa.Table:
    """Reads the table of an Arrow IPC stream.

    Raises DataError: when the content is no Arrow stream.
    """
    pa = library("pyarrow")
    try:
        return pa.ipc.open_stream(content).read_all()
    except pa.ArrowException as error:
        raise DataError("Unexpected answer", f"no Arrow stream: {error}") from None


def to_polars(table: pa.Table) -> pl.DataFrame:
    """Converts an Arrow table to a polars data frame."""
    frame: pl.DataFrame = library("polars").from_arrow(table)
    return frame


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Converts an Arrow table to a pandas data frame. Integers and booleans get nullable types, so that nulls cost no
    digits.
    """
    pandas, pa = library("pandas"), library("pyarrow")
    types = {pa.int64(): pandas.Int64Dtype(), pa.bool_(): pandas.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame
