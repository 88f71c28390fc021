"""HTTP to addresses that users give: signed, and guarded against reaching what only the server can reach.

The name is resolved once, every address that came is checked, and the connection goes to a checked
address, so that a second answer of the name server changes nothing. Redirects and proxies are not used.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import secrets
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore
import idna
from standardwebhooks import Webhook

from atlas.errors import BadRequestError

MAX_URL = 2_000
MAX_ANSWER = 64 * 1024
_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "64:ff9b::/96", "2002::/16", "fec0::/10"),
    )
)


class _AddressRefusedError(Exception):
    """An address that is not public."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one attempt. status: of the answer, None where none came; seconds: how long it took."""

    status: int | None
    error: str | None
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Raises BadRequestError for a URL that no webhook can have, by its form alone."""
    if len(url) > MAX_URL or any(
        ord(character) <= 32 or ord(character) == 127 or character == "\\" for character in url
    ):
        raise _bad(f"at most {MAX_URL} characters, without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad("it cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _bad("http or https only")
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        raise _bad("a host is required, without user, password and fragment")
    host = _ascii(parts.hostname)
    address = _literal(host)
    if address is not None:
        if not _allowed(address, allow_loopback=allow_loopback):
            raise _bad("the address is not public")
    elif not allow_loopback and (host == "localhost" or host.endswith((".localhost", ".local", ".internal"))):
        raise _bad("the address is not public")


def _bad(reason: str) -> BadRequestError:
    return BadRequestError("Invalid callback_url", f"callback_url: {reason}")


def _ascii(host: str) -> str:
    try:
        return host.rstrip(".") if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise _bad("the host's name is not valid") from None


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is in any spelling that resolvers take: `127.1`, `0x7f.1`, `2130706433`, `::1`."""
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, allow_loopback: bool) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return allow_loopback
    if any(address.version == net.version and address in net for net in _REFUSED):
        return False
    return address.is_global and not address.is_multicast and not address.is_unspecified


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
        if not addresses or not all(_allowed(a, allow_loopback=self._allow_loopback) for a in addresses):
            raise _AddressRefusedError
        return await self._inner.connect_tcp(str(addresses[0]), port, timeout=timeout, local_address=local_address)

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        raise _AddressRefusedError

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def post_json(
    url: str, body: bytes, *, headers: Mapping[str, str], allow_loopback: bool, seconds: float = 10.0
) -> Delivery:
    """Posts JSON. Never raises for what the network does; `seconds`: for all of it."""
    started = time.monotonic()

    def done(status: int | None, error: str | None) -> Delivery:
        return Delivery(status, error, round(time.monotonic() - started, 3))

    try:
        check_url(url, allow_loopback=allow_loopback)
        async with asyncio.timeout(seconds):
            status = await _post(url, body, headers, allow_loopback=allow_loopback)
    except BadRequestError as error:
        return done(None, error.details)
    except _AddressRefusedError:
        return done(None, "the address is not public")
    except (TimeoutError, httpcore.TimeoutException):
        return done(None, "timed out")
    except (socket.gaierror, UnicodeError):
        return done(None, "the host is not known")
    except ssl.SSLError:
        return done(None, "no valid certificate")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return done(None, "no valid certificate" if "CERTIFICATE" in str(error) else "no connection")
    if 300 <= status < 400:
        return done(status, "redirects are not followed")
    return done(status, None if status < 300 else f"answered {status}")


async def _post(url: str, body: bytes, headers: Mapping[str, str], *, allow_loopback: bool) -> int:
    sent = {"Content-Type": "application/json", "User-Agent": "Atlas-Webhook/1", **headers}
    backend = _GuardedBackend(allow_loopback=allow_loopback)
    async with httpcore.AsyncConnectionPool(network_backend=backend, http2=False, max_connections=1) as pool:
        async with pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            seen = 0
            async for chunk in response.aiter_stream():
                seen += len(chunk)
                if seen > MAX_ANSWER:
                    break
            return int(response.status)


def signed_headers(secret: str, message_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks (standardwebhooks.com) for a body; `secret`: `whsec_…`."""
    signature = Webhook(secret).sign(message_id, timestamp, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": signature,
    }


def new_secret() -> str:
    """A secret to sign with."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
