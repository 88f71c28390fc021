"""Requests as values, the errors of failed requests, and the rules for retries."""

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

# Conditions on series keys: by name one value or several, or texts such as `symbol:MSFT,AAPL`.
Moment = datetime | date | str | None
Columns = str | Iterable[str] | None
# A moment whose rows are read: a version of the dataset, or a time.
KnownAt = int | str | datetime | None
Where = Mapping[str, str | int | Iterable[str | int]] | str | Iterable[str] | None
IDEMPOTENCY = "Idempotency-Key"
# Most seconds that a retry waits without asking the caller.
LONGEST_WAIT = 60.0
# Seconds without a byte for imports and inserts, which are silent while they work.
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
        """Whether sending the request twice has the same effect as sending it once."""
        return self.method == "GET" or IDEMPOTENCY in self.headers


def path_of(*parts: str | int) -> str:
    """Builds a path of the parts, each quoted."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def query(**params: Any) -> tuple[tuple[str, str], ...]:
    """Converts parameters to text. None is left out, and sequences are repeated."""
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


def text_of(value: date | str | float | None) -> str | None:
    """Converts a time to text."""
    return None if value is None else _text(value)


def names(columns: str | Iterable[str] | None) -> list[str] | None:
    """Converts `columns`, one name or several, to a list."""
    return None if columns is None else [columns] if isinstance(columns, str) else [*columns]


def conditions(where: Where) -> list[str] | None:
    """Converts conditions on series keys to texts of the API: `{"symbol": ["MSFT", "AAPL"]}` or texts themselves."""
    if not isinstance(where, Mapping):
        return names(where)
    found = []
    for name, values in where.items():
        several = [values] if isinstance(values, str | int) else [*values]
        found.append(f"{_quoted(name)}:{','.join(map(_quoted, several))}")
    return found


def _quoted(value: str | int) -> str:
    """Writes a name or value of a condition, in quotes where it has characters of the notation."""
    text = _text(value)
    plain = text and text == text.strip() and not set(text) & set(',:"')
    return text if plain else '"' + text.replace('"', '""') + '"'


def format_of(target: object, usual: str) -> str:
    """Returns the format by the ending of a file's name, or `usual` without a name or an ending."""
    ending = Path(target).suffix[1:].lower() if isinstance(target, str | PathLike) else ""
    return {"jsonl": "ndjson", "ipc": "arrow", "arrows": "arrow", "": usual}.get(ending, ending)


def given(**members: Any) -> dict[str, Any]:
    """Returns the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def api_error(response: httpx2.Response) -> ApiError:
    """Builds the error of a response that is already read."""
    message, details = _message_of(response)
    status = response.status_code
    return error_class(status)(
        status, message, details, response.headers.get("X-Request-ID"), _retry_after(response.headers)
    )


def _message_of(response: httpx2.Response) -> tuple[str, str | None]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return body["error"], body.get("details")
    if isinstance(body, dict) and body.get("detail"):
        message, _, details = str(body["detail"]).partition(": ")
        return message, details or None
    # The response is not from Atlas, but from a proxy or another server.
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
    """Builds the error of a request without an answer."""
    if isinstance(error, httpx2.TimeoutException):
        return ConnectionFailed("No answer in time", f"{url}: {type(error).__name__}")
    return ConnectionFailed("Connection failed", f"{url}: {error or type(error).__name__}")


def json_of(response: httpx2.Response) -> Any:
    """Decodes the body of an answer.

    Raises DataError: when the body is no JSON, such as from a server that is not Atlas.
    """
    try:
        return response.json()
    except ValueError:
        shown = " ".join(response.text[:100].split())
        raise DataError("Unexpected answer", f"{response.request.url} is no JSON: {shown!r}") from None


@dataclass(frozen=True, slots=True)
class Retry:
    """The rule for retries: after a lost connection, 429, 502, 503 or 504."""

    times: int

    def wait(self, failure: AtlasClientError, attempt: int, *, repeatable: bool = True) -> float | None:
        """Returns seconds before the next attempt after `attempt` (from 0) failed, or None to give up."""
        if not repeatable or attempt >= self.times or not self.temporary(failure):
            return None
        asked = failure.retry_after if isinstance(failure, ApiError) else None
        if asked is not None and asked > LONGEST_WAIT:
            return None
        return backoff(attempt) if asked is None else asked + random.uniform(0, 0.25)

    @staticmethod
    def temporary(failure: AtlasClientError) -> bool:
        """Checks whether the same request may succeed later."""
        return isinstance(failure, ConnectionFailed | RateLimited | Unavailable)


def backoff(attempt: int) -> float:
    """Returns a doubling delay of about 0.25 s to 8 s, with jitter so that clients do not retry at the same time."""
    longest: float = min(8.0, 0.25 * 2.0 ** min(attempt, 10))
    return longest * random.uniform(0.6, 1.0)
