"""Which table an import goes into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from atlas.core.identifiers import table_identifier
from atlas.core.mapping import close_name
from atlas.core.tables import Table
from atlas.errors import BadRequestError
from atlas.language.instruction import ImportInstruction


def said_table(said: ImportInstruction, file_name: str) -> str:
    """The name of the table that an instruction means, or that of the file."""
    if said.table is not None:
        return said.table
    return PurePosixPath(file_name.replace("\\", "/")).name.split(".")[0] or "imported"


def find_target(said: ImportInstruction, tables: Sequence[Table], file_name: str) -> Table | None:
    """The table that exists and is meant, if there is one."""
    name = said_table(said, file_name)
    by_name = {table.name: table for table in tables}
    close = close_name(name, list(by_name))
    if close is None or (said.new and table_identifier(name) != close):
        return None
    return by_name[close]


def target_of(said: ImportInstruction, tables: Sequence[Table], file_name: str) -> tuple[Table | str, list[str]]:
    """The table that is meant, or the name of a new one; and notes on how it was found.

    Raises BadRequestError where a new table is asked for whose name is taken.
    """
    name = said_table(said, file_name)
    found = find_target(said, tables, file_name)
    notes = []
    if said.table is None and not said.dataset:
        notes.append(
            f"no table was named, so the file's name is taken: {found.name if found else table_identifier(name)}"
        )
    if found is None:
        return (name if said.dataset else table_identifier(name)), notes
    if said.new and not said.dataset:
        raise BadRequestError("Table exists", f"{found.name!r} exists already; say another name, or import into it")
    if table_identifier(name) != found.name and said.table is not None:
        notes.append(f"took {name!r} for the table {found.name!r}")
    return found, notes
