"""Imports into datasets are their user's, as the datasets are; those into tables are their organization's."""

from __future__ import annotations

import httpx
import pytest
from tests.api.test_imports import get, post, send
from tests.conftest import Client, People

pytestmark = pytest.mark.anyio
PRICES = b"timestamp,secret,price\n2025-01-01,plan A,1\n2025-01-02,plan B,2\n"
CHANGES = ("/redo", "/clear-mapping", "/undo")


async def seen(who: httpx.AsyncClient) -> list[str]:
    found = await get(who, "import-history?limit=50")
    assert found["total_count"] == len(found["imports"])
    return [one["import_id"] for one in found["imports"]]


async def test_an_import_into_a_dataset_is_as_private_as_the_dataset(client: Client, people: People) -> None:
    owner, colleague = client(people.owner), client(people.holder)
    table = (await send(owner, "Import into leads", b"name,age\nAnn,30\n"))["import_id"]
    private = await send(owner, "Import as a dataset", PRICES, "plans.csv")
    number, dataset = private["import_id"], private["dataset_id"]
    files = {"file": ("plans.csv", b"a,b\n1,2\n")}
    failed = await owner.post("/api/v1/smart-import", data={"instruction": "Import as a dataset"}, files=files)
    assert failed.status_code == 400
    mine = await seen(owner)
    assert (len(mine), {table, number} <= set(mine)) == (3, True)

    assert await seen(colleague) == [table]
    for one in mine:
        expected = 200 if one == table else 404
        for path in (f"import-history/{one}", f"import/{one}", f"import/{one}/progress", f"import/{one}/issues"):
            assert (await colleague.get(f"/api/v1/{path}")).status_code == expected, path
    for path in CHANGES:
        await post(colleague, f"import/{number}{path}", {}, 404)
    assert (await get(colleague, f"webhooks/deliveries?import_id={number}", 404))["detail"].startswith("Import not")

    # Who reads the dataset sees where it is from, but the file stays its user's, also once its rows were taken back.
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await colleague.post("/api/tags/acquire/", json={"tag_name": "public"})
    assert set(await seen(colleague)) == {table, number}
    for path in CHANGES:
        await post(colleague, f"import/{number}{path}", {}, 403)
    await post(owner, f"import/{number}/undo", {})
    for path in CHANGES[:2]:
        await post(colleague, f"import/{number}{path}", {}, 403)
    await owner.delete(f"/api/datasets/{dataset}/")
    assert await seen(colleague) == [table]
    assert set(await seen(owner)) == set(mine)
