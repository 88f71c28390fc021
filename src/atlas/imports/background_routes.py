"""The HTTP endpoints of webhooks: their secret and the log of deliveries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from atlas.accounts.dependencies import CallerDep
from atlas.contract.webhooks import DeliveriesView, RedeliveryView, SecretView
from atlas.imports.background import BackgroundService
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.provided import provided

BackgroundServiceDep = Annotated[BackgroundService, provided(BackgroundService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1/webhooks", tags=["Webhooks"], responses=CONTENT_ERRORS)


@router.get("/secret", summary="Webhook secret")
async def webhook_secret(caller: CallerDep, background: BackgroundServiceDep) -> SecretView:
    """Returns the secret that signs your organization's webhooks, after Standard Webhooks. Only for administrators."""
    return await background.secret(caller, rotate=False)


@router.post("/secret/rotate", summary="Rotate the webhook secret")
async def rotate_secret(caller: CallerDep, background: BackgroundServiceDep) -> SecretView:
    """Creates a new secret. The old secret signs nothing any more. Only for administrators."""
    return await background.secret(caller, rotate=True)


@router.get("/deliveries", summary="Delivery log")
async def list_deliveries(
    caller: CallerDep,
    background: BackgroundServiceDep,
    import_id: Annotated[str | None, Query(description="Only of this import.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Deliveries of a page.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Deliveries to skip.")] = 0,
) -> DeliveriesView:
    """Lists deliveries with every attempt, newest first."""
    return await background.deliveries(caller, import_id, limit, offset)


@router.post("/deliveries/{delivery_id}/redeliver", summary="Deliver again")
async def redeliver(caller: CallerDep, background: BackgroundServiceDep, delivery_id: str) -> RedeliveryView:
    """Sends a webhook once more."""
    return await background.redeliver(caller, delivery_id)
