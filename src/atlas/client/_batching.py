"""Converts data of many kinds to the bodies of bulk inserts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from atlas.client._requests import SLOW_SECONDS, Call, query
from atlas.client.errors import DataError
from atlas.client.types import Row, moment

ROWS = "/api/rows/"
# Most rows and bytes of a batch, well below the server's limits.
BATCH_ROWS = 50_000
BATCH_BYTES = 32 * 1024 * 1024
# Names of a timestamp column when none is given, most likely first. The server has the same list.
TIME_NAMES = ("timestamp", "ts", "time", "datetime", "date")
ROW = {"timestamp", "values", "dataset"}
_CLASHING = re.compile(r"(values\.)*timestamp")


@dataclass(frozen=True, slots=True)
class Batch:
    """The body of one insert. rows: number of rows, or None when only the server counts them."""

    content: bytes | Path
    content_type: str
    rows: int | None
    time_column: str | None = None
    encoding: str | None = None


def from_flat_key(label: str) -> str:
    """Returns the key of a column in a flat row. A key `timestamp` is written `values.timestamp` beside the
    row's own.
    """
    return label.removeprefix("values.") if _CLASHING.fullmatch(label) else label


def batches(data: Any, time_column: str | None, batch_rows: int | None) -> Iterator[Batch]:
    """Yields batches of `data`: a path, a data frame, an Arrow table or reader, or rows.

    Raises DataError: when the data has another type.
    """
    if batch_rows is not None and batch_rows < 1:
        raise DataError("Invalid parameter", "batch_rows: at least 1")
    if isinstance(data, str | PathLike):
        from atlas.client._file_formats import file_batches

        return file_batches(Path(data), time_column, batch_rows)
    if _is_frame(data):
        from atlas.client._dataframes import frame_batches

        return frame_batches(data, time_column, batch_rows)
    if isinstance(data, Mapping):
        data = [data]
    if not isinstance(data, Iterable):
        raise DataError("Invalid data", f"{type(data).__name__} is neither rows, a data frame, Arrow nor a path")
    return row_batches(data, time_column, batch_rows or BATCH_ROWS)


def _is_frame(data: Any) -> bool:
    """Checks for a data frame by the type's names, so that no library is imported."""
    module = type(data).__module__.partition(".")[0]
    return module in ("pandas", "polars", "pyarrow") or hasattr(data, "__arrow_c_stream__")


def row_batches(rows: Iterable[Any], time_column: str | None, batch_rows: int) -> Iterator[Batch]:
    """Yields JSON bodies of rows; see `row_text`."""
    texts: list[str] = []
    size = 0
    for number, row in enumerate(rows):
        text = row_text(row, time_column, number)
        texts.append(text)
        size += len(text)
        if len(texts) >= batch_rows or size >= BATCH_BYTES:
            yield _json_batch(texts)
            texts, size = [], 0
    if texts:
        yield _json_batch(texts)


def _json_batch(texts: list[str]) -> Batch:
    return Batch(f'{{"rows":[{",".join(texts)}]}}'.encode(), "application/json", len(texts))


def row_text(row: Any, time_column: str | None, number: int = 0) -> str:
    """Encodes a row as JSON. A row is `{"timestamp", "values"}`, a flat mapping, a Row, or (timestamp, values).

    Raises DataError: when the row cannot be encoded.
    """
    stamp, values = _parts(row, time_column, number)
    try:
        members = {"timestamp": _stamp(stamp), "values": values}
        return json.dumps(members, default=plain, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError("Invalid row data", f"rows[{number}]: {error}") from None


def _parts(row: Any, time_column: str | None, number: int) -> tuple[Any, Mapping[str, Any]]:
    if isinstance(row, Row):
        return row.timestamp, row.values
    if isinstance(row, tuple) and len(row) == 2 and isinstance(row[1], Mapping):
        return row
    if not isinstance(row, Mapping):
        raise DataError("Invalid row data", f"rows[{number}]: {type(row).__name__} is no row")
    if isinstance(row.get("values"), Mapping) and row.keys() <= ROW and "timestamp" in row:
        return row["timestamp"], row["values"]
    name = time_column or next((known for known in TIME_NAMES if known in row), None)
    if name is None or name not in row:
        raise DataError(
            "Invalid row data", f"rows[{number}]: no {name or 'timestamp'}; it has {', '.join(map(str, row))}"
        )
    return row[name], {from_flat_key(str(key)): value for key, value in row.items() if key != name}


def _stamp(value: Any) -> Any:
    # numpy's datetimes print as ISO 8601. A date means its midnight.
    return str(value) if type(value).__module__ == "numpy" else value


def plain(value: Any) -> Any:
    """Converts a value without a JSON form to one with a JSON form.

    Raises TypeError: when there is no conversion.
    """
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return [*value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a value of type {type(value).__name__} cannot be written as JSON")


def batch_call(
    batch: Batch, what: Literal["bulk_insert", "preview"], params: Mapping[str, Any], headers: Mapping[str, str]
) -> Call:
    """Builds the request that sends a batch. Of the query's `params`, some are for other bodies than JSON only."""
    sent_params = query(**params, timestamp_column=batch.time_column)
    if batch.content_type == "application/json":
        sent_params = query(**{name: params.get(name) for name in ("dataset", "epoch", "on_conflict")})
    sent = {**headers, "Content-Type": batch.content_type}
    if batch.encoding is not None:
        sent["Content-Encoding"] = batch.encoding
    return Call("POST", f"{ROWS}{what}/", sent_params, body=batch.content, headers=sent, timeout=SLOW_SECONDS)


def flat_rows(content: bytes) -> tuple[Row, ...]:
    """Reads rows of NDJSON whose keys stand beside the timestamp."""
    found = []
    for line in content.splitlines():
        flat = json.loads(line)
        stamp = moment(flat.pop("timestamp"))
        assert stamp is not None
        found.append(Row(stamp, {from_flat_key(name): value for name, value in flat.items()}))
    return tuple(found)
