"""More requests than the server takes: who is refused, how soon, in which words, and that it goes on after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from tests.callers import app_of, share_of
from tests.conftest import People, caller_of, make_dataset, serve

from atlas.accounts.access import Caller
from atlas.accounts.local_administration import KeyService
from atlas.app import create_app
from atlas.db.database import Database
from atlas.errors import AtlasError, AuthenticationError, ForbiddenError, RateLimitedError
from atlas.kit import admission
from atlas.kit.file_formats import Output
from atlas.settings import Settings
from atlas.timeseries import stream
from atlas.timeseries.read import service as read
from atlas.timeseries.stream import StreamService
from atlas.timeseries.zone_map import Range
from atlas.web.admission import BULK, DELETE, DOWNLOADS, INSERT, QUESTIONS, SMALL_BODY, SQL, STREAM

pytestmark = pytest.mark.anyio
SLOW = "SELECT count(*) FROM slow a JOIN slow b ON a.n < b.n JOIN slow c ON c.n < a.n"


def test_lanes_are_of_routes_that_there_are() -> None:
    paths = create_app(Settings(database_url="postgresql://nowhere")).openapi()["paths"]
    for method, path in {STREAM, INSERT, DELETE, SQL} | BULK | DOWNLOADS | QUESTIONS:
        assert method.lower() in paths[path], path


async def test_a_flood_of_one_key(settings: Settings, people: People) -> None:
    """Slow SQL of one key is refused within the wait, another key is served all the while, and then it is over."""
    limited = settings.model_copy(update={"query_slots": 2, "queue_seconds": 0.4})
    async with serve(limited) as make:
        flood, other = make(people.owner), make(people.stranger)
        dataset = await make_dataset(flood, name="slow")
        rows = [{"timestamp": "2026-01-01", "values": {"n": n}} for n in range(2_000)]
        await flood.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        mine = await make_dataset(other, name="mine")
        row = {"dataset": mine, "timestamp": "2026-01-01", "values": {"a": 1}}
        assert (await other.post("/api/rows/", json=row)).status_code == 201
        running = asyncio.create_task(flood.post("/api/v1/sql", json={"sql": SLOW}, timeout=60))
        await asyncio.sleep(0.5)

        async def refused() -> tuple[httpx.Response, float]:
            began = time.perf_counter()
            return await flood.post("/api/v1/sql", json={"sql": SLOW}), time.perf_counter() - began

        asked = asyncio.gather(*(refused() for _ in range(20)))
        for _ in range(3):
            assert (await flood.get("/health")).status_code == 200
            assert (await other.post("/api/rows/", json=row)).status_code == 201
            assert (await flood.get(f"/api/rows/?dataset={dataset}&limit=10")).status_code == 200
            quick = await other.post("/api/v1/sql", json={"sql": "SELECT max(a) AS a FROM mine"})
            assert quick.status_code == 200, quick.text
        for response, seconds in await asked:
            assert response.status_code == 429
            assert response.headers["Retry-After"] == "1"
            assert set(response.json()) == {"detail"}
            assert response.json()["detail"].startswith("Too many requests at once: at most 1 queries of one user")
            assert seconds < 2
        running.cancel()
        await asyncio.wait((running,))
        async with asyncio.timeout(40):
            while (await flood.post("/api/v1/sql", json={"sql": "SELECT max(n) FROM slow"})).status_code != 200:
                await asyncio.sleep(0.2)


async def test_each_kind_has_slots_of_its_own(settings: Settings, people: People) -> None:
    """A body that goes on arriving holds a large insert's slot; others of that kind are refused before theirs is read,
    and everything else is served."""
    limited = settings.model_copy(update={"insert_slots": 1, "queue_seconds": 0.2})
    async with serve(limited) as make:
        owner, stranger = make(people.owner), make(people.stranger)
        dataset = await make_dataset(owner)
        going = asyncio.Event()
        head = b'{"dataset":%d,"rows":[{"timestamp":"2026-01-01","values":{"a":1}}' % dataset

        async def slow():  # type: ignore[no-untyped-def]
            yield head
            await going.wait()
            yield b"]}"

        json = {"Content-Type": "application/json"}
        first = asyncio.create_task(owner.post("/api/rows/bulk_insert/", content=slow(), headers=json))
        await asyncio.sleep(0.3)
        large = head + b" " * SMALL_BODY + b"]}"
        own = await owner.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert (own.status_code, own.json()["error"]) == (429, "Too many requests at once")
        others = await stranger.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert (others.status_code, set(others.json())) == (503, {"error", "details"})
        assert others.headers["Retry-After"] == "1"
        small = await owner.post("/api/rows/bulk_insert/", content=head + b"]}", headers=json)
        assert small.status_code == 200
        assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 1
        going.set()
        assert (await first).json() == {"inserted": 1, "total": 1}
        again = await owner.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert again.status_code == 200


async def new_users(database_url: str, organization: str, *names: str, keys: int = 1) -> list[str]:
    """Keys of new users, `keys` of each."""
    database = Database(database_url, pool_size=1, statement_timeout=60)
    await database.open()
    try:
        service = KeyService(database)
        return [(await service.create_key(organization, name, "", None)).key for name in names for _ in range(keys)]
    finally:
        await database.close()


async def test_keys_and_users_of_one_organization_leave_slots_to_another(
    settings: Settings, people: People, database_url: str
) -> None:
    """Twelve keys of one user, then six users, of one organization ask for slow SQL; another's is never refused."""
    many = await new_users(database_url, "acme", "owner", keys=12)
    crowd = await new_users(database_url, "acme", *(f"user {number}" for number in range(6)))
    limited = settings.model_copy(update={"query_slots": 4, "queue_seconds": 0.3})
    async with serve(limited) as make:
        owner, quiet = make(people.owner), make(people.stranger)
        dataset = await make_dataset(owner, name="slow")
        rows = [{"timestamp": "2026-01-01", "values": {"n": n}} for n in range(2_000)]
        await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
        mine = await make_dataset(quiet, name="mine")
        row = {"dataset": mine, "timestamp": "2026-01-01", "values": {"a": 1}}
        assert (await quiet.post("/api/rows/", json=row)).status_code == 201
        for keys in (many, crowd):
            for key in keys:
                assert (await make(key).post("/api/tags/acquire/", json={"tag_name": "public"})).status_code == 200
            going = asyncio.Event()

            async def flood(key: str, going: asyncio.Event = going) -> None:
                client = make(key)
                while not going.is_set():
                    answer = await client.post("/api/v1/sql", json={"sql": SLOW}, timeout=60)
                    assert answer.status_code in (429, 503), answer.text

            floods = [asyncio.create_task(flood(key)) for key in keys for _ in range(3)]
            await asyncio.sleep(1)
            for _ in range(10):
                answer = await quiet.post("/api/v1/sql", json={"sql": "SELECT max(a) AS a FROM mine"})
                assert answer.status_code == 200, answer.text
                await asyncio.sleep(0.1)
            going.set()
            for task in floods:
                task.cancel()
            await asyncio.wait(floods)


