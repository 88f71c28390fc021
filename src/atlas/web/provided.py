"""Services of the application by their types: what it provides, and handlers ask for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Depends, Request

Service = TypeVar("Service")


class Provided:
    """Services by their types, one of each."""

    def __init__(self, *services: object) -> None:
        self._services = {type(service): service for service in services}

    def get(self, kind: type[Service]) -> Service:
        """The service of a type. Raises KeyError where the application has none."""
        found: Service = self._services[kind]  # type: ignore[assignment]
        return found


def provided_to(request: Request) -> Provided:
    """The services of the application that answers a request."""
    found: Provided = request.app.state.services
    return found


def provided(kind: type[Service]) -> Any:
    """A dependency that gives the service of a type: `Annotated[RowService, provided(RowService)]`."""

    def finder() -> Callable[[Request], Coroutine[Any, Any, Service]]:
        # A coroutine: FastAPI runs plain functions in a thread, which takes longer than this.
        async def find(request: Request) -> Service:
            return provided_to(request).get(kind)

        return find

    return Depends(finder())
