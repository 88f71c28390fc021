"""Answers of the content API: tables, imports, records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from atlas.client._reading import read
from atlas.client.types import Json, Record, moment
from atlas.contract.tables import TableColumn

IssueKind = Literal["duplicates", "validations", "replacements"]


def _columns(found: Sequence[Json]) -> tuple[TableColumn, ...]:
    """Reads the columns of a page, which have only names and types."""
    return tuple(read(TableColumn, {"nullable": True, **column}) for column in found)


@dataclass(frozen=True, slots=True)
class TablePage(Record):
    """A page of a table's rows, each with its number as `_row`. total_count: number of all matching rows."""

    table_name: str
    columns: tuple[TableColumn, ...]
    rows: tuple[Json, ...]
    total_count: int
    limit: int = 0
    offset: int = 0

    _readers: ClassVar = {"columns": _columns, "rows": tuple}


@dataclass(frozen=True, slots=True)
class RowChange(Record):
    """One row of a table after a change.

    - row: the number of the row.
    - import_id: the id that `imports.undo` takes to undo the change.
    - notes: readings of texts that are no plain values, such as `1.250,50`.
    """

    import_id: str
    row: int
    table_name: str | None = None
    values: Json = field(default_factory=dict)
    archived: bool = False
    notes: tuple[str, ...] = ()

    _readers: ClassVar = {"notes": tuple}


@dataclass(frozen=True, slots=True)
class Clause(Record):
    """A part of an instruction, with Atlas's reading and the instruction's words."""

    kind: str
    meaning: str
    words: tuple[str, ...] = ()

    _readers: ClassVar = {"words": tuple}


@dataclass(frozen=True, slots=True)
class Proposal(Record):
    """A column of the table that a header may name. confidence: 0 to 1."""

    header: str
    column: str
    confidence: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Updated(Record):
    """The result of an update.

    - rows_updated: number of rows that matched.
    - rows_changed: number of rows with different values now.
    - not_found: up to 100 keys that no row has.
    - unknown_columns: columns of a file that the table lacks.
    """

    import_id: str
    table_name: str
    rows_updated: int
    rows_changed: int
    rows_not_found: int = 0
    not_found: tuple[Json, ...] = ()
    validation_failures: int = 0
    value_replacements: int = 0
    unknown_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    _readers: ClassVar = {
        "not_found": tuple,
        "unknown_columns": tuple,
        "notes": tuple,
        "proposals": Proposal.read_all,
    }


