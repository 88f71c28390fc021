"""Connections that break: no row is lost or doubled, no event is missed or repeated, no half file is left."""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.client.conftest import Server
from tests.client.faults import Cut, Proxy, proxy

from atlas import AsyncClient, Client
from atlas.client import (
    ApiError,
    AuthenticationFailed,
    ConnectionFailed,
    DataError,
    Forbidden,
    Invalid,
    NewRow,
    NotFound,
    RateLimited,
    ServerFault,
    Unavailable,
)
from atlas.client._requests import Retry, backoff

ROWS = [{"timestamp": f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "n": n, "text": "x" * 50} for n in range(2_000)]


@pytest.fixture
def faulty(server: Server) -> Iterator[Proxy]:
    with proxy(server.url) as made:
        yield made


@pytest.fixture
def through(server: Server, faulty: Proxy) -> Iterator[Client]:
    with Client(faulty.url, server.people.owner, retries=6) as made:
        yield made


def numbers(client: Client, dataset: str) -> list[int]:
    return sorted(row.values["n"] for row in client.rows.query(dataset))


def test_an_insert_that_is_cut_counts_once(client: Client, through: Client, faulty: Proxy) -> None:
    client.datasets.create("cut inserts")
    number = client.datasets.get("cut inserts").id
    # In the body; before and in the answer of the first batch; in the answer of a later one.
    faulty.cuts.extend([Cut(sent=20_000), Cut(received=1), Cut(received=60), Cut(received=700), Cut(sent=90_000)])
    done = through.rows.bulk_insert(number, ROWS, batch_rows=250)
    assert (done.rows, done.batches) == (2_000, 8)
    assert faulty.connections >= 6
    assert numbers(client, "cut inserts") == [*range(2_000)]
    faulty.cuts.append(Cut(received=1))
    through._transport._http.close()
    with Client(faulty.url, through._transport._headers["X-API-Key"]) as again:
        again.rows.insert(number, "2027-01-01", {"n": 2_000})
    assert client.rows.latest(number).values == {"n": 2_000}
    assert client.rows.page(number).count == 2_001


def test_an_insert_that_fails_in_the_middle_can_be_done_again(server: Server, client: Client, faulty: Proxy) -> None:
    client.datasets.create("again")
    number = client.datasets.get("again").id
    with Client(faulty.url, server.people.owner, retries=0) as hasty:
        # Both connections end in the answer, so the server has more than the client knows of.
        faulty.cuts.extend([Cut(received=700), Cut(received=1)])
        for _ in range(2):
            with pytest.raises(ConnectionFailed) as failed:
                hasty.rows.bulk_insert(number, ROWS, batch_rows=250, idempotency_key="job-1")
        assert failed.value.rows_inserted == 0
        assert hasty.rows.bulk_insert(number, ROWS, batch_rows=250, idempotency_key="job-1").rows == 2_000
    assert numbers(client, "again") == [*range(2_000)]


def test_what_was_inserted_before_a_bad_row_is_told(client: Client) -> None:
    client.datasets.create("bad row")
    rows = [*ROWS[:300], {"timestamp": "never", "n": 1}]
    with pytest.raises(Invalid, match="timestamp") as failed:
        client.rows.bulk_insert("bad row", rows, batch_rows=100)
    assert failed.value.rows_inserted == 300
    assert failed.value.__notes__ == ["300 rows of 3 batches before this one are inserted"]
    assert client.rows.page("bad row").count == 300
    for bad in (
        {"n": 1},
        {"timestamp": "2026-01-01", "n": float("nan")},
        5,
        {"timestamp": "2026-01-01", "n": object()},
    ):
        with pytest.raises(DataError, match=r"rows\[1\]"):
            client.rows.bulk_insert("bad row", [ROWS[0], bad])
    with pytest.raises(DataError):
        client.rows.bulk_insert("bad row", 5)
    assert client.rows.page("bad row").count == 300


