"""The `webhooks` of the OpenAPI document: each event that Atlas posts, with its schema, headers and an example."""

from __future__ import annotations

from typing import Any

import msgspec

from atlas.webhooks import events

_PLACE = "#/components/schemas/{name}"
_STORED = {
    "id": "msg_0b6f1d3c5a784e1fb2a9c0d4e8f71a35",
    "timestamp": "2026-01-05T10:00:00Z",
    "status": "success",
    "import_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "file_name": "contacts.csv",
    "table_name": "leads",
    "dataset_id": None,
    "records_processed": 1000,
    "records_updated": 5,
    "records_left_out": 0,
    "metadata": {"job_id": "abc123"},
}
EXAMPLES: tuple[dict[str, Any], ...] = (
    _STORED
    | {
        "type": "import.succeeded",
        "records_inserted": 995,
        "duplicates_skipped": 0,
        "validation_failures": 0,
        "value_replacements": 0,
        "has_correctable_issues": False,
        "records_imported": 1000,
        "duplicates_removed": 0,
        "issues_waiting": {"duplicates": 0, "validations": 0, "replacements": 0},
        "response_summary": "Imported 995 leads and updated 5.",
    },
    _STORED
    | {
        "type": "import.needs_review",
        "records_inserted": 967,
        "duplicates_skipped": 5,
        "validation_failures": 23,
        "value_replacements": 1,
        "has_correctable_issues": True,
        "records_imported": 972,
        "duplicates_removed": 5,
        "issues_waiting": {"duplicates": 5, "validations": 23, "replacements": 1},
        "response_summary": "Imported 967 leads and updated 5. 23 records wait, as they failed.",
    },
    {
        "type": "import.failed",
        "id": "msg_9a1c2e3d4f5b60718293a4b5c6d7e8f9",
        "timestamp": "2026-01-05T10:05:00Z",
        "status": "failed",
        "import_id": "e4eaaaf2-d142-11e1-b3e4-080027620cdd",
        "file_name": "contacts.csv",
        "error": "The file cannot be read: it is empty",
        "metadata": {"job_id": "abc123"},
    },
)
_HEADERS = {
    "webhook-id": ("The event's `id`; a repeated delivery has it again.", "msg_0b6f1d3c5a784e1fb2a9c0d4e8f71a35"),
    "webhook-timestamp": ("When it was sent, in seconds of the Unix epoch.", "1767607200"),
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over id, timestamp and body, joined by dots.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def add(document: dict[str, Any]) -> None:
    """Adds every event to a document."""
    _, schemas = msgspec.json.schema_components(events.EVENTS, ref_template=_PLACE)
    document["components"]["schemas"] |= schemas
    document["webhooks"] = {
        events.event_type(event): {"post": _operation(event, schemas, example)}
        for event, example in zip(events.EVENTS, EXAMPLES, strict=True)
    }


def _operation(event: type[events.Event], schemas: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    text = schemas[event.__name__]["description"]
    return {
        "operationId": f"webhook_{events.event_type(event).replace('.', '_')}",
        "tags": ["Webhooks"],
        "summary": f"Event {events.event_type(event)}",
        "description": f"{text} Posted to the import's `callback_url`, signed after Standard Webhooks.",
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": about,
                "schema": {"type": "string"},
                "example": value,
            }
            for name, (about, value) in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "description": "The event.",
            "content": {
                "application/json": {
                    "schema": {"$ref": _PLACE.format(name=event.__name__)},
                    "example": example,
                }
            },
        },
        "responses": {"2XX": {"description": "Taken. Anything else is tried again."}},
        "security": [],
    }
