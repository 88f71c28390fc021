"""Guards HTTP requests to user-supplied addresses against server-side request forgery (SSRF).

The name is resolved once, every returned address is checked, and the connection goes to a checked address. So a second
answer of the name server changes nothing. Redirects and proxies are not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore2
import idna

from atlas.errors import BadRequestError
from atlas.kit.name_lookup import look_up

MAX_URL = 2_000
MAX_ADDRESSES = 4
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# `is_global` differs between releases of Python, so addresses that must never be reached are listed as well.
_REFUSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_REFUSED_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# All global unicast addresses lie here, so the IPv4 address in `::127.0.0.1` or `64:ff9b:1::` is never reached.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback")
_LOCAL_ZONES = (".local", ".internal", ".localdomain", ".home.arpa")


# Private networks, where a local model server may be. Link-local addresses are never allowed, because clouds hand out
# credentials there.
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
# Clouds also hand out credentials at addresses that look private: Amazon, Google, Oracle, Scaleway, Akamai and Alibaba.
# Azure's address looks public.
_METADATA_V6 = ("fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32", "fd00:42::/32", "fd00:a9fe::/32", "fd00:100::/64")
_METADATA = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", *_METADATA_V6)))
# Other clouds embed 169.254.169.254 in an IPv6 address.
_LINK_LOCAL_METADATA = ipaddress.IPv4Address("169.254.169.254").packed


class AddressRefusedError(Exception):
    """An address that is not public."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The addresses that a URL may lead to.

    field: the parameter that errors name. loopback: this machine is allowed, too. private: private networks and this
    machine are allowed, too. anywhere: every address is allowed, because the operator chose it. secure: https only.
    """

    field: str = "callback_url"
    loopback: bool = False
    private: bool = False
    anywhere: bool = False
    secure: bool = False

    def allows(self, address: _Address) -> bool:
        address = plain_address(address)
        if self.anywhere:
            return True
        if address.is_loopback:
            return self.loopback or self.private
        if _metadata(address):
            return False
        return (self.private and _private(address)) or _public(address)

    def refuse_local(self) -> BadRequestError:
        """Builds the error for an address of this machine."""
        if self.field != "callback_url":
            return self.refuse("the address is not public")
        return self.refuse(
            "the address is not public but this machine's own; ATLAS_WEBHOOK_LOOPBACK=true lets webhooks go there"
        )

    def refuse(self, reason: str) -> BadRequestError:
        return BadRequestError(f"Invalid {self.field}", f"{self.field}: {reason}")


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL as sent.

    host: ASCII name or canonical address, without brackets. path: includes the query, ASCII.
    """

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
    target_of(url, Reach(loopback=allow_loopback))


def check_form(url: str, reach: Reach) -> None:
    """Raises BadRequestError for a URL outside `reach`, by its form alone."""
    target_of(url, reach)


async def check_reach(url: str, reach: Reach, *, seconds: float = 5.0) -> None:
    """Raises BadRequestError for a URL outside `reach`, by its form or by the addresses of its name.

    An unknown name passes, because each connection resolves and checks the name again.
    """
    target = target_of(url, reach)
    backend = GuardedBackend(reach, seconds=seconds)
    try:
        async with asyncio.timeout(seconds):
            await backend.resolve(target.host, target.port or 443)
    except AddressRefusedError:
        raise reach.refuse("the address is not public") from None
    except (OSError, UnicodeError):  # TimeoutError is an OSError.
        return


def target_of(url: str, reach: Reach) -> Target:
    """Parses and checks a URL. One parser serves the check and the request, so that they cannot disagree.

    Raises BadRequestError for a URL outside `reach`, by its form alone.
    """
    if len(url) > MAX_URL or any(not char.isprintable() or char.isspace() or char == "\\" for char in url):
        raise reach.refuse(f"at most {MAX_URL} characters, without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise reach.refuse("it cannot be read") from None
    if parts.scheme != "https" and (reach.secure or parts.scheme != "http"):
        raise reach.refuse("https only" if reach.secure else "http or https only")
    if not parts.hostname or "@" in parts.netloc or "#" in url or port == 0 or parts.netloc.endswith(":"):
        raise reach.refuse("a host is required, without user, password and fragment")
    host = _host(parts.hostname, reach, bracketed="[" in parts.netloc)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, quote(path, safe="/?:@!$&'()*+,;=%-._~[]"))


