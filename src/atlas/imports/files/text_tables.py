"""Recognizes tables in texts that are no CSV: of bars and dashes, aligned by blanks, or with rare delimiters.

Such tables are rewritten as CSV, so that all later steps read one format. Notes report the recognized form.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# The number of lines that are examined, and the least number that must agree.
_LINES = 200
_LEAST = 2
# Rare delimiters, longer ones first, as some are part of others.
_RARE_DELIMITERS = ("|~|", "~|~", "^|^", "::", "||", "~~", "^^", ";;", "##", "~", "^", "\x1f", "\x01", "¦", "§")
_RULE = re.compile(r"\s*\|?[\s:|=+-]*-{2,}[\s:|=+-]*\|?\s*")
_DASHES = re.compile(r"\s*[-=]{2,}(\s+[-=]{2,})*\s*")
_GAP = re.compile(r"\s{2,}|\t")
_QUOTE_BEHIND_BLANK = re.compile(r"[,;\t|] +\"")
_PLAIN_DELIMITERS = ",;\t|"

Split = Callable[[str], list[str] | None]


@dataclass(frozen=True, slots=True)
class TextTable:
    """The conversion of a text to rows, and a note.

    split: returns the cells of a line, or None for a line without cells.
    delimiter: replaces `split` if blanks follow the delimiter and cells may hold several lines.
    """

    split: Split
    note: str | None
    delimiter: str | None = None


def recognize(sample: str) -> TextTable | None:
    """Recognizes the form of a text. Returns None for a CSV.

    sample: the first whole lines.
    """
    lines = [line for line in itertools.islice(sample.split("\n"), _LINES) if line.strip()]
    if len(lines) < _LEAST:
        return None
    return (
        _ruled(lines)
        or _rare_delimiter(lines)
        or _colons(lines)
        or _quoted_lines(lines)
        or _blank_before_quote(lines)
        or _aligned(lines)
        or _blanks(lines)
    )


def rewrite(path: Path, target: Path, table: TextTable) -> Path:
    """Writes the text of `path` as CSV to `target`."""
    with path.open(encoding="utf-8", newline=None) as source, target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if table.delimiter is not None:
            writer.writerows(csv.reader(source, delimiter=table.delimiter, skipinitialspace=True))
            return target
        for line in source:
            cells = table.split(line.rstrip("\n"))
            if cells is not None:
                writer.writerow(cells)
    return target


def _ruled(lines: list[str]) -> TextTable | None:
    """Recognizes tables with bars between cells and lines of dashes between rows:

    Markdown, and the output of databases.
    """
    rules = [n for n, line in enumerate(lines) if _RULE.fullmatch(line)]
    rows = [line for n, line in enumerate(lines) if n not in rules]
    if not rules or rules[0] > 1 or len(rows) < _LEAST or sum("|" in line for line in rows) < _LEAST:
        return None
    if not all("|" in line for line in rows[:_LEAST]) or not any("|" in lines[n] or "+" in lines[n] for n in rules):
        return None

    def split(line: str) -> list[str] | None:
        text = line.strip()
        if not text or _RULE.fullmatch(text):
            return None
        inner = text[1 if text.startswith("|") else 0 : -1 if text.endswith("|") and not text.endswith("\\|") else None]
        return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]

    return TextTable(split, "read as a table of bars and dashes; the lines of dashes were left out")


def _rare_delimiter(lines: list[str]) -> TextTable | None:
    if any('"' in line for line in lines):
        return None
    for delimiter in _RARE_DELIMITERS:
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and counts != {0} and not _is_empty_cell(delimiter, lines):
            note = f"read with {delimiter!r} between the cells"
            return TextTable(lambda line, by=delimiter: line.split(by) if line.strip() else None, note)  # type: ignore[misc]
    return None


def _colons(lines: list[str]) -> TextTable | None:
    """Recognizes colons between cells, as in `id:name:city`, below a header of plain names, if there are no times."""
    names = lines[0].split(":")
    if len(lines) <= _LEAST or len(names) < 3 or not all(re.fullmatch(r"[^\W\d]\w*", name) for name in names):
        return None
    if {line.count(":") for line in lines} != {len(names) - 1} or any('"' in line or ": " in line for line in lines):
        return None
    if any(line.count(d) for line in lines for d in _PLAIN_DELIMITERS) or re.search(r"\d:\d\d\b", " ".join(lines)):
        return None
    return TextTable(lambda line: line.split(":") if line.strip() else None, "read with ':' between the cells")


def _quoted_lines(lines: list[str]) -> TextTable | None:
    """Recognizes records that are quoted as a whole, as in `"1,Ann"`. The header may have no quotes."""
    whole = [line for line in lines if line.startswith('"') and len(next(csv.reader([line]), [])) == 1]
    if len(whole) < max(_LEAST, len(lines) - 1):
        return None
    for delimiter in _PLAIN_DELIMITERS:
        split = _unwrapped(delimiter)
        widths = {len(split(line) or []) for line in lines}
        if len(widths) == 1 and widths != {1}:
            return TextTable(split, "records are quoted as a whole, and were read without these quotes")
    return None


def _unwrapped(delimiter: str) -> Split:
    def split(line: str) -> list[str] | None:
        cells = next(csv.reader([line]), [])
        inner = cells[0] if len(cells) == 1 else line
        return next(csv.reader([inner], delimiter=delimiter), None) or None

    return split


def _is_empty_cell(delimiter: str, lines: list[str]) -> bool:
    """Checks whether a doubled delimiter is a single delimiter beside an empty cell, as in `5;;` or `5;a;;`."""
    single = delimiter[0]
    if delimiter != single * 2:
        return False
    rest = {line.replace(delimiter, "").count(single) for line in lines}
    if len(rest) == 1 and rest != {0}:
        return True
    return not all(any(map(str.strip, cells)) for cells in zip(*(line.split(delimiter) for line in lines), strict=True))


def _blank_before_quote(lines: list[str]) -> TextTable | None:
    """Recognizes quotes behind a blank, as in `a, "b, c"`."""
    if not any(_QUOTE_BEHIND_BLANK.search(line) for line in lines):
        return None
    for delimiter in _PLAIN_DELIMITERS:
        plain = _widths(csv.reader(lines, delimiter=delimiter))
        skipping = _widths(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
        if len(skipping) == 1 and skipping != {1} and plain != skipping:
            return TextTable(_by_reader(delimiter), None, delimiter)
    return None


def _by_reader(delimiter: str) -> Split:
    def split(line: str) -> list[str] | None:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), None) or None

    return split


def _aligned(lines: list[str]) -> TextTable | None:
    """Recognizes columns that start at equal places in all lines, behind at least 2 blanks.

    Lines of dashes do not count.
    """
    lines, dashes = _without_dashes(lines)
    if len(lines) < _LEAST:
        return None
    if any(sum(line.count(d) for line in lines) >= len(lines) for d in _PLAIN_DELIMITERS):
        return None
    starts = [match.end() for match in re.finditer(r"\s{2,}(?=\S)", lines[0])]
    if lines[0][:1].isspace() or not starts:
        return None
    starts = [0, *starts]
    for line in lines[1:]:
        padded = line.ljust(starts[-1] + 1)
        if any(padded[start - 1] != " " for start in starts[1:]) or padded[0] == " ":
            return None
    inner = sum(bool(_GAP.search(line.strip())) for line in lines)
    if inner < len(lines):
        return None

    def split(line: str) -> list[str] | None:
        if not line.strip() or _DASHES.fullmatch(line):
            return None
        return [line[start:end].strip() for start, end in itertools.pairwise([*starts, None])]

    return TextTable(split, f"read as {len(starts)} columns that blanks align{dashes}")


def _blanks(lines: list[str]) -> TextTable | None:
    """Recognizes cells with a blank between, if cells with blanks are quoted, or each line has at least 3 cells."""
    lines, dashes = _without_dashes(lines)
    if any(sum(line.count(d) for line in lines) >= len(lines) for d in ";\t|"):
        return None
    widths = _widths(csv.reader([line.strip() for line in lines], delimiter=" ", skipinitialspace=True))
    if len(widths) != 1 or widths == {1}:
        return None
    quoted = any(re.search(r'(^| )"[^"]*"( |$)', line) for line in lines)
    commas = _widths(csv.reader(lines, delimiter=","))
    if len(commas) == 1 and commas != {1}:
        return None
    if not quoted and (widths < {3} or len(lines) < 3):
        return None
    by_blank = _by_reader(" ")

    def split(line: str) -> list[str] | None:
        return None if _DASHES.fullmatch(line) else by_blank(line.strip())

    return TextTable(split, f"read with blanks between the cells{dashes}")


def _without_dashes(lines: list[str]) -> tuple[list[str], str]:
    """Returns the lines without lines of dashes, and the note on the removed lines."""
    rest = [line for line in lines if not _DASHES.fullmatch(line)]
    return rest, "; the lines of dashes were left out" if len(rest) < len(lines) else ""


def _widths(rows: Iterator[list[str]]) -> set[int]:
    try:
        return {len(row) for row in rows if row}
    except csv.Error:
        return set()
