"""Finds the start of the table in the first rows of a sheet, and the names of the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from atlas.imports.infer.cell_values import is_even, kind_of, looks_like_value
from atlas.kit.plurals import many

# The number of rows that are examined.
SAMPLE_ROWS = 100
# Words of column names in several languages. Names of several parts, such as first_name or firstName, match as well.
_USUAL_NAME = re.compile(
    r"""(?i:^|[\s_.-])(?i:id|name|title|date|time|year|month|day|city|town|state|country|region|street|address|zip|
    e-?mail|phone|tel|status|type|kind|category|group|code|key|number|no|nr|sku|item|product|company|customer|client|
    user|price|amount|cost|total|qty|quantity|count|unit|value|note|notes|comment|description|text|url|link|website|
    tags?|gender|sex|age|currency|language|department|role|team|owner|author|label|color|colour|size|first|last|
    vorname|nachname|ort|stadt|land|datum|preis|menge|betrag|strasse|straße|nom|prénom|ville|pays|prix|nombre|ciudad|
    país|precio|fecha|cognome|città|paese)(?:$|[\s_.:-]|s$)|[a-z][A-Z]|\w_\w""",
    re.VERBOSE,
)
# A statement of a report on itself, such as `From: 2024-01-01`.
_LABELLED = re.compile(r"[^\W\d_][^:]{0,40}: \S")
# A type, such as varchar(20) or string.
_TYPE = re.compile(
    r"(unsigned )?(u?int(8|16|32|64)?|integer|(big|small|tiny)int|long|short|float(32|64)?|double( precision)?|real|"
    r"decimal|numeric|number|bool(ean)?|string|str|text|char|n?varchar2?|date|datetime|timestamp(tz)?|time|uuid|jsonb?)"
    r"(\([\d, ]+\))?",
    re.IGNORECASE,
)
# A unit, such as kg, m/s², %, [°C] or (EUR).
_UNIT = re.compile(r"[\[(<]?[^\W\d_°µΩ%$€£¥]{0,6}[°µΩ%$€£¥]?[\w/·*^²³°µΩ%-]{0,8}[\])>]?")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The place of a table in a sheet.

    skip: rows before the first row of data.
    names: texts of the header, "" for a column without a name.
    width: the number of columns.
    header: whether the file has a header.
    above: rows before the table.
    notes: the guesses.
    units: of columns by position, if a line below the header has units.
    """

    skip: int
    names: tuple[str, ...]
    width: int
    header: bool
    above: int = 0
    notes: tuple[str, ...] = ()
    units: Mapping[int, str] = field(default_factory=dict)


def stated_layout(rows: Rows, *, header: bool | None, header_row: int | None, skip_rows: int) -> Layout | None:
    """Finds the layout as `find_layout` does, with a person's statements on the first rows.

    Raises ValueError: with a question, when the statements do not fit the rows.
    """
    if header_row is None and not skip_rows:
        return find_layout(rows, header=header)
    if header_row is not None:
        if header is False:
            raise ValueError(f"Is row {header_row} the header, or has the file none?")
        if header_row > len(rows):
            raise ValueError(f"Which row is the header? Row {header_row} is past the first {many(len(rows), 'row')}.")
        if not any(cell.strip() for cell in rows[header_row - 1]):
            raise ValueError(f"Which row is the header? Row {header_row} is blank.")
        above, header = header_row - 1, True
    else:
        found = find_layout(rows)
        above = skip_rows
        if found is not None and found.header and found.skip <= skip_rows and header is None:
            raise ValueError(
                f"Row {found.skip} looks like the header. {_first(skip_rows)} above the table, or records? "
                f"Say which row the header is in, such as 'the header is in row {skip_rows + 1}'."
            )
    layout = find_layout(rows[above:], header=header)
    if layout is None:
        return None
    if header_row is not None and layout.skip != 1:
        # A stated header counts, even if the row is too short to look like a header.
        width = max(layout.width, len(rows[above]))
        names = [cell.strip() for cell in rows[above]]
        return Layout(above + 1, tuple(_padded(names, width)), width, header=True, above=above)
    return replace(layout, skip=above + layout.skip, above=above + layout.above)


