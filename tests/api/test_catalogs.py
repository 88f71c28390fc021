"""What questions can be about: tables and datasets with what is known of their values, and how they join."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests.api.test_imports import send
from tests.conftest import Client, People, caller_of, make_dataset

from atlas.catalog import profiles
from atlas.catalog import repository as catalogs
from atlas.catalog.model import Catalog, Join
from atlas.catalog.repository import CatalogStore
from atlas.db.database import Database

pytestmark = pytest.mark.anyio
LEADS = "id,name,state,score\n" + "".join(f"{n},Person {n},{'CA' if n % 3 else 'NY'},{n / 2}\n" for n in range(1, 31))
ORDERS = "order_id,lead_id,product,day\n" + "".join(
    f"{n},{n % 30 + 1},Widget,2024-01-0{n % 9 + 1}\n" for n in range(1, 61)
)


async def imported(client: httpx.AsyncClient) -> None:
    await send(client, "Import into leads", LEADS.encode(), "leads.csv")
    await send(client, "Import into orders", ORDERS.encode(), "orders.csv")


async def catalog_of(database: Database, key: str, text: str = "") -> Catalog:
    store = CatalogStore(database)
    try:
        return await store.for_question(await caller_of(database, key), text)
    finally:
        await store.close()


async def test_values_bounds_and_joins(client: Client, people: People, database: Database) -> None:
    await imported(client(people.owner))
    catalog = await catalog_of(database, people.owner)
    leads, orders = catalog.table("leads"), catalog.table("orders")
    assert leads is not None
    assert orders is not None
    state, score, name = (leads.column(column) for column in ("state", "score", "name"))
    assert state is not None
    assert (state.values, state.complete) == (("CA", "NY"), True)
    assert score is not None
    assert (score.low, score.high) == ("0.5", "15.0")
    assert name is not None
    assert len(name.values) == 30
    assert leads.key == ("id",)
    assert catalog.joins == (Join("orders", "lead_id", "leads", "id"),)


async def test_what_each_of_many_counts_joins_none(client: Client, people: People, database: Database) -> None:
    http = client(people.owner)
    datasets = [await make_dataset(http, name=f"machine {n}") for n in range(profiles.MAX_OWNERS + 1)]
    for dataset in datasets:
        rows = [{"timestamp": f"2026-01-01T00:00:0{n}Z", "values": {"pieces": n}} for n in range(5)]
        assert (await http.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})).status_code == 200
    assert (await catalog_of(database, people.owner)).joins == ()
    # With fewer, they may be keys.
    await http.delete(f"/api/datasets/{datasets[0]}/")
    assert len((await catalog_of(database, people.owner)).joins) == profiles.MAX_OWNERS * (profiles.MAX_OWNERS - 1)


async def test_no_more_pairs_are_compared_than_there_is_time_for(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imported(client(people.owner))
    monkeypatch.setattr(profiles, "MAX_CHECKED", 0)
    assert (await catalog_of(database, people.owner)).joins == ()


async def test_a_table_too_large_to_read_is_sampled(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "SAMPLE_ROWS", 29)
    await imported(client(people.owner))
    leads = (await catalog_of(database, people.owner)).table("leads")
    assert leads is not None
    assert not any(column.complete for column in leads.columns)


async def test_datasets(client: Client, people: People, database: Database) -> None:
    """A dataset is a table of those who may read it, with its typed columns."""
    owner = client(people.owner)
    dataset = await make_dataset(owner, name="Line 1")
    rows = [{"timestamp": f"2024-01-0{n}T00:00:00Z", "values": {"temp °C": n, "site": "Berlin"}} for n in range(1, 4)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    table = (await catalog_of(database, people.owner)).table("line_1")
    assert table is not None
    assert [(column.name, column.type) for column in table.columns] == [
        ("ts", "timestamp"),
        ("temp °C", "bigint"),
        ("site", "text"),
    ]
    assert table.columns[2].values == ("Berlin",)
    assert (table.kind, table.dataset_id) == ("dataset", dataset)
    assert (await catalog_of(database, people.holder)).tables == ()
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await client(people.stranger).post("/api/tags/acquire/", json={"tag_name": "public"})
    # Another organization's is there for who names it alone, and says whose it is.
    assert (await catalog_of(database, people.stranger)).tables == ()
    (found,) = (await catalog_of(database, people.stranger, "How warm was Line 1?")).tables
    assert (found.name, found.owner, found.samples) == ("line_1", "owner of acme", False)
    assert found.columns == table.columns


async def test_kept_and_made_again(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same catalog until something changes; then the old profile until the new one is made in the background."""
    await imported(client(people.owner))
    caller, store = await caller_of(database, people.owner), CatalogStore(database)
    first = await store.for_question(caller)
    assert await store.for_question(caller) is first
    await send(client(people.owner), "Import into leads", b"id,name,state,score\n99,Zoe,TX,1\n", "more.csv")
    again = await store.for_question(caller)
    assert again.table("leads").column("state").values == ("CA", "NY")  # type: ignore[union-attr]
    monkeypatch.setattr(catalogs, "REFRESH_SECONDS", 0.0)
    await store.for_question(caller)
    for _ in range(100):
        await asyncio.sleep(0.05)
        found = (await store.for_question(caller)).table("leads").column("state").values  # type: ignore[union-attr]
        if "TX" in found:
            break
    assert found == ("CA", "NY", "TX")
    await store.close()
    # What is kept in the database serves the next process.
    assert (await catalog_of(database, people.owner)).table("leads").column("state").values == found  # type: ignore[union-attr]


async def test_a_question_does_not_wait_long(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a time, relations are known by their columns until they are profiled in the background."""
    await imported(client(people.owner))
    monkeypatch.setattr(catalogs, "PATIENCE_SECONDS", -1.0)
    caller, store = await caller_of(database, people.owner), CatalogStore(database)
    first = (await store.for_question(caller)).table("leads")
    assert first is not None
    assert not any(column.values for column in first.columns)
    for _ in range(100):
        await asyncio.sleep(0.05)
        later = (await store.for_question(caller)).table("leads")
        if later is not None and any(column.values for column in later.columns):
            break
    assert later is not None
    assert later.column("state").values == ("CA", "NY")  # type: ignore[union-attr]
    await store.close()
