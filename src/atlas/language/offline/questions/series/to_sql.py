"""Compiles the plans of time series to SQL with logical names."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.rows_writer import RowsWriter, direction
from atlas.language.offline.questions.series.sql_parts import (
    aggregate,
    bucket,
    counts_rows,
    ident,
    in_spans,
    listed,
    meets,
    percent,
    text,
    title,
    usual,
    where,
    yearly,
)
from atlas.language.offline.questions.series.target import Target

_AGGREGATES = {"stddev": "STDDEV_SAMP"}
_ROWS = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks", "month": "months"}


class Compiler(RowsWriter):
    """Compiles one plan."""

    def compile(self) -> str:
        """Writes the query."""
        match self.plan.function:
            case p.Latest() as function:
                return self._latest(function)
            case p.Extreme() as function:
                return self._extreme(function)
            case p.Aggregate(functions=functions, within=None):
                return self._grouped(functions)
            case p.Aggregate(within=within):
                return self._mean_of_totals(str(within))
            case p.Rank(function=function, highest=highest, count=count):
                by = ident(title(function, self.plan.measures[0]))
                return f"{self._grouped((function,), ordered=False)} ORDER BY {by} {direction(highest)} NULLS LAST LIMIT {count}"
            case p.Change(rank=rank):
                return self._change(rank)
            case p.Growth() as function:
                return self._growth(function)
            case p.Moving() as function:
                return self._moving(function)
            case p.Cumulative():
                return self._cumulative()
            case p.Drawdown(all=every):
                return self._drawdown(every)
            case p.Volatility() as function:
                return self._volatility(function)
            case p.Correlation(returns=returns):
                return self._correlation(returns)
            case p.Gaps(longest=longest):
                return self._gaps(longest)
            case p.Ohlc():
                return self._ohlc()
            case p.Run(rising=rising):
                return self._run(rising)
            case p.Crossing(first=first):
                return self.newest(first=first)
            case p.Since(highest=highest):
                return self._since(highest)
            case p.Values():
                order = f" ORDER BY {listed([self.time, *self.keys])}"
                return self.rows([*self.keys, self.time, *map(ident, self.plan.measures)]) + order
            case p.AsOf():
                return self.newest(first=False)
            case p.Difference():
                return self._difference()
            case p.Ratio(percent=relative):
                return self._ratio(relative)
            case p.Labels(column=column, count=count):
                name = ident(column)
                shown = f"COUNT(DISTINCT {name}) AS {ident(f'number_of_{column}s')}" if count else f"DISTINCT {name}"
                return self.rows([shown], more=(f"{name} IS NOT NULL",)) + ("" if count else f" ORDER BY {name}")
            case p.Bounds():
                columns = [*self.groups, f"MIN({self.time}) AS first_time", f"MAX({self.time}) AS last_time"]
                return self.rows(columns) + (f" GROUP BY {listed(self.groups)}" if self.groups else "")

    def _latest(self, function: p.Latest) -> str:
        if self.plan.unit is not None or function.both:
            return self._ends(function)
        if function.count == 1:
            return self.newest(first=function.first)
        columns = [*self.keys, self.time, *map(ident, self.plan.measures)]
        way = direction(not function.first)
        if not self.keys:
            return f"{self.rows(columns)} ORDER BY {self.time} {way} LIMIT {function.count}"
        numbered = self.rows([*columns, f"ROW_NUMBER() OVER {self.by_key(f'{self.time} {way}')} AS place"])
        return f"SELECT {listed(columns)} FROM ({numbered}) AS numbered WHERE place <= {function.count} ORDER BY {listed([*self.keys, self.time])}"

    def _ends(self, function: p.Latest) -> str:
        rows, names = self.numbered([self.value])
        name = self.plan.measures[0]
        first = f"MAX({self.value}) FILTER (WHERE from_start = 1) AS {ident(f'first_{name}')}"
        last = f"MAX({self.value}) FILTER (WHERE from_end = 1) AS {ident(f'last_{name}')}"
        chosen = [first, last] if function.both else [first if function.first else last]
        times = [f"MIN({self.time}) AS first_time"] if function.first or function.both else []
        times += [f"MAX({self.time}) AS last_time"] if not function.first or function.both else []
        return self.tail(f"SELECT {listed([*names, *chosen, *times])} FROM ({rows}) AS numbered", names)

    def _extreme(self, function: p.Extreme) -> str:
        keys = [ident(key) for key in self.target.keys]
        times = [(bucket(self.time, self.plan.unit), ident(self.plan.unit))] if self.plan.unit else []
        names = [name for _, name in times]
        columns = [*self.groups, *(key for key in keys if key not in self.groups), self.time, self.value]
        way = direction(function.highest)
        split = [*(expr for expr, _ in times), *self.groups]
        over = f"PARTITION BY {listed(split)} " if split else ""
        if not function.ties and not split:
            return f"{self.rows(columns)} ORDER BY {self.value} {way}, {self.time} LIMIT {function.count}"
        cells = [*(f"{expr} AS {name}" for expr, name in times), *columns]
        placed = self.rows([*cells, f"RANK() OVER ({over}ORDER BY {self.value} {way}) AS place"])
        order = listed([*names, *self.groups, f"{self.value} {way}", self.time])
        return f"SELECT {listed([*names, *columns])} FROM ({placed}) AS ranked WHERE place <= {function.count} ORDER BY {order}"

    def _grouped(self, functions: tuple[str, ...], *, ordered: bool = True, spans: bool = True) -> str:
        times = self.buckets()
        cells = [*(f"{expr} AS {ident(name)}" for expr, name in times), *self.groups]
        shown: list[tuple[str, str]] = []
        for measure in self.plan.measures or (None,):
            for function in functions or ((usual(measure) if measure else "count"),):
                told = title(function, measure)
                if told not in [name for _, name in shown]:
                    shown.append((aggregate(function, measure, self.time), told))
        rows = self.rows([*cells, *(f"{expr} AS {ident(name)}" for expr, name in shown)], spans=spans)
        count = len(cells)
        if not count:
            return rows
        grouped = f"{rows} GROUP BY {listed([*self.group_names(times), *self.groups])}"
        if not ordered:
            return grouped
        names = [ident(name) for _, name in times[:1]] + self.groups
        order = listed(names)
        if not times and self.plan.descending is None:
            order = f"{ident(shown[0][1])} DESC NULLS LAST"
        elif self.plan.descending is not None:
            order = f"{ident(shown[0][1])} {direction(self.plan.descending)} NULLS LAST, {order}"
        elif self.plan.newest:
            order = f"{names[0]} DESC" + (f", {listed(names[1:])}" if names[1:] else "")
        limit = f" LIMIT {self.plan.limit}" if self.plan.limit is not None else ""
        return f"{grouped} ORDER BY {order}{limit}"

    def _mean_of_totals(self, unit: str) -> str:
        start, name = bucket(self.time, unit), self.plan.measures[0]
        totals = self.rows([*self.groups, f"{start} AS {ident(unit)}", f"SUM({self.value}) AS value"])
        totals += f" GROUP BY {listed([*self.groups, start])}"
        mean = f"AVG(value) AS {ident(f'average_{name}_per_{unit}')}"
        tail = f" GROUP BY {listed(self.groups)} ORDER BY {listed(self.groups)}" if self.groups else ""
        return f"SELECT {listed([*self.groups, mean])} FROM ({totals}) AS totals{tail}"

    def _change(self, rank: bool | None) -> str:
        rows, names = self.numbered([self.value])
        name = self.plan.measures[0]
        first, last = ident(f"first_{name}"), ident(f"last_{name}")
        cells = [
            *names,
            f"MIN({self.time}) AS first_time",
            f"MAX({self.value}) FILTER (WHERE from_start = 1) AS {first}",
            f"MAX({self.time}) AS last_time",
            f"MAX({self.value}) FILTER (WHERE from_end = 1) AS {last}",
        ]
        ends = f"SELECT {listed(cells)} FROM ({rows}) AS numbered" + (f" GROUP BY {listed(names)}" if names else "")
        shown = ["first_time", first, "last_time", last, f"{last} - {first} AS change"]
        relative = f"{percent(f'{last} - {first}', first)} AS percent"
        select = f"SELECT {listed([*names, *shown, relative])} FROM ({ends}) AS ends"
        if rank is not None:
            return f"{select} ORDER BY percent {direction(rank)} NULLS LAST LIMIT 1"
        return f"{select} ORDER BY {listed(names)}" if names else select

    def _growth(self, function: p.Growth) -> str:
        periods, name = self.periods(function.function)
        columns = [*self.keys, name, "value"]
        if function.year:
            on = [f"earlier.{key} = later.{key}" for key in self.keys]
            on.append(f"earlier.{name} = later.{name} - INTERVAL '1 year'")
            cells = [*(f"later.{column}" for column in columns), "earlier.value AS before"]
            compared = f"SELECT {listed(cells)} FROM ({periods}) AS later LEFT JOIN ({periods}) AS earlier ON {' AND '.join(on)}"
        else:
            compared = (
                f"SELECT {listed(columns)}, LAG(value) OVER {self.by_key(name)} AS before FROM ({periods}) AS periods"
            )
        shown = [*columns, "before", "value - before AS change", f"{percent('value - before', 'before')} AS percent"]
        conditions = [in_spans(name, self.plan.spans)]
        if function.extreme is not None or function.year or function.summary is not None:
            conditions.append("before IS NOT NULL")
        select = f"SELECT {listed(shown)} FROM ({compared}) AS compared{where(conditions)}"
        if function.summary is not None:
            return self._summary(function.summary, select)
        if function.extreme is not None:
            by = "percent" if function.percent else "change"
            return f"{select} ORDER BY {by} {direction(function.extreme)} NULLS LAST, {name} LIMIT {function.count}"
        return f"{select} ORDER BY {listed([name, *self.keys])}"

    def _summary(self, summary: str, changes: str) -> str:
        """Writes the mean or the number of changes, of each series."""
        sign = ">" if summary.startswith("up") else "<"
        called = f"{self.plan.unit or self.target.step or 'row'}s_{summary}"
        counted = f"COUNT(*) FILTER (WHERE change {sign} 0)"
        if summary in ("avg", "median"):
            cells = [
                f"{aggregate(summary, name, '')} AS {ident(title(summary, name))}" for name in ("change", "percent")
            ]
        elif summary.endswith("_share"):
            cells = [f"100.0 * {counted} / NULLIF(COUNT(change), 0) AS percent"]
        else:
            cells = [f"{counted} AS {ident(called)}"]
        tail = f" GROUP BY {listed(self.keys)} ORDER BY {listed(self.keys)}" if self.keys else ""
        return f"SELECT {listed([*self.keys, *cells])} FROM ({changes}) AS changes{tail}"

    def _moving(self, function: p.Moving) -> str:
        plan, step = self.plan, self.plan.unit or self.target.step
        if plan.unit is None:
            rows, name, value = self.rows([*self.keys, self.time, self.value], spans=False), self.time, self.value
        else:
            periods, name = self.periods(usual(plan.measures[0]))
            rows, value = periods, "value"
        if counts_rows(plan, function, self.target):
            frame = f"ROWS BETWEEN {function.count - 1} PRECEDING AND CURRENT ROW"
        else:
            length = (
                f"{function.count} {function.unit}s -1 {step}"
                if step is not None
                else f"{function.count} {function.unit}s"
            )
            if function.unit == step:
                length = f"{function.count - 1} {function.unit}s"
            frame = f"RANGE BETWEEN INTERVAL '{length}' PRECEDING AND CURRENT ROW"
        window = f"{self.by_key(name)[:-1]} {frame})"
        called = ident(f"moving_{title(function.function, plan.measures[0])}")
        moved = f"SELECT {listed([*self.keys, name, value])}, {_AGGREGATES.get(function.function, function.function.upper())}({value}) OVER {window} AS {called} FROM ({rows}) AS {ident('all_rows')}"
        order = f" ORDER BY {listed([name, *self.keys])}"
        if not plan.spans:
            return moved + order
        return f"SELECT * FROM ({moved}) AS moved{where([in_spans(name, plan.spans)])}{order}"

    def _cumulative(self) -> str:
        name, value = self.time, self.value
        rows = self.rows([*self.keys, self.time, self.value])
        if self.plan.unit is not None:
            start, name, value = bucket(self.time, self.plan.unit), ident(self.plan.unit), "value"
            rows = self.rows([*self.keys, f"{start} AS {name}", f"SUM({self.value}) AS value"])
            rows += f" GROUP BY {listed([*self.keys, start])}"
        total = f"SUM({value}) OVER {self.by_key(name)} AS {ident(f'cumulative_{self.plan.measures[0]}')}"
        return f"SELECT {listed([*self.keys, name, value, total])} FROM ({rows}) AS amounts ORDER BY {listed([name, *self.keys])}"

    def _drawdown(self, every: bool) -> str:
        peaks = self.rows(
            [*self.keys, self.time, self.value, f"MAX({self.value}) OVER {self.by_key(self.time)} AS peak"]
        )
        columns = [*self.keys, self.time, self.value, "peak"]
        fall = percent(f"{self.value} - peak", "peak")
        losses = f"SELECT {listed(columns)}, {fall} AS drawdown_percent FROM ({peaks}) AS peaks"
        if every:
            return f"{losses} ORDER BY {listed([self.time, *self.keys])}"
        if not self.keys:
            return f"{losses} ORDER BY drawdown_percent, {self.time} LIMIT 1"
        cells = listed([*columns, "drawdown_percent"])
        order = listed([*self.keys, "drawdown_percent", self.time])
        return f"SELECT DISTINCT ON ({listed(self.keys)}) {cells} FROM ({losses}) AS losses ORDER BY {order}"

    def _volatility(self, function: p.Volatility) -> str:
        times = self.buckets()
        factor = f" * SQRT({yearly(self.target)})" if function.annual else ""
        cells = [*(f"{expr} AS {ident(name)}" for expr, name in times), *self.keys]
        select = f"SELECT {listed([*cells, f'STDDEV_SAMP(change){factor} AS volatility_percent'])} FROM ({self.returns()}) AS returns"
        if cells:
            select += f" GROUP BY {listed([*(expr for expr, _ in times), *self.keys])}"
        if function.rank is not None:
            return f"{select} ORDER BY volatility_percent {direction(function.rank)} NULLS LAST LIMIT 1"
        names = [*(ident(name) for _, name in times[:1]), *self.keys]
        return f"{select} ORDER BY {listed(names)}" if names else select

    def _correlation(self, returns: bool) -> str:
        plan = self.plan
        pair = self._pair()
        if pair is None or len(plan.measures) == 2:
            one, two = (ident(name) for name in plan.measures[:2])
            select = self.rows([*self.groups, f"CORR({one}, {two}) AS correlation"])
            return select + (f" GROUP BY {listed(self.groups)} ORDER BY {listed(self.groups)}" if self.groups else "")
        sides = []
        for value in pair.values:
            alone = Compiler(_with_value(plan, pair, value), self.target, self.today)
            sides.append(alone.returns() if returns else alone.rows([self.time, self.value]))
        value = "change" if returns else self.value
        return (
            f"SELECT CORR(one.{value}, two.{value}) AS correlation FROM ({sides[0]}) AS one "
            f"JOIN ({sides[1]}) AS two ON one.{self.time} = two.{self.time}"
        )

    def _pair(self) -> p.Pin | None:
        return next((pin for pin in self.plan.pins if len(pin.values) == 2 and not pin.negated), None)

    def _difference(self) -> str:
        plan, pair = self.plan, self._pair()
        start, name = self.time, self.time
        if plan.unit is not None and plan.unit != self.target.step:
            start, name = bucket(self.time, plan.unit), ident(plan.unit)
        grouped = name != self.time
        make = usual(plan.measures[0])
        if len(plan.measures) == 2:
            one, two = (aggregate(make, column, self.time) if grouped else ident(column) for column in plan.measures)
            names = [ident(column) for column in plan.measures]
            cells = [
                *self.groups,
                f"{start} AS {name}" if grouped else name,
                f"{one} AS {names[0]}",
                f"{two} AS {names[1]}",
            ]
            rows = self.rows([*cells, f"{one} - {two} AS difference"])
            groups = f" GROUP BY {listed([*self.groups, start])}" if grouped else ""
            return f"{rows}{groups} ORDER BY {listed([start, *self.groups])}"
        assert pair is not None
        sides = []
        for value in pair.values:
            alone = Compiler(_with_value(plan, pair, value), self.target, self.today)
            made = f"{aggregate(make, plan.measures[0], self.time)} AS value" if grouped else f"{self.value} AS value"
            rows = alone.rows([f"{start} AS {name}" if grouped else name, made])
            sides.append(f"({rows} GROUP BY {start})" if grouped else f"({rows})")
        first, second = (ident(f"{value}_{plan.measures[0]}".lower().replace(" ", "_")) for value in pair.values)
        return (
            f"SELECT one.{name}, one.value AS {first}, two.value AS {second}, one.value - two.value AS difference "
            f"FROM {sides[0]} AS one JOIN {sides[1]} AS two ON one.{name} = two.{name} ORDER BY one.{name}"
        )

    def _ratio(self, relative: bool) -> str:
        times, plan = self.buckets(), self.plan
        one, two = (aggregate(usual(column), column, self.time) for column in plan.measures)
        cells = [*(f"{expr} AS {ident(name)}" for expr, name in times), *self.groups]
        called = "percent" if relative else f"{plan.measures[0]}_per_{plan.measures[1]}"
        rows = self.rows([*cells, f"{'100.0' if relative else '1.0'} * {one} / NULLIF({two}, 0) AS {ident(called)}"])
        names = [*self.group_names(times), *self.groups]
        order = [*(ident(name) for _, name in times[:1]), *self.groups]
        return rows + (f" GROUP BY {listed(names)} ORDER BY {listed(order)}" if names else "")

    def _gaps(self, longest: bool) -> str:
        rows = self.rows([*self.keys, self.time, f"LAG({self.time}) OVER {self.by_key(self.time)} AS before"])
        columns = listed([*self.keys, "before AS gap_start", f"{self.time} AS gap_end", f"{self.time} - before AS gap"])
        if longest:
            order = listed([f"{self.time} - before DESC", self.time, *self.keys])
            return f"SELECT {columns} FROM ({rows}) AS steps WHERE before IS NOT NULL ORDER BY {order} LIMIT 1"
        least = self.gap_limit()
        return f"SELECT {columns} FROM ({rows}) AS steps WHERE {self.time} - before > INTERVAL {text(least)} ORDER BY {listed([self.time, *self.keys])}"

    def gap_limit(self) -> str:
        """Returns the distance of two rows above which rows are missing: of trading days, more than a long weekend."""
        if self.target.business:
            return "4 days"
        usual_step = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400}
        seconds = usual_step.get(self.target.step or "", self.target.seconds or 86_400)
        return f"{round(1.5 * seconds)} seconds"

    def _ohlc(self) -> str:
        names = {column.name.lower(): column.name for column in self.target.measures}
        own = {name: ident(names.get(name, self.plan.measures[0])) for name in ("open", "high", "low", "close")}
        extra = [ident(names["volume"])] if "volume" in names else []
        rows, groups = self.numbered(list(dict.fromkeys([*own.values(), *extra])))
        cells = [
            *groups,
            f"MAX({own['open']}) FILTER (WHERE from_start = 1) AS open",
            f"MAX({own['high']}) AS high",
            f"MIN({own['low']}) AS low",
            f"MAX({own['close']}) FILTER (WHERE from_end = 1) AS close",
            *(f"SUM({name}) AS volume" for name in extra),
        ]
        return self.tail(f"SELECT {listed(cells)} FROM ({rows}) AS numbered", groups)

    def _run(self, rising: bool | None) -> str:
        plan = self.plan
        if plan.threshold is not None:
            hit = meets(plan.threshold, plan.measures[0])
        else:
            sign = ">" if rising else "<"
            hit = f"COALESCE({self.value} {sign} LAG({self.value}) OVER {self.by_key(self.time)}, FALSE)"
        hits = self.rows([*self.keys, self.time, f"{hit} AS hit"], bound=False)
        marked = f"SELECT {listed([*self.keys, self.time, 'hit'])}, SUM(CASE WHEN hit THEN 0 ELSE 1 END) OVER {self.by_key(self.time)} AS misses FROM ({hits}) AS hits"
        length = ident(_ROWS.get(self.target.step or "", "rows_long"))
        cells = [*self.keys, f"MIN({self.time}) AS run_start", f"MAX({self.time}) AS run_end", f"COUNT(*) AS {length}"]
        groups = listed([*self.keys, "misses"])
        return f"SELECT {listed(cells)} FROM ({marked}) AS marked WHERE hit GROUP BY {groups} ORDER BY {length} DESC, run_start LIMIT 1"

    def _since(self, highest: bool | None) -> str:
        if highest is None:
            found = self.newest(first=False)
        else:
            order = f"{self.value} {direction(highest)}, {self.time} DESC"
            columns = [*self.keys, self.time, self.value]
            found = f"{self.rows(columns)} ORDER BY {order} LIMIT 1"
            if self.keys:
                head = [f"DISTINCT ON ({listed(self.keys)}) {columns[0]}", *columns[1:]]
                found = f"{self.rows(head)} ORDER BY {listed([*self.keys, order])}"
        days = f"DATE {text(self.today)} - CAST({self.time} AS DATE) AS days"
        return f"SELECT {listed([*self.keys, self.time, self.value, days])} FROM ({found}) AS found"


def _with_value(plan: p.SeriesPlan, pair: p.Pin, value: str) -> p.SeriesPlan:
    """Returns the plan of one of two compared series."""
    pins = tuple(p.Pin(pin.column, (value,)) if pin == pair else pin for pin in plan.pins)
    return msgspec.structs.replace(plan, pins=pins, labels=())


def compile_plan(plan: p.SeriesPlan, target: Target, today: str) -> str:
    """Compiles a plan to SQL."""
    return Compiler(plan, target, today).compile()
