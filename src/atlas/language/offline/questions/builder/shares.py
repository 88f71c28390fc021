"""Builds the queries of shares of a whole, and of growth from period to period."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading

_VERBS = ("are", "is", "were", "was", "have", "has", "had", "that", "who", "which", "come", "came", "do", "does", "did")


def build_share(reading: Reading) -> q.Query:
    """Builds the query of `what percentage of leads are active` or `share of revenue by state`."""
    measure = next((m for m in reading.measures if isinstance(m, q.Agg) and m.function in ("sum", "count")), None)
    amounts = [col for col in reading.selects if reading.numeric(col)]
    whole = q.Agg("sum", amounts[0]) if measure is None and amounts else measure or q.Agg("count")
    groups = [*reading.groups, *(col for col in reading.selects if col not in amounts and col not in reading.groups)]
    if groups and not reading.filters:
        exprs = [*groups, whole, q.OfTotal(whole)]
        return q.Query(
            reading.table,
            outputs(exprs),
            (),
            tuple(groups),
            order=(q.Order(q.OfTotal(whole), True),),
            limit=reading.limit,
        )
    parts, base = _split_share(reading)
    if not parts:
        raise Unclear("the share of what")
    cond = parts[0] if len(parts) == 1 else q.And(tuple(parts))
    ratio: q.Expr = q.Op("/", msgspec.structs.replace(whole, where=cond), whole)
    if reading.share == "percent":
        ratio = q.Op("*", q.Num(100), ratio)
    name = "percent" if reading.share == "percent" else "share"
    shown = (*outputs(groups), q.Output(ratio, name))
    order = (q.Order(ratio, True),) if groups else ()
    return q.Query(reading.table, shown, tuple(base), tuple(groups), order=order, limit=reading.limit)


def _split_share(reading: Reading) -> tuple[list[q.Cond], list[q.Cond]]:
    """Separates the conditions of the part from those of the whole: `of leads from Texas, how many are active`."""
    verb = None
    if reading.entity is not None:
        for place in range(reading.entity + 1, len(reading.items)):
            if reading.items[place].kind == "filler" and reading.items[place].text in _VERBS:
                verb = place
                break
    if reading.out_of is not None:
        part = [f.cond for f in reading.filters if f.place < reading.out_of]
        return part, [f.cond for f in reading.filters if f.place > reading.out_of]
    if verb is not None and any(f.place > verb for f in reading.filters):
        return [f.cond for f in reading.filters if f.place > verb], [f.cond for f in reading.filters if f.place < verb]
    return [f.cond for f in reading.filters], []


def build_growth(reading: Reading) -> q.Query:
    """Builds the query of `growth of revenue per month`: each period, the period before, and the change in percent."""
    bucket = next((group for group in reading.groups if isinstance(group, q.Bucket)), None) or reading.bucket("month")
    if bucket is None or not isinstance(bucket, q.Bucket):
        raise Unclear("over what time")
    amounts = [col for col in reading.selects if reading.numeric(col)]
    measure = next(iter(reading.measures), None) or (q.Agg("sum", amounts[0]) if amounts else q.Agg("count"))
    before = q.Previous(measure, bucket)
    change = q.Op("*", q.Num(100), q.Op("/", q.Op("-", measure, before), before))
    shown = (*outputs([bucket, measure]), q.Output(before, "previous"), q.Output(change, "growth_percent"))
    return q.Query(reading.table, shown, conditions(reading), (bucket,), order=(q.Order(bucket),), limit=reading.limit)
