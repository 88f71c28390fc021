"""Rows in the formats of a response: JSON, NDJSON, CSV, Parquet and Arrow. Every format is written column by column."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.kit.field_metadata import field_metadata
from atlas.kit.file_formats import Output
from atlas.timeseries.columns import Column
from atlas.timeseries.frames import member

TIME_KEY = "timestamp"
Times = TypeVar("Times", pl.Series, pl.Expr)


_RUN = "_extra of run "
_CLASHING = re.compile(r"(values\.)*timestamp")


def flat_key(name: str) -> str:
    """Returns the name of a key beside the timestamp.

    A name that would clash with the timestamp gets one more `values.` in front.
    """
    return "values." + name if _CLASHING.fullmatch(name) else name


def from_flat_key(label: str) -> str:
    """Returns the key that `flat_key` turned into `label`."""
    return label.removeprefix("values.") if _CLASHING.fullmatch(label) else label


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How rows of a dataset are written.

    - columns: the requested columns, in order.
    - flat: keys stand beside the timestamp (`live`, downloads, streams) instead of under `values`. A key named
      `timestamp` becomes `values.timestamp` in flat rows, so that no value is lost.
    - dataset: an id to put in front of each nested row.
    - ordered: keys of `_extra` stand in the order of the columns instead of after all other keys.
    """

    columns: Sequence[Column]
    flat: bool = True
    dataset: int | None = None
    ordered: bool = False

    def label(self, name: str) -> str:
        return flat_key(name) if self.flat else name

    @property
    def stored(self) -> list[tuple[str, str]]:
        """(label, physical name) of the columns that have a column in the table."""
        return [(self.label(c.name), c.physical) for c in self.columns if c.physical is not None]


def timestamp_text(ts: Times, digits: int | None = None) -> Times:
    """Renders timestamps as ISO 8601 with a `Z`.

    A second has `digits` digits, or as many of 0, 3 or 6 as the value needs when `digits` is None.
    """
    fraction = "%.f" if digits is None else f"%.{digits}f" if digits else ""
    return ts.dt.replace_time_zone(None).dt.to_string(f"%Y-%m-%dT%H:%M:%S{fraction}Z")


def second_digits(table: pa.Table) -> int:
    """Returns how many digits of a second the rows of a table need: 0, 3 or 6."""
    micros = pl.Series(table.column("ts").cast(pa.int64()))
    return next((digits for digits, step in ((0, 1_000_000), (3, 1_000)) if not (micros % step != 0).any()), 6)


def json_lines(table: pa.Table, style: RowFormat) -> pl.Series:
    """Writes each row as a JSON object in text. Absent keys are left out, and JSON null is kept."""
    frame = _polars(table)
    if "_extra" not in frame.columns and style.stored and not any(frame[name].null_count() for _, name in style.stored):
        return _whole_lines(frame, style)
    return _sparse_lines(frame, style)


def _whole_lines(frame: pl.DataFrame, style: RowFormat) -> pl.Series:
    """Writes rows that have every key.

    The whole line is one expression, because polars' cost for each step dominates a page of few rows.
    """
    cells = [timestamp_text(pl.col("ts")).alias(TIME_KEY)]
    values = [pl.col(name).alias(label) for label, name in style.stored]
    if style.flat:
        cells += values
    else:
        cells.append(pl.struct(values).alias("values"))
        if style.dataset is not None:
            cells.insert(0, pl.lit(style.dataset).alias("dataset"))
    return frame.select(pl.struct(cells).struct.json_encode()).to_series()


