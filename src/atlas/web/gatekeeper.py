"""Protocols by which HTTP identifies and admits callers, without knowledge of accounts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from starlette.requests import Request
from starlette.types import Scope

from atlas.kit.processor_time import ProcessorTime


class Gatekeeper(Protocol):
    """Identifies callers by the keys of their requests."""

    async def identify(self, scope: Scope) -> object:
        """Returns the caller of a request, before its body is read. Raises AtlasError for an unknown caller."""

    async def admit(self, request: Request, *, upload: bool = False) -> object:
        """Returns the caller of a request, within rate limits, once the request may be served. May be called again.

        upload: whether the body is a form with a file. Few such bodies are received at once.
        Raises AtlasError when the caller is unknown, over a limit, or cannot be served now.
        """

    def remembered(self, key: str) -> Any | None:
        """Returns the caller of a key that was live a moment ago, or None. Whether the key still is must be checked."""

    async def admit_remembered(self, scope: Scope, caller: Any) -> None:
        """Does for a remembered caller's request what `admit` does, which does not do it again.

        Raises AtlasError when the caller is over a limit, or cannot be served now.
        """

    def settle(self, scope: Scope, spent: ProcessorTime) -> None:
        """Takes a note of the processor time that a request has spent, which begins anew."""


class Account(Protocol):
    """The traffic of one request."""

    bytes_in: int
    bytes_out: int

    def used(self, dataset: int, rows: int) -> None:
        """Records a dataset that the request has used, and the number of rows that it has written."""

    def answered(self, status: int, request_id: str) -> None:
        """Records that the answer begins."""

    def ended(self, status: int) -> None:
        """Records that the request has ended. status 0: the request ended without an answer."""


class Ledger(Protocol):
    """Keeps the accounts of requests."""

    def open(self, scope: Scope) -> AbstractContextManager[Account]:
        """Opens an account of one request. Services add to the account while the context lasts."""


def gatekeeper_of(request: Request) -> Gatekeeper:
    """Returns the gatekeeper of the application that serves a request."""
    found: Gatekeeper = request.app.state.gatekeeper
    return found
