"""Requests to addresses that users give: what is refused, before and while connecting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from atlas.errors import BadRequestError
from atlas.kit.ssrf import check_url
from atlas.webhooks.sender import new_secret, post_json, signed_headers

pytestmark = pytest.mark.anyio
BAD = """ftp://x.com/|file:///etc/passwd|javascript:1|//x.com|x.com|http://|https://|http://user:p@x.com/|http://x.com/#a
http://127.0.0.1/|http://127.1/|http://0/|http://0.0.0.0/|http://2130706433/|http://0x7f000001/|http://0177.0.0.1/
http://[::1]/|http://[::]/|http://[::ffff:127.0.0.1]/|http://[::ffff:10.0.0.1]/|http://[fe80::1%25eth0]/|http://[fc00::1]/
http://10.0.0.1/|http://172.16.0.1/|http://192.168.1.1/|http://169.254.169.254/|http://100.64.0.1/|http://198.18.0.1/
http://224.0.0.1/|http://255.255.255.255/|http://192.0.2.1/|http://[64:ff9b::a00:1]/|http://[2002:a00:1::]/
http://localhost/|http://LOCALHOST/|http://a.localhost/|http://x.internal/|http://printer.local/|http://localhost./
http://x.com:0/|http://x.com:99999/|http://x.com:a/|http:\\\\x.com|http://x com/|http://[::1|http://0x7f.1/|http://x.com/\n"""
GOOD = [
    "http://example.com/",
    "https://example.com:8443/a?b=c",
    "https://1.1.1.1/",
    "http://[2606:4700::1111]/x",
    "https://münchen.example/",
    "https://xn--mnchen-3ya.example/",
    "http://sub.example.co.uk/hook",
]


@pytest.mark.parametrize("url", [part for part in BAD.replace("\nhttp", "|http").split("|") if part])
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(BadRequestError, match="Invalid callback_url"):
        check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", GOOD)
def test_urls_that_are_taken(url: str) -> None:
    check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://169.254.169.254/", "http://[fe80::1]/"])
def test_loopback_means_loopback_only(url: str) -> None:
    check_url("http://127.0.0.1:8000/x", allow_loopback=True)
    check_url("http://localhost/x", allow_loopback=True)
    with pytest.raises(BadRequestError):
        check_url(url, allow_loopback=True)


Serve = Callable[[Callable[[asyncio.StreamWriter], Awaitable[None]]], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers = []

    async def start(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> int:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            try:
                await answer(writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


def plain(status: str, body: bytes = b"", headers: str = "") -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return answer


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (plain("204 No Content"), 204, None),
        (plain("500 Oops", b"secret"), 500, "answered 500"),
        (plain("302 Found", b"", "Location: http://169.254.169.254/\r\n"), 302, "redirects are not followed"),
        (endless, 200, None),
        (silent, None, "timed out"),
    ],
)
async def test_answers(serve: Serve, answer: Any, status: int | None, error: str | None) -> None:
    port = await serve(answer)
    found = await post_json(f"http://127.0.0.1:{port}/x", b"{}", headers={}, allow_loopback=True, seconds=1)
    assert (found.status, found.error, found.ok) == (status, error, error is None)
    refused = await post_json(f"http://127.0.0.1:{port}/x", b"{}", headers={}, allow_loopback=False)
    assert (refused.status, refused.ok) == (None, False)


async def test_no_connection() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = await post_json(f"http://127.0.0.1:{port}/", b"{}", headers={}, allow_loopback=True)
    assert found.error == "connection refused"


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["169.254.169.254"], ["::1"]])
async def test_names_that_lead_inside_are_refused(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    asked = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("atlas.kit.ssrf.look_up", resolve)
    found = await post_json("http://evil.example/", b"{}", headers={}, allow_loopback=False)
    assert (found.status, found.error) == (None, "the address is not public")
    assert asked == ["evil.example"]


def test_signatures_can_be_verified() -> None:
    secret = new_secret()
    headers = signed_headers(secret, "msg_1", datetime.now(UTC), b'{"a": 1}')
    assert Webhook(secret).verify(b'{"a": 1}', headers) == {"a": 1}
