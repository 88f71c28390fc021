"""Parameters of inserts, and what identifies an insert that may be repeated."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from atlas.accounts.access import Caller
from atlas.errors import BadRequestError
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.ingest.bodies import BodyFormat
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.ingest.timestamp_columns import epoch_layout


class BulkRequest(msgspec.Struct, frozen=True):
    """Parameters of a bulk insert beside its body."""

    format: BodyFormat
    encoding: str | None
    dataset: int | None = None
    timestamp_column: str | None = None
    timestamp_format: str | None = None
    idempotency_key: str | None = None
    charset: str | None = None
    epoch: str | None = None
    on_conflict: Policy | None = None

    @property
    def layout(self) -> str | None:
        """The format of the timestamps, if the request names it."""
        return epoch_layout(self.epoch) if self.epoch else self.timestamp_format

    @property
    def fingerprint(self) -> bytes:
        """What is hashed before the body to recognize a repeated request."""
        text = repr(self)
        # Later fields are omitted where they are unset, as in versions without them, so that stored keys stay valid.
        for field in ("charset", "epoch", "on_conflict"):
            text = text.replace(f", {field}=None", "")
        return text.encode()


class RepeatedRequest(NamedTuple):
    """A request that may be repeated: its idempotency key, and what makes its fingerprint."""

    key: str
    content: bytes


def retry_of(caller: Caller, key: str | None, digest: Any) -> Retry | None:
    """Returns the identity of an insert with an idempotency key. digest: a hash of the request.

    Raises BadRequestError: when the key is empty, too long or not printable.
    """
    if key is None:
        return None
    if not 0 < len(key) <= 255 or not key.isprintable():
        raise BadRequestError("Invalid Idempotency-Key", "1 to 255 printable characters")
    return Retry(caller.user_id, key, digest.digest())
