"""Answers on saved queries and favourites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from atlas.contract.shape import Moment, Shape, Success

FavouriteKind = Literal["dataset", "table"]


@dataclass(frozen=True)
class SavedQuery(Shape):
    """A saved query. is_owner: whether the query is yours; otherwise `owner` shares it."""

    _name: ClassVar = "SavedQueryItem"
    id: str
    name: str
    sql: str
    shared: bool
    is_owner: bool
    owner: str
    created_at: Moment
    updated_at: Moment


@dataclass(frozen=True)
class SavedQueryView(Success):
    """One saved query."""

    saved_query: SavedQuery


@dataclass(frozen=True)
class SavedQueryPage(Success):
    """A page of saved queries."""

    saved_queries: tuple[SavedQuery, ...]
    total_count: int
    limit: int
    offset: int


@dataclass(frozen=True)
class RemovedView(Success):
    """A removed query."""

    id: str


@dataclass(frozen=True)
class Favourite(Shape):
    """A dataset or table among your favourites. dataset_id: null for tables."""

    _name: ClassVar = "FavouriteItem"
    kind: FavouriteKind
    dataset_id: int | None
    name: str
    created_at: Moment


@dataclass(frozen=True)
class FavouritesView(Success):
    """Your favourites, the last added first."""

    favourites: tuple[Favourite, ...]


@dataclass(frozen=True)
class FavouriteView(Success):
    """Whether a dataset or table is a favourite now."""

    kind: FavouriteKind
    name: str
    favourite: bool
