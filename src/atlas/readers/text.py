"""Text files of any encoding to UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

import charset_normalizer

from atlas.errors import BadRequestError

_CHUNK = 4 * 1024 * 1024
_SAMPLE = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings that charset-normalizer may name for Western text that Windows-1252 reads as well.
_WESTERN = frozenset(
    """cp1250 cp1252 latin_1 iso8859_1 iso8859_15 cp1254 cp1257 cp1140 mac_roman cp437
    cp850 cp858 hp_roman8 mac_iceland mac_latin2 cp775 iso8859_9 iso8859_10 iso8859_14 iso8859_16
    cp037 cp500 cp1026 cp273 mac_turkish""".split()
)


def looks_like_utf16(head: bytes) -> bool:
    """Whether bytes are UTF-16, with or without a mark: every other byte of Western text is zero."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return not head.startswith(codecs.BOM_UTF32_LE)
    part = head[: len(head) // 2 * 2]
    if len(part) < 4:
        return False
    return max(part[::2].count(0), part[1::2].count(0)) > len(part) // 2 * 0.6


def to_utf8(path: Path, target: Path) -> tuple[Path, str]:
    """A UTF-8 file without mark or NUL with the text of `path` (itself if it is that), and the encoding.

    Raises BadRequestError where the text does not fit the encoding that it starts with.
    """
    encoding = detect(path)
    if encoding == "utf-8" and not _has_nul(path):
        return path, encoding
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with path.open("rb") as source, target.open("wb") as file:
        while True:
            chunk = source.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                where = position + error.start
                raise BadRequestError("Invalid file", f"not valid {encoding} text at byte {where}") from None
            file.write(text.replace("\0", "").encode("utf-8", "replace"))
            position += len(chunk)
            if not chunk:
                return target, encoding


def detect(path: Path) -> str:
    """The encoding of a text file, as Python names it."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    if looks_like_utf16(sample[:4096]):
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    if _is_utf8(path):
        return "utf-8"
    best = charset_normalizer.from_bytes(sample).best()
    name = best.encoding if best else "cp1252"
    # These differ in few bytes, and tables are mostly made on Windows.
    return _windows(path) if name in _WESTERN else name


def _windows(path: Path) -> str:
    # Windows-1252 leaves five bytes undefined; Latin-1 has none such.
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if any(byte in chunk for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")):
                return "latin-1"
    return "cp1252"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_nul(path: Path) -> bool:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                return True
    return False