def test_a_stream_that_is_cut_misses_and_repeats_nothing(client: Client, through: Client, faulty: Proxy) -> None:
    number = client.datasets.create("cut stream").id
    # Headers and `connected` take some 400 bytes; most of these end within an event.
    faulty.cuts.extend([Cut(received=n) for n in (100, 450, 900, 555, 1_500, 2_345, 3_001, 1_777, 800)])

    def write() -> None:
        with Client(client.url, through._transport._headers["X-API-Key"]) as writer:
            for start in range(0, 200, 10):
                writer.rows.bulk_insert(number, ROWS[start : start + 10])
                time.sleep(0.05)

    events = through.rows.stream(number, 0, poll_interval=1)
    writing = threading.Thread(target=write)
    writing.start()
    seen = [*itertools.islice((e for e in events if isinstance(e, NewRow)), 200)]
    writing.join()
    assert [event.values["n"] for event in seen] == [*range(200)]
    assert [event.id for event in seen] == [*range(1, 201)]
    assert not faulty.cuts
    events.close()  # type: ignore[attr-defined]


def test_a_stream_gives_up_and_ends_where_it_must(server: Server, client: Client) -> None:
    number = client.datasets.create("ending").id
    with Client(server.url, server.people.holder) as other, pytest.raises(Forbidden):
        next(other.rows.stream(number))
    with Client("http://127.0.0.1:1", "x", retries=0) as nowhere, pytest.raises(ConnectionFailed):
        next(nowhere.rows.stream(number, give_up_after=0.5))


def test_a_download_that_is_cut_begins_again(
    client: Client, through: Client, faulty: Proxy, server: Server, tmp_path: Path
) -> None:
    number = client.datasets.create("download").id
    client.rows.bulk_insert(number, ROWS)
    whole = io.BytesIO()
    client.rows.download(number, whole, "csv")
    faulty.cuts.extend([Cut(received=50_000), Cut(received=120_000)])
    assert through.rows.download(number, tmp_path / "rows.csv") == len(whole.getvalue())
    assert (tmp_path / "rows.csv").read_bytes() == whole.getvalue()
    faulty.cuts.extend([Cut(received=50_000)] * 2)
    with Client(faulty.url, server.people.owner, retries=1) as hasty:
        (tmp_path / "rows.csv").write_text("what was there")
        with pytest.raises(ConnectionFailed):
            hasty.rows.download(number, tmp_path / "rows.csv")
        assert [path.read_text() for path in tmp_path.iterdir()] == ["what was there"]
        faulty.cuts.append(Cut(received=50_000))
        assert hasty.rows.to_arrow(number).num_rows == 2_000
    # What cannot be wound back is not written twice.
    faulty.cuts.append(Cut(received=50_000))
    with Client(faulty.url, server.people.owner) as patient:
        with pytest.raises(ConnectionFailed):
            patient.rows.download(number, Forward(), "csv")


class Forward(io.BytesIO):
    """A pipe."""

    def seekable(self) -> bool:
        return False


def test_an_import_that_is_cut_is_found_again(client: Client, through: Client, faulty: Proxy) -> None:
    file = ("cut.csv", "id,name\n" + "".join(f"{n},name {n}\n" for n in range(500)))
    faulty.cuts.append(Cut(received=1))
    done = through.imports.run(file, "Import into cut_table, id is the key")
    assert (done.status, done.records_inserted, done.table_name) == ("success", 500, "cut_table")
    assert len([*client.imports.history(table="cut_table")]) == 1
    # Nothing arrived, so nothing was done, and that is an error.
    faulty.cuts.extend([Cut(sent=3_000)])
    with Client(faulty.url, through._transport._headers["X-API-Key"]) as fresh, pytest.raises(ConnectionFailed):
        fresh.imports.run(file, "Import into cut_table, id is the key")
    assert len([*client.imports.history(table="cut_table")]) == 1


def answering(*answers: httpx2.Response, sent: list[httpx2.Request] | None = None, **options: int) -> Client:
    """A client of a server that gives these answers, one after the other."""
    left = iter(answers)

    def handle(request: httpx2.Request) -> httpx2.Response:
        if sent is not None:
            sent.append(request)
        return next(left)

    http = httpx2.Client(transport=httpx2.MockTransport(handle))
    return Client("http://atlas.test", "key", http_client=http, **options)


