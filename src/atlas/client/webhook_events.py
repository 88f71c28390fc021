"""Verifies and reads webhooks that a server posts.

event = read_webhook(request.body, request.headers, secret)
match event:
    case ImportNeedsReview(import_id=number, issues_waiting=waiting): ...
    case ImportSucceeded(table_name=table): ...
    case ImportFailed(error=reason): ...
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from atlas.client.errors import DataError, WebhookRefused
from atlas.client.types import Json, Record, moment

TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class IssuesWaiting(Record):
    """Number of issues of an import that wait for a decision, by kind."""

    duplicates: int = 0
    validations: int = 0
    replacements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImportStored(Record):
    """Members of both events of a stored import. `records_processed` is the sum of the five counts after it."""

    id: str
    timestamp: datetime
    import_id: str
    file_name: str
    table_name: str
    dataset_id: int | None = None
    status: str = "success"
    records_processed: int
    records_inserted: int
    records_updated: int
    duplicates_skipped: int
    validation_failures: int
    records_left_out: int
    value_replacements: int = 0
    has_correctable_issues: bool = False
    issues_waiting: IssuesWaiting = field(default_factory=IssuesWaiting)
    records_imported: int = 0
    duplicates_removed: int = 0
    response_summary: str | None = None
    metadata: Json | None = None

    _readers: ClassVar = {"timestamp": moment, "issues_waiting": IssuesWaiting.read}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSucceeded(_ImportStored):
    """An import has stored its rows, and nothing waits for a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportNeedsReview(_ImportStored):
    """An import has stored its rows, and records or values wait for a decision (`issues_waiting`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFailed(Record):
    """An import has failed, or was cancelled, and has stored nothing. error: the reason."""

    id: str
    timestamp: datetime
    import_id: str
    file_name: str
    error: str
    status: str = "failed"
    metadata: Json | None = None

    _readers: ClassVar = {"timestamp": moment}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """An event of a newer server. Answer the event with a 2xx. data: all members of the event."""

    id: str
    type: str
    data: Json


WebhookEvent = ImportSucceeded | ImportNeedsReview | ImportFailed | UnknownEvent
EVENTS: dict[str, type[ImportSucceeded | ImportNeedsReview | ImportFailed]] = {
    "import.succeeded": ImportSucceeded,
    "import.needs_review": ImportNeedsReview,
    "import.failed": ImportFailed,
}


def read_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> WebhookEvent:
    """Verifies a request that your receiver got, and returns its event.

    - body: the bytes as received, before any parsing.
    - headers: names in any case.
    - secret: `webhooks.secret()`, or several secrets during a rotation.
    - tolerance: maximum age of a webhook, so that a recorded webhook cannot be replayed.
    - now: the time to compare with.

    Raises WebhookRefused: when the signature or the time is wrong.
    Raises DataError: when the body has another form.
    """
    raw = body.encode() if isinstance(body, str) else bytes(body)
    given = {name.lower(): value for name, value in headers.items()}
    verify(raw, given, [secret] if isinstance(secret, str) else secret, tolerance, now or datetime.now(UTC))
    try:
        data = json.loads(raw)
        kind, event_id = str(data["type"]), str(data["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("Unexpected webhook", f"no event: {error}") from None
    if kind in EVENTS:
        return EVENTS[kind].read(data)
    return UnknownEvent(id=event_id, type=kind, data=data)


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], tolerance: timedelta, now: datetime
) -> None:
    """Verifies that one of `secrets` signed the body at a time near `now`, by Standard Webhooks.

    Raises WebhookRefused: when no secret did.
    """
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if missing:
        raise WebhookRefused("Webhook refused", f"no header {', '.join(missing)}")
    stamp = headers["webhook-timestamp"]
    try:
        sent = datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        raise WebhookRefused("Webhook refused", "webhook-timestamp is no time") from None
    if abs(now - sent) > tolerance:
        raise WebhookRefused("Webhook refused", f"it was sent at {sent.isoformat()}")
    content = b".".join((headers["webhook-id"].encode(), stamp.encode(), body))
    signatures = [part.partition(",")[2] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    expected = [_signature(secret, content) for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in signatures for two in expected):
        raise WebhookRefused("Webhook refused", "the signature does not fit")


def _signature(secret: str, content: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise DataError("Invalid secret", "a webhook secret is whsec_ and base64") from None
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
