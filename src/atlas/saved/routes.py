"""Saved queries and favourites."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from atlas.accounts.dependencies import CallerDep
from atlas.questions.routes import LimitParam, OffsetParam, SqlText
from atlas.questions.schemas import RemovedView
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
    """SQL to keep."""

    name: QueryName
    sql: SqlText
    shared: bool = Field(False, description="Whether everybody of your organization may see it.")


class SavedQueryChange(Body):
    """Changes; what is left out stays."""

    name: QueryName | None = None
    sql: SqlText | None = None
    shared: bool | None = Field(None, examples=[True])


class SavedQueryItem(BaseModel):
    """SQL that is kept. is_owner: whether it is yours, else `owner` shares it."""

    id: str
    name: str
    sql: str
    shared: bool
    is_owner: bool
    owner: str
    created_at: str
    updated_at: str


class SavedQueryView(BaseModel):
    """One saved query."""

    success: bool
    saved_query: SavedQueryItem


class SavedQueryPage(BaseModel):
    """A page of saved queries."""

    success: bool
    saved_queries: list[SavedQueryItem]
    total_count: int
    limit: int
    offset: int


class FavouriteItem(BaseModel):
    """A dataset or a table that you marked. dataset_id: null for tables."""

    kind: Literal["dataset", "table"]
    dataset_id: int | None
    name: str
    created_at: str


class FavouritesView(BaseModel):
    """What you marked, marked last first."""

    success: bool
    favourites: list[FavouriteItem]


class FavouriteView(BaseModel):
    """Whether something is marked now."""

    success: bool
    kind: Literal["dataset", "table"]
    name: str
    favourite: bool


KindPath = Annotated[Literal["dataset", "table"], Path(description="What is marked.")]
NamePath = Annotated[str, Path(max_length=200, description="The dataset's ID, or the table's name.")]


@router.get("/saved-queries", tags=["Questions"], response_model=SavedQueryPage, summary="List saved queries")
async def list_saved(
    caller: CallerDep,
    saved_queries: SavedQueryServiceDep,
    search: Annotated[str | None, Query(max_length=1000, description="Text in name or SQL, in any case.")] = None,
    limit: LimitParam = 50,
    offset: OffsetParam = 0,
) -> dict[str, Any]:
    """Your own, and those that others of your organization share, by name."""
    return await saved_queries.list(caller, search, limit, offset)


@router.post("/saved-queries", tags=["Questions"], response_model=SavedQueryView, summary="Save a query")
async def create_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, body: SavedQueryBody) -> dict[str, Any]:
    """Keeps SQL under a name of yours. It is not run."""
    return await saved_queries.create(caller, body.name, body.sql, shared=body.shared)


@router.get("/saved-queries/{query_id}", tags=["Questions"], response_model=SavedQueryView, summary="Get a saved query")
async def get_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str) -> dict[str, Any]:
    """One of your own, or one that your organization shares."""
    return await saved_queries.get(caller, query_id)


@router.put(
    "/saved-queries/{query_id}", tags=["Questions"], response_model=SavedQueryView, summary="Change a saved query"
)
async def change_saved(
    caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str, body: SavedQueryChange
) -> dict[str, Any]:
    """Name, SQL, or whether it is shared. Only yours."""
    return await saved_queries.change(caller, query_id, body.name, body.sql, body.shared)


@router.delete(
    "/saved-queries/{query_id}", tags=["Questions"], response_model=RemovedView, summary="Delete a saved query"
)
async def delete_saved(caller: CallerDep, saved_queries: SavedQueryServiceDep, query_id: str) -> dict[str, Any]:
    """Only yours."""
    return await saved_queries.delete(caller, query_id)


@router.get("/favourites", tags=["Account"], response_model=FavouritesView, summary="List your favourites")
async def list_favourites(caller: CallerDep, favourites: FavouriteServiceDep) -> dict[str, Any]:
    """Datasets and tables that you marked and may read, marked last first."""
    return await favourites.list(caller)


@router.put("/favourites/{kind}/{name}", tags=["Account"], response_model=FavouriteView, summary="Mark a favourite")
async def add_favourite(
    caller: CallerDep, favourites: FavouriteServiceDep, kind: KindPath, name: NamePath
) -> dict[str, Any]:
    """Marks a dataset or a table for yourself; doing so again changes nothing."""
    return await favourites.mark(caller, kind, name, on=True)


@router.delete(
    "/favourites/{kind}/{name}", tags=["Account"], response_model=FavouriteView, summary="Unmark a favourite"
)
async def remove_favourite(
    caller: CallerDep, favourites: FavouriteServiceDep, kind: KindPath, name: NamePath
) -> dict[str, Any]:
    """Takes the mark away; doing so again changes nothing."""
    return await favourites.mark(caller, kind, name, on=False)
