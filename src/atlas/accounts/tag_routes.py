"""Tags and access checks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from atlas.timeseries.schemas import ERRORS, AccessBody, AccessView, AcquireBody, TagView
from atlas.web.dependencies import CallerDep, ServicesDep
from atlas.web.json_route import JsonRoute
from atlas.web.paging import Items, PartParam

router = APIRouter(route_class=JsonRoute, prefix="/api", tags=["Tags"], responses=ERRORS)


@router.get("/tags/", response_model=list[TagView], summary="List tags")
async def list_tags(caller: CallerDep, services: ServicesDep, part: PartParam) -> Items:
    """Every tag of the system."""
    return (await services.tags.all())[part]


@router.post("/tags/acquire/", response_model=TagView, summary="Acquire a tag")
async def acquire_tag(body: AcquireBody, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Lets you read every dataset with the tag. A private tag needs its secret."""
    return await services.tags.acquire(caller, body.tag_name, body.secret)


@router.post("/access/check/", response_model=AccessView, summary="Check your access")
async def check_access(body: AccessBody, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Whether you may read a dataset (or, with require_write, write to it), and why."""
    found = await services.access.check(caller, body.dataset_id)
    return {
        "has_access": found.allows(write=body.require_write),
        "is_owner": found.is_owner,
        "matching_tags": list(found.matching_tags),
    }
