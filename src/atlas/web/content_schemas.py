"""Answers of the content API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from atlas.web.openapi.responses import errors


class DetailView(BaseModel):
    """An error of the content API."""

    detail: str = Field(examples=["Table not found: no table 'leads'"])


CONTENT_ERRORS = errors(
    DetailView,
    {
        400: "Invalid parameter, file or instruction",
        401: "Missing or invalid API key",
        403: "No permission",
        404: "No such table, import or record",
        413: "File too large",
        422: "Body does not fit its schema",
        429: "Rate limit exceeded, or too many requests of the user at once",
        500: "Something went wrong",
        503: "Database unavailable or server busy",
    },
)


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


class TableView(BaseModel):
    """A table in a list."""

    table_name: str
    row_count: int
    kind: Literal["table", "dataset"]
    dataset_id: int | None = None
    owner: str | None = Field(
        None, description="Whose dataset it is, where it is another organization's.", examples=["ann of acme"]
    )


class TablesView(BaseModel):
    """Tables of an organization."""

    success: bool
    tables: list[TableView]


class ColumnSchema(BaseModel):
    """A column of a table."""

    name: str
    type: str
    nullable: bool
    unit: str = Field("", description="Of its values; empty where nobody said.", examples=["USD"])
    description: str = Field("", description="What its values mean; empty where nobody said.")


class DescribedView(BaseModel):
    """A column as it is now."""

    success: bool
    table_name: str
    column: ColumnSchema


class SchemaView(BaseModel):
    """Columns of a table."""

    success: bool
    table_name: str
    columns: list[ColumnSchema]
    system_columns: list[ColumnSchema] = Field(
        default_factory=list,
        description="Times of rows that SQL and questions may name; `*` and exports leave them out.",
    )


class StatsView(BaseModel):
    """What a table is like."""

    success: bool
    table_name: str
    row_count: int
    column_count: int
    columns: dict[str, str]
    statistics: dict[str, dict[str, Any]] = Field(default_factory=dict)
    key_columns: list[str] = Field(default_factory=list)
