"""Rules of the named queries: each says what it does, and who may read a dataset stands in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atlas.db.named_queries import Part, parts_of, queries

SOURCE = Path(__file__).parents[2] / "src" / "atlas"
FILES = sorted(path for path in SOURCE.rglob("*.sql") if path.parent.name == "sql")
RULE = "accounts/sql/dataset_access.sql"
# Who holds which tag, and what is done with that: these statements do not say who may read a dataset.
OTHER_USES = {
    "accounts/sql/tags.sql": {"acquire_tag", "holds_tag"},
    "accounts/sql/admin.sql": {"list_tags"},
    "accounts/sql/keys.sql": {"identity"},
}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def parts(path: Path) -> list[Part]:
    return parts_of(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_query_says_what_it_does_and_is_completed(path: Path) -> None:
    found = parts(path)
    assert found
    assert len({part.name for part in found}) == len(found)
    for part in found:
        assert part.kind == "fragment" or not part.parameters, part.name
        first = part.description.partition("\n")[0]
        assert len(first) >= 10, f"{part.name}: a line under its name that says what it does"
        assert part.text.strip(), part.name
    topic = f"{path.parents[1].relative_to(SOURCE).as_posix()}/{path.stem}"
    for name, statement in queries(topic).items():
        assert "include:" not in statement, name


def test_the_read_rule_stands_once() -> None:
    """Who holds a tag of a dataset may read it: tags of users meet tags of datasets in one fragment only."""
    places = set()
    for path in FILES:
        for part in parts(path):
            if re.search(r"\buser_tags\b", part.text) and part.name not in OTHER_USES.get(name_of(path), ()):
                places.add((name_of(path), part.kind, part.name))
            assert "can_read" not in part.text, f"{part.name}: include accounts/dataset_access.readable instead"
    assert places == {(RULE, "fragment", "opened")}
    holders = [name_of(path) for path in SOURCE.rglob("*.py") if "user_tags" in path.read_text(encoding="utf-8")]
    assert holders == []
    included = {(name_of(path), part.name) for path in FILES for part in parts(path) if "access.opened(" in part.text}
    assert included == {(RULE, "readable"), (RULE, "readable_one"), (RULE, "access")}


def test_nothing_but_the_gate_makes_checked_queries() -> None:
    makers = [name_of(path) for path in SOURCE.rglob("*.py") if "CheckedQuery(" in path.read_text(encoding="utf-8")]
    assert makers == ["sqlgate/gate.py"]
