"""The order that a caller asks a list in: a field, with `-` before it for descending."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from atlas.errors import BadRequestError

# Fields that lists can be sorted by, under the names that the API gives them.
DATASET_FIELDS = ("id", "name", "owner", "row_count", "columns", "last_timestamp", "created_at", "updated_at")
IMPORT_FIELDS = (
    "created_at",
    "file_name",
    "table_name",
    "status",
    "records_inserted",
    "records_updated",
    "issues_open",
    "imported_by",
)


@dataclass(frozen=True, slots=True)
class Order:
    """A field, and whether its greatest value comes first."""

    field: str
    descending: bool


def parse_order(text: str | None, fields: Collection[str]) -> Order | None:
    """Reads `name` or `-name`; None where there is no text. Raises BadRequestError, which names the fields."""
    if not text:
        return None
    field = text.removeprefix("-")
    if field not in fields:
        raise BadRequestError(
            "Invalid parameter", f"sort: one of {', '.join(fields)}; a - before it sorts in descending order"
        )
    return Order(field, descending=text.startswith("-"))


def described(fields: Collection[str]) -> str:
    """What the document says of the parameter."""
    return f"One of {', '.join(fields)}; `-` before it: descending."
