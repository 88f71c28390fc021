"""Decodes few plain CSV rows without Arrow, which has a fixed cost of a millisecond for each body.

A plain body has no quotes, and its timestamps have the usual form. Its cells are numbers that a float or 64-bit integer
preserves, `true`, `false`, and texts that begin like no number. `csv_rows` decodes other bodies, and reports mistakes.
For plain bodies both return the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atlas.kit.timestamps import parse_timestamp, to_micros
from atlas.timeseries.columns import EXACT_FLOAT
from atlas.timeseries.formats import from_flat_key
from atlas.timeseries.ingest.json_small import is_stamp
from atlas.timeseries.ingest.number_texts import gives_back
from atlas.timeseries.ingest.plain_row import PlainRows, Scalar
from atlas.timeseries.ingest.tabular import time_names

# Beyond this size Arrow is as fast.
SMALL_BYTES = 8 * 1024
# An integer that fits 64 bits in any case, and a number with a fraction or an exponent that every float has.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ -~]*")
# Bytes that make a body other than plain: quotes, NUL and other controls but line ends.
_ODD = re.compile(rb'["\x00-\x08\x0b-\x1f\x7f\t]')
_NO_TEXT = frozenset("0123456789+-.")
_BOOLEANS = {"true": True, "false": False}


def decode(body: bytes, dataset: int) -> PlainRows | None:
    """Decodes the rows of a small CSV for a dataset, or returns None for a body that is large or not plain."""
    if len(body) > SMALL_BYTES or body.startswith(b"\xef\xbb\xbf"):
        return None
    body = body.replace(b"\r\n", b"\n")
    if _ODD.search(body):
        return None
    try:
        head, *lines = body.removesuffix(b"\n").decode().split("\n")
    except UnicodeDecodeError:
        return None
    names = head.split(",")
    times = time_names(names)
    width = len(names)
    if len(times) != 1 or width < 2 or len(set(names)) < width or not all(map(_is_plain_name, names)) or not lines:
        return None
    cells = [line.split(",") for line in lines]
    if any(len(row) != width for row in cells):
        return None
    columns = dict(zip(names, map(list, zip(*cells, strict=True)), strict=True))
    stamps = columns.pop(times[0])
    if not all(map(is_stamp, stamps)):
        return None
    try:
        micros = [to_micros(parse_timestamp(stamp)) for stamp in stamps]
    except ValueError:
        return None
    found: dict[str, list[Scalar | None]] = {}
    for name, texts in columns.items():
        values = _values(texts)
        if values is None:
            return None
        found[from_flat_key(name)] = values
    return PlainRows(dataset, micros, found, times[0]) if len(found) == width - 1 else None


def _is_plain_name(name: str) -> bool:
    return name == name.strip() != "" and "\ufeff" not in name


def _values(texts: Sequence[str]) -> list[Scalar | None] | None:
    """Returns the values of a column, null for empty cells, or None when a cell is not plain."""
    values = [_value(text) for text in texts]
    kinds = {type(value) for value in values if value is not None}
    if type(...) in kinds:
        return None
    if len(kinds) <= 1:
        return values  # type: ignore[return-value]
    if kinds == {int, float}:
        if any(type(value) is int and abs(value) >= EXACT_FLOAT for value in values):
            return None
        return [None if value is None else float(value) for value in values]  # type: ignore[arg-type]
    # A column of texts, in which each cell keeps its own notation.
    return [text or None for text in texts]


def _value(text: str) -> object:
    """Returns the value of a cell: null for an empty cell, and an ellipsis for a cell that is not plain."""
    if not text:
        return None
    if text[0] not in _NO_TEXT:
        known = _BOOLEANS.get(text)
        if known is not None:
            return known
        # Arrow reads `nan` and `inf` in any case as floats, and numbers with blanks around.
        return ... if text != text.strip() or text[:3].lower() in ("nan", "inf") else text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        if text.lstrip("-").isdigit():
            # An integer past 64 bits, or -0.
            return ...
        value = float(text)
        return value if repr(value) == text or gives_back(text, value) else ...
    return text if _DAY.fullmatch(text) and text == text.strip() else ...