def _host(host: str, reach: Reach, *, bracketed: bool) -> str:
    """Returns the host to resolve: an address in canonical form, or a name in ASCII without the final dot."""
    if not bracketed:
        host = _ascii(host, reach)
    address = _literal(host, reach, bracketed=bracketed)
    if address is not None:
        if not reach.allows(address):
            raise (
                reach.refuse_local()
                if plain_address(address).is_loopback
                else reach.refuse("the address is not public")
            )
        return str(address)
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        if not (reach.loopback or reach.private or reach.anywhere):
            raise reach.refuse_local()
    elif host.endswith(_LOCAL_ZONES) and not (reach.private or reach.anywhere):
        raise reach.refuse("the address is not public")
    return host


def _ascii(host: str, reach: Reach) -> str:
    """Converts a name to lower-case ASCII. Raises BadRequestError when that is not possible."""
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode()
        name = name.lower().removesuffix(".")
        labels = name.split(".")
        if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise reach.refuse("the host's name is not valid")
        for label in labels:
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise reach.refuse("the host's name is not valid") from None
    return name


def _literal(host: str, reach: Reach, *, bracketed: bool) -> _Address | None:
    """Parses an address in any spelling that resolvers accept: `127.1`, `0x7f.1`, `2130706433`, `::1`.

    Returns None for a name.
    """
    try:
        if bracketed:
            # A zone names an interface of this machine; public addresses have none.
            if "%" in host:
                raise reach.refuse("the address is not public")
            return ipaddress.IPv6Address(host)
        # Resolvers differ on texts that end in a number and are no address, so such texts never count as names.
        if _NUMBER.fullmatch(host.rsplit(".", 1)[-1]):
            return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        raise reach.refuse("the address is not valid") from None
    return None


def plain_address(address: _Address) -> _Address:
    """Returns the IPv4 address of an IPv4-mapped address, and other addresses unchanged."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            # IPv6-only networks reach public IPv4 addresses this way.
            return _public_v4(_last_v4(address))
        return address in _UNICAST_V6 and address.is_global and not any(address in net for net in _REFUSED_V6)
    return _public_v4(address)


def _private(address: _Address) -> bool:
    return any(address in net for net in _PRIVATE)


def _public_v4(address: ipaddress.IPv4Address) -> bool:
    refused = address.is_multicast or address.is_loopback or any(address in net for net in _REFUSED_V4)
    return address.is_global and not refused


def _metadata(address: _Address) -> bool:
    """Returns whether clouds hand out credentials at an address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return _metadata(_last_v4(address))
        if _LINK_LOCAL_METADATA in address.packed:
            return True
    return any(address in net for net in _METADATA)


def _last_v4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    """Returns the IPv4 address in the last four bytes of an IPv6 address."""
    return ipaddress.IPv4Address(address.packed[-4:])


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only. seconds: the time for all connection attempts together."""

    def __init__(self, reach: Reach, *, seconds: float) -> None:
        self._reach = reach
        self._seconds = seconds
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self.resolve(host, port)
        # A dead address, often an IPv6 address, must not use up the time of the next.
        share = self._seconds / len(addresses)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._inner.connect_tcp(str(address), port, timeout=share, local_address=local_address)
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout=timeout, local_address=local_address)

    async def resolve(self, host: str, port: int) -> list[_Address]:
        """Returns addresses to try, in order. Raises AddressRefusedError when any address is outside the reach."""
        found = await look_up(host, port)
        addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
        if not addresses or not all(map(self._reach.allows, addresses)):
            raise AddressRefusedError
        return list(dict.fromkeys(map(plain_address, addresses)))[:MAX_ADDRESSES]

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        raise AddressRefusedError

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


NETWORK_ERRORS = (
    AddressRefusedError,
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    OSError,
    UnicodeError,
)


def network_reason(error: BaseException | None) -> str:
    """Describes an error in plain words.

    The cause is more precise than its wrappers; no text of the errors is shown.
    """
    if isinstance(error, AddressRefusedError):
        return "the address is not public"
    if isinstance(error, (TimeoutError, httpcore2.TimeoutException)):
        return "timed out"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "the host is not known"
    protocol = isinstance(error, httpcore2.ProtocolError)
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "certificate is not valid"
        if isinstance(error, ssl.SSLError):
            return "no secure connection"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused"
        error = error.__cause__ or error.__context__
    return "the answer is not valid HTTP" if protocol else "no connection"
