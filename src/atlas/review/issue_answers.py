"""Issues as answers have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from atlas.contract.issues import CellProblem, DuplicateIssue, FailureIssue, Issue, IssueCounts, ReplacementIssue
from atlas.contract.shape import absent
from atlas.tables.model import Table, row_uuid

Row = dict[str, Any]


def counts_of(counts: Mapping[str, int]) -> IssueCounts:
    return IssueCounts(counts["duplicate"], counts["validation"], counts["replacement"], any(counts.values()))


def other_row(details: Row) -> int | None:
    """Returns the row that a duplicate resembles: an existing row, or the row of an earlier record of the file."""
    number: int | None = details["existing_row"] or details.get("first_row")
    return number


def issue_of(item: Row, table: Table | None, existing: Mapping[int, Row]) -> Issue:
    """Returns an issue as the API shows it."""
    details = item["details"]
    action = item["resolution"]["action"] if item["resolution"] else absent()
    if "problems" in details:
        return FailureIssue(
            failure_id=item["id"],
            record_number=item["record_number"],
            status=item["status"],
            action=action,
            record=item["record"],
            errors=tuple(CellProblem(**problem) for problem in details["problems"]),
        )
    row = None if item["row_id"] is None or table is None else row_uuid(table.id, item["row_id"])
    if "column" in details:
        return ReplacementIssue(
            replacement_id=item["id"],
            record_number=item["record_number"],
            status=item["status"],
            action=action,
            column=details["column"],
            row_id=row,
            original_value=details["original_value"],
            new_value=details["new_value"],
        )
    number = other_row(details)
    other = existing.get(number) if number else None
    there: Row | None = None
    if other is not None and table is not None and number:
        there = {"id": row_uuid(table.id, number), **other}
    return DuplicateIssue(
        record_number=item["record_number"],
        status=item["status"],
        action=action,
        record=item["record"],
        score=details.get("score"),
        key_columns=None if details["key"] is None else tuple(details["key"]),
        match=_match(item, None if there is None else other),
        row_id=row,
        duplicate_of_record=details["first_record"],
        existing_row=there,
    )


def _match(item: Row, other: Row | None) -> Literal["exact", "normalized", "fuzzy"] | None:
    """Returns how a duplicate resembles the other row, or None when the other row is gone."""
    details, record = item["details"], item["record"]
    if "score" in details:
        return "fuzzy"
    if other is None:
        return None
    names = details["key"] or list(record)
    return "exact" if all(record.get(name) == other.get(name) for name in names) else "normalized"
