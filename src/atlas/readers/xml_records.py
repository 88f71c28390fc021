"""XML to a source: the element that repeats is the record. Document types and entities are refused.

A file is read twice, once for what it holds and once for its records, by the events of expat: a tree of each record
took three times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

import pyarrow as pa
from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from atlas.errors import BadRequestError
from atlas.readers.source import MAX_COLUMNS, Source, text_table

_BATCH_ROWS = 10_000
_CHUNK_BYTES = 256 * 1024
_MAX_DEPTH = 100
# Paths of element names that differ. Data has some hundred; each takes memory.
_MAX_PATHS = 100_000


def read_xml(path: Path, name: str) -> Source:
    """A source of the records of an XML file. Attributes and nested elements become columns `a_b`.

    Raises BadRequestError, also for a document type, which bombs and external entities need.
    """
    try:
        survey = _Survey()
        for _ in _fed(path, survey):
            pass
    except SAXParseException as error:
        where = f"{error.getMessage()}: line {error.getLineNumber()}, column {error.getColumnNumber()}"
        raise BadRequestError("Invalid file", f"{name}: not well-formed XML ({where})") from None
    except DefusedXmlException:
        reason = f"{name}: document types and entities are not allowed in XML"
        raise BadRequestError("Invalid file", reason) from None
    except (LookupError, ValueError) as error:
        # An encoding that Python does not know, or that the parser cannot use.
        raise BadRequestError("Invalid file", f"{name}: {error}") from None
    record = _record(survey.paths)
    names = {} if record is None else _columns(record)
    if record is None or not names:
        raise BadRequestError("Invalid file", f"{name}: the XML holds no records")
    if len(names) > MAX_COLUMNS:
        reason = f"{name}: the records have {len(names):,} fields; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    source = Source(list(names), [None] * len(names), _batches(path, survey.top, record, len(names)))
    source.notes.append(f"each <{record.name}> is a record")
    return source


class _Path:
    """A path of element names, with what its elements hold; once they are known, with the columns for that."""

    __slots__ = ("attributes", "children", "count", "depth", "inner", "name", "parent", "value")

    def __init__(self, name: str, parent: _Path | None) -> None:
        self.name, self.parent = name, parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.count = 0
        # By the names in the file and without their namespaces, of which several may be the same.
        self.children: dict[str, _Path] = {}
        self.attributes: dict[str, int] = {}
        # The column of the text of an element that holds nothing else, and of one that holds others: -1 for none yet.
        self.value: int | None = None
        self.inner: int | None = None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Walk(ContentHandler):
    """Goes along the paths of a file, with the text that an element has before any other."""

    def __init__(self, top: _Path) -> None:
        super().__init__()
        self._at = top
        # Whether nothing has followed the start of the current element but text.
        self._fresh = False
        self._texts: list[str] = []

    def characters(self, content: str) -> None:
        self._texts.append(content)

    def _text(self) -> str:
        return "".join(self._texts).strip()


class _Survey(_Walk):
    """Finds all paths of a file, in the order in which they appear."""

    def __init__(self) -> None:
        self.top = _Path("", None)
        super().__init__(self.top)
        self.paths: list[_Path] = []
        # Whether the current element has no attribute.
        self._bare = False

    def startElement(self, name: str, attrs: Any) -> None:
        if self._fresh and self._text():
            self._at.inner = -1
        self._texts.clear()
        path = self._at = self._at.children.get(name) or self._new(name)
        path.count += 1
        self._fresh = self._bare = True
        for key in attrs.keys() if len(attrs) else ():
            if key[:5] != "xmlns":
                self._bare = False
                path.attributes[key] = -1

    def endElement(self, name: str) -> None:
        if self._fresh and (self._bare or self._text()):
            self._at.value = -1
        self._texts.clear()
        self._fresh = False
        assert self._at.parent is not None
        self._at = self._at.parent

    def _new(self, name: str) -> _Path:
        parent = self._at
        local = _local(name)
        path = parent.children.get(local)
        if path is None:
            path = parent.children[local] = _Path(local, parent)
            self.paths.append(path)
            if path.depth > _MAX_DEPTH:
                raise ValueError(f"elements are nested more than {_MAX_DEPTH} deep")
            if len(self.paths) > _MAX_PATHS:
                raise ValueError(f"there are more than {_MAX_PATHS:,} kinds of elements")
        parent.children[name] = path
        return path


def _record(paths: list[_Path]) -> _Path | None:
    """The outermost path that repeats most and has fields of its own."""
    below = [path for path in paths if path.depth > 1]
    inner = [path for path in below if path.children or path.attributes]
    if inner:
        return min(inner, key=lambda path: (-min(path.count, 2), path.depth, -path.count))
    if not below:
        return None
    best = max(below, key=lambda path: path.count)
    return best if best.count > 1 else best.parent


def _columns(record: _Path) -> dict[str, int]:
    """The names of the columns and their positions; notes in the paths which of them are whose."""
    names: dict[str, int] = {}

    def column(name: str) -> int:
        return names.setdefault(name, len(names))

    def note(path: _Path, prefix: str) -> None:
        path.attributes = {key: column(f"{prefix}{_local(key)}") for key in path.attributes}
        if path.value is not None:
            path.value = column(prefix.rstrip("_") or path.name)
        if path.inner is not None:
            path.inner = column(f"{prefix}text")
        for child in dict.fromkeys(path.children.values()):
            note(child, f"{prefix}{child.name}_")

    note(record, "")
    return names


class _Rows(_Walk):
    """Makes rows of the records, along the paths that were found."""

    def __init__(self, top: _Path, record: _Path, width: int) -> None:
        super().__init__(top)
        self._record, self._width = record, width
        self._row: list[str | None] | None = None
        self.rows: list[list[str | None]] = []

    def startElement(self, name: str, attrs: Any) -> None:
        if self._fresh and self._at.inner is not None:
            self._keep(self._at.inner)
        self._texts.clear()
        path = self._at = self._at.children[name]
        self._fresh = True
        if path is self._record:
            self._row = [None] * self._width
        row = self._row
        if row is not None and len(attrs):
            for key, value in attrs.items():
                found = path.attributes.get(key)
                if found is not None and row[found] is None:
                    row[found] = value or None

    def endElement(self, name: str) -> None:
        path, row = self._at, self._row
        if row is not None:
            if self._fresh and path.value is not None:
                self._keep(path.value, repeats=True)
            if path is self._record:
                self.rows.append(row)
                self._row = None
        self._texts.clear()
        self._fresh = False
        assert path.parent is not None
        self._at = path.parent

    def _keep(self, column: int, *, repeats: bool = False) -> None:
        row, text = self._row, self._text()
        if row is None or not text:
            return
        before = row[column]
        if before is None:
            row[column] = text
        elif repeats:
            # A field that repeats is a list; it is kept as one text.
            row[column] = f"{before}; {text}"


def _fed(path: Path, handler: ContentHandler) -> Iterator[None]:
    """Reads a file into a handler; yields after each piece."""
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            parser.feed(chunk)
            yield
    parser.close()


def _batches(path: Path, top: _Path, record: _Path, width: int) -> Iterator[pa.Table]:
    handler = _Rows(top, record, width)
    for _ in _fed(path, handler):
        if len(handler.rows) >= _BATCH_ROWS:
            yield text_table(handler.rows, width)
            handler.rows = []
    if handler.rows:
        yield text_table(handler.rows, width)
