"""Reads the marked text of a question into the parts of a plan. Each pattern takes the words that it understands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atlas.language.offline.questions.series import patterns as x
from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.scanning import Scan
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.tokenizer import parts, stem

# What an adjective measures, by words of columns.
_MEASURED = (
    (("hottest", "warmest", "coldest", "coolest"), "temperature temp"),
    (("cheapest", "priciest", "dearest", "most expensive", "least expensive"), "close price cost"),
    (("busiest", "quietest"), "visits traffic visitors volume passengers count requests sessions orders"),
    (("wettest", "rainiest", "driest"), "precipitation rain rainfall"),
    (("windiest", "calmest"), "wind"),
)
_FUNCTIONS = {
    "average": "avg",
    "mean": "avg",
    "avg": "avg",
    "sum": "sum",
    "total": "sum",
    "maximum": "max",
    "minimum": "min",
    "median": "median",
}
_ADVERB_UNITS = {
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "hourly": "hour",
    "yearly": "year",
    "quarterly": "quarter",
}


@dataclass
class Parts:
    """What a question says, before what it leaves out is filled in.

    ranked: the words of a superlative. when: whether it asks for a time. of: what `which …` asks for.
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
    notes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Reader:
    """Reads one question for one table."""

    def __init__(self, scan: Scan, target: Target) -> None:
        self.scan, self.target = scan, target
        self.found = Parts(notes=list(scan.notes))

    def read(self) -> Parts:
        """Takes all that is understood. `left` has the words that are not."""
        self._thresholds()
        self._function()
        self._groups()
        self._superlatives()
        self._times()
        self._rest()
        self._schema()
        self.found.left = [self.scan.say(word) for word in self.scan.left() if not self._is_free(word)]
        return self.found

    def _is_free(self, word: str) -> bool:
        return word in x.FREE or word[0] == "T" or bool(re.fullmatch(r"[CVPL]\d+s?", word))

    def _number(self, text: str | None) -> float | int:
        return self.scan.numbers[int(text or 0)]

    def _count(self, *texts: str | None) -> int | None:
        found = next((self._number(text) for text in texts if text is not None), None)
        return int(found) if isinstance(found, int) and 0 < found <= 10_000 else None

    def _thresholds(self) -> None:
        found, scan = self.found, self.scan
        both = scan.take(x.BETWEEN)
        if both is not None:
            column = self._column(both["c"]) or self._column_in(both[0])
            found.threshold = p.Threshold("between", self._number(both["n"]), self._number(both["m"]), column)
            return
        over = scan.take(x.THRESHOLD)
        if over is not None:
            sign = ">" if over["over"] else "<" if over["under"] else ">=" if over["least"] else "<="
            column = self._column(over["c"]) or self._column_in(over[0])
            found.threshold = p.Threshold(sign, self._number(over["n"]), None, column)
            if column is not None:
                found.columns.append(column)
            return
        more = scan.take(x.OR_MORE)
        if more is not None:
            sign = ">=" if more["way"] in ("more", "above", "higher") else "<="
            found.threshold = p.Threshold(sign, self._number(more["n"]), None, self._column(more["c"]))

    def _column(self, mark: str | None) -> str | None:
        return None if mark is None else self.scan.columns[int(mark[1:])]

    def _column_in(self, text: str) -> str | None:
        marks = re.findall(r"C\d+", text)
        for mark in marks:
            self.found.columns.append(self._column(mark) or "")
        return self._column(marks[-1]) if marks else None

    def _function(self) -> None:
        for read in (self._statistics, self._windows, self._runs, self._changes, self._ends):
            if self.found.function is None:
                read()

    def _statistics(self) -> None:
        found, scan = self.found, self.scan
        if scan.take(x.OHLC):
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
            share = int(match["p"] or match["q"] or match["r"])
            if 0 < share < 100:
                found.aggregates.append(f"p{share}")

    def _windows(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.MOVING)) is not None:
            name = _FUNCTIONS.get(match["f"], match["f"])
            number, unit = self._count(match["n"], match["n2"]), match["u"] or match["u2"]
            if number is None and name == "sum":
                found.function = p.Cumulative()
                return
            if number is None and (window := scan.take(x.WINDOW)) is not None:
                number, unit = self._count(window["n"]), window["u"]
            if number is None or unit is None or name == "median":
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
            highest = None if way is None else self._is_high(way)
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

    def _changes(self) -> None:
        found, scan = self.found, self.scan
        if scan.take(x.YEARS_BEFORE):
            found.function = p.Growth(year=True)
            scan.take(x.CHANGE)
            scan.take(x.PERCENT)
            return
        if (match := scan.take(x.STEP_EXTREME)) is not None:
            self._step_extreme(match)
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
                return
        if (match := scan.take(x.BEST_PERIOD)) is not None:
            count = self._count(match["k"], match["k2"]) or 1
            found.unit, found.highest, found.count = match["u"], match["way"] == "best", count
            found.function = p.Growth(extreme=found.highest, percent=True, count=count)
            return
        if scan.take(x.CHANGE):
            found.percent = scan.take(x.PERCENT) is not None
            found.function = p.Change()

    def _step_extreme(self, match: re.Match[str]) -> None:
        unit = match["u"] or match["u2"] or match["u3"]
        worst = match["most"] == "worst"
        up = not worst if match["any"] else match["up"] is not None
        percent = "percent" in match[0] or "return" in match[0] or self.scan.take(x.PERCENT) is not None
        for mark in re.findall(r"C\d+", match[0]):
            self.found.columns.append(self._column(mark) or "")
        self.found.unit = _ADVERB_UNITS.get(unit, unit) if unit else None
        count = self._count(match["k"], match["k2"]) or 1
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
        elif scan.take(x.BOTH):
            found.function = p.Latest(both=True)
        elif (match := scan.take(x.AT_END)) is not None:
            found.unit = match["u"] or match["u2"]
            found.function = p.Latest()
        elif (match := scan.take(x.LATEST)) is not None:
            found.function = p.Latest(self._count(match["n"], match["n2"]) or 1)
        elif (match := scan.take(x.FIRST)) is not None:
            found.function = p.Latest(self._count(match["n"]) or 1, first=True)

    def _groups(self) -> None:
        found, scan = self.found, self.scan
        while (match := scan.take(x.GROUPED)) is not None:
            for name, words in x.PARTS.items():
                if re.search(rf"(?:^| ){words}(?:$| )", match["items"]):
                    found.part = name
            if found.part is None and (length := re.search(x.UNIT, match["items"])) is not None:
                found.unit = length[0]
            found.labels += [scan.labels[int(mark)] for mark in re.findall(r"L(\d+)", match["items"])]
        for name in x.PARTS:
            if scan.take(x.WHICH_PART[name]):
                found.part, found.of_part = name, True
            elif scan.take(x.BY_PART[name]):
                found.part = name
        if found.unit is None and found.part is None:
            found.unit = next((unit for unit, pattern in x.BY_ADVERB.items() if scan.take(pattern)), None)

    def _superlatives(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.WHICH_LABEL)) is not None:
            found.of_label = scan.labels[int(match["l"][1:])]
        if (match := scan.take(x.HOW_MANY)) is not None:
            found.how_many = match["u"]
        elif scan.take(x.HOW_MANY_ROWS):
            found.how_many = "row"
        elif (match := scan.take(x.WHICH_UNIT)) is not None:
            found.of_unit = match["u"]
        elif (match := scan.take(x.TOP_UNITS)) is not None:
            found.of_unit, found.count, found.highest = match["u"], self._count(match["n"]), self._is_high(match)
        if scan.take(x.DESCENDING):
            found.descending = True
        elif scan.take(x.ASCENDING):
            found.descending = False
        if found.highest is None and (match := scan.take(x.EXTREME)) is not None:
            found.highest, found.count = self._is_high(match), self._count(match["n"], match["n2"])
            self._measure_of(match)
            if found.of_unit is None and (with_ := scan.take(x.DAY_WITH)) is not None:
                found.of_unit = with_["u"]
            after = scan.take(x.rx(rf"(?P<u>{x.UNIT})s?(?: (?:by|for|in terms of))?"))
            if after is not None and found.of_unit is None:
                found.of_unit = after["u"]
        if scan.take(x.WHEN):
            found.when = True

    def _is_high(self, match: re.Match[str]) -> bool:
        groups = match.groupdict()
        way = groups.get("way") or groups.get("way2") or groups.get("way3") or ""
        return re.fullmatch(x.HIGH, way) is not None

    def _measure_of(self, match: re.Match[str]) -> None:
        """Finds the column that an adjective measures: the hottest day is one of temperatures."""
        groups = match.groupdict()
        way = groups.get("way") or groups.get("way2") or groups.get("way3") or ""
        for adjectives, words in _MEASURED:
            if way in adjectives and not self.scan.columns and not self.found.columns:
                stems = [stem(word) for word in words.split()]
                for wanted in stems:
                    for column in self.target.measures:
                        if wanted in [stem(part) for part in parts(column.name)]:
                            self.found.columns.append(column.name)
                            self.found.notes.append(f"{way!r} is of {column.name}.")
                            return
                self.scan.text += f"{way} "

    def _times(self) -> None:
        found, scan = self.found, self.scan
        if scan.take(x.WEEKEND):
            found.days = "weekend"
        elif scan.take(x.WEEKDAYS):
            found.days = "weekday"
        elif (match := scan.take(x.ON_DAY)) is not None:
            found.days = match["d"]

    def _rest(self) -> None:
        found, scan = self.found, self.scan
        for name, words in x.AGGREGATES.items():
            if scan.take(x.rx(words)):
                found.aggregates.append(name)
        if scan.take(x.COMPARE):
            found.compare = True
        if scan.take(x.SORT):
            found.sort = True
        shown, over = scan.take(x.SHOW), scan.take(x.OVER_TIME)
        found.show = shown is not None or over is not None
        if scan.take(x.HOW_MUCH):
            found.amount = True
        if found.function is None and scan.take(x.PERCENT):
            scan.text += "percent "

    def _schema(self) -> None:
        """Takes the columns, values and periods that no pattern took with its words."""
        found, scan = self.found, self.scan
        said = scan.text.split()
        taken = [*found.columns, found.threshold.column if found.threshold else None]
        found.columns += [c for n, c in enumerate(scan.columns) if f"C{n}" in said and c not in taken]
        found.columns = list(dict.fromkeys(column for column in found.columns if column))
        pins: dict[str, list[str]] = {}
        for column, value in scan.values:
            pins.setdefault(column, [])
            if value not in pins[column]:
                pins[column].append(value)
        found.pins = [p.Pin(column, tuple(values)) for column, values in pins.items()]
        found.spans += [span for span in scan.spans if span.words != "taken"]
        for n, label in enumerate(scan.labels):
            # `sensor B` names the label of the value. A label alone asks for nothing that is known.
            if f"L{n}" in said and label not in pins and label not in (*found.labels, found.of_label):
                scan.text += f"{scan.say(f'L{n}')} "
