"""Reads the function of a question on a time series from its marked text, with thresholds and windows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from atlas.language.offline.questions.series import patterns as x
from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.scanning import Scan
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.tokenizer import parts, stem

FUNCTIONS = {
    "average": "avg",
    "mean": "avg",
    "avg": "avg",
    "sum": "sum",
    "total": "sum",
    "maximum": "max",
    "minimum": "min",
    "median": "median",
}
ADVERB_UNITS = {
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "hourly": "hour",
    "yearly": "year",
    "quarterly": "quarter",
}


# The columns whose values have a unit, by words of their names, and the signs of the unit.
_MEASURED_IN = {
    **dict.fromkeys(("degrees", "degree", "celsius"), ("temperature", "temp")),
    **dict.fromkeys(("volts", "volt"), ("voltage", "volt")),
    **dict.fromkeys(("dollars", "usd", "euros"), ("price", "close", "cost", "amount")),
    "kwh": ("kwh", "energy", "consumption"),
    "watts": ("power", "watts"),
}
_SIGNS = {
    **dict.fromkeys(("degrees", "degree", "celsius"), ("°c", "°f", "°", "celsius")),
    **dict.fromkeys(("volts", "volt"), ("v",)),
    **dict.fromkeys(("percent",), ("%",)),
    **dict.fromkeys(("dollars", "usd"), ("$", "usd")),
    "euros": ("€", "eur"),
    "watts": ("w",),
}


@dataclass
class Parts:
    """What a question says, before what it leaves out is filled in.

    of_unit, of_label, of_part: what `which …` asks for. when: whether a time is asked for.
    adverb: whether the bucket is an adverb, as in `average daily visits`. adverb_first: as in `daily average`.
    closing: whether `closing` names a column.
    """

    function: p.Function | None = None
    aggregates: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    pins: list[p.Pin] = field(default_factory=list)
    spans: list[p.Span] = field(default_factory=list)
    unit: str | None = None
    part: str | None = None
    threshold: p.Threshold | None = None
    days: str | None = None
    descending: bool | None = None
    count: int | None = None
    highest: bool | None = None
    of_unit: str | None = None
    of_label: str | None = None
    of_part: bool = False
    when: bool = False
    percent: bool = False
    compare: bool = False
    show: bool = False
    how_many: str | None = None
    amount: bool = False
    rising: bool | None = None
    window: tuple[int, str] | None = None
    sort: bool = False
    adverb: bool = False
    adverb_first: bool = False
    closing: bool = False
    notes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class FunctionReader:
    """Reads the function of one question for one table."""

    def __init__(self, scan: Scan, target: Target) -> None:
        self.scan, self.target = scan, target
        self.found = Parts(notes=list(scan.notes))

    def number(self, text: str | None) -> float | int:
        return self.scan.numbers[int(text or 0)]

    def count(self, *texts: str | None) -> int | None:
        found = next((self.number(text) for text in texts if text is not None), None)
        return int(found) if isinstance(found, int) and 0 < found <= 10_000 else None

    def thresholds(self) -> None:
        found, scan = self.found, self.scan
        both = scan.take(x.BETWEEN)
        if both is not None:
            column = self.column(both["c"]) or self._column_in(both[0])
            found.threshold = p.Threshold("between", self.number(both["n"]), self.number(both["m"]), column)
            return
        over = scan.take(x.THRESHOLD)
        if over is not None:
            sign = ">" if over["over"] else "<" if over["under"] else ">=" if over["least"] else "<="
            column = self.column(over["c"]) or self._column_in(over[0])
            column = column or self._column_of_unit(over[0])
            found.threshold = p.Threshold(sign, self.number(over["n"]), None, column)
            if column is not None:
                found.columns.append(column)
            return
        more = scan.take(x.OR_MORE)
        if more is not None:
            sign = ">=" if more["way"] in ("more", "above", "higher") else "<="
            found.threshold = p.Threshold(sign, self.number(more["n"]), None, self.column(more["c"]))

    def _column_of_unit(self, text: str) -> str | None:
        """Finds the column that `30 degrees` is of: the only one with such a unit or name, if no column is named."""
        if self.scan.columns:
            return None
        for word in text.split():
            stems = {stem(name) for name in _MEASURED_IN.get(word, ())}
            own = [
                c.name
                for c in self.target.measures
                if stems & {stem(part) for part in parts(c.name)} or c.unit.lower() in (word, *_SIGNS.get(word, ()))
            ]
            if len(own) == 1:
                return own[0]
        return None

    def column(self, mark: str | None) -> str | None:
        return None if mark is None else self.scan.columns[int(mark[1:])]

    def _column_in(self, text: str) -> str | None:
        marks = re.findall(r"C\d+", text)
        for mark in marks:
            self.found.columns.append(self.column(mark) or "")
        return self.column(marks[-1]) if marks else None

    def function(self) -> None:
        for read in (self._statistics, self._windows, self._summaries, self._runs, self._changes, self._ends):
            if self.found.function is None:
                read()

    def _statistics(self) -> None:
        found, scan = self.found, self.scan
        labels = x.HOW_MANY_LABELS.search(scan.text) or x.LABELS.search(scan.text)
        if labels is not None and found.threshold is None and self._asks_labels(labels):
            scan.take(labels.re)
            count = labels.re is x.HOW_MANY_LABELS
            found.function = p.Labels(scan.labels[int(labels["l"])], count)
        elif (match := scan.take(x.DIFFERENCE)) is not None:
            found.columns += [self.column(mark) or "" for mark in re.findall(r"C\d+", match[0])]
            found.function = p.Difference()
        elif scan.has(x.RATIO_WORD) and (match := scan.take(x.RATIO)) is not None:
            found.columns += [self.column(match["a"]) or "", self.column(match["b"]) or ""]
            found.function = p.Ratio(match["share"] is not None)
        elif (match := scan.take(x.YEAR_HIGH)) is not None:
            self._recent_extreme(match)
        elif scan.take(x.FULL_CHANGE):
            found.function = p.Change()
            scan.take(x.PERCENT)
        elif scan.take(x.OHLC):
            found.function = p.Ohlc()
        elif scan.take(x.CORRELATION):
            found.function = p.Correlation(scan.take(x.OF_RETURNS) is not None)
        elif (match := scan.take(x.VOLATILE)) is not None:
            found.function = p.Volatility(rank=match["way"] == "most")
        elif (match := scan.take(x.VOLATILITY)) is not None:
            found.function = p.Volatility(match["annual"] is not None)
        elif (match := scan.take(x.DRAWDOWN)) is not None:
            every = match["all"] is not None or scan.take(x.OVER_TIME) is not None
            found.function = p.Drawdown(every)
        elif scan.take(x.BOUNDS):
            found.function = p.Bounds()
        elif scan.take(x.RANGE):
            found.aggregates.append("range")
        elif (match := scan.take(x.GAPS)) is not None:
            found.function = p.Gaps(match["long"] is not None)
            scan.take(x.rx("(?:are|is|were) there(?: any)?|any|where"))
        elif (match := scan.take(x.PERCENTILE)) is not None:
            share = int(match["p"] or match["r"] or self.number(match["q"]))
            if 0 < share < 100:
                found.aggregates.append(f"p{share}")

    def _recent_extreme(self, match: re.Match[str]) -> None:
        """Reads `52 week high` as the highest value of the last 52 weeks of the data."""
        high, count = self.target.high, self.count(match["n"])
        if high is None or count is None or self.scan.spans:
            self.scan.text += f"{match['u']} "
            return
        days = count * {"day": 1, "week": 7, "month": 30, "year": 365}[match["u"]]
        start = (high - timedelta(days=min(days, 200_000))).date()
        self.found.function = p.Extreme(match["way"] in ("high", "highs", "maximum"), ties=True)
        self.found.spans.append(p.Span(start.isoformat(), None, f"since {start}"))
        self.found.notes.append(f"The time is counted back from the last row, to {start}.")

    def _asks_labels(self, match: re.Match[str]) -> bool:
        """Checks whether the names of the series, or their number, are all that is asked."""
        scan = self.scan
        rest = f"{scan.text[: match.start()]} {scan.text[match.end() :]}".split()
        return all(self.is_free(word) or word == ";" for word in rest) and not (
            scan.columns or scan.spans or scan.values
        )

    def _windows(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.MOVING)) is not None:
            figure = match["f"] or match["f2"]
            name = FUNCTIONS.get(figure, "stddev" if figure.startswith("st") else figure)
            number, unit = self.count(match["n"], match["n2"], match["n3"]), match["u"] or match["u2"] or match["u3"]
            if number is None and name == "sum":
                found.function = p.Cumulative()
                return
            if number is None and (window := scan.take(x.WINDOW)) is not None:
                number, unit = self.count(window["n"]), window["u"]
            if number is None or unit is None or name in ("median", "volatility"):
                scan.text += "window "
                return
            found.function = p.Moving(name, number, unit)
        elif scan.take(x.CUMULATIVE):
            found.function = p.Cumulative()

    def _runs(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.RUN)) is not None:
            way = match["way"]
            rising = None if way is None else way in ("winning", "rising", "up", "growth", "upward")
            if rising is None and found.threshold is None:
                rising = True if scan.take(x.RISING) else False if scan.take(x.FALLING) else None
            if rising is None and found.threshold is None:
                scan.text += "run "
            found.function = p.Run(rising)
        elif (match := scan.take(x.SINCE)) is not None:
            way = scan.take(x.EXTREME)
            highest = None if way is None else self.is_high(way)
            if highest is None and found.threshold is None:
                scan.text += "since "
            found.function = p.Since(highest)
        elif found.threshold is not None and not scan.has(x.HOW_MANY):
            if scan.take(x.FIRST_TIME):
                found.function = p.Crossing(True)
                scan.take(x.WHEN)
            elif scan.take(x.LAST_TIME):
                found.function = p.Crossing(False)
                scan.take(x.WHEN)

    def _summaries(self) -> None:
        """Reads averages and numbers of changes: `average daily return`, `number of up days`."""
        found, scan = self.found, self.scan
        if (match := scan.take(x.MEAN_STEP)) is not None:
            unit = match["u"] or match["u2"]
            found.unit = ADVERB_UNITS.get(unit, unit)
            found.function = p.Growth(summary="median" if "median" in match[0] else "avg")
            scan.take(x.PERCENT)
            return
        before = scan.text
        if (match := scan.take(x.MOVES)) is not None:
            moved = scan.take(x.MOVED)
            up, down = match["up"] or (moved and moved["up"]), match["down"] or (moved and moved["down"])
            if found.threshold is not None or bool(up) == bool(down):
                scan.text = before
                return
            found.unit = match["u"] or match["u2"]
            found.function = p.Growth(summary=f"{'up' if up else 'down'}{'_share' if match['share'] else ''}")

    def _changes(self) -> None:
        found, scan = self.found, self.scan
        if scan.take(x.ENDS_DIFFERENCE):
            found.function = p.Change()
            return
        did = scan.take(x.DID)
        self._change(did=did is not None)
        if did is not None and found.function is None:
            scan.text += "how "

    def _change(self, *, did: bool) -> None:
        found, scan = self.found, self.scan
        if scan.take(x.YEAR_AGO):
            self._year_ago()
            return
        if scan.take(x.YEARS_BEFORE):
            found.function = p.Growth(year=True)
            scan.take(x.CHANGE)
            scan.take(x.PERCENT)
            return
        if (match := scan.take(x.STEP_EXTREME)) is not None:
            self._step_extreme(match)
            return
        if (match := scan.take(x.UNIT_MOST)) is not None:
            scan.text += match["said"]
            found.unit = match["u"] or match["u2"] or "day"
            found.function = p.Growth(extreme=match["up"] is not None)
            return
        if (match := scan.take(x.CHANGED_MOST)) is not None:
            up = match["way"] in ("most", "best") or match["best"] == "best" or match["ret"] == "highest"
            found.function = p.Change(up != (match["down"] is not None))
            return
        for unit, pattern in x.GROWTH.items():
            if scan.take(pattern):
                found.function, found.unit = p.Growth(), unit
                found.percent = scan.take(x.PERCENT) is not None
                scan.take(x.CHANGE)
                if did:
                    scan.take(x.DONE)
                return
        if (match := scan.take(x.BEST_PERIOD)) is not None:
            count = self.count(match["k"], match["k2"]) or 1
            found.unit, found.highest, found.count = match["u"], match["way"] == "best", count
            found.function = p.Growth(extreme=found.highest, percent=True, count=count)
            return
        if scan.take(x.CHANGE) or (did and scan.take(x.DONE)):
            found.percent = scan.take(x.PERCENT) is not None
            found.function = p.Change()

    def _year_ago(self) -> None:
        """Reads `than a year ago` as the change over the last year of the data."""
        high, scan = self.target.high, self.scan
        scan.take(x.CHANGE)
        scan.take(x.LATEST)
        scan.take(x.PERCENT)
        scan.take(x.rx("how much|higher|lower|more|less|cheaper|more expensive|how"))
        if high is None or scan.spans:
            scan.text += "ago "
            return
        start = high.date() - timedelta(days=365)
        self.found.function = p.Change()
        self.found.spans.append(p.Span(start.isoformat(), None, f"since {start}"))
        self.found.notes.append(f"A year ago is {start}, counted back from the last row.")

    def _step_extreme(self, match: re.Match[str]) -> None:
        unit = match["u"] or match["u2"] or match["u3"]
        worst = match["most"] == "worst"
        up = not worst if match["any"] else match["up"] is not None
        percent = "percent" in match[0] or "return" in match[0] or self.scan.take(x.PERCENT) is not None
        for mark in re.findall(r"C\d+", match[0]):
            self.found.columns.append(self.column(mark) or "")
        self.found.unit = ADVERB_UNITS.get(unit, unit) if unit else None
        count = self.count(match["k"], match["k2"]) or 1
        self.found.function = p.Growth(extreme=up, percent=percent, count=count)

    def _ends(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.AS_OF)) is not None:
            place = next(int(text) for text in (match["p"], match["p2"], match["p3"]) if text is not None)
            span = scan.spans[place]
            found.spans.append(p.Span(None, span.end, span.words))
            scan.spans[place] = p.Span(None, None, "taken")
            found.function = p.AsOf()
            scan.take(x.LATEST)
        elif scan.take(x.BEGINNING):
            found.function = p.Latest(first=True)
        elif scan.take(x.BOTH):
            found.function = p.Latest(both=True)
        elif (match := scan.take(x.AT_END)) is not None:
            found.unit = match["u"] or match["u2"]
            found.function = p.Latest()
        elif (match := scan.take(x.LATEST)) is not None:
            found.function = p.Latest(self.count(match["n"], match["n2"]) or 1)
        elif (match := scan.take(x.FIRST)) is not None:
            found.function = p.Latest(self.count(match["n"]) or 1, first=True)

    def is_high(self, match: re.Match[str]) -> bool:
        groups = match.groupdict()
        way = groups.get("way") or groups.get("way2") or groups.get("way3") or ""
        return re.fullmatch(x.HIGH, way) is not None

    def is_free(self, word: str) -> bool:
        return word in x.FREE or word[0] == "T" or bool(re.fullmatch(r"[CVPL]\d+s?", word))
