"""The typed syntax tree of a question: expressions, conditions, and the query."""

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
    """The start of the period of length `unit` that a time lies in."""

    unit: Unit
    column: Col


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A part of a time as a number: year, quarter, month, week, day, dow, hour."""

    unit: Unit
    column: Col


class Agg(msgspec.Struct, frozen=True, tag="agg"):
    """An aggregate.

    function: count, sum, avg, min, max, median or stddev.
    arg: the aggregated expression. None: rows are counted.
    where: the condition that rows must match.
    """

    function: str
    arg: Expr | None = None
    distinct: bool = False
    where: Cond | None = None


class Op(msgspec.Struct, frozen=True, tag="op"):
    """Arithmetic by + - * or /. A division is in real numbers, and a division by zero gives NULL."""

    operator: str
    left: Expr
    right: Expr


class OfTotal(msgspec.Struct, frozen=True, tag="share"):
    """An aggregate as a share of the total over all groups, in percent."""

    part: Agg


class Previous(msgspec.Struct, frozen=True, tag="previous"):
    """The value of an expression in the row before, in the query's order."""

    value: Expr
    over: Expr


Expr = Col | Num | Bucket | Part | Agg | Op | OfTotal | Previous


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """A comparison by one of = <> < <= > >=. With `fold`, texts are compared without case."""

    expr: Expr
    operator: str
    value: str | int | float | bool
    fold: bool = False


class OneOf(msgspec.Struct, frozen=True, tag="in"):
    """The condition that the column has one of the values."""

    expr: Expr
    values: tuple[str | int | float, ...]
    negated: bool = False


class Contains(msgspec.Struct, frozen=True, tag="like"):
    """The condition that a text contains, starts with or ends with `text`, in any case.

    where: any, start or end.
    """

    expr: Expr
    text: str
    where: str = "any"
    negated: bool = False


class Empty(msgspec.Struct, frozen=True, tag="null"):
    """The condition that the column is NULL."""

    expr: Expr
    negated: bool = False


class Truth(msgspec.Struct, frozen=True, tag="truth"):
    """The condition that the boolean column is true."""

    expr: Expr
    negated: bool = False


class During(msgspec.Struct, frozen=True, tag="during"):
    """The condition that a time lies in [start, end).

    start, end: SQL time expressions by `time_phrases`. None: no bound.
    """

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
    """The condition that all parts hold."""

    parts: tuple[Cond, ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """The condition that one of the parts holds."""

    parts: tuple[Cond, ...]


class Extreme(msgspec.Struct, frozen=True, tag="extreme"):
    """The condition that a column compares to an aggregate over all rows that match `where`."""

    expr: Expr
    operator: str
    value: Agg


class Versus(msgspec.Struct, frozen=True, tag="versus"):
    """A comparison of two expressions of one row."""

    left: Expr
    operator: str
    right: Expr


class Exists(msgspec.Struct, frozen=True, tag="exists"):
    """The condition that rows of another table that refer to a row match `where`.

    The rows are joined by column of the main table = key of `table`.
    having: a condition on the group of these rows, such as their number.
    """

    column: Col
    table: str
    key: str
    where: Cond | None = None
    negated: bool = False
    having: Cond | None = None


Cond = Compare | OneOf | Contains | Empty | Truth | During | Given | And | Or | Extreme | Versus | Exists


class Output(msgspec.Struct, frozen=True):
    """A column of the result."""

    expr: Expr
    name: str


class Order(msgspec.Struct, frozen=True):
    """An expression that sorts the result."""

    expr: Expr
    descending: bool = False


class Best(msgspec.Struct):
    """The request of a superlative.

    by: the compared expression. None: the number of rows of each group.
    place: the item of the superlative in the question.
    """

    descending: bool
    by: Expr | None
    place: int = 0


class Query(msgspec.Struct, frozen=True):
    """A whole query.

    outputs: the columns of the result. Empty: all columns of the main table.
    ties: whether rows equal to the last row count too.
    within: `limit` counts the rows of each group of these expressions, and equal rows share a place.
    """

    table: str
    outputs: tuple[Output, ...] = ()
    where: tuple[Cond, ...] = ()
    group: tuple[Expr, ...] = ()
    having: tuple[Cond, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
    ties: bool = False
    within: tuple[Expr, ...] = ()

    @property
    def aggregated(self) -> bool:
        """Whether the result has groups or aggregates instead of rows of the table."""
        return bool(self.group) or any(has_aggregate(output.expr) for output in self.outputs)


def has_aggregate(expr: Expr) -> bool:
    """Checks whether an aggregate is part of the expression."""
    match expr:
        case Agg() | OfTotal():
            return True
        case Op(left=left, right=right):
            return has_aggregate(left) or has_aggregate(right)
        case Previous(value=value):
            return has_aggregate(value)
    return False
