"""Live streams of committed rows, for any number of readers, without loss or repetition.

One pump per dataset and process fetches and encodes new rows once for all readers. A reader that is behind (after a
resume, or with a slow client) reads from the database until it has caught up.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import polars as pl
import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.db.database import Database
from atlas.errors import AtlasError, AuthenticationError, BadRequestError, UnavailableError
from atlas.kit.admission import Lane, Pace
from atlas.kit.tasks import start_detached
from atlas.kit.timestamps import format_timestamp
from atlas.timeseries.formats import RowFormat, json_lines
from atlas.timeseries.read import history, row_queries, snapshot
from atlas.timeseries.series.conditions import Written

# FETCH_ROWS: rows fetched at a time. BACKLOG_BYTES: bytes that may wait for a slow client before its reader goes back
# to the database.
FETCH_ROWS = 5_000
BACKLOG_BYTES = 4 * 1024 * 1024
# Seconds between checks of an open stream's right to read.
RECHECK_SECONDS = 10.0
# Milliseconds before browsers reconnect. Without `retry`, each browser chooses a time of its own.
RETRY = 2_000
# Smaller tables are encoded in the event loop, which takes less time than waiting for a thread's turn.
INLINE_BYTES = 4 * 1024
TIMER_SLACK = 0.001
# Sends per second to all streams of one user. Each send takes the event loop some 35 microseconds. Pieces that arrive
# in between are sent together.
SENDS_A_SECOND = 10_000.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """Events of the rows with numbers greater than `after`, up to `upto`.

    since: a number up to `after`, with no row of these series in between. None stands for `after`.
    """

    after: int
    upto: int
    events: bytes
    since: int | None = None

    def follows(self, sent: int) -> bool:
        """Checks whether the events are those that come after the row numbered `sent`."""
        return (self.after if self.since is None else self.since) <= sent <= self.after


@dataclass(eq=False, slots=True)
class _Reader:
    """One stream.

    Each event wakes many of a thousand streams. Therefore one timer serves several waits, instead of one timer for
    each.
    """

    poll: float
    caller: Caller
    topic: _Topic
    refused: AtlasError | None = None
    pieces: deque[_Piece] = field(default_factory=deque)
    waiting: int = 0
    ended: bool = False
    _since: float = 0.0
    _turn: asyncio.Future[None] | None = None
    _timer: asyncio.TimerHandle | None = None

    def give(self, piece: _Piece) -> None:
        """Queues events for the client."""
        if self.waiting > BACKLOG_BYTES:
            # The database still has dropped events, and the next piece shows the gap.
            self.pieces.clear()
            self.waiting = 0
        self.pieces.append(piece)
        self.waiting += len(piece.events)
        self._wake()

    def refuse(self, error: AtlasError) -> None:
        """Ends the stream with an error."""
        self.refused = error
        self._wake()

    async def wait(self) -> bool:
        """Waits for something to send. Returns False after `poll` seconds without anything."""
        loop = asyncio.get_running_loop()
        if not self.pieces and self.refused is None:
            self._since, self._turn = loop.time(), loop.create_future()
            if self._timer is None:
                self._timer = loop.call_later(self.poll, self._remind)
            await self._turn
        return bool(self.pieces) or self.refused is not None

    def close(self) -> None:
        """Stops the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    def _remind(self) -> None:
        # The timer was set for an earlier wait, which has ended.
        loop = asyncio.get_running_loop()
        due = self._since + self.poll
        self._timer = None
        if due <= loop.time() + TIMER_SLACK:
            self._wake()
        else:
            self._timer = loop.call_at(due, self._remind)


# A dataset, and the conditions of streams that read only some series of it.
_Topic = tuple[int, tuple[Written, ...]]


