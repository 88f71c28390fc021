"""Tables: list, schema, statistics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from atlas.http.content.models import CONTENT_ERRORS, SchemaView, StatsView, TablesView
from atlas.http.deps import CallerDep, ServicesDep

router = APIRouter(prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)


@router.get("/tables", response_model=TablesView, response_model_exclude_unset=True, summary="List tables")
async def list_tables(caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Tables of your organization with their row counts, and the datasets that you may read."""
    return await services.tables.list(caller)


@router.get("/tables/{table_name}/schema", response_model=SchemaView, summary="Columns of a table")
async def table_schema(caller: CallerDep, services: ServicesDep, table_name: str) -> dict[str, Any]:
    """Names, types and whether a value may be absent."""
    return await services.tables.schema(caller, table_name)


@router.get("/tables/{table_name}/stats", response_model=StatsView, response_model_exclude_unset=True,
            summary="Statistics of a table")  # fmt: skip
async def table_stats(caller: CallerDep, services: ServicesDep, table_name: str) -> dict[str, Any]:
    """Row count, column count, and types and values of the columns."""
    return await services.tables.stats(caller, table_name)