async def test_streams_have_shares(settings: Settings, people: People, database_url: str) -> None:
    """Of eight streams an organization has four, a user three, with any number of keys; one that ends is free again."""
    another, colleague = await new_users(database_url, "acme", "owner", "colleague")
    async with serve(settings.model_copy(update={"max_streams": 8})) as make:
        streaming = app_of(make).state.services.get(StreamService)
        database = Database(database_url, pool_size=1, statement_timeout=60)
        await database.open()
        callers = [await caller_of(database, key) for key in (people.owner, another, colleague, people.stranger)]
        await database.close()
        dataset = await make_dataset(make(people.owner))
        await make(people.owner).post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
        for key in (colleague, people.stranger):
            await make(key).post("/api/tags/acquire/", json={"tag_name": "public"})
        first, second, other, stranger = callers

        async def opened(caller: Caller) -> AsyncIterator[bytes]:
            stream: AsyncIterator[bytes] = await streaming.open(caller, dataset, 60, None)
            assert b"connected" in await anext(stream)
            return stream

        streams = [await opened(caller) for caller in (first, second, first)]
        with pytest.raises(RateLimitedError):
            await opened(second)
        refused = await make(another).get(f"/api/rows/stream/?dataset={dataset}")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert refused.json()["details"] == "at most 3 streams of one user are served at once; wait for your others"
        streams.append(await opened(other))
        with pytest.raises(RateLimitedError):
            await opened(other)
        streams += [await opened(stranger) for _ in range(3)]
        with pytest.raises(RateLimitedError):
            await opened(stranger)
        await streams.pop(0).aclose()  # type: ignore[attr-defined]
        # One that was made and never begun holds nothing.
        for _ in range(3):
            await streaming.open(first, dataset, 60, None)
        streams.append(await opened(first))
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert streaming.open_streams == 0
        assert streaming._lane.taken(first) == 0


