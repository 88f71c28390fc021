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
    """The stream is open, or open again after a lost connection, without loss. id: rows with greater ids follow."""

    id: int
    dataset: int


@dataclass(frozen=True, slots=True)
class NewRow:
    """An inserted row. id: the last_event_id with which a stream continues from here."""

    id: int
    timestamp: datetime
    values: Json


@dataclass(frozen=True, slots=True)
class CorrectedRow:
    """An inserted row that has replaced the earlier row with its timestamp and keys. id: as of `NewRow`."""

    id: int
    timestamp: datetime
    values: Json


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """No new row for poll_interval seconds. at: the server's time."""

    at: datetime


StreamEvent = Connected | NewRow | CorrectedRow | Heartbeat


def read_event(sse: httpx2.ServerSentEvent) -> StreamEvent | None:
    """Reads an event, or returns None for an unknown kind.

    Raises Unavailable: when the event ends the stream.
    Raises DataError: when the event has another form.
    """
    try:
        data = json.loads(sse.data)
        if sse.event in ("data", "correction"):
            stamp = datetime.fromisoformat(data.pop("timestamp"))
            kind = NewRow if sse.event == "data" else CorrectedRow
            return kind(int(sse.id), stamp, {from_flat_key(key): value for key, value in data.items()})
        if sse.event == "connected":
            return Connected(int(sse.id), data["dataset_id"])
        if sse.event == "heartbeat":
            return Heartbeat(datetime.fromisoformat(data["timestamp"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("Unexpected event", f"{sse.event}: {error}") from None
    if sse.event == "error":
        # The answer to the next attempt shows whether the end is final.
        raise Unavailable(503, str(data.get("error", "The stream ended")), data.get("details"))
    return None


@dataclass(slots=True)
class Position:
    """The position of a reader in a stream. last: id of the last event, or None before the first."""

    last: int | None

    def is_new(self, event: StreamEvent) -> bool:
        """Moves the position to the event. Returns False for a row that was read before."""
        if isinstance(event, Heartbeat):
            return True
        if isinstance(event, Connected):
            # Rows after the server's start id follow. A start before the last read event repeats rows, which are
            # dropped.
            self.last = event.id if self.last is None else self.last
            return True
        if self.last is not None and event.id <= self.last:
            return False
        self.last = event.id
        return True


def is_final(failure: ApiError) -> bool:
    """Checks whether a stream that failed to open for this reason will also fail later."""
    return failure.status < 500 and failure.status != 429
