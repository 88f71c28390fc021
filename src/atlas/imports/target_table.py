"""Chooses the table that an import writes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from atlas.errors import BadRequestError
from atlas.kit.close_names import close_name
from atlas.kit.identifiers import MAX_BYTES, is_cut, table_identifier
from atlas.language.instructions import ImportInstruction
from atlas.tables.model import Table


@dataclass(frozen=True, slots=True)
class Target:
    """The target of an import: an existing table, or the name of a new table.

    notes: on the choice.
    question: to ask about the target.
    """

    table: Table | str
    notes: tuple[str, ...] = ()
    question: str | None = None


def said_table(said: ImportInstruction, file_name: str) -> str:
    """Returns the name of the table in the instruction, else the name of the file."""
    if said.table is not None:
        return said.table
    return PurePosixPath(file_name.replace("\\", "/")).name.split(".")[0] or "imported"


def find_target(said: ImportInstruction, tables: Sequence[Table], file_name: str) -> Table | None:
    """Returns the existing table that the instruction names, or None."""
    name = said_table(said, file_name)
    by_name = {table.name: table for table in tables}
    close = close_name(name, list(by_name), slips=False)
    if close is None or (said.new and table_identifier(name) != close):
        return None
    return by_name[close]


def target_of(said: ImportInstruction, tables: Sequence[Table], file_name: str) -> Target:
    """Returns the target table, or the name of a new table.

    Raises BadRequestError: when the instruction asks for a new table with a taken name.
    """
    name = said_table(said, file_name)
    found = find_target(said, tables, file_name)
    notes = []
    if said.table is None and not said.dataset:
        notes.append(
            f"no table was named, so the file's name is taken: {found.name if found else table_identifier(name)}"
        )
    if found is None:
        new = name if said.dataset else table_identifier(name)
        likely = None if said.new or said.dataset else close_name(name, [table.name for table in tables])
        if not said.dataset and is_cut(name):
            notes.append(f"the name {name!r} is too long for a table, which is called {new}")
        if likely is None:
            return Target(new, tuple(notes))
        return Target(new, tuple(notes), f"There is no table {new!r}. Is {likely!r} meant, or a new table {new!r}?")
    if said.new and not said.dataset:
        raise BadRequestError("Table exists", f"{found.name!r} exists already; say another name, or import into it")
    if is_cut(name) and not said.dataset:
        asked = f"{name!r} is longer than the {MAX_BYTES} bytes of a table's name. Is {found.name!r} meant?"
        return Target(found, tuple(notes), asked)
    if table_identifier(name) != found.name and said.table is not None:
        notes.append(f"took {name!r} for the table {found.name!r}")
    return Target(found, tuple(notes))
