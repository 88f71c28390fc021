"""Events of a dataset's stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import httpx2

from atlas.client._batching import from_flat_key
from atlas.client.errors import ApiError, DataError, Unavailable
from atlas.client.types import Json


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream stands. id: rows past it follow; again after each lost connection, which loses nothing."""

    id: int
    dataset: int


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row that was inserted. id: give it as last_event_id to go on from here."""

    id: int
    timestamp: datetime
    values: Json


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """No new row for poll_interval seconds. at: the server's time."""

    at: datetime


StreamEvent = Connected | NewRow | Heartbeat


def read_event(sse: httpx2.ServerSentEvent) -> StreamEvent | None:
    """An event, None for a kind that is not known. Raises Unavailable for one that ends the stream."""
    try:
        data = json.loads(sse.data)
        if sse.event == "data":
            stamp = datetime.fromisoformat(data.pop("timestamp"))
            return NewRow(int(sse.id), stamp, {from_flat_key(key): value for key, value in data.items()})
        if sse.event == "connected":
            return Connected(int(sse.id), data["dataset_id"])
        if sse.event == "heartbeat":
            return Heartbeat(datetime.fromisoformat(data["timestamp"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("Unexpected event", f"{sse.event}: {error}") from None
    if sse.event == "error":
        # Whether it is for good is told by the answer to the next attempt.
        raise Unavailable(503, str(data.get("error", "The stream ended")), data.get("details"))
    return None


@dataclass(slots=True)
class Position:
    """How far a stream has been read. last: id of the last event, None before the first."""

    last: int | None

    def is_new(self, event: StreamEvent) -> bool:
        """Moves on; False for a row that was there before."""
        if isinstance(event, Heartbeat):
            return True
        if isinstance(event, Connected):
            # Its id is where the server starts; one below what was read would repeat rows, which are dropped.
            self.last = event.id if self.last is None else self.last
            return True
        if self.last is not None and event.id <= self.last:
            return False
        self.last = event.id
        return True


def is_final(failure: ApiError) -> bool:
    """Whether a stream that cannot be opened for this reason will not be opened later either."""
    return failure.status < 500 and failure.status != 429
