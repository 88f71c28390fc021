"""Who lets requests in: what HTTP needs to know of callers, whoever they are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from starlette.requests import Request
from starlette.types import Scope


class Gatekeeper(Protocol):
    """Knows callers by the keys of their requests."""

    async def identify(self, scope: Scope) -> object:
        """The caller of a request, before its body is read. Raises AtlasError for who is unknown."""

    async def admit(self, request: Request, *, upload: bool = False) -> object:
        """The caller of a request, within rate limits, once the request may be served; may be asked again.

        upload: whether the body is a form with a file, of which few are received at once. Raises AtlasError.
        """


class Account(Protocol):
    """What one request moves."""

    bytes_in: int
    bytes_out: int

    def answered(self, status: int, request_id: str) -> None:
        """Notes that the answer begins."""

    def ended(self, status: int) -> None:
        """Notes that the request has ended; status 0: without an answer."""


class Ledger(Protocol):
    """Keeps accounts of requests."""

    def open(self, scope: Scope) -> AbstractContextManager[Account]:
        """An account of one request, which services add to while the context lasts."""


def gatekeeper_of(request: Request) -> Gatekeeper:
    """The gatekeeper of the application that answers a request."""
    found: Gatekeeper = request.app.state.gatekeeper
    return found
