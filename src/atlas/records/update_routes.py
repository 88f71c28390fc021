"""Routes of updates: by a condition, by keys, by a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi import Body as BodyParam
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.contract.records import Updated
from atlas.imports.uploads import FileField, ProposalsField, received
from atlas.records.updates import UpdateService
from atlas.web.bodies import Body
from atlas.web.disconnect import while_connected
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
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


@router.post("/tables/{table_name}/update", summary="Update rows")
async def update_rows(
    http: Request,
    caller: CallerDep,
    updates: UpdateServiceDep,
    table_name: str,
    body: Annotated[UpdateBody, BodyParam()],
) -> Updated:
    """Updates rows by a condition, or by keys in a batch: all of it, or nothing."""
    if isinstance(body, ConditionUpdate):
        work = updates.by_condition(caller, table_name, body.condition, body.updates, all_rows=body.confirm_all)
    else:
        work = updates.by_keys(caller, table_name, [(u.keys, u.values) for u in body.batch_updates])
    return await while_connected(http, work)


@router.post("/tables/{table_name}/update/file", summary="Update rows from a file")
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
) -> Updated:
    """Updates rows from a file. Each record names a row by its keys; a blank cell leaves the row's value."""
    names = [name.strip() for name in key_columns.split(",") if name.strip()]
    path, name = received(file)
    work = updates.by_file(caller, table_name, names, path, name, accept_proposals=accept_proposals)
    return await while_connected(http, work)
