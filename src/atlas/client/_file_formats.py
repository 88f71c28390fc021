"""Converts files to the bodies of bulk inserts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from atlas.client._batching import BATCH_BYTES, BATCH_ROWS, Batch, row_batches
from atlas.client.errors import DataError

CONTENT_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".pq": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.stream",
    ".arrows": "application/vnd.apache.arrow.stream",
    ".ipc": "application/vnd.apache.arrow.stream",
    ".feather": "application/vnd.apache.arrow.stream",
    ".json": "application/json",
}
ENCODINGS = {".gz": "gzip", ".zst": "zstd"}


def file_batches(path: Path, time_column: str | None, batch_rows: int | None) -> Iterator[Batch]:
    """Yields a file as one batch, or as several batches with `batch_rows`. Each batch is one transaction.

    Raises DataError: when the kind of file is unknown, or the file cannot be read or split.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    encoding = ENCODINGS.get(suffixes.pop()) if suffixes and suffixes[-1] in ENCODINGS else None
    kind = suffixes[-1] if suffixes else ""
    content_type = CONTENT_TYPES.get(kind)
    if content_type is None:
        raise DataError("Unknown kind of file", f"{path.name}: one of {', '.join(CONTENT_TYPES)}, also .gz and .zst")
    if kind == ".json":
        yield from row_batches(_json_rows(path, encoding), time_column, batch_rows or BATCH_ROWS)
    elif batch_rows is None:
        yield Batch(path, content_type, None, time_column, encoding)
    elif kind in (".csv", ".ndjson", ".jsonl"):
        with _opened(path, encoding) as file:
            header = file.readline() if kind == ".csv" else b""
            for text, rows in _pieces(file, batch_rows, quoted=kind == ".csv"):
                yield Batch(header.rstrip(b"\r\n") + b"\n" + text if header else text, content_type, rows, time_column)
    else:
        from atlas.client._dataframes import arrow_batches, file_reader

        with _opened(path, encoding) as file:
            yield from arrow_batches(file_reader(file, content_type), time_column, batch_rows)


def _opened(path: Path, encoding: str | None) -> IO[bytes]:
    if encoding == "zstd":
        raise DataError("Cannot be cut into batches", f"{path.name}: decompress it, or leave out batch_rows")
    return cast(IO[bytes], gzip.open(path)) if encoding == "gzip" else path.open("rb")


def _pieces(file: IO[bytes], batch_rows: int, *, quoted: bool) -> Iterator[tuple[bytes, int]]:
    """Yields runs of whole records. A line break between quotes is part of its record."""
    piece: list[bytes] = []
    rows = size = 0
    open_quote = False
    for line in file:
        piece.append(line)
        size += len(line)
        if quoted and line.count(b'"') % 2:
            open_quote = not open_quote
        if open_quote:
            continue
        rows += bool(line.strip())
        if rows >= batch_rows or size >= BATCH_BYTES:
            yield b"".join(piece), rows
            piece, rows, size = [], 0, 0
    if rows or open_quote:
        yield b"".join(piece), rows


def _json_rows(path: Path, encoding: str | None) -> list[Any]:
    with _opened(path, encoding) as file:
        try:
            found = json.load(file)
        except ValueError as error:
            raise DataError("Invalid JSON", f"{path.name}: {error}") from None
    rows = found.get("rows") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise DataError("Invalid JSON", f'{path.name}: neither an array of rows nor {{"rows": […]}}')
    return rows
