"""Routes of the caller's own account: identity, keys and usage."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.accounts.service import AccountService
from atlas.accounts.usage import UsageService
from atlas.contract.accounts import KeysView, Me, NewKey, RevokedView, Usage
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

AccountServiceDep = Annotated[AccountService, provided(AccountService)]
UsageServiceDep = Annotated[UsageService, provided(UsageService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Account"], responses=CONTENT_ERRORS)


class NewKeyBody(Body):
    """A key to create."""

    name: str = Field("", max_length=200, description="What the key is for.", examples=["laptop"])
    expires_at: str | None = Field(
        None, max_length=100, description="ISO 8601; null for never.", examples=["2030-01-01T00:00:00Z"]
    )


@router.get("/me", summary="Who you are")
async def me(caller: CallerDep, accounts: AccountServiceDep) -> Me:
    """Returns your user with its role, your organization, the key that you sent, and the tags that you hold."""
    return await accounts.me(caller)


@router.get("/keys", summary="List your keys")
async def list_keys(caller: CallerDep, accounts: AccountServiceDep) -> KeysView:
    """Lists your own keys by their first characters, including revoked keys."""
    return await accounts.keys(caller)


@router.post("/keys", summary="Create a key")
async def create_key(body: NewKeyBody, caller: CallerDep, accounts: AccountServiceDep) -> NewKey:
    """Creates another key of yours, which only this answer shows."""
    return await accounts.create_key(caller, body.name, body.expires_at)


@router.delete("/keys/{key_id}", summary="Revoke a key")
async def revoke_key(key_id: int, caller: CallerDep, accounts: AccountServiceDep) -> RevokedView:
    """Revokes one of your keys at once."""
    return await accounts.revoke_key(caller, key_id)


@router.post("/keys/{key_id}/rotate", summary="Rotate a key")
async def rotate_key(key_id: int, caller: CallerDep, accounts: AccountServiceDep) -> NewKey:
    """Revokes one of your keys and creates another with its name and expiry, which only this answer shows."""
    return await accounts.rotate_key(caller, key_id)


@router.get("/usage", summary="What you have used")
async def usage(
    caller: CallerDep,
    usage: UsageServiceDep,
    days: Annotated[int, Query(ge=1, le=366, description="UTC days, today included.")] = 30,
) -> Usage:
    """Returns requests, bytes and rows by day and by key, and what is stored."""
    return await usage.report(caller, days)
