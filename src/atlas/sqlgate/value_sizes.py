"""Bounds the sizes of a query's values, and the work to compute them, by the expressions that make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlglot import exp

# Digits of PostgreSQL's largest NUMERIC, of a NUMERIC that an import makes, and of a double as NUMERIC.
HUGE, STORED, DOUBLE = 147_455, 1_000, 340
# Characters of a cell, and of any text within a query's memory limit.
CELL, LONG = 8_000_000, 128_000_000
# The largest measured nanoseconds. _STEP: for each character of a text and character of its pattern. _CHARACTER: for
# each character that a function reads; a cell is unpacked for each read. The product of two numbers takes 1 ns for
# every 128 products of their digits.
_STEP, _CHARACTER = 5, 8
_NUMBER = re.compile(r"\s*[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?\s*")


class Cost(NamedTuple):
    """The cost and size of an expression.

    - nodes: its nodes in the plan.
    - work: nanoseconds of one evaluation.
    - kind: I, F, N (integer, double, numeric), T (text, or a constant without a type yet), O (other).
    - digits: of a number.
    - length: in characters.
    - value: the value of a whole number constant.
    """

    nodes: int = 1
    work: int = 0
    kind: str = "O"
    digits: int = 0
    length: int = 64
    value: int | None = None

    def grown(self, nodes: int = 1, work: int = 0) -> Cost:
        return self._replace(nodes=self.nodes + nodes, work=self.work + work)

    def over(self, parts: Sequence[Cost]) -> Cost:
        """Returns the cost of the same value, made of these parts."""
        nodes, work = 1 + sum(part.nodes for part in parts), sum(part.work for part in parts)
        return self._replace(nodes=nodes, work=work, value=None)

    def of(self, kind: str, *, digits: int = 0, length: int = 64, work: int = 0) -> Cost:
        """Returns the cost of a value of another kind, made of this value."""
        return Cost(self.nodes, self.work + work, kind, min(digits, HUGE), min(length, LONG))


def whole(parts: Sequence[Cost]) -> Cost:
    """Returns the cost of a value made of parts, as large as the largest part."""
    return either(parts).over(parts) if parts else Cost()


def either(parts: Sequence[Cost]) -> Cost:
    """Returns the cost of a value that may be any part: as large as the largest, with the nodes of all."""
    if len(parts) == 1:
        return parts[0]
    kinds = {part.kind for part in parts}
    kind = next((kind for kind in "FNIT" if kind in kinds), "O")
    return Cost(
        sum(part.nodes for part in parts),
        sum(part.work for part in parts),
        kind,
        max(part.digits for part in parts),
        max(part.length for part in parts),
    )


def literal(node: exp.Expr) -> Cost:
    text = node.name
    digits = _written_digits(text)
    if node.is_string:
        return Cost(1, 0, "T", digits, len(text))
    is_whole = text.isdigit() and len(text) <= 18
    return Cost(1, 0, "I" if is_whole else "N", digits, len(text), int(text) if is_whole else None)


def _written_digits(text: str) -> int:
    """Counts the digits of the number in a text; 0 for a text that is no number."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return 0
    exponent = int(match[3] or 0)
    before, behind = len(match[1]) + exponent, len(match[2] or "") - exponent
    return min(HUGE, max(before, 0) + max(behind, 0))


def stored(kind: str) -> Cost:
    """Returns the cost of a column of a catalog type."""
    known = kind.lower()
    if known in ("double", "float8", "double precision", "real", "float4"):
        return Cost(1, 0, "F", DOUBLE)
    if known in ("bigint", "int", "int4", "int8", "integer", "smallint", "int2"):
        return Cost(1, 0, "I", 19)
    if known.startswith(("numeric", "decimal")):
        return Cost(1, 0, "N", STORED, STORED)
    if known in ("boolean", "bool", "date", "timestamp", "timestamptz", "time", "timestamp with time zone"):
        return Cost()
    return Cost(1, 0, "T", 0, CELL)


def _product(one: int, other: int) -> int:
    return one * other >> 7


