"""Reads CSV in any dialect: finds the delimiter, quotes and header, and repairs or reports ragged rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv

from atlas.errors import BadRequestError
from atlas.imports.files.behind_blanks import in_text
from atlas.imports.files.csv_dialects import (
    MAX_CELL,
    NO_DELIMITER,
    Dialect,
    counted_dialect,
    find_dialect,
    has_apostrophes,
    numbers_with_commas,
    sample_rows,
    shown_delimiter,
    splits_evenly,
)
from atlas.imports.files.ragged_rows import Mender
from atlas.imports.files.source import MAX_COLUMNS, ReadOptions, Source, physical, unclear_rows
from atlas.imports.files.stray_quotes import mend_quotes
from atlas.imports.files.text_tables import recognize, rewrite
from atlas.imports.infer.headers import SAMPLE_ROWS, Layout, stated_layout
from atlas.imports.infer.note_lines import lines_above
from atlas.imports.infer.split_amounts import split_amounts
from atlas.tables.model import FileFormat

# The size of Arrow's blocks in bytes. A record fits into a block.
MAX_RECORD = _BLOCK = 4 * 1024 * 1024
_SAMPLE = 256 * 1024


def read_delimited(path: Path, name: str, options: ReadOptions | None = None, *, folder: Path | None = None) -> Source:
    """Opens the UTF-8 CSV at `path`.

    folder: where a repaired copy may be written. None: nothing is repaired.
    Raises BadRequestError: when the file cannot be read as CSV.
    """
    options = options or ReadOptions()
    text, notes = _sample_text(path), []
    plain = folder is None or options.delimiter is not None or numbers_with_commas(text)
    table = None if plain else recognize(text)
    if folder is not None and table is not None:
        path, notes = rewrite(path, folder / "table.csv", table), [table.note] if table.note else []
        text = _sample_text(path)
    declared, text_offset = _declared_delimiter(text)
    dialect, told = _dialect(path, text, declared, options)
    notes += told
    if folder is not None and dialect.quote == '"' and not dialect.backslash:
        if has_apostrophes(text[text_offset:], dialect.delimiter):
            dialect = Dialect(dialect.delimiter, "'")
        width = _usual_width(dialect, text[text_offset:])
        mended = mend_quotes(path, folder / "mended.csv", dialect.delimiter, width, dialect.quote)
        if mended.path != path:
            path, text = mended.path, _sample_text(mended.path)
            notes += mended.notes
    rows = sample_rows(dialect, text[text_offset:])
    with unclear_rows():
        layout = stated_layout(rows, header=options.header, header_row=options.header_row, skip_rows=options.skip_rows)
    if layout is None:
        raise BadRequestError("Invalid file", f"{name}: the file has no data")
    if layout.header and options.header is None and options.header_row is None and dialect.delimiter == ",":
        _refuse_split_amounts(layout, rows, name)
    if not layout.header:
        layout = _as_wide_as_rows(layout, rows)
    if layout.width > MAX_COLUMNS:
        reason = f"{name}: the file has {layout.width:,} columns; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    offset = _byte_offset(path, dialect, layout.skip, declared is not None)
    source = Source(layout.names, [None] * layout.width, iter(()), notes=notes, delimiter=dialect.delimiter)
    source.units = dict(layout.units)
    source.lines, source.behind_blanks = True, in_text(path, offset, dialect, layout.width)
    if table is None and layout.width > 1:
        source.written = FileFormat(delimiter=dialect.delimiter)
    mender = Mender(dialect, rows[layout.skip :], source, name)
    source.batches = _batches(path, name, dialect, layout, offset, source, mender)
    if layout.above:
        source.notes.append(lines_above(rows[: layout.above]))
    source.notes += layout.notes
    return source


def _dialect(path: Path, text: str, declared: str | None, options: ReadOptions) -> tuple[Dialect, list[str]]:
    """Finds the dialect of the file, and notes on the choice.

    declared: the delimiter in the first line of the file, or None.
    Raises BadRequestError: when the stated delimiter contradicts the declared one.
    """
    if declared is not None and options.delimiter not in (None, declared):
        told = f"the first line of the file says {shown_delimiter(declared)}, not {shown_delimiter(options.delimiter)}"
        raise BadRequestError("Instruction is unclear", told)
    if declared is not None and declared not in text[len("sep=,\n") :]:
        rest = text.partition("\n")[2]
        found = counted_dialect(rest)
        if found is not None and splits_evenly(found.delimiter, rest):
            between = f"but {shown_delimiter(found.delimiter)} is between the cells"
            return found, [f"the first line of the file says {shown_delimiter(declared)}, {between}"]
    if (stated := declared or options.delimiter) is not None:
        other = counted_dialect(text) if options.delimiter and stated not in text else None
        if other is not None and splits_evenly(other.delimiter, text):
            told = f"no line has {shown_delimiter(stated)} between cells, but every line has "
            raise BadRequestError("Instruction is unclear", told + shown_delimiter(other.delimiter))
        return Dialect(stated), []
    found, before = find_dialect(path, text), options.before.delimiter
    if found.delimiter == NO_DELIMITER:
        return found, ["read as one column of numbers, with commas in them"]
    if before in (None, found.delimiter) or not splits_evenly(before, text):
        return found, []
    signs = f"{shown_delimiter(before)} is read as what stands between cells, as in the last file of the table"
    others = f"; {shown_delimiter(found.delimiter)} would fit, too" if splits_evenly(found.delimiter, text) else ""
    return Dialect(before), [signs + others]


def _refuse_split_amounts(layout: Layout, rows: list[list[str]], name: str) -> None:
    """Refuses rows that have more cells than the header has names because amounts with decimal commas have no quotes.

    Raises BadRequestError: for such rows.
    """
    names = [text for text in layout.names if text]
    found = split_amounts(names, [row for row in rows[layout.skip :] if any(row)])
    if found is not None:
        reason = (
            f"{name}: rows have {layout.width} cells, but the header has {len(names)} names. {found[0]!r} seems to be "
            f"{found[1]} with a decimal comma; put quotes around such numbers, or semicolons between cells. If not, "
            "say that the first row is the header"
        )
        raise BadRequestError("Invalid file", reason)


def _sample_text(path: Path) -> str:
    """Returns the first whole lines of a text, with line feeds between the lines."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    whole = len(sample) < _SAMPLE
    text = (sample if whole else sample[: sample.rfind(b"\n") + 1] or sample).decode("utf-8", "ignore")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _usual_width(dialect: Dialect, text: str) -> int:
    """Returns the number of cells that most lines have, each line read on its own."""
    lines = text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS]
    lines = [line for line in lines if line and line.count(dialect.quote) % 2 == 0]
    widths = Counter(len(row) for line in lines for row in dialect.rows(iter([line])))
    return widths.most_common(1)[0][0] if widths else 0


