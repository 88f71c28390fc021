"""XML to a source: the element that repeats is the record. Document types and entities are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import pyarrow as pa
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from atlas.errors import BadRequestError
from atlas.readers.source import MAX_COLUMNS, Source, text_table

_BATCH_ROWS = 10_000
_MAX_DEPTH = 100


def read_xml(path: Path, name: str) -> Source:
    """A source of the records of an XML file. Attributes and nested elements become columns `a_b`.

    Raises BadRequestError, also for a document type, which bombs and external entities need.
    """
    try:
        record = _record_path(path, name)
        names = _columns(path, record, name)
    except ParseError as error:
        raise BadRequestError("Invalid file", f"{name}: not well-formed XML ({error})") from None
    except DefusedXmlException:
        reason = f"{name}: document types and entities are not allowed in XML"
        raise BadRequestError("Invalid file", reason) from None
    except (LookupError, ValueError) as error:
        # An encoding that Python does not know, or that the parser cannot use.
        raise BadRequestError("Invalid file", f"{name}: {error}") from None
    if len(names) > MAX_COLUMNS:
        reason = f"{name}: the records have {len(names):,} fields; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    source = Source(names, [None] * len(names), _batches(path, record, names))
    source.notes.append(f"each <{record[-1]}> is a record")
    return source


def _walk(path: Path) -> Iterator[tuple[str, tuple[str, ...], Element]]:
    trail: list[str] = []
    for event, element in iterparse(str(path), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            trail.append(_local(element.tag))
            if len(trail) > _MAX_DEPTH:
                raise ParseError(f"elements are nested more than {_MAX_DEPTH} deep")
            yield event, tuple(trail), element
        else:
            yield event, tuple(trail), element
            trail.pop()


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _record_path(path: Path, name: str) -> tuple[str, ...]:
    """The outermost path that repeats most and has fields of its own."""
    counts: Counter[tuple[str, ...]] = Counter()
    fields: set[tuple[str, ...]] = set()
    for event, trail, element in _walk(path):
        if event == "start":
            counts[trail] += 1
            if len(trail) > 1:
                fields.add(trail[:-1])
            if element.attrib:
                fields.add(trail)
        else:
            element.clear()
    inner = {trail: times for trail, times in counts.items() if len(trail) > 1 and trail in fields}
    if inner:
        return min(inner, key=lambda trail: (-min(inner[trail], 2), len(trail), -inner[trail]))
    leaves = {trail: times for trail, times in counts.items() if len(trail) > 1}
    if not leaves:
        raise BadRequestError("Invalid file", f"{name}: the XML holds no records")
    best = max(leaves, key=lambda trail: leaves[trail])
    return best if leaves[best] > 1 else best[:-1]


def _records(path: Path, record: tuple[str, ...]) -> Iterator[dict[str, str]]:
    ancestors: list[Element] = []
    for event, trail, element in _walk(path):
        if event == "start":
            ancestors.append(element)
            continue
        ancestors.pop()
        if trail == record:
            found: dict[str, str] = {}
            _flatten(element, "", found)
            yield found
            element.clear()
            if ancestors:
                ancestors[-1].remove(element)
        elif len(trail) <= len(record):
            element.clear()


def _flatten(element: Element, prefix: str, found: dict[str, str]) -> None:
    for key, value in element.attrib.items():
        found.setdefault(f"{prefix}{_local(key)}", value)
    text = (element.text or "").strip()
    if not len(element):
        if text or not element.attrib:
            key = prefix.rstrip("_") or _local(element.tag)
            # A field that repeats is a list; it is kept as one text.
            found[key] = f"{found[key]}; {text}" if key in found and text else found.get(key) or text
        return
    if text:
        found.setdefault(f"{prefix}text", text)
    for child in element:
        _flatten(child, f"{prefix}{_local(child.tag)}_", found)


def _columns(path: Path, record: tuple[str, ...], name: str) -> list[str]:
    names: dict[str, None] = {}
    for found in _records(path, record):
        names.update(dict.fromkeys(found))
    if not names:
        raise BadRequestError("Invalid file", f"{name}: the XML holds no records")
    return list(names)


def _batches(path: Path, record: tuple[str, ...], names: list[str]) -> Iterator[pa.Table]:
    rows: list[list[str | None]] = []
    for found in _records(path, record):
        rows.append([found.get(name) or None for name in names])
        if len(rows) >= _BATCH_ROWS:
            yield text_table(rows, len(names))
            rows = []
    if rows:
        yield text_table(rows, len(names))
