"""A type is given only if its one format gives every cell back, or what it drops is told."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pycountry
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.column_formats.currencies import CURRENCY
from atlas.column_formats.model import Kind
from atlas.column_formats.numbers import bare_number
from atlas.column_formats.rendering import write
from atlas.imports import duckdb_casts
from atlas.imports.checked import Checked, check
from atlas.imports.checks import Staged
from atlas.imports.duckdb_casts import cast, fits
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import physical
from atlas.imports.infer.types import is_null_text
from atlas.imports.matched import match
from atlas.imports.plan import ColumnPlan, ImportPlan
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.language.instructions import ImportInstruction
from atlas.tables.model import Table, TableColumn

Opened = tuple[ImportPlan, Checked]
Read = Callable[..., Opened]
_BLANKS = " \t\r\n\u00a0\ufeff\u200b\u200e\u200f\u2060"


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Plans a file: for a new table, or into the one that is given."""
    opened: list[Staging] = []
    numbers = itertools.count()

    def run(data: bytes, name: str = "f.csv", *, into: Table | None = None, **said: Any) -> Opened:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        path = folder / "upload"
        path.write_bytes(data)
        instruction = ImportInstruction(table="t", duplicates="keep", **said)
        staging = Staging(folder, read_file(open_upload(path, name, folder, 1 << 26), folder))
        opened.append(staging)
        tables = [] if into is None else [into]
        plan = make_plan(staging, inspect(staging, instruction, into), instruction, tables, name)
        planned = check(Staged(staging, plan))
        return plan, planned

    yield run
    for staging in opened:
        staging.close()


def column_of(cells: list[str], name: str = "v", delimiter: str = ",") -> bytes:
    """A CSV of one column beside a number."""
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter, lineterminator="\n")
    writer.writerows([["k", name], *([f"k{n}", cell] for n, cell in enumerate(cells))])
    return sink.getvalue().encode()


def values(planned: Checked, column: ColumnPlan) -> list[Any]:
    """A column's values in the file's order; numerics as texts."""
    found = planned.staging.arrow(f"SELECT {planned.file.value(column)} AS v FROM raw ORDER BY _n")
    return list(found.column("v").to_pylist())


def told(plan: ImportPlan, name: str) -> str:
    return " | ".join(note for note in plan.notes if note.startswith(name))


TEXTS = [
    # Codes that look like dates.
    ("version", ["1.1.10", "1.2.11", "1.10.12"]),
    ("part_no", ["01-02-03", "04-05-06"]),
    ("x", ["01.02.03", "02.03.04"]),
    ("firmware", ["2024.01.15", "2024.02.20"]),
    ("model", ["10-11-2012", "11-12-2013"]),
    ("x", ["41_10_1", "41_10_2"]),
    # Months without a day, quarters, weeks.
    ("period", ["2024-01", "2024-02"]),
    ("m", ["May 2024", "June 2024"]),
    ("q", ["2024-Q1", "2024-Q2"]),
    ("w", ["2024-W01", "2024-W02"]),
    # Codes that look like numbers.
    ("code", ["5E0", "5E1", "7E2"]),
    ("code", ["1e26", "905331", "9535e6"]),
    ("x", ["0x1f", "0x20"]),
    ("x", ["007", "12"]),
    ("icd", ["007.1", "008.45"]),
    ("x", ["1.1", "1.10", "1.2"]),
    ("version", ["1.1", "1.2"]),
    ("release", ["10.0", "11.0"]),
    ("house_no", [*map(str, range(1, 20)), "12a"]),
    ("x", [*map(str, range(1, 40)), "A7"]),
    ("isbn", ["123", "456"]),
    ("x", ["1234567890123456", "1"]),
    ("phone", ["112", "+49 30 1234567", "4711", "030/998877"]),
    ("x", ["+4930123", "17"]),
    ("x", ["1_000", "2"]),
    ("x", ["1e400", "2.5", "3.5"]),
    ("x", ["1,2,3", "4,5,6"]),
    ("x", ["1.2.3.4", "10.0.0.1"]),
    # Formats of two kinds.
    ("price", ["$10.00", "€10.00", "£7.50 each"]),
    ("p", ["10 EUR", "12 USD", "€5$"]),
    ("rate", ["12%", "5", "7"]),
    ("v", ["yes", "y", "no"]),
    ("d", ["2024-01-31", "31.01.2024"]),
    ("d", ["2024-01-31", "Q1"]),
    ("v", ["(5)", "-7"]),
    ("v", ["5-", "-7"]),
    ("v", ["5-", "(7)"]),
    # A plus that no minus beside it makes a sign.
    ("dial", ["+1", "+44"]),
    ("v", ["+1.5", "+2.5"]),
    # A weekday that the day does not have.
    ("d", ["Mon, 02 Jan 2024", "Tue, 02 Jan 2024"]),
    ("d", ["Monday, January 1, 2024", "Sunday, January 2, 2024"]),
    # What no type holds.
    ("t", ["2024-01-01 00:00:00.000000001", "2024-01-01 00:00:00.000000999"]),
    ("d", ["0000-01-01", "2024-01-01"]),
]


