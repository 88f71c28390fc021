"""Quotes in a CSV that open or close nothing: text in a quoted cell, or in one that only begins like a quoted one.

A reader would take `"the "big" one"` apart, would run `"9,B1,"Pillow, red"` together, and would take all lines between
two quotes that are never closed for one cell. A line is mended where one reading of it has as many cells as the table
and the fewest quotes that mean nothing; what was mended is told. Where no reading is the best, the record waits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_CHUNK = 16 * 1024 * 1024
# Larger files are read as they are; lines of these are held in memory.
_MOST_BYTES = 128 * 1024 * 1024
# A line with more delimiters or quotes than this is read as it is.
_MOST_MARKS = 2_000
_QUOTE, _RETURN, _FEED = b'"\r\n'


@dataclass(frozen=True, slots=True)
class Mended:
    """A file whose quotes are right, itself where they were, and what is told of it."""

    path: Path
    notes: tuple[str, ...] = ()


def mend_quotes(path: Path, target: Path, delimiter: str, width: int) -> Mended:
    """The file with stray quotes mended, in `target` if there are any. width: cells that a record has."""
    by = delimiter.encode()
    if width < 2 or path.stat().st_size > _MOST_BYTES or not _suspicious(path, by):
        return Mended(path)
    with path.open("rb") as file:
        lines = file.readlines()
    mender = _Lines(lines, by, width)
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


class _Lines:
    """Lines of a file whose quotes are mended. within, open_ended: lines mended by cause; unread: lines that wait."""

    def __init__(self, lines: Sequence[bytes], by: bytes, width: int) -> None:
        self._lines, self._by, self._width = lines, by, width
        self.within = self.open_ended = self.unread = 0
        cell = rb'(?:"(?:[^"]++|"")*+" *|(?!")[^' + re.escape(by) + rb"]*+)"
        self._record = re.compile(cell + rb"(?:" + re.escape(by) + cell + rb")*+")

    def mended(self) -> list[bytes]:
        found: list[bytes] = []
        number = 0
        while number < len(self._lines):
            part = self._part(number)
            found += part
            number += len(part)
        return found

    def _part(self, number: int) -> list[bytes]:
        """The lines from one on that belong together, mended."""
        line = self._lines[number]
        body = line.rstrip(b"\r\n")
        if b'"' not in line or self._record.fullmatch(body):
            return [line]
        opens = _opens(body, self._by)
        part = self._several(number) if opens else [line]
        if len(part) > 1 and self._is_record(part):
            return part
        reading = read_cells(body, self._by, self._width)
        if reading is None:
            if (opens or body.count(b'"') % 2) and not (len(part) > 1 and self._are_records(part[1:])):
                return part
            # As text, each of its cells stands alone, and the record waits.
            self.unread += 1
            return [self._by.join(map(_literal, body.split(self._by))) + line[len(body) :]]
        last = reading[-1]
        if opens and number == len(self._lines) - 1 and re.fullmatch(rb'"""[^"]+"', last):
            # The file may be cut off within the last cell.
            return part
        fixed = self._by.join(reading)
        if fixed == body:
            return [line]
        if body.count(b'"') % 2:
            self.open_ended += 1
        else:
            self.within += 1
        return [fixed + line[len(body) :]]

    def _several(self, number: int) -> list[bytes]:
        """The lines up to the next one with a quote that has none to close it."""
        end = next((n for n in range(number + 1, len(self._lines)) if self._lines[n].count(b'"') % 2), None)
        return list(self._lines[number : len(self._lines) if end is None else end + 1])

    def _is_record(self, part: Sequence[bytes]) -> bool:
        """Whether lines are one record with line breaks in its cells, rather than a record each."""
        whole = b"".join(part).rstrip(b"\r\n")
        if not self._record.fullmatch(whole):
            return False
        if read_cells(whole, self._by, self._width) is None:
            return False
        return not self._are_records(part)

    def _are_records(self, lines: Sequence[bytes]) -> bool:
        """Whether each of some lines is a record by itself."""
        return all(read_cells(one.rstrip(b"\r\n"), self._by, self._width) for one in lines if one.strip())


def _opens(body: bytes, by: bytes) -> bool:
    """Whether a cell of a line begins with a quote that the line does not close."""
    return any(cell.startswith(b'"') and cell.count(b'"') % 2 for cell in body.split(by))


def read_cells(body: bytes, by: bytes, width: int) -> list[bytes] | None:
    """The cells of a line, written rightly, by the reading that has `width` of them and the fewest quotes in vain.

    None where there is no such reading, or where several are as good.
    """
    starts = [0, *(found.end() for found in re.finditer(re.escape(by), body))]
    if len(starts) + body.count(b'"') > _MOST_MARKS or len(starts) < width:
        return None
    # For each start of a cell and number of cells before it: quotes in vain, ways, and where the last cell began.
    best: list[dict[int, tuple[int, int, int]]] = [{} for _ in range(len(starts) + 1)]
    best[0][0] = (0, 1, -1)
    for place, start in enumerate(starts):
        if not best[place]:
            continue
        for after, cost in _ends(body, by, starts, place, start):
            for count, (so_far, ways, _) in best[place].items():
                if count >= width:
                    continue
                known = best[after].get(count + 1)
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
        end = len(body) if place == len(starts) else starts[place] - len(by)
        cells.append(_written(body[starts[before] : end], alone=place == before + 1))
        place = before
    return cells[::-1]


def _ends(body: bytes, by: bytes, starts: Sequence[int], place: int, start: int) -> list[tuple[int, int]]:
    """Where a cell may end, as the place of the next one, with the quotes in vain."""
    found: list[tuple[int, int]] = []
    for after in range(place + 1, len(starts) + 1):
        end = len(body) if after == len(starts) else starts[after] - len(by)
        cell = body[start:end]
        if after == place + 1:
            found.append((after, _in_vain(cell)))
            if not cell.startswith(b'"'):
                break
        elif _is_quoted(cell):
            found.append((after, _in_vain(cell)))
    return found


def _is_quoted(cell: bytes) -> bool:
    cell = cell.rstrip(b" ")
    return len(cell) > 1 and cell.startswith(b'"') and cell.endswith(b'"')


def _in_vain(cell: bytes) -> int:
    """Quotes of a cell that neither open nor close it and are not written twice."""
    if not cell.startswith(b'"'):
        return 0
    if not _is_quoted(cell):
        return cell.count(b'"')
    return cell.rstrip(b" ")[1:-1].replace(b'""', b"").count(b'"')


def _written(cell: bytes, *, alone: bool) -> bytes:
    """A cell as it should be written. alone: whether it has no delimiter, so that it may be plain."""
    if not cell.startswith(b'"'):
        return cell
    if not _is_quoted(cell):
        return _literal(cell)
    if alone and not _in_vain(cell):
        return cell
    quoted = cell.rstrip(b" ")
    inner = quoted[1:-1].replace(b'""', b'"').replace(b'"', b'""')
    return b'"' + inner + b'"' + cell[len(quoted) :]


def _literal(cell: bytes) -> bytes:
    """A cell as text, quotes included."""
    return b'"' + cell.replace(b'"', b'""') + b'"' if b'"' in cell else cell


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
