"""The route of the audit log, for admins."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from atlas.accounts.audit import AuditService
from atlas.accounts.dependencies import CallerDep
from atlas.contract.accounts import AuditView
from atlas.web.contract_route import ContractRoute
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.provided import provided

AuditServiceDep = Annotated[AuditService, provided(AuditService)]

router = APIRouter(route_class=ContractRoute, prefix="/api/v1/admin", tags=["Administration"], responses=CONTENT_ERRORS)


@router.get("/audit", summary="Read the audit log")
async def audit_log(
    caller: CallerDep,
    audit: AuditServiceDep,
    user: Annotated[str | None, Query(max_length=200, description="Only what this user did.")] = None,
    action: Annotated[Literal["read", "write"] | None, Query(description="Only reads or writes.")] = None,
    dataset_id: Annotated[int | None, Query(ge=1, lt=2**31, description="Only what was done with it.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Entries of a page.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Entries to skip.")] = 0,
) -> AuditView:
    """Lists changes by users of your organization, and what others did with its datasets; newest first."""
    return await audit.list(caller, user, action, dataset_id, limit, offset)
