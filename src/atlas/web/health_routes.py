"""Health and metrics, which need no key."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from atlas.contract.system import Health
from atlas.web.contract_route import ContractRoute
from atlas.web.health import SystemService
from atlas.web.openapi.responses import METRICS
from atlas.web.provided import provided

SystemServiceDep = Annotated[SystemService, provided(SystemService)]

router = APIRouter(route_class=ContractRoute, tags=["System"])


_UNHEALTHY: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "Database unavailable"}}


@router.get("/health", summary="Health check", responses=_UNHEALTHY)
async def health(system: SystemServiceDep, response: Response) -> Health:
    """Reports whether the server runs and reaches its database; 503 if not."""
    report = await system.health()
    if report.status != "healthy":
        response.status_code = 503
    return report


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses=METRICS)
async def metrics(request: Request) -> Response:
    """Returns figures of this server process in the Prometheus text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
