"""Paths of the source that documents name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "atlas"
PATH = re.compile(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py|\.sql|/)?)`")


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_modules_that_a_document_names_are_there(document: str) -> None:
    named = PATH.findall((ROOT / document).read_text(encoding="utf-8"))
    assert len(named) > 5
    assert [path for path in named if not any((base / path).exists() for base in (ROOT, SOURCE))] == []
