"""What the gate makes of queries that expand, or that cost seconds within a row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.good_sql import GOOD
from tests.hostile_queries import HOSTILE_QUERIES
from tests.sql_catalog import CATALOG

from atlas.errors import BadRequestError
from atlas.sqlgate import costs
from atlas.sqlgate.condition import parse_condition
from atlas.sqlgate.gate import CheckedQuery, check_query


def checked(text: str) -> CheckedQuery:
    return check_query(text, CATALOG, max_rows=10)


def barriers(query: CheckedQuery) -> int:
    return query.physical.count("MATERIALIZED") + query.physical.count(" OFFSET 0)")


@pytest.mark.parametrize("text", [text for text, _ in GOOD])
def test_ordinary_queries_are_written_as_before(text: str) -> None:
    physical = checked(text).physical
    assert not barriers(checked(text))
    assert "WHEN OCTET_LENGTH(" not in physical


@given(
    st.integers(1, 40), st.sampled_from(["v + v", "v * 2 - v", "CASE WHEN v > 1 THEN v ELSE -v END", "coalesce(v, v)"])
)
@settings(max_examples=60, deadline=None)
def test_what_doubles_does_not_expand(depth: int, step: str) -> None:
    """However it doubles and however deep, what PostgreSQL plans stays about as long as the text."""
    steps = ", ".join(f"c{n} AS (SELECT {step} AS v FROM c{n - 1})" for n in range(1, depth + 1))
    query = checked(f"WITH c0 AS (SELECT amount AS v FROM leads), {steps} SELECT count(*) FROM c{depth} WHERE v > 0")
    # Behind every few steps, so that at most some hundred parts stand in the place of a name.
    assert (barriers(query) >= depth // 7 - 1) if depth > 13 else (not barriers(query) or depth > 6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HOSTILE_QUERIES["huge remainders"], "numbers of up to 147,455 digits"),
        (HOSTILE_QUERIES["huge roots"], "147,455 digits"),
        (HOSTILE_QUERIES["rounded"], "147,455 digits"),
        (HOSTILE_QUERIES["translate"], "texts of up to 128,000,000 characters"),
        (HOSTILE_QUERIES["like"], "texts of up to"),
        (
            "SELECT "
            + ", ".join(f"{'+'.join(['v'] * 30)} + {n} AS c{n}" for n in range(50))
            + f" FROM (SELECT {'+'.join(['amount'] * 49)} AS v FROM leads) AS q WHERE v > 0",
            None,
        ),
        (
            "SELECT "
            + ", ".join(f"{'+'.join(['v'] * 25)} + {n} AS c{n}" for n in range(60))
            + f" FROM (SELECT {'+'.join(['amount'] * 25)} AS v FROM leads) AS q",
            "expand to",
        ),
    ],
)
def test_what_no_barrier_helps_is_refused(text: str, reason: str | None) -> None:
    if reason is None:
        assert barriers(checked(text)) == 1
        return
    with pytest.raises(BadRequestError) as error:
        checked(text)
    assert reason in str(error.value.details)


@pytest.mark.parametrize(
    "text",
    [
        # Compound interest, ratios of texts that are numbers, clean-up of money, searches: what people write.
        "SELECT sum(amount * power(1 + amount / 100, id)) FROM leads",
        "SELECT amount * 0.05 * power(1.05, id) / (power(1.05, id) - 1) AS rate FROM leads",
        "SELECT "
        + ", ".join(
            f"round(sum(cast(name AS numeric)) / nullif(sum(cast(email AS numeric)), 0) * 100, 2) AS r{n}"
            for n in range(20)
        )
        + " FROM leads",
        "SELECT sum(cast(replace(replace(replace(name, '$', ''), ',', ''), ' ', '') AS numeric(12, 2))) FROM leads",
        "SELECT count(*) FROM leads WHERE " + " OR ".join(f"name ILIKE '%word{n}%'" for n in range(20)),
        "SELECT left(string_agg(name, ', ' ORDER BY name), 100), upper(trim(state)) FROM leads GROUP BY state",
        "SELECT strpos(name, email), name LIKE '%' || state || '%' FROM leads",
        "SELECT exp(1.5), ln(10.0), log(2.0, 64.0), sqrt(2.0), power(2.0, 100), 12345.678 * 98765.432 FROM leads",
    ],
)
def test_what_people_write_passes(text: str) -> None:
    checked(text)


def test_a_guard_stands_where_texts_may_be_long() -> None:
    physical = checked("SELECT strpos(name, email) FROM leads").physical
    assert physical.count("WHEN OCTET_LENGTH(") == 2
    assert f"> {costs.GUARDED_PATTERN} " in physical
    # Not for a pattern that is written out.
    assert "WHEN OCTET_LENGTH(" not in checked("SELECT strpos(name, 'x') FROM leads WHERE name LIKE '%x%'").physical


COLUMNS = ("name", "email", "amount")


@pytest.mark.parametrize(
    "condition",
    [
        "CAST(name AS NUMERIC)" + " * CAST(email AS NUMERIC)" * 80 + " > 1",
        f"name LIKE '%{'a' * 4000}b' OR email LIKE '%{'a' * 4000}b'",
    ],
)
def test_a_condition_that_costs_too_much_is_refused(condition: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_condition(condition, COLUMNS)
    assert "one row could take" in str(error.value.details)


def test_a_condition_with_a_pattern_of_a_column_is_guarded() -> None:
    written = parse_condition("name LIKE email || '%' AND amount * 1.1 > 5", COLUMNS).sql
    assert written.count("OCTET_LENGTH(") == 4
    assert "OCTET_LENGTH(" not in parse_condition("name LIKE 'a%' AND amount * 1.1 > 5", COLUMNS).sql
