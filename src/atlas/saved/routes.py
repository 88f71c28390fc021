"""Saved queries and favourites."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.contract.saved import (
    FavouriteKind,
    FavouritesView,
    FavouriteView,
    RemovedView,
    SavedQueryPage,
    SavedQueryView,
)
from atlas.questions.routes import LimitParam, OffsetParam, SqlText
from atlas.saved.service import FavouriteService, SavedQueryService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

FavouriteServiceDep = Annotated[FavouriteService, provided(FavouriteService)]
SavedQueryServiceDep = Annotated[SavedQueryService, provided(SavedQueryService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", responses=CONTENT_ERRORS)

QueryName = Annotated[str, Field(min_length=1, max_length=200, examples=["Leads per state"])]


class SavedQueryBody(Body):
    """A query to save."""

    name: QueryName
    sql: SqlText
    shared: bool = Field(False, description="Whether everybody of your organization may see it.")


class SavedQueryChange(Body):
    """Changes of a query. Absent fields stay unchanged."""

    name: QueryName | None = None
    sql: SqlText | None = None
    shared: bool | None = Field(None, examples=[True])


KindPath = Annotated[FavouriteKind, Path(description="What is marked.")]
NamePath = Annotated[str, Path(max_length=200, description="The dataset's ID, or the table's name.")]


@router.get("/saved-queries", tags=["Questions"], summary="List saved queries")
async def list_saved(
    caller: CallerDep,
    saved_queries: SavedQueryServiceDep,
    search: Annotated[str | None, Query(max_length=1000, description="Text in name or SQL, in any case.")] = None,
    limit: LimitParam = 50,
    offset: OffsetParam = 0,
) -> SavedQueryPage:
    """Lists your own queries and those that others of your organization share, by name."""
    return await saved_queries.list(caller, search, limit, offset)


@router.post("/saved-queries", tags=["Questions"], summary="Save a query")
async def create_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, body: SavedQueryBody) -> SavedQueryView:
    """Saves SQL under a name of yours, without running it."""
    return await saved_queries.create(caller, body.name, body.sql, shared=body.shared)


@router.get("/saved-queries/{query_id}", tags=["Questions"], summary="Get a saved query")
async def get_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str) -> SavedQueryView:
    """Returns a query of your own, or a query that your organization shares."""
    return await saved_queries.get(caller, query_id)


@router.put("/saved-queries/{query_id}", tags=["Questions"], summary="Change a saved query")
async def change_saved(
    caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str, body: SavedQueryChange
) -> SavedQueryView:
    """Changes name, SQL, or sharing of a query. Only for your own queries."""
    return await saved_queries.change(caller, query_id, body.name, body.sql, body.shared)


@router.delete("/saved-queries/{query_id}", tags=["Questions"], summary="Delete a saved query")
async def delete_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str) -> RemovedView:
    """Deletes a query. Only for your own queries."""
    return await saved_queries.delete(caller, query_id)


@router.get("/favourites", tags=["Account"], summary="List your favourites")
async def list_favourites(caller: CallerDep, favourites: FavouriteServiceDep) -> FavouritesView:
    """Lists your favourite datasets and tables that you may read, the last added first."""
    return await favourites.list(caller)


@router.put("/favourites/{kind}/{name}", tags=["Account"], summary="Mark a favourite")
async def add_favourite(
    caller: CallerDep, favourites: FavouriteServiceDep, kind: KindPath, name: NamePath
) -> FavouriteView:
    """Adds a dataset or a table to your favourites. Repetition changes nothing."""
    return await favourites.mark(caller, kind, name, on=True)


@router.delete("/favourites/{kind}/{name}", tags=["Account"], summary="Unmark a favourite")
async def remove_favourite(
    caller: CallerDep, favourites: FavouriteServiceDep, kind: KindPath, name: NamePath
) -> FavouriteView:
    """Removes a dataset or a table from your favourites. Repetition changes nothing."""
    return await favourites.mark(caller, kind, name, on=False)
