"""Last steps of values that DuckDB has no exact type for: PostgreSQL's numeric, worked out of what DuckDB gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from atlas.sqlgate.columnar.kinds import Kind

# PostgreSQL's numeric.c: digits behind the point of a quotient, and decimal digits of one of its digits.
_MIN_SIGNIFICANT, _DIGITS = 16, 4
_PRECISION = 1_000
# Significant digits with which PostgreSQL turns a double into a numeric.
_DOUBLE_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Finish:
    """How a column of the answer is made. places: digits behind the point of a rounded double; count: the position of
    the column that has the number of values of an average; both None for a value as it is."""

    kind: Kind
    places: int | None = None
    count: int | None = None

    @property
    def type_name(self) -> str:
        """PostgreSQL's name of the column's type."""
        if self.places is not None or self.count is not None or self.kind is Kind.MICROS:
            return "numeric"
        return str(self.kind.value)


def quotient(total: int, count: int) -> Decimal:
    """Returns a quotient of two integers with the digits that PostgreSQL gives it; count is positive."""
    weight = _weight(abs(total)) - _weight(count)
    if _first_digit(abs(total)) <= _first_digit(count):
        weight -= 1
    places = max(0, _MIN_SIGNIFICANT - weight * _DIGITS)
    with localcontext(prec=_PRECISION, rounding=ROUND_HALF_UP):
        return (Decimal(total) / Decimal(count)).quantize(Decimal(1).scaleb(-places))


def _weight(value: int) -> int:
    """Returns the position of the first digit to the base 10,000; that of 0 is 0."""
    return max(0, (len(str(value)) - 1) // _DIGITS) if value else 0


def _first_digit(value: int) -> int:
    """Returns the first digit to the base 10,000."""
    return int(value // 10 ** (_DIGITS * _weight(value)))


def rounded(value: float, places: int) -> Decimal:
    """Returns a finite double as PostgreSQL casts it to numeric and rounds it."""
    with localcontext(prec=_PRECISION):
        return _cut(Decimal(f"{value:.{_DOUBLE_DIGITS}g}"), places)


def _cut(value: Decimal, places: int) -> Decimal:
    with localcontext(prec=_PRECISION):
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class NotFiniteError(Exception):
    """Reports a value that is not finite, for which PostgreSQL may have raised an error."""


def finished(columns: Sequence[Sequence[Any]], finishes: Sequence[Finish]) -> list[tuple[Any, ...]]:
    """Returns rows as the PostgreSQL driver gives them. columns: what DuckDB gave, one sequence a column.

    Raises NotFiniteError.
    """
    cells = [_column(values, columns, finish) for values, finish in zip(columns, finishes, strict=False)]
    return list(zip(*cells, strict=True))


def _column(values: Sequence[Any], columns: Sequence[Sequence[Any]], finish: Finish) -> list[Any]:
    if finish.count is not None:
        counts = columns[finish.count]
        found = [None if one is None else quotient(int(one), count) for one, count in zip(values, counts, strict=True)]
        return found if finish.places is None else [None if one is None else _cut(one, finish.places) for one in found]
    if finish.kind is Kind.FLOAT and any(one is not None and not math.isfinite(one) for one in values):
        raise NotFiniteError
    if finish.places is not None:
        places = finish.places
        return [None if one is None else rounded(one, places) for one in values]
    step = _STEPS.get(finish.kind)
    return list(values) if step is None else [None if one is None else step(one) for one in values]


def _moment(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _seconds(value: int) -> Decimal:
    return Decimal(int(value)).scaleb(-6)


def _span(value: int) -> timedelta:
    return timedelta(microseconds=int(value))


_STEPS: dict[Kind, Callable[[Any], Any]] = {
    Kind.WHOLE: lambda value: Decimal(int(value)),
    Kind.TIME: _moment,
    Kind.SPAN: _span,
    Kind.MICROS: _seconds,
}
