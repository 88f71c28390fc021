"""Tables in texts that are no CSV: Markdown, columns aligned by blanks, delimiters of several characters, blanks.

They are written anew as CSV, so that everything behind reads one format. What a text was taken for is told.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Lines looked at, and of these at least so many must agree.
_LINES = 200
_LEAST = 2
_LONG_DELIMITERS = ("|~|", "~|~", "^|^", "::", "||", "~~", "^^", ";;", "##")
_RULE = re.compile(r"\s*\|?[\s:|=+-]*-{2,}[\s:|=+-]*\|?\s*")
_GAP = re.compile(r"\s{2,}|\t")
_QUOTE_BEHIND_BLANK = re.compile(r"[,;\t|] +\"")
_PLAIN_DELIMITERS = ",;\t|"

Split = Callable[[str], list[str] | None]


@dataclass(frozen=True, slots=True)
class TextTable:
    """How a text becomes rows, and what is told of it.

    split: cells of a line, None for a line that is none. delimiter: where blanks follow it and cells may hold several
    lines, instead of `split`.
    """

    split: Split
    note: str | None
    delimiter: str | None = None


def recognize(sample: str) -> TextTable | None:
    """How a text is written that is no CSV; None where it is one. sample: its first lines, whole ones."""
    lines = [line for line in itertools.islice(sample.split("\n"), _LINES) if line.strip()]
    if len(lines) < _LEAST:
        return None
    return _markdown(lines) or _long_delimiter(lines) or _blank_before_quote(lines) or _aligned(lines) or _blanks(lines)


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


def _markdown(lines: list[str]) -> TextTable | None:
    framed = [line.strip() for line in lines]
    rules = [n for n, line in enumerate(framed) if _RULE.fullmatch(line) and "|" in line]
    if rules != [1] or not all("|" in line for line in framed):
        return None

    def split(line: str) -> list[str] | None:
        text = line.strip()
        if not text or _RULE.fullmatch(text):
            return None
        inner = text[1 if text.startswith("|") else 0 : -1 if text.endswith("|") and not text.endswith("\\|") else None]
        return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]

    return TextTable(split, "read as a Markdown table; the line between the names and the records was left out")


def _long_delimiter(lines: list[str]) -> TextTable | None:
    for delimiter in _LONG_DELIMITERS:
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and counts != {0} and not any('"' in line for line in lines):
            note = f"read with {delimiter!r} between the cells"
            return TextTable(lambda line, by=delimiter: line.split(by) if line.strip() else None, note)  # type: ignore[misc]
    return None


def _blank_before_quote(lines: list[str]) -> TextTable | None:
    """Quotes that stand behind a blank, as in `a, "b, c"`."""
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
    """Columns that start at the same place in every line, with at least two blanks before."""
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
        if not line.strip():
            return None
        return [line[start:end].strip() for start, end in itertools.pairwise([*starts, None])]

    return TextTable(split, f"read as {len(starts)} columns that blanks align")


def _blanks(lines: list[str]) -> TextTable | None:
    """One blank between cells, with quotes around those that have blanks, or at least three cells in each line."""
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
    return TextTable(lambda line: _by_reader(" ")(line.strip()), "read with blanks between the cells")


def _widths(rows: Iterator[list[str]]) -> set[int]:
    try:
        return {len(row) for row in rows if row}
    except csv.Error:
        return set()