@pytest.mark.parametrize(("name", "cells"), TEXTS, ids=[f"{name}-{cells[0]}" for name, cells in TEXTS])
def test_what_no_format_gives_back_stays_text(read: Read, name: str, cells: list[str]) -> None:
    plan, planned = read(column_of(cells, name))
    column = plan.columns[1]
    assert column.type == "text"
    assert values(planned, column) == cells
    text = json.dumps([{name: cell} for cell in cells]).encode()
    assert [row[name] for row in match(read(text, "f.json")[1], []).sample_rows(100)] == cells


NUMBERS = [
    ("v", ["1", "-2", "3"], "bigint", ["1", "-2", "3"]),
    ("v", ["1.5", "2.25", "3"], "double", ["1.5", "2.25", "3.0"]),
    ("price", ["1.5", "2.25", "3"], "numeric", ["1.5", "2.25", "3"]),
    ("price", ["1.10", "1.1", "10.00"], "numeric", ["1.10", "1.1", "10.00"]),
    ("v", ["12.50", "3.00"], "numeric", ["12.50", "3.00"]),
    ("v", ["12", "3.50"], "numeric", ["12", "3.50"]),
    ("v", ["1.0", "2.25"], "double", ["1.0", "2.25"]),
    ("v", ["0.30000000000000004", "0.1"], "double", ["0.30000000000000004", "0.1"]),
    (
        "v",
        ["0.12345678901234567891", "0.98765432109876543219"],
        "numeric",
        ["0.12345678901234567891", "0.98765432109876543219"],
    ),
    (
        "balance",
        ["12345678901234567.89", "98765432109876543.21"],
        "numeric",
        ["12345678901234567.89", "98765432109876543.21"],
    ),
    ("total", ["123456789012345678901234567890", "5"], "numeric", ["123456789012345678901234567890", "5"]),
    (
        "total",
        ["9223372036854775808", "-9223372036854775809"],
        "numeric",
        ["9223372036854775808", "-9223372036854775809"],
    ),
    ("v", ["1" * 45 + ".25", "2.50"], "numeric", ["1" * 45 + ".25", "2.50"]),
    ("v", ["1,234.50", "12.00"], "numeric", ["1234.50", "12.00"]),
    ("v", ["$10.00", "$7.50"], "numeric", ["10.00", "7.50"]),
    ("v", ["(1,250.00)", "5.00"], "numeric", ["-1250.00", "5.00"]),
    ("v", ["12.5%", "3.0%"], "numeric", ["0.125", "0.030"]),
    ("v", ["12.345678901234567890%", "1.5%"], "numeric", ["0.12345678901234567890", "0.015"]),
    (
        "v",
        ["99999999999999999999%", "0.000000000000000000001%"],
        "numeric",
        ["999999999999999999.99", "0.00000000000000000000001"],
    ),
    ("v", ["-1.10%", "(100.1%)", "5%"], "text", ["-1.10%", "(100.1%)", "5%"]),
    ("v", ["-1.10%", "100.1%", "0%"], "numeric", ["-0.0110", "1.001", "0.00"]),
    ("v", ["1.5e-07", "0.25"], "double", ["1.5e-07", "0.25"]),
    ("v", [".5", "1.25"], "numeric", ["0.5", "1.25"]),
    ("v", ["+5", "-3", "0"], "bigint", ["5", "-3", "0"]),
]


@pytest.mark.parametrize(("name", "cells", "type_", "found"), NUMBERS, ids=[f"{n[0]}-{n[1][0]}"[:30] for n in NUMBERS])
def test_numbers_keep_their_digits(read: Read, name: str, cells: list[str], type_: str, found: list[str]) -> None:
    plan, planned = read(column_of(cells, name))
    column = plan.columns[1]
    assert (column.type, [str(value) for value in values(planned, column)]) == (type_, found)


def test_a_type_widens_with_what_comes_late(read: Read) -> None:
    whole = [str(n) for n in range(5_000)]
    expected = {
        "12.5": "double",
        "12.50": "numeric",
        "99999999999999999999.5": "numeric",
        "12a": "text",
        "1.5e-3": "double",
        "many": "bigint",
    }
    for late, type_ in expected.items():
        cells = [*whole]
        cells[3_333] = late
        plan, planned = read(column_of(cells))
        assert plan.columns[1].type == type_, late
        found = values(planned, plan.columns[1])
        assert len(found) == 5_000
        assert planned.staging.query("SELECT count(*) FROM rejected") == [(0,)]
        assert (found[3_333] is None) == (late == "many")
    days = [str(date(2024, 1, 1) + timedelta(n)) for n in range(3_000)]
    days[2_999] = "2024-01-01 10:30:00"
    assert read(column_of(days))[0].columns[1].type == "timestamp"


