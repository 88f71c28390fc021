# Made from _async/saved.py by scripts/make_sync.py; change that one.
"""Saved queries and favourites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atlas.client._reading import read, read_all
from atlas.client._requests import given, path_of
from atlas.client._sync.resource import PAGE, Resource
from atlas.contract.saved import Favourite, FavouriteKind, SavedQuery


class SavedQueries(Resource):
    """Your saved queries, and queries that others of your organization share."""

    path = "/api/v1/saved-queries"

    def list(
        self, search: str | None = None, *, limit: int | None = None, page_size: int = PAGE
    ) -> Iterator[SavedQuery]:
        """Yields queries by name. `search` is a text in name or SQL, in any case."""
        for item in self._pages(self.path, "saved_queries", limit, {"search": search}, page=page_size):
            yield read(SavedQuery, item)

    def get(self, query_id: str) -> SavedQuery:
        """Returns one query.

        Raises NotFound: when you may see no such query.
        """
        return read(SavedQuery, (self._get(f"{self.path}{path_of(query_id)}"))["saved_query"])

    def create(self, name: str, sql: str, *, shared: bool = False) -> SavedQuery:
        """Saves SQL under a name of yours, without running it. `shared` shows the query to your organization."""
        body = {"name": name, "sql": sql, "shared": shared}
        return read(SavedQuery, (self._post(self.path, body))["saved_query"])

    def update(
        self, query_id: str, *, name: str | None = None, sql: str | None = None, shared: bool | None = None
    ) -> SavedQuery:
        """Changes the given fields. Only for your own queries."""
        body = given(name=name, sql=sql, shared=shared)
        return read(SavedQuery, (self._put(f"{self.path}{path_of(query_id)}", body))["saved_query"])

    def delete(self, query_id: str) -> None:
        """Deletes a query. Only for your own queries."""
        self._delete(f"{self.path}{path_of(query_id)}")


class Favourites(Resource):
    """Your favourite datasets and tables."""

    path = "/api/v1/favourites"

    def list(self) -> Sequence[Favourite]:
        """Lists your favourites that you may read, the last added first."""
        return read_all(Favourite, (self._get(self.path))["favourites"])

    def add(self, kind: FavouriteKind, name: int | str) -> None:
        """Adds the dataset of an id, or the table of a name, to your favourites."""
        self._put(f"{self.path}{path_of(kind, name)}", None)

    def remove(self, kind: FavouriteKind, name: int | str) -> None:
        """Removes a dataset or table from your favourites."""
        self._delete(f"{self.path}{path_of(kind, name)}")
