"""What a 405 says: every method that the path has (RFC 9110), whichever route the router came to first."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/datasets/", "GET, HEAD, POST"),
        ("POST", "/api/datasets/7/", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "/api/datasets/search/", "GET, HEAD"),
        ("PATCH", "/api/datasets/search/", "GET, HEAD"),
        ("DELETE", "/api/datasets/search/", "GET, HEAD"),
        ("OPTIONS", "/api/v1/import/x/issues/correct", "POST"),
        ("PUT", "/api/v1/tables/leads/rows/1", "DELETE, PATCH"),
    ],
)
async def test_allow(owner: httpx.AsyncClient, method: str, path: str, allowed: str) -> None:
    refused = await owner.request(method, path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
