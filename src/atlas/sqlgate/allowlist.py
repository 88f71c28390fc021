"""The allow-list of a query's syntax tree: which nodes may occur, with which arguments. Other nodes are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

from atlas.sqlgate.lexer import refuse, shown
from atlas.sqlgate.vocabulary import UNITS

MAX_NODES = 6_000
MAX_PATTERN = 200
MAX_VALUES = 200
# The precedence of operators in PostgreSQL, loosest first. A PART may only stand where a rule names its class.
PART, OR, AND, NOT, IS, COMPARE, RANGE, OTHER, ADD, MULTIPLY, AT, NEGATE, ATOM = range(13)

BINARY: Mapping[type[exp.Expr], tuple[int, str]] = {
    exp.Or: (OR, "OR"),
    exp.And: (AND, "AND"),
    exp.NullSafeEQ: (IS, "IS NOT DISTINCT FROM"),
    exp.NullSafeNEQ: (IS, "IS DISTINCT FROM"),
    exp.EQ: (COMPARE, "="),
    exp.NEQ: (COMPARE, "<>"),
    exp.LT: (COMPARE, "<"),
    exp.LTE: (COMPARE, "<="),
    exp.GT: (COMPARE, ">"),
    exp.GTE: (COMPARE, ">="),
    exp.Like: (RANGE, "LIKE"),
    exp.ILike: (RANGE, "ILIKE"),
    exp.RegexpLike: (OTHER, "~"),
    exp.RegexpILike: (OTHER, "~*"),
    exp.DPipe: (OTHER, "||"),
    exp.Add: (ADD, "+"),
    exp.Sub: (ADD, "-"),
    exp.Mul: (MULTIPLY, "*"),
    exp.Div: (MULTIPLY, "/"),
    exp.Mod: (MULTIPLY, "%"),
}
SET_OPERATIONS: Mapping[type[exp.Expr], str] = {
    exp.Union: "UNION",
    exp.Intersect: "INTERSECT",
    exp.Except: "EXCEPT",
}
WORDS: Mapping[type[exp.Expr], str] = {
    exp.Null: "NULL",
    exp.CurrentDate: "CURRENT_DATE",
    exp.CurrentTimestamp: "CURRENT_TIMESTAMP",
    exp.Localtimestamp: "LOCALTIMESTAMP",
}

_Rule = int | type | tuple[type, ...]
_QUERY: tuple[type, ...] = (exp.Select, exp.Subquery, *SET_OPERATIONS)
_SOURCE: tuple[type, ...] = (exp.Table, exp.Subquery, exp.Values)
_TAIL: dict[str, _Rule] = {"with_": exp.With, "order": exp.Order, "limit": exp.Limit, "offset": exp.Offset}


def _binary(kind: type[exp.Expr], level: int) -> dict[str, _Rule]:
    """Returns the rules for the operands of an operator.

    Operators chain left to right, if PostgreSQL chains them at all.
    """
    if kind in (exp.Or, exp.And):
        return {"this": level, "expression": level}
    if level == IS:
        return {"this": COMPARE, "expression": COMPARE}
    if level in (COMPARE, RANGE):
        return {"this": level + 1, "expression": level + 1, "negate": bool}
    if kind in (exp.RegexpLike, exp.RegexpILike):
        return {"this": OTHER, "expression": exp.Literal}
    return {"this": level, "expression": level + 1, "safe": bool, "typed": bool}


# For each allowed node its precedence and its arguments. An argument is of a class, or has at least a precedence.
_RULES: dict[type[exp.Expr], tuple[int, dict[str, _Rule]]] = {
    exp.Select: (
        PART,
        {
            **_TAIL,
            "distinct": exp.Distinct,
            "expressions": OR,
            "from_": exp.From,
            "joins": exp.Join,
            "where": exp.Where,
            "group": exp.Group,
            "having": exp.Having,
            "windows": exp.Window,
        },
    ),
    **{kind: (PART, {**_TAIL, "this": _QUERY, "expression": _QUERY, "distinct": bool}) for kind in SET_OPERATIONS},
    exp.Subquery: (ATOM, {"this": _QUERY, "alias": exp.TableAlias}),
    exp.With: (PART, {"expressions": exp.CTE}),
    exp.CTE: (PART, {"this": _QUERY, "alias": exp.TableAlias}),
    exp.TableAlias: (PART, {"this": exp.Identifier, "columns": exp.Identifier}),
    exp.From: (PART, {"this": _SOURCE}),
    exp.Table: (PART, {"this": exp.Identifier, "alias": exp.TableAlias}),
    exp.Values: (PART, {"expressions": exp.Tuple, "alias": exp.TableAlias}),
    exp.Tuple: (PART, {"expressions": OR}),
    exp.Join: (PART, {"this": _SOURCE, "side": str, "kind": str, "on": OR, "using": exp.Identifier}),
    exp.Distinct: (PART, {"on": exp.Tuple, "expressions": OR}),
    exp.Alias: (PART, {"this": OR, "alias": exp.Identifier}),
    exp.Where: (PART, {"this": OR}),
    exp.Having: (PART, {"this": OR}),
    exp.Group: (PART, {"expressions": OR}),
    exp.Order: (PART, {"this": OR, "expressions": exp.Ordered}),
    exp.Ordered: (PART, {"this": OR, "desc": bool, "nulls_first": bool}),
    exp.Limit: (PART, {"expression": exp.Literal}),
    exp.Offset: (PART, {"expression": exp.Literal}),
    exp.Identifier: (PART, {"this": str, "quoted": bool}),
    exp.Star: (PART, {}),
    exp.Column: (ATOM, {"this": (exp.Identifier, exp.Star), "table": exp.Identifier}),
    exp.Literal: (ATOM, {"this": str, "is_string": bool}),
    exp.Boolean: (ATOM, {"this": bool}),
    **{kind: (ATOM, {}) for kind in WORDS},
    exp.Anonymous: (ATOM, {"this": str, "expressions": OR}),
    exp.Filter: (ATOM, {"this": (exp.Anonymous, exp.WithinGroup), "expression": exp.Where}),
    exp.WithinGroup: (ATOM, {"this": exp.Anonymous, "expression": exp.Order}),
    exp.Window: (
        ATOM,
        {
            "this": (exp.Anonymous, exp.Filter, exp.Identifier),
            "partition_by": OR,
            "order": exp.Order,
            "spec": exp.WindowSpec,
            "alias": exp.Identifier,
            "over": str,
        },
    ),
    exp.WindowSpec: (
        PART,
        {
            "kind": str,
            "start": (str, exp.Literal, exp.Cast),
            "start_side": str,
            "end": (str, exp.Literal, exp.Cast),
            "end_side": str,
        },
    ),
    exp.Exists: (ATOM, {"this": _QUERY}),
    exp.Paren: (ATOM, {"this": OR}),
    exp.Not: (NOT, {"this": NOT}),
    exp.Neg: (NEGATE, {"this": NEGATE}),
    exp.AtTimeZone: (AT, {"this": AT, "zone": exp.Literal}),
    exp.Is: (IS, {"this": COMPARE, "expression": (exp.Null, exp.Boolean), "negate": bool}),
    exp.In: (RANGE, {"this": OTHER, "expressions": OR, "query": exp.Subquery}),
    exp.Between: (RANGE, {"this": OTHER, "low": OTHER, "high": OTHER}),
    exp.Escape: (RANGE, {"this": (exp.Like, exp.ILike), "expression": exp.Literal}),
    exp.Case: (ATOM, {"this": OR, "ifs": exp.If, "default": OR}),
    exp.If: (PART, {"this": OR, "true": OR}),
    exp.Cast: (ATOM, {"this": OR, "to": exp.DataType}),
    exp.DataType: (PART, {"this": exp.DType, "kind": str}),
    exp.Extract: (ATOM, {"this": exp.Var, "expression": OR}),
    exp.Var: (PART, {"this": str}),
    exp.Trim: (ATOM, {"this": OR, "expression": OR, "position": str}),
    exp.Substring: (ATOM, {"this": OR, "start": OR, "length": OR}),
    exp.StrPosition: (ATOM, {"this": OTHER, "substr": OTHER}),
    **{kind: (level, _binary(kind, level)) for kind, (level, _) in BINARY.items()},
}
# Places where a PART may stand beside operands.
_PARTS: dict[tuple[type[exp.Expr], str], tuple[type, ...]] = {
    (exp.Select, "expressions"): (exp.Alias, exp.Star),
    (exp.Anonymous, "expressions"): (exp.Star, exp.Distinct, exp.Order),
    (exp.Order, "this"): (exp.Distinct,),
    (exp.In, "this"): (exp.Tuple,),
}
# Error messages for a wrong argument in a place.
_PATTERN = f"a regular expression must be a text of at most {MAX_PATTERN} characters"
_TAKES: dict[tuple[type[exp.Expr], str], str] = {
    (exp.Is, "expression"): "IS takes NULL, TRUE, FALSE or DISTINCT FROM",
    (exp.RegexpLike, "expression"): _PATTERN,
    (exp.RegexpILike, "expression"): _PATTERN,
}
_SIDES = ("", "LEFT", "RIGHT", "FULL")
_KINDS = ("", "INNER", "OUTER", "CROSS")


def check_tree(tree: exp.Expr) -> None:
    """Refuses a tree with a node that is not on the list, or not in this form and place.

    Raises BadRequestError with the reason.
    """
    if not isinstance(tree, (exp.Select, *SET_OPERATIONS)):
        raise refuse("it must be a SELECT without parentheses around it")
    for count, node in enumerate(tree.walk(), 1):
        if count > MAX_NODES:
            raise refuse(f"it has over {MAX_NODES:,} parts")
        _check_node(node)


def _check_node(node: exp.Expr) -> None:
    kind = type(node).__name__.upper()
    if type(node) not in _RULES:
        raise refuse(f"{kind} is not allowed")
    if isinstance(node, exp.Table) and (node.args.get("db") or node.args.get("catalog")):
        raise refuse("a table with a schema before its name is not allowed")
    if isinstance(node, exp.Column) and node.args.get("db"):
        raise refuse("a column with a schema before its name is not allowed")
    rules = _RULES[type(node)][1]
    for name, value in node.args.items():
        for child in value if isinstance(value, list) else [value]:
            if child is None or child is False:
                continue
            if name not in rules or not _fits(child, rules[name], _PARTS.get((type(node), name), ())):
                if (type(node), name) in _TAKES:
                    raise refuse(_TAKES[type(node), name])
                raise refuse(f"{_describe_child(child)} is not allowed in {kind}")
            rule = rules[name]
            if isinstance(rule, int) and isinstance(child, exp.Expr) and PART < _RULES[type(child)][0] < rule:
                # The parser and PostgreSQL would group these operators differently, or PostgreSQL would refuse them.
                raise refuse(f"put parentheses around {_sql_or_place(child, BINARY.get(type(node), (0, kind))[1])}")
    if isinstance(node, exp.Select) and not node.expressions:
        raise refuse("SELECT needs a column")
    check = _DETAILS.get(type(node))
    if check is not None:
        check(node)


def _sql_or_place(node: exp.Expr, beside: str) -> str:
    """Returns an expression as SQL for a message, or where the expression stands."""
    try:
        return repr(node.sql(dialect="postgres", comments=False)[:100])
    except (SqlglotError, ValueError, TypeError, AttributeError, LookupError):
        return f"what stands beside {beside}"


def _describe_child(child: object) -> str:
    names: dict[type, str] = {exp.Anonymous: "a function", exp.Tuple: "a list in parentheses", exp.Identifier: "a name"}
    return names.get(type(child), type(child).__name__.upper()) if isinstance(child, exp.Expr) else "this form"


def _fits(child: object, rule: _Rule, parts: tuple[type, ...]) -> bool:
    if not isinstance(rule, int):
        return isinstance(child, rule)
    return type(child) in parts or (type(child) in _RULES and _RULES[type(child)][0] > PART)  # type: ignore[index]


def _check_column(node: exp.Expr) -> None:
    if isinstance(node.this, exp.Star) and not (isinstance(node.parent, exp.Select) and node.arg_key == "expressions"):
        raise refuse("a whole row, name.*, is not allowed here")


def _check_call(node: exp.Expr) -> None:
    arguments = node.expressions
    if any(isinstance(argument, exp.Star) for argument in arguments) and (node.name, len(arguments)) != ("count", 1):
        raise refuse(f"{node.name}(*) is not allowed")
    if any(isinstance(argument, exp.Distinct) for argument in arguments) and len(arguments) != 1:
        raise refuse("DISTINCT must stand first in a call")
    if any(isinstance(argument, exp.Order) for argument in arguments[:-1]):
        raise refuse("ORDER BY must stand last in a call")


def _check_distinct(node: exp.Expr) -> None:
    in_select = isinstance(node.parent, exp.Select)
    if bool(node.args.get("on")) > in_select or bool(node.expressions) == in_select:
        raise refuse("DISTINCT is not allowed in this form")


def _check_order(node: exp.Expr) -> None:
    if bool(node.args.get("this")) != isinstance(node.parent, exp.Anonymous):
        raise refuse("ORDER BY is not allowed in this form")


def _check_pattern(node: exp.Expr) -> None:
    if not node.expression.is_string or len(node.expression.name) > MAX_PATTERN:
        raise refuse(_PATTERN)


def _check_join(node: exp.Expr) -> None:
    side, kind = node.text("side"), node.text("kind")
    conditions = bool(node.args.get("on")) + bool(node.args.get("using"))
    if side not in _SIDES or kind not in _KINDS or (kind == "CROSS" and (side or conditions)):
        raise refuse(f"{side} {kind} JOIN is not allowed".strip())
    if conditions != (bool(side) or kind in ("INNER", "OUTER")):
        raise refuse("a JOIN needs one ON or USING")


def _check_count(node: exp.Expr) -> None:
    number = node.expression
    if number.is_string or not re.fullmatch(r"[0-9]{1,18}", number.name):
        raise refuse(f"{type(node).__name__.upper()} must be a whole number")


def _check_window(node: exp.Expr) -> None:
    if isinstance(node.this, exp.Identifier) != (node.arg_key == "windows"):
        raise refuse("WINDOW is not allowed in this form")
    if node.args.get("alias") and any(node.args.get(name) for name in ("partition_by", "order", "spec")):
        raise refuse("OVER (name …) is not allowed; write the window in full")
    if node.args.get("over") not in (None, "OVER"):
        raise refuse(f"{shown(str(node.args['over']))} is not allowed")


def _check_frame(node: exp.Expr) -> None:
    if node.text("kind") not in ("ROWS", "RANGE", "GROUPS"):
        raise refuse("a window frame must be of ROWS, RANGE or GROUPS")
    for name in ("start", "end"):
        bound, side = node.args.get(name), node.text(f"{name}_side")
        absent = bound is None and name == "end" and not side
        if isinstance(bound, str):
            known = (bound == "UNBOUNDED" and side) or (bound == "CURRENT ROW" and not side)
        else:
            known = absent or (bound is not None and side)
        if not known or side not in ("", "PRECEDING", "FOLLOWING"):
            raise refuse("a window frame in this form is not allowed")
    if node.args.get("end") is None and node.text("start_side") == "FOLLOWING":
        # Such a frame would end at the current row. The parser accepts `BETWEEN … FOLLOWING` without its AND.
        raise refuse("a window frame that starts at a following row needs an end: BETWEEN … AND …")


def _check_in(node: exp.Expr) -> None:
    if bool(node.expressions) == bool(node.args.get("query")):
        raise refuse("IN takes a list of values or a SELECT in parentheses")
    if isinstance(node.this, exp.Tuple) and not node.args.get("query"):
        raise refuse("(…, …) IN takes a SELECT in parentheses")


def _check_number(node: exp.Expr) -> None:
    if not node.is_string and not re.fullmatch(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", node.name):
        raise refuse(f"{shown(node.name)} is not a number")


def _check_unit(node: exp.Expr) -> None:
    if node.name not in UNITS:
        raise refuse(f"{shown(node.name)} is not allowed here")


def _check_trim(node: exp.Expr) -> None:
    if node.text("position") not in ("", "BOTH", "LEADING", "TRAILING"):
        raise refuse("TRIM is not allowed in this form")


def _check_zone(node: exp.Expr) -> None:
    if not node.args["zone"].is_string:
        raise refuse("AT TIME ZONE takes a text")


def _check_escape(node: exp.Expr) -> None:
    if not node.expression.is_string:
        raise refuse("ESCAPE takes a text")


def _check_values(node: exp.Expr) -> None:
    sizes = {len(row.expressions) for row in node.expressions}
    if len(sizes) != 1 or len(node.expressions) > MAX_VALUES:
        raise refuse(f"VALUES takes at most {MAX_VALUES} rows of the same size")


def _check_boolean(node: exp.Expr) -> None:
    if not isinstance(node.args.get("this"), bool):
        raise refuse("BOOLEAN is not allowed in this form")


_DETAILS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Column: _check_column,
    exp.Anonymous: _check_call,
    exp.Distinct: _check_distinct,
    exp.Order: _check_order,
    exp.RegexpLike: _check_pattern,
    exp.RegexpILike: _check_pattern,
    exp.Join: _check_join,
    exp.Limit: _check_count,
    exp.Offset: _check_count,
    exp.Window: _check_window,
    exp.WindowSpec: _check_frame,
    exp.In: _check_in,
    exp.Literal: _check_number,
    exp.Var: _check_unit,
    exp.Trim: _check_trim,
    exp.AtTimeZone: _check_zone,
    exp.Escape: _check_escape,
    exp.Values: _check_values,
    exp.Boolean: _check_boolean,
}
