"""Posts events to the URLs of receivers, signed."""

from __future__ import annotations

import asyncio
import base64
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpcore2
from standardwebhooks import Webhook

from atlas.errors import BadRequestError
from atlas.kit.ssrf import NETWORK_ERRORS, GuardedBackend, Reach, Target, network_reason, target_of

MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of one attempt. status: of the response, or None without a response; seconds: duration."""

    status: int | None
    error: str | None
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def post_json(
    url: str, body: bytes, *, headers: Mapping[str, str], allow_loopback: bool, seconds: float = 10.0
) -> Delivery:
    """Posts JSON within `seconds` in all. Never raises an error of the network."""
    started = time.monotonic()
    status, error = await _attempt(url, body, headers, Reach(loopback=allow_loopback), seconds=seconds)
    return Delivery(status, error, round(time.monotonic() - started, 3))


async def _attempt(
    url: str, body: bytes, headers: Mapping[str, str], reach: Reach, *, seconds: float
) -> tuple[int | None, str | None]:
    """Makes one attempt, and returns its status and error."""
    try:
        target = target_of(url, reach)
        async with asyncio.timeout(seconds):
            status = await _post(target, body, headers, GuardedBackend(reach, seconds=seconds))
    except BadRequestError as error:
        return None, error.details
    except NETWORK_ERRORS as error:
        return None, network_reason(error)
    if 300 <= status < 400:
        return status, "redirects are not followed"
    return status, None if 200 <= status < 300 else f"answered {status}"


async def _post(target: Target, body: bytes, headers: Mapping[str, str], backend: GuardedBackend) -> int:
    """Posts a body, and returns the response's status. Reads and discards up to MAX_ANSWER bytes of the response."""
    sent = {"content-type": "application/json", "user-agent": "Atlas-Webhook/1"}
    sent |= {name.lower(): value for name, value in headers.items()} | {"host": target.netloc}
    url = httpcore2.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    async with httpcore2.AsyncConnectionPool(network_backend=backend, http2=False, max_connections=1) as pool:
        async with pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            seen = 0
            async for chunk in response.aiter_stream():
                seen += len(chunk)
                if seen >= MAX_ANSWER:
                    break
            return int(response.status)


def signed_headers(secret: str, message_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """Builds the headers of Standard Webhooks (standardwebhooks.com) for a body in UTF-8.

    `secret` is `whsec_…`. `timestamp` is in any zone, or in UTC without a zone.
    """
    # `sign` replaces the zone instead of converting to UTC, and therefore gets UTC.
    moment = timestamp.replace(tzinfo=UTC) if timestamp.tzinfo is None else timestamp.astimezone(UTC)
    signature = Webhook(secret).sign(message_id, moment, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(math.floor(moment.timestamp())),
        "webhook-signature": signature,
    }


def new_secret() -> str:
    """Makes a secret for signatures."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
