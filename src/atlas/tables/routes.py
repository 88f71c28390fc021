"""Tables: list, schema, statistics, updates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.contract.tables import SchemaView, TableSamples, TableSamplesView, TableStats, TablesView
from atlas.tables.service import TableService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

TableServiceDep = Annotated[TableService, provided(TableService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)


@router.get("/tables", summary="List tables")
async def list_tables(caller: CallerDep, tables: TableServiceDep) -> TablesView:
    """Lists tables of your organization with their row counts, and the datasets that you may read."""
    return await tables.list(caller)


@router.get("/tables/{table_name}/schema", summary="Columns of a table")
async def table_schema(caller: CallerDep, tables: TableServiceDep, table_name: str) -> SchemaView:
    """Returns names and types of columns, and whether a value may be absent."""
    return await tables.schema(caller, table_name)


@router.get(
    "/tables/{table_name}/stats",
    summary="Statistics of a table",
)
async def table_stats(caller: CallerDep, tables: TableServiceDep, table_name: str) -> TableStats:
    """Returns row count, column count, and types and values of the columns."""
    return await tables.stats(caller, table_name)


class TableSamplesBody(Body):
    """Whose model may receive values of cells."""

    samples: TableSamples = Field(description="`organization`: as the organization's model settings say.")


@router.get("/tables/{table_name}/samples", summary="What models are sent")
async def table_samples(caller: CallerDep, tables: TableServiceDep, table_name: str) -> TableSamplesView:
    """Returns whether your organization's model may receive values of the table's cells with a question."""
    return await tables.samples(caller, table_name)


@router.put("/tables/{table_name}/samples", summary="Say what models are sent")
async def set_table_samples(
    caller: CallerDep, tables: TableServiceDep, table_name: str, body: TableSamplesBody
) -> TableSamplesView:
    """Sets whose model may receive values of the table's cells. For administrators."""
    return await tables.set_samples(caller, table_name, body.samples)
