"""Writes a question as a short text: the words of the schema, periods and numbers become marks such as `C0`.

The patterns of `reading` then take what they understand out of the text. What is left over was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from atlas.language.offline.questions.schema_linking import Index, Mention
from atlas.language.offline.questions.series.plan import Span
from atlas.language.offline.questions.series.spans import read_span
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.tokenizer import Token, parts, stem

# The least scores of words for columns and tables.
_COLUMN, _TABLE = 0.8, 0.85
# Phrases that name no column, although a column may have one of their words.
_WHOLE = tuple(
    tuple(text.split())
    for text in (
        "all time high|all time low|all time|open high low close|day of the week|day of week|days of the week|hour of the day|"
        "hour of day|hours of the day|time of day|time of the day|month of the year|month of year|date range|time range|"
        "over time|high and low|highs and lows|day over day|week over week|month over month|month on month|year over year|"
        "year on year|quarter over quarter|day to day|month to month|year to year|the same month|at the same time|the time|"
        "week high|week low|month high|month low|day high|day low|year high|year low|number of|last one|by date|by time|with time|the date|start date|end date|date|dates|time|times|day|days|month|months|"
        "year|years|hour|hours|week|weeks|quarter|quarters|minute|minutes|today|high point|low point|time frame|timespan"
    ).split("|")
)
# Words for columns whose name is a unit or short.
_CALLED = {
    "kwh": "energy consumption usage electricity power used consumed",
    "temperature": "temp warmth heat warm hot cold cool",
    "price": "expensive cheap",
    "close": "expensive cheap closing closed closes",
    "open": "opening opened",
    "visits": "traffic visitors",
    "volume": "traded",
    "precipitation": "rain rainfall",
    "wind": "windspeed",
}
# Columns that no synonym names: a sign-up opens nothing.
_EXACT = ("open", "high", "low", "close", "last", "first", "change", "range", "start", "end")
# Groups of words. A word may name a label whose name has another word of the group.
_SERIES_WORDS = tuple(
    frozenset(words.split())
    for words in (
        "symbol symbols ticker tickers stock stocks company companies security securities instrument instruments asset assets fund funds name",
        "sensor sensors device devices probe probes station stations",
        "host hosts server servers machine machines",
        "city cities town towns place places location locations site sites",
    )
)
# Words before a name of series that are asked for one by one.
_OF_EACH = re.compile(r"(?:^| )(?:each|every|per|by|how many|number of)$")
_PRICE_STEMS = frozenset(stem(word) for word in ("price", "quote", "value", "level"))
_GLUED = re.compile(
    r"\b(\d+)[- ]?(d|day|days|h|hr|hour|hours|w|week|weeks|m|month|months|y|yr|year|years|dma|sma|ma)\b", re.IGNORECASE
)
_AVERAGES = re.compile(r"\b(\d+)[- ]?(day|week|month|hour)s?[- ](?:sma|ma|dma)\b", re.IGNORECASE)
_SHORT = {
    "d": "day",
    "h": "hour",
    "hr": "hour",
    "w": "week",
    "m": "month",
    "y": "year",
    "yr": "year",
    "dma": "day moving average",
    "sma": "day moving average",
    "ma": "day moving average",
}


def spread(text: str) -> str:
    """Splits `30-day`, `7d` and `200dma` into words, since a number with letters is one token."""
    text = _AVERAGES.sub(r"\1 \2 moving average", text)
    return _GLUED.sub(lambda found: f"{found[1]} {_SHORT.get(found[2].lower(), found[2])}", text)


@dataclass
class Scan:
    """The marked text of a question, and what its marks stand for.

    text: what nobody took yet, each word between blanks. Marks: C column, L label column, V value, P period, N number, T table.
    """

    text: str
    columns: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    numbers: list[float | int] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: int = 0
    worth: float = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Takes the first match of a pattern out of the text."""
        found = pattern.search(self.text)
        if found is not None:
            rest = f"{self.text[: found.start()]} ; {self.text[found.end() :]}"
            self.text = f" {' '.join(rest.split())} "
        return found

    def has(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(self.text) is not None

    def left(self) -> list[str]:
        """Returns the marks and words that nobody took."""
        return [word for word in self.text.split() if word != ";"]

    def say(self, word: str) -> str:
        """Returns the question's own words for a mark."""
        return self.words.get(word, word)


def scan(tokens: Sequence[Token], named: Sequence[Mention], index: Index, target: Target, today: date) -> Scan:
    """Marks a question for one table.

    named: the mentions of the question.
    Raises SpanError: when a period lies outside the data.
    """
    mentions = _mentions(named, target)
    done, at = Scan(""), 0
    marks: list[str] = []
    while at < len(tokens):
        whole = next((words for words in _WHOLE if tuple(t.lower for t in tokens[at : at + len(words)]) == words), ())
        mention = mentions.get(at)
        if (
            mention is not None
            and mention.kind == "column"
            and mention.end - at == 1
            and mention.score <= 1
            and _is_plain(tokens, at)
        ):
            mention = None
        span = read_span(tokens, at, today, target)
        if span is not None and span.used >= max(len(whole), mention.end - at if mention and mention.score > 1 else 0):
            marks.append(_mark(done, "P", len(done.spans), tokens[at : at + span.used]))
            done.spans.append(span.span)
            done.notes += [span.note] if span.note else []
            at += span.used
        elif whole and not (mention is not None and mention.end - at >= len(whole) and mention.score > 1):
            marks += whole
            at += len(whole)
        elif mention is not None:
            marks.append(_place(done, mention, tokens, index, target))
            at = mention.end
        else:
            marks.append(
                _plain(done, tokens[at], target, beside=bool(marks) and marks[-1][0] == "C" and marks[-1][1:].isdigit())
            )
            at += 1
    done.text = f" {' '.join(marks)} "
    return done


def _is_plain(tokens: Sequence[Token], at: int) -> bool:
    """Checks for words that measure or aggregate, which name a column only if the column has exactly that name."""
    return tokens[at].lower in (
        "average",
        "change",
        "range",
        "sum",
        "total",
        "count",
        "number",
        "first",
        "last",
        "max",
        "min",
        "mean",
    )


def _mentions(named: Sequence[Mention], target: Target) -> dict[int, Mention]:
    """Returns the best mention of the table's things by its first token."""
    best: dict[int, Mention] = {}
    for mention in named:
        if mention.table != target.table.name or mention.column == target.time.name:
            continue
        if mention.score < {"column": _COLUMN, "table": _TABLE}.get(mention.kind, 0.97):
            continue
        if mention.kind == "column" and not _is_usable(mention, target):
            continue
        known = best.get(mention.start)
        if known is None or _worth(mention) > _worth(known):
            best[mention.start] = mention
    return best


def _worth(mention: Mention) -> tuple[int, float]:
    return mention.end - mention.start, mention.score + {"value": 0.5, "table": -0.1}.get(mention.kind, 0)


def _is_usable(mention: Mention, target: Target) -> bool:
    if mention.column.lower() in _EXACT and mention.score < 0.95:
        return False
    return mention.column in target.labels or any(column.name == mention.column for column in target.measures)


def _mark(done: Scan, letter: str, number: int, tokens: Sequence[Token]) -> str:
    mark = f"{letter}{number}"
    done.words[mark] = " ".join(token.text for token in tokens)
    return mark


def _place(done: Scan, mention: Mention, tokens: Sequence[Token], index: Index, target: Target) -> str:
    said = tokens[mention.start : mention.end]
    done.worth += mention.score * {"table": 3, "value": 2}.get(mention.kind, 1)
    label = _label_of_table(mention, tokens, target)
    if label is not None:
        done.labels.append(label)
        return _mark(done, "L", len(done.labels) - 1, said)
    if mention.kind == "table":
        done.tables += 1
        return _mark(done, "T", done.tables, said)
    if mention.kind == "value":
        done.values.append((mention.column, mention.values[0]))
        return _mark(done, "V", len(done.values) - 1, said)
    kind = index.column(mention.table, mention.column).column.type
    if kind == "text" or mention.column in target.labels:
        done.labels.append(mention.column)
        return _mark(done, "L", len(done.labels) - 1, said)
    done.columns.append(mention.column)
    return _mark(done, "C", len(done.columns) - 1, said)


def _series_label(token: Token, target: Target) -> str | None:
    """Returns the label that an everyday word means: the stock of a symbol."""
    for words in _SERIES_WORDS:
        if token.lower in words:
            return next((key for key in target.keys if words & set(parts(key.lower()))), None)
    return None


def _label_of_table(mention: Mention, tokens: Sequence[Token], target: Target) -> str | None:
    """Returns the label that a table's name means: in `stocks`, each stock is a symbol."""
    if mention.kind != "table" or mention.end - mention.start != 1:
        return None
    before = " ".join(token.lower for token in tokens[max(0, mention.start - 2) : mention.start])
    return _series_label(tokens[mention.start], target) if _OF_EACH.search(before) else None


def _plain(done: Scan, token: Token, target: Target, beside: bool) -> str:
    if token.kind == "number" and token.value is not None and not token.text.endswith("%"):
        done.numbers.append(token.value)
        return _mark(done, "N", len(done.numbers) - 1, [token])
    if token.kind == "sign":
        return ";" if token.text in ",;?!.:" else token.text
    label = _series_label(token, target)
    if label is not None:
        done.labels.append(label)
        return _mark(done, "L", len(done.labels) - 1, [token])
    called = _called(token, target)
    if called is not None and token.stem in _PRICE_STEMS and beside:
        # `opening price` is one column.
        return ";"
    if called is not None:
        done.columns.append(called)
        done.notes.append(f"{token.text!r} is taken as {called}.")
        return _mark(done, "C", len(done.columns) - 1, [token])
    # A word of the question is never a mark.
    return token.lower


def _called(token: Token, target: Target) -> str | None:
    """Returns the column that an everyday word means: a share's price, a meter's consumption."""
    if token.lower in ("price", "prices", "quote", "quotes", "value", "values", "level", "levels", "priced"):
        price = target.price
        exact = price is not None and token.stem in stem(price.name)
        if price is not None and (token.lower not in ("value", "values") or exact or len(target.measures) == 1):
            return price.name
        return None
    for column in target.measures:
        words = _CALLED.get(column.name.lower())
        if words is not None and token.lower in words.split():
            return column.name
    return None
