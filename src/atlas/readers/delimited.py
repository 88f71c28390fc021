"""CSV in any dialect to a source: the delimiter, quotes and header are found, ragged rows are mended or told."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pv

from atlas.core.headers import SAMPLE_ROWS, Layout, stated_layout
from atlas.errors import BadRequestError
from atlas.readers.source import MAX_COLUMNS, BadRecord, ReadOptions, Source, physical, unclear_rows
from atlas.readers.stray_quotes import mend_quotes
from atlas.readers.text_tables import recognize, rewrite

# Arrow reads blocks of so many bytes, and a record fits one.
MAX_RECORD = _BLOCK = 4 * 1024 * 1024
_SAMPLE = 256 * 1024
_DELIMITERS = ",;\t|"
# More rows than this that do not fit mean that the file was understood wrongly.
MAX_BAD = 100_000
_MAX_CELL = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written."""

    delimiter: str
    quote: str = '"'
    backslash: bool = False

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines, delimiter=self.delimiter, quotechar=self.quote, doublequote=not self.backslash,
            escapechar="\\" if self.backslash else None, strict=False,
        )  # fmt: skip


def read_delimited(
    path: Path, name: str, options: ReadOptions | None = None, *, folder: Path | None = None
) -> Source:  # fmt: skip
    """A source of the UTF-8 CSV at `path`. folder: takes the text where it must be mended. Raises BadRequestError."""
    text, notes = _sample_text(path), []
    if folder is not None and (table := recognize(text)) is not None:
        path, notes = rewrite(path, folder / "table.csv", table), [table.note] if table.note else []
        text = _sample_text(path)
    declared, text_offset = _declared_delimiter(text)
    dialect = Dialect(declared) if declared else find_dialect(path, text)
    if folder is not None and dialect.quote == '"' and not dialect.backslash:
        mended = mend_quotes(path, folder / "mended.csv", dialect.delimiter, _usual_width(dialect, text[text_offset:]))
        if mended.path != path:
            path, text = mended.path, _sample_text(mended.path)
            notes += mended.notes
    rows = _sample_rows(dialect, text[text_offset:])
    options = options or ReadOptions()
    with unclear_rows():
        layout = stated_layout(rows, header=options.header, header_row=options.header_row, skip_rows=options.skip_rows)
    if layout is None:
        raise BadRequestError("Invalid file", f"{name}: the file has no data")
    if layout.width > MAX_COLUMNS:
        reason = f"{name}: the file has {layout.width:,} columns; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    offset = _byte_offset(path, dialect, layout.skip, declared is not None)
    source = Source(layout.names, [None] * layout.width, iter(()), notes=notes, delimiter=dialect.delimiter)
    mender = _Mender(
        dialect, layout.width, source, name, fill=_leaves_out_last_cells(rows[layout.skip :], layout.width)
    )
    source.batches = _batches(path, name, dialect, layout, offset, source, mender)
    if layout.above:
        source.notes.append(f"{layout.above} line{'s' if layout.above > 1 else ''} above the table left out")
    source.notes += layout.notes
    return source


def _sample_text(path: Path) -> str:
    """The first lines of a text, with line feeds between them."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    whole = len(sample) < _SAMPLE
    text = (sample if whole else sample[: sample.rfind(b"\n") + 1] or sample).decode("utf-8", "ignore")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _usual_width(dialect: Dialect, text: str) -> int:
    """Cells that most lines have, each read by itself."""
    lines = [line for line in text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS] if line and line.count('"') % 2 == 0]
    widths = Counter(len(row) for line in lines for row in dialect.rows(iter([line])))
    return widths.most_common(1)[0][0] if widths else 0


def _declared_delimiter(text: str) -> tuple[str | None, int]:
    """The delimiter of Excel's `sep=;` line, and where the text after that starts."""
    first, _, _ = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip()) == 5:
        return first.rstrip()[-1], len(first) + 1
    return None, 0


def find_dialect(path: Path, text: str) -> Dialect:
    """How the file is written: DuckDB's sniffer, and a count of its own where that finds one column."""
    found = _sniffed(path)
    counted = _counted(text)
    if found is None or (found.delimiter not in text.split("\n", 1)[0] and counted is not None):
        found = counted or Dialect(",")
    if counted is not None and found.delimiter != counted.delimiter and found.delimiter not in _DELIMITERS:
        found = counted
    return found


