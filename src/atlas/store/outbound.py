"""HTTP to addresses that users give: signed, and guarded against reaching what only the server can reach.

The name is resolved once, every address that came is checked, and the connection goes to a checked
address, so that a second answer of the name server changes nothing. Redirects and proxies are not used.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import math
import re
import secrets
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import idna
from standardwebhooks import Webhook

from atlas.errors import BadRequestError

MAX_URL = 2_000
MAX_ANSWER = 64 * 1024
MAX_ADDRESSES = 4
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# `is_global` differs between releases of Python, so what must never be reached is listed as well.
_REFUSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
         "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    )
)  # fmt: skip
_REFUSED_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# All that is global unicast lies here, so the IPv4 in `::127.0.0.1` or `64:ff9b:1::` is never reached.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback")
_LOCAL_ZONES = (".local", ".internal", ".localdomain", ".home.arpa")


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


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL as it is sent. host: ASCII name or canonical address, without brackets; path: with the query, ASCII."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Raises BadRequestError for a URL that no webhook can have, by its form alone."""
    _target(url, allow_loopback=allow_loopback)


def _target(url: str, *, allow_loopback: bool) -> _Target:
    """The parts of a checked URL. One parser serves the check and the request, so that they cannot disagree."""
    if len(url) > MAX_URL or any(not char.isprintable() or char.isspace() or char == "\\" for char in url):
        raise _bad(f"at most {MAX_URL} characters, without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad("it cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _bad("http or https only")
    if not parts.hostname or "@" in parts.netloc or "#" in url or port == 0 or parts.netloc.endswith(":"):
        raise _bad("a host is required, without user, password and fragment")
    host = _host(parts.hostname, bracketed="[" in parts.netloc, allow_loopback=allow_loopback)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(parts.scheme, host, port, quote(path, safe="/?:@!$&'()*+,;=%-._~[]"))


def _bad(reason: str) -> BadRequestError:
    return BadRequestError("Invalid callback_url", f"callback_url: {reason}")


def _host(host: str, *, bracketed: bool, allow_loopback: bool) -> str:
    """A host as it is resolved: an address in its one canonical spelling, or a name in ASCII without the last dot."""
    if not bracketed:
        host = _ascii(host)
    address = _literal(host, bracketed=bracketed)
    if address is not None:
        if not _allowed(address, allow_loopback=allow_loopback):
            raise _bad("the address is not public")
        return str(address)
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        if not allow_loopback:
            raise _bad("the address is not public")
    elif host.endswith(_LOCAL_ZONES):
        raise _bad("the address is not public")
    return host


def _ascii(host: str) -> str:
    """A name in ASCII, in lower case. Raises BadRequestError where it has none."""
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode()
        name = name.lower().removesuffix(".")
        labels = name.split(".")
        if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise _bad("the host's name is not valid")
        for label in labels:
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise _bad("the host's name is not valid") from None
    return name


def _literal(host: str, *, bracketed: bool) -> _Address | None:
    """The address that a host is in any spelling that resolvers take: `127.1`, `0x7f.1`, `2130706433`, `::1`."""
    try:
        if bracketed:
            # A zone names an interface of this machine, which no public address has.
            if "%" in host:
                raise _bad("the address is not public")
            return ipaddress.IPv6Address(host)
        # Resolvers differ on what ends in a number and yet is no address, so it never counts as a name.
        if _NUMBER.fullmatch(host.rsplit(".", 1)[-1]):
            return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        raise _bad("the address is not valid") from None
    return None


def _plain(address: _Address) -> _Address:
    """The IPv4 address that an IPv4-mapped one stands for; others as they are."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _allowed(address: _Address, *, allow_loopback: bool) -> bool:
    address = _plain(address)
    if address.is_loopback:
        return allow_loopback
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            # Networks with IPv6 alone reach public IPv4 this way.
            return _public_v4(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        return address in _UNICAST_V6 and address.is_global and not any(address in net for net in _REFUSED_V6)
    return _public_v4(address)


def _public_v4(address: ipaddress.IPv4Address) -> bool:
    refused = address.is_multicast or address.is_loopback or any(address in net for net in _REFUSED_V4)
    return address.is_global and not refused


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. seconds: for all attempts to connect together."""

    def __init__(self, *, allow_loopback: bool, seconds: float) -> None:
        self._allow_loopback = allow_loopback
        self._seconds = seconds
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        addresses = await self._resolve(host, port)
        # One dead address, often an IPv6 one, must not use up the time of the next.
        share = self._seconds / len(addresses)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._inner.connect_tcp(str(address), port, timeout=share, local_address=local_address)
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout=timeout, local_address=local_address)

    async def _resolve(self, host: str, port: int) -> list[_Address]:
        """Addresses to try, in order. Raises _AddressRefusedError where any that came is not public."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
        if not addresses or not all(_allowed(a, allow_loopback=self._allow_loopback) for a in addresses):
            raise _AddressRefusedError
        return list(dict.fromkeys(map(_plain, addresses)))[:MAX_ADDRESSES]

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        raise _AddressRefusedError

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def post_json(
    url: str, body: bytes, *, headers: Mapping[str, str], allow_loopback: bool, seconds: float = 10.0
) -> Delivery:
    """Posts JSON. Never raises for what the network does; `seconds`: for all of it."""
    started = time.monotonic()
    status, error = await _attempt(url, body, headers, allow_loopback=allow_loopback, seconds=seconds)
    return Delivery(status, error, round(time.monotonic() - started, 3))


async def _attempt(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_loopback: bool, seconds: float
) -> tuple[int | None, str | None]:
    """Status and error of one attempt."""
    try:
        target = _target(url, allow_loopback=allow_loopback)
        async with asyncio.timeout(seconds):
            status = await _post(target, body, headers, allow_loopback=allow_loopback, seconds=seconds)
    except BadRequestError as error:
        return None, error.details
    except _AddressRefusedError:
        return None, "the address is not public"
    except (TimeoutError, httpcore.TimeoutException):
        return None, "timed out"
    except (socket.gaierror, UnicodeError):
        return None, "the host is not known"
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return None, _reason(error)
    if 300 <= status < 400:
        return status, "redirects are not followed"
    return status, None if 200 <= status < 300 else f"answered {status}"


def _reason(error: BaseException | None) -> str:
    """What went wrong, in plain words: the cause tells more than what wraps it, and no text of theirs is shown."""
    protocol = isinstance(error, httpcore.ProtocolError)
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "certificate is not valid"
        if isinstance(error, ssl.SSLError):
            return "no secure connection"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused"
        error = error.__cause__ or error.__context__
    return "the answer is not valid HTTP" if protocol else "no connection"


async def _post(
    target: _Target, body: bytes, headers: Mapping[str, str], *, allow_loopback: bool, seconds: float
) -> int:
    """The answer's status. Its body is read up to MAX_ANSWER bytes and thrown away."""
    sent = {"content-type": "application/json", "user-agent": "Atlas-Webhook/1"}
    sent |= {name.lower(): value for name, value in headers.items()} | {"host": target.netloc}
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    backend = _GuardedBackend(allow_loopback=allow_loopback, seconds=seconds)
    async with httpcore.AsyncConnectionPool(network_backend=backend, http2=False, max_connections=1) as pool:
        async with pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            seen = 0
            async for chunk in response.aiter_stream():
                seen += len(chunk)
                if seen >= MAX_ANSWER:
                    break
            return int(response.status)


def signed_headers(secret: str, message_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks (standardwebhooks.com) for a body in UTF-8.

    `secret`: `whsec_…`; `timestamp`: in any zone, without one it is UTC.
    """
    # `sign` replaces the zone instead of converting to UTC, so it is given UTC.
    moment = timestamp.replace(tzinfo=UTC) if timestamp.tzinfo is None else timestamp.astimezone(UTC)
    signature = Webhook(secret).sign(message_id, moment, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(math.floor(moment.timestamp())),
        "webhook-signature": signature,
    }


def new_secret() -> str:
    """A secret to sign with."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