@dataclass(eq=False, slots=True)
class _Channel:
    """Readers of the same rows. seq: the last number that was read; given: that of the last piece for the readers."""

    seq: int
    given: int
    readers: set[_Reader] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class StreamService:
    """Opens streams of a dataset's new rows."""

    def __init__(self, database: Database, access: AccessService, lane: Lane) -> None:
        self._database = database
        self._access = access
        self._lane, self._pace = lane, Pace(SENDS_A_SECOND)
        self._channels: dict[_Topic, _Channel] = {}
        self._watch: asyncio.Task[None] | None = None
        self.open_streams = 0

    def wake(self, dataset_id: int) -> None:
        """Wakes a dataset's pump after a commit."""
        for topic, channel in self._channels.items():
            if topic[0] == dataset_id:
                channel.wake.set()

    async def open(
        self,
        caller: Caller,
        dataset_id: int,
        poll_interval: int,
        last_event_id: str | None,
        where: Sequence[Written] = (),
    ) -> AsyncIterator[bytes]:
        """Opens a stream of Server-Sent Events, from now or after the event with `last_event_id`.

        `where` are conditions on series keys.

        Raises AtlasError: when the caller may not read the dataset, has too many streams, or the id or a condition is
            invalid.
        """
        await self._access.require(caller, dataset_id)
        if where:
            (await snapshot.snapshot(self._database, dataset_id)).only(where)
        found = await snapshot.position(self._database, dataset_id)
        latest = found[0] if found else 0
        start = latest if last_event_id is None else min(_event_id(last_event_id), latest)
        self._lane.enter_at_once(caller)
        self.open_streams += 1
        reader = _Reader(float(poll_interval), caller, (dataset_id, tuple(where)))
        events = self._events(reader, start, latest)
        # A client may disconnect before the generator starts, and then `finally` never runs.
        weakref.finalize(events, self._end, reader).atexit = False
        return events

    def _end(self, reader: _Reader) -> None:
        """Releases the slot of a stream once."""
        if not reader.ended:
            reader.ended = True
            self.open_streams -= 1
            self._lane.leave(reader.caller)
            if not self._lane.taken(reader.caller):
                self._pace.forget(reader.caller)

    async def _events(self, reader: _Reader, start: int, latest: int) -> AsyncIterator[bytes]:
        topic, dataset_id = reader.topic, reader.topic[0]
        channel = self._join(reader, latest)
        # Other readers may have received rows since the look at the dataset. This reader still has to read those rows.
        latest = max(latest, channel.seq)
        try:
            yield _event(
                "connected", {"dataset_id": dataset_id, "message": "Connected to real-time stream"}, start, RETRY
            )
            sent = start
            async for piece in self._read_pieces(topic, sent, latest):
                sent = piece.upto
                if piece.events:
                    yield piece.events
            sent = max(sent, latest)
            while True:
                woken = await reader.wait()
                if reader.refused is not None:
                    raise reader.refused
                if not woken:
                    yield _event("heartbeat", {"timestamp": format_timestamp(datetime.now(UTC))})
                    continue
                await self._pace.wait(reader.caller)
                together: list[bytes] = []
                while reader.pieces:
                    piece = reader.pieces.popleft()
                    reader.waiting -= len(piece.events)
                    if piece.upto <= sent:
                        continue
                    if piece.follows(sent):
                        sent = piece.upto
                        together.append(piece.events)
                        continue
                    if together:
                        yield b"".join(together)
                        together.clear()
                    async for missed in self._read_pieces(topic, sent, piece.upto):
                        # The read may pass `piece.upto` when more rows have been committed meanwhile.
                        sent = missed.upto
                        if missed.events:
                            yield missed.events
                if together:
                    yield b"".join(together)
        except AtlasError as error:
            # The client reconnects with the last event id, so nothing is lost.
            yield _event("error", {"error": error.message, "details": error.details})
        finally:
            self._end(reader)
            reader.close()
            self._leave(channel, reader)

    def _join(self, reader: _Reader, latest: int) -> _Channel:
        channel = self._channels.get(reader.topic)
        if channel is None:
            channel = self._channels[reader.topic] = _Channel(latest, latest)
            # The pump must outlive the task of the first reader, because it serves other readers, too.
            channel.task = start_detached(self._pump(reader.topic, channel))
        channel.readers.add(reader)
        channel.wake.set()
        if self._watch is None:
            self._watch = start_detached(self._recheck())
        return channel

    def _leave(self, channel: _Channel, reader: _Reader) -> None:
        channel.readers.discard(reader)
        if not channel.readers and self._channels.get(reader.topic) is channel:
            del self._channels[reader.topic]
            if channel.task is not None:
                channel.task.cancel()
        if not self._channels and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _recheck(self) -> None:
        """Ends the streams of keys that have lost the right to read. One query checks all streams, apart from
        deliveries.
        """
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            readers = [reader for channel in self._channels.values() for reader in channel.readers]
            with contextlib.suppress(UnavailableError):
                allowed = await self._access.still_readable({(r.caller.key_id, r.topic[0]) for r in readers})
                for reader in readers:
                    if (reader.caller.key_id, reader.topic[0]) not in allowed:
                        reader.refuse(await self._refusal(reader))

    async def _refusal(self, reader: _Reader) -> AtlasError:
        try:
            await self._access.require(reader.caller, reader.topic[0])
        except AtlasError as error:
            return error
        return AuthenticationError("Invalid API key", "The key was revoked or has expired")

    async def _pump(self, topic: _Topic, channel: _Channel) -> None:
        while True:
            # A commit wakes the pump. Polling covers a lost notification.
            await _wait(channel.wake, min((r.poll for r in channel.readers), default=1.0))
            channel.wake.clear()
            try:
                await self._pump_new(topic, channel)
            except BadRequestError as error:
                # The dataset has lost a key that the streams name.
                for reader in list(channel.readers):
                    reader.refuse(error)
            except AtlasError:
                continue

    async def _pump_new(self, topic: _Topic, channel: _Channel) -> None:
        """Gives the rows since the last read to all readers."""
        async for piece in self._read_pieces(topic, channel.seq):
            channel.seq = piece.upto
            if not piece.events:
                # No row of these series. Readers keep their heartbeats.
                continue
            piece = replace(piece, since=channel.given)
            channel.given = piece.upto
            for reader in list(channel.readers):
                reader.give(piece)

    async def _read_pieces(self, topic: _Topic, after: int, upto: int | None = None) -> AsyncIterator[_Piece]:
        """Yields pieces of the rows with numbers greater than `after`, up to at least `upto` or the last row."""
        if upto is not None and after >= upto:
            return
        shot = (await snapshot.snapshot(self._database, topic[0])).only(topic[1])
        style = RowFormat(shot.columns)
        upto = shot.last_seq if upto is None else upto
        while after < upto:
            table, last = await row_queries.following(self._database, shot, after, FETCH_ROWS)
            corrected = await history.corrections(self._database, shot, after, last)
            if table.nbytes <= INLINE_BYTES:
                events = _encode(table, style, corrected) if len(table) else b""
            else:
                events = await asyncio.to_thread(_encode, table, style, corrected)
            yield _Piece(after, last, events)
            after = last


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _encode(table: pa.Table, style: RowFormat, corrected: frozenset[int]) -> bytes:
    numbers = pl.Series("n", table.column("_seq"))
    kinds = pl.Series(["data"])
    if corrected:
        kinds = numbers.is_in(sorted(corrected)).replace_strict({True: "correction", False: "data"})
    events = "id: " + numbers.cast(pl.String) + "\nevent: " + kinds + "\ndata: " + json_lines(table, style) + "\n\n"
    text: str = events.str.join("").item()
    return text.encode()


def _event(kind: str, data: dict[str, object], event_id: int | None = None, retry: int | None = None) -> bytes:
    prefix = b"" if event_id is None else b"id: %d\n" % event_id
    suffix = b"\n" if retry is None else b"\nretry: %d\n" % retry
    return prefix + f"event: {kind}\ndata: ".encode() + msgspec.json.encode(data) + suffix + b"\n"


def _event_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequestError("Invalid Last-Event-ID", "it must be the id of an event of this stream")
    return int(text)