async def test_a_stream_of_a_revoked_key_ends_while_the_database_is_busy(
    settings: Settings, people: People, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether streams may go on is asked for nobody: the share of who opened the first one may be taken."""
    monkeypatch.setattr(stream, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(admission, "CONNECTION_WAIT", 0.01)
    async with serve(settings) as make:
        streaming = app_of(make).state.services.get(StreamService)
        caller = await caller_of(streaming._database, people.owner)
        dataset = await make_dataset(make(people.owner))
        opened = await streaming.open(caller, dataset, 60, None)
        assert b"connected" in await anext(opened)
        lane = streaming._database._turns._lane
        with share_of(lane, caller):
            await asyncio.sleep(0.2)
            with psycopg.connect(database_url) as connection:
                connection.execute("UPDATE atlas.api_keys SET revoked_at = now() WHERE id = %s", (caller.key_id,))
            assert b"Invalid API key" in await asyncio.wait_for(anext(opened), 10)


@pytest.mark.parametrize("lost", ["tag", "key"])
async def test_who_may_no_longer_read_gets_no_more_of_what_is_under_way(
    settings: Settings, people: People, database_url: str, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(stream, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(read, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(read, "FIRST_ROWS", 100)
    async with serve(settings) as make:
        owner, holder = make(people.owner), make(people.holder)
        dataset = await make_dataset(owner)
        tag = (await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "test"})).json()["id"]
        assert (await holder.post("/api/tags/acquire/", json={"tag_name": "test"})).status_code in (200, 201)
        csv = "timestamp,a\n" + "".join(f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z,{n}\n" for n in range(2_000))
        headers = {"Content-Type": "text/csv"}
        await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=csv, headers=headers)
        services = app_of(make).state.services
        caller = await caller_of(services.get(StreamService)._database, people.holder)
        following = await services.get(StreamService).open(caller, dataset, 60, None)
        assert b"connected" in await anext(following)
        file = await services.get(read.ReadService).download(caller, dataset, Range(-(2**62), 2**62), Output.NDJSON)
        pieces = file.chunks()
        assert b'"a":0' in await anext(pieces)
        if lost == "tag":
            assert (await owner.delete(f"/api/datasets/{dataset}/tags/{tag}/")).status_code == 204
            error: type[AtlasError] = ForbiddenError
        else:
            with psycopg.connect(database_url) as connection:
                connection.execute("UPDATE atlas.api_keys SET revoked_at = now() WHERE id = %s", (caller.key_id,))
            error = AuthenticationError
        told = await asyncio.wait_for(anext(following), 10)
        assert b"event: error" in told
        assert (b"Permission denied" if lost == "tag" else b"Invalid API key") in told
        await asyncio.sleep(0.06)
        with pytest.raises(error):
            b"".join([piece async for piece in pieces])


async def test_rates_count_by_user_and_by_organization(settings: Settings, people: People, database_url: str) -> None:
    """Three keys of a user have one rate together; a second user of the organization meets the organization's."""
    another, colleague = await new_users(database_url, "acme", "owner", "colleague")
    rates = {"rate_limit": "6/minute", "organization_rate_limit": "9/minute"}
    async with serve(settings.model_copy(update=rates)) as make:
        answers = [await make((people.owner, another)[turn % 2]).get("/api/v1/me") for turn in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429]
        assert "The limit of this user is 6 per 1 minute" in answers[-1].json()["detail"]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == [*"543210", "0"]
        answers = [await make(colleague).get("/api/v1/me") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert "The limit of this organization is 9 per 1 minute" in answers[-1].json()["detail"]
        assert answers[0].headers["RateLimit-Limit"] == "9"
        assert (await make(people.stranger).get("/api/v1/me")).status_code == 200


async def test_a_user_has_so_many_keys(settings: Settings, people: People, database_url: str) -> None:
    """New ones past it are refused, by whichever way and at the same time; those that are there work, and turn."""
    admin = await new_users(database_url, "acme", "adam", keys=5)
    database = Database(database_url, pool_size=1, statement_timeout=60)
    await database.open()
    await KeyService(database).set_role("acme", "adam", "admin")
    await database.close()
    async with serve(settings.model_copy(update={"max_keys": 4})) as make:
        # Made before there was a bound.
        for key in admin:
            assert (await make(key).get("/api/v1/me")).status_code == 200
        adam, owner = make(admin[0]), make(people.owner)
        refused = await adam.post("/api/v1/keys", json={})
        told = "Too many keys: a user has at most 4 at once; revoke or rotate one of 5"
        assert (refused.status_code, refused.json()["detail"]) == (400, told)
        own = (await adam.get("/api/v1/keys")).json()["keys"]
        assert (await adam.post(f"/api/v1/keys/{own[1]['id']}/rotate")).status_code == 200
        # One is there; three are made at the same moment by six requests.
        ways = [owner.post("/api/v1/keys", json={}) for _ in range(3)]
        ways += [adam.post("/api/v1/admin/keys", json={"user": "owner"}) for _ in range(3)]
        assert sorted([answer.status_code for answer in await asyncio.gather(*ways)]) == [200] * 3 + [400] * 3
        live = [key for key in (await owner.get("/api/v1/keys")).json()["keys"] if key["revoked_at"] is None]
        await owner.delete(f"/api/v1/keys/{live[-1]['id']}")
        assert (await owner.post("/api/v1/keys", json={})).status_code == 200
