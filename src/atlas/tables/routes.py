"""Tables: list, schema, statistics, updates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi import Body as BodyParam
from pydantic import BaseModel, Field

from atlas.imports.routes import FileField, ProposalsField, received
from atlas.tables.service import TableSamples
from atlas.timeseries.schemas import Body, ColumnNoteBody
from atlas.web.content_schemas import CONTENT_ERRORS, DescribedView, ProposalView, SchemaView, StatsView, TablesView
from atlas.web.dependencies import CallerDep, ServicesDep
from atlas.web.disconnect import while_connected
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)


@router.get("/tables", response_model=TablesView, response_model_exclude_unset=True, summary="List tables")
async def list_tables(caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Tables of your organization with their row counts, and the datasets that you may read."""
    return await services.tables.list(caller)


@router.get("/tables/{table_name}/schema", response_model=SchemaView, summary="Columns of a table")
async def table_schema(caller: CallerDep, services: ServicesDep, table_name: str) -> dict[str, Any]:
    """Names, types and whether a value may be absent."""
    return await services.tables.schema(caller, table_name)


@router.get(
    "/tables/{table_name}/stats",
    response_model=StatsView,
    response_model_exclude_unset=True,
    summary="Statistics of a table",
)
async def table_stats(caller: CallerDep, services: ServicesDep, table_name: str) -> dict[str, Any]:
    """Row count, column count, and types and values of the columns."""
    return await services.tables.stats(caller, table_name)


class TableSamplesBody(Body):
    """Whose model may be sent values of cells."""

    samples: TableSamples = Field(description="`organization`: as the organization's model settings say.")


class TableSamplesView(BaseModel):
    """Whose model may be sent values of a table's cells."""

    success: bool
    table_name: str
    samples: TableSamples


@router.get("/tables/{table_name}/samples", responses=answer(TableSamplesView), summary="What models are sent")
async def table_samples(caller: CallerDep, services: ServicesDep, table_name: str) -> dict[str, Any]:
    """Whether values of the table's cells may be sent to your organization's model with a question."""
    return await services.tables.samples(caller, table_name)


@router.put("/tables/{table_name}/samples", responses=answer(TableSamplesView), summary="Say what models are sent")
async def set_table_samples(
    caller: CallerDep, services: ServicesDep, table_name: str, body: TableSamplesBody
) -> dict[str, Any]:
    """For administrators."""
    return await services.tables.set_samples(caller, table_name, body.samples)


@router.patch("/tables/{table_name}/columns/{column_name}", response_model=DescribedView, summary="Describe a column")
async def describe_table_column(
    caller: CallerDep, services: ServicesDep, table_name: str, column_name: str, body: ColumnNoteBody
) -> dict[str, Any]:
    """Says the unit of a column's values and what they mean. Everybody of the organization may; a dataset's owner."""
    return await services.column_notes.of_table(caller, table_name, column_name, body.unit, body.description)


class KeyedUpdate(Body):
    """New values for the rows with certain keys."""

    keys: dict[str, Any] = Field(examples=[{"email": "john@example.com"}])
    values: dict[str, Any] = Field(examples=[{"status": "active", "plan": "pro"}])


class ConditionUpdate(Body):
    """New values for all rows that match a WHERE clause."""

    mode: Literal["condition"]
    condition: str = Field(max_length=10_000, examples=["campaign = 'spring_2024'"])
    updates: dict[str, Any] = Field(examples=[{"status": "archived"}])
    confirm_all: bool = Field(False, description="Needed where the condition matches every row.")


class BatchUpdate(Body):
    """New values for rows by their keys."""

    mode: Literal["batch"]
    batch_updates: list[KeyedUpdate] = Field(min_length=1, max_length=10_000)


UpdateBody = Annotated[ConditionUpdate | BatchUpdate, Field(discriminator="mode")]


class NotFoundItem(BaseModel):
    """An update whose keys no row has: its place in the batch, or its record in the file."""

    index: int | None = None
    record_number: int | None = None
    keys: dict[str, Any]


class UpdatedView(BaseModel):
    """What an update came to, and the id to undo it by. not_found: the first 100."""

    success: bool
    table_name: str
    rows_updated: int = Field(description="Rows that matched.")
    rows_changed: int
    import_id: str
    rows_not_found: int
    not_found: list[NotFoundItem]
    validation_failures: int | None = Field(None, description="Records of the file that failed, if any did.")
    value_replacements: int | None = Field(None, description="Of a file: cells that are no values, if there are any.")
    unknown_columns: list[str] | None = Field(None, description="Of a file: headers that the table has no column for.")
    notes: list[str] | None = Field(
        None, description="Of a file: what was decided. Else how texts were read that are no plain values."
    )
    proposals: list[ProposalView] | None = Field(None, description="Of a file: columns that headers may mean.")


@router.post("/tables/{table_name}/update", responses=answer(UpdatedView), summary="Update rows")
async def update_rows(
    caller: CallerDep, services: ServicesDep, table_name: str, body: Annotated[UpdateBody, BodyParam()]
) -> dict[str, Any]:
    """By a condition, or by keys in a batch; all of it, or nothing."""
    if isinstance(body, ConditionUpdate):
        return await services.updates.by_condition(
            caller, table_name, body.condition, body.updates, all_rows=body.confirm_all
        )
    return await services.updates.by_keys(caller, table_name, [(u.keys, u.values) for u in body.batch_updates])


@router.post("/tables/{table_name}/update/file", responses=answer(UpdatedView), summary="Update rows from a file")
async def update_from_file(
    http: Request,
    caller: CallerDep,
    services: ServicesDep,
    table_name: str,
    file: FileField,
    key_columns: Annotated[
        str, Form(description="Columns that identify a row, separated by commas.", examples=["email"])
    ],
    accept_proposals: ProposalsField = None,
) -> dict[str, Any]:
    """Each record names a row by its keys; a blank cell leaves the row's value."""
    names = [name.strip() for name in key_columns.split(",") if name.strip()]
    async with received(file) as (path, name):
        work = services.updates.by_file(caller, table_name, names, path, name, accept_proposals=accept_proposals)
        return await while_connected(http, work)
