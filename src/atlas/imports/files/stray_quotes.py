"""Repairs quotes in a CSV that open or close nothing, within a quoted cell or at the start of an unquoted cell.

A reader would split `"the "big" one"`, would join `"9,B1,"Pillow, red"`, and would read all lines between two unclosed
quotes as one cell. A line is repaired by its only reading with the table's number of cells and the fewest stray quotes.
Notes report the repairs. Without a single best reading the record waits for review.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

# The size of a block that is checked at once. A block fits the processor's cache.
_CHUNK = 1024 * 1024
# Larger files are read unchanged, as the lines of smaller files are held in memory.
_MOST_BYTES = 128 * 1024 * 1024
# A line with more delimiters or quotes than this is read unchanged.
_MOST_MARKS = 2_000
_RETURN, _FEED = b"\r\n"


@dataclass(frozen=True, slots=True)
class Mended:
    """A file with correct quotes, possibly the original, and notes on repairs."""

    path: Path
    notes: tuple[str, ...] = ()


def mend_quotes(path: Path, target: Path, delimiter: str, width: int, quote: str = '"') -> Mended:
    """Repairs stray quotes. Returns `target`, or the original if there are none.

    width: the number of cells of a record.
    """
    form = _Form(delimiter.encode(), quote.encode(), width)
    if width < 2 or path.stat().st_size > _MOST_BYTES or not _suspicious(path, form):
        return Mended(path)
    with path.open("rb") as file:
        lines = file.readlines()
    mender = _Lines(lines, form)
    with target.open("wb") as out:
        out.writelines(mender.mended())
    notes = []
    if mender.within:
        notes.append(f"{_records(mender.within)} a quote within a quoted cell, which was kept")
    if mender.open_ended:
        notes.append(f"{_records(mender.open_ended)} a quote that is never closed, which was kept as text")
    return Mended(target, tuple(notes)) if notes or mender.unread else Mended(path)


def _records(count: int) -> str:
    return f"{count:,} record{' has' if count == 1 else 's have'}"


class _Form:
    """The form of cells: delimiter, quote, and the number of cells of a record."""

    def __init__(self, by: bytes, quote: bytes, width: int) -> None:
        self.by, self.quote, self.width = by, quote, width
        q, between = re.escape(quote), re.escape(by)
        cell = rb"(?:%b(?:[^%b]++|%b%b)*+%b *|(?!%b)[^%b%b]*+)" % (q, q, q, q, q, q, q, between)
        self._record = re.compile(cell + rb"(?:" + between + cell + rb")*+")
        self._part = re.compile(rb"(?:" + cell + rb"(?=" + between + rb"|\Z)|[^%b]*+)" % between)
        self._between = re.compile(between)

    def is_right(self, text: bytes) -> bool:
        """Checks that each quote of a record opens or closes a cell, or is doubled within a cell."""
        return self._record.fullmatch(text) is not None

    def starts(self, body: bytes) -> list[int]:
        """Returns the places of a line where cells may start."""
        return [0, *(found.end() for found in self._between.finditer(body))]

    def cells(self, body: bytes) -> list[bytes]:
        """Returns the cells of a line, split at delimiters, whatever their number.

        Cells with stray quotes become texts.
        """
        found: list[bytes] = []
        place = 0
        while place <= len(body):
            part = self._part.match(body, place)
            assert part is not None
            found.append(part[0] if self.is_right(part[0]) else self.literal(part[0]))
            place = part.end() + len(self.by)
        return found

    def opens(self, body: bytes) -> bool:
        """Checks whether a cell of a line begins with a quote that the line does not close."""
        return any(cell.startswith(self.quote) and cell.count(self.quote) % 2 for cell in body.split(self.by))

    def is_quoted(self, cell: bytes) -> bool:
        cell = cell.rstrip(b" ")
        return len(cell) > 1 and cell.startswith(self.quote) and cell.endswith(self.quote)

    def in_vain(self, cell: bytes) -> int:
        """Counts the quotes of a cell that neither open nor close the cell and are not doubled."""
        if not cell.startswith(self.quote):
            return 0
        if not self.is_quoted(cell):
            return cell.count(self.quote)
        return cell.rstrip(b" ")[1:-1].replace(self.quote * 2, b"").count(self.quote)

    def written(self, cell: bytes) -> bytes:
        """Returns a cell with correct quotes."""
        if not cell.startswith(self.quote):
            return cell
        if not self.is_quoted(cell):
            return self.literal(cell)
        quoted = cell.rstrip(b" ")
        inner = quoted[1:-1].replace(self.quote * 2, self.quote).replace(self.quote, self.quote * 2)
        return self.quote + inner + self.quote + cell[len(quoted) :]

    def literal(self, cell: bytes) -> bytes:
        """Returns a cell as a text, quotes included."""
        doubled = cell.replace(self.quote, self.quote * 2)
        return self.quote + doubled + self.quote if self.quote in cell else cell


class _Lines:
    """Lines of a file whose quotes are being repaired.

    within, open_ended: the numbers of repaired lines by cause.
    unread: the number of lines that wait.
    """

    def __init__(self, lines: Sequence[bytes], form: _Form) -> None:
        self._lines, self._form = lines, form
        self.within = self.open_ended = self.unread = 0

    def mended(self) -> list[bytes]:
        found: list[bytes] = []
        number = 0
        while number < len(self._lines):
            part = self._part(number)
            found += part
            number += len(part)
        return found

    def _part(self, number: int) -> list[bytes]:
        """Returns the lines from `number` on that belong together, repaired."""
        line, form = self._lines[number], self._form
        body = line.rstrip(b"\r\n")
        if form.quote not in line or form.is_right(body):
            return [line]
        opens, odd = form.opens(body), body.count(form.quote) % 2 == 1
        part = self._several(number) if opens else [line]
        if len(part) > 1 and self._is_record(part):
            return part
        reading = read_cells(body, form)
        if reading is None:
            if (opens or odd) and not (len(part) > 1 and self._are_records(part[1:])):
                return part
            # With another number of cells the record waits.
            self.unread += 1
            return [form.by.join(form.cells(body)) + line[len(body) :]]
        last, quote = reading[-1], form.quote
        if (
            opens
            and number == len(self._lines) - 1
            and last.startswith(quote * 3)
            and last.count(quote) == 4 < len(last)
        ):
            # The file may be truncated within the last cell.
            return part
        fixed = form.by.join(reading)
        if fixed == body:
            return [line]
        self.open_ended += odd
        self.within += not odd
        return [fixed + line[len(body) :]]

    def _several(self, number: int) -> list[bytes]:
        """Returns the lines up to the next line with an unpaired quote."""
        quote = self._form.quote
        end = next((n for n in range(number + 1, len(self._lines)) if self._lines[n].count(quote) % 2), None)
        return list(self._lines[number : len(self._lines) if end is None else end + 1])

    def _is_record(self, part: Sequence[bytes]) -> bool:
        """Checks whether lines are one record with line breaks in cells, rather than one record each."""
        whole = b"".join(part).rstrip(b"\r\n")
        if not self._form.is_right(whole) or read_cells(whole, self._form) is None:
            return False
        return not self._are_records(part)

    def _are_records(self, lines: Sequence[bytes]) -> bool:
        """Checks whether each line is a record on its own."""
        return all(read_cells(one.rstrip(b"\r\n"), self._form) for one in lines if one.strip())


def read_cells(body: bytes, form: _Form) -> list[bytes] | None:
    """Returns the correctly written cells of a line, by the reading with the right number of cells and the fewest stray
    quotes.

    Returns None if there is no such reading, or several equally good ones.
    """
    starts, width = form.starts(body), form.width
    if len(starts) + body.count(form.quote) > _MOST_MARKS or len(starts) < width:
        return None
    # For each start of a cell and number of cells before: stray quotes, number of ways, and the start of the last cell.
    best: list[dict[int, tuple[int, int, int]]] = [{} for _ in range(len(starts) + 1)]
    best[0][0] = (0, 1, -1)
    for place in range(len(starts)):
        for after, cost in _ends(body, form, starts, place) if best[place] else ():
            for count, (so_far, ways, _) in best[place].items():
                known = best[after].get(count + 1)
                if count >= width:
                    continue
                if known is None or so_far + cost < known[0]:
                    best[after][count + 1] = (so_far + cost, ways, place)
                elif so_far + cost == known[0]:
                    best[after][count + 1] = (known[0], known[1] + ways, known[2])
    if width not in best[-1] or best[-1][width][1] > 1:
        return None
    cells: list[bytes] = []
    place = len(starts)
    for count in range(width, 0, -1):
        before = best[place][count][2]
        cells.append(form.written(body[starts[before] : _end(body, form, starts, place)]))
        place = before
    return cells[::-1]


def _end(body: bytes, form: _Form, starts: Sequence[int], after: int) -> int:
    """Returns the end of a cell before the cell at `after`."""
    return len(body) if after == len(starts) else starts[after] - len(form.by)


def _ends(body: bytes, form: _Form, starts: Sequence[int], place: int) -> list[tuple[int, int]]:
    """Returns the possible ends of a cell, as places of the next cell, with the number of stray quotes."""
    start = starts[place]
    cell = body[start : _end(body, form, starts, place + 1)]
    found = [(place + 1, form.in_vain(cell))]
    if cell.startswith(form.quote):
        for after in range(place + 2, len(starts) + 1):
            cell = body[start : _end(body, form, starts, after)]
            if form.is_quoted(cell):
                found.append((after, form.in_vain(cell)))
    return found


def _suspicious(path: Path, form: _Form) -> bool:
    """Checks whether a quote opens no cell, or closes a cell that continues behind the quote."""
    ends = np.zeros(256, np.bool_)
    ends[[*form.by, *form.quote, _RETURN, _FEED]] = True
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            if not _is_plain(b"\n" + whole + b"\n", form.quote[0], ends):
                return True
    return not _is_plain(b"\n" + rest + b"\n", form.quote[0], ends)


def _is_plain(block: bytes, quote: int, ends: npt.NDArray[np.bool_]) -> bool:
    """Checks whether every other quote opens a cell, and the quotes between close it."""
    text = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(text == quote)
    return len(quotes) % 2 == 0 and bool(ends[text[quotes[0::2] - 1]].all() and ends[text[quotes[1::2] + 1]].all())
