"""Intervals between moments: differences of times, and constants beside them, as microseconds in a BIGINT.

PostgreSQL compares intervals by days of 24 hours and months of 30 days. A difference of two moments has no months.
"""

from __future__ import annotations

from atlas.sqlgate.columnar.kinds import Kind, NotColumnarError, Typed


def micros_of(found: Typed) -> str:
    """Returns the microseconds of a moment since 1970, or those of a span. Raises NotColumnarError."""
    if found.kind is Kind.SPAN:
        return found.sql
    if found.kind in (Kind.TIME, Kind.DATE):
        return f"epoch_us(CAST({found.sql} AS TIMESTAMP))"
    raise NotColumnarError(f"the microseconds of {found.kind.name}")


def difference(left: Typed, right: Typed) -> Typed:
    """Returns the span between two moments, or the number of days between two dates. Raises NotColumnarError."""
    kinds = {left.kind, right.kind}
    if kinds == {Kind.DATE}:
        return Typed(f"CAST(({left.sql} - {right.sql}) AS INTEGER)", Kind.INT4)
    if not kinds <= {Kind.TIME, Kind.DATE}:
        raise NotColumnarError("a difference of moments")
    return Typed(f"({micros_of(left)} - {micros_of(right)})", Kind.SPAN)


def beside_span(found: Typed) -> str:
    """Returns a span or a constant in microseconds. Raises NotColumnarError for a constant of months."""
    if found.kind is Kind.SPAN:
        return found.sql
    if found.kind is not Kind.INTERVAL or any(unit in found.sql for unit in ("month", "year")):
        raise NotColumnarError(f"{found.kind.name} beside a span")
    return f"epoch_us(TIMESTAMP '1970-01-01' + {found.sql})"
