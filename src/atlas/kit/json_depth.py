"""How deep JSON nests, measured before anything decodes it: decoders recurse, and some end the process.

Only brackets outside texts count. The work is done on the few bytes that are brackets or quotes, so that a bulk body
costs some 0.6 ms a MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

# Brackets that may be open at once. Files and requests that people make have a dozen.
MAX_DEPTH = 200
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_BLOCK = 1024 * 1024
# Up to here counting all brackets takes less than looking where they are.
_COUNTED = 16 * 1024
_OTHERS = bytes(set(range(256)) - set(b'"[]{}'))
_QUOTE = ord('"')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class DepthScanner:
    """Measures JSON that comes in pieces, cut anywhere."""

    def __init__(self, limit: int = MAX_DEPTH) -> None:
        self._limit = limit
        self._open = 0
        self._in_text = False
        self._escaping = False

    def feed(self, data: bytes) -> bool:
        """Takes the next piece. Whether more than `limit` brackets have been open at once in it."""
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
            # What closes more than was open is no JSON, and must not make room for what follows.
            depths -= np.minimum(np.minimum.accumulate(depths), 0)
        self._open = int(depths[-1])
        return bool(depths.max() > self._limit)


def too_deep(data: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether more than `limit` brackets are open at once anywhere in `data`."""
    if len(data) <= _COUNTED and data.count(b"[") + data.count(b"{") <= limit:
        return False
    scanner = DepthScanner(limit)
    return any(scanner.feed(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))


def tokens(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Texts and brackets of JSON as (depth before it, token, offset). Slow: for finding out where something is."""
    depth = 0
    for found in _TOKEN.finditer(data):
        token = found[0]
        yield depth, token, found.start()
        depth += 1 if token in (b"[", b"{") else -1 if token in (b"]", b"}") else 0


def pruned(data: bytes) -> bytes:
    """JSON in which values nested deeper than MAX_DEPTH are replaced by a text that says so."""
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
