"""Checks the quotes of a CSV: quotes that are never closed, and text that follows a closing quote.

A quote opens a cell only as its first character. Elsewhere outside of such a cell a quote is a character like any
other, as in `5" pipe`. Arrow reads quotes by the same rule. But Arrow takes the rest of the file for one cell after an
open quote, and joins `"a"b` to `ab`.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from atlas.errors import RowError

_QUOTE = ord('"')
_CELL = rb'(?:"(?:[^"]++|"")*+"(?=[,\r\n]|\Z)|(?!")[^,\r\n]*+)'
_END = rb"(?:,|\r\n|\n|\r)"
_CELLS = re.compile(rb"(?:" + _CELL + _END + rb")*+")
_ROW = re.compile(rb"(?:" + _CELL + rb",)*+" + _CELL + rb"(?:\r\n|\n|\r)")
_QUOTED = re.compile(rb'"(?:[^"]++|"")*+"')


def open_quote(block: bytes) -> bool:
    """Returns whether a block of rows ends inside a quoted cell."""
    return (
        not _has_plain_quotes(block) and (at := _find_wrong_quotes(block)) is not None and not _QUOTED.match(block, at)
    )


def check_quotes(block: bytes, first_row: int, *, header: bool) -> None:
    """Raises RowError for a cell of whole rows whose quote is not closed, or that goes on after its closing quote.

    first_row: the number of the block's first row, without `header`.
    """
    if _has_plain_quotes(block) or (at := _find_wrong_quotes(block)) is None:
        return
    reason = (
        "a cell goes on after its closing quote; a quote inside of a quoted cell is written twice"
        if _QUOTED.match(block, at)
        else "a cell begins with a quote that is never closed; is the file cut off?"
    )
    raise RowError(first_row + rows_before(block, at) - header, None, reason)


def rows_before(block: bytes, at: int) -> int:
    """Counts the rows that end before byte `at` of a block, without empty lines."""
    return sum(1 for found in _ROW.finditer(block, 0, at) if found[0].strip(b"\r\n"))


def _has_plain_quotes(block: bytes) -> bool:
    """Returns whether quotes alternately open and close a cell, which is quick to check and true of most files."""
    if b'"' not in block:
        return True
    text = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2:
        return False
    before, after = text[quotes[0::2] - 1], text[quotes[1::2] + 1]
    return bool((_is_separator(before) | (before == _QUOTE)).all() and (_is_separator(after) | (after == _QUOTE)).all())


def _is_separator(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.isin(characters, list(b",\n\r"))
    return found


def _find_wrong_quotes(block: bytes) -> int | None:
    """Returns the offset of the first cell with wrong quotes, or None."""
    found = _CELLS.match(block)
    at = found.end() if found else 0
    return (
        at
        if block[at : at + 1] == b'"' and not ((last := _QUOTED.match(block, at)) and last.end() == len(block))
        else None
    )