def arithmetic(operator: type[exp.Expr], one: Cost, other: Cost) -> Cost:
    kinds = {one.kind, other.kind}
    both = Cost().over([one, other])
    kind = next((kind for kind in "FNI" if kind in kinds), "O")
    if kind != "N":
        return both.of(kind, digits=DOUBLE if kind == "F" else 19 if kind == "I" else 0)
    if operator in (exp.Add, exp.Sub):
        return both.of("N", digits=one.digits + other.digits + 1, work=one.digits + other.digits)
    digits = one.digits + other.digits + 20
    return both.of("N", digits=digits, work=_product(one.digits, other.digits) + digits)


def search(text: Cost, pattern: Cost) -> Cost:
    """Returns the cost of LIKE: each part of a text may be compared with the whole pattern."""
    least = Cost().over([text, pattern])
    return least.of("O", work=text.length * (max(1, pattern.length) * _STEP + _CHARACTER))


def read(parts: Sequence[Cost]) -> Cost:
    """Returns the cost of an expression that reads all of its texts once."""
    return whole(parts).of("O", work=sum(part.length for part in parts if part.kind == "T") * _CHARACTER)


def cast(value: Cost, kind: str) -> Cost:
    name, *sizes = re.split(r"[(), ]+", kind.strip(")"))
    made = value.grown(1, value.length * _CHARACTER if value.kind == "T" else value.digits)
    if name == "NUMERIC":
        if sizes and sizes[0].isdigit():
            precision, scale = int(sizes[0]), int(sizes[1]) if len(sizes) > 1 else 0
            return made.of("N", digits=max(precision, scale), length=precision + scale)
        digits = value.digits
        if value.kind == "T" and not digits:
            # A cell may contain 1e131071.
            digits = HUGE if value.length > 2 else 2
        return made.of("N", digits=max(digits, 20))
    if name in ("TEXT", "VARCHAR"):
        length = value.length if value.kind == "T" else value.digits + 64
        return made.of("T", length=min(length, int(sizes[0])) if sizes and sizes[0].isdigit() else length)
    if name in ("INT", "SMALLINT", "BIGINT"):
        return made.of("I", digits=19)
    if name in ("DOUBLE", "REAL"):
        return made.of("F", digits=DOUBLE)
    return made.of("O")


def _as_text(value: Cost) -> int:
    """Returns the characters of any value as a text."""
    return value.length if value.kind == "T" else value.digits + 64


def call(name: str, parts: Sequence[Cost]) -> Cost:
    """Returns the cost of a function call with these arguments."""
    made = whole(parts)
    rule = _CALLS.get(name)
    return rule(made, parts) if rule is not None and parts else made


def _numeric(made: Cost, digits: int, work: int) -> Cost:
    """Returns the cost of a function that gives a numeric for numerics, and a double for other numbers."""
    if made.kind == "N":
        return made.of("N", digits=digits, work=work)
    return made.of("F", digits=DOUBLE)


def _power(made: Cost, parts: Sequence[Cost]) -> Cost:
    base, exponent = parts[0].digits, parts[-1].value
    digits = HUGE if exponent is None else min(HUGE, base * abs(exponent) + STORED)
    return _numeric(made, digits, _product(digits, digits))


def _root(made: Cost, parts: Sequence[Cost]) -> Cost:
    most = max(part.digits for part in parts)
    made = made if len(parts) == 1 else made._replace(kind="N")
    return _numeric(made, most + STORED, _product(most + STORED, most + STORED))


def _exponential(made: Cost, parts: Sequence[Cost]) -> Cost:
    # Past some 6,000 digits PostgreSQL reports an overflow.
    return _numeric(made, 8_000, 10_000_000)


def _rounded(made: Cost, parts: Sequence[Cost]) -> Cost:
    if len(parts) == 1:
        return made.grown(0, made.digits)
    scale = parts[1].value
    behind = 16_383 if scale is None else max(0, min(scale, 16_383))
    return made.of("N", digits=parts[0].digits + behind, work=parts[0].digits)


def _divided(made: Cost, parts: Sequence[Cost]) -> Cost:
    return arithmetic(exp.Mod, parts[0], parts[-1]) if len(parts) == 2 else made


def _summed(made: Cost, parts: Sequence[Cost]) -> Cost:
    if made.kind in "IN":
        return made.of("N", digits=made.digits + 20, work=made.digits)
    return made


