"""Answers about imports, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

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


class ClearedView(BaseModel):
    """An import without its mapping."""

    success: bool
    import_id: str
    message: str


Engine = Literal["model", "offline"]


ENGINE_FIELD = Field(None, description="Who read the instruction; left out where the organization has no model.")


class ClauseView(BaseModel):
    """A thing that an instruction asks for."""

    kind: str = Field(examples=["filter"])
    meaning: str = Field(examples=["only records where country is US"])
    words: list[str] = Field(description="Of the instruction; none where a model read it.")


class ProposalView(BaseModel):
    """A column of the table that a header may mean."""

    header: str
    column: str
    confidence: float
    reason: str


class ReadView(BaseModel):
    """How an instruction was read."""

    understood: list[ClauseView] = Field(description="What was read of the instruction.")
    not_understood: list[str] = Field(description="What was not.")
    proposals: list[ProposalView] = Field(description="Columns that headers may mean, which were taken if accepted.")


class ImportView(ReadView):
    """What an import came to."""

    status: Literal["success"] = Field(examples=["success"])
    import_id: str
    table_name: str = Field(examples=["leads"])
    file_name: str = Field(examples=["contacts.csv"])
    records_processed: int = Field(
        description="All records: those inserted, updated, skipped, waiting for review and left out by the instruction."
    )
    duplicates_skipped: int
    action_taken: str = Field(description="`create` where the table is new, else `import`.")
    response_summary: str = Field(examples=["Imported 995 records into leads. 5 duplicates were skipped."])
    has_correctable_issues: bool
    records_inserted: int
    records_updated: int
    validation_failures: int
    value_replacements: int
    records_left_out: int = Field(description="By a filter of the instruction.")
    records_flagged: int = Field(description="Inserted, but so like another record or row that they wait for a look.")
    new_columns: list[str]
    dataset_id: int | None
    thread_id: str | None
    rows_replaced: int = Field(description="Rows that were there and are archived now, as the instruction said.")
    records_not_found: int = Field(description="Records of an update that no row has the key of; they stay out.")
    language_engine: Engine | None = ENGINE_FIELD
    notes: list[str] | None = Field(None, description="What happened to the model, where there is one.")


class PendingView(BaseModel):
    """An import that runs later."""

    status: Literal["pending"] = Field(examples=["pending"])
    message: str = Field(examples=["Import of 'contacts.csv' is being processed asynchronously."])
    file_name: str
    import_id: str


class PlannedColumn(BaseModel):
    """A column of the plan."""

    source: str
    name: str
    type: str
    new: bool
    semantic: str | None
    required: bool
    format: dict[str, Any] | None = Field(None, description="How the file writes its values, where that is known.")
    unit: str = Field("", description="What a new column gets from the file; empty where it says none.")


class FailingCellView(BaseModel):
    """A cell that keeps its record out of the table."""

    record_number: int
    column: str | None = Field(description="Null where the line as a whole is no record of the table.")
    value: str | None
    reason: str


class ReplacedCellView(BaseModel):
    """A cell whose value would not be what the file says."""

    record_number: int
    column: str
    original_value: str | None
    new_value: str | None


class ChoiceView(BaseModel):
    """A column that can be read in two ways."""

    column: str
    reading: str = Field(description="How it would be read.", examples=["day first"])
    other: str = Field(description="How it could be read as well.", examples=["month first"])
    say: str = Field(description="What to add to the instruction for that.", examples=["dates are month first"])


class PreviewView(ReadView):
    """The plan of an import, and what it would come to."""

    success: bool
    table_name: str
    table_exists: bool
    as_dataset: bool
    file_name: str
    records: int
    columns: list[PlannedColumn]
    key_columns: list[str]
    duplicates: str
    policy: str
    time_column: str | None = Field(description="Of a dataset: the column of its times.")
    encoding: str | None = Field(None, description="Of a CSV, where it has more than ASCII.", examples=["cp1252"])
    delimiter: str | None = Field(None, description="Between the cells of a CSV, where it has several columns.")
    duplicates_in_file: int
    duplicates_in_table: int | None = Field(
        description="Records whose key a row has; null where the table's key would change, or for over 500,000 records."
    )
    records_inserted: int
    records_updated: int
    duplicates_skipped: int
    records_left_out: int
    validation_failures: int
    value_replacements: int
    records_flagged: int = Field(description="Inserted, but so like another record or row that they wait for a look.")
    failing_cells: list[FailingCellView] = Field(description="The first 20, by record.")
    failing_cells_more: int = Field(description="How many more fail.")
    replaced_cells: list[ReplacedCellView] = Field(description="The first 20, by record.")
    replaced_cells_more: int
    choices: list[ChoiceView]
    replace: bool = Field(description="Whether the rows that are there would be archived.")
    notes: list[str]
    questions: list[str] = Field(description="What must be answered before anything is written.")
    sample: list[dict[str, Any]]
    language_engine: Engine | None = ENGINE_FIELD


class RedoneView(ImportView):
    """An import that ran again."""

    success: bool
