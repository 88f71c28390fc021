"""Six time series as an analyst has them: shares, an index, monthly prices, sensors, a meter, a web site."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable

SCHEMA = "series_questions"
TODAY = "2024-07-01"
SQL_TYPES = {
    "timestamp": "timestamptz",
    "double": "double precision",
    "bigint": "bigint",
    "text": "text",
    "date": "date",
}
COLUMNS = {
    "closes": "ts:timestamp symbol:text open:double high:double low:double close:double volume:bigint",
    "nordex": "ts:timestamp close:double",
    "fuel_prices": "ts:timestamp fuel:text price:double",
    "greenhouse": "ts:timestamp sensor:text temperature:double humidity:double",
    "meter": "ts:timestamp kwh:double voltage:double",
    "web_traffic": "ts:timestamp visits:bigint signups:bigint bounce_rate:double",
    "orders": "order_id:bigint product:text status:text quantity:bigint amount:double order_date:date",
}
VALUES = {"symbol": ("ACME", "BOLT", "CRUX"), "fuel": ("diesel", "petrol"), "sensor": ("A", "B", "C"),
          "product": ("Gadget", "Gizmo", "Widget"), "status": ("open", "paid")}  # fmt: skip
Row = tuple[object, ...]


def days(first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += step


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def rows_of(name: str) -> list[Row]:
    """The rows of a dataset, always the same."""
    return list(globals()[name]())


def closes() -> Iterator[Row]:
    dice = random.Random(1)
    price = {"ACME": 80.0, "BOLT": 110.0, "CRUX": 55.0}
    for day in days(at(2022, 1, 3), at(2024, 6, 28), timedelta(days=1)):
        if day.weekday() > 4:
            continue
        for symbol, before in price.items():
            close = round(before * (1 + dice.gauss(0.0004, 0.015)), 2)
            high, low = round(max(before, close) * 1.004, 2), round(min(before, close) * 0.995, 2)
            yield day, symbol, before, high, low, close, dice.randint(10_000, 900_000)
            price[symbol] = close


def nordex() -> Iterator[Row]:
    dice, value = random.Random(2), 1000.0
    for day in days(at(2020, 1, 1), at(2024, 6, 28), timedelta(days=1)):
        if day.weekday() < 5:
            value = round(value * (1 + dice.gauss(0.0003, 0.01)), 2)
            yield day, value


def fuel_prices() -> Iterator[Row]:
    dice = random.Random(3)
    for month in range(114):
        when = at(2015 + month // 12, month % 12 + 1, 1)
        for fuel, base in (("diesel", 1.2), ("petrol", 1.4)):
            season = 0.05 * math.sin(month / 12 * 2 * math.pi)
            yield when, fuel, round(base + season + month * 0.003 + dice.gauss(0, 0.03), 4)


def greenhouse() -> Iterator[Row]:
    dice = random.Random(4)
    for hour in days(at(2024, 4, 1), at(2024, 5, 31) + timedelta(hours=23), timedelta(hours=1)):
        for number, sensor in enumerate("ABC"):
            lost = sensor == "B" and at(2024, 4, 10) <= hour < at(2024, 4, 10) + timedelta(hours=7)
            if lost or at(2024, 5, 5) + timedelta(hours=3) < hour < at(2024, 5, 6):
                continue
            warmth = 18 + 3 * number + 9 * math.sin((hour.hour - 9) / 24 * 2 * math.pi) + dice.gauss(0, 1.5)
            yield hour, sensor, round(warmth, 3), round(90 - 1.6 * warmth + dice.gauss(0, 4), 3)


def meter() -> Iterator[Row]:
    dice = random.Random(5)
    for hour in days(at(2024, 1, 1), at(2024, 3, 31) + timedelta(hours=23), timedelta(hours=1)):
        if at(2024, 2, 11) <= hour < at(2024, 2, 11) + timedelta(hours=5):
            continue
        used = 0.4 + (1.1 if 17 <= hour.hour <= 21 else 0) + (0.3 if hour.weekday() > 4 else 0) + dice.random()
        yield hour, round(used, 4), round(dice.gauss(230, 2), 3)


def web_traffic() -> Iterator[Row]:
    dice = random.Random(6)
    for number, day in enumerate(days(at(2023, 1, 1), at(2024, 6, 30), timedelta(days=1))):
        visits = int(1200 + number + (-300 if day.weekday() > 4 else 0) + dice.gauss(0, 180))
        yield day, visits, int(visits * dice.uniform(0.01, 0.05)), round(dice.uniform(0.3, 0.6), 4)


def orders() -> Iterator[Row]:
    dice = random.Random(7)
    for number in range(400):
        day = at(2023, 1, 1) + timedelta(days=dice.randint(0, 540))
        product, status = dice.choice(VALUES["product"]), dice.choice(VALUES["status"])
        yield number + 1, product, status, dice.randint(1, 9), round(dice.uniform(5, 300), 2), day.date()


def table_of(name: str) -> CatalogTable:
    """A dataset as the catalog of a question has it."""
    rows = rows_of(name)
    columns = []
    for place, (column, kind) in enumerate(each.split(":") for each in COLUMNS[name].split()):
        cells = [row[place] for row in rows]
        bounds = (None, None) if kind == "text" else (str(min(cells)), str(max(cells)))  # type: ignore[type-var]
        values = VALUES.get(column, ())
        columns.append(CatalogColumn(column, kind, values=values, complete=bool(values), low=bounds[0], high=bounds[1]))
    if name == "orders":
        return CatalogTable(name, SCHEMA, name, tuple(columns), row_count=len(rows), key=("order_id",))
    return CatalogTable(name, SCHEMA, name, tuple(columns), "dataset", len(rows), dataset_id=1)


def catalog_of(*names: str) -> Catalog:
    return Catalog(tuple(table_of(name) for name in names))


def load(connection: psycopg.Connection) -> None:
    """Makes the datasets in a schema of their own."""
    connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
    for name, text in COLUMNS.items():
        columns = ", ".join(f"{c} {SQL_TYPES[k]}" for c, k in (each.split(":") for each in text.split()))
        connection.execute(f"CREATE TABLE {SCHEMA}.{name} ({columns})".encode())
        with connection.cursor().copy(f"COPY {SCHEMA}.{name} FROM STDIN".encode()) as copy:
            for row in rows_of(name):
                copy.write_row(row)
