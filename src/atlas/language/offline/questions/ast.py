"""What a question asks for, typed: expressions, conditions, and the query that they make up."""

from __future__ import annotations

import msgspec

Unit = str  # year, quarter, month, week, day, hour, minute


class Col(msgspec.Struct, frozen=True, tag="col"):
    """A column of a table, by logical names."""

    table: str
    name: str


class Num(msgspec.Struct, frozen=True, tag="num"):
    """A number."""

    value: float | int


class Bucket(msgspec.Struct, frozen=True, tag="bucket"):
    """The start of the period of length `unit` in which a time lies."""

    unit: Unit
    column: Col


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A part of a time as a number: year, quarter, month, week, day, dow, hour."""

    unit: Unit
    column: Col


class Agg(msgspec.Struct, frozen=True, tag="agg"):
    """An aggregate. function: count, sum, avg, min, max, median, stddev; no arg: rows; where: only rows that match."""

    function: str
    arg: Expr | None = None
    distinct: bool = False
    where: Cond | None = None


class Op(msgspec.Struct, frozen=True, tag="op"):
    """Arithmetic: + - * /. A division is of real numbers, and by zero gives no value."""

    operator: str
    left: Expr
    right: Expr


class OfTotal(msgspec.Struct, frozen=True, tag="share"):
    """An aggregate as a share of the total over all groups, in percent."""

    part: Agg


class Previous(msgspec.Struct, frozen=True, tag="previous"):
    """An expression's value in the row before, in the query's order."""

    value: Expr
    over: Expr


Expr = Col | Num | Bucket | Part | Agg | Op | OfTotal | Previous


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """expr operator value: = <> < <= > >=. A text is compared without regard to case if `fold`."""

    expr: Expr
    operator: str
    value: str | int | float | bool
    fold: bool = False


class OneOf(msgspec.Struct, frozen=True, tag="in"):
    """The column has one of the values."""

    expr: Expr
    values: tuple[str | int | float, ...]
    negated: bool = False


class Contains(msgspec.Struct, frozen=True, tag="like"):
    """The text contains, starts or ends with another, in any case. where: any, start, end."""

    expr: Expr
    text: str
    where: str = "any"
    negated: bool = False


class Empty(msgspec.Struct, frozen=True, tag="null"):
    """The column has no value."""

    expr: Expr
    negated: bool = False


class Truth(msgspec.Struct, frozen=True, tag="truth"):
    """The boolean column is true."""

    expr: Expr
    negated: bool = False


class During(msgspec.Struct, frozen=True, tag="during"):
    """The time lies in [start, end). Bounds are SQL time expressions made by `times`, or None."""

    column: Col
    start: str | None = None
    end: str | None = None
    words: str = ""
    negated: bool = False


class Given(msgspec.Struct, frozen=True, tag="given"):
    """A condition in SQL that the organization's glossary gives for a term, on columns of one table."""

    table: str
    sql: str
    words: str = ""
    negated: bool = False


class And(msgspec.Struct, frozen=True, tag="and"):
    """Every condition holds."""

    parts: tuple[Cond, ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """One of the conditions holds."""

    parts: tuple[Cond, ...]


class Extreme(msgspec.Struct, frozen=True, tag="extreme"):
    """The column compares to an aggregate of a column over all rows that match `where`."""

    expr: Expr
    operator: str
    value: Agg


class Exists(msgspec.Struct, frozen=True, tag="exists"):
    """Rows of a table that refer to this one match a condition. column of the main table = key of `table`."""

    column: Col
    table: str
    key: str
    where: Cond | None = None
    negated: bool = False


Cond = Compare | OneOf | Contains | Empty | Truth | During | Given | And | Or | Extreme | Exists


class Output(msgspec.Struct, frozen=True):
    """A column of the result."""

    expr: Expr
    name: str


class Order(msgspec.Struct, frozen=True):
    """What the result is sorted by."""

    expr: Expr
    descending: bool = False


class Best(msgspec.Struct):
    """What a superlative asks for. by: what is compared; None: the number of rows of each head; place: its item."""

    descending: bool
    by: Expr | None
    place: int = 0


class Query(msgspec.Struct, frozen=True):
    """A whole query. No outputs: all columns of the main table. ties: rows equal to the last one count too."""

    table: str
    outputs: tuple[Output, ...] = ()
    where: tuple[Cond, ...] = ()
    group: tuple[Expr, ...] = ()
    having: tuple[Cond, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
    ties: bool = False

    @property
    def aggregated(self) -> bool:
        """Whether rows are made of groups."""
        return bool(self.group) or any(has_aggregate(output.expr) for output in self.outputs)


def has_aggregate(expr: Expr) -> bool:
    """Whether an aggregate is part of the expression."""
    match expr:
        case Agg() | OfTotal():
            return True
        case Op(left=left, right=right):
            return has_aggregate(left) or has_aggregate(right)
        case Previous(value=value):
            return has_aggregate(value)
    return False