def test_a_few_that_are_no_values_empty_their_cells_and_are_told(read: Read) -> None:
    cells = [f"{n}.50" for n in range(50)]
    cells[7], cells[8], cells[9] = "tbd", "n/a", "about 20"
    plan, planned = read(column_of(cells))
    assert plan.columns[1].type == "numeric"
    query = planned.replaced
    assert query is not None
    assert sorted(planned.staging.query(query)) == [
        (8, "v", "tbd", None, 0),
        (9, "v", "n/a", None, 0),
        (10, "v", "about 20", None, 0),
    ]
    days = [str(date(2024, 1, 1) + timedelta(n)) for n in range(50)]
    days[3] = "2024-02-30"
    plan, planned = read(column_of(days))
    query = planned.replaced
    assert query is not None
    assert (plan.columns[1].type, planned.staging.query(query)) == ("date", [(4, "v", "2024-02-30", None, 0)])


@pytest.mark.parametrize(
    ("cells", "found", "words"),
    [
        (["5-", "6", "7"], ["-5", "6", "7"], "has 1 number with the minus behind, read as negative"),
        (["1.234,50-", "500,00"], ["-1234.50", "500.00"], "with the minus behind"),
        (["(5)", "6", "(1)"], ["-5", "6", "-1"], "has 2 numbers in parentheses, read as negative"),
        (["+0.5", "-0.3", "0"], ["0.5", "-0.3", "0.0"], "has 1 number with a plus, which is left out"),
        (["+1", "-2"], ["1", "-2"], "has 1 number with a plus, which is left out"),
    ],
)
def test_signs_that_are_not_before_the_number_are_told(
    read: Read, cells: list[str], found: list[str], words: str
) -> None:
    plan, planned = read(column_of(cells, "v"))
    assert list(map(str, values(planned, plan.columns[1]))) == found
    assert words in told(plan, "v")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2024-01-01 10:00 UTC+2", "2024-01-02 11:00 UTC+2"], "one such as +02:00 is"),
        (["0000-00-00", "2024-01-01"], "'0000-00-00' is no time that is read"),
        (["2024-01-01 10:00:00.1234567", "2024-01-01"], "finer than microseconds"),
    ],
)
def test_why_a_time_stays_text_is_told(read: Read, cells: list[str], words: str) -> None:
    plan, _ = read(column_of(cells, "t"))
    assert (plan.columns[1].type, words in told(plan, "t")) == ("text", True)


def test_a_weekday_far_down_that_the_day_does_not_have_is_told(read: Read) -> None:
    days = [(date(2024, 1, 1) + timedelta(n)).strftime("%a, %d %b %Y") for n in range(3_000)]
    days[2_500] = days[2_500].replace(days[2_500][:3], "Mon" if days[2_500][:3] != "Mon" else "Tue")
    plan, planned = read(column_of(days))
    query = planned.replaced
    assert plan.columns[1].type == "date"
    assert query is not None
    assert [row[2] for row in planned.staging.query(query)] == [days[2_500]]


def test_many_that_are_no_values_make_a_text_and_are_told(read: Read) -> None:
    cells = [*map(str, range(20)), *["unsure"] * 5]
    plan, planned = read(column_of(cells))
    assert (plan.columns[1].type, values(planned, plan.columns[1])) == ("text", cells)
    cells = [*map(str, range(3_000)), "A-17"]
    plan, planned = read(column_of(cells))
    assert values(planned, plan.columns[1]) == cells
    assert "1 of 3,001 values are no whole numbers, such as 'A-17'" in told(plan, "v")


@pytest.mark.parametrize(
    ("name", "cells", "days"),
    [
        ("birth_date", ["12/31/68", "05/14/52", "01/01/05"], [1968, 1952, 2005]),
        ("dob", ["31.12.40", "01.02.99"], [1940, 1999]),
        ("born", ["5-Jan-31", "6-Feb-70"], [1931, 1970]),
        ("due_date", ["12/31/30", "05/14/70"], [2030, 1970]),
    ],
)
def test_years_of_two_digits(read: Read, name: str, cells: list[str], days: list[int]) -> None:
    plan, planned = read(column_of(cells, name))
    assert [value.year for value in values(planned, plan.columns[1])] == days
    assert "years of two digits, read as" in told(plan, name)


AMOUNTS = [
    (["$10.00", "€10.00", "£7.50"], ["10.00", "10.00", "7.50"], ["$", "€", "£"]),
    (["10 EUR", "-12 USD", "7"], ["10", "-12", "7"], ["EUR", "USD", None]),
    (["1.234,50 €", "(2,00 $)", "3,00 CHF"], ["1234.50", "-2.00", "3.00"], ["€", "$", "CHF"]),
    (["US$ 5.00", "$6.00", "n/a"], ["5.00", "6.00", None], ["US$", "$", None]),
    ([*["$1.50"] * 3_000, "¥500"], [*["1.50"] * 3_000, "500"], [*["$"] * 3_000, "¥"]),
]


