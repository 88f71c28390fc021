"""Routes of administration: users, keys, tags, jobs and organizations.

403 unless the caller is an admin or operator.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from atlas.accounts.administration import AdminService
from atlas.accounts.dependencies import CallerDep
from atlas.accounts.routes import NewKeyBody
from atlas.contract.accounts import (
    DeletedTagView,
    DisabledView,
    JobsView,
    JobView,
    NewOwnedKey,
    NewTagView,
    NewUserView,
    OrganizationsView,
    OwnedKeysView,
    RevokedView,
    Role,
    RoleView,
    TagsView,
    UsersView,
)
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

AdminServiceDep = Annotated[AdminService, provided(AdminService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1/admin", tags=["Administration"], responses=CONTENT_ERRORS)

OrganizationParam = Annotated[
    str | None, Query(max_length=200, description="Another organization, by name. Operators only.")
]


class UserBody(Body):
    """A user to create."""

    name: str = Field(min_length=1, max_length=200, examples=["carol"])
    role: Role = "member"


class RoleBody(Body):
    """A role to set."""

    role: Role


class UserKeyBody(NewKeyBody):
    """A key to create for a user."""

    user: str = Field(min_length=1, max_length=200, examples=["carol"])


class NewTagBody(Body):
    """A tag to create: private with a secret, else public."""

    name: str = Field(min_length=1, max_length=255, examples=["premium"])
    description: str = Field("", max_length=10_000)
    secret: str | None = Field(None, max_length=1_000)


@router.get("/organizations", summary="List organizations")
async def list_organizations(caller: CallerDep, admin: AdminServiceDep) -> OrganizationsView:
    """Lists every organization. Operators only."""
    return await admin.organizations(caller)


@router.get("/users", summary="List users")
async def list_users(caller: CallerDep, admin: AdminServiceDep, organization: OrganizationParam = None) -> UsersView:
    """Lists users of the organization with their roles, live keys, datasets and last use."""
    return await admin.users(caller, organization)


@router.post("/users", summary="Create a user")
async def create_user(
    body: UserBody, caller: CallerDep, admin: AdminServiceDep, organization: OrganizationParam = None
) -> NewUserView:
    """Creates a user without a key. Only operators make operators."""
    return await admin.create_user(caller, organization, body.name, body.role)


@router.patch("/users/{user_id}", summary="Change a role")
async def set_role(user_id: int, body: RoleBody, caller: CallerDep, admin: AdminServiceDep) -> RoleView:
    """Sets the role of a user. The last operator keeps that role."""
    return await admin.set_role(caller, user_id, body.role)


@router.post("/users/{user_id}/disable", summary="Disable a user")
async def disable_user(user_id: int, caller: CallerDep, admin: AdminServiceDep) -> DisabledView:
    """Revokes all keys of a user."""
    return await admin.disable_user(caller, user_id)


@router.get("/keys", summary="List keys")
async def list_keys(
    caller: CallerDep,
    admin: AdminServiceDep,
    organization: OrganizationParam = None,
    user: Annotated[str | None, Query(max_length=200, description="Only of this user.")] = None,
) -> OwnedKeysView:
    """Lists keys of the organization by their first characters."""
    return await admin.keys(caller, organization, user)


@router.post("/keys", summary="Create a key for a user")
async def create_key(
    body: UserKeyBody, caller: CallerDep, admin: AdminServiceDep, organization: OrganizationParam = None
) -> NewOwnedKey:
    """Creates a key, which only this answer shows."""
    return await admin.create_key(caller, organization, body.user, body.name, body.expires_at)


@router.delete("/keys/{key_id}", summary="Revoke a key")
async def revoke_key(key_id: int, caller: CallerDep, admin: AdminServiceDep) -> RevokedView:
    """Revokes a key at once."""
    return await admin.revoke_key(caller, key_id)


@router.get("/tags", summary="List tags with their use")
async def list_tags(caller: CallerDep, admin: AdminServiceDep) -> TagsView:
    """Lists every tag with the numbers of its datasets and holders."""
    return await admin.tags(caller)


@router.post("/tags", summary="Create a tag")
async def create_tag(body: NewTagBody, caller: CallerDep, admin: AdminServiceDep) -> NewTagView:
    """Creates a tag: private with a secret, else public. Operators only."""
    return await admin.create_tag(caller, body.name, body.description, body.secret)


@router.delete("/tags/{tag_id}", summary="Delete a tag")
async def delete_tag(tag_id: int, caller: CallerDep, admin: AdminServiceDep) -> DeletedTagView:
    """Removes a tag from all datasets and users, for good. Operators only."""
    return await admin.delete_tag(caller, tag_id)


@router.get("/jobs", summary="List jobs")
async def list_jobs(
    caller: CallerDep,
    admin: AdminServiceDep,
    organization: OrganizationParam = None,
    status: Annotated[str | None, Query(description="Such as `todo`, `doing` or `failed`.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Jobs of a page.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Jobs to skip.")] = 0,
) -> JobsView:
    """Lists imports that run later and webhook deliveries, newest first; of all organizations for operators."""
    return await admin.jobs(caller, organization, status, limit, offset)


@router.post("/jobs/{job_id}/cancel", summary="Cancel a job")
async def cancel_job(job_id: int, caller: CallerDep, admin: AdminServiceDep) -> JobView:
    """Removes a waiting job from the queue, or ends a running job."""
    return await admin.cancel_job(caller, job_id)


@router.post("/jobs/{job_id}/retry", summary="Retry a job")
async def retry_job(job_id: int, caller: CallerDep, admin: AdminServiceDep) -> JobView:
    """Queues a failed job again."""
    return await admin.retry_job(caller, job_id)
