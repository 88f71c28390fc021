"""Reads of a dataset as it was at a moment: any history of changes, read at each of its moments, is that of a model."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.api.test_conflicts import Model, Row, bits, insert, made, stamp
from tests.conftest import Client, People, make_dataset

from atlas.db.database import Database
from atlas.timeseries import tombstones
from atlas.timeseries.cold import mover
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
Told = list[tuple[str, str]]


@dataclass
class Moment:
    """A dataset after a change. time: a moment between the change and the next."""

    version: int
    time: str
    rows: Told


async def version_of(client: httpx.AsyncClient, dataset: int) -> int:
    return int((await client.get(f"/api/datasets/{dataset}/summary/")).json()["version"])


async def note(client: httpx.AsyncClient, dataset: int, model: Model) -> Moment:
    return Moment(await version_of(client, dataset), datetime.now(UTC).isoformat(), model.flat)


def told(rows: list[Row]) -> Told:
    return [(row["timestamp"], bits(row)) for row in rows]


async def check(client: httpx.AsyncClient, dataset: int, moment: Moment, known: Any) -> None:
    """Compares all reads of a moment with the model."""
    asked = {"dataset": dataset, "known_at": known}

    async def get(path: str, **more: Any) -> Any:
        response = await client.get(f"/api/rows/{path}", params=asked | more)
        assert response.status_code == 200, (response.text, known)
        return response.json() if path != "live/" else [json.loads(line) for line in response.text.splitlines()]

    wanted = moment.rows
    rows = await get("bulk_download/", shape="nested")
    assert sorted(told(rows)) == wanted
    assert [row["timestamp"] for row in rows] == [at for at, _ in wanted]
    page = await get("", limit=7, offset=5)
    assert (page["count"], told(page["results"])) == (len(wanted), told(rows)[5:12])
    back = await get("", limit=9, ordering="-timestamp", where="symbol:B")
    some = [row for row in rows if row["values"]["symbol"] == "B"]
    assert (back["count"], told(back["results"])) == (len(some), told(some)[::-1][:9])
    cut = {"start": stamp(20), "end": stamp(300)}
    inside = [row for row in rows if cut["start"] <= row["timestamp"] <= cut["end"]]
    assert (await get("", limit=1, **cut))["count"] == len(inside)
    assert told(await get("bulk_download/", shape="nested", **cut)) == told(inside)
    for more in ({}, {"where": "symbol:C"}):
        chosen = [row for row in rows if not more or row["values"]["symbol"] == "C"]
        figures = (await get("aggregate/", bucket="1h", functions="count,sum", **more))["results"]
        assert [(f["timestamp"][:13], f["count"]) for f in figures] == sorted(
            Counter(row["timestamp"][:13] for row in chosen).items()
        )
        total = sum(f["values"]["price"]["sum"] for f in figures) if figures else 0
        assert total == pytest.approx(sum(row["values"]["price"] for row in chosen))
        latest = await client.get("/api/rows/latest/", params=asked | more)
        assert latest.status_code == (200 if chosen else 404), latest.text
        if chosen:
            assert told([latest.json()]) == told(chosen[-1:])
    assert len(await get("live/", limit=4)) == min(4, len(rows))


@pytest.mark.parametrize("cold", [False, True])
async def test_every_moment_of_a_history_is_that_of_a_model(
    owner: httpx.AsyncClient, database: Database, cold: bool
) -> None:
    chance = random.Random(11)
    dataset = await make_dataset(owner, keys=["symbol"])
    model = Model()
    rows = made(chance, 500, 600)
    model.insert(rows, "append")
    await insert(owner, dataset, rows)
    moments = [await note(owner, dataset, model)]
    for step in range(14):
        if step % 4 == 2:
            first = chance.randrange(500)
            span = {"start": stamp(first), "end": stamp(first + chance.choice((0, 40, 300)))}
            gone = [key for key in model.rows if span["start"] <= key[0] <= span["end"]]
            count = sum(len(model.rows.pop(key)) for key in gone)
            answer = await owner.delete("/api/rows/", params={"dataset": dataset, **span})
            assert answer.json() == {"deleted": count}
        else:
            policy = chance.choice(("append", "replace", "replace", "keep_first"))
            rows = made(chance, chance.choice((1, 3, 40, 300)), 600)
            model.insert(rows, policy)
            assert (await insert(owner, dataset, rows, on_conflict=policy)).status_code == 200
        moments.append(await note(owner, dataset, model))
        if cold and step in (1, 6):
            assert await mover.pack_next(database, dataset, 1_704_300_000_000_000, 10**9, batch=300)
        if step == 3:
            while await maintenance.advance(database, dataset, least=1):
                pass
    for moment in moments:
        await check(owner, dataset, moment, moment.version)
    for moment in chance.sample(moments, 4):
        await check(owner, dataset, moment, moment.time)
    # The moment of today is that of all other reads.
    now = (await owner.get("/api/rows/bulk_download/", params={"dataset": dataset})).content
    last = {"dataset": dataset, "known_at": moments[-1].version}
    assert (await owner.get("/api/rows/bulk_download/", params=last)).content == now


async def test_many_small_changes_are_each_a_moment(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    begun = await version_of(owner, dataset)
    for n in range(150):
        one = {"dataset": dataset, "timestamp": stamp(n), "values": {"n": n}}
        assert (await owner.post("/api/rows/", json=one)).status_code == 201
    versions = await version_of(owner, dataset)
    counts = []
    for version in range(begun, versions + 1):
        page = await owner.get("/api/rows/", params={"dataset": dataset, "known_at": version, "limit": 1})
        counts.append(page.json()["count"])
    assert counts[0] == 0
    assert sorted({*counts}) == list(range(151))
    assert counts == sorted(counts)


async def test_what_is_no_moment_is_refused(
    owner: httpx.AsyncClient, client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    before = datetime.now(UTC) - timedelta(days=1)
    rows = [{"timestamp": stamp(n), "values": {"symbol": "A", "n": n}} for n in range(20)]
    await insert(owner, dataset, rows)
    full = await version_of(owner, dataset)

    async def ask(known: Any, path: str = "", **more: Any) -> tuple[int, str]:
        response = await owner.get(f"/api/rows/{path}", params={"dataset": dataset, "known_at": known, **more})
        return response.status_code, response.json().get("details", "")

    day = datetime.now(UTC).date().isoformat()
    for known, words in (
        ("", "known_at: '' is not an ISO 8601 timestamp: it is empty; or give a version"),
        ("soon", "known_at: "),
        (day, f"known_at: {day} is a day, and no moment; add a time of day"),
        ("9999-01-01T00:00:00Z", "known_at: 9999-01-01T00:00:00Z is yet to come"),
        (full + 1, f"known_at: there is no version {full + 1} yet; the newest is {full}"),
        (before.isoformat(), "known_at: before the first moment that is known: version 0, of "),
    ):
        status, details = await ask(known)
        assert (status, details[: len(words)]) == (400, words), details
    assert await ask(full, "latest/", by="symbol") == (400, "known_at: not with by; ask for each series by where")
    for path in ("series/", "history/", "stream/"):
        assert (await ask(full, path))[0] == 400, path
    for key, status in ((people.holder, 403), (people.stranger, 403), (people.revoked, 401)):
        async with client(key) as who:
            for path in ("", "bulk_download/", "aggregate/", "latest/", "live/"):
                found = await who.get(f"/api/rows/{path}", params={"dataset": dataset, "known_at": full})
                assert found.status_code == status
    # A final delete ends what is known, a delete by retention too.
    delete = {"dataset": dataset, "start": stamp(0), "end": stamp(4)}
    assert (await owner.delete("/api/rows/", params=delete)).json() == {"deleted": 5}
    assert (await ask(full))[0] == 200
    assert (await owner.delete("/api/rows/", params=delete | {"final": True})).json() == {"deleted": 0}
    now = await version_of(owner, dataset)
    words = f"known_at: before the first moment that is known: version {now}, of "
    assert [(status, text[: len(words)]) for status, text in [await ask(full)]] == [(400, words)]
    assert (await ask(now))[0] == 200
    later = delete | {"start": stamp(5), "end": stamp(9)}
    assert (await owner.delete("/api/rows/", params=later)).json() == {"deleted": 5}
    await tombstones.finish_deletes(database, 1)
    assert (await ask(now))[0] == 200
    await tombstones.finish_deletes(database, 0)
    assert (await ask(now))[0] == 400
    assert (await ask(now + 1))[0] == 200
    monkeypatch.setattr(tombstones, "MOST_ROWS", 3)
    assert (await owner.delete("/api/rows/", params=later | {"end": stamp(30)})).json() == {"deleted": 10}
    assert [(await ask(version))[0] for version in (now + 1, now + 2)] == [400, 200]


async def test_files_of_a_moment_stay_the_same(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, on_conflict="replace")
    rows = [{"timestamp": stamp(n), "values": {"n": n}} for n in range(50)]
    await insert(owner, dataset, rows)
    asked = {"dataset": dataset, "known_at": await version_of(owner, dataset), "output": "csv"}
    path = "/api/rows/bulk_download/"
    first = await owner.get(path, params=asked)
    part = await owner.get(path, params=asked, headers={"Range": "bytes=10-99"})
    await insert(owner, dataset, [{**row, "values": {"n": -1}} for row in rows[10:20]])
    await owner.delete("/api/rows/", params={"dataset": dataset, "start": stamp(30)})
    again = await owner.get(path, params=asked)
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    rest = await owner.get(path, params=asked, headers={"Range": "bytes=100-", "If-Range": part.headers["etag"]})
    assert (part.status_code, rest.status_code) == (206, 206)
    assert first.content == first.content[:10] + part.content + rest.content
    unchanged = await owner.get(path, params=asked, headers={"If-None-Match": first.headers["etag"]})
    assert unchanged.status_code == 304
