"""Reads the units and descriptions in notes at the header of an xlsx sheet, as exports write the notes."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from atlas.imports.files.workbook_details import part_of, place_of_cell
from atlas.kit.field_metadata import parse_header_note

# Larger notes of a sheet are not only notes at the header.
_MOST_BYTES = 4 * 1024 * 1024


def header_notes(path: Path, title: str, header_row: int, left: int) -> dict[int, tuple[str, str]]:
    """Reads unit and description by the column's position. A workbook that is no xlsx file has none.

    header_row: the row of the header.
    left: the column of the first position. Both count from 0.
    """
    try:
        if not zipfile.is_zipfile(path):
            return {}
        with zipfile.ZipFile(path) as archive:
            notes = _comments(archive, title)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, OSError):
        return {}
    except (ParseError, DefusedXmlException):
        return {}
    found = {}
    for (row, column), text in notes.items():
        said = parse_header_note(text)
        if row == header_row and column >= left and any(said):
            found[column - left] = said
    return found


def _comments(archive: zipfile.ZipFile, title: str) -> dict[tuple[int, int], str]:
    """Returns the texts of a sheet's notes by row and column."""
    part = part_of(archive, title)
    if part is None:
        return {}
    folder = PurePosixPath(part).parent
    relations = f"{folder}/_rels/{PurePosixPath(part).name}.rels"
    if (tree := _tree(archive, relations)) is None:
        return {}
    target = next((each.get("Target", "") for each in tree if each.get("Type", "").endswith("/comments")), None)
    if not target:
        return {}
    parts = [*([] if target.startswith("/") else folder.parts), *PurePosixPath(target.lstrip("/")).parts]
    while ".." in parts[1:]:
        at = parts.index("..", 1)
        del parts[at - 1 : at + 1]
    if (tree := _tree(archive, "/".join(parts))) is None:
        return {}
    found = {}
    for comment in tree.iter():
        place = place_of_cell(comment.get("ref", "")) if _named(comment, "comment") else None
        if place is not None:
            found[place] = "".join(part.text or "" for part in comment.iter() if _named(part, "t"))
    return found


def _tree(archive: zipfile.ZipFile, name: str) -> Element | None:
    if name not in archive.namelist() or archive.getinfo(name).file_size > _MOST_BYTES:
        return None
    tree: Element = fromstring(archive.read(name))
    return tree


def _named(element: Element, name: str) -> bool:
    return bool(re.fullmatch(rf"(\{{.*\}})?{name}", element.tag))
