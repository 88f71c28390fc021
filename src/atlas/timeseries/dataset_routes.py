"""Datasets: list, search, create, read, update, delete, metadata, tags, columns."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from atlas.accounts.dependencies import CallerDep
from atlas.accounts.tags import TagService
from atlas.contract.accounts import Tag
from atlas.contract.datasets import Column, Dataset, DatasetPage, DatasetSamplesView, SummaryView
from atlas.errors import BadRequestError
from atlas.kit.sorting import DATASET_FIELDS, described
from atlas.timeseries.columns import Dtype, NewColumn
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.parameters import DatasetParam
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.schemas import (
    ColumnBody,
    DatasetChangeBody,
    NewDatasetBody,
    ReplacedDatasetBody,
    SamplesBody,
    TagBody,
)
from atlas.timeseries.service import DatasetService
from atlas.web.bodies import Metadata, refuse_unstorable
from atlas.web.error_schemas import ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.paging import PartParam, links
from atlas.web.provided import provided

DatasetServiceDep = Annotated[DatasetService, provided(DatasetService)]
ReadServiceDep = Annotated[ReadService, provided(ReadService)]
TagServiceDep = Annotated[TagService, provided(TagService)]

router = APIRouter(route_class=JsonRoute, prefix="/api", responses=ERRORS)
datasets: list[str | Enum] = ["Datasets"]
columns: list[str | Enum] = ["Columns"]

LimitParam = Annotated[int, Query(ge=1, le=1000, description="Datasets of a page.")]
OffsetParam = Annotated[int, Query(ge=0, le=2**31, description="Datasets to skip.")]


@router.get("/datasets/", tags=datasets, summary="List datasets")
async def list_datasets(
    request: Request,
    caller: CallerDep,
    datasets_service: DatasetServiceDep,
    search: Annotated[str | None, Query(description="Text in name or description, in any case.")] = None,
    text: Annotated[str | None, Query(description="Text in name, description or metadata, in any case.")] = None,
    metadata: Annotated[
        list[str] | None, Query(description="A metadata field that must be equal, as `name=value`. Repeatable.")
    ] = None,
    owned: Annotated[bool | None, Query(description="Only your own (true) or only those of others (false).")] = None,
    sort: Annotated[str | None, Query(max_length=100, description=described(DATASET_FIELDS))] = None,
    limit: LimitParam = 250,
    offset: OffsetParam = 0,
) -> DatasetPage:
    """Lists the datasets that you own or share a tag with, in order of creation unless you give `sort`."""
    count, rows = await datasets_service.search(
        caller, search, limit, offset, owned, anywhere=text, metadata=metadata or (), sort=sort
    )
    following, previous = links(request, count, limit, offset)
    return DatasetPage(count, following, previous, tuple(rows))


@router.api_route("/datasets/search/", methods=["PUT", "PATCH", "DELETE"], include_in_schema=False)
async def refuse_change_of_search() -> None:
    """Answers 405, because the routes of a dataset would read `search` as an ID and answer 400."""
    raise HTTPException(405)


# Filters have any names. Generated clients get one parameter: an object, sent as `name=value` for each member.
FILTERS = {
    "name": "filters",
    "in": "query",
    "required": True,
    "style": "form",
    "explode": True,
    "description": "Metadata fields and their values, each as a parameter of its own.",
    "schema": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    "example": {"source": "tiingo", "frequency": "1h"},
}


@router.get(
    "/datasets/search/",
    tags=datasets,
    summary="Search metadata",
    openapi_extra={"parameters": [FILTERS]},
)
async def search_metadata(
    request: Request,
    caller: CallerDep,
    datasets_service: DatasetServiceDep,
    limit: LimitParam = 250,
    offset: OffsetParam = 0,
) -> DatasetPage:
    """Finds datasets by metadata: each query parameter except limit and offset is a field that must be equal.

    Needs at least one field.
    """
    filters = [(k, v) for k, v in request.query_params.multi_items() if k not in ("limit", "offset")]
    count, rows = await datasets_service.search_metadata(caller, filters, limit, offset)
    following, previous = links(request, count, limit, offset)
    return DatasetPage(count, following, previous, tuple(rows))


@router.post("/datasets/", tags=datasets, status_code=201, summary="Create a dataset")
async def create_dataset(body: NewDatasetBody, caller: CallerDep, datasets_service: DatasetServiceDep) -> Dataset:
    """Creates a dataset that you own. Until you add a tag, only you see the dataset."""
    columns = [NewColumn(c.name, Dtype(c.dtype), c.unit or "", c.description or "") for c in body.columns]
    return await datasets_service.create(
        caller,
        body.name,
        body.description,
        body.metadata,
        columns,
        tuple(body.keys or ()),
        Policy(body.on_conflict or Policy.APPEND),
    )


@router.get("/datasets/{dataset_id}/", tags=datasets, summary="Get a dataset")
async def get_dataset(dataset_id: int, caller: CallerDep, datasets_service: DatasetServiceDep) -> Dataset:
    """Returns one dataset. Needs read access."""
    return await datasets_service.get(caller, dataset_id)


@router.get("/datasets/{dataset_id}/summary/", tags=datasets, summary="Summarize a dataset")
async def summarize_dataset(dataset_id: int, caller: CallerDep, datasets_service: DatasetServiceDep) -> SummaryView:
    """Returns owner, tags, row count, size on disk, first and last timestamp. Needs read access."""
    return await datasets_service.summary(caller, dataset_id)


@router.get("/datasets/{dataset_id}/samples/", tags=datasets, summary="What models are sent")
async def dataset_samples(
    dataset_id: int, caller: CallerDep, datasets_service: DatasetServiceDep
) -> DatasetSamplesView:
    """Returns whose model providers may receive values of the dataset's cells with a question. Needs read access."""
    return await datasets_service.samples(caller, dataset_id)


