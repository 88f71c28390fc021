"""Quotes in a CSV that open or close nothing: doubled where they stand within a quoted cell, text where none closes.

A reader would take `"the "big" one"` apart, and would take all lines between two quotes that are never closed for one
cell. Both are mended only where every line comes out with as many cells as the table has; what was mended is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_CHUNK = 16 * 1024 * 1024
# Larger files are read as they are; lines of these are held in memory.
_MOST_BYTES = 128 * 1024 * 1024
_QUOTE, _RETURN, _FEED = b'"\r\n'


@dataclass(frozen=True, slots=True)
class Mended:
    """A file whose quotes are right, itself where they were, and what is told of it."""

    path: Path
    notes: tuple[str, ...] = ()


def mend_quotes(path: Path, target: Path, delimiter: str, width: int) -> Mended:
    """The file with stray quotes mended, in `target` if there are any. width: cells that a record has."""
    by = delimiter.encode()
    if path.stat().st_size > _MOST_BYTES or not _suspicious(path, by):
        return Mended(path)
    within = open_ended = 0
    with path.open("rb") as file, target.open("wb") as out:
        lines = file.readlines()
        number = 0
        while number < len(lines):
            line = lines[number]
            if line.count(b'"') % 2 == 0:
                fixed = _inner(line, by, width)
                if fixed is None and line.count(by) == width - 1 and (plain := _literal(line, by)) != line:
                    fixed = plain
                within += fixed is not None
                out.write(fixed or line)
                number += 1
                continue
            end = next((n for n in range(number + 1, len(lines)) if lines[n].count(b'"') % 2), None)
            part = lines[number : len(lines) if end is None else end + 1]
            if not _opens(line, by):
                # As in `5" pipe`, which every reader takes for text.
                out.write(line)
                number += 1
                continue
            if len(part) > 1 and all(one.count(by) == width - 1 for one in part if one.strip()):
                # Each line is a record by itself, so the quote in it is text. One in the last line may be cut off.
                out.write(_literal(line, by))
                open_ended += 1
                number += 1
                continue
            out.writelines(part)
            number += len(part)
    notes = []
    if within:
        notes.append(f"{_records(within)} a quote within a quoted cell, which was kept")
    if open_ended:
        notes.append(f"{_records(open_ended)} a quote that is never closed, which was kept as text")
    return Mended(target, tuple(notes)) if notes else Mended(path)


def _opens(line: bytes, by: bytes) -> bool:
    """Whether a cell of a line begins with a quote that the line does not close."""
    return any(cell.startswith(b'"') and cell.count(b'"') % 2 for cell in line.rstrip(b"\r\n").split(by))


def _records(count: int) -> str:
    return f"{count:,} record{' has' if count == 1 else 's have'}"


def _suspicious(path: Path, by: bytes) -> bool:
    """Whether a quote opens no cell, or closes one that goes on behind it."""
    ends = np.zeros(256, np.bool_)
    ends[[*by, _QUOTE, _RETURN, _FEED]] = True
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            if not _is_plain(b"\n" + whole + b"\n", ends):
                return True
    return not _is_plain(b"\n" + rest + b"\n", ends)


def _is_plain(block: bytes, ends: npt.NDArray[np.bool_]) -> bool:
    """Whether every other quote opens a cell, and the ones between close it."""
    text = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    return len(quotes) % 2 == 0 and bool(
        ends[text[quotes[0::2] - 1]].all() and ends[text[quotes[1::2] + 1]].all()
    )  # fmt: skip


def _inner(line: bytes, by: bytes, width: int) -> bytes | None:
    """A line whose quoted cells have their inner quotes doubled; None where nothing is wrong, or no way is sure."""
    body = line.rstrip(b"\r\n")
    cell = rb'(?:"(?:.*?)"(?=' + re.escape(by) + rb"|\Z)|[^\"" + re.escape(by) + rb"][^" + re.escape(by) + rb"]*|)"
    cells = re.findall(rb"(?:\A|" + re.escape(by) + rb")(" + cell + rb")", body)
    if len(cells) != width or sum(map(len, cells)) + (width - 1) * len(by) != len(body):
        return None
    fixed = [_doubled(one) for one in cells]
    return by.join(fixed) + line[len(body) :] if fixed != cells else None


def _doubled(cell: bytes) -> bytes:
    if not (cell.startswith(b'"') and cell.endswith(b'"') and len(cell) > 1):
        return cell
    inner = cell[1:-1]
    if b'"' not in inner.replace(b'""', b""):
        return cell
    return b'"' + inner.replace(b'""', b'"').replace(b'"', b'""') + b'"'


def _literal(line: bytes, by: bytes) -> bytes:
    """A line whose cells are taken as they are, quotes included, but for those that are quoted rightly."""
    body = line.rstrip(b"\r\n")
    cells = []
    for cell in body.split(by):
        # Blanks behind a quoted cell are none of its text.
        quoted = cell.rstrip(b" ")
        whole = len(quoted) > 1 and quoted.startswith(b'"') and quoted.endswith(b'"') and cell.count(b'"') % 2 == 0
        cells.append(cell if whole or not cell.count(b'"') else b'"' + cell.replace(b'"', b'""') + b'"')
    return by.join(cells) + line[len(body) :]
