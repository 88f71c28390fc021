"""What a question asks for: noun phrases with conditions and ranks, figures, groups and an order."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas.language.offline.questions import ast as q


@dataclass
class Measure:
    """A figure of the rows of a table.

    expr: a column, or an aggregate over the rows of `table` that match `where`.
    """

    expr: q.Expr
    table: str
    where: list[q.Cond] = field(default_factory=list)


@dataclass
class Rank:
    """The request for the rows or groups with the greatest or least figure."""

    measure: Measure
    descending: bool


@dataclass
class Phrase:
    """The rows of a table, or the different values of one of its columns.

    column: None for the rows themselves.
    where: conditions on rows of the table.
    having: conditions on the group of each value of the column.
    limit: how many of the ranked rows are asked for. None: all that are equal.
    """

    table: str
    column: q.Col | None = None
    where: list[q.Cond] = field(default_factory=list)
    having: list[q.Cond] = field(default_factory=list)
    rank: Rank | None = None
    limit: int | None = None
    distinct: bool = False
    negated: bool = False
    named: bool = False


@dataclass
class Request:
    """A whole question.

    shown: plain columns, in order.
    share: the condition of the part whose share is asked for.
    entity: whether the rows are asked for by name, as `which` does.
    """

    phrase: Phrase
    shown: list[q.Expr] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    groups: list[q.Expr] = field(default_factory=list)
    orders: list[tuple[Measure, bool]] = field(default_factory=list)
    limit: int | None = None
    share: q.Cond | None = None
    percent: bool = True
    which: bool = False
