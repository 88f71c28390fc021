"""Issues: records and values of imports that wait for a decision, and the results of decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from atlas.contract.shape import Json, Shape, Success, absent

IssueKind = Literal["duplicates", "validations", "replacements"]
_ACTION = {"description": "What was decided, if so."}


@dataclass(frozen=True)
class IssueCounts(Shape):
    """How many issues wait for a decision."""

    duplicates_count: int
    validation_failures_count: int
    value_replacements_count: int
    has_issues: bool


@dataclass(frozen=True, kw_only=True)
class DuplicateIssue(Shape):
    """A record that is like a row, or like an earlier record of its file."""

    record_number: int
    status: str = field(metadata={"examples": ["pending"]})
    action: str | None = field(default_factory=absent, metadata=_ACTION)
    record: Json
    score: float | None = field(
        metadata={"description": "How like they are, 0 to 100, where that was measured."},
    )
    key_columns: tuple[str, ...] | None
    match: Literal["exact", "normalized", "fuzzy"] | None
    row_id: str | None
    duplicate_of_record: int | None
    existing_row: Json | None


@dataclass(frozen=True)
class CellProblem(Shape):
    """Why a cell failed; without a column, why the line is no record."""

    column: str | None
    reason: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class FailureIssue(Shape):
    """A record that failed validation."""

    failure_id: int
    record_number: int
    status: str
    action: str | None = field(default_factory=absent)
    record: Json | None = field(metadata={"description": "Null where the line is no record of the table."})
    errors: tuple[CellProblem, ...]


@dataclass(frozen=True, kw_only=True)
class ReplacementIssue(Shape):
    """A value that was replaced."""

    replacement_id: int
    record_number: int
    status: str
    action: str | None = field(default_factory=absent)
    column: str
    row_id: str | None
    original_value: Any
    new_value: Any


Issue = DuplicateIssue | FailureIssue | ReplacementIssue


@dataclass(frozen=True)
class Issues(Success):
    """Issues of an import that wait for a decision: counts in `summary`, and the first 50 of each kind."""

    _name: ClassVar = "IssuesView"
    import_id: str
    table_name: str | None
    summary: IssueCounts
    duplicates: tuple[DuplicateIssue, ...]
    validation_failures: tuple[FailureIssue, ...]
    value_replacements: tuple[ReplacementIssue, ...]


@dataclass(frozen=True)
class IssuePage(Success):
    """A page of issues of one kind."""

    _name: ClassVar = "IssuePageView"
    import_id: str
    table_name: str | None
    issue_type: IssueKind
    total_count: int
    limit: int
    offset: int
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Corrected(Success):
    """The result of decisions on issues. summary: counts of the remaining issues."""

    _name: ClassVar = "CorrectedView"
    import_id: str
    table_name: str
    rows_inserted: int
    rows_updated: int
    rows_removed: int
    resolved: int
    already_resolved: int
    correction_id: str | None = field(
        metadata={"description": "Undo this to take the decisions back; null where nothing changed."}
    )
    notes: tuple[str, ...] = field(metadata={"description": "How texts were read that are no plain values."})
    summary: IssueCounts
