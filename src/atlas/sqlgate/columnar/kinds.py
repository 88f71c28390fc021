"""Types of expressions in queries that DuckDB answers exactly as PostgreSQL does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class NotColumnarError(Exception):
    """Reports a part of a query for which DuckDB is not known to give PostgreSQL's answer."""


class Kind(Enum):
    """The type of an expression; the value is PostgreSQL's name for the type.

    WHOLE is PostgreSQL's numeric where all values are integers: a sum of BIGINT, or a part of a time. DuckDB computes
    WHOLE as HUGEINT or BIGINT. TIME is a moment, which DuckDB gets as TIMESTAMP in UTC, since PostgreSQL's session has
    that zone. SPAN is the interval between two moments, which DuckDB has as BIGINT of microseconds. MICROS
    is a numeric of seconds, which DuckDB has as microseconds. DECIMAL and INTERVAL are constants only.
    """

    INT4 = "int4"
    INT8 = "int8"
    WHOLE = "numeric"
    FLOAT = "float8"
    TEXT = "text"
    BOOL = "bool"
    TIME = "timestamptz"
    DATE = "date"
    SPAN = "interval"
    MICROS = "seconds"
    DECIMAL = "decimal"
    INTERVAL = "interval constant"
    NULL = "unknown"


INTEGERS = frozenset({Kind.INT4, Kind.INT8})
NUMBERS = INTEGERS | {Kind.WHOLE, Kind.FLOAT}
# Parts of a time that are integers in both systems.
WHOLE_PARTS = frozenset("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE DOW DOY ISODOW ISOYEAR".split())
# Types of columns in the catalog.
COLUMN_KINDS = {
    "bigint": Kind.INT8,
    "double": Kind.FLOAT,
    "text": Kind.TEXT,
    "boolean": Kind.BOOL,
    "timestamp": Kind.TIME,
    "date": Kind.DATE,
}


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression as DuckDB takes it, with its type."""

    sql: str
    kind: Kind

    @property
    def double(self) -> str:
        """The expression as DOUBLE. Raises NotColumnarError where it is no number."""
        if self.kind is Kind.FLOAT:
            return self.sql
        if self.kind is Kind.MICROS:
            return f"({self.sql} / 1e6)"
        if self.kind is Kind.DECIMAL:
            return f"CAST('{self.sql}' AS DOUBLE)"
        if self.kind in NUMBERS:
            return f"CAST({self.sql} AS DOUBLE)"
        raise NotColumnarError(f"{self.kind.name} as a number")
