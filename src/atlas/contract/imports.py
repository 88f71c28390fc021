"""Imports: results, previews, progress, history and undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from atlas.contract.shape import Described, Json, Moment, Shape, Success, absent

ImportStatus = Literal["pending", "running", "success", "failed", "undone", "partially_undone", "reset"]
ImportKind = Literal["import", "update", "instruction", "correction"]
InstructionEngine = Literal["model", "offline"]
ENDED = ("success", "failed", "undone", "partially_undone", "reset")
ENGINE = {"description": "Who read the instruction; left out where the organization has no model."}
_FLAGGED = {"description": "Inserted, but so like another record or row that they wait for a look."}


@dataclass(frozen=True)
class Clause(Shape):
    """A part of an instruction, with Atlas's reading and the instruction's words."""

    _name: ClassVar = "ClauseView"
    kind: str = field(metadata={"examples": ["filter"]})
    meaning: str = field(metadata={"examples": ["only records where country is US"]})
    words: tuple[str, ...] = field(
        default=(), metadata={"description": "Of the instruction; none where a model read it."}
    )


@dataclass(frozen=True)
class Proposal(Shape):
    """A column of the table that a header may name. confidence: 0 to 1; reason: what the two names have in common."""

    _name: ClassVar = "ProposalView"
    header: str
    column: str
    confidence: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReadInstruction(Shape):
    """The reading of an instruction."""

    understood: tuple[Clause, ...] = field(default=(), metadata={"description": "What was read of the instruction."})
    not_understood: tuple[str, ...] = field(default=(), metadata={"description": "What was not."})
    proposals: tuple[Proposal, ...] = field(
        default=(), metadata={"description": "Columns that headers may mean, which were taken if accepted."}
    )


@dataclass(frozen=True, kw_only=True)
class ImportResult(ReadInstruction):
    """The result of an import."""

    # Most members have defaults, since the client reads the short answers of other imports as results, too.
    _name: ClassVar = "ImportView"
    status: str = field(metadata={"const": "success", "examples": ["success"]})
    import_id: str
    table_name: Annotated[str | None, Described("string")] = field(default=None, metadata={"examples": ["leads"]})
    file_name: str = field(default="", metadata={"examples": ["contacts.csv"]})
    records_processed: int = field(
        default=0,
        metadata={
            "description": "All records: those inserted, updated, skipped, waiting for review and left out by the "
            "instruction."
        },
    )
    duplicates_skipped: int = 0
    action_taken: str = field(default="", metadata={"description": "`create` where the table is new, else `import`."})
    response_summary: str = field(
        default="", metadata={"examples": ["Imported 995 records into leads. 5 duplicates were skipped."]}
    )
    has_correctable_issues: bool = False
    records_inserted: int = 0
    records_updated: int = 0
    validation_failures: int = 0
    value_replacements: int = 0
    records_left_out: int = field(default=0, metadata={"description": "By a filter of the instruction."})
    records_flagged: int = field(default=0, metadata=_FLAGGED)
    new_columns: tuple[str, ...] = ()
    dataset_id: int | None = None
    thread_id: str | None = None
    rows_replaced: int = field(
        default=0,
        metadata={"description": "Rows that were there and are archived now, as the instruction said."},
    )
    records_not_found: int = field(
        default=0, metadata={"description": "Records of an update that no row has the key of; they stay out."}
    )
    language_engine: InstructionEngine | None = field(default_factory=absent, metadata=ENGINE)
    notes: tuple[str, ...] = field(
        default_factory=absent, metadata={"description": "What happened to the model, where there is one."}
    )

    @property
    def message(self) -> str:
        """The message of an import that runs later or was only undone; empty for other imports."""
        return "" if self.status == "success" else self.response_summary


@dataclass(frozen=True, kw_only=True)
class RedoneImport(ImportResult, Success):
    """An import that ran again."""

    _name: ClassVar = "RedoneView"


@dataclass(frozen=True)
class ResetImport(Success):
    """An import that was taken back."""

    _name: ClassVar = "ResetView"
    import_id: str
    status: Literal["reset"]
    message: str


@dataclass(frozen=True)
class PendingImport(Shape):
    """An import that runs later."""

    _name: ClassVar = "PendingView"
    status: Literal["pending"] = field(metadata={"examples": ["pending"]})
    message: str = field(metadata={"examples": ["Import of 'contacts.csv' is being processed asynchronously."]})
    file_name: str
    import_id: str


@dataclass(frozen=True)
class PlannedColumn(Shape):
    """A column of the plan."""

    source: str
    name: str
    type: str
    new: bool
    semantic: str | None
    required: bool
    format: Json | None = field(
        default_factory=absent,
        metadata={"description": "How the file writes its values, where that is known."},
    )
    unit: str = field(
        default="", metadata={"description": "What a new column gets from the file; empty where it says none."}
    )


@dataclass(frozen=True)
class FailingCell(Shape):
    """A cell that keeps its record out of the table."""

    _name: ClassVar = "FailingCellView"
    record_number: int
    column: str | None = field(metadata={"description": "Null where the line as a whole is no record of the table."})
    value: str | None
    reason: str


@dataclass(frozen=True)
class ReplacedCell(Shape):
    """A cell whose value would not be what the file says."""

    _name: ClassVar = "ReplacedCellView"
    record_number: int
    column: str
    original_value: str | None
    new_value: str | None


@dataclass(frozen=True)
class Choice(Shape):
    """A column that can be read in two ways."""

    _name: ClassVar = "ChoiceView"
    column: str
    reading: str = field(metadata={"description": "How it would be read.", "examples": ["day first"]})
    other: str = field(metadata={"description": "How it could be read as well.", "examples": ["month first"]})
    say: str = field(
        metadata={
            "description": "What to add to the instruction for that.",
            "examples": ["dates are month first"],
        }
    )


@dataclass(frozen=True, kw_only=True)
class Preview(Success):
    """The plan of an import and its expected result. Nothing was written."""

    _name: ClassVar = "PreviewView"
    table_name: str
    table_exists: bool
    as_dataset: bool = False
    file_name: str
    records: int
    columns: tuple[PlannedColumn, ...]
    key_columns: tuple[str, ...] = ()
    duplicates: str = ""
    policy: str = ""
    encoding: str | None = field(
        default=None, metadata={"description": "Of a CSV, where it has more than ASCII.", "examples": ["cp1252"]}
    )
    delimiter: str | None = field(
        default=None, metadata={"description": "Between the cells of a CSV, where it has several columns."}
    )
    time_column: str | None = field(default=None, metadata={"description": "Of a dataset: the column of its times."})
    duplicates_in_file: int = 0
    duplicates_in_table: int | None = field(
        default=None,
        metadata={
            "description": "Records whose key a row has; null where the table's key would change, or for over 500,000 "
            "records."
        },
    )
    records_inserted: int = 0
    records_updated: int = 0
    duplicates_skipped: int = 0
    records_left_out: int = 0
    validation_failures: int = 0
    value_replacements: int = 0
    records_flagged: int = field(default=0, metadata=_FLAGGED)
    failing_cells: tuple[FailingCell, ...] = field(default=(), metadata={"description": "The first 20, by record."})
    failing_cells_more: int = field(default=0, metadata={"description": "How many more fail."})
    replaced_cells: tuple[ReplacedCell, ...] = field(default=(), metadata={"description": "The first 20, by record."})
    replaced_cells_more: int = 0
    choices: tuple[Choice, ...] = ()
    language_engine: InstructionEngine | None = field(default_factory=absent, metadata=ENGINE)
    replace: bool = field(default=False, metadata={"description": "Whether the rows that are there would be archived."})
    notes: tuple[str, ...] = ()
    sample: tuple[Json, ...] = ()
    understood: tuple[Clause, ...] = field(default=(), metadata={"description": "What was read of the instruction."})
    not_understood: tuple[str, ...] = field(default=(), metadata={"description": "What was not."})
    proposals: tuple[Proposal, ...] = field(
        default=(), metadata={"description": "Columns that headers may mean, which were taken if accepted."}
    )
    questions: tuple[str, ...] = field(
        default=(), metadata={"description": "What must be answered before anything is written."}
    )


@dataclass(frozen=True, kw_only=True)
class ImportInfo(Shape):
    """A past or running import, update, instruction or correction."""

    _name: ClassVar = "ImportItem"
    import_id: str
    file_name: str | None
    table_name: str | None
    status: ImportStatus
    kind: ImportKind
    action_taken: str | None
    records_processed: int
    records_inserted: int
    records_updated: int
    duplicates_found: int
    records_left_out: int
    validation_failures: int
    value_replacements: int
    issues_open: int = field(metadata={"description": "Issues that wait for a decision."})
    issues_resolved: int = field(metadata={"description": "Issues that were decided on."})
    response_summary: str | None
    error: str | None
    imported_by: str | None
    created_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None

    @property
    def done(self) -> bool:
        """Whether the import has ended, with success or not."""
        return self.status in ENDED


@dataclass(frozen=True)
class ImportPage(Success):
    """A page of imports."""

    _name: ClassVar = "HistoryView"
    imports: tuple[ImportInfo, ...]
    total_count: int
    limit: int
    offset: int
    waiting_count: int = field(metadata={"description": "How many imports of your organization have issues that wait."})


@dataclass(frozen=True)
class WaitingIssues(Shape):
    """How many issues wait for a decision."""

    duplicates: int
    validations: int
    replacements: int


@dataclass(frozen=True, kw_only=True)
class ImportDetail(ImportInfo):
    """All details of an import."""

    _name: ClassVar = "ImportDetail"
    instruction: str
    thread_id: str | None
    plan: Json | None
    mapping: Json | None = field(
        metadata={"description": "A mapping that `redo` was given and that its next run uses."}
    )
    file_size_bytes: int | None
    table_created: bool
    new_columns: tuple[str, ...]
    callback_url: str | None
    callback_metadata: Json | None
    dataset_id: int | None
    issues_waiting: WaitingIssues


@dataclass(frozen=True)
class Progress(Success):
    """The progress of an import. stage: the current step, or the status of an import that has ended."""

    _name: ClassVar = "ProgressView"
    import_id: str
    status: ImportStatus
    stage: str
    records_processed: int
    table_name: str | None
    error: str | None

    @property
    def done(self) -> bool:
        """Whether the import has ended, with success or not."""
        return self.status in ENDED


@dataclass(frozen=True)
class LaterChange(Shape):
    """An import, update or correction that has changed some of the same rows since."""

    _name: ClassVar = "LaterChangeView"
    import_id: str
    kind: str
    rows: int


@dataclass(frozen=True)
class Undone(Success):
    """The result of an undo. complete: false when others have changed rows since, which stay."""

    _name: ClassVar = "UndoneView"
    import_id: str
    table_name: str | None
    complete: bool
    dry_run: bool = field(metadata={"description": "Whether nothing was changed."})
    rows_removed: int
    rows_restored: int
    rows_kept: int
    values_kept: int
    table_removed: bool
    columns_removed: tuple[str, ...]
    changed_since: tuple[LaterChange, ...] = field(
        metadata={"description": "What changed the same rows since, the newest first."}
    )
    message: str


@dataclass(frozen=True)
class ClearedImport(Success):
    """An import without its mapping."""

    _name: ClassVar = "ClearedView"
    import_id: str
    message: str
