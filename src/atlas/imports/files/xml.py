"""Reads XML: the element that repeats is the record. Document types and entities are refused.

A file is read twice by the events of expat: once for its structure and once for its records. A tree of each record took
three times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

import msgspec
import pyarrow as pa
from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from atlas.errors import BadRequestError
from atlas.imports.files.source import MAX_COLUMNS, Source, text_table
from atlas.imports.files.xml_paths import ElementPath, UniqueNames, local, name_members, outside_notes

_BATCH_ROWS = 10_000
_CHUNK_BYTES = 256 * 1024
_MAX_DEPTH = 100
_SHOWN = 5
# The characters that are kept of a value outside the records.
_SAMPLE = 60
# Stands between the texts of a plain element that repeats.
_BETWEEN = "; "
# The maximum number of different paths of element names. Data has some hundred, and each path takes memory.
_MAX_PATHS = 100_000


def read_xml(path: Path, name: str) -> Source:
    """Opens the records of an XML file. Attributes and nested elements become columns `a_b`.

    Raises BadRequestError: when the file is no valid XML or has a document type, which bombs and external entities
    need.
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
        # Python does not know the encoding, or the parser cannot use it.
        raise BadRequestError("Invalid file", f"{name}: {error}") from None
    record = _record(survey.paths)
    columns = None if record is None else _columns(record)
    if record is None or columns is None or not columns.names:
        raise BadRequestError("Invalid file", f"{name}: the XML holds no records")
    width = len(columns.names)
    if width > MAX_COLUMNS:
        reason = f"{name}: the records have {width:,} fields; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    source = Source(columns.names, columns.native, _batches(path, survey.top, record, width))
    source.notes.append(f"each <{record.local}> is a record")
    for names, how in ((columns.lists, "kept as JSON lists"), (columns.joined, f"joined by {_BETWEEN!r}")):
        if names:
            listed = ", ".join(map(repr, names[:_SHOWN])) + (" and more" if names[_SHOWN:] else "")
            source.notes.append(f"elements that repeat within a record are {how}, in {listed}")
    source.notes += outside_notes(record)
    return source


class _Walk(ContentHandler):
    """Follows the paths of a file, with the text of an element before its first child."""

    def __init__(self, top: ElementPath) -> None:
        super().__init__()
        self._at = top
        # Whether only text has followed the start of the current element.
        self._fresh = False
        self._texts: list[str] = []

    def characters(self, content: str) -> None:
        self._texts.append(content)

    def _text(self) -> str:
        return "".join(self._texts).strip()


class _Survey(_Walk):
    """Finds all paths of a file, in order of appearance."""

    def __init__(self) -> None:
        self.top = ElementPath("", None)
        super().__init__(self.top)
        self.paths: list[ElementPath] = []
        # Whether the current element has no attribute.
        self._bare = False

    def startElement(self, name: str, attrs: Any) -> None:
        parent = self._at
        if self._texts and self._text():
            parent.inner = -1
        self._texts.clear()
        path = self._at = parent.children.get(name) or self._new(name)
        path.count += 1
        path.repeats = path.repeats or path.seen == parent.count
        path.seen = parent.count
        self._fresh = self._bare = True
        for key in attrs.keys() if len(attrs) else ():
            if key[:5] != "xmlns":
                self._bare = False
                path.attributes.setdefault(key, -1)
                if path.count == 1:
                    path.samples[key] = attrs[key][:_SAMPLE]

    def endElement(self, name: str) -> None:
        path = self._at
        text = self._text() if self._texts else ""
        if self._fresh and (self._bare or text):
            path.value = -1
            path.separated = path.separated or ";" in text
            if path.count == 1:
                path.samples[""] = text[:_SAMPLE]
        elif text:
            path.inner = -1
        self._texts.clear()
        self._fresh = False
        assert path.parent is not None
        self._at = path.parent

    def _new(self, name: str) -> ElementPath:
        path = self._at.children[name] = ElementPath(name, self._at)
        self.paths.append(path)
        if path.depth > _MAX_DEPTH:
            raise ValueError(f"elements are nested more than {_MAX_DEPTH} deep")
        if len(self.paths) > _MAX_PATHS:
            raise ValueError(f"there are more than {_MAX_PATHS:,} kinds of elements")
        return path


def _record(paths: list[ElementPath]) -> ElementPath | None:
    """Returns the outermost path that repeats most and has fields of its own, or None."""
    below = [path for path in paths if path.depth > 1]
    inner = [path for path in below if path.children or path.attributes]
    if inner:
        return min(inner, key=lambda path: (-min(path.count, 2), path.depth, -path.count))
    if not below:
        return None
    best = max(below, key=lambda path: path.count)
    return best if best.count > 1 else best.parent


@dataclass(slots=True)
class _Columns:
    """The columns of a record.

    lists: the names of columns with JSON lists.
    joined: the names of columns with the texts of several elements.
    """

    names: list[str] = field(default_factory=list)
    native: list[str | None] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    given: UniqueNames = field(default_factory=UniqueNames)

    def add(self, name: str, native: str | None = None) -> int:
        """Adds a column under a unique name, and returns its position."""
        self.names.append(self.given.add(name))
        self.native.append(native)
        return len(self.names) - 1