def test_statuses_become_exceptions() -> None:
    for status, kind in (
        (400, Invalid),
        (401, AuthenticationFailed),
        (403, Forbidden),
        (404, NotFound),
        (413, Invalid),
        (422, Invalid),
        (429, RateLimited),
        (500, ServerFault),
        (501, ServerFault),
        (502, Unavailable),
        (503, Unavailable),
    ):
        answer = httpx2.Response(status, json={"error": "What", "details": "why"}, headers={"X-Request-ID": "r1"})
        with pytest.raises(kind, match="What: why") as failed:
            answering(answer, retries=0).tags.list()
        error = failed.value
        assert isinstance(error, ApiError)
        assert (error.status, error.message, error.details, error.request_id) == (status, "What", "why", "r1")
    for answer, text in (
        (httpx2.Response(400, json={"detail": "What: why: so"}), "What: why: so"),
        (httpx2.Response(404, text="<html>\n nginx </html>"), "HTTP 404 Not Found: <html> nginx </html>"),
        (httpx2.Response(302, headers={"Location": "/login"}), "HTTP 302"),
    ):
        with pytest.raises(ApiError, match=text):
            answering(answer).tags.list()
    for answer in (httpx2.Response(200, text="<html>"), httpx2.Response(200, json=[{"no": "tag"}])):
        with pytest.raises(DataError, match="Unexpected answer"):
            answering(answer).tags.list()


def test_only_what_cannot_count_twice_is_sent_again() -> None:
    def busy() -> httpx2.Response:
        return httpx2.Response(429, json={"error": "Slow down"}, headers={"Retry-After": "0"})

    fine = httpx2.Response(200, json=[])
    assert answering(busy(), httpx2.Response(503), fine).tags.list() == ()
    with pytest.raises(RateLimited):
        answering(*[busy() for _ in range(4)], fine).tags.list()
    with pytest.raises(RateLimited):
        answering(busy(), fine).datasets.create("once")
    sent: list[httpx2.Request] = []
    created = httpx2.Response(201, json={"dataset": 1, "timestamp": "2026-01-01T00:00:00Z", "values": {}})
    answering(busy(), created, sent=sent).rows.insert(1, "2026-01-01", {})
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 1
    assert {request.headers["X-API-Key"] for request in sent} == {"key"}
    # Nobody waits an hour without knowing.
    with pytest.raises(RateLimited) as failed:
        answering(httpx2.Response(429, headers={"Retry-After": "3600"}), fine).tags.list()
    assert failed.value.retry_after == 3600


def test_waits_double_up_to_a_bound() -> None:
    assert 0.15 <= backoff(0) <= 0.25
    assert 4.8 <= backoff(50) <= 8
    assert Retry(0).wait(ConnectionFailed("x"), 0) is None
    assert Retry(1).wait(NotFound(404, "x"), 0) is None


async def arriving(most: int = 2_000) -> AsyncIterator[dict[str, object]]:
    """Rows that come one after the other, as from a queue."""
    for row in ROWS[:most]:
        yield row


@pytest.mark.anyio
async def test_the_other_client_behaves_the_same(server: Server, client: Client, faulty: Proxy) -> None:
    number = client.datasets.create("async cuts").id
    faulty.cuts.extend([Cut(sent=20_000), Cut(received=1), Cut(received=700)])
    async with AsyncClient(faulty.url, server.people.owner, retries=6) as through:
        assert (await through.rows.bulk_insert(number, ROWS, batch_rows=500)).rows == 2_000
        await through.aclose()
    assert numbers(client, str(number)) == [*range(2_000)]
    async with AsyncClient(server.url, server.people.owner) as plain:
        other = await plain.datasets.create("async rows")
        done = await plain.rows.bulk_insert(other, arriving(), batch_rows=300)
        assert (done.rows, done.batches) == (2_000, 7)
        assert (await plain.rows.bulk_insert(other, arriving(0))).batches == 0
    assert numbers(client, str(other.id)) == [*range(2_000)]
    faulty.cuts.extend([Cut(received=n) for n in (500, 5_000, 9_999)])
    async with AsyncClient(faulty.url, server.people.owner) as through:
        seen = []
        async for event in through.rows.stream(number, 0):
            if isinstance(event, NewRow):
                seen.append(event.values["n"])
            if len(seen) == 2_000:
                break
    assert seen == [*range(2_000)]
    assert not faulty.cuts
