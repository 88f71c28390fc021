"""Events that Atlas posts to the URLs of receivers: types, members, and JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

EventId = Annotated[
    str,
    Meta(
        description="Id of the event, the same in every attempt and as the header `webhook-id`.",
        examples=["msg_3fa85f6457174562b3fc2c963f66afa6"],
    ),
]
Moment = Annotated[str, Meta(description="When the import ended, in UTC.", examples=["2026-01-05T10:00:00Z"])]
ImportId = Annotated[str, Meta(examples=["3fa85f64-5717-4562-b3fc-2c963f66afa6"])]
FileName = Annotated[str, Meta(examples=["contacts.csv"])]
Metadata = Annotated[
    dict[str, Any] | UnsetType, Meta(description="`callback_metadata`, where it was given.", examples=[{"job_id": 7}])
]
Count = Annotated[int, Meta(ge=0)]


def _count(description: str, example: int) -> Meta:
    return Meta(ge=0, description=description, examples=[example])


class IssuesWaiting(msgspec.Struct, kw_only=True, frozen=True):
    """Number of issues of an import that wait for a decision, by kind."""

    duplicates: Count
    validations: Count
    replacements: Count


class _Ended(msgspec.Struct, kw_only=True, frozen=True, tag_field="type"):
    """Members of both events of an import that has stored its rows."""

    id: EventId
    timestamp: Moment
    status: Annotated[str, Meta(description="`success`: what follows is committed.", examples=["success"])]
    import_id: ImportId
    file_name: FileName
    table_name: Annotated[str, Meta(examples=["leads"])]
    dataset_id: Annotated[int | None, Meta(description="Of a dataset that the rows went into; null for a table.")]
    records_processed: Annotated[int, _count("Records of the file: those of the five counts after this one.", 1000)]
    records_inserted: Annotated[int, _count("Rows that came.", 950)]
    records_updated: Annotated[int, _count("Rows that were there and were changed.", 20)]
    duplicates_skipped: Annotated[int, _count("Records that are like a row, and were not stored.", 5)]
    validation_failures: Annotated[int, _count("Records that failed, and were not stored.", 23)]
    records_left_out: Annotated[int, _count("Records that the instruction left out.", 2)]
    value_replacements: Annotated[int, _count("Values that were replaced; their originals are kept.", 1)]
    has_correctable_issues: Annotated[
        bool, Meta(description="Whether any issue waits for a decision.", examples=[True])
    ]
    issues_waiting: IssuesWaiting
    records_imported: Annotated[int, _count("`records_inserted` and `records_updated` together.", 970)]
    duplicates_removed: Annotated[int, _count("As `duplicates_skipped`.", 5)]
    response_summary: Annotated[str | None, Meta(description="What happened, in words.")]
    metadata: Metadata = UNSET


class ImportSucceeded(_Ended, kw_only=True, frozen=True, tag="import.succeeded"):
    """An import has stored its rows, and nothing waits for a decision."""


class ImportNeedsReview(_Ended, kw_only=True, frozen=True, tag="import.needs_review"):
    """An import has stored its rows, and records or values wait for a decision."""


class ImportFailed(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="import.failed"):
    """An import has failed, or was cancelled, and has stored nothing."""

    id: EventId
    timestamp: Moment
    status: Annotated[str, Meta(description="`failed`: nothing was stored.", examples=["failed"])]
    import_id: ImportId
    file_name: FileName
    error: Annotated[str, Meta(description="Why.", examples=["File could not be read: it is empty"])]
    metadata: Metadata = UNSET


Event = ImportSucceeded | ImportNeedsReview | ImportFailed
# In the order of the documentation, which a test compares with this list.
EVENTS: tuple[type[ImportSucceeded] | type[ImportNeedsReview] | type[ImportFailed], ...] = (
    ImportSucceeded,
    ImportNeedsReview,
    ImportFailed,
)


def event_type(event: type[Event]) -> str:
    """Returns the `type` of an event's JSON, such as `import.failed`."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode(event: Event) -> str:
    """Encodes an event as JSON."""
    return msgspec.json.encode(event).decode()
