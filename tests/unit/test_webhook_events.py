"""Events of webhooks: the server's, the client's and the documentation's are the same; only signed ones are read."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.client import DataError, ImportFailed, ImportSucceeded, UnknownEvent, WebhookRefused, read_webhook
from atlas.client import webhook_events as client_events
from atlas.webhooks import events
from atlas.webhooks.sender import new_secret, signed_headers

DOCS = Path(__file__).parents[2] / "docs" / "content.md"
NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
FAILED = {
    "type": "import.failed",
    "id": "msg_1",
    "timestamp": "2026-01-05T10:00:00Z",
    "status": "failed",
    "import_id": "i",
    "file_name": "a.csv",
    "error": "why",
}


def documented() -> list[dict[str, Any]]:
    text = DOCS.read_text(encoding="utf-8")
    part = text[text.index("### Webhook events\n") : text.index("### `GET /api/v1/webhooks/secret`")]
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", part, re.DOTALL)]


def signed(data: Any, secret: str, at: datetime = NOW) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(data).encode()
    return body, signed_headers(secret, "msg_1", at, body)


def test_the_documentation_has_an_example_of_each_event() -> None:
    examples = documented()
    assert [one["type"] for one in examples] == [events.event_type(event) for event in events.EVENTS]
    for one, event in zip(examples, events.EVENTS, strict=True):
        assert set(one) <= {*event.__struct_fields__, "type"}
        assert set(one) >= {*event.__struct_fields__, "type"} - {"metadata"}
        read = msgspec.convert(one, events.Event)
        assert isinstance(read, event)
        assert json.loads(events.encode(read)) == one
        if not isinstance(read, events.ImportFailed):
            parts = (read.records_inserted, read.records_updated, read.duplicates_skipped, read.validation_failures)
            assert read.records_processed == sum(parts) + read.records_left_out
            assert read.records_imported == read.records_inserted + read.records_updated


def test_the_client_knows_every_event_and_its_members() -> None:
    assert list(client_events.EVENTS) == [events.event_type(event) for event in events.EVENTS]
    for event in events.EVENTS:
        known = client_events.EVENTS[events.event_type(event)]
        assert {field.name for field in dataclasses.fields(known)} == set(event.__struct_fields__)
    secret = new_secret()
    for example in documented():
        body, headers = signed(example, secret)
        read = read_webhook(body, headers, secret, now=NOW)
        assert type(read) is client_events.EVENTS[example["type"]]
        assert isinstance(read, ImportSucceeded) == (example["type"] == "import.succeeded")


@given(st.binary(min_size=1, max_size=3), st.integers(0, 10_000))
def test_a_changed_body_is_refused(change: bytes, place: int) -> None:
    secret = new_secret()
    body, headers = signed(FAILED, secret)
    place %= len(body)
    changed = body[:place] + change + body[place + len(change) :]
    if changed == body:
        assert isinstance(read_webhook(changed, headers, secret, now=NOW), ImportFailed)
        return
    with pytest.raises(WebhookRefused):
        read_webhook(changed, headers, secret, now=NOW)


def test_what_is_old_or_unsigned_is_refused() -> None:
    secret, other = new_secret(), new_secret()
    body, headers = signed(FAILED, secret)
    assert isinstance(
        read_webhook(body, {k.title(): v for k, v in headers.items()}, [other, secret], now=NOW), ImportFailed
    )
    both = headers | {"webhook-signature": f"v1a,x {headers['webhook-signature']}"}
    assert isinstance(read_webhook(body.decode(), both, secret, now=NOW), ImportFailed)
    for seconds in (-301, 301):
        with pytest.raises(WebhookRefused, match="sent at"):
            read_webhook(body, headers, secret, now=NOW + timedelta(seconds=seconds))
    wrong = (
        {},
        headers | {"webhook-timestamp": "soon"},
        headers | {"webhook-timestamp": "9" * 30},
        headers | {"webhook-id": "msg_2"},
        headers | {"webhook-signature": "v1,"},
        headers | {"webhook-signature": "é"},
    )
    for one in wrong:
        with pytest.raises(WebhookRefused):
            read_webhook(body, one, secret, now=NOW)
    for keys in (other, []):
        with pytest.raises(WebhookRefused, match="signature"):
            read_webhook(body, headers, keys, now=NOW)
    with pytest.raises(DataError, match="whsec"):
        read_webhook(body, headers, "whsec_?", now=NOW)


def test_events_of_other_servers() -> None:
    secret = new_secret()
    newer = FAILED | {"more": 1}
    assert isinstance(read_webhook(*signed(newer, secret), secret, now=NOW), ImportFailed)
    unknown = {"type": "dataset.silent", "id": "msg_1", "dataset": 7}
    read = read_webhook(*signed(unknown, secret), secret, now=NOW)
    assert read == UnknownEvent(id="msg_1", type="dataset.silent", data=unknown)
    for data in ([], 5, {"status": "success"}, {"type": "import.failed", "id": "msg_1"}):
        with pytest.raises(DataError):
            read_webhook(*signed(data, secret), secret, now=NOW)
