"""Connections that take their time: heads, bodies and answers; how many there may be; what is no HTTP."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from tests.conftest import People
from tests.wire import Wire, wired

from atlas.web import protocols
from atlas.web.connections import BODY_LEAST_BYTES, HEAD_BYTES, SURPLUS, most_connections

HEAD, STALL = 1.5, 2.0
# A sweep comes once a second.
SLACK = 2.5
HEALTH = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
PROTOCOLS = [protocols.HttpToolsConnection, protocols.H11Connection]


@pytest.fixture(scope="module", params=PROTOCOLS, ids=["httptools", "h11"])
def wire(request: pytest.FixtureRequest, postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Wire]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "ServerProtocol", request.param)
        with wired(postgres_url, inhabited, head_seconds=HEAD, stall_seconds=STALL) as made:
            yield made


def posting(wire: Wire, path: str, framing: str) -> str:
    key = f"X-API-Key: {wire.people.owner}\r\nContent-Type: application/json"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{key}\r\n{framing}\r\n\r\n"


def alive(wire: Wire) -> None:
    began = time.monotonic()
    with wire.line() as line:
        assert line.send(HEALTH).answer().status == 200
    assert time.monotonic() - began < 1


STARTS = ["", "G", "GET /health", "GET /health HTTP/1.1\r\nHost: x\r\n", "POST /api/v1/sql HTTP/1.1\r\nContent-Le"]


def test_a_head_that_does_not_come(wire: Wire) -> None:
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        lines = [stack.enter_context(wire.line()).send(start) for start in STARTS]
        for start, line in zip(STARTS, lines, strict=True):
            answer = line.answer()
            assert HEAD - 0.5 < time.monotonic() - began < HEAD + SLACK
            # Browsers connect ahead and would take an answer for that of their first request.
            assert answer.status == (408 if start else 0)
            if start:
                assert set(answer.json) in ({"error", "details"}, {"detail"})
            assert line.ended(1)


def test_line_ends_are_no_head(wire: Wire) -> None:
    with wire.line() as line:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for _ in range(100):
                line.send("\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < HEAD + SLACK + 1


def test_a_head_that_drips(wire: Wire) -> None:
    with wire.line() as line:
        began = time.monotonic()
        line.send("GET /health HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(OSError):
            for number in range(100):
                line.send(f"X-{number}: y\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < HEAD + SLACK + 1


def test_a_second_head_that_does_not_come(wire: Wire) -> None:
    with wire.line() as line:
        assert line.send(HEALTH).answer().status == 200
        time.sleep(HEAD + 1.5)
        # A connection that rests between requests is not late.
        assert line.send(HEALTH).answer().status == 200
        began = time.monotonic()
        line.send(HEALTH[:20])
        assert line.answer().status == 408
        assert HEAD - 0.5 < time.monotonic() - began < HEAD + SLACK


def test_a_body_that_stalls(wire: Wire) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\r\n'
    with contextlib.ExitStack() as stack:
        began, lines = time.monotonic(), []
        for path in ("/api/v1/sql", "/api/rows/", "/api/rows/bulk_insert/", "/api/v1/smart-import"):
            start, media = (
                ('{"rows":[', "application/json") if "import" not in path else (part, "Multipart/Form-Data; boundary=b")
            )
            for framing in ("Content-Length: 10000", "Transfer-Encoding: chunked"):
                line = stack.enter_context(wire.line())
                line.send(posting(wire, path, framing).replace("application/json", media))
                lines.append(line.send(f"{len(start):x}\r\n{start}\r\n" if "chunked" in framing else start))
        for line in lines:
            answer = line.answer()
            assert answer.status == 408, answer
            assert "stopped arriving" in answer.body.decode()
            assert STALL - 0.5 < time.monotonic() - began < STALL + SLACK
            assert line.ended(1)
    slots(wire)


def slots(wire: Wire) -> None:
    """Waits until nobody holds a slot."""
    end = time.monotonic() + 5
    with wire.client(None) as client:
        while "atlas_requests_active 1.0" not in client.get("/metrics").text:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_a_body_that_drips_too_slowly(wire: Wire) -> None:
    with wire.line() as line:
        began = time.monotonic()
        line.send(posting(wire, "/api/rows/bulk_insert/", "Content-Length: 10000"))
        with contextlib.suppress(OSError):
            for _ in range(200):
                line.send(" ")
                time.sleep(0.1)
        assert time.monotonic() - began < 2 * STALL + SLACK


def test_a_body_that_comes_slowly_but_well(wire: Wire) -> None:
    with wire.line() as line:
        size = int(BODY_LEAST_BYTES / STALL * 0.25 * 1.5)
        rounds = int((STALL + SLACK) / 0.25)
        line.send(posting(wire, "/api/v1/sql", f"Content-Length: {size * rounds}"))
        for _ in range(rounds):
            line.send(b" " * size)
            time.sleep(0.25)
        assert line.answer().status == 422


def test_a_client_that_waits_to_be_asked_is_asked(wire: Wire) -> None:
    body = b'{"tag_name":"public"}'
    with wire.line() as line:
        line.send(posting(wire, "/api/tags/acquire/", f"Content-Length: {len(body)}\r\nExpect: 100-continue"))
        assert line.answer().status == 100
        assert line.send(body).answer().status == 200


def fill(wire: Wire, rows: int) -> int:
    with wire.client(wire.people.owner) as client:
        dataset = int(client.post("/api/datasets/", json={"name": "wide"}).json()["id"])
        line = '{"timestamp":"2026-01-01T00:00:00Z","values":{"a":"' + "x" * 1000 + '"}}'
        body = f'{{"dataset":{dataset},"rows":[{",".join([line] * rows)}]}}'
        answer = client.post("/api/rows/bulk_insert/", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
    return dataset


def getting(wire: Wire, path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {wire.people.owner}\r\n\r\n"


def test_a_download_that_nobody_reads_ends_and_frees_its_slot(wire: Wire) -> None:
    dataset = fill(wire, 12_000)
    with wire.line(buffer=4096) as line:
        line.send(getting(wire, f"/api/rows/bulk_download/?dataset={dataset}"))
        time.sleep(0.5)
        with wire.client(None) as client:
            assert "atlas_requests_active 2.0" in client.get("/metrics").text
        time.sleep(STALL)
        slots(wire)


def test_a_download_that_is_read_slowly_goes_on(wire: Wire) -> None:
    dataset = fill(wire, 12_000)
    with wire.line(buffer=4096) as line:
        line.send(getting(wire, f"/api/rows/bulk_download/?dataset={dataset}"))
        began, size = time.monotonic(), 0
        while time.monotonic() - began < 2 * STALL + SLACK:
            size += len(line.socket.recv(8192))
            time.sleep(0.2)
        line.socket.settimeout(20)
        while more := line.socket.recv(1 << 20):
            size += len(more)
            if more.endswith(b"0\r\n\r\n"):
                break
        assert size > 12_000_000


def test_a_stream_with_nothing_to_say_goes_on(wire: Wire) -> None:
    dataset = fill(wire, 1)
    with wire.line() as line:
        line.send(getting(wire, f"/api/rows/stream/?dataset={dataset}&poll_interval=3600"))
        told = b""
        while b"connected" not in told:
            told += line.socket.recv(65536)
        assert not line.ended(2 * STALL + SLACK)


MALFORMED = [
    "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "POST /api/rows/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "GET / HTTQ/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_http_is_told_so_in_json(wire: Wire, text: str) -> None:
    with wire.line() as line:
        line.send(text.encode("latin-1"))
        answer = line.answer()
        # The head of the last is good, so its path may be what is wrong first.
        assert answer.status in ((400, 405) if "zz" in text else (400,)), answer
        assert answer.headers["content-type"] == "application/json"
        assert "error" in answer.json
        assert line.ended(2)


def test_a_head_has_a_limit(wire: Wire) -> None:
    for more in ("a" * 1000 + "/", "?" + "b=c&" * 200, None):
        with wire.line() as line:
            sent = 0
            with contextlib.suppress(OSError):
                line.send("GET /" if more else "GET / HTTP/1.1\r\n")
                while sent < 400 * HEAD_BYTES:
                    sent += len(piece := more or f"X: {'y' * 1000}\r\n")
                    line.send(piece)
            assert line.answer().status in (431, 400, 0)
            assert sent < 400 * HEAD_BYTES
    alive(wire)


def test_trailers_are_no_headers(wire: Wire) -> None:
    """A key that comes after the body is none."""
    with wire.line() as line:
        line.send("POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-API-Key\r\n\r\n")
        line.send(f"2\r\n{{}}\r\n0\r\nX-API-Key: {wire.people.owner}\r\n\r\n")
        assert line.answer().status == 401


def test_requests_that_are_sent_ahead(wire: Wire) -> None:
    with wire.line() as line:
        line.send(HEALTH * 3)
        assert [line.answer().status for _ in range(3)] == [200] * 3
        time.sleep(HEAD + 1.5)
        assert line.send(HEALTH).answer().status == 200


def test_an_upgrade_is_none(wire: Wire) -> None:
    with wire.line() as line:
        line.send(
            "GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert line.answer().status == 200


@pytest.fixture
def crowded(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Wire]:
    with wired(postgres_url, inhabited, max_connections=20, max_address_connections=20) as made:
        yield made


def test_the_oldest_that_have_asked_for_nothing_make_room(crowded: Wire) -> None:
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(crowded.line())
        dataset = fill(crowded, 1)
        stream.send(getting(crowded, f"/api/rows/stream/?dataset={dataset}"))
        used = stack.enter_context(crowded.line())
        assert used.send(HEALTH).answer().status == 200
        lines = [stack.enter_context(crowded.line()).send("GET /health HTTP/1.1\r\nHost: x\r\n") for _ in range(60)]
        alive(crowded)
        assert lines[0].ended(1)
        assert not lines[-1].ended(0.2)
        # Those that have asked before stay.
        assert used.send(HEALTH).answer().status == 200
        assert not stream.ended(0.2)


def test_health_answers_where_all_connections_are_busy(crowded: Wire) -> None:
    with contextlib.ExitStack() as stack:
        dataset = fill(crowded, 1)
        streams = []
        for _ in range(20):
            streams.append(stack.enter_context(crowded.line()))
            streams[-1].send(getting(crowded, f"/api/rows/stream/?dataset={dataset}"))
            assert b"200" in streams[-1].socket.recv(65536)
        for _ in range(SURPLUS + 10):
            stack.enter_context(crowded.line())
        alive(crowded)
        with crowded.line() as line:
            answer = line.send(getting(crowded, "/api/v1/me")).answer()
            assert (answer.status, answer.headers["connection"]) == (503, "close")
            assert answer.json["detail"].startswith("Too many connections")
        assert not any(stream.ended(0.01) for stream in streams)
        streams[0].socket.close()
        end = time.monotonic() + 5
        while True:
            with crowded.line() as line:
                if line.send(getting(crowded, "/api/v1/me")).answer().status == 200:
                    break
            assert time.monotonic() < end


def test_one_address_leaves_room_for_others(postgres_url: str, inhabited: tuple[str, People]) -> None:
    with wired(postgres_url, inhabited, max_connections=40, max_address_connections=10) as made:
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(made.line()).send("GET /")
            other = socket.socket()
            other.bind(("127.0.0.2", 0))
            other.settimeout(5)
            other.connect(("127.0.0.1", made.port))
            with other:
                other.sendall(HEALTH.encode())
                assert b"200 OK" in other.recv(1000)
            alive(made)
            with made.client(None) as client:
                open_now = client.get("/metrics").text.split("\natlas_connections_open ")[1].split("\n")[0]
            assert float(open_now) <= 12


def test_connections_leave_files_for_others() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
        assert most_connections() + SURPLUS <= 1024 - 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
