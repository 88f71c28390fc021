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
        (b"id,v\n1,10.50\n", b"id,v\n3,$9.50\n4,\xe2\x82\xac8.50\n", "v has amounts in $ (1), € (1)"),
        (b"id,v\n1,10\n", b"id,v\n3,9 EUR\n4,8 USD\n5,7\n", "v has amounts in EUR (1), USD (1), none (1)"),
        (b"id,v\n1,$10.50\n", b"id,v\n3,\xc2\xa39.50\n", "v is in £, that of the file before in $"),
        (b"id,v\n1,$10.50\n2,$1\n", b"id,v\n3,5.50\n", None),
        (b"id,v\n1,12%\n2,8%\n", b"id,v\n3,12\n4,8\n", "v has no percent signs, which the last file of the table had"),
        (b"id,v\n1,0.5\n2,0.25\n", b"id,v\n3,12%\n4,8%\n", "v has percent signs, which the last file"),
        (b"id,v\n1,31/01/2026\n", b"id,v\n3,02/04/2026\n4,03/04/2026\n", "v is read day first, as the last file"),
        (b"id,v\n1,01/31/2026\n", b"id,v\n3,02/04/2026\n4,03/04/2026\n", "v is read month first, as the last file"),
        (b"id,v\n1,31/01/2026\n", b"id,v\n3,02/04/2026\n4,23/04/2026\n", None),
        (b"id,v\n1,0.5\n", b"id,v\n3,12%\n4,8\n", "v was NUMERIC and becomes VARCHAR"),
        (b"id,v\n1,5\n", b"id,v\n3,12%\n4,8\n", "v was BIGINT and becomes VARCHAR"),
    ],
)
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
    if told and "amounts" in told:
        # An update by a file makes no column.
        kept = "whose currency is left out" if by_file else "the currencies of v are kept in v_currency"
        assert kept in notes


async def test_a_stated_type_drops_no_currency_without_a_word(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into t, v is a number", b"id,v\n1,$9.50\n2,\xe2\x82\xac8.50\n")
    for told in ("the currencies of v are kept in v_currency", "v has amounts in $ (1), € (1)"):
        assert told in done["response_summary"]
    done = await send(owner, "Import into u, v is a number", b"id,v\n1,12%\n2,8\n")
    failures = (await get(owner, f"import/{done['import_id']}/issues"))["validation_failures"]
    assert [failure["record"]["v"] for failure in failures] == ["12%"]


async def test_columns_that_no_update_can_use_are_named(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", b"id,name\n1,a\n")
    refused = await update(owner, b"id,zzz,qqq\n1,b,c\n", 400)
    assert "'t' has no column zzz, qqq" in refused["detail"]


async def test_a_rule_with_numbers_says_that_values_are_numbers(owner: httpx.AsyncClient) -> None:
    files = [
        b"id,v\n3,abc\n4,850\n5,xx\n6,7\n",
        b"id,v\n3,12a\n4,-850\n5,7b\n6,7\n",
        b"id,v\n3,$150\n4,\xe2\x82\xac850\n6,$7\n",
    ]
    for number, file in enumerate(files):
        done = await send(owner, f"Import into t{number}, v must be between 1 and 100", file)
        told = (await post(owner, "sql", {"sql": f"SELECT id, v FROM t{number}"}))["data_csv"].splitlines()[1:]
        assert told == ["6,7"]
        assert (done["records_inserted"], done["records_processed"] - done["validation_failures"]) == (1, 1)


async def test_a_rule_that_a_column_cannot_follow_is_asked_about(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", b"id,v,day\n1,abc,2024-01-02\n")
    for rule in ("v must be between 1 and 100", "day must be positive", "v must be at least 3"):
        refused = await send(owner, f"Import into t, {rule}", b"id,v,day\n2,7,2024-01-02\n", status=400)
        assert "of which nothing is less or more than a number" in refused["detail"]
    assert (await get(owner, "tables/t/rows?limit=1"))["total_count"] == 1


async def test_long_integers_are_ids_unless_something_says_a_measure(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into t", b"id,n,views\n1,123456789012345678,123456789012345678\n")
    assert "n stays text: its numbers are as long as those of accounts and cards" in done["response_summary"]
    assert "say that it is a number if it is one" in done["response_summary"]
    await send(owner, "Import into u, n is a whole number", b"id,n,views\n1,123456789012345678,12345678901234567890\n")
    types = [[c["type"] for c in (await get(owner, f"tables/{t}/schema"))["columns"]] for t in "tu"]
    assert types == [["BIGINT", "VARCHAR", "BIGINT"], ["BIGINT", "BIGINT", "NUMERIC"]]
    for table, sql in (("t", "SELECT n, views FROM t"), ("u", "SELECT n, views FROM u")):
        last = "123456789012345678" if table == "t" else "12345678901234567890"
        assert (await post(owner, "sql", {"sql": sql}))["data_csv"].splitlines()[1] == f"123456789012345678,{last}"


OF_POLAND = "id;v\n1;Łódź, Gdańsk, Kraków i Wrocław nad Odrą\n".encode("cp1250")
OF_FRANCE = "id,v\n1,La fenêtre à côté de la forêt où nous étions à la fête près de la mer\n".encode("cp1252")
CONTRADICTIONS = (
    "the file is in cp1252, the last file of the table was in cp1250",
    "the file has ',' between cells, the last file of the table had ';'",
)


async def written(client: httpx.AsyncClient) -> tuple[str | None, str | None]:
    stats = await get(client, "tables/t/stats")
    return stats["encoding"], stats["delimiter"]


async def test_encoding_and_delimiter_of_the_last_file_are_remembered(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", OF_POLAND)
    assert await written(owner) == ("cp1250", ";")
    files = {"file": ("f.csv", "id;v\n9;ł\n".encode("cp1250"))}
    plan = (await owner.post("/api/v1/smart-import/preview", data={"instruction": "into t"}, files=files)).json()
    assert (plan["encoding"], plan["delimiter"], plan["sample"][0]["v"]) == ("cp1250", ";", "ł")
    assert any(note.startswith("read as cp1250, as the last file of the table") for note in plan["notes"])
    # A file that shows another is read in it, is told, and is the last one until it is undone.
    done = await send(owner, "Import into t", OF_FRANCE.replace(b"\n1,", b"\n2,"))
    assert all(told in done["response_summary"] for told in CONTRADICTIONS)
    assert await written(owner) == ("cp1252", ",")
    await post(owner, f"import/{done['import_id']}/undo", None)
    assert await written(owner) == ("cp1250", ";")
    # One in ASCII with one column shows nothing.
    await send(owner, "Import into t", b"id\n3\n")
    assert await written(owner) == ("cp1250", ";")


async def test_an_update_by_file_remembers_how_the_file_was_written(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into t, id is the key", OF_POLAND)
    found = await update(owner, OF_FRANCE)
    assert all(told in found["notes"] for told in CONTRADICTIONS)
    assert await written(owner) == ("cp1252", ",")
