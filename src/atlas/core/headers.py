"""Finds where the table starts in the first rows of a sheet, and what its columns are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# Rows to look at.
SAMPLE_ROWS = 100
_VALUE = re.compile(
    r"""[^\w]*[+-]?[\d][\d.,'\s]*[^\w]*$            # numbers, amounts, percents, plain dates
      | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}             # dates, with a time or not
      | (true|false)$
      | [^@\s]+@[^@\s]+\.[^@\s]+$                   # e-mail
      | https?://                                   # address
      | [+(]?\d[\d\s().-]{5,}$""",
    re.VERBOSE | re.IGNORECASE,
)
_YEAR = re.compile(r"(19|20)\d\d$")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table is in a sheet.

    skip: rows before the first row of data; names: texts of the header ("" where a column has none);
    width: columns; header: whether the file has one.
    """

    skip: int
    names: tuple[str, ...]
    width: int
    header: bool


def stated_layout(rows: Rows, *, header: bool | None, header_row: int | None, skip_rows: int) -> Layout | None:
    """As `find_layout`, with what somebody says of the first rows. Raises ValueError with a question about it."""
    if header_row is None and not skip_rows:
        return find_layout(rows, header=header)
    if header_row is not None:
        if header is False:
            raise ValueError(f"Is row {header_row} the header, or has the file none?")
        if header_row > len(rows):
            raise ValueError(f"Which row is the header? Row {header_row} is past the first {len(rows)} rows.")
        if not any(cell.strip() for cell in rows[header_row - 1]):
            raise ValueError(f"Which row is the header? Row {header_row} is blank.")
        above, header = header_row - 1, True
    else:
        found = find_layout(rows)
        above = skip_rows
        if found is not None and found.header and found.skip <= skip_rows and header is None:
            raise ValueError(
                f"Row {found.skip} looks like the header. Are the first {skip_rows} rows above the table, or records? "
                f"Say which row the header is in, such as 'the header is in row {skip_rows + 1}'."
            )
    layout = find_layout(rows[above:], header=header)
    if layout is None:
        return None
    if header_row is not None and layout.skip != 1:
        # A header that is too short to look like one is one all the same.
        width = max(layout.width, len(rows[above]))
        names = [cell.strip() for cell in rows[above]]
        return Layout(above + 1, tuple(_padded(names, width)), width, header=True)
    return Layout(above + layout.skip, layout.names, layout.width, layout.header)


def find_layout(rows: Rows, *, header: bool | None = None) -> Layout | None:
    """The layout of a sheet that starts with `rows`; None where all of them are blank."""
    filled = [[cell.strip() for cell in row] for row in rows[:SAMPLE_ROWS]]
    width = _width(filled)
    if not width:
        return None
    top = _first_table_row(filled, width)
    if header is None:
        header = _is_header(filled, top)
    if not header:
        return Layout(top, tuple("" for _ in range(width)), width, header=False)
    names = _padded(filled[top], width)
    skip = top + 1
    above = filled[top - 1] if top else []
    if _is_group_row(names) and top + 2 < len(filled) and _is_sub_header(filled, top):
        names = _joined(names, _padded(filled[top + 1], width))
        skip = top + 2
    elif len(set(filter(None, names))) < len([name for name in names if name]) and _is_group_row(above):
        names = _joined(_padded(above, width), names)
    return Layout(skip, tuple(names), width, header=True)


def looks_like_value(cell: str) -> bool:
    """Whether a text is data rather than the name of a column. A year may be either."""
    return bool(_VALUE.match(cell)) and not _YEAR.match(cell)


def _width(rows: Rows) -> int:
    """Columns of most rows; a title or a note is narrower, and an empty last cell counts where it is usual."""
    lengths = Counter(len(row) for row in rows if any(row))
    if not lengths:
        return 0
    most = max(lengths.values())
    # Of lengths that are about as common, the widest: short rows lack their last cells.
    usual = max(length for length, times in lengths.items() if times * 2 >= most)
    used = max((_last(row[:usual]) for row in rows), default=0)
    return min(usual, used) or 0


def _last(row: Sequence[str]) -> int:
    return max((position for position, cell in enumerate(row, 1) if cell), default=0)


def _first_table_row(rows: Rows, width: int) -> int:
    """The first row that is filled well enough to be of the table, or at least more so than a title."""
    need = 1 if width == 1 else max(2, (width + 1) // 2)
    for position, row in enumerate(rows):
        if sum(1 for cell in row if cell) >= need:
            return position
    return next(position for position, row in enumerate(rows) if any(row))


def _is_header(rows: Rows, top: int) -> bool:
    head = rows[top]
    if any(looks_like_value(cell) for cell in head if cell):
        return False
    body = [row for row in rows[top + 1 :] if any(row)]
    if not body:
        return True
    typed = repeated = 0
    for position, name in enumerate(head):
        cells = [row[position] for row in body if position < len(row) and row[position]]
        typed += bool(cells) and all(looks_like_value(cell) for cell in cells)
        repeated += bool(name) and cells.count(name) > max(1, len(cells) // 20)
    if typed:
        return True
    return repeated * 2 <= len(head)


def _is_group_row(row: Sequence[str]) -> bool:
    """A row such as `Contact,,Address,` that names groups of columns."""
    used = _last(row)
    return sum(1 for cell in row if cell) >= 2 and any(not cell for cell in row[1 : used + 1])


def _is_sub_header(rows: Rows, top: int) -> bool:
    second, rest = rows[top + 1], [row for row in rows[top + 2 :] if any(row)]
    names = [cell for cell in second if cell]
    if not names or any(looks_like_value(cell) for cell in names) or not rest:
        return False
    blanks = [position for position, cell in enumerate(rows[top]) if not cell]
    return all(position < len(second) and second[position] for position in blanks) and any(
        looks_like_value(cell) for row in rest for cell in row if cell
    )


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _joined(groups: Sequence[str], names: Sequence[str]) -> list[str]:
    joined, group = [], ""
    for upper, lower in zip(groups, names, strict=True):
        group = upper or group
        joined.append(" ".join(part for part in (group, lower) if part))
    return joined
