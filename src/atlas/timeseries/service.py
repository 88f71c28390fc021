"""Datasets and their columns: create, find, change and delete."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.datasets import Column as ColumnView
from atlas.contract.datasets import Dataset, DatasetSamples, DatasetSamplesView, OnConflict, SummaryView
from atlas.db.database import Database
from atlas.errors import BadRequestError
from atlas.kit.admission import Lane
from atlas.kit.like_patterns import containing
from atlas.kit.sorting import DATASET_FIELDS, parse_order
from atlas.kit.timestamps import format_micros
from atlas.timeseries import repository as store
from atlas.timeseries import schema_changes
from atlas.timeseries.column_notes import note_dataset_column
from atlas.timeseries.columns import Column, Dtype, NewColumn, from_catalog
from atlas.timeseries.conflicts import repository as conflicts
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.frames import SchemaChange
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.series.checks import refuse_names

Row = dict[str, Any]
# Characters that change the direction of the text around them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def column_view(dataset_id: int, column: Column) -> ColumnView:
    """Builds the API's view of a column."""
    return ColumnView(
        column.id,
        dataset_id,
        column.name,
        column.dtype.value,
        not column.declared,
        column.unit,
        column.description,
    )


def checked_note(unit: str, description: str, field: str = "") -> tuple[str, str]:
    """Strips and checks a column's unit and description.

    `field` is the path of the column in the request, for the error's text.

    Raises BadRequestError: when a text has control characters.
    """
    unit, description = unit.strip(), description.strip()
    for name, text in (("unit", unit), ("description", description.replace("\n", "").replace("\t", ""))):
        if any(c in _TURNING or unicodedata.category(c) == "Cc" for c in text):
            raise BadRequestError("Invalid parameter", f"{field}{name}: control characters are not allowed")
    return unit, description