@pytest.mark.parametrize(("cells", "amounts", "currencies"), AMOUNTS, ids=[case[0][0] for case in AMOUNTS])
def test_currencies_of_a_column_are_kept_beside_it(
    read: Read, cells: list[str], amounts: list[str], currencies: list[str | None]
) -> None:
    plan, planned = read(column_of(cells, "price"))
    assert [column.name for column in plan.columns] == ["k", "price", "price_currency"]
    assert [None if value is None else str(value) for value in values(planned, plan.columns[1])] == amounts
    assert values(planned, plan.columns[2]) == currencies
    told = " ".join(plan.notes)
    assert "the currencies of price are kept in price_currency" in told
    assert all(f"{currency} (" in told for currency in currencies if currency)
    rows = list(planned.rows())
    assert sum(batch.num_rows for batch in rows) == len(cells)


ONE_CURRENCY = [
    ("R$", ["R$ 1.234,50", "-R$ 5,00", "R$7,10"], ["1234.50", "-5.00", "7.10"]),
    ("A$", ["A$5.00", "A$6.10"], ["5.00", "6.10"]),
    ("CA$", ["CA$5", "CA$1,200"], ["5", "1200"]),
    ("HK$", ["HK$ 5", "7 HK$"], ["5", "7"]),
    ("CZK", ["100 CZK", "CZK\u00a0250"], ["100", "250"]),
    ("TRY", ["TRY 1.234,50", "2,00 TRY"], ["1234.50", "2.00"]),
    ("zł", ["100,00 zł", "1\u00a0200,50\u00a0zł"], ["100.00", "1200.50"]),
    ("kr", ["100\u202fkr", "kr 200", "-3 kr"], ["100", "200", "-3"]),
    ("Kč", ["1 000,00 Kč", "3,50Kč"], ["1000.00", "3.50"]),
    ("₹", ["₹1,00,000", "₹ 5,000"], ["100000", "5000"]),
    ("₩", ["₩5,000", "(₩2,000)"], ["5000", "-2000"]),
    ("₽", ["5\u202f₽", "7₽"], ["5", "7"]),
    ("CHF", ["CHF 5.00", "CHF 1'200.00"], ["5.00", "1200.00"]),
    ("S/", ["S/ 5.00", "S/6.20"], ["5.00", "6.20"]),
    ("Fr.", ["Fr. 5.50", "Fr. 6.00"], ["5.50", "6.00"]),
    ("лв", ["5 лв", "7 лв"], ["5", "7"]),
]


@pytest.mark.parametrize(("currency", "cells", "amounts"), ONE_CURRENCY, ids=[case[0] for case in ONE_CURRENCY])
def test_amounts_of_one_currency_are_numbers(read: Read, currency: str, cells: list[str], amounts: list[str]) -> None:
    plan, planned = read(column_of(cells, "v"))
    assert [str(value) for value in values(planned, plan.columns[1])] == amounts
    assert plan.columns[1].kind.currency == currency
    assert f"is in {currency}, which is left out" in told(plan, "v")


def test_each_code_of_the_standard_is_a_currency_of_prices(read: Read) -> None:
    codes = sorted(c.alpha_3 for c in pycountry.currencies if not c.alpha_3.startswith("X"))
    cells = [text for code in codes for text in (f"{code} 1.50", f"2.50\u00a0{code}", f"-{code}3.50")]
    plan, planned = read(column_of(cells, "price"))
    assert [str(value) for value in values(planned, plan.columns[1])] == ["1.50", "2.50", "-3.50"] * len(codes)
    assert values(planned, plan.columns[2]) == [code for code in codes for _ in range(3)]


@pytest.mark.parametrize(
    "cells",
    [
        ["CAD-12", "CAD-13"],
        ["SEK 7b", "SEK 8a"],
        ["TOP 10", "TOP 5"],
        ["CAD12", "EUR13"],
        ["3 PEN", "5 PEN"],
        ["RM 12", "RM 13"],
        ["PHP 7", "PHP 8"],
        ["12 ALL", "5 CUP"],
        ["XXX 5", "XTS 7"],
        ["5 kg", "6 kg"],
        ["USD 5 CAD", "USD 6 CAD"],
        ["AR$T5", "AR$T6"],
    ],
)
def test_units_and_codes_are_no_currencies(read: Read, cells: list[str]) -> None:
    plan, planned = read(column_of(cells, "v"))
    assert (plan.columns[1].type, values(planned, plan.columns[1])) == ("text", cells)


def test_another_dollar_far_down_is_another_currency(read: Read) -> None:
    plan, planned = read(column_of([*["$1.50"] * 30_000, "R$2.50"], "price"))
    assert values(planned, plan.columns[2])[-1] == "R$"


