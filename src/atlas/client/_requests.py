"""Requests as values, what their failures mean, and when they are sent again."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from os import PathLike
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx2

from atlas.client.errors import (
    ApiError,
    AtlasClientError,
    ConnectionFailed,
    DataError,
    RateLimited,
    Unavailable,
    error_class,
)

IDEMPOTENCY = "Idempotency-Key"
# Longer than this the server need not be waited for without the caller knowing.
LONGEST_WAIT = 60.0
# Imports and inserts are silent while they work.
SLOW_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Call:
    """A request. body: a Path is read anew for each attempt; timeout: seconds without a byte, None for the client's."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: Any = None
    body: bytes | Path | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, IO[bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.method == "GET" or IDEMPOTENCY in self.headers


def path_of(*parts: str | int) -> str:
    """A path of the parts, each quoted."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def query(**params: Any) -> tuple[tuple[str, str], ...]:
    """Parameters as text: None is left out, sequences are repeated."""
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, list | tuple):
            found += [(name, _text(item)) for item in value]
        elif value is not None:
            found.append((name, _text(value)))
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def names(columns: str | Iterable[str] | None) -> list[str] | None:
    """`columns` as it may be given: one name or several."""
    return None if columns is None else [columns] if isinstance(columns, str) else [*columns]


def format_of(target: object, usual: str) -> str:
    """The format that a file's name ends in; `usual` for a name without an ending, and for what has no name."""
    ending = Path(target).suffix[1:].lower() if isinstance(target, str | PathLike) else ""
    return {"jsonl": "ndjson", "ipc": "arrow", "arrows": "arrow", "": usual}.get(ending, ending)


def given(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def api_error(response: httpx2.Response) -> ApiError:
    """The error that a response (read already) is."""
    message, details = _told(response)
    status = response.status_code
    return error_class(status)(
        status, message, details, response.headers.get("X-Request-ID"), _retry_after(response.headers)
    )


def _told(response: httpx2.Response) -> tuple[str, str | None]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return body["error"], body.get("details")
    if isinstance(body, dict) and body.get("detail"):
        message, _, details = str(body["detail"]).partition(": ")
        return message, details or None
    # Not Atlas: a proxy before it, or another server altogether.
    return f"HTTP {response.status_code} {response.reason_phrase}".strip(), " ".join(
        response.text[:200].split()
    ) or None


def _retry_after(headers: httpx2.Headers) -> float | None:
    text = headers.get("Retry-After")
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def connection_failed(url: str, error: Exception) -> ConnectionFailed:
    """What became of a request that has no answer."""
    if isinstance(error, httpx2.TimeoutException):
        return ConnectionFailed("No answer in time", f"{url}: {type(error).__name__}")
    return ConnectionFailed("Connection failed", f"{url}: {error or type(error).__name__}")


def json_of(response: httpx2.Response) -> Any:
    """The body of an answer. Raises DataError where it is no JSON, as of a server that is not Atlas."""
    try:
        return response.json()
    except ValueError:
        shown = " ".join(response.text[:100].split())
        raise DataError("Unexpected answer", f"{response.request.url} is no JSON: {shown!r}") from None


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is sent again: after a lost connection, 429, 502, 503, 504."""

    times: int

    def wait(self, failure: AtlasClientError, attempt: int, *, repeatable: bool = True) -> float | None:
        """Seconds before the next attempt, after `attempt` (from 0) failed; None to give up."""
        if not repeatable or attempt >= self.times or not self.temporary(failure):
            return None
        asked = failure.retry_after if isinstance(failure, ApiError) else None
        if asked is not None and asked > LONGEST_WAIT:
            return None
        return backoff(attempt) if asked is None else asked + random.uniform(0, 0.25)

    @staticmethod
    def temporary(failure: AtlasClientError) -> bool:
        """Whether the same request may succeed later."""
        return isinstance(failure, ConnectionFailed | RateLimited | Unavailable)


def backoff(attempt: int) -> float:
    """Doubling, with jitter so that many clients do not come back at once: about 0.25 s to 8 s."""
    longest: float = min(8.0, 0.25 * 2.0 ** min(attempt, 10))
    return longest * random.uniform(0.6, 1.0)
