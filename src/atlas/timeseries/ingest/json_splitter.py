"""Splits a large JSON body into pieces that can be decoded separately, so that memory stays bounded."""

from __future__ import annotations

import re
from codecs import BOM_UTF8 as BOM
from collections.abc import Sequence

import msgspec

_HEAD = re.compile(rb'"rows"\s*:\s*\[')
_CUT = re.compile(rb'\}\s*,\s*(?=\{\s*"(?:timestamp|values)"\s*:)')
_TAIL = 64 * 1024


class RowPieces:
    """Collects a body and returns pieces of about `size` bytes, each `{"rows":[…]}`.

    A cut lies before text that looks like the start of a row. A cut inside a text or a deeper level leaves the piece
    unclosed, so no valid piece results from a wrong cut. The decoder then reports invalid JSON, and `put_back` joins
    the piece to the next piece.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffer = bytearray()
        self._headed = False
        self._whole = False
        self.dataset: object = None

    def feed(self, data: bytes) -> bytes | None:
        """Adds data of the body. Returns a piece when a piece is full, or None."""
        self._buffer += data
        if not self._headed and self._buffer.startswith(BOM):
            del self._buffer[: len(BOM)]
        if self._whole or len(self._buffer) < self._size:
            return None
        if not self._headed and not self._take_head():
            self._whole = True
            return None
        cut = self._last_cut()
        if cut is None:
            return None
        piece = b'{"rows":[' + bytes(self._buffer[: cut[0]]) + b"]}"
        del self._buffer[: cut[1]]
        return piece

    def put_back(self, pieces: Sequence[bytes]) -> None:
        """Undoes the cuts after the last returned pieces. The next piece will be larger."""
        inner = [piece[len(b'{"rows":[') : -len(b"]}")] + b"," for piece in pieces]
        self._buffer[:0] = b"".join(inner)
        self._size = max(self._size, len(self._buffer)) * 2

    def rest(self) -> bytes:
        """Returns the rest of the body as a JSON object."""
        return (b'{"rows":[' if self._headed else b"") + self._buffer

    def _take_head(self) -> bool:
        found = _HEAD.search(self._buffer)
        if found is None:
            return False
        try:
            head = msgspec.json.decode(bytes(self._buffer[: found.end()]) + b"]}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        if not isinstance(head, dict) or not set(head) <= {"dataset", "rows"} or head["rows"] != []:
            return False
        self.dataset = head.get("dataset")
        self._headed = True
        del self._buffer[: found.end()]
        return True

    def _last_cut(self) -> tuple[int, int] | None:
        for start in (max(0, len(self._buffer) - _TAIL), 0):
            cuts = list(_CUT.finditer(self._buffer, start))
            if cuts:
                return cuts[-1].start() + 1, cuts[-1].end()
        return None