def _first(count: int) -> str:
    return "Is the first row a line" if count == 1 else f"Are the first {count} rows lines"


def find_layout(rows: Rows, *, header: bool | None = None) -> Layout | None:
    """Finds the layout of a sheet that starts with `rows`. Returns None if all rows are blank."""
    filled = [[cell.strip() for cell in row] for row in rows[:SAMPLE_ROWS]]
    width = _width(filled)
    if not width:
        return None
    if header is not False and (before := _comment_rows(filled) or _title_rows(filled) or _rows_apart(filled, width)):
        below = find_layout(rows[before:], header=header)
        if below is not None and below.header:
            return replace(below, skip=below.skip + before, above=below.above + before)
    top = _first_table_row(filled, width)
    notes: list[str] = []
    stated, header = header is not None, _is_header(filled, top) if header is None else header
    if not header:
        if not stated:
            notes.append("no line with names of columns was found, so the first line is a record")
        return Layout(top, tuple("" for _ in range(width)), width, header=False, above=top, notes=tuple(notes))
    if not stated and not _is_sure(filled, top):
        shown = ", ".join(cell for cell in filled[top][:5] if cell)
        notes.append(f"took the first line ({shown}) for the names of the columns; say no header if it is a record")
    names, width, told = _named(filled, top, width)
    notes += told
    skip = top + 1
    above = filled[top - 1] if top else []
    if _is_group_row(names) and top + 2 < len(filled) and _is_sub_header(filled, top):
        names = _joined(names, _padded(filled[top + 1], width))
        skip = top + 2
    elif len(set(filter(None, names))) < len([name for name in names if name]) and _is_group_row(above):
        names = _joined(_padded(above, width), names)
    units: dict[int, str] = {}
    if not stated and skip == top + 1 and _is_unit_row(filled, skip):
        shown = ", ".join(filter(None, filled[skip]))
        if _TYPE.fullmatch(next(filter(None, filled[skip]))):
            notes.append(f"the line of types below the names was left out: {shown}")
        else:
            notes.append(f"the line of units below the names is no record: {shown}")
            units = _units(filled[skip][:width])
        skip += 1
    return Layout(skip, tuple(names), width, header=True, above=top, notes=tuple(notes), units=units)


def _units(row: Sequence[str]) -> dict[int, str]:
    """Returns the units of a line of units, without brackets, by position."""
    bare = {position: cell.strip("[]()<> ") for position, cell in enumerate(row)}
    return {position: cell for position, cell in bare.items() if cell.strip("-–")}


def _comment_rows(rows: Rows) -> int:
    """Counts the rows above a header that begin with `#`.

    A single such row with the table's width may be the header.
    """
    count = 0
    while count < len(rows) and (not any(rows[count]) or next(filter(None, rows[count])).startswith("#")):
        count += 1
    below = rows[count:]
    if not count or not any(map(any, rows[:count])) or len(below) < 2:
        return 0
    width = _width(below)
    top = _first_table_row(below, width) if width else 0
    return count if width and _is_header(below, top) and _is_sure(below, top) else 0


def _title_rows(rows: Rows) -> int:
    """Counts the rows above a table that describe the table in several cells: `Name:,Ann` or `From: May,To: June`."""
    count, several = 0, False
    for row in rows:
        cells = [cell for cell in row if cell]
        labelled = len(cells) > 1 and (cells[0].endswith(":") or all(_LABELLED.match(cell) for cell in cells))
        if len(cells) > 1 and not labelled:
            break
        count, several = count + 1, several or labelled
    below = rows[count:]
    if not several or len(below) < 2:
        return 0
    width = _width(below)
    return count if all(_last(row) < width for row in rows[:count]) and _is_header(below, 0) else 0