@dataclass(frozen=True, slots=True)
class ImportResult(Record):
    """The result of an import. status: `success`, or `pending` for an import that runs later and has only ids yet."""

    status: str
    import_id: str
    file_name: str = ""
    message: str = ""
    table_name: str | None = None
    records_processed: int = 0
    records_inserted: int = 0
    records_updated: int = 0
    duplicates_skipped: int = 0
    validation_failures: int = 0
    value_replacements: int = 0
    records_left_out: int = 0
    records_flagged: int = 0
    new_columns: tuple[str, ...] = ()
    action_taken: str = ""
    response_summary: str = ""
    has_correctable_issues: bool = False
    dataset_id: int | None = None
    thread_id: str | None = None
    language_engine: str | None = None
    notes: tuple[str, ...] = ()
    rows_replaced: int = 0
    records_not_found: int = 0
    understood: tuple[Clause, ...] = ()
    not_understood: tuple[str, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    _readers: ClassVar = {
        "new_columns": tuple,
        "notes": tuple,
        "not_understood": tuple,
        "understood": Clause.read_all,
        "proposals": Proposal.read_all,
    }


@dataclass(frozen=True, slots=True)
class Preview(Record):
    """The plan of an import and its expected result. Nothing was written.

    - sample: the first records as they would be stored.
    - questions: questions to answer before the import can run.
    - failing_cells, replaced_cells: the first 20 with record, column, value and reason.
    - choices: columns with two possible readings.
    - duplicates_in_table: None when the table was not searched.
    - encoding, delimiter: those of a text file that shows them.
    """

    table_name: str
    table_exists: bool
    file_name: str
    records: int
    columns: tuple[Json, ...]
    as_dataset: bool = False
    key_columns: tuple[str, ...] = ()
    duplicates: str = ""
    policy: str = ""
    duplicates_in_file: int = 0
    duplicates_in_table: int | None = None
    time_column: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    records_inserted: int = 0
    records_updated: int = 0
    duplicates_skipped: int = 0
    records_left_out: int = 0
    validation_failures: int = 0
    value_replacements: int = 0
    records_flagged: int = 0
    failing_cells: tuple[Json, ...] = ()
    failing_cells_more: int = 0
    replaced_cells: tuple[Json, ...] = ()
    replaced_cells_more: int = 0
    choices: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    sample: tuple[Json, ...] = ()
    language_engine: str | None = None
    replace: bool = False
    understood: tuple[Clause, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    questions: tuple[str, ...] = ()

    _readers: ClassVar = {
        **dict.fromkeys(("columns", "key_columns", "notes", "not_understood", "sample", "questions"), tuple),
        **dict.fromkeys(("failing_cells", "replaced_cells", "choices"), tuple),
        "understood": Clause.read_all,
        "proposals": Proposal.read_all,
    }


@dataclass(frozen=True, slots=True)
class ImportInfo(Record):
    """A past or running import or update. Fields that only `imports.get` has are None in lists.

    issues_open: number of issues that wait for a decision; issues_waiting: the same by kind.
    """

    import_id: str
    status: str
    kind: str = "import"
    file_name: str | None = None
    table_name: str | None = None
    action_taken: str | None = None
    records_processed: int | None = None
    records_inserted: int | None = None
    records_updated: int | None = None
    duplicates_found: int | None = None
    records_left_out: int | None = None
    validation_failures: int | None = None
    value_replacements: int | None = None
    issues_open: int | None = None
    issues_resolved: int | None = None
    response_summary: str | None = None
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    instruction: str | None = None
    thread_id: str | None = None
    plan: Json | None = None
    file_size_bytes: int | None = None
    table_created: bool | None = None
    new_columns: tuple[str, ...] | None = None
    imported_by: str | None = None
    callback_url: str | None = None
    callback_metadata: Any = None
    dataset_id: int | None = None
    issues_waiting: dict[str, int] | None = None

    _readers: ClassVar = {
        "created_at": moment,
        "started_at": moment,
        "finished_at": moment,
        "new_columns": lambda names: None if names is None else tuple(names),
    }

    @property
    def done(self) -> bool:
        """Whether the import has ended, with success or not."""
        return self.status not in ("pending", "running")


def result_of(info: ImportInfo) -> ImportResult:
    """Builds the result of an import from its record, for a lost answer."""
    return ImportResult(
        info.status,
        info.import_id,
        info.file_name or "",
        table_name=info.table_name,
        records_processed=info.records_processed or 0,
        records_inserted=info.records_inserted or 0,
        records_updated=info.records_updated or 0,
        duplicates_skipped=info.duplicates_found or 0,
        records_left_out=info.records_left_out or 0,
        validation_failures=info.validation_failures or 0,
        value_replacements=info.value_replacements or 0,
        new_columns=info.new_columns or (),
        action_taken=info.action_taken or "",
        response_summary=info.response_summary or "",
        has_correctable_issues=any((info.issues_waiting or {}).values()),
        dataset_id=info.dataset_id,
        thread_id=info.thread_id,
    )


@dataclass(frozen=True, slots=True)
class Progress(Record):
    """The progress of an import. stage: the current step; error: the reason of a failure."""

    import_id: str
    status: str
    stage: str = ""
    records_processed: int = 0
    table_name: str | None = None
    error: str | None = None

    @property
    def done(self) -> bool:
        """Whether the import has ended, with success or not."""
        return self.status not in ("pending", "running")


@dataclass(frozen=True, slots=True)
class Issues(Record):
    """Issues that wait for a decision: counts in `summary`, and the first 50 of each kind."""

    import_id: str
    summary: Json
    table_name: str | None = None
    duplicates: tuple[Json, ...] = ()
    validation_failures: tuple[Json, ...] = ()
    value_replacements: tuple[Json, ...] = ()

    _readers: ClassVar = dict.fromkeys(("duplicates", "validation_failures", "value_replacements"), tuple)


@dataclass(frozen=True, slots=True)
class Corrected(Record):
    """The result of decisions on issues. summary: counts of the remaining issues; notes: readings of texts."""

    import_id: str
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_removed: int = 0
    resolved: int = 0
    already_resolved: int = 0
    correction_id: str | None = None
    table_name: str | None = None
    summary: Json = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    _readers: ClassVar = {"notes": tuple}


@dataclass(frozen=True, slots=True)
class Undone(Record):
    """The result of an undo.

    - complete: False when others have changed rows since, which stay.
    - dry_run: whether nothing was changed.
    - changed_since: `import_id`, `kind` and `rows` of later changes of the same rows.
    """

    import_id: str
    complete: bool
    dry_run: bool = False
    message: str = ""
    table_name: str | None = None
    rows_removed: int = 0
    rows_restored: int = 0
    rows_kept: int = 0
    values_kept: int = 0
    table_removed: bool = False
    columns_removed: tuple[str, ...] = ()
    changed_since: tuple[Mapping[str, Any], ...] = ()

    _readers: ClassVar = {"columns_removed": tuple, "changed_since": tuple}


@dataclass(frozen=True, slots=True)
class Recorded(Record):
    """The result of an instruction on single records. success False: nothing was written, and `question` asks back."""

    success: bool
    intent: str | None = None
    entities: tuple[Json, ...] = ()
    tables_affected: tuple[str, ...] = ()
    total_records_processed: int = 0
    question: str | None = None
    message: str | None = None
    import_id: str | None = None
    thread_id: str | None = None
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _readers: ClassVar = dict.fromkeys(("entities", "tables_affected", "not_understood", "notes"), tuple)


@dataclass(frozen=True, slots=True)
class GeneratedSql(Record):
    """SQL for a question, not run. sql_query: None for a question that was not understood; explanation then
    asks back.
    """

    success: bool
    sql_query: str | None
    explanation: str = ""
    tables_referenced: tuple[str, ...] = ()
    confidence: float = 0.0
    assumptions: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    engine: str = ""
    notes: tuple[str, ...] = ()

    _readers: ClassVar = dict.fromkeys(
        ("tables_referenced", "assumptions", "not_understood", "suggestions", "notes"), tuple
    )
