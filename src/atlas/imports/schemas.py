"""Answers about imports, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from atlas.web.content_schemas import ImportView

ImportStatus = Literal["pending", "running", "success", "failed", "undone", "partially_undone", "reset"]
Record = dict[str, Any]


class ImportItem(BaseModel):
    """An import, an update or an instruction in the history."""

    import_id: str
    file_name: str | None
    table_name: str | None
    status: ImportStatus
    kind: Literal["import", "update", "instruction", "correction"]
    action_taken: str | None
    records_processed: int
    records_inserted: int
    records_updated: int
    duplicates_found: int
    records_left_out: int
    validation_failures: int
    value_replacements: int
    issues_open: int = Field(description="Issues that wait for a decision.")
    issues_resolved: int = Field(description="Issues that were decided on.")
    response_summary: str | None
    error: str | None
    imported_by: str | None
    created_at: str | None
    started_at: str | None
    finished_at: str | None


class HistoryView(BaseModel):
    """A page of imports."""

    success: bool
    imports: list[ImportItem]
    total_count: int
    limit: int
    offset: int
    waiting_count: int = Field(description="How many imports of your organization have issues that wait.")


class WaitingIssues(BaseModel):
    """How many issues wait for a decision."""

    duplicates: int
    validations: int
    replacements: int


class ImportDetail(ImportItem):
    """Everything known of an import."""

    instruction: str
    thread_id: str | None
    plan: Record | None
    mapping: Record | None = Field(description="A mapping that `redo` was given and that its next run uses.")
    file_size_bytes: int | None
    table_created: bool
    new_columns: list[str]
    callback_url: str | None
    callback_metadata: Record | None
    dataset_id: int | None
    issues_waiting: WaitingIssues


class ImportDetailView(BaseModel):
    """One import."""

    model_config = {"protected_namespaces": ()}
    success: bool
    detail: ImportDetail = Field(alias="import")


class ProgressView(BaseModel):
    """How far an import is. stage: what it is at, or its status once it has ended."""

    success: bool
    import_id: str
    status: ImportStatus
    stage: str
    records_processed: int
    table_name: str | None
    error: str | None


class IssueCounts(BaseModel):
    """How many issues wait for a decision."""

    duplicates_count: int
    validation_failures_count: int
    value_replacements_count: int
    has_issues: bool


class DuplicateIssue(BaseModel):
    """A record that is like a row, or like an earlier record of its file."""

    record_number: int
    status: str = Field(examples=["pending"])
    action: str | None = Field(None, description="What was decided, if so.")
    record: Record
    score: float | None = Field(description="How like they are, 0 to 100, where that was measured.")
    key_columns: list[str] | None
    match: Literal["exact", "normalized", "fuzzy"] | None
    row_id: str | None
    duplicate_of_record: int | None
    existing_row: Record | None


class CellProblem(BaseModel):
    """Why a cell failed; without a column, why the line is no record."""

    column: str | None
    value: Any
    reason: str


class FailureIssue(BaseModel):
    """A record that failed validation."""

    failure_id: int
    record_number: int
    status: str
    action: str | None = None
    record: Record | None = Field(description="Null where the line is no record of the table.")
    errors: list[CellProblem]


class ReplacementIssue(BaseModel):
    """A value that was replaced."""

    replacement_id: int
    record_number: int
    status: str
    action: str | None = None
    column: str
    row_id: str | None
    original_value: Any
    new_value: Any


class IssuesView(BaseModel):
    """Issues of an import, the first of each kind."""

    success: bool
    import_id: str
    table_name: str | None
    summary: IssueCounts
    duplicates: list[DuplicateIssue]
    validation_failures: list[FailureIssue]
    value_replacements: list[ReplacementIssue]


class IssuePageView(BaseModel):
    """A page of issues of one kind."""

    success: bool
    import_id: str
    table_name: str | None
    issue_type: Literal["duplicates", "validations", "replacements"]
    total_count: int
    limit: int
    offset: int
    issues: list[DuplicateIssue | FailureIssue | ReplacementIssue]


class CorrectedView(BaseModel):
    """What decisions came to."""

    success: bool
    import_id: str
    table_name: str
    rows_inserted: int
    rows_updated: int
    rows_removed: int
    resolved: int
    already_resolved: int
    correction_id: str | None = Field(description="Undo this to take the decisions back; null where nothing changed.")
    notes: list[str] = Field(description="How texts were read that are no plain values.")
    summary: IssueCounts


class LaterChangeView(BaseModel):
    """An import, update or correction that has changed some of the same rows since."""

    import_id: str
    kind: str
    rows: int


class UndoneView(BaseModel):
    """What was taken back. complete: false where others have changed the same rows since."""

    success: bool
    import_id: str
    table_name: str | None
    complete: bool
    dry_run: bool = Field(description="Whether nothing was changed.")
    rows_removed: int
    rows_restored: int
    rows_kept: int
    values_kept: int
    table_removed: bool
    columns_removed: list[str]
    changed_since: list[LaterChangeView] = Field(description="What changed the same rows since, the newest first.")
    message: str


class ResetView(BaseModel):
    """An import that was taken back."""

    success: bool
    import_id: str
    status: Literal["reset"]
    message: str


class RedoneView(ImportView):
    """An import that ran again."""

    success: bool


class ClearedView(BaseModel):
    """An import without its mapping."""

    success: bool
    import_id: str
    message: str
