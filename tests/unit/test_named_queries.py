"""Statements in files take fragments in by name."""

from __future__ import annotations

import pytest

from atlas.db import named_queries
from atlas.db.named_queries import Part, parts_of, queries

TEXT = """-- Of users and datasets.

-- fragment: readable(reader, dataset)
-- Whether a reader may.
-- It has two lines.
($dataset.owner = $reader)

-- name: list
-- Lists some: 100 % of them.
SELECT 1
-- a comment of its own
WHERE x

-- name: bare
SELECT 2
"""


def test_a_file_has_statements_and_fragments() -> None:
    assert parts_of(TEXT) == [
        Part(
            "fragment",
            "readable",
            ("reader", "dataset"),
            "Whether a reader may.\nIt has two lines.",
            "($dataset.owner = $reader)",
        ),
        Part("name", "list", (), "Lists some: 100 % of them.", "SELECT 1\n-- a comment of its own\nWHERE x"),
        Part("name", "bare", (), "", "SELECT 2"),
    ]


def test_a_fragment_stands_where_it_is_included() -> None:
    found = queries("accounts/dataset_access")
    assert set(found) == {"access", "readable_pairs"}
    pairs = " ".join(found["readable_pairs"].split())
    assert pairs.startswith("SELECT p.key_id")
    assert "WHERE (d.owner_id = k.user_id OR EXISTS (SELECT FROM atlas.dataset_tags dt" in pairs
    assert pairs.endswith("AND ut.user_id = k.user_id WHERE dt.dataset_id = d.id))")
    other = " ".join(queries("webhooks/webhooks")["list_deliveries"].split())
    assert "(s.owner_id = %(user)s OR EXISTS (" in other


@pytest.mark.parametrize(
    "include", ["accounts/dataset_access.nothing(a, b)", "accounts/dataset_access.readable(a)", "tables/tables.list(a)"]
)
def test_an_include_of_what_is_not_there_fails(include: str) -> None:
    with pytest.raises(LookupError, match="no fragment"):
        named_queries._expand_includes(f"SELECT /* include: {include} */")