def _averaged(made: Cost, parts: Sequence[Cost]) -> Cost:
    return _numeric(made._replace(kind="N") if made.kind == "I" else made, made.digits + 40, made.digits)


def _spread(made: Cost, parts: Sequence[Cost]) -> Cost:
    made = made._replace(kind="N") if made.kind == "I" else made
    digits = min(HUGE, 2 * made.digits)
    return _numeric(made, digits + STORED, 4 * _product(digits, digits))


def _replaced(made: Cost, parts: Sequence[Cost]) -> Cost:
    text, old, new = (_as_text(part) for part in parts[:3])
    # The whole text may consist of pieces to replace. A piece that is no constant counts as short as possible.
    pieces = text // max(1, old) if parts[1].nodes == 1 and old < CELL else text
    length = min(max(text, pieces * new), LONG)
    return made.of("T", length=length, work=text * (max(1, old) * 2 + _CHARACTER) + length * 2)


def _searched(made: Cost, parts: Sequence[Cost]) -> Cost:
    text, pattern = _as_text(parts[0]), _as_text(parts[1]) if len(parts) > 1 else 1
    return made.of("T", length=text, work=text * (max(1, pattern) * _STEP + _CHARACTER))


def _placed(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("I", digits=19, work=_as_text(parts[0]) * (max(1, _as_text(parts[-1])) * 2 + _CHARACTER))


def _linear(made: Cost, parts: Sequence[Cost]) -> Cost:
    length = sum(map(_as_text, parts))
    return made.of("T", length=length, work=length * _CHARACTER)


def _cut(made: Cost, parts: Sequence[Cost]) -> Cost:
    text, kept = _as_text(parts[0]), parts[-1].value
    length = text if kept is None or kept < 0 else min(text, kept)
    return made.of("T", length=length, work=text * _CHARACTER)


def _rest(made: Cost, parts: Sequence[Cost]) -> Cost:
    return _cut(made, parts) if len(parts) == 3 else _linear(made, parts[:1])


def _gathered(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("T", length=LONG, work=sum(map(_as_text, parts)) * _CHARACTER)


def _measured(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("I", digits=19, work=_as_text(parts[0]) * _CHARACTER)


def _counted(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("I", digits=19)


def _bucketed(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("I", digits=19, work=2 * _product(made.digits, made.digits) if made.kind == "N" else 0)


def _formatted(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("T", length=_as_text(parts[-1]) * 40 + _as_text(parts[0]))


def _read_number(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("N", digits=_as_text(parts[-1]), work=_as_text(parts[0]) * _CHARACTER)


def _double(made: Cost, parts: Sequence[Cost]) -> Cost:
    return made.of("F", digits=DOUBLE)


_CALLS: dict[str, Callable[[Cost, Sequence[Cost]], Cost]] = {
    **dict.fromkeys(("power", "pow"), _power),
    **dict.fromkeys(("sqrt", "ln", "log"), _root),
    "exp": _exponential,
    **dict.fromkeys(("round", "trunc"), _rounded),
    **dict.fromkeys(("mod", "div"), _divided),
    "sum": _summed,
    "avg": _averaged,
    **dict.fromkeys(("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"), _spread),
    "replace": _replaced,
    **dict.fromkeys(("translate", "btrim", "ltrim", "rtrim", "trim"), _searched),
    "strpos": _placed,
    "split_part": _searched,
    **dict.fromkeys(("lower", "upper", "initcap", "reverse", "concat", "concat_ws"), _linear),
    **dict.fromkeys(("left", "right"), _cut),
    **dict.fromkeys(("substring", "substr"), _rest),
    "string_agg": _gathered,
    **dict.fromkeys(("length", "char_length", "character_length"), _measured),
    **dict.fromkeys(("count", "row_number", "rank", "dense_rank", "ntile", "regr_count", "starts_with"), _counted),
    "width_bucket": _bucketed,
    "to_char": _formatted,
    "to_number": _read_number,
    **dict.fromkeys(
        (
            "corr",
            "covar_samp",
            "covar_pop",
            "regr_slope",
            "regr_intercept",
            "regr_r2",
            "percent_rank",
            "cume_dist",
            "date_part",
            "percentile_cont",
        ),
        _double,
    ),
}