def _as_wide_as_rows(layout: Layout, rows: list[list[str]]) -> Layout:
    """Widens a layout without names to the last columns, which have delimiters but no values."""
    widths = {len(row) for row in rows[layout.skip :] if any(row)}
    width = max(widths, default=0)
    if len(widths) != 1 or width <= layout.width:
        return layout
    return replace(layout, width=width, names=("",) * width)


def _declared_delimiter(text: str) -> tuple[str | None, int]:
    """Returns the delimiter of Excel's `sep=;` line and the place behind the line, or None and 0."""
    first, _, _ = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip()) == 5:
        return first.rstrip()[-1], len(first) + 1
    return None, 0


def _byte_offset(path: Path, dialect: Dialect, skip: int, declared: bool) -> int:
    """Returns the byte offset behind the first `skip` rows. Lines are counted, since a cell may hold several lines."""
    offset = 0

    def lines() -> Iterator[str]:
        nonlocal offset
        with path.open("rb") as file:
            while line := file.readline(MAX_CELL):
                # Old Macs end lines with a carriage return only.
                for part in _split_returns(line):
                    offset += len(part)
                    yield part.decode("utf-8", "ignore")

    source = lines()
    if declared:
        next(source, None)
    rows = dialect.rows(source)
    for _ in range(skip):
        try:
            if next(rows, None) is None:
                break
        except csv.Error:
            break
    return offset


def _split_returns(line: bytes) -> list[bytes]:
    if b"\r" not in line[:-2]:
        return [line]
    parts = line.split(b"\r")
    if parts[-1] == b"\n":
        parts[-2:] = [parts[-2] + b"\r\n"]
        return [*(part + b"\r" for part in parts[:-1]), parts[-1]]
    return [part + b"\r" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _batches(
    path: Path, name: str, dialect: Dialect, layout: Layout, offset: int, source: Source, mender: Mender
) -> Iterator[pa.Table]:
    names = [physical(position) for position in range(mender.cells)]
    _refuse_open_quote(path, name, dialect)
    read = 0
    with path.open("rb") as file:
        file.seek(offset)
        if not file.read(1):
            return
        file.seek(offset)
        try:
            reader = pv.open_csv(
                file,
                read_options=pv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
                parse_options=pv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote,
                    double_quote=True,
                    escape_char="\\" if dialect.backslash else False,
                    newlines_in_values=True,
                    invalid_row_handler=mender,
                ),
                convert_options=pv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                    quoted_strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
            for batch in reader:
                table = mender.without_spare(batch, read)
                read += len(table)
                yield table
            mender.finish(read)
        except pa.ArrowException as error:
            if mender.failure is not None:
                raise mender.failure from None
            if "straddling object" in str(error):
                behind = read + len(source.bad) + len(source.fixed)
                told = f"a record behind record {behind:,} is longer than {_BLOCK // 1024**2} MiB"
                raise BadRequestError("Invalid file", f"{name}: {told}; is a quote left open?") from None
            reason = str(error).split("\n", 1)[0][:200]
            raise BadRequestError("Invalid file", f"{name}: {reason}") from None


def _refuse_open_quote(path: Path, name: str, dialect: Dialect) -> None:
    """Checks that the file does not end inside a quoted cell, as a truncated file does.

    Raises BadRequestError: when the last opening quote is not closed.
    """
    quote, size = dialect.quote.encode(), path.stat().st_size
    quotes = 0
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            quotes += chunk.count(quote)
        if quotes % 2 == 0 or dialect.backslash:
            return
        # A quote within a cell makes the number odd as well. The last quote that opens a cell decides.
        start = max(0, size - _SAMPLE)
        file.seek(start)
        tail = file.read()
    opening = re.escape(dialect.delimiter.encode()) + rb"|\n|\r"
    found = list(re.finditer(rb"(?:\A|" + opening + rb")" + re.escape(quote), tail))
    if found and tail.count(quote, found[-1].end()) == 0 and not tail.rstrip().endswith(quote):
        place = start + found[-1].end() - 1
        raise BadRequestError(
            "Invalid file", f"{name}: it ends inside a quote that opens at byte {place}; is it cut off?"
        )