class DatasetService:
    """Operations of owners and readers on whole datasets."""

    def __init__(self, database: Database, access: AccessService, storing: Lane) -> None:
        self._database = database
        self._access = access
        self._storing = storing

    async def create(
        self,
        caller: Caller,
        name: str,
        description: str,
        metadata: Row,
        columns: Sequence[NewColumn] = (),
        keys: Sequence[str] = (),
        policy: Policy = Policy.APPEND,
    ) -> Dataset:
        """Creates a private dataset of the caller with the declared `columns` and series `keys`.

        `policy` tells what inserts do with rows whose timestamp and keys other rows have.

        Raises BadRequestError: when two columns have one name, a unit or description has control characters, or a
            column may not be a key.
        """
        refuse_names(keys)
        names = [column.name for column in columns]
        twice = next((one for one in names if names.count(one) > 1), None)
        if twice is not None:
            raise BadRequestError("Invalid parameter", f"columns: {twice!r} is there twice")
        notes = [checked_note(c.unit, c.description, f"columns[{n}].") for n, c in enumerate(columns)]
        async with self._database.transaction() as connection:
            row = await store.create(connection, caller, name, description, metadata)
            if not columns and not keys and policy is Policy.APPEND:
                return Dataset(**row | {"keys": ()}, columns=())
            if columns:
                change = SchemaChange({column.name: column.dtype for column in columns}, ())
                place = schema_changes.Place(caller.schema_name, cold=False)
                await schema_changes.apply_schema(connection, row["id"], place, {}, change, declared=True)
            for column, (unit, said) in zip(columns, notes, strict=True):
                if unit or said:
                    await note_dataset_column(connection, row["id"], column.name, unit, said)
            await series_tables.set_keys(connection, row["id"], keys)
            await conflicts.set_policy(connection, row["id"], policy)
            row = await store.change(connection, "get_dataset", row["id"])
        return (await self._with_columns([row]))[0]

    async def get(self, caller: Caller, dataset_id: int) -> Dataset:
        """Returns a readable dataset with its columns."""
        await self._access.require(caller, dataset_id)
        async with self._database.connection() as connection:
            row = await store.change(connection, "get_dataset", dataset_id)
        return (await self._with_columns([row]))[0]

    async def summary(self, caller: Caller, dataset_id: int) -> SummaryView:
        """Summarizes a readable dataset. Times are ISO 8601, or None when the dataset is empty."""
        found = await self._access.require(caller, dataset_id)
        async with self._database.connection() as connection:
            row = await store.summary(connection, dataset_id)
        first, last = (None if at is None else format_micros(at) for at in (row["first_micros"], row["last_micros"]))
        return SummaryView(
            dataset=dataset_id,
            owner=row["owner"],
            owner_organization=row["owner_organization"],
            is_owner=found.is_owner,
            tags=tuple(row["tags"]),
            matching_tags=tuple(found.matching_tags),
            row_count=row["row_count"],
            version=row["version"],
            bytes=row["bytes"],
            first_timestamp=first,
            last_timestamp=last,
        )

    async def samples(self, caller: Caller, dataset_id: int) -> DatasetSamplesView:
        """Returns whose models may receive values of a readable dataset."""
        await self._access.require(caller, dataset_id)
        found = await store.dataset_samples(self._database, dataset_id)
        return DatasetSamplesView(dataset_id, cast("DatasetSamples", found or "nobody"))

    async def set_samples(self, caller: Caller, dataset_id: int, samples: DatasetSamples) -> DatasetSamplesView:
        """Sets whose models may receive values of an owned dataset."""
        await self._access.require(caller, dataset_id, write=True)
        async with self._database.connection() as connection:
            await store.set_samples(connection, dataset_id, samples)
        return DatasetSamplesView(dataset_id, samples)

    async def search(
        self,
        caller: Caller,
        text: str | None,
        limit: int,
        offset: int,
        owned: bool | None = None,
        *,
        anywhere: str | None = None,
        metadata: Sequence[str] = (),
        sort: str | None = None,
    ) -> tuple[int, list[Dataset]]:
        """Returns count and page of the datasets with `text` in name or description, in any case.

        - anywhere: a text in name, description or metadata.
        - metadata: a list of `name=value`; every pair must be equal.
        - owned: True for the caller's own datasets, False for the datasets of others.
        - sort: see `atlas.kit.sorting`.

        Raises BadRequestError: when a filter or the order cannot be read.
        """
        pairs = [item.partition("=") for item in metadata]
        for item, (name, equals, _) in zip(metadata, pairs, strict=True):
            if not name or not equals:
                raise BadRequestError("Invalid parameter", f"metadata: {item[:100]!r} is not NAME=VALUE")
        sought = store.Sought(
            pattern=_pattern(text, "search"),
            anywhere=_pattern(anywhere, "text"),
            owned=owned,
            metadata=_wanted([(name, value) for name, _, value in pairs]) if pairs else None,
            order=parse_order(sort, DATASET_FIELDS),
        )
        return await self._search(caller, sought, limit, offset)

    async def search_metadata(
        self, caller: Caller, filters: list[tuple[str, str]], limit: int, offset: int
    ) -> tuple[int, list[Dataset]]:
        """Returns count and page of the datasets with metadata equal to every filter.

        A query parameter has no type, so `5` matches both 5 and "5", and `true` both true and "true".

        Raises BadRequestError: when there is no filter.
        """
        if not filters:
            raise BadRequestError(
                "At least one metadata filter is required",
                "Add ?key=value, or list all datasets with /api/datasets/",
            )
        return await self._search(caller, store.Sought(metadata=_wanted(filters)), limit, offset)

    async def _search(self, caller: Caller, sought: store.Sought, limit: int, offset: int) -> tuple[int, list[Dataset]]:
        count, rows = await store.search(self._database, caller.user_id, sought, limit, offset)
        return count, await self._with_columns(rows)

    async def _with_columns(self, rows: list[Row]) -> list[Dataset]:
        async with self._database.connection() as connection:
            columns = await store.columns_of(connection, [row["id"] for row in rows])
        return [
            Dataset(
                row["id"],
                row["name"],
                row["description"],
                row["metadata"],
                tuple(column_view(row["id"], column) for column in columns[row["id"]]),
                row["created_at"],
                row["updated_at"],
                tuple(map(from_catalog, row["keys"])),
                row["on_conflict"],
            )
            for row in rows
        ]

    async def update(
        self,
        caller: Caller,
        dataset_id: int,
        query: str,
        keys: Sequence[str] | None = None,
        on_conflict: OnConflict | None = None,
        **values: Any,
    ) -> Dataset:
        """Replaces or merges fields of an owned dataset, by the repository's query of this name.

        - keys: replace the dataset's series keys. None leaves them as they are.
        - on_conflict: what later inserts do with rows whose timestamp and keys other rows have. None leaves it.

        Raises BadRequestError: when a column does not exist or may not be a key, or a row lacks it.
        """
        await self._access.require(caller, dataset_id, write=True)
        if keys is None and on_conflict is None:
            async with self._database.connection() as connection:
                row = await store.change(connection, query, dataset_id, **values)
            return (await self._with_columns([row]))[0]
        refuse_names(keys or ())
        async with self._storing.slot(caller), self._database.transaction() as connection:
            await store.change(connection, "get_table", dataset_id)
            if keys is not None:
                await series_tables.set_keys(connection, dataset_id, keys)
            if on_conflict is not None:
                await conflicts.set_policy(connection, dataset_id, Policy(on_conflict))
            row = await store.change(connection, query, dataset_id, **values)
        return (await self._with_columns([row]))[0]

    async def delete(self, caller: Caller, dataset_id: int) -> None:
        """Deletes an owned dataset with all its rows."""
        await self._access.require(caller, dataset_id, write=True)
        async with self._database.transaction() as connection:
            await store.delete(connection, dataset_id)
        self._access.forget(caller, dataset_id)

    async def columns(self, caller: Caller, dataset_id: int) -> list[ColumnView]:
        """Returns the columns of a readable dataset, including inferred columns."""
        await self._access.require(caller, dataset_id)
        async with self._database.connection() as connection:
            found = await store.columns_of(connection, [dataset_id])
        return [column_view(dataset_id, column) for column in found[dataset_id]]

    async def declare_column(
        self,
        caller: Caller,
        dataset_id: int,
        name: str,
        dtype: Dtype,
        unit: str | None = None,
        description: str | None = None,
    ) -> ColumnView:
        """Declares a column of an owned dataset. An inferred column of the same type is kept.

        Raises BadRequestError: when the column is declared already, or holds values of another type.
        """
        await self._access.require(caller, dataset_id, write=True)
        _refuse_nul(name, "name")
        said = checked_note(unit or "", description or "")
        async with self._database.transaction() as connection:
            state = await store.change(connection, "get_table", dataset_id)
            place = schema_changes.Place(state["table_schema"], state["cold"])
            known = {c.name: c for c in (await store.columns_of(connection, [dataset_id]))[dataset_id]}
            old = known.get(name)
            if old is not None and old.dtype is not Dtype.JSON:
                if old.declared:
                    raise BadRequestError("Column already exists", f"name: {name!r} is declared already")
                widen = old.dtype is Dtype.INT and dtype is Dtype.FLOAT
                if old.dtype is not dtype and not widen:
                    raise BadRequestError(
                        "Column type conflict",
                        f"dtype: {name!r} already holds {old.dtype} values, not {dtype}",
                    )
                if widen:
                    known = await schema_changes.apply_schema(
                        connection, dataset_id, place, known, SchemaChange({}, (old,)), declared=True
                    )
                    if known[name].dtype is not dtype:
                        raise BadRequestError(
                            "Column type conflict", f"dtype: {name!r} holds integers that no float equals"
                        )
                await schema_changes.declare(connection, known[name])
            else:
                change = SchemaChange({name: dtype}, ())
                known = await schema_changes.apply_schema(connection, dataset_id, place, known, change, declared=True)
            column = await note_dataset_column(
                connection,
                dataset_id,
                name,
                None if unit is None else said[0],
                None if description is None else said[1],
            )
            await series_tables.settle(connection, dataset_id)
        assert column is not None, "the dataset is locked"
        return column_view(dataset_id, column)


def _pattern(text: str | None, what: str) -> str | None:
    """Builds a pattern that matches a text anywhere, or None when there is no text."""
    if not text:
        return None
    _refuse_nul(text, what)
    return containing(text)


def _wanted(filters: Sequence[tuple[str, str]]) -> list[list[Row]]:
    """Lists for each filter the metadata objects that satisfy the filter. Metadata must contain at least
    one of them.
    """
    wanted = []
    for key, value in filters:
        _refuse_nul(key + value, key.replace("\0", ""))
        wanted.append([{key: choice} for choice in _readings(value)])
    return wanted


def _refuse_nul(text: str, field: str) -> None:
    if "\0" in text:
        raise BadRequestError("Invalid parameter", f"{field}: the NUL character is not allowed")


def _readings(value: str) -> list[Any]:
    """Lists the JSON values that a query parameter may stand for: the text, and the text parsed as JSON."""
    readings: list[Any] = [value]
    try:
        parsed = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return readings
    if not isinstance(parsed, str):
        readings.append(parsed)
    return readings