@router.put("/datasets/{dataset_id}/samples/", tags=datasets, summary="Say what models are sent")
async def set_dataset_samples(
    dataset_id: int, body: SamplesBody, caller: CallerDep, datasets_service: DatasetServiceDep
) -> DatasetSamplesView:
    """Sets whose model providers may receive values of the dataset's cells. The default is `nobody`. Owner only."""
    return await datasets_service.set_samples(caller, dataset_id, body.samples)


@router.put("/datasets/{dataset_id}/", tags=datasets, summary="Replace a dataset's fields")
async def replace_dataset(
    dataset_id: int, body: ReplacedDatasetBody, caller: CallerDep, datasets_service: DatasetServiceDep
) -> Dataset:
    """Replaces name, description and metadata, and series keys if you send them. Owner only."""
    return await datasets_service.update(caller, dataset_id, "update_dataset", **body.model_dump())


@router.patch("/datasets/{dataset_id}/", tags=datasets, summary="Change fields of a dataset")
async def change_dataset(
    dataset_id: int, body: DatasetChangeBody, caller: CallerDep, datasets_service: DatasetServiceDep
) -> Dataset:
    """Replaces the fields that you send, such as the series keys; the others stay. Owner only.

    Rows are not loaded again. Every row must have its keys already.
    """
    return await datasets_service.update(caller, dataset_id, "change_dataset", **body.model_dump())


@router.delete("/datasets/{dataset_id}/", tags=datasets, status_code=204, summary="Delete a dataset")
async def delete_dataset(
    dataset_id: int, caller: CallerDep, datasets_service: DatasetServiceDep, reads: ReadServiceDep
) -> Response:
    """Deletes the dataset with all its rows, for good. Owner only."""
    await datasets_service.delete(caller, dataset_id)
    reads.files.forget(dataset_id)
    return Response(status_code=204)


def _checked(metadata: Metadata) -> Metadata:
    try:
        refuse_unstorable(metadata)
    except ValueError as error:
        raise BadRequestError("Invalid request", f"metadata: {error}") from None
    return metadata


@router.patch("/datasets/{dataset_id}/metadata/", tags=datasets, summary="Merge metadata")
async def merge_metadata(
    dataset_id: int, body: Metadata, caller: CallerDep, datasets_service: DatasetServiceDep
) -> Dataset:
    """Adds or replaces the fields that you send; the others stay. Owner only."""
    return await datasets_service.update(caller, dataset_id, "merge_metadata", metadata=_checked(body))


@router.put("/datasets/{dataset_id}/metadata/", tags=datasets, summary="Replace metadata")
async def replace_metadata(
    dataset_id: int, body: Metadata, caller: CallerDep, datasets_service: DatasetServiceDep
) -> Dataset:
    """Replaces all metadata. Owner only."""
    return await datasets_service.update(caller, dataset_id, "replace_metadata", metadata=_checked(body))


@router.get("/datasets/{dataset_id}/tags/", tags=["Tags"], summary="A dataset's tags")
async def dataset_tags(dataset_id: int, caller: CallerDep, tags: TagServiceDep, part: PartParam) -> list[Tag]:
    """Lists the tags of a dataset. Needs read access."""
    return (await tags.of_dataset(caller, dataset_id))[part]


@router.post(
    "/datasets/{dataset_id}/tags/",
    tags=["Tags"],
    status_code=201,
    summary="Share by tag",
)
async def assign_tag(dataset_id: int, body: TagBody, caller: CallerDep, tags: TagServiceDep) -> Tag:
    """Gives read access to all holders of a tag. Name the tag by name or by id. Owner only."""
    return await tags.assign(caller, dataset_id, body.tag_name, body.tag_id)


@router.delete("/datasets/{dataset_id}/tags/{tag_id}/", tags=["Tags"], status_code=204, summary="Stop sharing by tag")
async def remove_tag(dataset_id: int, tag_id: int, caller: CallerDep, tags: TagServiceDep) -> Response:
    """Removes a tag from a dataset. Users with only this tag lose access at once. Owner only."""
    await tags.remove(caller, dataset_id, tag_id)
    return Response(status_code=204)


@router.get("/columns/", tags=columns, summary="List columns")
async def list_columns(
    caller: CallerDep, dataset: DatasetParam, datasets: DatasetServiceDep, part: PartParam
) -> list[Column]:
    """Lists the columns of a dataset: declared columns, and columns that came with data."""
    return (await datasets.columns(caller, dataset))[part]


@router.post("/columns/", tags=columns, status_code=201, summary="Declare a column")
async def create_column(body: ColumnBody, caller: CallerDep, datasets: DatasetServiceDep) -> Column:
    """Declares a column. Optional, because rows may have any keys without a declaration. Owner only."""
    return await datasets.declare_column(
        caller, body.dataset, body.name, Dtype(body.dtype), body.unit, body.description
    )