def test_currencies_go_where_the_table_keeps_them(read: Read) -> None:
    first, _ = read(column_of(["$1.50", "€2.50"], "price"))
    table = Table(1, "t", "s", tuple(column.table_column() for column in first.columns))
    plan, planned = read(column_of(["€3.50", "€4.50"], "price"), into=table)
    assert [(column.name, column.new) for column in plan.columns] == [
        ("k", False),
        ("price", False),
        ("price_currency", False),
    ]
    assert values(planned, plan.columns[2]) == ["€", "€"]
    # A table that had one so far grows, and says that its rows do not tell theirs; a text takes what there is.
    single, _ = read(column_of(["$1.50", "$2.50"], "price"))
    table = Table(1, "t", "s", tuple(column.table_column() for column in single.columns))
    plan, _ = read(column_of(["$1.50", "€2.50"], "price"), into=table)
    assert plan.columns[2].new
    assert "price was in $ before, which price_currency does not say" in plan.notes
    texts = Table(1, "t", "s", (TableColumn("k", "text", "k"), TableColumn("price", "text", "price")))
    plan, planned = read(column_of(["$1.50", "€2.50"], "price"), into=texts)
    assert values(planned, plan.columns[1]) == ["$1.50", "€2.50"]
    # Where no column may be added, nothing is taken for a number without its currency.
    for policy in ("freeze", "discard_value", "discard_row"):
        plan, planned = read(column_of(["$1.50", "€2.50"], "price"), into=table, policy=policy)
        assert "price_currency" not in [column.name for column in plan.columns]
        assert plan.columns[1].kind.own_currency is False
    # Names that the file has itself are not taken.
    plan, planned = read("price,price_currency\n$1.50,x\n€2.50,y\n".encode())
    assert [column.name for column in plan.columns] == ["price", "price_currency_2", "price_currency"]


@pytest.mark.parametrize(
    "header",
    ["Unit Price", "Amount (EUR)", "price,price_currency", f"{'x' * 70}", f"{'x' * 63}", f"{'é' * 30}", "price,price"],
)
def test_currencies_go_into_the_same_column_each_time(read: Read, header: str) -> None:
    cells = [f"{amount},{amount if header == 'price,price' else 'n'}" for amount in ("$1.50", "€2.50")]
    data = f"k,{header if ',' in header else f'{header},other'}\n1,{cells[0]}\n2,{cells[1]}\n".encode()
    first, _ = read(data)
    names = [column.name for column in first.columns]
    assert any(name.endswith(("_currency", "_currency_2")) for name in names)
    table = Table(1, "t", "s", tuple(column.table_column() for column in first.columns))
    again, planned = read(data, into=table)
    assert [(column.name, column.new) for column in again.columns] == [(name, False) for name in names]
    assert values(planned, again.columns[2]) == ["$", "€"]


def test_the_decimal_sign_is_that_of_the_file(read: Read) -> None:
    def second(data: str, **said: Any) -> tuple[list[str], str]:
        plan, planned = read(data.encode(), **said)
        return [str(value) for value in values(planned, plan.columns[1])], told(plan, plan.columns[1].name)

    assert second("k;v;w\na;1,234;0,5\nb;2,500;0,75\n") == (["1.234", "2.500"], "")
    assert second("k;v;w\na;1.234;1.000,92\nb;2.500;7,50\n") == (["1234", "2500"], "")
    assert second('k,v,w\na,"1,234",0.5\nb,"2,500",0.75\n') == (["1234", "2500"], "")
    found, note = second("k;v\na;1,299\nb;2,499\n")
    assert found == ["1.299", "2.499"]
    assert "'1,299' and '2,499' are 1.299 and 2.499, not 1299 and 2499" in note
    assert second("k;v\na;1,299\nb;2,499\n", decimal_comma=False) == (["1299", "2499"], "")
    assert second("k;v\na;1.234\nb;2.500\n", decimal_comma=True) == (["1234", "2500"], "")
    found, note = second("k;v\na;1.299\nb;2.499\n")
    assert (found, "not 1299 and 2499" in note) == (["1.299", "2.499"], True)
    assert second("k\tv\na\t1,299\nb\t2,499\n")[0] == ["1299", "2499"]
    assert "could have a decimal point" in second("k\tv\na\t1,299\nb\t2,499\n")[1]


def table(*columns: TableColumn) -> Table:
    return Table(1, "t", "org", columns)


def test_the_table_remembers_how_its_last_file_wrote(read: Read) -> None:
    plan, _ = read(b"id;d;v\na1;31/01/2026;0,5\na2;15/01/2026;0,75\n")
    known = table(*(column.table_column() for column in plan.columns))
    plan, planned = read(b'id,d,v\nb1,01/02/2026,"1,250"\nb2,03/02/2026,"2,500"\n', into=known)
    assert [value.isoformat() for value in values(planned, plan.columns[1])] == ["2026-02-01", "2026-02-03"]
    assert [str(value) for value in values(planned, plan.columns[2])] in (["1.250", "2.500"], ["1.25", "2.5"])
    plan, planned = read(b"id,d,v\nb1,01/31/2026,0.5\nb2,02/15/2026,0.25\n", into=known)
    assert [value.isoformat() for value in values(planned, plan.columns[1])] == ["2026-01-31", "2026-02-15"]
    notes = " ".join(plan.notes)
    assert "dates of the file have month first, those of the table day first" in notes
    assert "numbers of the file have a decimal point, those of the table a decimal comma" in notes


