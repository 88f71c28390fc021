"""Columns of a dataset: their types, and how a key of any spelling gets a name in PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# Integers up to here are exact as a float64.
EXACT_FLOAT = 2**53

# PostgreSQL allows 1,600 columns a table, dropped ones counted; keys past this number live in "_extra".
MAX_PHYSICAL_COLUMNS = 1000

# Bytes of an identifier that PostgreSQL keeps; longer ones are cut, so two keys could meet.
MAX_IDENTIFIER_BYTES = 63

# Of a dataset with cold rows: bounds of the segment that a row is in, or of the row itself.
BOUNDS = ("_low_ts", "_high_ts", "_low_seq", "_high_seq")
# Names of the table's own columns and of PostgreSQL's hidden ones.
RESERVED = frozenset({"ts", "_seq", "_extra", *BOUNDS, "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


class Dtype(StrEnum):
    """Type of a column. `json` has no physical column: its values stand in `_extra`."""

    INT = "int"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    JSON = "json"


_ESCAPED = re.compile("\x10([0\x10])")

SQL_TYPES = {
    Dtype.INT: "bigint",
    Dtype.FLOAT: "double precision",
    Dtype.BOOLEAN: "boolean",
    Dtype.STRING: "text",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A known key of a dataset. `physical` is None for `json`; unit, description: what its owner says of its values.

    What plans reads and writes leaves unit and description empty.
    """

    id: int
    name: str
    dtype: Dtype
    physical: str | None
    declared: bool = False
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column to declare."""

    name: str
    dtype: Dtype
    unit: str = ""
    description: str = ""


def to_catalog(name: str) -> str:
    """A key as PostgreSQL's text can hold it: U+0010 escapes the NUL, and itself."""
    return name.replace("\x10", "\x10\x10").replace("\0", "\x100")


def from_catalog(text: str) -> str:
    """The key that `to_catalog` made `text` of."""
    return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else "\x10", text)


def physical_name(name: str, position: int, taken: frozenset[str] | set[str]) -> str:
    """The column name for key `name`: the key itself where PostgreSQL can hold it, else `c<position>`.

    `position` must be unique in the dataset, so that the fallback is too.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = MAX_IDENTIFIER_BYTES + 1
    plain = 0 < size <= MAX_IDENTIFIER_BYTES and "\0" not in name and "%" not in name
    if plain and name not in RESERVED and name not in taken:
        return name
    fallback = f"c{position}"
    while fallback in taken:
        fallback += "_"
    return fallback
