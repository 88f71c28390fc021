"""Live streams and broken connections, against a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import open_folder
from tests.integration.test_server import Serving, count, eventually, stop_all

from atlas.db.embedded import EmbeddedPostgres


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with open_folder() as folder:
        yield Serving(folder).ready()
        stop_all(folder)


@pytest.fixture
def client(server: Serving) -> Iterator[httpx.Client]:
    with server.client(server.key()) as made:
        yield made


@pytest.fixture
def dataset(client: httpx.Client) -> int:
    return int(client.post("/api/datasets/", json={"name": "d"}).json()["id"])


def insert(client: httpx.Client, dataset: int, first: int, rows: int) -> None:
    data = [{"timestamp": "2025-01-01T00:00:00Z", "values": {"n": first + n}} for n in range(rows)]
    response = client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": data})
    assert response.status_code == 200, response.text


Event = tuple[str, str | None, Any]


def events(
    client: httpx.Client, dataset: int, last_id: str | None = None, poll: int = 1, where: str = ""
) -> Iterator[Event]:
    """(event, id, data) as they come."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    path = f"/api/rows/stream/?dataset={dataset}&poll_interval={poll}{where and f'&where={where}'}"
    with client.stream("GET", path, headers=headers, timeout=20) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield fields["event"], fields.get("id"), json.loads(fields["data"])
                fields = {}


def test_a_stream_of_some_series_has_their_rows_and_heartbeats_while_others_arrive(client: httpx.Client) -> None:
    dataset = int(client.post("/api/datasets/", json={"name": "d", "keys": ["symbol"]}).json()["id"])

    def send(symbol: str, first: int, rows: int = 1) -> None:
        data = [{"timestamp": "2025-01-01", "values": {"symbol": symbol, "n": first + n}} for n in range(rows)]
        assert client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": data}).status_code == 200

    def take(stream: Iterator[Event], count: int) -> list[int]:
        return [data["n"] for _, _, data in islice((one for one in stream if one[0] == "data"), count)]

    send("A", 0)
    stream, other = events(client, dataset, where="symbol:A"), events(client, dataset, where="symbol:B,C")
    assert next(stream)[0] == next(other)[0] == "connected"
    beats = 0
    for number in range(30):
        send("B", number)
        time.sleep(0.1)
    send("C", 30, 12_000)
    send("A", 1)
    kinds = []
    while not kinds or kinds[-1] != "data":
        kinds.append(next(stream)[0])
    beats = kinds.count("heartbeat")
    assert beats >= 2
    assert take(other, 12_030) == [*range(12_030)]
    send("A", 2, 3)
    assert take(stream, 3) == [2, 3, 4]
    # From the start, and then what is new.
    again = events(client, dataset, last_id="0", where="symbol:A")
    assert take(again, 5) == [0, 1, 2, 3, 4]
    send("B", 5, 2)
    send("A", 5)
    assert take(again, 1) == take(stream, 1) == [5]
    client.patch(f"/api/datasets/{dataset}/", json={"keys": []})
    send("A", 6)
    assert next(one for one in stream if one[0] != "heartbeat")[0] == "error"


def test_a_row_that_replaces_another_is_an_event_of_its_own_kind(client: httpx.Client) -> None:
    keyed = {"name": "d", "keys": ["symbol"], "on_conflict": "replace"}
    dataset = int(client.post("/api/datasets/", json=keyed).json()["id"])

    def send(*values: tuple[str, int]) -> None:
        rows = [{"timestamp": "2025-01-01", "values": {"symbol": symbol, "n": n}} for symbol, n in values]
        assert client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows}).status_code == 200

    def take(stream: Iterator[Event], count: int) -> list[tuple[str, str | None, int]]:
        found = ((kind, at, data["n"]) for kind, at, data in stream if kind not in ("connected", "heartbeat"))
        return list(islice(found, count))

    stream, one = events(client, dataset), events(client, dataset, where="symbol:A")
    assert next(stream)[0] == next(one)[0] == "connected"
    wanted = [("data", "1", 1), ("data", "2", 1), ("correction", "3", 2), ("data", "4", 1), ("correction", "5", 4)]
    # A stream that comes late gets what is there, so each insert is waited for.
    send(("A", 1), ("B", 1))
    assert (take(stream, 2), take(one, 1)) == (wanted[:2], [wanted[0]])
    send(("A", 2), ("C", 1), ("B", 1))
    assert (take(stream, 2), take(one, 1)) == (wanted[2:4], [wanted[2]])
    # Twice within a body: the row in between was never to be seen.
    send(("A", 3), ("A", 4))
    assert (take(stream, 1), take(one, 1)) == ([wanted[4]], [wanted[4]])
    # Who comes later gets what is there, and is told what stands in place of another.
    assert take(events(client, dataset, last_id="0"), 3) == [wanted[1], wanted[3], wanted[4]]


def test_connected_data_and_heartbeat(client: httpx.Client, dataset: int) -> None:
    insert(client, dataset, 0, 3)
    stream = events(client, dataset)
    kind, _, data = next(stream)
    assert (kind, data) == ("connected", {"dataset_id": dataset, "message": "Connected to real-time stream"})
    kind, _, data = next(stream)
    assert kind == "heartbeat"
    assert set(data) == {"timestamp"}
    insert(client, dataset, 3, 2)
    found = [event for event in (next(stream) for _ in range(3)) if event[0] == "data"][:2]
    assert [data for _, _, data in found] == [{"timestamp": "2025-01-01T00:00:00Z", "n": n} for n in (3, 4)]
    stream.close()


