"""Currencies in their spellings, and in filters of instructions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.test_told_values import Read, read

from atlas.column_formats.currencies import may_be_same, split_currency
from atlas.imports.files.source import ReadOptions
from atlas.language.instructions import Filter
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.tables.model import Table, TableColumn

__all__ = ["read"]


@pytest.mark.parametrize(
    ("cells", "currency", "values"),
    [
        (("10,50 kr", "20,00 kr.", "7,25 kr"), "kr", ("10.50", "20.00", "7.25")),
        (("kr 10", "kr. 20", "kr 7"), "kr", ("10", "20", "7")),
        (("10 eur", "20 eur"), "eur", ("10", "20")),
        (("usd 10.50", "USD 20.00"), "USD", ("10.50", "20.00")),
        (("10 EUR", "20 eur", "30 Eur"), "EUR", ("10", "20", "30")),
        (("12,50 Euro", "7,00 Euro"), "Euro", ("12.50", "7.00")),
        (("1.200 gbp", "1.300 gbp"), "gbp", None),
        (("10 лв.", "20 лв"), "лв", ("10", "20")),
    ],
)
def test_spellings_of_a_currency_are_one(
    read: Read, cells: tuple[str, ...], currency: str, values: tuple[str, ...] | None
) -> None:
    plan, found = read("id;price\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(cells)))
    assert [column.name for column in plan.columns] == ["id", "price"]
    assert plan.columns[1].kind.currency == currency
    if values is not None:
        assert [Decimal(str(value)) for value in found[1]] == list(map(Decimal, values))
    notes = " ".join(plan.notes)
    assert f"price is in {currency}, which is left out" in notes
    assert ("read as one currency" in notes) == (len({cell.strip("0123456789., ") + cell[-1:] for cell in cells}) > 1)


@pytest.mark.parametrize("cells", [("10 sek", "20 sek"), ("try 3", "try 4"), ("3 all", "4 all"), ("usd12", "eur13")])
def test_words_and_codes_are_no_currencies(read: Read, cells: tuple[str, ...]) -> None:
    plan, found = read("id,v\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells)))
    assert [column.name for column in plan.columns] == ["id", "v"]
    assert tuple(found[1]) == cells


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("100 EUR", ("100", "EUR")),
        ("€100", ("100", "€")),
        ("-$1,000.50", ("-1,000.50", "$")),
        ("kr. 5", ("5", "kr.")),
        ("100 units", ("100 units", "")),
        ("EUR", ("EUR", "")),
        ("10-20 EUR", ("10-20 EUR", "")),
    ],
)
def test_the_currency_of_an_amount(written: str, expected: tuple[str, str]) -> None:
    assert split_currency(written) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("€", "EUR", True), ("kr", "SEK", True), ("kr.", "DKK", True), ("$", "EUR", False), ("SEK", "DKK", False)],
)
def test_notations_of_one_currency(one: str, other: str, same: bool) -> None:
    assert may_be_same(one, other) == same


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("amount over 100 EUR", "100 EUR"),
        ("amount over EUR 100", "EUR 100"),
        ("amount over 100 kr", "100 kr"),
        ("amount over 100€", "100€"),
        ("amount over ¥1,000", "¥1,000"),
        ("amount over 100 zł", "100 zł"),
        ("amount over $100", "$100"),
        ("amount over 100 usd", "100 usd"),
        ("amount over R$ 100", "R$ 100"),
        ("amount over 100 Euro", "100 Euro"),
    ],
)
def test_an_instruction_may_say_currencies(read: Read, words: str, value: str) -> None:
    said = parse_import(f"into t, only rows where {words}", [], ["id", "amount"])
    assert (said.question, said.not_understood) == (None, ())
    assert said.filters[0][0].values == (value,)
    plan, _ = read("id,amount\n1,99\n2,1000\n", filters=said.filters)
    assert plan.filters[0][0].values[0] in ("100", "1000")
    assert not plan.questions


@pytest.mark.parametrize(
    ("cells", "value", "asked"),
    [
        (("$5", "$7"), "100 EUR", "amount is in $, not in EUR"),
        (("5 €", "7 €"), "100 EUR", None),
        (("$5", "€7"), "100 EUR", "amounts in several currencies"),
        (("5", "7"), "100 EUR", None),
        (("5 kr", "7 kr."), "100 SEK", None),
    ],
)
def test_another_currency_than_the_column_has_is_asked(
    read: Read, cells: tuple[str, ...], value: str, asked: str | None
) -> None:
    text = "id,amount\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
    plan, _ = read(text, filters=((Filter("amount", ">", (value,)),),))
    assert (asked is None and not plan.questions) or asked in " ".join(plan.questions)


@pytest.mark.parametrize("second", ["id;v\n9;1.300\n", "id,v\n9,1.300\n", 'id,v\n9,"1.300"\n'])
def test_a_lone_number_is_read_by_the_decimal_comma_of_the_table(read: Read, second: str) -> None:
    first, _ = read("id;v\n1;1.250,50\n2;7,25\n")
    columns = tuple(column.table_column() for column in first.columns)
    table = Table(1, "t", "s", tuple(TableColumn(**{f: getattr(c, f) for f in c.__struct_fields__}) for c in columns))
    plan, found = read(second, options=ReadOptions(), into=table)
    assert Decimal(str(found[1][0])) == 1300
    told = "v is read with a decimal comma, as the last file of the table had, so '1.300' is 1300"
    assert any(note.startswith(told) for note in plan.notes), plan.notes
    plan, found = read(second, into=table, decimal_comma=False)
    assert str(found[1][0]) == "1.300"
