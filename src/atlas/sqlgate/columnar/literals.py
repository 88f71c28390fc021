"""Constants of queries: texts that stand for times, days and intervals, in the forms that both systems read alike."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlglot import exp

from atlas.sqlgate.columnar.kinds import Kind, NotColumnarError, Typed

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTERVAL = re.compile(
    r"\d{1,5} (?:second|minute|hour|day|week|month|year)s?(?: \d{1,5} (?:second|minute|hour|day|week|month|year)s?)*",
    re.ASCII,
)
_WHOLE = re.compile(r"\d+", re.ASCII)
_MAX_INT4, _MAX_INT8 = 2**31 - 1, 2**63 - 1
# Digits up to which a decimal constant and a BIGINT fit into one of DuckDB's decimals.
_MAX_DIGITS = 18


def time_constant(text: str) -> Typed:
    """Returns the moment that a text in ISO 8601 form means, in UTC where the text has no zone."""
    if _TIME.fullmatch(text) is None:
        raise NotColumnarError(f"the form of {text!r}")
    try:
        found = datetime.fromisoformat(text)
        moment = found.astimezone(UTC) if found.tzinfo is not None else found
    except (ValueError, OverflowError):
        raise NotColumnarError(f"the time {text!r}") from None
    return Typed(f"TIMESTAMP '{moment.replace(tzinfo=None).isoformat(' ', 'microseconds')}'", Kind.TIME)


def day_constant(text: str) -> Typed:
    """Returns the day that a text in ISO 8601 form means."""
    time_constant(text)
    if _DAY.fullmatch(text) is None:
        raise NotColumnarError(f"the form of {text!r}")
    return Typed(f"DATE '{text}'", Kind.DATE)


def interval_constant(text: str) -> Typed:
    """Returns the interval that a text such as `7 days` or `1 month 2 days` means."""
    if _INTERVAL.fullmatch(text.strip()) is None:
        raise NotColumnarError(f"the interval {text!r}")
    parts = text.split()
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return Typed(f"({' + '.join(f'INTERVAL ({number}) {unit}' for number, unit in pairs)})", Kind.INTERVAL)


def number_constant(text: str) -> Typed:
    """Returns a number as PostgreSQL types it: INT4, INT8 or DECIMAL."""
    if _WHOLE.fullmatch(text):
        value = int(text)
        if value <= _MAX_INT4:
            return Typed(str(value), Kind.INT4)
        if value <= _MAX_INT8:
            return Typed(f"CAST({value} AS BIGINT)", Kind.INT8)
        raise NotColumnarError("an integer past 64 bits")
    return Typed(text, Kind.DECIMAL)


def exact_decimal(constant: Typed) -> str:
    """Returns a decimal constant for a comparison with an integer. Raises NotColumnarError where it is long."""
    if "e" in constant.sql.lower() or len(constant.sql) > _MAX_DIGITS:
        raise NotColumnarError("a long decimal beside an integer")
    return constant.sql if not constant.sql.endswith(".") else f"{constant.sql}0"


def is_text(node: exp.Expr) -> bool:
    """Tells whether an expression is a text constant, which has the type of what stands beside it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Literal) and bool(node.is_string)


def text_of(node: exp.Expr) -> str:
    """Returns the text of a constant."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node.name
