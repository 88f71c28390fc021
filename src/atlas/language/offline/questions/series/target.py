"""What a table's columns are in a time series: the time, the values, and the labels that tell series apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from atlas.catalog.model import CatalogColumn, CatalogTable
from atlas.language.offline.questions.schema_linking import NUMERIC, TEMPORAL
from atlas.language.offline.questions.tokenizer import parts, stem

_DAY = 86_400
# Steps with the range of mean distances that they have in practice: trading days are 1.45 days apart.
_STEPS: tuple[tuple[str, float, float], ...] = (
    ("minute", 58, 64),
    ("hour", 3_560, 3_860),
    ("day", 0.98 * _DAY, 1.6 * _DAY),
    ("week", 6.9 * _DAY, 7.4 * _DAY),
    ("month", 29 * _DAY, 32 * _DAY),
    ("quarter", 89 * _DAY, 93 * _DAY),
    ("year", 360 * _DAY, 370 * _DAY),
)
# Words of columns that tell series apart, and of columns whose values add up.
_KEYS = frozenset(
    "symbol ticker sensor station device host server location city site region country store shop channel stock company "
    "gauge counter buoy probe channel feed pump turbine vehicle fuel product item machine plant room zone metric name id meter currency pair asset instrument source line".split()
)
_ADDITIVE = frozenset(
    stem(word)
    for word in "kwh wh mwh energy consumption usage visits visitors views pageviews clicks sessions signups sales revenue orders "
    "volume rain rainfall precipitation snow count counts units quantity requests errors downloads hits cost costs amount "
    "passengers trips rides deaths cases births sold production generation".split()
)
_PRICES = ("adj_close", "adjusted_close", "close", "closing_price", "price", "last_price", "value", "last")
_MOST_LABELS = 500


@dataclass(frozen=True)
class Target:
    """A table as a time series.

    keys: the labels that tell series apart.
    low, high: the first and last time, if known. step: the usual distance of rows, as a unit, if it is one.
    """

    table: CatalogTable
    time: CatalogColumn
    measures: tuple[CatalogColumn, ...]
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    low: datetime | None
    high: datetime | None
    step: str | None
    seconds: float | None

    @property
    def price(self) -> CatalogColumn | None:
        """The column that `price` or `value` names: the close of a share, or the only column with values."""
        if len(self.measures) == 1:
            return self.measures[0]
        names = {column.name.lower(): column for column in self.measures}
        return next((names[name] for name in _PRICES if name in names), None)

    @property
    def business(self) -> bool:
        """Whether the rows are of trading days."""
        return self.step == "day" and self.seconds is not None and self.seconds > 1.3 * _DAY


def is_additive(name: str) -> bool:
    """Checks whether values of a column add up over time, as visits do and temperatures do not."""
    return any(stem(part) in _ADDITIVE for part in parts(name))


def target_of(table: CatalogTable) -> Target | None:
    """Returns a table as a time series. None if the table is none: no time of its own, or rows with other keys."""
    times = [column for column in table.columns if column.type in TEMPORAL and column.name not in table.row_times]
    if len(times) != 1 or (table.kind != "dataset" and table.key and table.key[0] != times[0].name):
        return None
    # Without a profile no values are known, and the name alone tells that a column holds keys.
    texts = [
        c
        for c in table.columns
        if c.name in table.series
        or (c.type == "text" and (c.values or _names_series(c)) and len(c.values) <= _MOST_LABELS)
    ]
    texts += [c for c in table.columns if c.type == "bigint" and c not in texts and _numbers_series(c)]
    if table.kind != "dataset" and len([c for c in table.columns if c.type not in NUMERIC]) > 3:
        return None
    measures = tuple(
        column
        for column in table.columns
        if column.type in NUMERIC and column.name not in table.series and not _is_number_name(column)
    )
    if not measures:
        return None
    low, high = _moment(times[0].low), _moment(times[0].high)
    mean = _mean(table, low, high)
    named = tuple(c.name for c in texts if _names_series(c) or c.type == "bigint")
    # What the owner declares is no guess.
    keys = table.series or named
    if not keys and mean is not None and _step(mean) is None:
        keys = next(
            ((c.name,) for c in texts if c.complete and len(c.values) > 1 and _step(mean * len(c.values)) is not None),
            (),
        )
    count = 1
    for column in texts:
        count *= max(len(column.values), 1) if column.name in keys else 1
    seconds = None if mean is None else mean * count
    step = None if seconds is None else _step(seconds)
    labels = tuple(column.name for column in texts)
    return Target(table, times[0], measures, labels, keys, low, high, step, seconds)


def _names_series(column: CatalogColumn) -> bool:
    return bool(_KEYS & set(parts(column.name)))


def _numbers_series(column: CatalogColumn) -> bool:
    """Checks for numbers of things, such as `sensor_id`. A plain `id` numbers the rows."""
    words = parts(column.name)
    return len(words) > 1 and words[-1] in ("id", "no", "number") and bool((_KEYS - {"id"}) & set(words))


def _is_number_name(column: CatalogColumn) -> bool:
    words = parts(column.name)
    return column.type == "bigint" and bool({"id", "year", "month", "day", "hour", "week", "zip", "code"} & set(words))


def _moment(text: str | None) -> datetime | None:
    try:
        found = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _mean(table: CatalogTable, low: datetime | None, high: datetime | None) -> float | None:
    if low is None or high is None or not table.row_count or table.row_count < 3 or high <= low:
        return None
    return (high - low) / timedelta(seconds=1) / (table.row_count - 1)


def _step(seconds: float) -> str | None:
    return next((name for name, least, most in _STEPS if least <= seconds <= most), None)
