"""Webhook requests in rare cases: odd hosts, other scripts, dead addresses, causes of failure, time zones."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.unit.test_outbound_requests import BODY, Names, certificate, closed_port, post, receiver, says

from atlas.errors import BadRequestError
from atlas.kit.admission import serving
from atlas.kit.name_lookup import MOST_OF_ORGANIZATION, MOST_OF_ZONE, look_up, looking_up_for
from atlas.kit.ssrf import Reach, check_form, check_url
from atlas.webhooks.sender import new_secret, signed_headers

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Member:
    """Whose request is served."""

    user_id: int
    organization_id: int


BAD = """
http://[::127.0.0.1]/ http://[::10.0.0.1]/ http://[64:ff9b:1::a00:1]/ http://[5f00::1]/ http://[3fff::1]/
http://192.88.99.1/ http://[v1.x]/ http://[::1%25lo]/ http://256.1.1.1/ http://1.2.3.4.5/ http://0x/ http://999999999999/
http://localhost../ http://a..b/ http://-/ http://-a.example/ http://loc%61lhost/ http://ex%2e.com/ http://h%00.com/
http://{h}/ http://x.example;y/ http://example.com:/ http://example.com/# http://localhost.localdomain/ http://xn--/
http://ip6-localhost/ http://168.63.129.16/ http://[::ffff:168.63.129.16]/ http://[64:ff9b::168.63.129.16]/
""".split()
BAD += [f"http://{'a' * 64}.com/", f"http://{'a.' * 130}com/", "http://example.com/\u0085", "http://\u00adlocalhost/"]


def name_server(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> Names:
    names = Names(addresses)
    monkeypatch.setattr("atlas.kit.ssrf.look_up", names.getaddrinfo)
    return names


@pytest.mark.parametrize("url", BAD, ids=ascii)
def test_odd_urls_are_refused(url: str) -> None:
    with pytest.raises(BadRequestError):
        check_url(url, allow_loopback=False)


def test_public_ipv4_passes_through_nat64() -> None:
    check_url("http://[64:ff9b::808:808]/", allow_loopback=False)


async def test_causes_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await post(f"http://127.0.0.1:{closed_port()}/")).error == "connection refused"
    name_server(monkeypatch, ["127.0.0.1"])

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await post(f"https://hook.example:{port}/")).error == "no secure connection"
    async with receiver(says("200 OK"), certificate(tmp_path, "hook.example")) as server:
        assert (await post(f"https://hook.example:{server.port}/")).error == "certificate is not valid"


async def test_names_and_paths_in_other_scripts_are_sent_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(says("200 OK")) as server:
        names = name_server(monkeypatch, ["127.0.0.1"])
        assert (await post(f"http://bücher.example:{server.port}/é?ü=%20")).ok
        assert names.calls == ["xn--bcher-kva.example"]
        assert server.seen[0].startswith("POST /%C3%A9?%C3%BC=%20 HTTP/1.1\r\n")
        assert f"host: xn--bcher-kva.example:{server.port}\r\n" in server.seen[0].lower()


async def test_the_next_address_is_tried_where_one_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(says("200 OK")) as server:
        name_server(monkeypatch, ["127.0.0.9", "::ffff:127.0.0.1"])
        assert (await post(f"http://hook.example:{server.port}/")).ok


async def test_an_address_is_bracketed_in_the_host_header(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(says("200 OK")) as server:
        real = asyncio.get_running_loop().create_connection

        async def connect(factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
            assert host == "::1"
            return await real(factory, "127.0.0.1", port, **options)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
        assert (await post(f"http://[::1]:{server.port}/")).ok
        assert f"host: [::1]:{server.port}\r\n" in server.seen[0].lower()


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
def test_a_signature_holds_in_any_zone(zone: timezone | None) -> None:
    now = datetime.now(UTC)
    secret = new_secret()
    moment = now.replace(tzinfo=None) if zone is None else now.astimezone(zone)
    Webhook(secret).verify(BODY, signed_headers(secret, "msg_1", moment, BODY))


async def test_a_slow_name_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr("atlas.kit.ssrf.look_up", slow)
    assert (await post("http://hook.example/", seconds=0.2)).error == "timed out"


async def test_an_unknown_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("atlas.kit.ssrf.look_up", unknown)
    delivery = await post("http://hook.example/")
    assert (delivery.status, delivery.error) == (None, "the host is not known")


@pytest.mark.parametrize(
    "garbage",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000],
)
async def test_a_broken_answer_is_told(garbage: bytes) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)

    async with receiver(answer) as server:
        delivery = await post(server.url)
    assert delivery.status is None
    assert delivery.error


CLOUDS = """
[fd00:ec2::254] [fd20:ce::254] [fd00:c1::a9fe:a9fe] [fd00:42::42] 168.63.129.16 169.254.169.254 100.100.100.200
[fd00:a9fe:a9fe::1] [fd00:100::100:200] [fd00:ec2::23] [fe80::a9fe:a9fe] [fd12:3456::a9fe:a9fe] [fd12:a9fe:a9fe::7]
192.0.0.192 169.254.0.23 169.254.170.2 [64:ff9b::a9fe:a9fe] [64:ff9b::a83f:8110] [::ffff:a83f:8110] [2002:a83f:8110::1]
0xa83f8110 168.4161808 0250.077.0201.020
"""


@pytest.mark.parametrize("host", CLOUDS.split())
def test_what_clouds_tell_their_machines_is_never_reached(host: str) -> None:
    with pytest.raises(BadRequestError):
        check_form(f"http://{host}/", Reach(private=True))


@pytest.mark.parametrize("host", "10.0.0.7 192.168.1.2 [fd00::5] [fd00:10:244::5] [fd12:3456::a9fe] 127.0.0.1".split())
def test_private_networks_are_reached_where_the_operator_lets_them(host: str) -> None:
    check_form(f"http://{host}/", Reach(private=True))


async def test_a_zone_whose_name_servers_wait_holds_nobody_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, usual, asked = threading.Event(), socket.getaddrinfo, list[str]()

    def resolve(host: Any, *given: Any, **named: Any) -> Any:
        if not str(host).endswith(".slow.example"):
            return usual(host, *given, **named)
        asked.append(str(host))
        go_on.wait(30)
        return usual("127.0.0.1", *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        async with receiver(says("200 OK")) as server:
            stuck = await asyncio.gather(*(post(f"http://{n}.slow.example/", seconds=0.3) for n in range(100)))
            assert {delivery.error for delivery in stuck} == {"timed out"}
            assert len(asked) == MOST_OF_ZONE
            assert (await post(f"http://localhost:{server.port}/", seconds=5)).ok
            # Threads of the event loop are free.
            assert await asyncio.wait_for(asyncio.to_thread(int), 5) == 0
            go_on.set()
            assert (await post(f"http://again.slow.example:{server.port}/", seconds=5)).ok
    finally:
        go_on.set()


async def test_an_organization_with_many_zones_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, usual, asked = threading.Event(), socket.getaddrinfo, list[str]()

    def resolve(host: Any, *given: Any, **named: Any) -> Any:
        if str(host).endswith(".example"):
            asked.append(str(host))
            go_on.wait(30)
        return usual("127.0.0.1", *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        with looking_up_for(1):
            many = [asyncio.create_task(look_up(f"a.slow{n}.example", 80)) for n in range(100)]
        await asyncio.sleep(0.2)
        assert len(asked) == MOST_OF_ORGANIZATION
        with looking_up_for(2):
            assert await asyncio.wait_for(look_up("quick.test", 80), 5)
        assert await asyncio.wait_for(look_up("nobodys.test", 80), 5)
        # A user's request counts for the organization, too; case and a dot at the end make no other zone.
        serving(Member(3, 2))
        more = [
            asyncio.create_task(look_up(f"b{n}.{zone}", 80)) for n in range(5) for zone in ("x.example", "X.Example.")
        ]
        await asyncio.sleep(0.2)
        assert len(asked) == MOST_OF_ORGANIZATION + MOST_OF_ZONE
        go_on.set()
        assert all(await asyncio.wait_for(asyncio.gather(*many, *more), 20))
    finally:
        go_on.set()
