"""Bounds how large a query's plan grows, and the cost of its longest values. The query's length shows neither.

PostgreSQL substitutes the columns of subqueries and WITH queries for their names, so that `v + v` doubles at each step.
PostgreSQL checks for a cancellation only between rows, not within an expression. So each expression has a `Cost`: an
upper bound of its size in the plan and of one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from atlas.sqlgate.allowlist import SET_OPERATIONS
from atlas.sqlgate.lexer import refuse
from atlas.sqlgate.names import plain
from atlas.sqlgate.resolver import Column, Resolution
from atlas.sqlgate.value_sizes import LONG, Cost, arithmetic, call, cast, either, literal, read, search, stored, whole

# Limits of a query: nodes of expressions, and nanoseconds of work that nothing interrupts. The first limit of nodes is
# for all queries. The second is for queries with barriers and guards, which would keep PostgreSQL from quicker plans.
MAX_NODES = (10_000, 20_000)
MAX_WORK = 8_000_000_000
# Nodes and nanoseconds past which a column gets a barrier. Characters that a guard allows for a searched text, and for
# a pattern.
BARRIER_NODES, BARRIER_WORK = 50, 10_000_000
GUARDED_TEXT, GUARDED_PATTERN = 250_000, 500

# Calls that search their first argument for their second. Calls that take rows, where each argument may be long.
_SEARCHES = frozenset("translate replace strpos split_part btrim ltrim rtrim".split())
_OF_ROWS = frozenset("count min max mode lag lead first_value last_value nth_value".split())

Sources = dict[str, dict[str, Cost]]


def bound_costs(tree: exp.Expr, found: Resolution) -> None:
    """Records in `found` where a query needs barriers and guards. Raises BadRequestError when they do not help."""
    first = Costs(found, guards=False)
    first.query(tree, [], {})
    if first.nodes <= MAX_NODES[0] and first.work <= MAX_WORK:
        return
    second = Costs(found, guards=True)
    second.query(tree, [], {})
    if second.nodes > MAX_NODES[1]:
        raise refuse(
            f"its subqueries and names from WITH expand to {second.nodes:,} parts, over {MAX_NODES[1]:,}; "
            "use fewer columns of long expressions"
        )
    if second.work > MAX_WORK:
        numbers = f"it computes with numbers of up to {second.digits:,} digits; cast them to NUMERIC(38, 10) or DOUBLE "
        texts = f"it works on texts of up to {second.length:,} characters; use fewer or shorter patterns, or LEFT"
        advice = [f"{numbers}PRECISION"] if second.digits > 1_000 else []
        advice += [texts] if second.length > GUARDED_TEXT or not advice else []
        raise refuse(f"one row could take {second.work / 1e9:,.0f} s, over {MAX_WORK // 10**9}: {'; '.join(advice)}")


class Costs:
    """Adds up the cost of a query. guards: whether to record barriers and guards, and to count on them."""

    def __init__(self, found: Resolution, *, guards: bool) -> None:
        self.found, self.guards = found, guards
        self.nodes = self.work = self.digits = self.length = 0
        self.methods: dict[type[exp.Expr], Callable[[exp.Expr, list[Sources]], Cost]] = {
            exp.Literal: lambda node, _: literal(node),
            exp.Column: self._column,
            exp.Paren: lambda node, scopes: self.cost(node.this, scopes),
            exp.Neg: self._negative,
            exp.Subquery: self._subquery,
            exp.Exists: self._subquery,
            exp.In: self._in,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Anonymous: self._call,
            exp.StrPosition: self._position,
            exp.Trim: self._trim,
            exp.Substring: self._substring,
            exp.Like: self._search,
            exp.ILike: self._search,
            exp.Extract: lambda node, scopes: self._other(node, scopes).of("N", digits=30),
            exp.Filter: self._around,
            exp.Window: self._around,
            exp.Distinct: self._first,
            exp.Order: self._first,
            exp.DPipe: self._joined,
            **dict.fromkeys((exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between), self._reads),
            **dict.fromkeys((exp.RegexpLike, exp.RegexpILike), self._reads),
            **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), self._arithmetic),
            **dict.fromkeys((exp.Select, *SET_OPERATIONS), self._subquery),
            **dict.fromkeys((exp.Identifier, exp.DataType, exp.Var, exp.TableAlias), lambda *_: Cost()),
        }

    # Queries.
    def query(self, node: exp.Expr, scopes: list[Sources], known: dict[str, list[Cost]]) -> list[Cost]:
        """Adds a query's cost, and returns the costs of its columns. known: the columns of WITH queries."""
        if isinstance(node, exp.Subquery):
            return self.query(node.this, scopes, known)
        for one in node.args["with_"].expressions if node.args.get("with_") else []:
            outputs = self._barred(one, self.query(one.this, scopes, known))
            known = {**known, one.args["alias"].this.name: outputs}
        if isinstance(node, tuple(SET_OPERATIONS)):
            left = self.query(node.this, scopes, known)
            right = self.query(node.expression, scopes, known)
            return [either(pair).grown(sum(one.nodes for one in pair)) for pair in zip(left, right, strict=True)]
        return self._select(node, scopes, known)

    def _select(self, node: exp.Expr, scopes: list[Sources], known: dict[str, list[Cost]]) -> list[Cost]:
        sources: Sources = {}
        scopes = [sources, *scopes]
        joins = node.args.get("joins") or []
        for one in ([node.args["from_"]] if node.args.get("from_") else []) + joins:
            self._source(one.this, scopes, known)
        clauses = [join.args["on"] for join in joins if join.args.get("on")]
        clauses += [node.args[name] for name in ("where", "having", "distinct") if node.args.get(name)]
        clauses += node.args.get("windows") or []
        for name in ("group", "order"):
            terms = node.args[name].expressions if node.args.get(name) else []
            clauses += [term.this if isinstance(term, exp.Ordered) else term for term in terms]
        for clause in clauses:
            self._count(self._in_query(clause, scopes, known))
        outputs: list[Cost] = []
        for projection in node.expressions:
            columns = self.found.stars.get(id(projection))
            if columns is not None:
                outputs += [self._named(column, scopes) for column in columns]
            else:
                value = projection.this if isinstance(projection, exp.Alias) else projection
                outputs.append(self._in_query(value, scopes, known))
        for output in outputs:
            self._count(output)
        return outputs

    def _in_query(self, node: exp.Expr, scopes: list[Sources], known: dict[str, list[Cost]]) -> Cost:
        self.known = known
        return self.cost(node, scopes)

    def _count(self, cost: Cost) -> None:
        self.nodes += cost.nodes
        self.work += cost.work

    def _source(self, node: exp.Expr, scopes: list[Sources], known: dict[str, list[Cost]]) -> None:
        """Adds an item of FROM to the innermost scope."""
        alias = node.args.get("alias")
        names = self.found.outputs[id(node)]
        table = self.found.tables.get(id(node))
        times: dict[str, Cost] = {}
        if table is not None:
            costs = [stored(column.type) for column in table.columns]
            times = {time: stored("timestamp") for time in table.row_times}
        elif isinstance(node, exp.Table):
            costs = known[node.this.name]
        elif isinstance(node, exp.Values):
            rows = [[self._in_query(one, scopes[1:], known) for one in row.expressions] for row in node.expressions]
            costs = [either(column) for column in zip(*rows, strict=True)]
        else:
            costs = self._barred(node, self.query(node.this, scopes[1:], known))
        name = alias.this.name if alias else node.this.name
        scopes[0][name] = times | dict(zip(names, costs, strict=True))

    def _barred(self, node: exp.Expr, outputs: list[Cost]) -> list[Cost]:
        """Returns the columns of a subquery. Behind a barrier PostgreSQL does not substitute them for their names."""
        small = all(output.nodes <= BARRIER_NODES and output.work <= BARRIER_WORK for output in outputs)
        if small or not self.guards:
            return outputs
        self.found.barriers.add(id(node))
        return [output._replace(nodes=1, work=0) for output in outputs]

    # Expressions.
    def cost(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        if id(node) in self.found.positions:
            return Cost()
        found = self.methods.get(type(node), self._other)(node, scopes)
        self.digits, self.length = max(self.digits, found.digits), max(self.length, found.length)
        return found

    def _parts(self, nodes: Sequence[exp.Expr], scopes: list[Sources]) -> list[Cost]:
        return [self.cost(node, scopes) for node in nodes]

    def _other(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return whole(self._parts(list(node.iter_expressions()), scopes))

    def _column(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return self._named(self.found.columns[id(node)], scopes)

    def _named(self, column: Column, scopes: list[Sources]) -> Cost:
        for sources in scopes:
            if column.sources[0] in sources:
                return either([sources[source][column.name] for source in column.sources])
        return Cost()

    def _subquery(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        """Returns the cost of a subquery within an expression. The subquery occurs as often as the expression."""
        known, before = self.known, (self.nodes, self.work)
        query = node if isinstance(node, (exp.Select, *SET_OPERATIONS)) else node.this
        (output, *_) = self.query(query, scopes, known)
        within = Cost(self.nodes - before[0] + 1, self.work - before[1])
        self.known, (self.nodes, self.work) = known, before
        return output._replace(nodes=within.nodes, work=within.work)

    def _in(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return self._other(node, scopes).of("O")

    def _case(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        tests = [one.this for one in node.args["ifs"]] + ([node.this] if node.args.get("this") else [])
        results = [one.args["true"] for one in node.args["ifs"]]
        results += [node.args["default"]] if node.args.get("default") else []
        found = self._parts(results, scopes)
        return either(found).over([*found, *self._parts(tests, scopes)])

    def _cast(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return cast(self._limited([node.this], scopes)[0], str(node.args["to"].args["kind"]))

    def _arithmetic(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return arithmetic(type(node), self.cost(node.this, scopes), self.cost(node.expression, scopes))

    def _joined(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        return call("concat", self._limited([node.this, node.expression], scopes))

    def _call(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        nodes = node.expressions
        if node.name in _OF_ROWS or not nodes:
            return call(node.name, self._parts(nodes, scopes))
        found = self._limited(nodes, scopes)
        if node.name in _SEARCHES and len(found) > 1:
            found[0] = self._guard(nodes[0], found[0], GUARDED_TEXT)
            found[1] = self._guard(nodes[1], found[1], GUARDED_PATTERN)
        return call(node.name, found)

    def _limited(self, nodes: Sequence[exp.Expr], scopes: list[Sources]) -> list[Cost]:
        """Returns the costs of arguments that are read once.

        Columns get guards, which also bound values made from the columns.
        """
        found = self._parts(nodes, scopes)
        for number, node in enumerate(nodes):
            if isinstance(plain(node), exp.Column):
                found[number] = self._guard(node, found[number], GUARDED_TEXT)
        return found

    def _reads(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        """Returns the cost of a comparison that reads whole texts."""
        return read(self._limited(list(node.iter_expressions()), scopes))

    def _position(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        text, pattern = node.this, node.args["substr"]
        return call("strpos", [*self._guarded(text, self.cost(text, scopes), pattern, self.cost(pattern, scopes))])

    def _trim(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        text, letters = node.this, node.args.get("expression")
        if letters is None:
            return call("btrim", self._limited([text], scopes))
        return call("btrim", [*self._guarded(text, self.cost(text, scopes), letters, self.cost(letters, scopes))])

    def _substring(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        length = node.args.get("length")
        parts = [node.this, node.args["start"], *([length] if length else [])]
        return call("substring", self._limited(parts, scopes))

    def _search(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        text, pattern = self.cost(node.this, scopes), self.cost(node.expression, scopes)
        return search(*self._guarded(node.this, text, node.expression, pattern))

    def _guarded(self, text: exp.Expr, one: Cost, pattern: exp.Expr, other: Cost) -> tuple[Cost, Cost]:
        """Guards the text and the pattern of a search."""
        return self._guard(text, one, GUARDED_TEXT), self._guard(pattern, other, GUARDED_PATTERN)

    def _guard(self, node: exp.Expr, cost: Cost, most: int) -> Cost:
        """Guards a text that may be long, when the query needs guards."""
        if not self.guards or cost.kind != "T" or cost.length <= most or isinstance(plain(node), exp.Literal):
            return cost
        self.found.guards[id(node)] = min(most, self.found.guards.get(id(node), most))
        # A guard repeats its text three times, and evaluates the text twice.
        return cost._replace(nodes=3 * cost.nodes + 8, work=2 * cost.work, length=most)

    def _around(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        """Returns the cost of a call together with its FILTER or OVER."""
        found = self.cost(node.this, scopes)
        others = [one for one in node.iter_expressions() if one is not node.this]
        return found.over([found, *self._parts(others, scopes)])

    def _negative(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        found = self.cost(node.this, scopes)
        return found._replace(nodes=found.nodes + 1, value=None if found.value is None else -found.value)

    def _first(self, node: exp.Expr, scopes: list[Sources]) -> Cost:
        """Returns the cost of an argument with DISTINCT or ORDER BY within a call."""
        found = self._parts(list(node.iter_expressions()), scopes)
        return found[0].over(found) if found else Cost(length=LONG)
