"""Units and descriptions of columns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from atlas.accounts.dependencies import CallerDep
from atlas.catalog.column_notes import ColumnNoteService
from atlas.contract.datasets import Column
from atlas.contract.tables import DescribedView
from atlas.timeseries.schemas import ColumnNoteBody, DatasetColumnNoteBody
from atlas.web.error_schemas import CONTENT_ERRORS, ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

ColumnNoteServiceDep = Annotated[ColumnNoteService, provided(ColumnNoteService)]

table_router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Tables"], responses=CONTENT_ERRORS)
dataset_router = APIRouter(route_class=JsonRoute, prefix="/api", tags=["Columns"], responses=ERRORS)


@table_router.patch("/tables/{table_name}/columns/{column_name}", summary="Describe a column")
async def describe_table_column(
    caller: CallerDep, column_notes: ColumnNoteServiceDep, table_name: str, column_name: str, body: ColumnNoteBody
) -> DescribedView:
    """Sets the unit of a column's values and their meaning. For all members of the organization, or a
    dataset's owner.
    """
    return await column_notes.of_table(caller, table_name, column_name, body.unit, body.description)


@dataset_router.patch("/columns/", summary="Describe a column")
async def describe_column(body: DatasetColumnNoteBody, caller: CallerDep, column_notes: ColumnNoteServiceDep) -> Column:
    """Sets the unit of a column's values and their meaning, which all readers of the dataset see. Owner only."""
    return await column_notes.of_dataset(caller, body.dataset, body.name, body.unit, body.description)
