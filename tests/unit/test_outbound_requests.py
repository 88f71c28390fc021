"""Webhook requests: what is refused, what is sent, and what comes of it. Real servers on loopback answer."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from atlas.errors import BadRequestError
from atlas.kit.ssrf import MAX_URL, check_url
from atlas.webhooks.sender import Delivery, new_secret, post_json, signed_headers

pytestmark = pytest.mark.anyio

BODY = b'{"status": "success"}'
# How a connection ends where the other side leaves.
ENDS = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

BAD = """
http://127.0.0.1/ http://127.1/ http://127.0.1/ http://127.255.255.254/ http://2130706433/ http://0177.0.0.1/
http://017700000001/ http://0x7f.1/ http://0x7f000001/ http://0X7F.0.0.1/ http://127.0.0.1./ http://localhost/
http://LocalHost/ http://localhost./ http://a.localhost/ http://printer.local/ http://metadata.google.internal/
http://[::1]/ http://[0:0:0:0:0:0:0:1]/ http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::ffff:10.0.0.1]/
http://[::]/ http://0/ http://0.0.0.0/ http://10.0.0.1/ http://10.1/ http://167772161/ http://172.16.0.1/
http://172.31.255.255/ http://192.168.1.1/ http://0xc0a80101/ http://169.254.169.254/latest http://2852039166/
http://0xa9fea9fe/ http://0251.0376.0251.0376/ http://[::ffff:169.254.169.254]/ http://[fd00:ec2::254]/
http://[fe80::1]/ http://[fe80::1%25eth0]/ http://[fe80::1%eth0]/ http://[fc00::1]/ http://[fec0::1]/
http://[ff02::1]/ http://[2001:db8::1]/ http://[64:ff9b::7f00:1]/ http://[64:ff9b::a00:1]/ http://[2002:7f00:1::]/
http://[2002:a00:1::1]/ http://[2001:0:7f00:1::]/ http://100.64.0.1/ http://192.0.0.1/ http://192.0.0.9/
http://192.0.2.1/ http://198.18.0.1/ http://198.51.100.1/ http://203.0.113.1/ http://224.0.0.1/ http://240.0.0.1/
http://255.255.255.255/ http://user:pw@example.com/ http://user@example.com/ http://@example.com/
http://example.com@127.0.0.1/ http://example.com/#part http://example.com:0/ http://example.com:65536/
http://example.com:abc/ http://example.com:-1/ ftp://example.com/ file:///etc/passwd gopher://example.com/
javascript:alert(1) //example.com/ example.com nonsense https:// http:///path http://?a http://[::1/ http:example.com
http://example.com\\@127.0.0.1/ http://１２７.0.0.1/ http://127。0。0。1/ http://①②⑦.0.0.1/ http://ｌｏｃａｌｈｏｓｔ/
http://xn--\u00fc.example/ http://\u2488com/
""".split()
BAD += ["", " ", "http://exa mple.com/", "http://example.com/a b", "http://example.com/\r\nX: y", "http://a\tb/"]
BAD += ["http://example.com/\x00", "http://\u00a0/", "http://example.com/" + "a" * MAX_URL]

GOOD = [
    "http://example.com",
    "https://example.com/",
    "https://example.com:8443/hook?a=1&b=%20c",
    "HTTPS://EXAMPLE.COM/",
    "http://example.com:1/",
    "http://example.com:65535/",
    "http://example.com./",
    "https://hooks.example.co.uk/a/b/c",
    "http://8.8.8.8/",
    "http://1.1.1.1:8080/x",
    "http://134744072/",
    "http://[2606:4700:4700::1111]/",
    "http://[2606:4700:4700::1111]:8443/x",
    "http://[::ffff:8.8.8.8]/",
    "https://bücher.example/",
    "https://例え.jp/",
    "https://xn--bcher-kva.example/",
    "http://foo-bar.example/",
    "http://172.32.0.1/",
    "http://100.128.0.1/",
    "http://localhost.example.com/",
    "http://10.example.com/",
    "https://example.com/~a/@b:c;d?e=[f]",
]

LOOPBACK = [
    "http://127.0.0.1/",
    "http://127.9.9.9:8000/",
    "http://localhost:8000/x",
    "http://a.localhost/",
    "http://[::1]:80/",
    "http://2130706433/",
    "http://[::ffff:127.0.0.1]/",
]

STILL_BAD = [
    "http://169.254.169.254/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://100.64.0.1/",
    "http://[::ffff:169.254.169.254]/",
    "http://224.0.0.1/",
    "ftp://localhost/",
    "http://user@localhost/",
    "http://localhost/#part",
]


@pytest.mark.parametrize("url", BAD, ids=ascii)
def test_bad_urls_are_refused(url: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_url(url, allow_loopback=False)
    assert caught.value.message == "Invalid callback_url"
    assert caught.value.details


@pytest.mark.parametrize("url", GOOD, ids=ascii)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_good_urls_pass(url: str, allow_loopback: bool) -> None:
    check_url(url, allow_loopback=allow_loopback)


@pytest.mark.parametrize(("url", "passes"), [(u, True) for u in LOOPBACK] + [(u, False) for u in STILL_BAD])
def test_only_loopback_passes_where_it_is_allowed(url: str, passes: bool) -> None:
    with contextlib.nullcontext() if passes else pytest.raises(BadRequestError):
        check_url(url, allow_loopback=True)
    with pytest.raises(BadRequestError):
        check_url(url, allow_loopback=False)


class Receiver:
    """A server on loopback. seen: requests as they came, without bodies; bodies: the bodies; sent: bytes given."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.port, self.sent = answer, 0, 0
        self.seen: list[str] = []
        self.bodies: list[bytes] = []
        self.names: list[str | None] = []
        self._open: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(*ENDS, asyncio.CancelledError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
                self.seen.append(head)
                self.bodies.append(await reader.readexactly(length))
                await self.answer(writer)
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(*ENDS):
                await writer.wait_closed()
            self._open.discard(task)

    async def stop(self) -> None:
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@contextlib.asynccontextmanager
async def receiver(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A running Receiver."""
    made = Receiver(answer)
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.stop()
        await server.wait_closed()


def says(status: str, *headers: str, body: bytes = b"{}") -> Answer:
    """An answer with a body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
        writer.write(head.encode() + b"\r\n\r\n" + body)

    return answer


async def post(url: str, *, allow_loopback: bool = True, seconds: float = 5.0, **headers: str) -> Delivery:
    return await post_json(url, BODY, headers=headers, allow_loopback=allow_loopback, seconds=seconds)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Names:
    """A name server. answers: addresses to give, one list a call, the last one for good; calls: names asked for."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.calls = list(answers), list[str]()

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        self.calls.append(host if isinstance(host, str) else host.decode())
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in given]
        return [(f, socket.SOCK_STREAM, 6, "", (each, port)) for f, each in zip(families, given, strict=True)]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    """Puts a name server in place of the system's, for the loop that runs."""

    def put(*answers: list[str]) -> Names:
        names = Names(*answers)
        monkeypatch.setattr("atlas.kit.ssrf.look_up", names.getaddrinfo)
        return names

    return put


async def test_a_request_arrives_as_it_was_given() -> None:
    async with receiver(says("200 OK")) as server:
        delivery = await post(server.url + "?a=1&b=%20", **{"webhook-id": "msg_1"})
    assert (delivery.status, delivery.error, delivery.ok) == (200, None, True)
    assert 0 <= delivery.seconds < 5
    head = server.seen[0].lower()
    assert head.startswith("post /hook?a=1&b=%20 http/1.1\r\n")
    for line in (f"host: 127.0.0.1:{server.port}", "content-type: application/json", "webhook-id: msg_1"):
        assert head.split("\r\n").count(line) == 1
    assert server.bodies == [BODY]


@pytest.mark.parametrize(("status", "ok"), [("204 No Content", True), ("404 Not Found", False), ("500 Oops", False)])
async def test_other_answers(status: str, ok: bool) -> None:
    async with receiver(says(status, body=b"")) as server:
        delivery = await post(server.url)
    number = int(status[:3])
    assert (delivery.status, delivery.ok) == (number, ok)
    assert delivery.error == (None if ok else f"answered {number}")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Again"])
async def test_redirects_are_not_followed(status: str) -> None:
    async with receiver(says("200 OK")) as elsewhere:
        async with receiver(says(status, f"Location: {elsewhere.url}")) as server:
            delivery = await post(server.url)
        assert elsewhere.seen == []
    assert (delivery.status, delivery.error, delivery.ok) == (int(status[:3]), "redirects are not followed", False)


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def trickling(writer: asyncio.StreamWriter) -> None:
    """Each read ends soon, but the whole never does."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [silent, trickling])
async def test_a_slow_server_times_out(answer: Answer) -> None:
    async with receiver(answer) as server:
        delivery = await post(server.url, seconds=0.4)
    assert (delivery.status, delivery.error) == (None, "timed out")
    assert 0.3 < delivery.seconds < 3


async def test_a_closed_port_is_told() -> None:
    delivery = await post(f"http://127.0.0.1:{closed_port()}/")
    assert delivery.status is None
    assert delivery.error in ("connection refused", "no connection")


async def test_an_endless_answer_is_cut_off() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
            server.sent += 4096

    async with receiver(endless) as server:
        delivery = await post(server.url)
    assert delivery.ok
    assert delivery.seconds < 4
    # What was read is 64 KiB; the rest waited in the buffers of both sockets.
    assert server.sent < 32 * 1024 * 1024


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(says("418 Proxy")) as proxy, receiver(says("200 OK")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await post(server.url)).status == 200
        assert proxy.seen == []


async def test_loopback_is_refused_unless_allowed() -> None:
    async with receiver(says("200 OK")) as server:
        for url in (server.url, f"http://localhost:{server.port}/", f"http://0x7f.1:{server.port}/"):
            delivery = await post(url, allow_loopback=False)
            assert (delivery.status, delivery.ok) == (None, False)
            assert "not public" in (delivery.error or "")
        assert server.seen == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
        ["2606:4700::1111", "10.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["169.254.169.254"],
        ["64:ff9b::a00:1"],
        [],
    ],
    ids=str,
)
async def test_a_name_with_any_address_that_is_not_public_is_refused(
    addresses: list[str], named: Callable[..., Names]
) -> None:
    async with receiver(says("200 OK")) as server:
        names = named(addresses)
        url = f"http://hook.example:{server.port}/"
        check_url(url, allow_loopback=False)
        delivery = await post(url, allow_loopback=False)
        assert (delivery.status, delivery.error) == (None, "the address is not public")
        assert (names.calls, server.seen) == (["hook.example"], [])
        if "10.0.0.1" in addresses:
            assert (await post(url)).error == "the address is not public"


async def test_a_second_answer_of_the_name_server_changes_nothing(
    named: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[Any, Any]] = []

    async def connect(_: Any, host: Any = None, port: Any = None, **__: Any) -> Any:
        tried.append((host, port))
        raise ConnectionRefusedError

    names = named(["93.184.216.34"], ["127.0.0.1"])
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
    delivery = await post("http://hook.example:8080/", allow_loopback=False)
    assert delivery.status is None
    assert tried == [("93.184.216.34", 8080)]
    assert names.calls == ["hook.example"]


async def test_the_name_is_kept_though_the_address_is_pinned(named: Callable[..., Names]) -> None:
    async with receiver(says("200 OK")) as server:
        names = named(["127.0.0.1"], ["93.184.216.34"])
        assert (await post(f"http://hook.example:{server.port}/")).ok
        assert names.calls == ["hook.example"]
        assert f"host: hook.example:{server.port}\r\n" in server.seen[0].lower()


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's TLS for a name, signed by itself; `folder/ca.pem` becomes the certificate to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


async def test_tls_is_for_the_name_and_not_for_the_address(
    tmp_path: Path, named: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate(tmp_path, "hook.example")
    async with receiver(says("200 OK"), context) as server:
        named(["127.0.0.1"])
        # Nobody has made it trusted yet.
        assert "certificate" in str((await post(f"https://hook.example:{server.port}/")).error)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with receiver(says("200 OK"), context) as server:
        context.sni_callback = lambda _, name, __: server.names.append(name)
        named(["127.0.0.1"])
        assert (await post(f"https://hook.example:{server.port}/")).status == 200
        assert server.names == ["hook.example"]
        for url in (f"https://other.example:{server.port}/", f"https://127.0.0.1:{server.port}/"):
            delivery = await post(url)
            assert delivery.status is None
            assert "certificate" in (delivery.error or "")
        assert len(server.seen) == 1


def test_a_signature_verifies() -> None:
    secret = new_secret()
    headers = signed_headers(secret, "msg_1", datetime.now(UTC), BODY)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)
    for checker, body in ((Webhook(new_secret()), BODY), (Webhook(secret), BODY + b" ")):
        with pytest.raises(WebhookVerificationError):
            checker.verify(body, headers)


async def test_a_signature_verifies_after_the_wire() -> None:
    secret = new_secret()
    async with receiver(says("200 OK")) as server:
        assert (await post(server.url, **signed_headers(secret, "msg_1", datetime.now(UTC), BODY))).ok
    lines = (line.split(": ", 1) for line in server.seen[0].split("\r\n")[1:] if line)
    Webhook(secret).verify(server.bodies[0], {name.lower(): value for name, value in lines})


def test_secrets_are_long_and_differ() -> None:
    made = {new_secret() for _ in range(10)}
    assert len(made) == 10
    for secret in made:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret[6:], validate=True)) >= 24
