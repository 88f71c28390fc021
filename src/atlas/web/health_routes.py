"""Health and metrics, which need no key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from atlas.web.health import SystemService
from atlas.web.openapi.responses import METRICS, answer
from atlas.web.provided import provided

SystemServiceDep = Annotated[SystemService, provided(SystemService)]

router = APIRouter(tags=["System"])


class HealthView(BaseModel):
    """The state of the server."""

    status: Literal["healthy", "unhealthy"]
    time: str = Field(examples=["2025-12-16T10:00:00Z"])
    database: Literal["connected", "disconnected"]


_UNHEALTHY: dict[int | str, dict[str, Any]] = {503: {"model": HealthView, "description": "Database unavailable"}}


@router.get("/health", summary="Health check", responses=answer(HealthView) | _UNHEALTHY)
async def health(system: SystemServiceDep, response: Response) -> dict[str, Any]:
    """Whether the server runs and reaches its database; 503 if not."""
    report, healthy = await system.health()
    if not healthy:
        response.status_code = 503
    return report


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses=METRICS)
async def metrics(request: Request) -> Response:
    """Figures of this server process in the Prometheus text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
