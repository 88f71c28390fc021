"""Columns of a dataset: types, and names in PostgreSQL for keys of any spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# Integers up to this bound are exact as a float64.
EXACT_FLOAT = 2**53

# PostgreSQL allows 1,600 columns in a table, dropped columns included. Keys past this number live in "_extra".
MAX_PHYSICAL_COLUMNS = 1000

# Bytes of an identifier that PostgreSQL keeps. PostgreSQL cuts longer identifiers, so two keys could collide.
MAX_IDENTIFIER_BYTES = 63

# Columns of a dataset with cold rows: the bounds of the segment that holds a row, or of the row itself.
BOUNDS = ("_low_ts", "_high_ts", "_low_seq", "_high_seq")
# Names of the table's own columns and of PostgreSQL's system columns.
RESERVED = frozenset({"ts", "_seq", "_extra", *BOUNDS, "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


class Dtype(StrEnum):
    """Type of a column. `json` has no physical column: its values are stored in `_extra`."""

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
    """A known key of a dataset.

    `physical` is the name of the column in PostgreSQL, or None for `json`. `unit` and `description` are texts that the
    dataset's owner gave. Code that plans reads and writes leaves `unit` and `description` empty.
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
    """Encodes a key as text that PostgreSQL can store: U+0010 escapes NUL and itself."""
    return name.replace("\x10", "\x10\x10").replace("\0", "\x100")


def from_catalog(text: str) -> str:
    """Decodes the key that `to_catalog` encoded as `text`."""
    return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else "\x10", text)


def physical_name(name: str, position: int, taken: frozenset[str] | set[str]) -> str:
    """Returns the column name for the key `name`.

    The column name is the key itself when PostgreSQL can store the key, otherwise `c<position>`. `position` must be
    unique in the dataset, so that `c<position>` is unique, too.
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