def _rows_apart(rows: Rows, width: int) -> int:
    """Counts the rows above a blank row if all are narrower than the table below, whose first row is surely a header.

    Banks and devices write such rows, a label beside a value.
    """
    count = next((at for at, row in enumerate(rows) if not any(row)), 0)
    labels = [next(filter(None, row)) for row in rows[:count]]
    if not count or any(map(looks_like_value, labels)) or any(_last(row) >= width for row in rows[:count]):
        return 0
    below = next((at for at in range(count, len(rows)) if any(rows[at])), len(rows))
    body = [row for row in rows[below + 1 :] if any(row)]
    full = below < len(rows) and len([cell for cell in rows[below] if cell]) == width
    # A narrower row further below belongs to no table of this width.
    if not full or not body or any(_last(row) != width for row in body[:2]):
        return 0
    if _is_table(rows[:count]) and len(body) <= 2 * count:
        return 0
    return below if _is_header(rows, below) and _is_sure(rows, below) else 0


def _is_table(rows: Rows) -> bool:
    """Checks whether rows are a header and records rather than labels beside values."""
    even = len(rows) > 2 and len({_last(row) for row in rows}) == 1
    numbered = any(map(re.compile(r"\d").search, rows[0]))
    return even and not numbered and _is_header(rows, 0) and _is_sure(rows, 0)


def _named(rows: Rows, top: int, width: int) -> tuple[list[str], int, list[str]]:
    """Returns the names of the columns, the number of columns, and notes if the rows have more cells."""
    head, body = rows[top], [row for row in rows[top + 1 :] if any(row)]
    named = _last(head)
    if named > width and body:
        return _fewer_cells(head, width, body)
    for_nothing = "rows end with a delimiter, behind which nothing stands; the header does not"
    if named == width and body and len(head) == named and all(len(row) > named for row in body):
        return list(head), width, [for_nothing]
    if named >= width or not body or len(head) != named or any(cell == "" for cell in head):
        return _padded(head, width), width, []
    if any(_last(row) <= named and len(row) <= named for row in body):
        # Rows with more cells than there are names are the wrong rows.
        return _padded(head, named), named, []
    more = f"rows have {width} cells, but the header has {named} names"
    if width == named + 1 and sum(not row[named] for row in body) * 2 > len(body):
        return _padded(head, named), named, [f"most {for_nothing}"]
    if width == named + 1:
        # R writes files like this: the column with the names of rows has no name.
        return ["", *_padded(head, named)], width, [f"{more}; the first column has none"]
    return _padded(head, width), width, [f"{more}; the last columns have none"]


def _fewer_cells(head: Sequence[str], width: int, body: Rows) -> tuple[list[str], int, list[str]]:
    """Returns as `_named` does for rows with fewer cells than the header. A blank cell among the names is no column."""
    names = [cell for cell in head if cell]
    # The last column may be empty in all rows.
    usual = Counter(map(len, body)).most_common(1)[0][0]
    width = usual if len(names) == usual else width
    more = f"the header has {_last(head)} cells, but rows have {width}"
    if len(names) == width:
        return names, width, [f"{more}; the names are those of its cells that are not blank"]
    rest = ", ".join(cell for cell in head[width:] if cell)
    return _padded(head, width), width, [f"{more}; left out of the names: {rest}"]


def _width(rows: Rows) -> int:
    """Returns the number of columns of most rows. Titles and notes are narrower, and a usual empty last cell counts."""
    lengths = Counter(len(row) for row in rows if any(row))
    if not lengths:
        return 0
    most = max(lengths.values())
    # Among lengths of similar frequency the greatest counts: short rows lack their last cells.
    usual = max(length for length, times in lengths.items() if times * 2 >= most)
    used = max((_last(row[:usual]) for row in rows), default=0)
    return min(usual, used) or 0


def _last(row: Sequence[str]) -> int:
    return max((position for position, cell in enumerate(row, 1) if cell), default=0)


