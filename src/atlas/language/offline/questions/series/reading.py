"""Reads the marked text of a question into the parts of a plan. Each pattern takes the words that it understands."""

from __future__ import annotations

import re

from atlas.language.offline.questions.series import patterns as x
from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.function_reading import FUNCTIONS, FunctionReader, Parts
from atlas.language.offline.questions.tokenizer import parts, stem

# What an adjective measures, by words of columns.
_MEASURED = (
    (("hottest", "warmest", "coldest", "coolest"), "temperature temp"),
    (("cheapest", "priciest", "dearest", "most expensive", "least expensive"), "close price cost"),
    (("busiest", "quietest"), "visits traffic visitors volume passengers count requests sessions orders"),
    (("wettest", "rainiest", "driest"), "precipitation rain rainfall"),
    (("windiest", "calmest"), "wind"),
)


class Reader(FunctionReader):
    """Reads one question for one table."""

    def read(self) -> Parts:
        """Takes all that is understood. `left` has the words that are not."""
        if self.scan.take(x.DESCENDING):
            self.found.descending = True
        elif self.scan.take(x.ASCENDING):
            self.found.descending = False
        self.thresholds()
        self.function()
        self._groups()
        self._superlatives()
        self._times()
        self._rest()
        self._schema()
        self.found.left = [self.scan.say(word) for word in self.scan.left() if not self.is_free(word)]
        return self.found

    def _groups(self) -> None:
        found, scan = self.found, self.scan
        while (match := scan.take(x.GROUPED)) is not None:
            for name, words in x.PARTS.items():
                if re.search(rf"(?:^| ){words}(?:$| )", match["items"]):
                    found.part = name
            if found.part is None and (length := re.search(x.UNIT, match["items"])) is not None:
                if found.unit not in (None, length[0]):
                    # `monthly returns by year` has two buckets.
                    scan.text += f"{length[0]} "
                found.unit = length[0]
            found.labels += [scan.labels[int(mark)] for mark in re.findall(r"L(\d+)", match["items"])]
        if scan.take(x.SEASONAL):
            found.part = "month"
        elif scan.take(x.DAILY_PROFILE):
            found.part = "hour"
        if scan.take(x.WEEKEND_OR_NOT):
            found.part = "weekend"
        scan.take(x.HOW_MEASURED)
        for name in x.PARTS:
            if scan.take(x.WHICH_PART[name]):
                found.part, found.of_part = name, True
            elif (named := scan.take(x.BY_PART[name])) is not None:
                # `the hottest hour of the day` asks for one, `highest by hour of the day` for all.
                found.part, found.of_part = name, scan.has(x.EXTREME) and not re.match(x.PER, named[0])
        if found.unit is None and found.part is None:
            for unit, pattern in x.BY_ADVERB.items():
                before = scan.text
                if scan.take(pattern):
                    found.unit, found.adverb = unit, True
                    mean = rf"(?:{x.ADVERBS[unit]}) (?:{x.AGGREGATES['avg']})"
                    found.adverb_first = x.rx(mean).search(before) is not None
                    break

    def _superlatives(self) -> None:
        found, scan = self.found, self.scan
        if (match := scan.take(x.WHICH_LABEL)) is not None:
            found.of_label = scan.labels[int(match["l"][1:])]
        if (match := scan.take(x.HOW_MANY)) is not None:
            found.how_many = match["u"]
        elif scan.take(x.HOW_MANY_ROWS):
            found.how_many = "row"
        elif (match := scan.take(x.WHICH_UNIT)) is not None or (
            found.threshold is not None and (match := scan.take(x.WHICH_ROWS)) is not None
        ):
            found.of_unit = match["u"]
        elif (match := scan.take(x.TOP_UNITS)) is not None:
            found.of_unit, found.highest = match["u"] or match["u2"], self.is_high(match)
            found.count = self.count(match["n"], match["n2"])
        if found.function is None and (match := scan.take(x.SEVERAL)) is not None:
            words = x.FIGURE.findall(match[0])
            found.aggregates += [self._figure(word) for word in words]
        if found.highest is None and (match := scan.take(x.EXTREME)) is not None:
            found.highest, found.count = self.is_high(match), self.count(match["n"], match["n2"])
            self._measure_of(match)
            if found.of_unit is None and (with_ := scan.take(x.DAY_WITH)) is not None:
                found.of_unit = with_["u"]
            after = scan.take(x.UNIT_BESIDE)
            if after is not None and found.of_unit is None:
                found.of_unit = after["u"]
        if scan.take(x.WHEN):
            found.when = True

    @staticmethod
    def _figure(word: str) -> str:
        known = FUNCTIONS.get(word)
        return known or ("max" if re.fullmatch(x.HIGH, word) else "min")

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
        several = len(found.aggregates) > 1
        for name, words in x.AGGREGATES.items():
            if scan.take(x.rx(words)):
                if several:
                    # `the average of high and low` is no list of figures.
                    scan.text += f"{name} "
                found.aggregates.append(name)
        found.closing = any(scan.say(f"C{n}").lower().startswith("closing") for n in range(len(scan.columns)))
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
