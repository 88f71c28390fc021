"""Routes of tags and access checks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from atlas.accounts.authorization import AccessService
from atlas.accounts.dependencies import CallerDep
from atlas.accounts.schemas import AccessBody, AcquireBody
from atlas.accounts.tags import TagService
from atlas.contract.accounts import Access, Tag
from atlas.web.error_schemas import ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.paging import PartParam
from atlas.web.provided import provided

AccessServiceDep = Annotated[AccessService, provided(AccessService)]
TagServiceDep = Annotated[TagService, provided(TagService)]

router = APIRouter(route_class=JsonRoute, prefix="/api", tags=["Tags"], responses=ERRORS)


@router.get("/tags/", summary="List tags")
async def list_tags(caller: CallerDep, tags: TagServiceDep, part: PartParam) -> list[Tag]:
    """Lists every tag of the system."""
    return (await tags.all())[part]


@router.post("/tags/acquire/", summary="Acquire a tag")
async def acquire_tag(body: AcquireBody, caller: CallerDep, tags: TagServiceDep) -> Tag:
    """Lets you read every dataset with the tag. A private tag needs its secret."""
    return await tags.acquire(caller, body.tag_name, body.secret)


@router.post("/access/check/", summary="Check your access")
async def check_access(body: AccessBody, caller: CallerDep, access: AccessServiceDep) -> Access:
    """Returns whether you may read a dataset (or, with require_write, write to it), and why."""
    found = await access.check(caller, body.dataset_id)
    return Access(found.allows(write=body.require_write), found.is_owner, tuple(found.matching_tags))