def _first_table_row(rows: Rows, width: int) -> int:
    """Returns the first row with enough cells to belong to the table, or the first row that is not blank."""
    need = 1 if width == 1 else max(2, (width + 1) // 2)
    for position, row in enumerate(rows):
        if sum(1 for cell in row if cell) >= need or _names_last(rows, position, width):
            return position
    return next(position for position, row in enumerate(rows) if any(row))


def _names_last(rows: Rows, position: int, width: int) -> bool:
    """Checks whether a row names the last columns only, as programs write an index without a name: `,total`."""
    row, below = rows[position], rows[position + 1 : position + 2]
    blank = next((place for place, cell in enumerate(row) if cell), len(row))
    names = row[blank:]
    if not blank or len(row) != width or not names or not all(names) or any(map(looks_like_value, names)):
        return False
    if not below or len(below[0]) != width or not all(below[0]):
        return False
    # A title above a header has no values below.
    usual = any(map(_USUAL_NAME.search, names)) and not any(map(_USUAL_NAME.search, below[0]))
    return usual or any(map(looks_like_value, below[0]))


def _is_header(rows: Rows, top: int) -> bool:
    head = rows[top]
    body = [row for row in rows[top + 1 :] if any(row)]
    if any(looks_like_value(cell) for cell in head if cell):
        return _is_series(head, body)
    if not body:
        return True
    typed = repeated = 0
    for position, name in enumerate(head):
        cells = _column(body, position)
        typed += bool(cells) and all(looks_like_value(cell) for cell in cells)
        repeated += bool(name) and cells.count(name) > max(1, len(cells) // 20)
    if typed:
        return True
    return repeated * 2 <= len(head)


def _is_series(head: Sequence[str], body: Rows) -> bool:
    """Checks whether values in a header form a series, such as years, months or sizes, of another kind than the cells
    below.
    """
    named = [position for position, cell in enumerate(head) if cell and not looks_like_value(cell)]
    valued = [position for position, cell in enumerate(head) if cell and looks_like_value(cell)]
    if len(valued) < 2 or not named or named[-1] > valued[0] or not body:
        return False
    kinds = {kind_of(head[position]) for position in valued}
    if len(kinds) > 1 or len({head[position] for position in valued}) < len(valued):
        return False
    below = {kind_of(cell) for position in valued for cell in _column(body, position)}
    if below and not below & kinds:
        return True
    # Sizes or hours that increase in even steps, unlike every line below.
    return (
        kinds == {"whole"}
        and len(valued) > 2
        and is_even(head, valued)
        and not any(is_even(row, valued) for row in body)
    )


def _is_sure(rows: Rows, top: int) -> bool:
    """Checks whether a header surely differs from the records, by the types below or by a usual name of a column."""
    body = [row for row in rows[top + 1 :] if any(row)]
    typed = any(
        cells and all(looks_like_value(cell) for cell in cells)
        for cells in (_column(body, position) for position in range(len(rows[top])))
    )
    return typed or not body or any(_USUAL_NAME.search(cell) for cell in rows[top])


def _is_unit_row(rows: Rows, at: int) -> bool:
    """Checks whether a row holds units below the names, or the types of columns, as databases write.

    Units are a short word in each column with values only.
    """
    below = [row for row in rows[at + 1 :] if any(row)]
    if at >= len(rows) or not below:
        return False
    cells = [(position, cell) for position, cell in enumerate(rows[at]) if cell]
    valued = [bool(column := _column(below, n)) and all(map(looks_like_value, column)) for n, _ in cells]
    if len(cells) > 1 and all(_TYPE.fullmatch(cell) for _, cell in cells):
        # If types are the data, other records have types as well.
        return any(valued) or not any(_TYPE.fullmatch(cell) for row in below for cell in row)
    if len(below) < 2 or not cells:
        return False
    if any(looks_like_value(cell) or not _UNIT.fullmatch(cell) for _, cell in cells):
        return False
    return any(valued) and all(
        is_valued or cell in ("-", "--", "–") for is_valued, (_, cell) in zip(valued, cells, strict=True)
    )


def _column(rows: Rows, position: int) -> list[str]:
    return [row[position] for row in rows if position < len(row) and row[position]]


def _is_group_row(row: Sequence[str]) -> bool:
    """Checks whether a row such as `Contact,,Address,` names groups of columns."""
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
