"""Positions in a JSON body that cannot be decoded, for errors and for the check of rights."""

from __future__ import annotations

import re

from atlas.errors import RowError
from atlas.kit.json_depth import MAX_DEPTH, TOO_DEEP, tokens, too_deep

# Bytes of a body that are searched for the dataset that decides write access. Programs send this member first.
_HEAD = 256 * 1024
_INTEGER = re.compile(rb"\s*:\s*(-?\d{1,18})\s*[,}]")
# Depths of an opening bracket in `{"rows":[{"values":{"key":…`: of a row, and of a key's value.
_ROW, _VALUE = 2, 4


def dataset_of(body: bytes) -> int | None:
    """Returns the integer `dataset` of a body, even when the rest of the body is no JSON, or None."""
    head = body[:_HEAD]
    for depth, token, offset in tokens(head):
        if depth == 1 and token == b'"dataset"' and (found := _INTEGER.match(head, offset + len(token))):
            return int(found[1])
    return None


def refuse_deep(body: bytes, first_row: int = 0) -> None:
    """Checks the nesting of a body of rows. `first_row` is the number of the first row.

    Raises RowError: when the body nests deeper than decoders may follow.
    """
    if not too_deep(body):
        return
    row, key = -1, b""
    for depth, token, _ in tokens(body):
        opens = token in (b"[", b"{")
        if opens and depth == MAX_DEPTH:
            break
        if opens and depth == _ROW:
            row, key = row + 1, b""
        elif not opens and depth == _VALUE and token[:1] == b'"':
            key = token
    field = f"values.{key[1:-1].decode(errors='replace')[:200]}" if key else None
    raise RowError(first_row + row if row >= 0 else None, field, TOO_DEEP)
