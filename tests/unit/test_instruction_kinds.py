"""Import instructions, several of each kind that was once misread: read rightly, or asked about."""

from __future__ import annotations

import pytest

from atlas.language.described import filter_text
from atlas.language.instruction import ImportInstruction
from atlas.language.offline.imports import parse_import

HEADERS = ["email", "zip", "code", "status", "amount", "name", "Full Name", "order date", "country", "price"]


def said(text: str) -> ImportInstruction:
    return parse_import(text, ["leads", "sales", "order items"], HEADERS)


def kept(text: str) -> str:
    """The filter as it is told; `?` before it where a question is asked."""
    found = said(text)
    told = filter_text(found.filters, exclude=found.exclude) if found.filters else "all"
    return ("? " if found.question else "") + told.removeprefix("only records where ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # A clause ends where a word ends, so that nothing behind it is lost.
        ("into leads, only rows where order date is 01/02/2024", "order date is 01/02/2024"),
        ("into leads, only rows where order date is after 01/02/2024", "order date > 01/02/2024"),
        ("into leads, only rows where order date is before 1.2.2024", "order date < 1.2.2024"),
        ("into leads, only rows where code is over 10/3a", "code > 10/3a"),
        ("into leads, only rows where order date is on or after March 3, 2024", 'order date >= "March 3, 2024"'),
        (
            "into leads, only rows where order date is before 3rd of March 2024 and status is open",
            'order date < "3rd of March 2024" and status is open',
        ),
        (
            "into leads, only rows where order date is between 1 Jan 2024 and 31 Jan 2024",
            'order date is between "1 Jan 2024" and "31 Jan 2024"',
        ),
        ("into leads, only rows where name is April or May", "name is one of April, May"),
        ("Dans la table sales, lignes où name est « Jean Dupont »", 'name is "Jean Dupont"'),
    ],
)
def test_values_are_taken_whole(text: str, told: str) -> None:
    assert kept(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "into leads, only rows where status is open, closed", "into leads, only rows with status of open",
        "into leads, only rows where amount is 10 give or take",
        "into leads, only rows where amount is over 5 wugs",
    ],
)  # fmt: skip
def test_what_may_belong_to_a_condition_is_asked(text: str) -> None:
    assert kept(text).startswith("?")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("only rows where status is open and zip is text", "types", {"zip": "text"}),
        ("only rows where status is open and name is required", "required", ("name",)),
        ("only rows where status is open and email is unique", "key", ("email",)),
        ("only rows where status is open and email is the primary key", "key", ("email",)),
        ("nur Zeilen, bei denen status gleich open ist und email ist Pflicht", "required", ("email",)),
        ("seulement les lignes où status est open et email est obligatoire", "required", ("email",)),
        ("solo las filas donde status es open y email es la clave", "key", ("email",)),
        ("solo las filas donde status es open y zip es texto", "types", {"zip": "text"}),
    ],
)
def test_what_is_said_of_a_column_is_no_value_of_it(text: str, field: str, value: object) -> None:
    assert (kept(text), getattr(said(text), field)) == ("status is open", value)


def test_a_word_in_quotes_is_a_value() -> None:
    assert kept('only rows where status is "text" and zip is "key"') == "status is text and zip is key"
    assert kept("only rows where status is key") == "status is key"