def _sniffed(path: Path) -> Dialect | None:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        query = "SELECT Delimiter, Quote, Escape FROM sniff_csv(?, all_varchar = true, ignore_errors = true)"
        try:
            row = connection.execute(query, [str(path)]).fetchone()
        except duckdb.Error:
            return None
    if row is None:
        return None
    delimiter, quote, escape = (None if value == "(empty)" else value for value in row)
    if not delimiter or len(delimiter) != 1 or delimiter.isalnum() or delimiter == " ":
        return None
    return Dialect(delimiter, quote or '"', backslash=escape == "\\")


def _counted(text: str) -> Dialect | None:
    """The delimiter that splits most rows into the same number of cells, above one."""
    best, best_score = None, 0.0
    for delimiter in _DELIMITERS:
        dialect = Dialect(delimiter)
        widths = [len(row) for row in _sample_rows(dialect, text) if row]
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        usual = max(set(wide), key=wide.count)
        score = wide.count(usual) / len(widths) + min(usual, 50) / 1000
        if score > best_score:
            best, best_score = dialect, score
    return best


def _sample_rows(dialect: Dialect, text: str) -> list[list[str]]:
    csv.field_size_limit(_MAX_CELL)
    rows: list[list[str]] = []
    try:
        for row in dialect.rows(iter(io.StringIO(text, newline=""))):
            rows.append(row)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _byte_offset(path: Path, dialect: Dialect, skip: int, declared: bool) -> int:
    """Where the row after the first `skip` ones starts. Counted by lines, since a cell may hold several."""
    offset = 0

    def lines() -> Iterator[str]:
        nonlocal offset
        with path.open("rb") as file:
            while line := file.readline(_MAX_CELL):
                # Old Macs end lines by a carriage return alone.
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


def _leaves_out_last_cells(rows: list[list[str]], width: int) -> bool:
    """Whether short rows are how the file says that the last cells are empty, as some programs do, and no mistake."""
    filled = [row for row in rows if any(row)]
    short = sum(1 < len(row) < width for row in filled)
    return short >= 3 and short * 10 >= len(filled)


def _batches(
    path: Path, name: str, dialect: Dialect, layout: Layout, offset: int, source: Source, mender: _Mender
) -> Iterator[pa.Table]:  # fmt: skip
    names = [physical(position) for position in range(layout.width)]
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
                read += len(batch)
                yield pa.table(batch)
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
    """Raises BadRequestError where the file ends inside a quoted cell, as one does that was cut off."""
    quote, size = dialect.quote.encode(), path.stat().st_size
    quotes = 0
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            quotes += chunk.count(quote)
        if quotes % 2 == 0 or dialect.backslash:
            return
        # A quote within a cell makes the number odd too; what matters is the last one that opens a cell.
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


class _Mender:
    """Takes the rows that have too few or too many cells. fill: whether short ones lack but empty last cells."""

    def __init__(self, dialect: Dialect, width: int, source: Source, name: str, *, fill: bool) -> None:
        self._dialect, self._width, self._source, self._name, self._fill = dialect, width, source, name, fill
        self.failure: BadRequestError | None = None

    def __call__(self, row: pv.InvalidRow) -> str:
        cells = next(self._dialect.rows(iter(io.StringIO(row.text, newline=""))), [])
        while len(cells) > self._width and not cells[-1].strip():
            cells.pop()
        if len(cells) == self._width or (len(cells) < self._width and self._fill and len(cells) > 1):
            padding = [None] * (self._width - len(cells))
            self._source.fixed.append((row.number, [*cells, *padding]))
        else:
            reason = (
                f"it has {len(cells)} cell{'' if len(cells) == 1 else 's'}, but the table has {self._width} columns"
            )
            self._source.bad.append(BadRecord(row.number, reason, row.text[:10_000]))
        if len(self._source.bad) > MAX_BAD:
            self.failure = BadRequestError(
                "Invalid file", f"{self._name}: over {MAX_BAD:,} rows have not as many cells as the table has columns"
            )
            return "error"
        return "skip"

    def finish(self, count: int) -> None:
        """Tells what was done to rows once all are read; `count` of them were neither short nor long.

        Lines of a single cell behind the last record are no records, but notes below the table.
        """
        bad, fixed, notes = self._source.bad, self._source.fixed, self._source.notes
        last, below = count + len(bad) + len(fixed), []
        while (
            self._width > 2 and count and bad and bad[-1].number == last and bad[-1].reason.startswith("it has 1 cell,")
        ):
            below.append(bad.pop().text.strip())
            last -= 1
        if below:
            shown = "; ".join(repr(text[:80]) for text in reversed(below[:3]))
            notes.append(f"{len(below)} line{'' if len(below) == 1 else 's'} below the table left out: {shown}")
        short = sum(None in cells for _, cells in fixed)
        if short:
            notes.append(
                f"{short:,} record{' has' if short == 1 else 's have'} no last cells, which were taken as empty"
            )
