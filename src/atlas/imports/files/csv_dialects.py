"""Finds the dialect of a CSV: its delimiter and its quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from atlas.column_formats.column_names import MEASURES
from atlas.imports.infer.headers import SAMPLE_ROWS
from atlas.kit.identifiers import identifier

_DELIMITERS = ",;\t|"
# Stands for the delimiter of a file with one column. No text has this character.
NO_DELIMITER = "\x1f"
_GROUPS, _DECIMALS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d+)?", r"\d{1,3}(?:\.\d{3})+,\d+|\d+(?:,\d+)?"
_SIGN = r"[^\w\s,;|\"'.]"
_GROUPED, _EITHER = (
    re.compile(rf"(?:[A-Z]{{3}} )?{_SIGN}{{0,3}} ?(?:{number}) ?(?:{_SIGN}{{1,2}}|[A-Z]{{3}})?")
    for number in (_GROUPS, f"{_GROUPS}|{_DECIMALS}")
)
MAX_CELL = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a CSV."""

    delimiter: str
    quote: str = '"'
    backslash: bool = False

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            doublequote=not self.backslash,
            escapechar="\\" if self.backslash else None,
            strict=False,
        )

    def line(self, cells: Sequence[str]) -> str:
        """Formats a row as the row may stand in the file."""
        out = io.StringIO()
        csv.writer(
            out,
            delimiter=self.delimiter,
            quotechar=self.quote,
            doublequote=not self.backslash,
            escapechar="\\" if self.backslash else None,
            lineterminator="",
        ).writerow(cells)
        return out.getvalue()


def find_dialect(path: Path, text: str) -> Dialect:
    """Finds the dialect by DuckDB's sniffer, and by counting delimiters if the sniffer finds one column only."""
    if numbers_with_commas(text):
        return Dialect(NO_DELIMITER)
    found = _sniffed(path)
    counted = counted_dialect(text)
    if found is None or (found.delimiter not in text.split("\n", 1)[0] and counted is not None):
        found = counted or Dialect(",")
    if counted is not None and found.delimiter != counted.delimiter and found.delimiter not in _DELIMITERS:
        found = counted
    if _splits_few(found, text):
        found = Dialect(",")
    if found.quote == "'" and not has_apostrophes(text, found.delimiter):
        plain = Dialect(found.delimiter)
        if len({len(row) for row in sample_rows(plain, text) if row}) == 1:
            # Apostrophes that the rows do not need belong to texts.
            found = plain
    return found


def numbers_with_commas(text: str) -> bool:
    """Checks whether a file is one column of numbers with commas and without quotes, such as `1,200` below `price`."""
    name, *cells = [line.strip() for line in text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS] if line.strip()] or [""]
    if not any("," in cell for cell in cells) or re.fullmatch(r"[^\W\d_][\w .()%-]{0,60}", name) is None:
        return False
    fitting = _EITHER if MEASURES.search(identifier(name)) else _GROUPED
    return len(cells) > 1 and all(fitting.fullmatch(cell) for cell in cells)


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


def counted_dialect(text: str) -> Dialect | None:
    """Returns the dialect with the delimiter that splits most rows into equally many cells, at least 2.

    None: no delimiter does.
    """
    best, best_score = None, 0.0
    for delimiter in _DELIMITERS:
        dialect = Dialect(delimiter)
        widths = [len(row) for row in sample_rows(dialect, text) if row]
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        usual = max(set(wide), key=wide.count)
        score = wide.count(usual) / len(widths) + min(usual, 50) / 1000
        if score > best_score:
            best, best_score = dialect, score
    return best


def _splits_few(dialect: Dialect, text: str) -> bool:
    """Checks whether a delimiter is part of a few texts in one column: most rows and one of the last two lack it."""
    widths = [len(row) for row in sample_rows(dialect, text) if row]
    return (
        len(widths) > 2 and sum(width > 1 for width in widths) * 2 < len(widths) and min(widths[0], *widths[-2:]) == 1
    )


def splits_evenly(delimiter: str, text: str) -> bool:
    """Checks whether a delimiter occurs in each row of a sample, equally often in all rows."""
    widths = {len(row) for row in sample_rows(Dialect(delimiter), text) if any(row)}
    return len(widths) == 1 and widths.pop() > 1


def shown_delimiter(delimiter: str | None) -> str:
    """Describes a delimiter in words."""
    return {"\t": "tab", " ": "blank"}.get(delimiter or "", repr(delimiter))


def sample_rows(dialect: Dialect, text: str) -> list[list[str]]:
    csv.field_size_limit(MAX_CELL)
    rows: list[list[str]] = []
    try:
        for row in dialect.rows(iter(io.StringIO(text, newline=""))):
            rows.append(row)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def has_apostrophes(text: str, delimiter: str) -> bool:
    """Checks whether apostrophes are the quotes of a file: apostrophes enclose cells in most lines, and double quotes
    enclose none.
    """
    by = re.escape(delimiter)
    lines = [line for line in text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS] if line.strip()]
    if re.search(rf'(?m)(?:^|{by}) *"', "\n".join(lines)):
        return False
    opening, closing = re.compile(rf"(?:^|{by})'"), re.compile(rf"'(?={by}|$)")
    pairs = [(len(opening.findall(line)), len(closing.findall(line))) for line in lines]
    pairs = pairs[1:] if pairs and pairs[0] == (0, 0) else pairs
    quoted = sum(opened == closed > 0 for opened, closed in pairs)
    return quoted > 1 and quoted * 10 >= len(pairs) * 8
