"""Rows as CSV, and the catalog that hints leave."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from atlas.catalog.model import Catalog, CatalogTable, Join
from atlas.errors import NotFoundError
from atlas.kit.query_csv import cell, csv_text
from atlas.sqlgate.service import dataset_ids, restrict_catalog


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (2**70, str(2**70)),
        (1.5, "1.5"),
        (3.0, "3"),
        (1e300, "1e+300"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000000001"), "0.0000000001"),
        (Decimal("1.50"), "1.50"),
        (date(2024, 1, 5), "2024-01-05"),
        (datetime(2024, 1, 5, 10, 30, tzinfo=UTC), "2024-01-05T10:30:00Z"),
        (datetime(2024, 1, 5, 10, 30), "2024-01-05T10:30:00"),
        (time(9, 5), "09:05:00"),
        (timedelta(days=2, hours=3, seconds=1.5), "P2DT3H1.5S"),
        (timedelta(days=-1), "-P1D"),
        (timedelta(), "PT0S"),
        ([1, None, "a"], '[1,null,"a"]'),
        ("plain", "plain"),
    ],
)
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_csv_is_rfc_4180_with_plain_line_ends() -> None:
    columns = [("name", "text"), ('say, "what"', "text"), ("data", "json")]
    rows = [("a\nb", 'x "y"', '{"k": 1.10, "l": [1, 2]}'), (None, "", None)]
    text = csv_text(columns, rows)
    assert text == 'name,"say, ""what""",data\n"a\nb","x ""y""","{""k"":1.10,""l"":[1,2]}"\n,,\n'
    assert list(csv.reader(io.StringIO(text)))[1] == ["a\nb", 'x "y"', '{"k":1.10,"l":[1,2]}']
    assert csv_text([("a", "text")], []) == "a\n"
    # A row with nothing but NULL is no blank line.
    assert csv_text([("a", "text")], [(None,)]) == 'a\n""\n'


def table(name: str, dataset: int | None = None) -> CatalogTable:
    return CatalogTable(name, "s", name, (), dataset_id=dataset)


def test_hints_keep_what_joins_them_and_what_lies_between() -> None:
    joins = (
        Join("lines", "order_id", "orders", "id"),
        Join("lines", "product_id", "products", "id"),
        Join("orders", "customer_id", "customers", "id"),
        Join("products", "maker_id", "makers", "id"),
    )
    names = ("lines", "orders", "products", "customers", "makers", "alone")
    whole = Catalog(tuple(map(table, names)), joins)

    def kept(*hints: str) -> set[str]:
        return {t.name for t in restrict_catalog(whole, hints).tables}

    assert kept() == set(names)
    assert kept("alone") == {"alone"}
    assert kept("customers") == {"customers", "orders"}
    assert kept("Orders") == {"orders", "customers", "lines"}
    assert kept("customers", "makers") == {"customers", "orders", "lines", "products", "makers"}
    assert restrict_catalog(whole, ["customers"]).joins == (joins[2],)
    with pytest.raises(NotFoundError):
        kept("orders", "nope")


def test_datasets_among_tables() -> None:
    catalog = Catalog((table("a", 7), table("b"), table("c", 3)))
    assert dataset_ids(catalog, ["a", "b", "c", "gone"]) == [3, 7]


def test_json_deeper_than_decoders_follow_is_shown_as_it_is() -> None:
    deep = "[" * 20_000 + "1, 2" + "]" * 20_000
    assert csv_text([("a", "json")], [(deep,)]) == f'a\n"{deep}"\n'
