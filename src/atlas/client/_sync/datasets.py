# Made from _async/datasets.py by scripts/make_sync.py; change that one.
"""Datasets and tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from atlas.client._reading import read, read_all
from atlas.client._requests import given, path_of
from atlas.client._sync.resource import PAGE, DatasetRef, Resource
from atlas.client.types import DatasetSummary, Json
from atlas.contract.accounts import Access, Tag
from atlas.contract.datasets import Column, Dataset, DatasetSamples

DATASETS = "/api/datasets/"


class Datasets(Resource):
    """Datasets: time series that you own, or that are shared with you. Each may be given by id or by name."""

    def list(
        self,
        search: str | None = None,
        *,
        text: str | None = None,
        owned: bool | None = None,
        sort: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[Dataset]:
        """Datasets that you may read.

        search: text within name or description, in any case; text: there, or in metadata. owned: only your own, or
        only those of others. sort: a field such as `row_count`, `-` before it for descending.
        """
        params = {"search": search, "text": text, "owned": owned, "sort": sort}
        pages = self._pages(DATASETS, "results", limit, params, count="count", page=page_size)
        for item in pages:
            yield read(Dataset, item)

    def search(self, *, page_size: int = PAGE, **metadata: Any) -> Iterator[Dataset]:
        """Datasets that you may read whose metadata has these values."""
        pages = self._pages(f"{DATASETS}search/", "results", None, metadata, count="count", page=page_size)
        for item in pages:
            yield read(Dataset, item)

    def create(
        self,
        name: str,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        columns: Iterable[Mapping[str, str]] = (),
    ) -> Dataset:
        """Makes a dataset of your own, which only you can see.

        columns: to declare, each with `name`, `dtype` (int or float), and, as you like, `unit` and `description`.
        """
        body: Json = {"name": name, "description": description, "metadata": dict(metadata or {})}
        declared = [dict(column) for column in columns]
        if declared:
            body["columns"] = declared
        return read(Dataset, self._post(DATASETS, body))

    def get(self, dataset: DatasetRef) -> Dataset:
        """One dataset with its columns. Raises NotFound, also for a name that several have."""
        return read(Dataset, self._get(self._path(dataset)))

    def update(
        self,
        dataset: DatasetRef,
        *,
        name: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Changes what is given. Owner only."""
        path = self._path(dataset)
        before = read(Dataset, self._get(path))
        body = {
            "name": before.name if name is None else name,
            "description": before.description if description is None else description,
            "metadata": before.metadata if metadata is None else dict(metadata),
        }
        return read(Dataset, self._put(path, body))

    def delete(self, dataset: DatasetRef) -> None:
        """Deletes a dataset with all its rows, for good. Owner only."""
        self._delete(self._path(dataset))

    def merge_metadata(self, dataset: DatasetRef, metadata: Mapping[str, Any]) -> Dataset:
        """Adds or replaces these fields; the others stay. Owner only."""
        return read(Dataset, self._patch(self._path(dataset, "metadata"), dict(metadata)))

    def replace_metadata(self, dataset: DatasetRef, metadata: Mapping[str, Any]) -> Dataset:
        """Replaces all metadata. Owner only."""
        return read(Dataset, self._put(self._path(dataset, "metadata"), dict(metadata)))

    def tags(self, dataset: DatasetRef) -> Sequence[Tag]:
        """Tags that the dataset is shared by."""
        return read_all(Tag, self._get(self._path(dataset, "tags")))

    def add_tag(self, dataset: DatasetRef, tag: int | str | Tag) -> Tag:
        """Shares it with everybody who holds the tag, given by name or id. Owner only."""
        body = {"tag_name": tag} if isinstance(tag, str) else {"tag_id": tag.id if isinstance(tag, Tag) else tag}
        return read(Tag, self._post(self._path(dataset, "tags"), body))

    def remove_tag(self, dataset: DatasetRef, tag: int | str | Tag) -> None:
        """Stops sharing it by the tag. Owner only."""
        path = self._path(dataset, "tags")
        if isinstance(tag, str):
            found = [item.id for item in read_all(Tag, self._get(path)) if item.name == tag]
            number = found[0] if found else 0  # There is no tag 0: the server says what is wrong.
        else:
            number = tag.id if isinstance(tag, Tag) else tag
        self._delete(f"{path}{number}/")

    def summary(self, dataset: DatasetRef) -> DatasetSummary:
        """Rows, bytes, time span, owner and sharing."""
        return DatasetSummary.read(self._get(self._path(dataset, "summary")))

    def samples(self, dataset: DatasetRef) -> DatasetSamples:
        """Whose model providers may be sent values of its cells."""
        found: DatasetSamples = (self._get(self._path(dataset, "samples")))["samples"]
        return found

    def set_samples(self, dataset: DatasetRef, samples: DatasetSamples) -> None:
        """Says so: `nobody`'s, your `organization`'s, or those of all its `readers`' organizations. Owner only."""
        self._put(self._path(dataset, "samples"), {"samples": samples})

    def access(self, dataset: DatasetRef, *, write: bool = False) -> Access:
        """What you may do with it, and why; write: ask about writing."""
        body = {"dataset_id": self._dataset_id(dataset), "require_write": write}
        return read(Access, self._post("/api/access/check/", body))

    def columns(self, dataset: DatasetRef) -> Sequence[Column]:
        """Its columns: declared ones, and those that came with data."""
        return read_all(Column, self._get("/api/columns/", dataset=self._dataset_id(dataset)))

    def add_column(
        self,
        dataset: DatasetRef,
        name: str,
        dtype: Literal["int", "float"],
        *,
        unit: str | None = None,
        description: str | None = None,
    ) -> Column:
        """Declares a column, whose type is fixed then. Owner only."""
        body = {"dataset": self._dataset_id(dataset), "name": name, "dtype": dtype}
        return read(Column, self._post("/api/columns/", body | given(unit=unit, description=description)))

    def describe_column(
        self, dataset: DatasetRef, name: str, *, unit: str | None = None, description: str | None = None
    ) -> Column:
        """Says the unit of a column's values and what they mean; an empty text takes it away. Owner only.

        Raises NotFound for a column that it has not.
        """
        body = {"dataset": self._dataset_id(dataset), "name": name}
        return read(Column, self._patch("/api/columns/", body | given(unit=unit, description=description)))

    def _path(self, dataset: DatasetRef, *more: str) -> str:
        return path_of("api", "datasets", self._dataset_id(dataset), *more) + "/"


class Tags(Resource):
    """Tags: who holds one may read every dataset that has it."""

    def list(self) -> Sequence[Tag]:
        """Every tag of the system."""
        return read_all(Tag, self._get("/api/tags/"))

    def acquire(self, name: str, secret: str | None = None) -> Tag:
        """Gives you a tag; a private one needs its secret."""
        body: Json = given(tag_name=name, secret=secret)
        return read(Tag, self._post("/api/tags/acquire/", body))
