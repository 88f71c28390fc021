"""Line protocol: what InfluxDB's clients send is stored, and what is wrong with a line is told."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import pytest
from tests.conftest import Client, People, serve

from atlas.settings import Settings

pytestmark = pytest.mark.anyio
CPU = """cpu,host=a,core=0 usage=1.5,busy=3i,on=t,note="x y" 1767600000000000000
cpu,host=b,core=0 usage=2 1767600001000000000
mem,host=a free=7i 1767600000000000000
"""


async def write(client: httpx.AsyncClient, body: str | bytes, path: str = "/api/v2/write?bucket=b", **more: Any) -> Any:
    return await client.post(path, content=body, **more)


async def rows(client: httpx.AsyncClient, name: str) -> list[dict[str, Any]]:
    found = (await client.get(f"/api/datasets/?search={name}")).json()["results"]
    (dataset,) = [one["id"] for one in found if one["name"] == name]
    return [
        {"timestamp": row["timestamp"], **row["values"]}
        for row in (await client.get(f"/api/rows/?dataset={dataset}")).json()["results"]
    ]


async def test_measurements_become_datasets(client: Client, people: People) -> None:
    owner = client(people.owner)
    done = await write(owner, CPU)
    assert (done.status_code, done.content) == (204, b"")
    assert await rows(owner, "cpu") == [
        {
            "timestamp": "2026-01-05T08:00:00Z",
            "host": "a",
            "core": "0",
            "usage": 1.5,
            "busy": 3,
            "on": True,
            "note": "x y",
        },
        {"timestamp": "2026-01-05T08:00:01Z", "host": "b", "core": "0", "usage": 2.0},
    ]
    (cpu,) = (await owner.get("/api/datasets/?search=cpu")).json()["results"]
    assert (cpu["keys"], cpu["metadata"]) == (["core", "host"], {"bucket": "b"})
    # A later write has fewer tags, and its own precision.
    assert (
        await write(owner, "cpu,host=c usage=3 1767600002", "/api/v2/write?bucket=b&precision=s")
    ).status_code == 204
    assert (await rows(owner, "cpu"))[-1] == {
        "timestamp": "2026-01-05T08:00:02Z",
        "host": "c",
        "core": "",
        "usage": 3.0,
    }
    latest = await owner.get(f"/api/rows/latest/?dataset={cpu['id']}&by=host")
    assert [row["values"]["usage"] for row in latest.json()["results"]] == [1.5, 2.0, 3.0]


async def test_keys_come_as_clients_send_them(client: Client, people: People) -> None:
    nobody = client(None)
    for scheme in ("Token", "Bearer", "token"):
        sent = {"Authorization": f"{scheme} {people.owner}", "Content-Encoding": "gzip"}
        done = await write(nobody, gzip.compress(CPU.encode()), headers=sent)
        assert done.status_code == 204, done.text
    for key in ("Token", "Token x", f"Token {people.revoked}"):
        assert (await write(nobody, CPU, headers={"Authorization": key})).status_code == 401
        assert (await write(nobody, CPU, "/write?db=b", headers={"Authorization": key})).status_code == 401
    assert (await write(nobody, CPU)).status_code == 401
    assert len(await rows(client(people.owner), "mem")) == 3


async def test_datasets_belong_to_who_writes_and_to_a_bucket(client: Client, people: People) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    for one in (owner, stranger):
        assert (await write(one, CPU)).status_code == 204
    assert (await write(owner, CPU, "/write?db=c")).status_code == 204
    datasets = (await owner.get("/api/datasets/?search=mem")).json()["results"]
    assert [one["metadata"] for one in datasets] == [{"bucket": "b"}, {"bucket": "c"}]
    assert len((await stranger.get("/api/datasets/?search=mem")).json()["results"]) == 1


async def test_a_bad_line_in_the_middle_is_told(client: Client, people: People) -> None:
    owner = client(people.owner)
    bad = "cpu,host=a usage=1 1767600000000000000\ncpu,host=a usage= 5\ncpu,host=a usage=2 1767600001000000000\n"
    done = await write(owner, bad)
    assert done.status_code == 400
    told = "partial write: line 2: missing field value of 'usage' dropped=1 of 3"
    assert done.json() == {"error": "Lines are wrong", "details": told, "code": "invalid", "line": 2, "message": told}
    assert [row["usage"] for row in await rows(owner, "cpu")] == [1.0, 2.0]
    conflict = await write(owner, "cpu,host=a usage=3i 1767600002000000000\ncpu,host=a usage=4 1767600003000000000")
    assert conflict.status_code == 422
    assert "is type integer, already exists as type float dropped=1 of 2" in conflict.json()["message"]
    assert [row["usage"] for row in await rows(owner, "cpu")] == [1.0, 2.0, 4.0]
    first = await write(owner, "cpu usage=x", "/write?db=b")
    assert (first.status_code, "invalid value" in first.json()["error"]) == (400, True)


async def test_writes_may_be_whole(settings: Settings, people: People) -> None:
    async with serve(settings.model_copy(update={"line_protocol_partial": False})) as make:
        owner = make(people.owner)
        done = await write(owner, "a f=1 1\na f= 2\nb f=1 1")
        assert done.status_code == 400
        told = "nothing was written: line 2: missing field value of 'f'; 1 of 3 lines are wrong"
        assert done.json()["message"] == told
        assert (await owner.get("/api/datasets/")).json()["count"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v2/write?bucket=b&precision=years", CPU, 400),
        ("/api/v2/write?bucket=b&orgg=x", CPU, 400),
        ("/api/v2/write?bucket=b", "cpu usage=1 999999999999999999999", 400),
        ("/api/v2/write?bucket=b", "", 204),
        ("/api/v2/write?bucket=b", "# nothing\n\n", 204),
        ("/api/v2/write?bucket=b", "cpu f=1 1\n" * 1_100_000, 413),
    ],
)
async def test_odd_requests(client: Client, people: People, path: str, body: str, status: int) -> None:
    assert (await write(client(people.owner), body, path)).status_code == status


async def test_writers_at_once_make_one_dataset(client: Client, people: People) -> None:
    owner = client(people.owner)
    done = await asyncio.gather(*(write(owner, f"cpu,host=h{n} usage={n} {n}000000000") for n in range(1, 9)))
    assert {one.status_code for one in done} == {204}
    assert sorted(row["usage"] for row in await rows(owner, "cpu")) == [float(n) for n in range(1, 9)]