def test_columns_of_a_table_widen_or_become_text_and_that_is_told(read: Read) -> None:
    def into(type_: str, cells: list[str], **said: Any) -> tuple[str, list[Any], str]:
        plan, planned = read(column_of(cells), into=table(TableColumn("k", "text"), TableColumn("v", type_)), **said)
        column = plan.column("v")
        assert column is not None
        assert planned.staging.query("SELECT count(*) FROM rejected") == [(0,)]
        return column.type, values(planned, column), told(plan, "v")

    assert into("bigint", ["1", "2.5"]) == ("numeric", ["1", "2.5"], "v was BIGINT and becomes NUMERIC")
    assert into("bigint", [*map(str, range(46)), "1.5", "2.5", "3.5", "4.5"])[0] == "numeric"
    assert into("double", ["0.12345678901234567891"])[:2] == ("numeric", ["0.12345678901234567891"])
    assert into("double", ["0.25"])[:2] == ("double", [0.25])
    for big in ("9007199254740993", "-9007199254740995", "12345678901234567890"):
        assert into("double", [big, "1"])[:2] == ("numeric", [big, "1"])
    assert into("double", ["123456789012345", "-1"])[:2] == ("double", [123456789012345.0, -1.0])
    assert into("double", [*["1.10"] * 30, "tbd"])[:2] == ("double", [*[1.1] * 30, None])
    assert into("bigint", ["1.5e-3", "2"])[:2] == ("numeric", ["0.0015", "2"])
    told_of_money = "v was DOUBLE PRECISION and becomes NUMERIC | v is in $, which is left out"
    assert into("double", ["$1.10", "$2.50"]) == ("numeric", ["1.10", "2.50"], told_of_money)
    assert into("numeric", ["0.25", "1e-7"])[0] == "numeric"
    assert into("numeric", ["1.25", "-1.5e-25", "1.0e+30"])[1] == ["1.25", f"-0.{'0' * 24}15", f"1{'0' * 30}"]
    assert into("date", ["2024-01-01 10:00:00"])[0] == "timestamp"
    assert into("bigint", ["A3", "A4"])[:2] == ("text", ["A3", "A4"])
    assert into("bigint", ["1", "2"], types={"v": "text"})[:2] == ("text", ["1", "2"])
    type_, found, _ = into("bigint", [*map(str, range(30)), "unsure"])
    assert (type_, found[30]) == ("bigint", None)
    assert into("date", ["2024-01-01", "soon"])[0] == "text"
    assert into("text", ["1", "2"])[:2] == ("text", ["1", "2"])


def test_keys_and_stated_types_keep_records_out(read: Read) -> None:
    cells = [*map(str, range(30)), "unsure"]
    rejected = "SELECT count(*) FROM rejected"
    assert read(column_of(cells), key=("v",))[1].staging.query(rejected) == [(1,)]
    assert read(column_of(cells), types={"v": "bigint"})[1].staging.query(rejected) == [(1,)]
    assert read(column_of(cells))[1].staging.query(rejected) == [(0,)]


def test_what_is_said_to_be_a_number_keeps_all_digits(read: Read) -> None:
    cells = ["12345678901234567890123", "0.1234567890123456789", "5"]
    plan, planned = read(column_of(cells), types={"v": "double"})
    assert (plan.columns[1].type, values(planned, plan.columns[1])) == ("numeric", cells)
    assert "v is NUMERIC, as a double would not give back 2 numbers of it" in plan.notes
    assert planned.staging.query("SELECT count(*) FROM rejected") == [(0,)]
    plan, planned = read(column_of(["1.5", "abc", "2.50"]), types={"v": "double"})
    assert (plan.columns[1].type, planned.staging.query("SELECT count(*) FROM rejected")) == ("double", [(1,)])


def test_parquet_keeps_what_it_declares(read: Read) -> None:
    far = pa.array([datetime(9999, 12, 31, 23, 59, 59), datetime(2006, 1, 2)], pa.timestamp("us"))
    sink = io.BytesIO()
    data = {
        "t": far,
        "s": ["1.1.10", "2024-01-31"],
        "d": pa.array([Decimal("1.10"), Decimal("2.00")]),
        "u": pa.array([2**64 - 1, 0], pa.uint64()),
        "f": [0.1, 1e300],
        "w": pa.array([Decimal(10**37), None]),
    }
    pq.write_table(pa.table(data), sink, use_deprecated_int96_timestamps=True)
    plan, planned = read(sink.getvalue(), "f.parquet")
    assert [column.type for column in plan.columns] == ["timestamp", "text", "numeric", "numeric", "double", "numeric"]
    first = [values(planned, column)[0] for column in plan.columns]
    assert first == [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "1.1.10", "1.10", str(2**64 - 1), 0.1, str(10**37)]
    fine = io.BytesIO()
    pq.write_table(pa.table({"t": pa.array([1, 999], pa.timestamp("ns"))}), fine)
    plan, planned = read(fine.getvalue(), "f.parquet")
    assert plan.columns[0].type == "text"
    assert values(planned, plan.columns[0]) == ["1970-01-01 00:00:00.000000001", "1970-01-01 00:00:00.000000999"]
    assert "finer than microseconds" in told(plan, "t")


def cells_like(make: Callable[[random.Random], str]) -> st.SearchStrategy[list[str]]:
    return st.builds(
        lambda seed, size: [make(chance) for chance in [random.Random(seed)] for _ in range(size)],
        st.integers(0, 2**32),
        st.integers(1, 40),
    )


