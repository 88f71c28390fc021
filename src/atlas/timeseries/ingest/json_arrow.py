"""Decodes JSON rows to frames with Arrow.

Arrow alone decodes the common case: a body, or a piece of a body, is one record with a list of structs in `rows`. No
row becomes a Python object. Some values would change in Arrow: a text that looks like a date, an integer that only fits
a float, null beside absent keys. Others have no type: mixed types and nested values. Such bodies are detected and
decoded again by `json_exact`, which is slower and keeps every value.
"""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from atlas.timeseries.columns import EXACT_FLOAT
from atlas.timeseries.frames import Frame, join_members, members
from atlas.timeseries.ingest import json_exact, json_small
from atlas.timeseries.ingest.json_positions import refuse_deep
from atlas.timeseries.ingest.number_texts import LEAST_NORMAL, has_tiny_numbers, loses_digits
from atlas.timeseries.ingest.timestamp_columns import epoch_numbers, timestamps

_ROW_KEYS = {"timestamp", "values"}
# Arrow 26 crashes on a record that is null. Within one object, null never follows a closing brace.
_ROOT_NULL = re.compile(rb"\}\s*null")


class _NeedsExactError(Exception):
    """Arrow cannot return these rows unchanged."""


def decode(body: bytes, first_row: int = 0, unit: str | None = None) -> tuple[Frame, object]:
    """Decodes `{"dataset":…,"rows":[…]}` to the rows and the dataset member, or None without that member.

    `first_row` is the number of the first row in errors. `unit` is the unit of numeric timestamps.

    Raises RowError: when a row is invalid.
    Raises BadRequestError: when the body is invalid.
    """
    refuse_deep(body, first_row)
    if unit is None and (small := json_small.decode(body)) is not None:
        return small
    try:
        return _decode_fast(body, first_row, unit)
    except (_NeedsExactError, pa.ArrowException, UnicodeDecodeError):
        return json_exact.decode(body, first_row, unit)


def _decode_fast(body: bytes, first_row: int, unit: str | None = None) -> tuple[Frame, object]:
    stamp = pa.string() if unit is None else pa.int64()
    nulls = body.count(b"null")
    if (
        b"\\u0000" in body
        or loses_digits(body, may_be_tiny=False)
        or not body.lstrip().startswith(b"{")
        or (nulls and _ROOT_NULL.search(body))
    ):
        raise _NeedsExactError
    table = _read(body, pa.schema([("rows", pa.list_(pa.struct([("timestamp", stamp)])))]))
    if table.num_rows != 1 or not set(table.column_names) <= {"dataset", "rows"}:
        raise _NeedsExactError
    rows = _rows(table)
    dates = [f.name for f in rows.field("values").type if pa.types.is_timestamp(f.type)]
    if dates:
        # Arrow parsed texts as dates. The second read keeps the texts.
        values = pa.struct([(name, pa.string()) for name in dates])
        row = pa.struct([("timestamp", stamp), ("values", values)])
        table = _read(body, pa.schema([("rows", pa.list_(row))]))
        rows = _rows(table)
    dataset = table.column("dataset") if "dataset" in table.column_names else None
    if dataset is not None and dataset.type != pa.int64():
        # `json_exact` names the value in the body in its error, not Arrow's float or date. Also, the member's null must
        # not count as a row's null.
        raise _NeedsExactError
    return _frame(rows, nulls, first_row, body, unit), None if dataset is None else dataset[0].as_py()


def _read(body: bytes, schema: pa.Schema) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(body),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(body) + 16),
        parse_options=pj.ParseOptions(explicit_schema=schema, newlines_in_values=True),
    )


def _rows(table: pa.Table) -> pa.StructArray:
    column = table.column("rows").combine_chunks()
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    rows = array.flatten()
    names = {field.name for field in rows.type}
    if names != _ROW_KEYS or rows.null_count or not pa.types.is_struct(rows.field("values").type):
        raise _NeedsExactError
    return rows


def _frame(rows: pa.StructArray, nulls: int, first_row: int, body: bytes, unit: str | None) -> Frame:
    stamps, values = rows.field("timestamp"), rows.field("values")
    if stamps.null_count or values.null_count:
        raise _NeedsExactError
    columns = {}
    for index, field in enumerate(values.type):
        array = values.field(index)
        if pa.types.is_null(field.type):
            array = array.cast(pa.int64())
        _check_exact(array, body)
        columns[field.name] = array
    ts = timestamps(stamps, first_row) if unit is None else epoch_numbers(stamps, unit, first_row)
    if not nulls or not any(array.null_count for array in columns.values()):
        return Frame(ts, columns)
    return _with_nulls(ts, columns, nulls)


def _check_exact(array: pa.Array, body: bytes) -> None:
    kind = array.type
    if kind in (pa.int64(), pa.bool_()):
        return
    if kind == pa.string():
        array.validate(full=True)
        return
    if kind != pa.float64():
        raise _NeedsExactError
    # Beyond 2^53 a float may stand for an integer that does not equal it. Beyond 10^308 a float is infinite.
    sizes = pc.min_max(pc.abs(array)).as_py()
    if sizes["max"] is None:
        return
    # NaN, which JSON lacks, would pass a comparison the other way round.
    if not sizes["max"] < float(EXACT_FLOAT) or (sizes["min"] < LEAST_NORMAL and has_tiny_numbers(body)):
        raise _NeedsExactError


def _with_nulls(ts: pa.Array, columns: dict[str, pa.Array], nulls: int) -> Frame:
    """Keeps JSON nulls, which look like absent keys in Arrow.

    When the word null occurs as often as Arrow counts nulls, and in no key or text, every null is explicit.

    Raises _NeedsExactError: otherwise.
    """
    counted = sum(array.null_count for array in columns.values())
    in_text = any("null" in name for name in columns) or any(
        pc.any(pc.match_substring(array, "null")).as_py() for array in columns.values() if array.type == pa.string()
    )
    if in_text or counted != nulls:
        raise _NeedsExactError
    pieces = []
    for name, array in columns.items():
        if array.null_count:
            text = members(name, pl.Series([0], dtype=pl.Int64))[0][:-1] + "null"
            missing = pl.Series(array).is_null()
            pieces.append(pl.Series([text]).extend_constant(text, len(array) - 1).set(~missing, None))
    extra = join_members(pieces).to_arrow().cast(pa.string())
    keys = frozenset(name for name, array in columns.items() if array.null_count)
    return Frame(ts, columns, extra, keys)
