"""The caller: who it is, and its own keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from atlas.accounts.access import Role
from atlas.accounts.dependencies import CallerDep
from atlas.accounts.service import AccountService
from atlas.accounts.usage import UsageService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer
from atlas.web.provided import provided

AccountServiceDep = Annotated[AccountService, provided(AccountService)]
UsageServiceDep = Annotated[UsageService, provided(UsageService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Account"], responses=CONTENT_ERRORS)


class NewKeyBody(Body):
    """A key to make."""

    name: str = Field("", max_length=200, description="What the key is for.", examples=["laptop"])
    expires_at: str | None = Field(
        None, max_length=100, description="ISO 8601; null for never.", examples=["2030-01-01T00:00:00Z"]
    )


class KeyView(BaseModel):
    """A key, without the key itself."""

    id: int
    name: str
    prefix: str = Field(description="Its first characters.", examples=["atlas_live_sk_a1b2c3d4"])
    created_at: str
    expires_at: str | None
    revoked_at: str | None = None
    last_used_at: str | None = None


class KeysView(BaseModel):
    """The caller's keys."""

    success: bool
    keys: list[KeyView]


class NewKeyView(BaseModel):
    """A new key, shown this once."""

    success: bool
    key: str
    id: int
    name: str
    prefix: str
    created_at: str
    expires_at: str | None
    replaced: int | None = Field(None, description="The key that it takes the place of.")


class RevokedView(BaseModel):
    """A key that has ended."""

    success: bool
    id: int
    revoked: bool


class UserPart(BaseModel):
    """A user."""

    id: int
    name: str
    role: Role


class OrganizationPart(BaseModel):
    """An organization."""

    id: int
    name: str


class MeView(BaseModel):
    """The caller."""

    success: bool
    user: UserPart
    organization: OrganizationPart
    key: KeyView
    tags: list[str]
    version: str


@router.get("/me", response_model=MeView, response_model_exclude_unset=True, summary="Who you are")
async def me(caller: CallerDep, accounts: AccountServiceDep) -> dict[str, Any]:
    """Your user with its role, your organization, the key that you sent, and the tags that you hold."""
    return await accounts.me(caller)


@router.get("/keys", response_model=KeysView, summary="List your keys")
async def list_keys(caller: CallerDep, accounts: AccountServiceDep) -> dict[str, Any]:
    """Your own keys by their first characters, revoked ones too."""
    return await accounts.keys(caller)


@router.post("/keys", response_model=NewKeyView, response_model_exclude_unset=True, summary="Create a key")
async def create_key(body: NewKeyBody, caller: CallerDep, accounts: AccountServiceDep) -> dict[str, Any]:
    """Another key of yours, which is shown this once."""
    return await accounts.create_key(caller, body.name, body.expires_at)


@router.delete("/keys/{key_id}", responses=answer(RevokedView), summary="Revoke a key")
async def revoke_key(key_id: int, caller: CallerDep, accounts: AccountServiceDep) -> dict[str, Any]:
    """Ends one of your keys at once."""
    return await accounts.revoke_key(caller, key_id)


@router.post(
    "/keys/{key_id}/rotate", response_model=NewKeyView, response_model_exclude_unset=True, summary="Rotate a key"
)
async def rotate_key(key_id: int, caller: CallerDep, accounts: AccountServiceDep) -> dict[str, Any]:
    """Ends one of your keys and makes another with its name and expiry, which is shown this once."""
    return await accounts.rotate_key(caller, key_id)


class DayUsage(BaseModel):
    """What was used on a UTC day."""

    date: str
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int
    rows_written: int


class KeyUsage(BaseModel):
    """What a key has used."""

    key_id: int
    name: str
    prefix: str
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int
    rows_written: int


class Storage(BaseModel):
    """What is stored: your datasets, and the tables of your organization."""

    datasets: int
    dataset_rows: int
    dataset_bytes: int
    tables: int
    table_rows: int
    table_bytes: int


class UsageView(BaseModel):
    """What a user has used."""

    success: bool
    days: list[DayUsage]
    keys: list[KeyUsage]
    storage: Storage


@router.get("/usage", response_model=UsageView, summary="What you have used")
async def usage(
    caller: CallerDep,
    usage: UsageServiceDep,
    days: Annotated[int, Query(ge=1, le=366, description="UTC days, today included.")] = 30,
) -> dict[str, Any]:
    """Requests, bytes and rows by day and by key, and what is stored."""
    return await usage.report(caller, days)
