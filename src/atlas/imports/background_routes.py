"""Webhooks: their secret and the log of deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from atlas.accounts.dependencies import CallerDep
from atlas.imports.background import BackgroundService
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer
from atlas.web.provided import provided

BackgroundServiceDep = Annotated[BackgroundService, provided(BackgroundService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1/webhooks", tags=["Webhooks"], responses=CONTENT_ERRORS)


class SecretView(BaseModel):
    """The secret of an organization's webhooks."""

    success: bool
    secret: str


class Attempt(BaseModel):
    """A try to deliver. status: what the receiver answered, if it did."""

    at: datetime
    status: int | None
    error: str | None
    seconds: float


class Delivery(BaseModel):
    """A webhook and the tries to deliver it."""

    id: str
    import_id: str
    type: str | None = Field(description="Of its event; null in an earlier version.", examples=["import.failed"])
    url: str
    status: Literal["pending", "delivered", "failed"]
    created_at: datetime
    delivered_at: datetime | None
    attempts: list[Attempt]


class DeliveriesView(BaseModel):
    """A page of deliveries."""

    success: bool
    deliveries: list[Delivery]


class RedeliveryView(BaseModel):
    """A delivery that is sent again."""

    success: bool
    delivery_id: str


@router.get("/secret", responses=answer(SecretView), summary="Webhook secret")
async def webhook_secret(caller: CallerDep, background: BackgroundServiceDep) -> dict[str, Any]:
    """The secret that your organization's webhooks are signed with, after Standard Webhooks. For administrators."""
    return await background.secret(caller, rotate=False)


@router.post("/secret/rotate", responses=answer(SecretView), summary="Rotate the webhook secret")
async def rotate_secret(caller: CallerDep, background: BackgroundServiceDep) -> dict[str, Any]:
    """Makes a new secret, for administrators; the old one signs nothing any more."""
    return await background.secret(caller, rotate=True)


@router.get("/deliveries", responses=answer(DeliveriesView), summary="Delivery log")
async def list_deliveries(
    caller: CallerDep,
    background: BackgroundServiceDep,
    import_id: Annotated[str | None, Query(description="Only of this import.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Deliveries of a page.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Deliveries to skip.")] = 0,
) -> dict[str, Any]:
    """Deliveries with every attempt, newest first."""
    return await background.deliveries(caller, import_id, limit, offset)


@router.post("/deliveries/{delivery_id}/redeliver", responses=answer(RedeliveryView), summary="Deliver again")
async def redeliver(caller: CallerDep, background: BackgroundServiceDep, delivery_id: str) -> dict[str, Any]:
    """Sends a webhook once more."""
    return await background.redeliver(caller, delivery_id)
