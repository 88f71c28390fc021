"""Tags and access checks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from atlas.accounts.authorization import AccessService
from atlas.accounts.dependencies import CallerDep
from atlas.accounts.schemas import AccessBody, AccessView, AcquireBody, TagView
from atlas.accounts.tags import TagService
from atlas.web.error_schemas import ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.paging import Items, PartParam
from atlas.web.provided import provided

AccessServiceDep = Annotated[AccessService, provided(AccessService)]
TagServiceDep = Annotated[TagService, provided(TagService)]

router = APIRouter(route_class=JsonRoute, prefix="/api", tags=["Tags"], responses=ERRORS)


@router.get("/tags/", response_model=list[TagView], summary="List tags")
async def list_tags(caller: CallerDep, tags: TagServiceDep, part: PartParam) -> Items:
    """Every tag of the system."""
    return (await tags.all())[part]


@router.post("/tags/acquire/", response_model=TagView, summary="Acquire a tag")
async def acquire_tag(body: AcquireBody, caller: CallerDep, tags: TagServiceDep) -> dict[str, Any]:
    """Lets you read every dataset with the tag. A private tag needs its secret."""
    return await tags.acquire(caller, body.tag_name, body.secret)


@router.post("/access/check/", response_model=AccessView, summary="Check your access")
async def check_access(body: AccessBody, caller: CallerDep, access: AccessServiceDep) -> dict[str, Any]:
    """Whether you may read a dataset (or, with require_write, write to it), and why."""
    found = await access.check(caller, body.dataset_id)
    return {
        "has_access": found.allows(write=body.require_write),
        "is_owner": found.is_owner,
        "matching_tags": list(found.matching_tags),
    }
