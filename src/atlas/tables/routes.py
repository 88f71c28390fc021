"""Tables: list, schema, statistics, updates."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from atlas.accounts.dependencies import CallerDep
from atlas.tables.schemas import SchemaView, StatsView, TablesView
from atlas.tables.service import TableSamples, TableService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer
from atlas.web.provided import provided

TableServiceDep = Annotated[TableService, provided(TableService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)


@router.get("/tables", response_model=TablesView, response_model_exclude_unset=True, summary="List tables")
async def list_tables(caller: CallerDep, tables: TableServiceDep) -> dict[str, Any]:
    """Tables of your organization with their row counts, and the datasets that you may read."""
    return await tables.list(caller)


@router.get("/tables/{table_name}/schema", response_model=SchemaView, summary="Columns of a table")
async def table_schema(caller: CallerDep, tables: TableServiceDep, table_name: str) -> dict[str, Any]:
    """Names, types and whether a value may be absent."""
    return await tables.schema(caller, table_name)


@router.get(
    "/tables/{table_name}/stats",
    response_model=StatsView,
    response_model_exclude_unset=True,
    summary="Statistics of a table",
)
async def table_stats(caller: CallerDep, tables: TableServiceDep, table_name: str) -> dict[str, Any]:
    """Row count, column count, and types and values of the columns."""
    return await tables.stats(caller, table_name)


class TableSamplesBody(Body):
    """Whose model may be sent values of cells."""

    samples: TableSamples = Field(description="`organization`: as the organization's model settings say.")


class TableSamplesView(BaseModel):
    """Whose model may be sent values of a table's cells."""

    success: bool
    table_name: str
    samples: TableSamples


@router.get("/tables/{table_name}/samples", responses=answer(TableSamplesView), summary="What models are sent")
async def table_samples(caller: CallerDep, tables: TableServiceDep, table_name: str) -> dict[str, Any]:
    """Whether values of the table's cells may be sent to your organization's model with a question."""
    return await tables.samples(caller, table_name)


@router.put("/tables/{table_name}/samples", responses=answer(TableSamplesView), summary="Say what models are sent")
async def set_table_samples(
    caller: CallerDep, tables: TableServiceDep, table_name: str, body: TableSamplesBody
) -> dict[str, Any]:
    """For administrators."""
    return await tables.set_samples(caller, table_name, body.samples)
