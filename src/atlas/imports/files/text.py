"""Decodes text files of any encoding to UTF-8."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from atlas.errors import BadRequestError
from atlas.imports.files.encodings import Encoding, count_lines, guess, is_utf8
from atlas.kit.plurals import many

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_CHUNK = 4 * 1024 * 1024
_SAMPLE = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A UTF-8 file without byte order mark or NUL, and notes on the decoding.

    encoding: the original encoding, or None for plain ASCII.
    """

    path: Path
    notes: tuple[str, ...] = ()
    encoding: str | None = None


def looks_like_utf16(head: bytes) -> bool:
    """Checks whether bytes are UTF-16, with or without a mark: every other byte of Western text is zero."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return not head.startswith(codecs.BOM_UTF32_LE)
    part = head[: len(head) // 2 * 2]
    if len(part) < 4:
        return False
    return max(part[::2].count(0), part[1::2].count(0)) > len(part) // 2 * 0.6


def to_utf8(path: Path, target: Path, *, stated: str | None = None, before: str | None = None) -> Decoded:
    """Decodes the text of `path` to UTF-8, in `target` unless the file is UTF-8 already.

    stated: the encoding that a person names, or None.
    before: the encoding of the table's last file, for ambiguous texts.
    Raises BadRequestError: when the text does not fit the stated encoding or its mark.
    """
    marked = _marked(path)
    if stated is not None and marked is not None and _plain(stated) != _plain(marked):
        raise BadRequestError("Instruction is unclear", f"the file is {_plain(marked)}, as it begins, not {stated}")
    name = marked or stated
    if name is None and _is_utf8(path):
        return _without_nul(path, target)
    if name is None:
        valid, invalid = count_lines(path)
        if valid >= invalid:
            return _mixed(path, target, invalid, before)
    found = Encoding(name) if name is not None else guess(path, before=before)
    nul = _decode(path, target, found.name)
    notes = [] if found.name == stated or _plain(found.name) == "utf-8" else [_told(found, before)]
    return Decoded(target, (*notes, *_told_nul(nul)), _plain(found.name))


def _plain(encoding: str) -> str:
    """Returns the name of an encoding without its byte order."""
    return encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")


def _told(found: Encoding, before: str | None) -> str:
    others = f"; {' or '.join(found.others)} would fit, too" if found.others else ""
    return f"read as {found.name}{', as the last file of the table' if found.name == before else ''}{others}"


def _told_nul(count: int) -> tuple[str, ...]:
    return (f"{many(count, 'NUL character')} left out",) if count else ()


def _without_nul(path: Path, target: Path) -> Decoded:
    count, encoding = 0, None
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            count += chunk.count(b"\0")
            encoding = encoding if chunk.isascii() else "utf-8"
    if not count:
        return Decoded(path, encoding=encoding)
    with path.open("rb") as file, target.open("wb") as out:
        while chunk := file.read(_CHUNK):
            out.write(chunk.replace(b"\0", b""))
    return Decoded(target, _told_nul(count), encoding)


def _mixed(path: Path, target: Path, others: int, before: str | None) -> Decoded:
    """Decodes a file with some lines that are not UTF-8, as in a file that was joined from several files."""
    found = guess(path, skip_utf8=True, before=before)
    nul = unknown = 0
    with path.open("rb") as file, target.open("wb") as out:
        for line in file:
            nul += line.count(b"\0")
            text = line
            if not is_utf8(line):
                text = line.decode(found.name, "replace").encode()
                unknown += text.count(_REPLACEMENT)
            out.write(text.replace(b"\0", b""))
    notes = [f"{many(others, 'line is', 'lines are')} not UTF-8, unlike the others: {_told(found, before)}"]
    if unknown:
        notes.append(f"{many(unknown, 'byte')} that {found.name} does not have became \N{REPLACEMENT CHARACTER}")
    return Decoded(target, (*notes, *_told_nul(nul)), "utf-8")


def _decode(path: Path, target: Path, encoding: str) -> int:
    """Writes the text as UTF-8 without NUL characters. Returns the number of NUL characters."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = nul = 0
    with path.open("rb") as source, target.open("wb") as file:
        while True:
            chunk = source.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                where = position + error.start
                raise BadRequestError("Invalid file", f"not valid {encoding} text at byte {where}") from None
            nul += text.count("\0")
            file.write(text.replace("\0", "").encode("utf-8", "replace"))
            position += len(chunk)
            if not chunk:
                return nul


def _marked(path: Path) -> str | None:
    """Returns the encoding by the mark at the start of a file, or by its zero bytes. None: neither is there."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    if looks_like_utf16(sample[:4096]):
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    return None


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
