"""Measures how deep JSON nests before anything decodes it: decoders recurse, and some end the process.

Only brackets outside texts count. The work is done on the bytes that are brackets or quotes, which are few. So a bulk
body costs some 0.6 ms a MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

# The maximum number of open brackets. Files and requests made by people nest about 12 levels deep.
MAX_DEPTH = 200
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_BLOCK = 1024 * 1024
# Up to this size counting all brackets takes less time than locating them.
_COUNTED = 16 * 1024
_OTHERS = bytes(set(range(256)) - set(b'"[]{}'))
_QUOTE = ord('"')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class DepthScanner:
    """Measures JSON that arrives in pieces, cut anywhere."""

    def __init__(self, limit: int = MAX_DEPTH) -> None:
        self._limit = limit
        self._open = 0
        self._in_text = False
        self._escaping = False

    def feed(self, data: bytes) -> bool:
        """Takes the next piece. Returns whether more than `limit` brackets were open at once within that piece."""
        if self._escaping and data:
            data = b" " + data[1:]
            self._escaping = False
        if b"\\" in data:
            data = data.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
            self._escaping = data.endswith(b"\\")
        kept = np.frombuffer(b'"' * self._in_text + data.translate(None, _OTHERS), np.uint8)
        brackets = np.flatnonzero(kept != _QUOTE)
        quotes = brackets - np.arange(len(brackets))
        self._in_text = bool((len(kept) - len(brackets)) % 2)
        codes = kept[brackets[quotes % 2 == 0]]
        if not len(codes):
            return False
        # An opening bracket lacks the bit that a closing one has.
        depths = np.cumsum(1 - ((codes >> 1) & 2).astype(np.int8), dtype=np.int64) + self._open
        if depths.min() < 0:
            # Text that closes more brackets than were open is no JSON. Surplus brackets must not make room for later
            # brackets.
            depths -= np.minimum(np.minimum.accumulate(depths), 0)
        self._open = int(depths[-1])
        return bool(depths.max() > self._limit)


def too_deep(data: bytes, limit: int = MAX_DEPTH) -> bool:
    """Returns whether more than `limit` brackets are open at once anywhere in `data`."""
    if len(data) <= _COUNTED and data.count(b"[") + data.count(b"{") <= limit:
        return False
    scanner = DepthScanner(limit)
    return any(scanner.feed(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))


def tokens(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yields texts and brackets of JSON as (depth before the token, token, offset). Slow: for locating an error."""
    depth = 0
    for found in _TOKEN.finditer(data):
        token = found[0]
        yield depth, token, found.start()
        depth += 1 if token in (b"[", b"{") else -1 if token in (b"]", b"}") else 0


def pruned(data: bytes) -> bytes:
    """Returns JSON in which values nested deeper than MAX_DEPTH are replaced by a text that says so."""
    if not too_deep(data):
        return data
    kept: list[bytes] = []
    start = 0
    for depth, token, offset in tokens(data):
        if depth == MAX_DEPTH and token in (b"[", b"{"):
            kept.append(data[start:offset] + b'"' + TOO_DEEP.encode() + b'"')
        elif depth == MAX_DEPTH + 1 and token in (b"]", b"}"):
            start = offset + 1
    return b"".join(kept) + data[start:]
