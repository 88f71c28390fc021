"""Routes of updates: by a condition, by keys, by a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi import Body as BodyParam
from pydantic import BaseModel, Field

from atlas.accounts.dependencies import CallerDep
from atlas.imports.schemas import ProposalView
from atlas.imports.uploads import FileField, ProposalsField, received
from atlas.records.updates import UpdateService
from atlas.web.bodies import Body
from atlas.web.disconnect import while_connected
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer
from atlas.web.provided import provided

UpdateServiceDep = Annotated[UpdateService, provided(UpdateService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)


class KeyedUpdate(Body):
    """New values for the rows with the given keys."""

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
    """An update whose keys match no row: its place in the batch, or its record in the file."""

    index: int | None = None
    record_number: int | None = None
    keys: dict[str, Any]


class UpdatedView(BaseModel):
    """The result of an update, and the id to undo it by. not_found: the first 100."""

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
    caller: CallerDep, updates: UpdateServiceDep, table_name: str, body: Annotated[UpdateBody, BodyParam()]
) -> dict[str, Any]:
    """Updates rows by a condition, or by keys in a batch: all of it, or nothing."""
    if isinstance(body, ConditionUpdate):
        return await updates.by_condition(caller, table_name, body.condition, body.updates, all_rows=body.confirm_all)
    return await updates.by_keys(caller, table_name, [(u.keys, u.values) for u in body.batch_updates])


@router.post("/tables/{table_name}/update/file", responses=answer(UpdatedView), summary="Update rows from a file")
async def update_from_file(
    http: Request,
    caller: CallerDep,
    updates: UpdateServiceDep,
    table_name: str,
    file: FileField,
    key_columns: Annotated[
        str, Form(description="Columns that identify a row, separated by commas.", examples=["email"])
    ],
    accept_proposals: ProposalsField = None,
) -> dict[str, Any]:
    """Updates rows from a file. Each record names a row by its keys; a blank cell leaves the row's value."""
    names = [name.strip() for name in key_columns.split(",") if name.strip()]
    async with received(file) as (path, name):
        work = updates.by_file(caller, table_name, names, path, name, accept_proposals=accept_proposals)
        return await while_connected(http, work)
