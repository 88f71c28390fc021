"""A table's last file decides what a later one leaves open, and what contradicts it or is dropped is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

AMBIGUOUS_DATE, POINTED, SEMICOLON = b"id,v\n9,05/06/2026\n", b'id,v\n9,"1,234"\n', b"id;v\n9;1.234\n"


async def update(client: httpx.AsyncClient, file: bytes, status: int = 200) -> Any:
    """The response of an update of `t` by a file."""
    sent = {"data": {"key_columns": "id"}, "files": {"file": ("u.csv", file)}}
    response = await client.post("/api/v1/tables/t/update/file", **sent)
    assert response.status_code == status, response.text
    return response.json()


async def value(client: httpx.AsyncClient) -> Any:
    return (await post(client, "sql", {"sql": "SELECT v FROM t WHERE id = 9"}))["data_csv"].splitlines()[1]


@pytest.mark.parametrize(
    ("files", "last", "expected"),
    [
        ([b"id;v\n1;31.01.2026\n"], AMBIGUOUS_DATE, "2026-06-05"),
        ([b"id,v\n1,2026-01-31\n", b"id,v\n2,31/01/2026\n"], AMBIGUOUS_DATE, "2026-06-05"),
        ([b"id,v\n2,31/01/2026\n", b"id,v\n1,2026-01-31\n"], AMBIGUOUS_DATE, "2026-06-05"),
        ([b"id,v\n2,31/01/2026\n", b"id,v\n1,01/31/2026\n"], AMBIGUOUS_DATE, "2026-05-06"),
        ([b"id,v\n1,5\n", b"id;v\n2;1.234,5\n"], SEMICOLON, "1234"),
        ([b"id;v\n2;1.234,5\n", b'id,v\n1,"1,234.5"\n'], POINTED, "1234"),
        ([b"id;v\n2;1.234,5\n", b'id,v\n1,"1,234.5"\n', b"id,v\n3,7\n"], b"id;v\n9;1,234\n", "1234"),
        ([b'id,v\n1,"1,234.5"\n', b"id;v\n2;1.234,5\n"], SEMICOLON, "1234"),
    ],
)
async def test_the_last_file_decides_what_a_file_leaves_open(
    owner: httpx.AsyncClient, files: list[bytes], last: bytes, expected: str
) -> None:
    for file in files:
        await send(owner, "Import into t, id is the key", file)
    await send(owner, "Import into t", last)
    assert await value(owner) == expected


async def test_an_update_by_file_is_a_last_file_too(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", b"id;v\n9;1,5\n")
    for file in (b'id,v\n9,"1,234.5"\n', POINTED):
        await update(owner, file)
    assert await value(owner) == "1234"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (b"id,v\n1,10.50\n", b"id,v\n3,$9.50\n4,\xe2\x82\xac8.50\n", "v has amounts in $ (1), € (1), whose"),
        (b"id,v\n1,10\n", b"id,v\n3,9 EUR\n4,8 USD\n5,7\n", "v has amounts in EUR (1), USD (1), whose"),
        (b"id,v\n1,$10.50\n", b"id,v\n3,\xc2\xa39.50\n", "v is in £, that of the file before in $"),
        (b"id,v\n1,$10.50\n2,$1\n", b"id,v\n3,5.50\n", None),
        (b"id,v\n1,0.5\n", b"id,v\n3,12%\n4,8\n", "v was NUMERIC and becomes VARCHAR"),
        (b"id,v\n1,5\n", b"id,v\n3,12%\n4,8\n", "v was BIGINT and becomes VARCHAR"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_file", [False, True])
async def test_what_a_number_drops_on_its_way_into_a_table_is_told(
    owner: httpx.AsyncClient, first: bytes, second: bytes, told: str | None, by_file: bool
) -> None:
    await send(owner, "Import into t, id is the key", first)
    if by_file:
        await send(owner, "Import into t", b"id\n3\n4\n5\n")
        found = await update(owner, second)
        notes = " ".join(found["notes"])
    else:
        notes = (await send(owner, "Import into t", second))["response_summary"]
    assert (told in notes) if told else ("left out" not in notes and "is in" not in notes), notes


async def test_a_stated_type_drops_no_currency_without_a_word(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into t, v is a number", b"id,v\n1,$9.50\n2,\xe2\x82\xac8.50\n")
    assert "v has amounts in $ (1), € (1), whose currency is left out" in done["response_summary"]
    done = await send(owner, "Import into u, v is a number", b"id,v\n1,12%\n2,8\n")
    failures = (await get(owner, f"import/{done['import_id']}/issues"))["validation_failures"]
    assert [failure["record"]["v"] for failure in failures] == ["12%"]


async def test_columns_that_no_update_can_use_are_named(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", b"id,name\n1,a\n")
    refused = await update(owner, b"id,zzz,qqq\n1,b,c\n", 400)
    assert "'t' has no column zzz, qqq" in refused["detail"]
