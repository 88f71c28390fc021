"""Fixtures of the access matrix."""

from __future__ import annotations

import pytest
from tests.callers import Callers, make_callers
from tests.conftest import Client, People


@pytest.fixture
async def callers(client: Client, people: People, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callers:
    """Callers of every kind."""
    return await make_callers(client, people, database_url, monkeypatch)
