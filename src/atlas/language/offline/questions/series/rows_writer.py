"""Writes the rows of a plan, and what several functions on time series need: windows, buckets, values by bucket."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.sql_parts import (
    aggregate,
    bucket,
    ident,
    in_spans,
    listed,
    meets,
    on_days,
    part,
    percent,
    pinned,
    series_of,
    where,
)
from atlas.language.offline.questions.series.target import Target


@dataclass(frozen=True)
class RowsWriter:
    """Writes the rows of one plan. `today` is an ISO date."""

    plan: p.SeriesPlan
    target: Target
    today: str

    @property
    def time(self) -> str:
        return ident(self.target.time.name)

    @property
    def value(self) -> str:
        return ident(self.plan.measures[0])

    @property
    def keys(self) -> list[str]:
        """The labels that tell the series of the answer apart, as SQL."""
        return [ident(key) for key in series_of(self.plan, self.target)]

    @property
    def groups(self) -> list[str]:
        return [ident(label) for label in self.plan.labels]

    def by_key(self, order: str) -> str:
        """Writes a window over each series."""
        keys = f"PARTITION BY {listed(self.keys)} " if self.keys else ""
        return f"({keys}ORDER BY {order})"

    def rows(self, columns: list[str], *, spans: bool = True, bound: bool = True, more: tuple[str, ...] = ()) -> str:
        """Writes the rows of the plan.

        spans: False for windows that need rows before the span. bound: whether the threshold is a condition.
        """
        plan = self.plan
        measure = plan.measures[0] if plan.measures else None
        conditions = [
            *(pinned(pin) for pin in plan.pins),
            in_spans(self.time, plan.spans) if spans else None,
            on_days(self.time, plan.days),
            meets(plan.threshold, measure or "") if plan.threshold is not None and bound else None,
            f"{ident(measure)} IS NOT NULL" if measure is not None and self._needs_values() else None,
            *more,
        ]
        return f"SELECT {listed(columns)} FROM {ident(plan.table)}{where(conditions)}"

    def _needs_values(self) -> bool:
        """Checks whether a row without a value would take the place of one with a value."""
        return len(self.plan.measures) == 1 and not isinstance(self.plan.function, p.Aggregate | p.Rank | p.Correlation)

    def group_names(self, times: list[tuple[str, str]]) -> list[str]:
        """Returns the names of buckets to group by, or their expressions where a column has the name."""
        columns = {column.name for column in self.target.table.columns}
        return [expr if name in columns else ident(name) for expr, name in times]

    def numbered(self, columns: list[str]) -> tuple[str, list[str]]:
        """Writes rows numbered from both ends of their bucket. Returns the rows and the names to group by."""
        unit = self.plan.unit
        names = [*self.keys, *([ident(unit)] if unit else [])]
        cells = [*self.keys, *([f"{bucket(self.time, unit)} AS {ident(unit)}"] if unit else [])]
        split = [*self.keys, *([bucket(self.time, unit)] if unit else [])]
        over = f"PARTITION BY {listed(split)} " if split else ""
        places = [
            f"ROW_NUMBER() OVER ({over}ORDER BY {self.time}) AS from_start",
            f"ROW_NUMBER() OVER ({over}ORDER BY {self.time} DESC) AS from_end",
        ]
        return self.rows([*cells, self.time, *columns, *places]), names

    def tail(self, select: str, names: list[str]) -> str:
        """Adds the groups and the order of the names: the bucket first, then the series."""
        if not names:
            return select
        order = [*([names[-1]] if self.plan.unit else []), *(names[:-1] if self.plan.unit else names)]
        return f"{select} GROUP BY {listed(names)} ORDER BY {listed(order)}"

    def buckets(self) -> list[tuple[str, str]]:
        """Returns the expressions and names of what the plan groups by in time, the first to sort by."""
        if self.plan.part is not None:
            return part(self.time, self.plan.part)
        return [(bucket(self.time, self.plan.unit), self.plan.unit)] if self.plan.unit is not None else []

    def periods(self, function: str | None) -> tuple[str, str]:
        """Writes one value for each bucket of each series, of all times. Returns the rows and the name of the bucket."""
        unit = self.plan.unit
        if unit is None or unit == self.target.step:
            return self.rows([*self.keys, self.time, f"{self.value} AS value"], spans=False), self.time
        start, name = bucket(self.time, unit), ident(unit)
        if function is not None:
            made = aggregate(function, self.plan.measures[0], self.time)
            rows = self.rows([*self.keys, f"{start} AS {name}", f"{made} AS value"], spans=False)
            return f"{rows} GROUP BY {listed([*self.keys, start])}", name
        rows = self.rows(
            [
                f"DISTINCT ON ({listed([*self.keys, start])}) {listed([*self.keys, f'{start} AS {name}'])}",
                f"{self.value} AS value",
            ],
            spans=False,
        )
        return f"{rows} ORDER BY {listed([*self.keys, start, f'{self.time} DESC'])}", name

    def returns(self, more: tuple[str, ...] = ()) -> str:
        """Writes the changes in percent from row to row of each series, of the plan's span."""
        before = f"LAG({self.value}) OVER {self.by_key(self.time)} AS before"
        rows = self.rows([*self.keys, self.time, self.value, before], spans=False, more=more)
        change = percent(f"{self.value} - before", "before")
        span = where([in_spans(self.time, self.plan.spans)])
        return f"SELECT {listed([*self.keys, self.time])}, {change} AS change FROM ({rows}) AS steps{span}"

    def newest(self, *, first: bool) -> str:
        """Writes the last or first row of each series."""
        columns = [*self.keys, self.time, *map(ident, self.plan.measures)]
        order = f"ORDER BY {listed([*self.keys, f'{self.time} {direction(not first)}'])}"
        if not self.keys:
            return f"{self.rows(columns)} {order} LIMIT 1"
        return self.rows([f"DISTINCT ON ({listed(self.keys)}) {columns[0]}", *columns[1:]]) + f" {order}"


def direction(descending: bool) -> str:
    return "DESC" if descending else "ASC"