def _columns(record: ElementPath) -> _Columns:
    """Builds the columns of a record, and stores in the paths which column belongs to which path."""
    columns = _Columns()

    def note(path: ElementPath, name: str) -> None:
        prefix = f"{name}_" if name else ""
        path.attributes = {key: columns.add(prefix + local(key)) for key in path.attributes}
        if path.value is not None:
            path.value = columns.add(name or path.local)
        if path.inner is not None:
            path.inner = columns.add(f"{prefix}text")
        # Several plain elements that repeat may belong together by position.
        pairs = sum(child.repeats and child.is_plain for child in path.children.values()) > 1
        labels = path.labels()
        for key, child in path.children.items():
            if child.repeats and (pairs or child.separated or not child.is_plain):
                child.listed = columns.add(prefix + labels[key], "json")
                columns.lists.append(columns.names[child.listed])
                name_members(child)
            else:
                note(child, prefix + labels[key])
                if child.repeats and child.value is not None:
                    columns.joined.append(columns.names[child.value])

    note(record, "")
    return columns


@dataclass(slots=True)
class _Mixed:
    """The texts of an element with text beside elements.

    own: whether this element has text of its own.
    """

    texts: list[str] = field(default_factory=list)
    own: bool = False


class _Rows(_Walk):
    """Builds rows from the records, along the known paths."""

    def __init__(self, top: ElementPath, record: ElementPath, width: int) -> None:
        super().__init__(top)
        self._record, self._width = record, width
        self._row: list[str | None] | None = None
        # For each column of the record: all texts of a repeated plain element, and lists.
        self._repeated: dict[int, list[str]] = {}
        self._lists: dict[int, list[Any]] = {}
        # The open elements of the current list, and the open elements of mixed content.
        self._nodes: list[dict[str, Any]] = []
        self._mixed: list[_Mixed] = []
        self.rows: list[list[str | None]] = []

    def startElement(self, name: str, attrs: Any) -> None:
        if self._mixed:
            self._pass_text()
        self._texts.clear()
        path = self._at = self._at.children[name]
        self._fresh = True
        if path is self._record:
            self._row = [None] * self._width
        row = self._row
        if row is None:
            return
        if path.inner is not None:
            self._mixed.append(_Mixed())
        if self._nodes or path.listed is not None:
            members = path.members
            self._nodes.append({members[key]: value for key, value in attrs.items() if key in members and value})
        elif len(attrs):
            for key, value in attrs.items():
                found = path.attributes.get(key)
                if found is not None:
                    row[found] = value or None

    def endElement(self, name: str) -> None:
        path, row = self._at, self._row
        if row is not None:
            if self._mixed:
                self._pass_text()
            text = self._text() if self._fresh else ""
            if path.inner is not None:
                mixed = self._mixed.pop()
                text = text if self._fresh or not mixed.own else "".join(mixed.texts).strip()
            if self._nodes:
                self._close_node(path, text)
            elif text:
                self._keep(path, row, text)
            if path is self._record:
                for column, texts in self._repeated.items():
                    row[column] = _BETWEEN.join(texts)
                self._repeated = {}
                for column, items in self._lists.items():
                    row[column] = msgspec.json.encode(items).decode()
                self._lists = {}
                self.rows.append(row)
                self._row = None
        self._texts.clear()
        self._fresh = False
        assert path.parent is not None
        self._at = path.parent

    def _pass_text(self) -> None:
        """Adds the current text to all open elements of mixed content."""
        text = "".join(self._texts)
        for mixed in self._mixed:
            mixed.texts.append(text)
        if self._at.inner is not None and text.strip():
            self._mixed[-1].own = True

    def _close_node(self, path: ElementPath, text: str) -> None:
        node = self._nodes.pop()
        if text and not path.is_plain:
            node[path.members[""]] = text
        value = (text or None) if path.is_plain else node
        if not self._nodes:
            assert path.listed is not None
            self._lists.setdefault(path.listed, []).append(value)
        elif path.repeats:
            self._nodes[-1].setdefault(path.key, []).append(value)
        elif value:
            self._nodes[-1][path.key] = value

    def _keep(self, path: ElementPath, row: list[str | None], text: str) -> None:
        column = path.value if self._fresh else path.inner
        if column is None:
            return
        before = row[column]
        if before is None:
            row[column] = text
        else:
            # A plain field that repeats is a list, kept as one text.
            self._repeated.setdefault(column, [before]).append(text)


def _fed(path: Path, handler: ContentHandler) -> Iterator[None]:
    """Feeds a file into a handler, and yields after each piece."""
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            parser.feed(chunk)
            yield
    parser.close()


def _batches(path: Path, top: ElementPath, record: ElementPath, width: int) -> Iterator[pa.Table]:
    handler = _Rows(top, record, width)
    for _ in _fed(path, handler):
        if len(handler.rows) >= _BATCH_ROWS:
            yield text_table(handler.rows, width)
            handler.rows = []
    if handler.rows:
        yield text_table(handler.rows, width)
