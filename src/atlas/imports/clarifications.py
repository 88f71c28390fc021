"""The questions of imports, and exact statements of callers: mappings and values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from atlas.column_formats.model import NUMBERS
from atlas.contract.imports import Proposal
from atlas.errors import BadRequestError
from atlas.imports.files.source import ReadOptions
from atlas.imports.plan import ImportPlan
from atlas.kit.identifiers import identifier
from atlas.language.instructions import ImportInstruction
from atlas.tables.model import FileFormat

_GROUPED = re.compile(r"([-+]?)(\d{1,3}(?:,\d{3})+)(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"([-+]?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?")
_SPOKEN_DATES = ("%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")


def resolve_mapping(mapping: Sequence[tuple[str, str]], headers: Sequence[str]) -> list[tuple[str, int]]:
    """Resolves a mapping to pairs of a column's name and the place of its header.

    Raises BadRequestError: when the file lacks a header.
    """
    by_header: dict[str, int] = {}
    for place, header in enumerate(headers):
        by_header.setdefault(header.strip().casefold(), place)
    exact = {header: place for place, header in reversed(list(enumerate(headers)))}
    missing = [header for _, header in mapping if header not in exact and header.strip().casefold() not in by_header]
    if missing:
        turned = (
            " They stand where the columns of the table belong: mappings are column to header."
            if all(name.strip().casefold() in by_header for name, _ in mapping)
            else ""
        )
        raise BadRequestError(
            "Unknown column",
            f"mappings: the file has no {_listed(missing)}; it has {', '.join(headers[:50])}.{turned}",
        )
    names = [identifier(name) for name, _ in mapping]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadRequestError("Invalid parameter", f"mappings: two columns are called {repeated!r}")
    return [
        (name, exact.get(header, by_header.get(header.strip().casefold(), 0)))
        for name, (_, header) in zip(names, mapping, strict=True)
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:100]) for name in names[:20])


def ask_about(proposals: Sequence[Proposal]) -> str:
    """Writes the question whether proposed columns are right."""
    listed = "; ".join(f"{each.header!r} may mean {each.column} ({each.reason})" for each in proposals[:20])
    first = proposals[0]
    return (
        f"{listed}. Send accept_proposals=true to take these columns, accept_proposals=false to take none of them, "
        f"or say it in the instruction, such as 'rename \"{first.header}\" to {first.column}'"
    )


def doubts(said: ImportInstruction, table: str | None, *, exists: bool, key: Sequence[str]) -> list[str]:
    """Returns questions if an instruction cannot be carried out as written.

    key: the key columns of the table.
    """
    found = []
    if said.only_existing and not exists:
        found.append(f"There is no table {table!r} to update. Which one is meant, or shall it be made?")
    elif said.only_existing and not key:
        found.append(f"By which column are the rows of {table!r} found? Say 'match on' and its name.")
    if said.replace and said.dataset:
        found.append("The rows of a dataset cannot be replaced by an import. Shall they be added?")
    return found


def refuse_unclear(plan: ImportPlan, import_id: UUID) -> None:
    """Refuses a plan with questions.

    Raises BadRequestError: with the questions.
    """
    if not plan.questions:
        return
    again = f". Or POST a mapping to /api/v1/import/{import_id}/redo" if plan.proposals else ""
    raise BadRequestError("Instruction is unclear", " ".join(plan.questions) + again)


def read_options(said: ImportInstruction, before: FileFormat) -> ReadOptions:
    """Returns the instruction's statements on the reading of the file.

    before: the format of the table's last file.
    """
    rows = (said.header, said.header_row, said.skip_rows)
    return ReadOptions(said.sheet, *rows, encoding=said.encoding, delimiter=said.delimiter, before=before)


def plain_value(text: str, type_: str, *, decimal_comma: bool | None) -> str:
    """Normalizes a value that an instruction compares with a column of a type."""
    if type_ in NUMBERS:
        return _plain_number(text, decimal_comma=decimal_comma)
    return _plain_date(text) if type_ in ("date", "timestamp") else text


def _plain_number(text: str, *, decimal_comma: bool | None) -> str:
    """Normalizes a number in an instruction, without groups and currency: `1,000` becomes 1000.

    decimal_comma: whether the instruction has numbers with a decimal comma. Then `1.000,5` becomes 1000.5.
    """
    told = text.strip()
    if decimal_comma and (found := _DECIMAL_COMMA.fullmatch(told)):
        whole = found[2].replace(".", "")
        return f"{found[1]}{whole}{f'.{found[3]}' if found[3] else ''}"
    if found := _GROUPED.fullmatch(told):
        return f"{found[1]}{found[2].replace(',', '')}{found[3] or ''}"
    return text


def _plain_date(text: str) -> str:
    """Normalizes a day in an instruction to ISO, if its month is a word: `3rd of March 2024`."""
    words = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|\bof\b|[.,]", " ", text, flags=re.IGNORECASE)
    for layout in _SPOKEN_DATES:
        with contextlib.suppress(ValueError):
            return datetime.strptime(" ".join(words.split()), layout).date().isoformat()
    return text