def _day(chance: random.Random) -> date:
    return date(1950, 1, 1) + timedelta(chance.randrange(40_000))


MAKERS: list[Callable[[random.Random], str]] = [
    lambda r: str(r.randrange(-50, 5_000)),
    lambda r: f"{r.uniform(-100, 9_999):.2f}",
    lambda r: f"{r.uniform(-100, 9_999):,.2f}",
    lambda r: f"{r.uniform(-100, 9_999):,.2f}".replace(",", " ").replace(".", ","),
    lambda r: f"{r.randrange(10_000) / 100:g}",
    lambda r: repr(r.uniform(-1, 1) * 10 ** r.randrange(-9, 18)),
    lambda r: f"{r.randrange(10**25)}.{r.randrange(10**9)}",
    lambda r: f"{r.randrange(1, 30)}.{r.randrange(30)}",
    lambda r: f"{r.randrange(1, 30)}.{r.randrange(30)}.{r.randrange(30)}",
    lambda r: f"{r.randrange(100)}E{r.randrange(100)}",
    lambda r: f"{r.randrange(2**20):x}",
    lambda r: f"{r.choice('$$$€')}{r.randrange(10_000) / 100:.2f}",
    lambda r: f"{r.randrange(1_000) / 10}{r.choice(['%', '%', ''])}",
    lambda r: f"({r.randrange(100)})" if r.random() < 0.3 else str(r.randrange(100)),
    lambda r: f"{r.randrange(100):03}",
    lambda r: _day(r).isoformat(),
    lambda r: _day(r).strftime("%d.%m.%Y"),
    lambda r: _day(r).strftime("%m/%d/%Y"),
    lambda r: f"{r.randrange(1, 13)}/{r.randrange(1, 29)}/{r.randrange(1990, 2030)}",
    lambda r: _day(r).strftime("%d-%m-%y"),
    lambda r: _day(r).strftime("%Y-%m"),
    lambda r: _day(r).strftime("%b %d, %Y"),
    lambda r: f"{_day(r)}T{r.randrange(24):02}:{r.randrange(60):02}:00{r.choice(['', 'Z', '+02:00'])}",
    lambda r: f"{_day(r)} {r.randrange(24):02}:{r.randrange(60):02}:00.{r.randrange(10**9):09}",
    lambda r: r.choice(["yes", "no", "Yes", "NO"]),
    lambda r: r.choice(["y", "n", "yes"]),
    lambda r: r.choice(["1", "2", "3", "n/a", "?"]),
    lambda r: r.choice(["12", "13", "14", "12a"]),
    lambda r: r.choice(["1.5", "2", "soon", "3.25", "4.5", "5", "6", "7", "8", "9", "10"]),
    lambda r: r.choice([" 5", "6 ", "7"]),
    lambda r: str(r.randrange(10**14, 10**22)),
]
NAMES = ["v", "price", "date", "version", "rate", "birth_date", "id", "code", "amount"]


def given_back(value: Any, cell: str, column: ColumnPlan) -> bool:
    """Whether a value, written by its column's format, is the cell again."""
    kind: Kind = column.kind
    if column.type == "text":
        return bool(value == cell)
    if column.type in ("bigint", "numeric", "double"):
        if kind.exponent:
            return float(value) == float(cell)
        bare = bare_number(cell) if kind.amount else cell
        grouped = write(Decimal(value) if isinstance(value, str) else value, kind)
        return grouped in (bare, bare.replace("-.", "-0.") if not bare.startswith(".") else f"0{bare}")
    if column.type == "boolean":
        return write(value, kind) == cell.lower()
    if kind.formats:
        forms = {value.strftime(layout) for layout in kind.formats}
        short = {re.sub(r"\b0(\d)\b", r"\1", form) for form in forms}
        return cell in forms | short
    text = cell.replace(" UTC", "Z").replace(",", ".")
    there = datetime.fromisoformat(re.sub(r"(\.\d{6})0+", r"\1", text))
    if column.type == "date":
        return bool(value == there.date() and len(cell) == 10)
    return bool(value == (there if there.tzinfo else there.replace(tzinfo=UTC)))