def _sparse_lines(frame: pl.DataFrame, style: RowFormat) -> pl.Series:
    """Writes rows that may lack keys or have members in `_extra`."""
    # Flat rows have a comma before each member, nested rows between members.
    before, between = (",", "") if style.flat else ("", ",")
    parts = {label: member(label, pl.col(name), frame.schema[name], before=before) for label, name in style.stored}
    if "_extra" in frame.columns and style.ordered:
        extras = _extra_by_run(before, frame["_extra"], style)
        frame = frame.with_columns([series.alias(f"{_RUN}{index}") for index, series in enumerate(extras.values())])
        runs = {name: pl.col(f"{_RUN}{index}") for index, name in enumerate(extras)}
        # A row has a key either in its column or in `_extra`.
        parts = {
            key: part
            for column in style.columns
            for key, part in (
                (style.label(column.name), parts.get(style.label(column.name))),
                ("_extra " + column.name, runs.get(column.name)),
            )
            if part is not None
        }
    elif "_extra" in frame.columns:
        frame = frame.with_columns(_extra_members(before, frame["_extra"], style).alias("_extra"))
        parts["_extra"] = pl.col("_extra")
    values = pl.concat_str(list(parts.values()), separator=between, ignore_nulls=True) if parts else pl.lit("")
    first = "{" if style.flat or style.dataset is None else f'{{"dataset":{style.dataset},'
    middle, end = ('"', "}") if style.flat else ('","values":{', "}}")
    stamp = timestamp_text(pl.col("ts"))
    return frame.select(pl.lit(first + '"timestamp":"') + stamp + pl.lit(middle) + values + pl.lit(end)).to_series()


def _polars(table: pa.Table) -> pl.DataFrame:
    if "_extra" in table.column_names:
        index = table.column_names.index("_extra")
        extra = table.column(index)
        if extra.null_count == len(extra):
            table = table.remove_column(index)
        elif isinstance(extra.type, pa.ExtensionType) or getattr(extra.type, "storage_type", None):
            chunks = [chunk.storage for chunk in extra.chunks]
            table = table.set_column(index, "_extra", pa.chunked_array(chunks))
    result = pl.from_arrow(table)
    assert isinstance(result, pl.DataFrame)
    return result


def _extra_members(before: str, extra: pl.Series, style: RowFormat) -> pl.Series:
    """Selects the members in `_extra` of the requested columns, relabelled when flat rows need new names."""
    wanted = {column.name: style.label(column.name) for column in style.columns}
    cells: list[str | None] = []
    for text in extra.to_list():
        if text is None:
            cells.append(None)
            continue
        kept = [
            f"{msgspec.json.encode(wanted[key]).decode()}:{bytes(raw).decode()}"
            for key, raw in _EXTRA.decode(text).items()
            if key in wanted
        ]
        cells.append(before + ",".join(kept) if kept else None)
    return pl.Series(cells, dtype=pl.String)


_EXTRA = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _extra_by_run(before: str, extra: pl.Series, style: RowFormat) -> dict[str, pl.Series]:
    """Selects members like `_extra_members`, separately for each run of columns without a column of the table in
    between.

    The result is keyed by the first column of each run. A column of the table with values in `_extra` is a run of its
    own, so that every key keeps its place.
    """
    rows = [None if text is None else _EXTRA.decode(text) for text in extra.to_list()]
    present = set().union(*(row for row in rows if row))
    runs: list[list[Column]] = []
    for column in style.columns:
        if column.physical is not None:
            runs += [[column], []] if column.name in present else [[]]
        elif column.name in present:
            runs = runs or [[]]
            runs[-1].append(column)
    found = {}
    for run in filter(None, runs):
        cells = [
            [
                f"{msgspec.json.encode(style.label(one.name)).decode()}:{bytes(row[one.name]).decode()}"
                for one in run
                if one.name in row
            ]
            if row
            else []
            for row in rows
        ]
        texts = [before + ",".join(kept) if kept else None for kept in cells]
        found[run[0].name] = pl.Series(texts, dtype=pl.String)
    return found


def wide_frame(table: pa.Table, style: RowFormat) -> pl.DataFrame:
    """Builds a frame with `timestamp` first and one column for each key.

    Keys without a column in the table become text. A column becomes text when some of its values in `table` are in
    `_extra`.
    """
    frame = _polars(table)
    picked = {TIME_KEY: frame["ts"]}
    extras = _extra_cells(frame, style)
    for column in style.columns:
        label = style.label(column.name)
        cells = extras.get(column.name)
        if column.physical is None:
            picked[label] = cells if cells is not None else pl.Series([None] * len(frame), dtype=pl.String)
        elif cells is not None:
            picked[label] = frame[column.physical].cast(pl.String).fill_null(cells)
        else:
            picked[label] = frame[column.physical]
    # A dict keeps the labels. In a list of series, polars names a nameless series, and the name may clash.
    return pl.DataFrame(picked)


