"""Accounts of requests: the traffic of each key, and the changes of each request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from starlette.types import Scope

from atlas.accounts.audit import AuditService, Trail, following
from atlas.accounts.usage import Tally, UsageService, counting


class RequestAccount:
    """The traffic and datasets of one request, for the usage counts and the audit log."""

    def __init__(self, ledger: RequestLedger, scope: Scope, tally: Tally, trail: Trail) -> None:
        self.bytes_in = self.bytes_out = 0
        self._ledger, self._scope, self._tally, self._trail = ledger, scope, tally, trail

    def used(self, dataset: int, rows: int) -> None:
        """Records a dataset that the request has used, and the number of rows that it has written."""
        self._trail.datasets.add(dataset)
        self._tally.rows_written += rows

    def answered(self, status: int, request_id: str) -> None:
        """Records a change, or a read of another user's data, in the audit log when the answer begins."""
        caller = self._scope["state"].get("caller")
        if caller is not None:
            self._ledger.audit.note(
                caller,
                self._trail,
                method=self._scope["method"],
                path=self._scope["path"],
                status=status,
                rows=self._tally.rows_written,
                request_id=request_id,
            )

    def ended(self, status: int) -> None:
        """Counts the request for its key. status 0: the request ended without an answer."""
        key_id = self._scope["state"].get("key_id")
        if key_id is not None:
            self._tally.bytes_in, self._tally.bytes_out = self.bytes_in, self.bytes_out
            self._tally.errors = int(not 0 < status < 400)
            self._ledger.usage.count(key_id, self._tally)


class RequestLedger:
    """Passes accounts of requests to the usage counts and to the audit log."""

    def __init__(self, usage: UsageService, audit: AuditService) -> None:
        self.usage, self.audit = usage, audit

    @contextlib.contextmanager
    def open(self, scope: Scope) -> Iterator[RequestAccount]:
        """Opens an account of one request. Services add to the account while the context lasts."""
        with counting() as tally, following() as trail:
            yield RequestAccount(self, scope, tally, trail)
