# Made from _async/streams.py by scripts/make_sync.py; change that one.
"""Streams that outlive their connections."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import httpx2

from atlas.client._requests import Call, Retry, backoff, query
from atlas.client._sync.transport import Transport
from atlas.client._sync.waiting import sleep
from atlas.client.errors import ApiError, AtlasClientError, ConnectionFailed
from atlas.client.events import Position, StreamEvent, is_final, read_event

# Seconds of silence beyond its heartbeats after which a connection counts as dead.
SILENCE = 20.0


def follow(
    transport: Transport,
    dataset_id: int,
    last_event_id: int | None,
    poll_interval: int,
    give_up_after: float | None,
    where: Sequence[str] | None = None,
) -> Iterator[StreamEvent]:
    """Yields events of a dataset; see `rows.stream`."""
    position = Position(last_event_id)
    failures = 0
    alive = time.monotonic()
    while True:
        try:
            with transport.open(_call(dataset_id, position, poll_interval, where), Retry(0)) as response:
                for sse in httpx2.EventSource(response, max_event_size=None):
                    event = read_event(sse)
                    failures, alive = 0, time.monotonic()
                    if event is not None and position.is_new(event):
                        yield event
        except AtlasClientError as error:
            if not _passes(error) or _too_long(alive, give_up_after):
                raise
        else:
            # A server that stops ends its streams without an error.
            if _too_long(alive, give_up_after):
                raise ConnectionFailed("Stream lost", f"{transport.url} ends it at once")
        sleep(backoff(failures))
        failures += 1


def _call(dataset_id: int, position: Position, poll_interval: int, where: Sequence[str] | None) -> Call:
    headers = {} if position.last is None else {"Last-Event-ID": str(position.last)}
    params = query(dataset=dataset_id, poll_interval=poll_interval, where=where)
    # A longer timeout of the client wins.
    return Call("GET", "/api/rows/stream/", params, headers=headers, timeout=poll_interval + SILENCE)


def _passes(error: AtlasClientError) -> bool:
    return not is_final(error) if isinstance(error, ApiError) else Retry.temporary(error)


def _too_long(alive: float, give_up_after: float | None) -> bool:
    return give_up_after is not None and time.monotonic() - alive >= give_up_after
