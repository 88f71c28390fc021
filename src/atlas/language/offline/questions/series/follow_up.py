"""Edits the last plan of a thread by what the next question says: `and by month?`, `only 2023`, `now for BOLT`."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.checks import UnclearError
from atlas.language.offline.questions.series.function_reading import Parts
from atlas.language.offline.questions.series.sql_parts import usual

# First words of questions that continue the last one, and words that refer back.
_OPENINGS = tuple(
    tuple(text.split())
    for text in (
        "and|only|just|now|what about|how about|same|but|then|also|instead|sort|order|exclude|by|per|for|in|since|top|bottom|show only|show just|show the top|"
        "show the bottom|show me the top|limit|add|make it|make that|why not|compare with|compare to|compare it|compared|versus|vs|highest first|lowest first|"
        "largest first|smallest first|ascending|descending|with|as|at|on|until|before|after|between|from|over|rank|group|break|split|weekly|monthly|daily|yearly|"
        "quarterly|hourly|the|of|last|first|or|can you|could you|use"
    ).split("|")
)
_BACK = frozenset("instead that those these it them same too".split())
# Words without a meaning of their own in a follow-up.
FREE = frozenset(
    "and what about how now only just why not make it then same but also instead too them those these again as well more add include do show the one only "
    "let's please can could you use change switch go back results result rather if we look at broken down break split group grouped by per for".split()
)
ADDING = frozenset("also add include too compare with versus vs plus".split())
_PART_UNITS = {"hour": "hour", "weekday": "day", "month": "month"}


def continues(words: list[str]) -> bool:
    """Checks whether a question refers to the one before."""
    return any(tuple(words[: len(opening)]) == opening for opening in _OPENINGS) or bool(_BACK & set(words))


def asks_of_buckets(before: p.SeriesPlan, found: Parts) -> bool:
    """Checks whether `which hour is the hottest` asks for one of the buckets of the answer before."""
    return (
        before.part is not None
        and found.highest is not None
        and not found.pins
        and not found.spans
        and (found.of_part or found.of_unit == _PART_UNITS.get(before.part))
    )


def edit(before: p.SeriesPlan, found: Parts, words: set[str]) -> p.SeriesPlan:
    """Returns the plan with the changes of a follow-up.

    Raises UnclearError: when nothing changes, or a change does not fit.
    """
    adding = bool(words & ADDING) or found.compare
    plan = _edit_rows(before, found, adding)
    plan = _edit_groups(plan, found, words)
    plan = _edit_function(plan, found, words, adding)
    if plan == before:
        raise UnclearError("What should change?")
    return plan


def _edit_rows(plan: p.SeriesPlan, found: Parts, adding: bool) -> p.SeriesPlan:
    pins, labels = list(plan.pins), list(plan.labels)
    for new in found.pins:
        old = next((pin for pin in pins if pin.column == new.column), None)
        values = new.values
        if old is not None and adding:
            values = tuple(dict.fromkeys((*old.values, *new.values)))
        pins = [pin for pin in pins if pin.column != new.column] + [p.Pin(new.column, values)]
        if len(values) > 1 and new.column not in labels and not isinstance(plan.function, p.Correlation):
            labels.append(new.column)
        elif old is not None and len(old.values) > 1 and len(values) == 1 and new.column in labels:
            labels.remove(new.column)
    columns = found.columns
    threshold = found.threshold
    if threshold is not None and threshold.column is not None:
        columns = [column for column in columns if column != threshold.column]
    measures = plan.measures
    if columns and not found.sort:
        measures = tuple(dict.fromkeys((*measures, *columns))) if adding else tuple(columns)
    return msgspec.structs.replace(
        plan,
        pins=tuple(pins),
        labels=tuple(labels),
        measures=measures,
        spans=tuple(found.spans) or plan.spans,
        threshold=threshold or plan.threshold,
        days=found.days or plan.days,
    )


def _edit_groups(plan: p.SeriesPlan, found: Parts, words: set[str]) -> p.SeriesPlan:
    function = plan.function
    if found.unit is not None or found.part is not None:
        plan = msgspec.structs.replace(plan, unit=found.unit, part=found.part, limit=None)
        if isinstance(function, p.Extreme):
            plan = msgspec.structs.replace(plan, function=p.Aggregate(("max" if function.highest else "min",)))
        elif isinstance(function, p.Change):
            plan = msgspec.structs.replace(plan, function=p.Growth())
        elif isinstance(function, p.Values):
            plan = msgspec.structs.replace(plan, function=p.Aggregate())
    new = [label for label in found.labels if label not in plan.labels]
    if new:
        instead = "instead" in words and found.unit is None and found.part is None
        kept = () if instead else plan.labels
        plan = msgspec.structs.replace(plan, labels=(*kept, *new))
        if instead:
            plan = msgspec.structs.replace(plan, unit=None, part=None)
    if found.descending is not None or found.sort:
        plan = msgspec.structs.replace(plan, descending=found.descending is not False, newest=False)
    return plan


def _edit_function(plan: p.SeriesPlan, found: Parts, words: set[str], adding: bool) -> p.SeriesPlan:
    function = plan.function
    grouped = plan.unit is not None or plan.part is not None or bool(plan.labels)
    if found.of_label is not None or found.how_many is not None or found.amount:
        raise UnclearError("What should change?")
    if found.window is not None:
        if not isinstance(function, p.Moving):
            raise UnclearError("What should be of this length?")
        return msgspec.structs.replace(plan, function=p.Moving(function.function, *found.window))
    if isinstance(found.function, p.Latest) and grouped and isinstance(function, p.Aggregate):
        if found.function.first or found.function.both:
            raise UnclearError("Which buckets are meant?")
        return msgspec.structs.replace(plan, limit=found.function.count, newest=True, descending=None)
    if isinstance(function, p.Correlation) and isinstance(found.function, p.Change | p.Growth):
        return msgspec.structs.replace(plan, function=p.Correlation(True))
    if found.function is not None:
        unit = plan.unit if isinstance(found.function, p.Growth | p.Cumulative | p.Ohlc) else None
        unit = found.unit or unit
        return msgspec.structs.replace(plan, function=found.function, unit=unit, part=None, descending=None, limit=None)
    if found.highest is not None:
        return _edit_superlative(plan, found, grouped, which="which" in words)
    if found.when:
        return _edit_when(plan, grouped)
    if found.aggregates:
        return _edit_aggregates(plan, found, adding)
    return plan


def _edit_superlative(plan: p.SeriesPlan, found: Parts, grouped: bool, which: bool) -> p.SeriesPlan:
    function, highest = plan.function, bool(found.highest)
    chosen: p.Function
    asked = found.of_part or found.of_unit is not None
    if (
        asked
        or (which and grouped and isinstance(function, p.Aggregate))
        or (found.count is not None and isinstance(function, p.Rank))
    ):
        if not isinstance(function, p.Aggregate | p.Rank) or not grouped:
            raise UnclearError("Of what is the highest meant?")
        if len(plan.measures) != 1:
            raise UnclearError("Which column is meant?")
        own = (
            function.function if isinstance(function, p.Rank) else (function.functions or (usual(plan.measures[0]),))[0]
        )
        chosen = p.Rank(own, highest, found.count or 1)
        return msgspec.structs.replace(plan, function=chosen)
    if found.count is not None and isinstance(function, p.Aggregate) and grouped:
        return msgspec.structs.replace(plan, descending=highest, limit=found.count, newest=False)
    match function:
        case p.Extreme(count=count, ties=ties):
            chosen = p.Extreme(highest, found.count or count, ties and found.count in (None, 1))
        case p.Rank(function=own, count=count):
            chosen = p.Rank(own, highest, count)
        case p.Change(rank=rank) | p.Volatility(rank=rank) if rank is not None:
            chosen = msgspec.structs.replace(function, rank=highest)
        case p.Growth(extreme=extreme) if extreme is not None:
            chosen = msgspec.structs.replace(function, extreme=highest, count=found.count or function.count)
        case p.Aggregate():
            chosen = p.Aggregate(("max" if highest else "min",))
        case p.Latest() | p.AsOf() if len(plan.measures) == 1:
            chosen = p.Extreme(highest, found.count or 1)
        case _:
            raise UnclearError("Of what is the highest meant?")
    return msgspec.structs.replace(plan, function=chosen)


def _edit_when(plan: p.SeriesPlan, grouped: bool) -> p.SeriesPlan:
    match plan.function:
        case p.Aggregate(functions=("max",) | ("min",) as functions) if not grouped:
            return msgspec.structs.replace(plan, function=p.Extreme(functions[0] == "max", ties=True))
        case p.Extreme(highest=highest, count=1, ties=False):
            return msgspec.structs.replace(plan, function=p.Extreme(highest, ties=True))
    raise UnclearError("The time of what is meant?")


def _edit_aggregates(plan: p.SeriesPlan, found: Parts, adding: bool) -> p.SeriesPlan:
    new = tuple(found.aggregates)
    chosen: p.Function
    match plan.function:
        case p.Aggregate(functions=functions):
            chosen = p.Aggregate((*functions, *new) if adding else new)
        case p.Rank(highest=highest, count=count) if len(new) == 1:
            chosen = p.Rank(new[0], highest, count)
        case p.Moving(count=count, unit=unit) if len(new) == 1 and new[0] in ("avg", "sum", "min", "max"):
            chosen = p.Moving(new[0], count, unit)
        case p.Growth() if len(new) == 1:
            chosen = msgspec.structs.replace(plan.function, function=new[0])
        case p.Extreme() | p.Latest() | p.Values():
            chosen = p.Aggregate(new)
        case _:
            raise UnclearError("What should the figure be of?")
    return msgspec.structs.replace(plan, function=chosen)
