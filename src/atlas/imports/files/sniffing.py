"""Recognizes uploaded files by their contents, and unpacks gz and zip files."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO

from atlas.errors import BadRequestError, TooLargeError
from atlas.imports.files.text import looks_like_utf16
from atlas.imports.files.unsupported_formats import (
    OLE,
    refuse_other_archive,
    refuse_other_format,
    refuse_other_ole,
    refuse_other_text,
)
from atlas.kit.plurals import many

_CHUNK = 1024 * 1024
# The largest compression ratio of real text. A file above the ratio and above a harmless size is a bomb.
MAX_RATIO = 200
HARMLESS_BYTES = 64 * 1024 * 1024
# A flag of a member of a zip.
_ENCRYPTED = 0x1
MAX_MEMBERS = 10_000
# The exceptions of zipfile for archives that are damaged, encrypted, or packed by an unknown method.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


# Control characters. No text that is not UTF-8 has many kinds of these.
_CONTROLS = frozenset(range(1, 9)) | frozenset(range(14, 28))
_MOST_CONTROLS = 6


class FileKind(StrEnum):
    """The formats of files that can be imported."""

    CSV = "csv"
    EXCEL = "excel"
    JSON = "json"
    XML = "xml"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Upload:
    """An unpacked file on disk.

    name: of the data file inside, if the upload was packed.
    """

    path: Path
    name: str
    kind: FileKind


def open_upload(path: Path, name: str, folder: Path, max_bytes: int) -> Upload:
    """Recognizes the file at `path` by its contents, and unpacks the file into `folder` if needed.

    Raises BadRequestError: when the file is empty, damaged or of no known format.
    Raises TooLargeError: when the file unpacks to more than `max_bytes`.
    """
    for layer in range(3):
        head = _head(path)
        if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
            raise BadRequestError("Invalid file", f"{name}: the file is empty")
        if head.startswith(b"\x1f\x8b"):
            path, name = _gunzip(path, name, folder / f"layer{layer}", max_bytes)
        elif head.startswith(b"PK"):
            if kind := _office(path, name, max_bytes):
                return Upload(path, name, kind)
            path, name = _unzip(path, name, folder / f"layer{layer}", max_bytes)
        else:
            if head.startswith(OLE):
                refuse_other_ole(path, name)
            return Upload(path, name, _kind(head, name))
    raise BadRequestError("Invalid file", f"{name}: packed more than twice")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8192)


def _kind(head: bytes, name: str) -> FileKind:
    if head.startswith(b"PAR1"):
        return FileKind.PARQUET
    refuse_other_format(head, name)
    if head.startswith(OLE):
        return FileKind.EXCEL
    text = head.decode("utf-16", "ignore").encode() if looks_like_utf16(head) else head
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        text = head.decode("utf-32", "ignore").encode()
    start = text.lstrip(b"\xef\xbb\xbf \t\r\n")
    refuse_other_text(start.decode("utf-8", "replace"), name)
    if start[:1] == b"<":
        return FileKind.XML
    if start[:1] in (b"{", b"[") and not name.lower().endswith((".csv", ".tsv", ".txt")):
        return FileKind.JSON
    if start[:1] in (b"{", b"[") and start[1:].lstrip()[:1] in (b'"', b"{", b"[", b"}", b"]"):
        return FileKind.JSON
    if text.count(b"\0") > len(text) // 50 or (len(_CONTROLS & set(text)) > _MOST_CONTROLS and not _is_utf8(text)):
        raise BadRequestError("Unsupported file", f"{name}: it is neither text nor a format that can be imported")
    return FileKind.CSV


def _is_utf8(head: bytes) -> bool:
    """Checks whether the first bytes of a file are UTF-8. The last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _copy(source: _Part | gzip.GzipFile, target: Path, packed: int, name: str, max_bytes: int) -> None:
    written = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > max_bytes:
                raise TooLargeError("File too large", f"{name}: unpacked it is over the limit of {max_bytes} bytes")
            if written > max(HARMLESS_BYTES, packed * MAX_RATIO):
                raise BadRequestError("Invalid file", f"{name}: it unpacks to more than {MAX_RATIO} times its size")
            file.write(chunk)


