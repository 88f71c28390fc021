"""Answers about users, keys, tags, jobs and the audit log, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictInt, field_validator

from atlas.accounts.access import Role
from atlas.accounts.routes import KeyView, NewKeyView
from atlas.web.bodies import Body, Metadata, Name


class OrganizationItem(BaseModel):
    """An organization."""

    id: int
    name: str
    created_at: str
    users: int


class OrganizationsView(BaseModel):
    """Every organization."""

    success: bool
    organizations: list[OrganizationItem]


class UserItem(BaseModel):
    """A user with its live keys, datasets and last use."""

    id: int
    name: str
    organization: str
    role: Role
    created_at: str
    keys: int
    datasets: int
    last_used_at: str | None


class UsersView(BaseModel):
    """Users of an organization."""

    success: bool
    users: list[UserItem]


class NewUserView(BaseModel):
    """A new user."""

    success: bool
    id: int
    name: str
    organization: str
    role: Role


class RoleView(BaseModel):
    """A user's role after a change."""

    success: bool
    id: int
    name: str
    role: Role


class DisabledView(BaseModel):
    """A user without keys."""

    success: bool
    id: int
    revoked_keys: int


class OwnedKey(KeyView):
    """A key and whose it is."""

    organization: str
    user: str


class OwnedKeysView(BaseModel):
    """Keys of an organization."""

    success: bool
    keys: list[OwnedKey]


class NewOwnedKeyView(NewKeyView):
    """A new key of a user, shown this once."""

    organization: str
    user: str


class TagItem(BaseModel):
    """A tag with its use."""

    id: int
    name: str
    description: str
    is_public: bool
    datasets: int
    holders: int
    created_at: str


class TagsView(BaseModel):
    """Every tag."""

    success: bool
    tags: list[TagItem]


class NewTagView(BaseModel):
    """A new tag."""

    success: bool
    id: int
    name: str
    is_public: bool
    description: str


class DeletedTagView(BaseModel):
    """A tag that is gone."""

    success: bool
    id: int
    deleted: bool


class JobItem(BaseModel):
    """A job: an import that runs later, or the delivery of a webhook."""

    id: int
    task: str
    status: str
    attempts: int
    organization: str
    import_id: str | None
    delivery_id: str | None
    scheduled_at: str | None
    created_at: str | None
    started_at: str | None
    ended_at: str | None


class JobsView(BaseModel):
    """A page of jobs."""

    success: bool
    jobs: list[JobItem]
    total_count: int
    limit: int
    offset: int


class JobView(BaseModel):
    """A job after a change."""

    success: bool
    id: int
    status: Literal["cancelled", "aborting", "aborted", "todo"]


class AuditItem(BaseModel):
    """Requests of a kind: what a user did, or what somebody did with a dataset of the organization's."""

    id: int
    at: str
    user: str
    organization: str | None
    key_id: int
    action: Literal["read", "write"]
    method: str
    path: str
    dataset_id: int | None
    status: int
    requests: int
    rows: int
    request_id: str


class AuditView(BaseModel):
    """A page of the audit log."""

    success: bool
    entries: list[AuditItem]
    total_count: int
    limit: int
    offset: int


class AcquireBody(Body):
    """A tag to acquire, with its secret if it is private."""

    tag_name: Name = Field(examples=["public"])
    secret: str | None = Field(None, max_length=1000)


class AccessBody(Body):
    """A dataset to check access to."""

    dataset_id: StrictInt = Field(examples=[1])
    require_write: bool = False

    @field_validator("require_write", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        """What is null as if it were left out."""
        return False if value is None else value


class TagView(BaseModel):
    """A tag, without its secret."""

    id: int
    name: str
    description: str
    is_public: bool
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class AccessView(BaseModel):
    """What the caller may do with a dataset."""

    has_access: bool
    is_owner: bool
    matching_tags: list[str]