def unsaid(plan: ImportPlan, planned: Checked, cells: dict[str, list[str]]) -> list[tuple[str, str, Any]]:
    """Cells that changed without a word: (column, cell, value)."""
    query = planned.replaced
    replaced = {row[:4] for row in planned.staging.query(query)} if query else set()
    waiting = {row[0] for row in planned.staging.query("SELECT _n FROM rejected")}
    found = []
    for column in plan.columns:
        notes = told(plan, column.name)
        for number, (cell, value) in enumerate(zip(cells[column.header], values(planned, column), strict=True), 1):
            bare = cell.strip(_BLANKS)
            if bare != cell and not any("blanks around" in note for note in plan.notes):
                found.append((column.name, cell, "blank"))
            if not bare:
                continue
            if column.type == "text" and column.kind.own_currency:
                sign = CURRENCY.search(bare)
                found += [] if value == (sign and sign[0]) else [(column.name, cell, value)]
                continue
            if value is None:
                if number not in waiting and not any(r[:3] == (number, column.name, bare) for r in replaced):
                    found.append((column.name, cell, value))
            elif not given_back(value, bare, column) and not notes:
                found.append((column.name, cell, value))
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(range(len(MAKERS)))), min_size=1, max_size=4),
    st.integers(0, 2**32),
    st.integers(2, 60),
    st.sampled_from(",;\t"),
)
def test_no_cell_of_any_file_changes_without_a_word(
    read: Read, columns: list[tuple[str, int]], seed: int, size: int, delimiter: str
) -> None:
    chance = random.Random(seed)
    cells: dict[str, list[str]] = {"key": [f"key {n}" for n in range(size)]}
    for place, (name, maker) in enumerate(columns):
        cells[f"{name}" if place == 0 else f"{name}_{'abcd'[place]}"] = [MAKERS[maker](chance) for _ in range(size)]
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([list(cells), *zip(*cells.values(), strict=True)])
    plan, planned = read(sink.getvalue().encode())
    assert unsaid(plan, planned, cells) == []


PUBLIC = sorted(
    item.name for item in (resources.files("vega_datasets") / "_data").iterdir() if item.name.endswith(".csv")
)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_cell_of_public_files_changes_without_a_word(read: Read, name: str) -> None:
    data = (resources.files("vega_datasets") / "_data" / name).read_bytes()
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    rows = [row for row in rows if row]
    plan, planned = read(data)
    cells = {column.header: [row[column.position] for row in rows[1:]] for column in plan.columns}
    assert unsaid(plan, planned, cells) == []


def test_formats_are_kept_in_the_plan() -> None:
    kind = Kind("numeric", digits="fixed", scale=2, decimal=",", strict=True)
    column = ColumnPlan(0, "Preis", "preis", "numeric", kind).table_column()
    assert column.format == kind
    assert write(Decimal("1234.5"), kind) == "1234,50"
    assert cast(physical(0), kind, clean=True) == "replace(c0, ',', '.')"
    assert is_null_text("n/a")


def test_doubles_stay_doubles_however_small_some_are(read: Read) -> None:
    chance = random.Random(7)
    numbers = [chance.random() for _ in range(300)] + [2.3503710709915637e-06, 0.1 + 0.2, 1e-3 / 3]
    csv_cells = [format(Decimal(repr(number)), "f") for number in numbers]
    rows = json.dumps([{"k": f"k{n}", "v": number} for n, number in enumerate(numbers)]).encode()
    for data, name in ((column_of(csv_cells), "f.csv"), (rows, "f.json")):
        plan, planned = read(data, name)
        assert plan.columns[1].type == "double"
        assert values(planned, plan.columns[1]) == numbers
    # One that no double gives back, behind what is looked at first.
    rows = json.dumps([{"k": f"k{n}", "v": number} for n, number in enumerate(numbers * 20)]).encode()
    plan, planned = read(rows.replace(b"2.3503710709915637e-06", b"0.12345678901234567890123", 1), "f.json")
    assert plan.columns[1].type == "numeric"
    assert "0.12345678901234567890123" in values(planned, plan.columns[1])


_AROUND = ("", "$", "$ ", "-$", "$-", "- $", "(", "-", "+", "€", "€ ", "-€", "$$", "-$-", " ")
_BEHIND = ("", "$", " $", ")", "-", " -", "%", " %", "€", " €", "$-", "$ $", " ")
_NUMBER = (
    "0",
    "7",
    "07",
    "5.00",
    "1,234.50",
    "1.234,50",
    "1 234.5",
    "12,34,567.89",
    "1,23.00",
    "12345.60",
    ".50",
    "5e3",
    "",
    "1234567890123456789",
    "0.1000000000000000055",
    "1\u00a0234.50",
    "1\u2019234.50",
)
_DIGITS = (("numeric", "fixed"), ("numeric", "own"), ("double", "needed"), ("bigint", "none"), ("numeric", "whole"))
_KINDS = [
    Kind(type_, decimal=decimal, group=group, amount=True, currency=currency, digits=digits, scale=2, strict=True)
    for type_, digits in _DIGITS
    for decimal, group in ((".", ","), (",", "."), (".", ""), (".", " "), (".", "'"))
    for currency in ("", "$", "€")
]


def test_usual_amounts_are_read_as_all_amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    texts = {(f"{a}{n}{b}").strip() for a in _AROUND for n in _NUMBER for b in _BEHIND} - {""}
    table = pa.table({"v": chance.sample(sorted(texts), 700)})
    with duckdb.connect() as connection:
        connection.register("cells", table)
        for kind in _KINDS:
            quick = connection.execute(f"SELECT {fits('v', kind)}, {cast('v', kind)} FROM cells").fetchall()
            with monkeypatch.context() as patched:
                patched.setattr(duckdb_casts, "usual_amount_pattern", lambda _: None)
                slow = connection.execute(f"SELECT {fits('v', kind)}, {cast('v', kind)} FROM cells").fetchall()
            assert quick == slow