def _gunzip(path: Path, name: str, target: Path, max_bytes: int) -> tuple[Path, str]:
    try:
        with gzip.open(path) as source:
            _copy(source, target, path.stat().st_size, name, max_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadRequestError("Invalid file", f"{name}: damaged gzip data ({error})") from None
    return target, name.removesuffix(".gz").removesuffix(".GZ")


def _members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    found = archive.infolist()
    if len(found) > MAX_MEMBERS:
        raise BadRequestError("Invalid file", f"{name}: the archive has {many(len(found), 'file')}")
    return found


def _office(path: Path, name: str, max_bytes: int) -> FileKind | None:
    """Returns EXCEL if the archive is a workbook with parts of harmless size, else None."""
    with _archive(path, name) as archive:
        members = _members(archive, name)
        names = {member.filename for member in members}
        refuse_other_archive(names, "", name)
        if "[Content_Types].xml" not in names and "mimetype" not in names:
            return None
        total = sum(member.file_size for member in members)
        if total > max(HARMLESS_BYTES, path.stat().st_size * MAX_RATIO):
            raise BadRequestError("Invalid file", f"{name}: it unpacks to more than {MAX_RATIO} times its size")
        if total > max_bytes:
            raise TooLargeError("File too large", f"{name}: unpacked it is over the limit of {max_bytes} bytes")
        # Sizes in the directory may be wrong. Reading each part to its end proves the sizes.
        for member in members:
            with _part(archive, member, name) as part:
                _drain(part, member.file_size, name)
        refuse_other_archive(names, _media_type(archive, names), name)
    return FileKind.EXCEL


def _media_type(archive: zipfile.ZipFile, names: set[str]) -> str:
    """Returns the media type that an OpenDocument file declares, or an empty text."""
    if "mimetype" not in names:
        return ""
    with archive.open("mimetype") as part:
        return part.read(200).decode("ascii", "replace").strip()


def _drain(part: _Part, size: int, name: str) -> None:
    seen = 0
    while chunk := part.read(_CHUNK):
        seen += len(chunk)
        if seen > size:
            raise BadRequestError("Invalid file", f"{name}: a part is larger than it says")


def _archive(path: Path, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise BadRequestError("Invalid file", f"{name}: damaged archive ({error})") from None


@contextlib.contextmanager
def _damages(name: str) -> Iterator[None]:
    """Converts the exceptions of a damaged archive to a BadRequestError."""
    try:
        yield
    except _DAMAGED as error:
        raise BadRequestError("Invalid file", f"{name}: damaged or encrypted ({error})") from None


class _Part:
    """A member of an archive.

    Only its own damages are the sender's fault, unlike errors of the disk that it is copied to.
    """

    def __init__(self, inner: IO[bytes], name: str) -> None:
        self._inner, self._name = inner, name

    def read(self, size: int) -> bytes:
        with _damages(self._name):
            return self._inner.read(size)


@contextlib.contextmanager
def _part(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[_Part]:
    with _damages(name):
        inner = archive.open(member)
    with inner:
        yield _Part(inner, name)


def _unzip(path: Path, name: str, target: Path, max_bytes: int) -> tuple[Path, str]:
    with _archive(path, name) as archive:
        files = list(_data_files(_members(archive, name)))
        if len(files) != 1:
            listed = ", ".join(member.filename for member in files[:5]) or "none"
            raise BadRequestError(
                "Invalid file", f"{name}: an archive must hold one data file, not {len(files)}: {listed}"
            )
        member = files[0]
        _refuse_unreadable(member, name)
        with _part(archive, member, name) as source:
            _copy(source, target, member.compress_size, name, max_bytes)
    return target, PurePosixPath(member.filename).name


def _refuse_unreadable(member: zipfile.ZipInfo, name: str) -> None:
    """Refuses a member without contents of its own, or with contents that need a password.

    Raises BadRequestError: for such a member.
    """
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        kind = "a link" if stat.S_ISLNK(mode) else "no plain file"
        raise BadRequestError("Invalid file", f"{name}: {member.filename} is {kind}; pack the file itself")
    if member.flag_bits & _ENCRYPTED:
        raise BadRequestError("Invalid file", f"{name}: {member.filename} is encrypted; send it without a password")


def _data_files(members: list[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    for member in members:
        parts = PurePosixPath(member.filename).parts
        # macOS and Windows add these by themselves.
        if (
            not member.filename.endswith("/")
            and not any(p.startswith((".", "__MACOSX")) for p in parts)
            and parts[-1:] != ("Thumbs.db",)
        ):
            yield member


def discard(folder: Path) -> None:
    """Removes a folder of temporary files."""
    shutil.rmtree(folder, ignore_errors=True)
