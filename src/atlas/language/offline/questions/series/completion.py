"""Completes the parts of a question to a plan: what the question leaves out is filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.checks import Completed, UnclearError, finer, finish
from atlas.language.offline.questions.series.function_reading import Parts
from atlas.language.offline.questions.series.spans import day_of
from atlas.language.offline.questions.series.sql_parts import usual
from atlas.language.offline.questions.series.target import Target, is_additive
from atlas.language.offline.questions.to_english import join_words


def complete(found: Parts, target: Target) -> Completed:
    """Completes a question that stands on its own.

    Raises UnclearError: when it is not clear what is asked.
    """
    notes = list(found.notes)
    labels = list(found.labels)
    if found.unit == "year" and any("is read as" in note for note in found.notes):
        raise UnclearError("Should it be that month of each year?")
    for pin in found.pins:
        if (
            len(pin.values) > 1
            and not isinstance(found.function, p.Correlation | p.Difference)
            and pin.column not in labels
        ):
            labels.append(pin.column)
    measures = _measures(found, target, notes)
    function = found.function
    unit, part, limit, descending = found.unit, found.part, None, found.descending
    if function is None:
        function, unit, labels, limit = _choose(found, target, measures, labels)
    else:
        function, unit, labels = _adapt(found, target, function, measures, labels)
    plan = p.SeriesPlan(
        table=target.table.name,
        function=function,
        measures=tuple(measures),
        labels=tuple(dict.fromkeys(labels)),
        pins=tuple(found.pins),
        spans=tuple(found.spans),
        unit=unit,
        part=part,
        threshold=found.threshold,
        days=found.days,
        descending=True if found.sort and descending is None else descending,
        limit=limit,
    )
    return finish(plan, target, notes)


def _measures(found: Parts, target: Target, notes: list[str]) -> list[str]:
    """Returns the columns that a question is about.

    Raises UnclearError: when the question names none of several.
    """
    threshold = found.threshold
    if found.columns:
        columns = found.columns
        if threshold is not None and threshold.column in columns and len(columns) > 1:
            columns = [column for column in columns if column != threshold.column]
        return list(columns)
    match found.function:
        case p.Gaps() | p.Bounds() | p.Labels():
            return []
        case p.Ohlc() if {"open", "high", "low", "close"} <= {c.name.lower() for c in target.measures}:
            return [next(c.name for c in target.measures if c.name.lower() == "close")]
        case p.Latest() | p.AsOf() if len(target.measures) <= 8 and found.unit is None and not found.show:
            return [column.name for column in target.measures]
        case p.Correlation() if len(target.measures) == 2 and not any(len(pin.values) == 2 for pin in found.pins):
            return [column.name for column in target.measures]
    if found.how_many is not None and threshold is None and found.function is None and found.highest is None:
        return []
    price = target.price
    if price is None:
        raise UnclearError(f"Which column is meant: {join_words([c.name for c in target.measures[:8]])}?")
    if len(target.measures) > 1:
        notes.append(f"The values are those of {price.name}, as no column is named.")
    return [price.name]


_Chosen = tuple[p.Function, str | None, list[str], int | None]


def _choose(found: Parts, target: Target, measures: list[str], labels: list[str]) -> _Chosen:
    """Chooses the function of a question without one of its own: rows, aggregates or an extreme."""
    unit, aggregates = found.unit, found.aggregates
    if found.how_many is not None and found.highest is None:
        if found.how_many == "row":
            return p.Aggregate(("count",)), unit, labels, None
        if finer(found.how_many, None, target):
            raise UnclearError(f"The data has no row for each {found.how_many}.")
        open_keys = [key for key in target.keys if all(pin.column != key for pin in found.pins)]
        groups = labels or (open_keys if found.threshold is not None else [])
        return p.Aggregate((f"count:{found.how_many}",)), unit, groups, None
    if found.highest is not None:
        return _superlative(found, target, measures, labels)
    if found.of_label is not None:
        raise UnclearError("What should the series be compared by?")
    if found.threshold is not None and not aggregates:
        if found.of_unit is not None and found.of_unit != target.step and not finer(found.of_unit, None, target):
            over = found.threshold.operator in (">", ">=")
            return p.Aggregate(("max" if over else "min",)), found.of_unit, labels, None
        return p.Values(), unit, labels, None
    if found.when:
        raise UnclearError("The time of what is meant?")
    if len(found.spans) > 1 and unit is None and found.part is None:
        unit = _unit_of(found.spans)
    pinned = {pin.column for pin in found.pins}
    alone = not found.adverb_first and all(key in pinned or key in labels for key in target.keys)
    if unit is not None and unit == target.step and aggregates == ["avg"] and alone:
        return p.Aggregate(("avg",)), None, labels, None
    if found.compare and not (len(found.spans) > 1 or len(labels) or len(measures) > 1 or unit or found.part):
        raise UnclearError("Compared with what?")
    if aggregates == ["avg"] and found.adverb and len(measures) == 1 and is_additive(measures[0]):
        return p.Aggregate(("avg",), within=unit), None, labels, None
    if found.amount and (unit or found.part or labels) and not aggregates and not all(map(is_additive, measures)):
        raise UnclearError("What should be counted?")
    if not aggregates and not unit and not found.part and len(found.spans) == 1 and day_of(found.spans[0]):
        return p.Values(), unit, labels, None
    if found.closing and unit is not None and finer(target.step, unit) and not aggregates and len(measures) == 1:
        return p.Latest(), unit, labels, None
    if not aggregates and not unit and not found.part and len(measures) == 1 and measures[0].lower() in ("high", "low"):
        return p.Extreme(measures[0].lower() == "high"), None, labels, None
    if aggregates or unit or found.part or (labels and not found.compare and not found.show):
        return p.Aggregate(tuple(aggregates)), unit, labels, None
    if found.show or found.compare or (len(found.spans) == 1 and _is_listed(found.spans[0], target)):
        return p.Values(), unit, labels, None
    if found.amount and measures and all(is_additive(name) for name in measures):
        return p.Aggregate(("sum",)), unit, labels, None
    raise UnclearError("Should it be the average, the highest, the latest, or all values?")


def _is_listed(span: p.Span, target: Target) -> bool:
    """Checks for a day, a period with one row, or a range of days, whose values are asked for."""
    words = span.words.lower().split()
    length = _unit_of_span(span)
    if "last" in words or "past" in words:
        days = (date.fromisoformat(span.end or _day(target)) - date.fromisoformat(span.start or _day(target))).days
        return target.seconds is not None and 0 < days * 86_400 / target.seconds <= 100
    ranged = words[:1] in (["between"], ["from"]) and span.end is not None and length is None
    return day_of(span) or ranged or (length is not None and length == target.step)


def _day(target: Target) -> str:
    return (target.high or datetime.now(UTC)).date().isoformat()


def _unit_of(spans: list[p.Span]) -> str:
    """Returns the length that all periods have."""
    lengths = {_unit_of_span(span) for span in spans}
    if len(lengths) == 1 and None not in lengths:
        return str(lengths.pop())
    raise UnclearError("How should the periods be compared?")


def _unit_of_span(span: p.Span) -> str | None:
    if span.start is None or span.end is None:
        return None
    (year, month, day), (year2, month2, day2) = (list(map(int, text.split("-"))) for text in (span.start, span.end))
    if day != 1 or day2 != 1:
        return "day" if day_of(span) else None
    return {1: "month", 3: "quarter", 12: "year"}.get(12 * (year2 - year) + month2 - month)


def _superlative(found: Parts, target: Target, measures: list[str], labels: list[str]) -> _Chosen:
    highest, count = bool(found.highest), found.count or 1
    aggregate = found.aggregates[0] if found.aggregates else None
    if len(found.aggregates) > 1 or not measures:
        raise UnclearError("Which of the figures is meant?")
    own = aggregate or usual(measures[0])
    if found.of_part:
        return p.Rank(own, highest, count), found.unit, labels, None
    if found.of_label is not None:
        if aggregate is None and not is_additive(measures[0]):
            return p.Extreme(highest, count), found.unit, labels, None
        return p.Rank(own, highest, count), None, [*labels, found.of_label], None
    unit = found.of_unit
    if unit is not None:
        if finer(unit, None, target):
            raise UnclearError(f"The data has no row for each {unit}.")
        plain = unit == target.step or (aggregate is None and not is_additive(measures[0]))
        if plain and aggregate in (None, "avg", "sum") and not (aggregate and unit != target.step):
            return p.Extreme(highest, count, ties=count == 1), found.unit, labels, None
        return p.Rank(own, highest, count), unit, labels, None
    if aggregate is not None:
        if found.unit is None and found.part is None and not labels:
            raise UnclearError(f"The {'highest' if highest else 'lowest'} {aggregate} of what is meant?")
        return p.Rank(own, highest, count), found.unit, labels, None
    if found.adverb and found.unit is not None and is_additive(measures[0]) and finer(target.step, found.unit):
        return p.Rank("sum", highest, count), found.unit, labels, None
    if found.unit is not None or found.part is not None:
        if found.when and found.part is None and len(measures) == 1 and count == 1:
            return p.Extreme(highest), found.unit, labels, None
        if found.when or count > 1 or len(measures) > 1:
            raise UnclearError("Should there be one time for each bucket?")
        return p.Aggregate(("max" if highest else "min",)), found.unit, labels, None
    return p.Extreme(highest, count, ties=found.when and count == 1), None, labels, None


def _adapt(
    found: Parts, target: Target, function: p.Function, measures: list[str], labels: list[str]
) -> tuple[p.Function, str | None, list[str]]:
    """Fits a function to the other words of the question.

    Raises UnclearError: when a word has no meaning for the function.
    """
    unit, aggregates, highest = found.unit, list(found.aggregates), found.highest
    match function:
        case p.Growth(extreme=extreme) if extreme is not None and highest is not None:
            # `best month`: of totals the greatest, of prices that with the greatest change.
            highest = None
            unit = unit or found.of_unit
            if aggregates or is_additive(measures[0]):
                own = aggregates.pop() if aggregates else "sum"
                function = p.Rank(own, extreme, function.count)
        case p.Growth(extreme=extreme) if extreme is not None and unit is None:
            unit = found.of_unit
        case p.Growth(summary=summary) if summary is not None:
            pass
        case p.Growth():
            kept = aggregates.pop() if aggregates else "sum" if is_additive(measures[0]) else None
            function = msgspec.structs.replace(function, function=kept)
        case p.Change(rank=None) if unit is not None:
            kept = aggregates.pop() if aggregates else "sum" if is_additive(measures[0]) else None
            function = p.Growth(kept)
        case p.Change(rank=None) if is_additive(measures[0]) and target.step not in ("year", "quarter", "month"):
            raise UnclearError(f"Should the change be of {measures[0]} by day, by month or by year?")
        case p.Change(rank=rank) if rank is not None and found.of_unit is not None:
            function, unit = p.Growth(extreme=rank, percent=True), found.of_unit
        case p.Change(rank=rank) if rank is not None:
            labels = labels or ([found.of_label] if found.of_label else list(target.keys))
            if not labels:
                raise UnclearError("Which series should be compared?")
        case p.Volatility(annual=annual) if highest is not None or found.of_label is not None:
            labels = labels or ([found.of_label] if found.of_label else list(target.keys))
            function = p.Volatility(annual, function.rank if function.rank is not None else highest is not False)
            highest = None
        case p.Cumulative() if aggregates == ["sum"]:
            aggregates = []
    ranked = isinstance(function, p.Change | p.Volatility) and function.rank is not None
    if found.of_label is not None and not ranked:
        raise UnclearError("What should the series be compared by?")
    if aggregates or (highest is not None and not isinstance(function, p.Since)):
        raise UnclearError("Which of the figures is meant?")
    if found.how_many is not None and not isinstance(function, p.Since):
        raise UnclearError("What should be counted?")
    _check_words(found, function, unit, labels)
    if isinstance(function, p.Growth) and function.year:
        function, unit = _yearly(function, unit, target)
    return function, unit, labels


def _check_words(found: Parts, function: p.Function, unit: str | None, labels: list[str]) -> None:
    """Refuses words that were read and have no part in the plan.

    Raises UnclearError: for such a word.
    """
    if found.of_unit not in (None, unit):
        raise UnclearError(f"Which {found.of_unit} is meant?")
    if found.of_part or found.sort or found.descending is not None:
        raise UnclearError("What should be sorted?")
    several = len(found.pins) + len(found.spans) > 1 or any(len(pin.values) > 1 for pin in found.pins)
    if found.compare and not (several or labels or unit or len(found.columns) > 1):
        raise UnclearError("Compared with what?")
    if found.amount and not isinstance(function, p.Change | p.Latest | p.Growth | p.AsOf | p.Cumulative):
        raise UnclearError("What should be counted?")
    timed = (p.Latest, p.Growth, p.Drawdown, p.Run, p.Crossing, p.Gaps, p.Since, p.Extreme, p.Rank, p.Bounds)
    if found.when and not isinstance(function, timed):
        raise UnclearError("The time of what is meant?")


def _yearly(function: p.Growth, unit: str | None, target: Target) -> tuple[p.Growth, str | None]:
    """Returns the growth to the same bucket a year before. Without a bucket, years are compared."""
    if unit is None and target.step not in ("month", "quarter"):
        return msgspec.structs.replace(function, year=False), "year"
    if unit == "year":
        return msgspec.structs.replace(function, year=False), unit
    return function, unit