def test_resume_loses_and_repeats_nothing(server: Serving, client: httpx.Client, dataset: int) -> None:
    total, batches = 0, [1, 7, 3000, 1, 12_000, 2] * 4

    def write() -> None:
        nonlocal total
        with server.client(server.key()) as writer:
            for size in batches:
                insert(writer, dataset, total, size)
                total += size

    first = events(client, dataset)
    _, last_id, _ = next(first)
    first.close()
    thread = threading.Thread(target=write)
    thread.start()
    seen: list[int] = []
    wanted = sum(batches)
    while len(seen) < wanted:
        # Cut the connection at odd moments and go on from the last event seen.
        for kind, event_id, data in events(client, dataset, last_id):
            assert kind in ("connected", "data", "heartbeat")
            if kind == "data":
                seen.append(data["n"])
                last_id = event_id
                if len(seen) % 4_999 == 0 or len(seen) == wanted:
                    break
    thread.join()
    assert seen == list(range(wanted))


def test_many_readers_get_the_same(server: Serving, client: httpx.Client, dataset: int) -> None:
    results: dict[int, list[int]] = {}

    def read(number: int) -> None:
        with server.client(server.key()) as reader:
            results[number] = found = []
            for kind, _, data in events(reader, dataset):
                if kind == "data":
                    found.append(data["n"])
                    if len(found) == 500:
                        return

    threads = [threading.Thread(target=read, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: "atlas_streams_open 20.0" in client.get("/metrics").text)
    for first in range(0, 500, 50):
        insert(client, dataset, first, 50)
    for thread in threads:
        thread.join(30)
    assert all(found == list(range(500)) for found in results.values())
    eventually(lambda: "atlas_streams_open 0.0" in client.get("/metrics").text)


def test_lost_access_ends_a_stream(server: Serving, client: httpx.Client, dataset: int) -> None:
    stream = events(client, dataset)
    next(stream)
    with server.client(server.key()) as other:
        assert other.delete(f"/api/datasets/{dataset}/").status_code == 204
    kind, _, data = next(event for event in stream if event[0] != "heartbeat")
    assert (kind, data["error"]) == ("error", "Dataset not found")


def test_a_client_that_hangs_up_in_an_insert_leaves_nothing(
    server: Serving, client: httpx.Client, dataset: int
) -> None:
    row = '{"timestamp":"2025-01-01T00:00:00Z","values":{"a":1}}'
    body = (f'{{"dataset":{dataset},"rows":[' + ",".join([row] * 100_000)).encode()
    head = f"POST /api/rows/bulk_insert/ HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.key()}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body) + 100}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
    time.sleep(0.5)
    assert count(client, dataset) == 0
    insert(client, dataset, 0, 1)
    assert count(client, dataset) == 1


def test_a_client_that_hangs_up_in_a_download_frees_it(server: Serving, client: httpx.Client, dataset: int) -> None:
    csv = "timestamp,a\n" + "2025-01-01T00:00:00Z,1\n" * 500_000
    headers = {"Content-Type": "text/csv"}
    client.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=csv, headers=headers).raise_for_status()
    for _ in range(12):
        with client.stream("GET", f"/api/rows/bulk_download/?dataset={dataset}") as response:
            next(response.iter_raw(1000))
    # The request that asks is itself under way.
    eventually(lambda: "atlas_requests_active 1.0" in client.get("/metrics").text)
    assert client.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv").text.count("\n") == 500_001


def test_a_stream_ends_when_its_key_is_revoked(server: Serving, client: httpx.Client, dataset: int) -> None:
    made = server.cli("admin", "key", "create", "--org", "default", "--user", "admin", "--json")
    with server.client(made["key"]) as other:
        following = events(other, dataset)
        assert next(following)[0] == "connected"
        server.cli("admin", "key", "revoke", str(made["id"]))
        last = next(event for event in following if event[0] != "heartbeat")
        assert last[0] == "error"
        assert last[2]["error"] == "Invalid API key"
        assert next(following, None) is None


def test_an_imported_file_streams_live(client: httpx.Client) -> None:
    dataset = int(client.post("/api/datasets/", json={"name": "visits"}).json()["id"])
    following = events(client, dataset)
    assert next(following)[0] == "connected"
    form = {"instruction": "Import as a dataset called visits"}
    files = {"file": ("v.csv", b"when,n\n2024-01-01,5\n2024-01-02,6\n")}
    done = client.post("/api/v1/smart-import", data=form, files=files).json()
    assert done["dataset_id"] == dataset
    # A slow import lets heartbeats come first.
    rows = (event[2]["n"] for event in following if event[0] == "data")
    found = [next(rows), next(rows)]
    assert found == [5, 6]


def test_a_bulk_insert_ends_when_its_client_goes_away_after_the_body(
    server: Serving, client: httpx.Client, dataset: int
) -> None:
    rows = "timestamp,a\n" + "2025-01-01T00:00:00Z,1\n" * 20_000
    head = f"POST /api/rows/bulk_insert/?dataset={dataset} HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.key()}\r\n"
    head += f"Content-Type: text/csv\r\nContent-Length: {len(rows)}\r\n\r\n"
    url = EmbeddedPostgres(server.folder / "data").url()

    def waiting() -> int:
        with psycopg.connect(url) as looking:
            found = looking.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
        return int(found[0]) if found else 0

    with psycopg.connect(url) as holding:
        # An insert of that size waits for the lock of its dataset, once the body is there.
        holding.execute("SELECT 1 FROM atlas.dataset_state WHERE dataset_id = %s FOR UPDATE", (dataset,))
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall((head + rows).encode())
            eventually(lambda: waiting() == 1)
        # The lock is still held: it is the client's end that ends the insert.
        eventually(lambda: waiting() == 0)
    assert count(client, dataset) == 0
