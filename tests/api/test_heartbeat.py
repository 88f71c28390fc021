"""The event loop serves everybody: no body may keep it from that for long."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.conftest import People
from tests.wire import Wire, wired

MB = 1024 * 1024
# On a quiet machine it is less than 30 ms; beside other tests the same work takes longer.
LONGEST = 0.08


@pytest.fixture(scope="module")
def wire(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Wire]:
    with wired(postgres_url, inhabited) as made:
        yield made


def filled(size: int, start: str, piece: str, end: str) -> str:
    """`piece` as often as fits, between `start` and `end`."""
    count = (size - len(start) - len(end)) // (len(piece) + 1)
    return start + ",".join([piece] * count) + end


def keyed(size: int, start: str, end: str) -> str:
    """An object of as many keys as fit."""
    return start + ",".join(f'"k{n:06}":{n}' for n in range((size - len(start) - len(end)) // 16)) + end


LARGE = MB - 100
METADATA = {
    "lists": filled(299_000, '{"a":[', "[]", "]}"),
    "objects": filled(790_000, '{"a":[', '{"a":0}', "]}"),
    "numbers": filled(LARGE, '{"a":[', "1.5", "]}"),
    "texts": filled(LARGE, '{"a":[', '"x"', "]}"),
    "keys": keyed(LARGE, '{"a":{', "}}"),
    "escapes": filled(LARGE, '{"a":["', "\\u00e9", '"]}'),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata(wire: Wire, kind: str) -> None:
    with wire.client(wire.people.owner) as client:
        dataset = client.post("/api/datasets/", json={"name": "n"}).json()["id"]
        headers = {"Content-Type": "application/json"}
        with wire.heartbeat() as stalls:
            path = f"/api/datasets/{dataset}/metadata/"
            answer = client.put(path, content=METADATA[kind], headers=headers)
            assert answer.status_code == 200, answer.text[:200]
        assert max(stalls) < LONGEST


@pytest.mark.parametrize("kind", ["lists", "keys", "texts", "many"])
def test_single_rows(wire: Wire, kind: str) -> None:
    with wire.client(wire.people.owner) as client:
        dataset = client.post("/api/datasets/", json={"name": "n"}).json()["id"]
        head, size = f'{{"dataset":{dataset},"timestamp":"2026-01-01","values":', 4 * MB - 100
        body = {
            "lists": filled(size, head + '{"a":[', "[]", "]}}"),
            "texts": filled(size, head + '{"a":[', '"x"', "]}}"),
            "keys": keyed(100_000, head + "{", "}}"),
            "many": keyed(30_000, head + "{", "}}"),
        }[kind]
        with wire.heartbeat() as stalls:
            answer = client.post("/api/rows/", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 201, answer.text[:200]
        assert max(stalls) < LONGEST


def test_decisions_and_instructions(wire: Wire) -> None:
    updates = {"mode": "batch", "batch_updates": [{"keys": {"a": n}, "values": {"b": "x" * 200}} for n in range(9_999)]}
    entities = {"intent": "insert", "entities": [{"data": {"a": "x" * 2_000, "b": n}} for n in range(999)]}
    issues = {"duplicates": [{"record_number": n, "action": "skip", "data": {"a": "x" * 200}} for n in range(9_999)]}
    with wire.client(wire.people.owner) as client:
        for path, body in (
            ("/api/v1/tables/none/update", updates),
            ("/api/v1/smart-data-instruction", entities),
            ("/api/v1/import/none/issues/correct", issues),
        ):
            text = json.dumps(body)
            with wire.heartbeat() as stalls:
                answer = client.post(path, content=text, headers={"Content-Type": "application/json"})
                assert answer.status_code in (200, 400, 404), answer.text[:200]
            assert max(stalls) < LONGEST


@pytest.mark.parametrize("kind", ["small", "wide", "different", "nested", "large"])
def test_bulk_bodies(wire: Wire, kind: str) -> None:
    stamp = '"timestamp":"2026-01-01T00:00:00Z"'
    rows = {
        "small": [f'{{{stamp},"values":{{"a":{n}.5,"b":"x"}}}}' for n in range(500)],
        "wide": [keyed(31_000, f'{{{stamp},"values":{{', "}}")],
        "different": [f'{{{stamp},"values":{{"k{n}":{n}}}}}' for n in range(500)],
        "nested": [f'{{{stamp},"values":{{"a":[[],[],{{"b":[{n}]}}]}}}}' for n in range(400)],
        "large": [f'{{{stamp},"values":{{"a":{n}.5,"b":"x","c":null}}}}' for n in range(100_000)],
    }[kind]
    with wire.client(wire.people.owner) as client:
        dataset = client.post("/api/datasets/", json={"name": "n"}).json()["id"]
        body = f'{{"dataset":{dataset},"rows":[{",".join(rows)}]}}'
        with wire.heartbeat() as stalls:
            answer = client.post("/api/rows/bulk_insert/", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200, answer.text[:200]
        assert max(stalls) < LONGEST


def test_more_objects_than_are_parsed_at_once(wire: Wire) -> None:
    body = filled(MB - 100, '{"sql":[', "[]", "]}")
    with wire.client(wire.people.owner) as client, wire.heartbeat() as stalls:
        answer = client.post("/api/v1/sql", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, "lists and objects" in answer.text) == (400, True)
        # Without a key nothing is parsed at all.
        with wire.client(None) as stranger:
            headers = {"Content-Type": "application/json", "Connection": "close"}
            answer = stranger.post("/api/v1/sql", content="[" + "[]," * 7_000_000, headers=headers)
            assert answer.status_code == 401
    assert max(stalls) < LONGEST
