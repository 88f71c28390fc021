"""Parses the order of a list as callers request it: a field, with `-` before it for descending order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from atlas.errors import BadRequestError

# Fields for sorting lists, by their names in the API.
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
    """Parses `name` or `-name`. Returns None for no text.

    Raises BadRequestError, which names the fields, for another field.
    """
    if not text:
        return None
    field = text.removeprefix("-")
    if field not in fields:
        raise BadRequestError(
            "Invalid parameter", f"sort: one of {', '.join(fields)}; a - before it sorts in descending order"
        )
    return Order(field, descending=text.startswith("-"))


def described(fields: Collection[str]) -> str:
    """Returns the description of the parameter in the OpenAPI document."""
    return f"One of {', '.join(fields)}; `-` before it: descending."
