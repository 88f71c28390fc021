"""The key is looked at before any byte of a body; who has none learns nothing else, and costs nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest
from tests.conftest import People
from tests.wire import Wire, wired

MB = 1024 * 1024
JSON = "application/json"
# Method, path, content type: JSON, forms in every case, none, unknown paths, methods that there are not.
TARGETS = [
    ("POST", "/api/v1/sql", JSON),
    ("POST", "/api/v1/query", "Application/JSON; charset=utf-8"),
    ("POST", "/api/v1/keys", ""),
    ("POST", "/api/v1/smart-import", "multipart/form-data; boundary=b"),
    ("POST", "/api/v1/smart-import", "Multipart/Form-Data; boundary=b"),
    ("POST", "/api/v1/smart-import/preview", "MULTIPART/FORM-DATA; boundary=b"),
    ("POST", "/api/v1/smart-import", "application/x-www-form-urlencoded"),
    ("POST", "/api/v1/smart-import", ""),
    ("POST", "/api/v1/tables/leads/update/file", 'multipart/Form-data;boundary="b"'),
    ("POST", "/api/v1/nothing", JSON),
    ("PUT", "/api/v1/sql", JSON),
    ("GET", "/api/v1/me", JSON),
    ("DELETE", "/api/v1/me", "multipart/form-data; boundary=b"),
    ("OPTIONS", "/api/v1/sql", JSON),
    ("POST", "/api/datasets/", JSON),
    ("PUT", "/api/datasets/1/metadata/", JSON),
    ("POST", "/api/rows/", JSON),
    ("POST", "/api/rows/bulk_insert/", "text/csv"),
    ("POST", "/api/rows/bulk_insert/", "image/png"),
    ("PATCH", "/api/rows/", JSON),
    ("POST", "/api/nothing", "Multipart/Form-Data; boundary=b"),
    ("GET", "/api/", JSON),
]
BAD_KEYS = [
    "",
    "X-API-Key: nonsense\r\n",
    "x-api-key:\r\n",
    "Authorization: Bearer x\r\n",
    "Cookie: atlas_session=x\r\n",
]


@pytest.fixture(scope="module")
def wire(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Wire]:
    with wired(postgres_url, inhabited) as made:
        yield made


def head(method: str, path: str, content_type: str, framing: str, key: str = "") -> str:
    media = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{media}{key}{framing}\r\n\r\n"


def unknown(path: str, body: object) -> bool:
    return isinstance(body, dict) and set(body) == ({"detail"} if path.startswith("/api/v1") else {"error", "details"})


@pytest.mark.parametrize(
    "framing",
    [
        f"Content-Length: {100 * MB}",
        "Transfer-Encoding: chunked",
        f"Content-Length: {100 * MB}\r\nExpect: 100-continue",
        "Transfer-Encoding: Chunked\r\nExpect: 100-Continue",
    ],
)
def test_who_has_no_good_key_is_told_before_the_body(wire: Wire, framing: str) -> None:
    keys = [*BAD_KEYS, f"X-API-Key: {wire.people.revoked}\r\n", f"X-API-Key: {wire.people.expired}\r\n"]
    for number, (method, path, content_type) in enumerate(TARGETS):
        with wire.line() as line:
            line.send(head(method, path, content_type, framing, keys[number % len(keys)]))
            answer = line.answer()
            assert (answer.status, unknown(path, answer.json)) == (401, True), (method, path, answer)
            assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("content_type", [JSON, "Multipart/Form-Data; boundary=b", "text/plain"])
def test_a_body_without_a_key_is_not_received(wire: Wire, content_type: str) -> None:
    """An eager sender gets its answer, and is cut off soon after; nothing is kept meanwhile."""
    before = psutil.Process().memory_info().rss
    sent, began = 0, time.monotonic()
    with wire.line() as line:
        line.send(head("POST", "/api/v1/smart-import", content_type, f"Content-Length: {100 * MB}"))
        try:
            for _ in range(100):
                line.send(b"[" * MB)
                sent += MB
        except OSError:
            pass
        assert line.answer().status in (401, 0)
    # What buffers on both sides hold is sent, too.
    assert sent < 30 * MB
    assert time.monotonic() - began < 10
    assert psutil.Process().memory_info().rss - before < 50 * MB


def test_a_small_body_without_a_key_costs_no_connection(wire: Wire) -> None:
    body = b'{"sql": "SELECT 1"}'
    with wire.line() as line:
        for _ in range(3):
            line.send(head("POST", "/api/v1/sql", JSON, f"Content-Length: {len(body)}")).send(body)
            answer = line.answer()
            assert (answer.status, answer.headers.get("connection")) == (401, None)


def test_blanks_around_a_key_are_no_part_of_it(wire: Wire) -> None:
    for value in ("  {}", "{}  ", "\t{} \t", "{}"):
        with wire.line() as line:
            key = value.format(wire.people.owner)
            line.send(f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Api-Key:{key}\r\n\r\n")
            assert line.answer().status == 200, value
    for value in ("a {}", "{} a", "{},{}"):
        with wire.line() as line:
            key = value.format(wire.people.owner, wire.people.owner)
            line.send(f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\n\r\n")
            assert line.answer().status == 401, value


@pytest.mark.parametrize("path", ["/health", "/health/", "/metrics", "/metrics/"])
def test_last_slashes_do_not_matter_for_health_either(wire: Wire, path: str) -> None:
    with wire.client(None) as client:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_json_routes_take_a_mebibyte(wire: Wire, chunked: bool) -> None:
    """The 413 names the limit; it comes before the body where that says how large it is, else at the limit."""
    key = f"X-API-Key: {wire.people.owner}\r\n"
    for method, path, most in (
        ("POST", "/api/v1/sql", MB),
        ("POST", "/api/datasets/", MB),
        ("PUT", "/api/datasets/1/metadata/", MB),
        ("POST", "/api/tags/acquire/", MB),
        ("POST", "/api/v1/smart-import", MB),
        ("POST", "/api/rows/", 4 * MB),
        ("POST", "/api/v1/smart-data-instruction", 4 * MB),
        ("POST", "/api/v1/tables/x/update", 4 * MB),
        ("POST", "/api/v1/import/x/issues/correct", 4 * MB),
    ):
        with wire.line() as line:
            if chunked:
                line.send(head(method, path, JSON, "Transfer-Encoding: chunked", key))
                for _ in range(most // MB):
                    line.send(b"100000\r\n" + b" " * MB + b"\r\n")
                line.send(b"1\r\n \r\n")
            else:
                line.send(head(method, path, JSON, f"Content-Length: {most + 1}", key))
            answer = line.answer()
            assert answer.status == 413, (path, answer)
            assert f"the limit of this route is {most} bytes" in answer.body.decode()
            assert unknown(path, answer.json)


def test_just_the_limit_is_taken(wire: Wire) -> None:
    with wire.client(wire.people.owner) as client:
        start, end = b'{"name": "large", "metadata": {"text": "', b'"}}'
        for size, status in ((MB, 201), (MB + 1, 413)):
            body = start + b"x" * (size - len(start) - len(end)) + end
            answer = client.post("/api/datasets/", content=body, headers={"Content-Type": JSON})
            assert answer.status_code == status, answer.text[:300]


def test_a_sign_in_form_is_small(wire: Wire) -> None:
    with wire.line() as line:
        line.send(head("POST", "/ui/session", JSON, f"Content-Length: {17 * 1024}", "X-Atlas-UI: 1\r\n"))
        assert line.answer().status == 413
    with wire.line() as line:
        line.send(head("POST", "/ui/session", JSON, "Transfer-Encoding: chunked", "X-Atlas-UI: 1\r\n"))
        line.send(b"5000\r\n" + b" " * 0x5000 + b"\r\n")
        assert line.answer().status == 413
