"""Injects services by type: the application provides them, and handlers request them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Depends, Request

Service = TypeVar("Service")


class Provided:
    """Services by their types, one of each type."""

    def __init__(self, *services: object) -> None:
        self._services = {type(service): service for service in services}

    def get(self, kind: type[Service]) -> Service:
        """Returns the service of a type. Raises KeyError when the application has none."""
        found: Service = self._services[kind]  # type: ignore[assignment]
        return found


def provided_to(request: Request) -> Provided:
    """Returns the services of the application that serves a request."""
    found: Provided = request.app.state.services
    return found


def provided(kind: type[Service]) -> Any:
    """Builds a dependency on the service of a type: `Annotated[RowService, provided(RowService)]`."""

    def finder() -> Callable[[Request], Coroutine[Any, Any, Service]]:
        # A coroutine, because FastAPI runs plain functions in a thread, which takes longer.
        async def find(request: Request) -> Service:
            return provided_to(request).get(kind)

        return find

    return Depends(finder())
