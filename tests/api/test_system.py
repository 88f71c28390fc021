"""Health, metrics, request ids, rate limits and the OpenAPI document."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.app import create_app
from atlas.settings import Settings

pytestmark = pytest.mark.anyio


async def test_health_and_metrics_need_no_key(client: Client) -> None:
    anybody = client(None)
    health = await anybody.get("/health")
    assert (health.status_code, health.json()["status"], health.json()["database"]) == (200, "healthy", "connected")
    assert set(health.json()) == {"status", "time", "database"}
    metrics = (await anybody.get("/metrics")).text
    assert 'atlas_requests_total{method="GET",route="/health",status="200"}' in metrics
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await anybody.get(path)).status_code == 200


async def test_request_ids_and_security_headers(owner: httpx.AsyncClient) -> None:
    response = await owner.get("/api/tags/", headers={"X-Request-ID": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert len((await owner.get("/api/tags/", headers={"X-Request-ID": "bad id\t"})).headers["x-request-id"]) == 32


async def test_rate_limit_is_by_key(settings: Settings, people: People) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": "3/hour"}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://atlas.test") as client:
            for left in (2, 1, 0):
                allowed = await client.get("/api/tags/", headers={"X-API-Key": people.owner})
                assert allowed.status_code == 200
                assert allowed.headers["ratelimit-limit"] == "3"
                assert allowed.headers["ratelimit-remaining"] == str(left)
            refused = await client.get("/api/tags/", headers={"X-API-Key": people.owner})
            assert (refused.status_code, refused.json()["error"]) == (429, "Rate limit exceeded")
            assert int(refused.headers["retry-after"]) > 0
            assert refused.headers["ratelimit-remaining"] == "0"
            assert (await client.get("/api/tags/", headers={"X-API-Key": people.holder})).status_code == 200


async def test_nothing_internal_leaks_from_a_failure(owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr("atlas.accounts.tags.TagService.all", broken)
    response = await owner.get("/api/tags/")
    assert response.status_code == 500
    assert response.json()["error"] == "Internal server error"
    assert response.headers["x-request-id"] in response.json()["details"]
    assert "secret" not in response.text


async def test_datasets_from_first_to_last(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, name="One", description="Candles", metadata={"source": "x", "n": 5})
    path = f"/api/datasets/{dataset}/"
    merged = await owner.patch(path + "metadata/", json={"version": "2.0", "n": None})
    assert merged.json()["metadata"] == {"source": "x", "n": None, "version": "2.0"}
    replaced = await owner.put(path + "metadata/", json={"n": 5, "deep": {"a": [1]}})
    assert replaced.json()["metadata"] == {"n": 5, "deep": {"a": [1]}}
    for query, hits in (("n=5", 1), ("n=6", 0), ('deep={"a":[1]}', 1), ("deep=x&n=5", 0), ("source=x", 0)):
        assert (await owner.get(f"/api/datasets/search/?{query}")).json()["count"] == hits, query
    for text, hits in (("ONE", 1), ("andle", 1), ("%", 0), ("_ne", 0), ("two", 0)):
        assert (await owner.get("/api/datasets/", params={"search": text})).json()["count"] == hits, text
    put = (await owner.put(path, json={"name": "Two"})).json()
    assert (put["name"], put["description"], put["metadata"]) == ("Two", "", {})
    assert (await owner.get(path)).json() == put
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).status_code == 404
    for number in range(5):
        await make_dataset(owner, name=f"d{number}")
    page = (await owner.get("/api/datasets/?limit=2&offset=2")).json()
    assert [item["name"] for item in page["results"]] == ["d2", "d3"]
    assert (page["count"], "offset=4" in page["next"], "offset=0" in page["previous"]) == (5, True, True)


async def test_the_last_use_of_a_key_is_recorded(owner: httpx.AsyncClient, database_url: str) -> None:
    query = "SELECT count(*) FROM atlas.api_keys WHERE last_used_at > now() - interval '1 minute'"
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute(query).fetchone() == (0,)
        assert (await owner.get("/api/tags/")).status_code == 200
        assert connection.execute(query).fetchone() == (1,)


async def test_a_dataset_written_out_of_order_gets_an_index_on_time(
    owner: httpx.AsyncClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.timeseries.maintenance.indexes.LATE_ROWS", 10)
    dataset = await make_dataset(owner)
    for hour in (12, 6):
        rows = [{"timestamp": f"2025-01-01T{hour:02d}:{n:02d}:00Z", "values": {"n": n}} for n in range(20)]
        response = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        assert response.status_code == 200
    query = "SELECT count(*) FROM pg_indexes WHERE indexname = %s"
    with psycopg.connect(database_url, autocommit=True) as connection:
        for _ in range(100):
            if connection.execute(query, (f"dataset_{dataset}_ts",)).fetchone() == (1,):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("no index was made")
    page = (await owner.get(f"/api/rows/?dataset={dataset}&limit=40")).json()
    stamps = [row["timestamp"] for row in page["results"]]
    assert stamps == sorted(stamps)
    assert len(stamps) == 40


async def test_pages_of_a_large_insert_are_summarized_at_once(
    owner: httpx.AsyncClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is left to the upkeep that comes later. The rows go to the table, as where nothing is packed.
    monkeypatch.setattr("atlas.timeseries.ingest.row_writer.LEAST_ROWS", 10**9)
    monkeypatch.setattr("atlas.timeseries.maintenance.scheduler.DELAY_SECONDS", 3600)
    dataset = await make_dataset(owner)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    text = "timestamp,n\n" + "".join(f"{(start + timedelta(seconds=n)).isoformat()},{n}\n" for n in range(50_000))
    path = f"/api/rows/bulk_insert/?dataset={dataset}"
    response = await owner.post(path, content=text, headers={"Content-Type": "text/csv"})
    assert response.status_code == 200
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute("SELECT table_schema FROM atlas.datasets WHERE id = %s", (dataset,)).fetchone()
        assert found is not None
        query = (
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM {found[0]}.dataset_{dataset} WHERE ts < '2025-01-01T00:01'"
        )
        connection.execute("SET enable_seqscan = off")
        for _ in range(100):
            row = connection.execute(query).fetchone()  # type: ignore[arg-type]
            assert row is not None
            if row[0][0]["Plan"].get("Rows Removed by Index Recheck", 0) < 25_000:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("pages were not summarized")
