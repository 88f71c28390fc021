"""Bounds the cost of a condition for one row, by the cost model of queries.

Types of columns are not known here, so each column counts as the longest type. A text gets a guard only when its
pattern is not a constant. A condition with a costly constant pattern is refused.
"""

from __future__ import annotations

from sqlglot import exp

from atlas.sqlgate.costs import GUARDED_PATTERN, GUARDED_TEXT, MAX_WORK, Costs, Sources
from atlas.sqlgate.lexer import refuse
from atlas.sqlgate.names import plain
from atlas.sqlgate.resolver import Resolution
from atlas.sqlgate.value_sizes import CELL, STORED, Cost, cast, search


def bound_condition_costs(query: exp.Expr, found: Resolution) -> None:
    """Records in `found` which texts of a condition get guards. query: a SELECT with the condition as its WHERE.

    Raises BadRequestError when one row could take too long.
    """
    costs = _ConditionCosts(found)
    costs.query(query, [], {})
    if costs.work > MAX_WORK:
        raise refuse(
            f"one row could take {costs.work / 1e9:,.0f} s, over {MAX_WORK // 10**9}; use fewer or shorter patterns, "
            "and sizes behind NUMERIC, such as NUMERIC(38, 10)"
        )


class _ConditionCosts(Costs):
    def __init__(self, found: Resolution) -> None:
        super().__init__(found, guards=False)

    def _column(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return Cost(1, 0, "N", STORED, CELL)

    def _cast(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        value = self.cost(node.this, scopes)
        if not isinstance(node.this, exp.Literal):
            value = value._replace(kind="T", digits=0)
        return cast(value, str(node.args["to"].args["kind"]))

    def _search(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        text, pattern = self.cost(node.this, scopes), self.cost(node.expression, scopes)
        if not isinstance(plain(node.expression), exp.Literal):
            pattern = pattern._replace(length=GUARDED_PATTERN)
            self.found.guards[id(node.expression)] = GUARDED_PATTERN
            if not isinstance(plain(node.this), exp.Literal):
                text = text._replace(length=GUARDED_TEXT)
                self.found.guards[id(node.this)] = GUARDED_TEXT
        return search(text, pattern)
