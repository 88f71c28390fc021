"""Datasets and tags."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Literal

from atlas.client._async.resource import PAGE, AsyncResource, DatasetRef
from atlas.client._reading import read, read_all
from atlas.client._requests import given, path_of
from atlas.client.types import DatasetSummary, Json
from atlas.contract.accounts import Access, Tag
from atlas.contract.datasets import Column, Dataset, DatasetSamples, OnConflict

DATASETS = "/api/datasets/"


class AsyncDatasets(AsyncResource):
    """Datasets: time series that you own, or that are shared with you. Methods accept a dataset's id or name."""

    async def list(
        self,
        search: str | None = None,
        *,
        text: str | None = None,
        owned: bool | None = None,
        sort: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> AsyncIterator[Dataset]:
        """Yields datasets that you may read.

        - search: text in name or description, in any case.
        - text: text in name, description or metadata, in any case.
        - owned: True for your own datasets, False for the datasets of others.
        - sort: a field such as `row_count`, `-` before it for descending.
        """
        params = {"search": search, "text": text, "owned": owned, "sort": sort}
        pages = self._pages(DATASETS, "results", limit, params, count="count", page=page_size)
        async for item in pages:
            yield read(Dataset, item)

    async def search(self, *, page_size: int = PAGE, **metadata: Any) -> AsyncIterator[Dataset]:
        """Yields datasets that you may read with these values in their metadata."""
        pages = self._pages(f"{DATASETS}search/", "results", None, metadata, count="count", page=page_size)
        async for item in pages:
            yield read(Dataset, item)

    async def create(
        self,
        name: str,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        columns: Iterable[Mapping[str, str]] = (),
        keys: Iterable[str] = (),
        on_conflict: OnConflict | None = None,
    ) -> Dataset:
        """Creates a dataset of your own, which only you can see.

        - columns: columns to declare, each with `name`, `dtype` (int or float), and optionally `unit` and
          `description`.
        - keys: columns whose values name the series of a row, such as `symbol`. Every row needs them.
        - on_conflict: what inserts do with rows whose timestamp and keys other rows have; see `rows.bulk_insert`.
        """
        body: Json = {"name": name, "description": description, "metadata": dict(metadata or {})}
        declared = [dict(column) for column in columns]
        if declared:
            body["columns"] = declared
        if series := [*keys]:
            body["keys"] = series
        body |= given(on_conflict=on_conflict)
        return read(Dataset, await self._post(DATASETS, body))

    async def get(self, dataset: DatasetRef) -> Dataset:
        """Returns one dataset with its columns.

        Raises NotFound: when no dataset, or more than one, has the name.
        """
        return read(Dataset, await self._get(await self._path(dataset)))

    async def update(
        self,
        dataset: DatasetRef,
        *,
        name: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        keys: Iterable[str] | None = None,
        on_conflict: OnConflict | None = None,
    ) -> Dataset:
        """Changes the given fields. Owner only.

        - keys: columns that name the series of a row from now on. Rows that are there must have them already.
        - on_conflict: what later inserts do with rows whose timestamp and keys other rows have.
        """
        path = await self._path(dataset)
        if keys is not None or on_conflict is not None:
            changes = given(name=name, description=description, metadata=metadata and dict(metadata))
            changes |= given(keys=None if keys is None else [*keys], on_conflict=on_conflict)
            return read(Dataset, await self._patch(path, changes))
        before = read(Dataset, await self._get(path))
        body = {
            "name": before.name if name is None else name,
            "description": before.description if description is None else description,
            "metadata": before.metadata if metadata is None else dict(metadata),
        }
        return read(Dataset, await self._put(path, body))

    async def delete(self, dataset: DatasetRef) -> None:
        """Deletes a dataset with all its rows, for good. Owner only."""
        await self._delete(await self._path(dataset))

    async def merge_metadata(self, dataset: DatasetRef, metadata: Mapping[str, Any]) -> Dataset:
        """Adds or replaces these fields; the other fields stay. Owner only."""
        return read(Dataset, await self._patch(await self._path(dataset, "metadata"), dict(metadata)))

    async def replace_metadata(self, dataset: DatasetRef, metadata: Mapping[str, Any]) -> Dataset:
        """Replaces all metadata. Owner only."""
        return read(Dataset, await self._put(await self._path(dataset, "metadata"), dict(metadata)))

    async def tags(self, dataset: DatasetRef) -> Sequence[Tag]:
        """Lists the tags that share the dataset."""
        return read_all(Tag, await self._get(await self._path(dataset, "tags")))

    async def add_tag(self, dataset: DatasetRef, tag: int | str | Tag) -> Tag:
        """Shares the dataset with all holders of the tag, by the tag's name or id. Owner only."""
        body = {"tag_name": tag} if isinstance(tag, str) else {"tag_id": tag.id if isinstance(tag, Tag) else tag}
        return read(Tag, await self._post(await self._path(dataset, "tags"), body))

    async def remove_tag(self, dataset: DatasetRef, tag: int | str | Tag) -> None:
        """Stops sharing the dataset by the tag. Owner only."""
        path = await self._path(dataset, "tags")
        if isinstance(tag, str):
            found = [item.id for item in read_all(Tag, await self._get(path)) if item.name == tag]
            number = found[0] if found else 0  # There is no tag 0, so the server explains the error.
        else:
            number = tag.id if isinstance(tag, Tag) else tag
        await self._delete(f"{path}{number}/")

    async def summary(self, dataset: DatasetRef) -> DatasetSummary:
        """Returns rows, bytes, time span, owner and sharing."""
        return DatasetSummary.read(await self._get(await self._path(dataset, "summary")))

    async def samples(self, dataset: DatasetRef) -> DatasetSamples:
        """Returns whose model providers may receive values of the dataset's cells."""
        found: DatasetSamples = (await self._get(await self._path(dataset, "samples")))["samples"]
        return found

    async def set_samples(self, dataset: DatasetRef, samples: DatasetSamples) -> None:
        """Sets whose models may receive cells: `nobody`'s, your `organization`'s, or all `readers`' organizations'.
        Owner only.
        """
        await self._put(await self._path(dataset, "samples"), {"samples": samples})

    async def access(self, dataset: DatasetRef, *, write: bool = False) -> Access:
        """Returns your rights to the dataset, and the reason. `write` checks the right to write."""
        body = {"dataset_id": await self._dataset_id(dataset), "require_write": write}
        return read(Access, await self._post("/api/access/check/", body))

    async def columns(self, dataset: DatasetRef) -> Sequence[Column]:
        """Lists the dataset's columns: declared columns, and columns that came with data."""
        return read_all(Column, await self._get("/api/columns/", dataset=await self._dataset_id(dataset)))

    async def add_column(
        self,
        dataset: DatasetRef,
        name: str,
        dtype: Literal["int", "float"],
        *,
        unit: str | None = None,
        description: str | None = None,
    ) -> Column:
        """Declares a column and fixes its type. Owner only."""
        body = {"dataset": await self._dataset_id(dataset), "name": name, "dtype": dtype}
        return read(Column, await self._post("/api/columns/", body | given(unit=unit, description=description)))

    async def describe_column(
        self, dataset: DatasetRef, name: str, *, unit: str | None = None, description: str | None = None
    ) -> Column:
        """Sets the unit of a column's values and their meaning. An empty text removes either. Owner only.

        Raises NotFound: when the dataset has no such column.
        """
        body = {"dataset": await self._dataset_id(dataset), "name": name}
        return read(Column, await self._patch("/api/columns/", body | given(unit=unit, description=description)))

    async def _path(self, dataset: DatasetRef, *more: str) -> str:
        return path_of("api", "datasets", await self._dataset_id(dataset), *more) + "/"


class AsyncTags(AsyncResource):
    """Tags: a holder of a tag may read every dataset with the tag."""

    async def list(self) -> Sequence[Tag]:
        """Lists every tag of the system."""
        return read_all(Tag, await self._get("/api/tags/"))

    async def acquire(self, name: str, secret: str | None = None) -> Tag:
        """Gives you a tag. A private tag needs its secret."""
        body: Json = given(tag_name=name, secret=secret)
        return read(Tag, await self._post("/api/tags/acquire/", body))