def _extra_cells(frame: pl.DataFrame, style: RowFormat) -> dict[str, pl.Series]:
    """Returns the `_extra` values as text by key: strings without quotes, null as None, other values as JSON."""
    if "_extra" not in frame.columns:
        return {}
    wanted = {column.name for column in style.columns}
    cells: dict[str, list[str | None]] = {}
    for index, text in enumerate(frame["_extra"].to_list()):
        if text is None:
            continue
        for key, raw in _EXTRA.decode(text).items():
            value = bytes(raw).strip()
            if key not in wanted or value == b"null":
                continue
            column = cells.setdefault(key, [None] * len(frame))
            column[index] = msgspec.json.decode(value) if value[:1] == b'"' else value.decode()
    return {key: pl.Series(values, dtype=pl.String) for key, values in cells.items()}


# Texts that a spreadsheet runs as a formula when it opens a CSV file, and plain numbers, which it does not run.
# Spreadsheets in East Asian languages read full-width and small signs as ASCII ones. A byte order mark is skipped.
FORMULA = "^\ufeff?[=+@\t\r\n\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63-]"
NUMBER = r"^[+-]?[0-9.,]+$"


def csv_bytes(
    table: pa.Table, style: RowFormat, *, header: bool, safe: bool = False, digits: int | None = None
) -> bytes:
    r"""Writes rows as CSV (RFC 4180, `\\n` line ends), with the header line when `header` is set.

    - digits: digits of a second. All rows of a file have the same number, because readers detect a column's format by
      its first cell.
    - safe: texts and column names that a spreadsheet would run as a formula get an apostrophe in front.
    """
    frame = wide_frame(table, style)
    frame = frame.with_columns(timestamp_text(frame[TIME_KEY], digits).alias(TIME_KEY))
    if safe:
        texts = [pl.col(name) for name, kind in frame.schema.items() if kind == pl.String and name != TIME_KEY]
        frame = frame.with_columns(
            pl.when(text.str.contains(FORMULA) & ~text.str.contains(NUMBER))
            .then("'" + text)
            .otherwise(text)
            .name.keep()
            for text in texts
        ).rename(harmless)
    out = io.BytesIO()
    frame.write_csv(out, include_header=header)
    return out.getvalue()


def harmless(text: str) -> str:
    """Puts an apostrophe in front of a text that a spreadsheet would run."""
    return "'" + text if re.match(FORMULA, text) and not re.match(NUMBER, text) else text


def arrow_schema(style: RowFormat) -> pa.Schema:
    """Builds the schema of Arrow and Parquet downloads. Keys without a column in the table are text.

    The metadata of each field holds the column's unit and description.
    """
    from atlas.timeseries.frames import ARROW_TYPES, TIMESTAMP

    fields = [pa.field(TIME_KEY, TIMESTAMP)]
    fields += [
        pa.field(
            style.label(c.name), ARROW_TYPES.get(c.dtype, pa.string()), metadata=field_metadata(c.unit, c.description)
        )
        for c in style.columns
    ]
    return pa.schema(fields)


def arrow_table(table: pa.Table, style: RowFormat, schema: pa.Schema) -> pa.Table:
    """Converts rows to `schema`.

    A value that its typed column cannot hold becomes null in the result. JSON and CSV keep such a value.
    """
    frame = _polars(table)
    extras = _extra_cells(frame, style)
    arrays = [table.column("ts").cast(schema.field(0).type)]
    for column, field in zip(style.columns, list(schema)[1:], strict=True):
        if column.physical is not None:
            arrays.append(table.column(column.physical).cast(field.type))
        elif column.name in extras:
            arrays.append(extras[column.name].to_arrow().cast(pa.string()))
        else:
            arrays.append(pa.nulls(len(table), field.type))
    return pa.table(arrays, schema=schema)


class TableWriter:
    """Writes Arrow or Parquet tables to bytes, which callers take out piece by piece."""

    def __init__(self, output: Output, schema: pa.Schema) -> None:
        self._sink = _Pipe()
        self._writer = (
            pq.ParquetWriter(self._sink, schema, compression="zstd")
            if output is Output.PARQUET
            else pa.ipc.new_stream(self._sink, schema)
        )

    def write(self, table: pa.Table) -> bytes:
        self._writer.write_table(table)
        return self._sink.take()

    def close(self) -> bytes:
        self._writer.close()
        return self._sink.take()


class _Pipe(io.RawIOBase):
    """A write-only file whose bytes can be taken out after each write."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
