"""A JSON body on its way to the database: received, decoded and copied at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from atlas.errors import BadRequestError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_arrow
from atlas.timeseries.ingest.bodies import FrameSpool
from atlas.timeseries.ingest.json_positions import dataset_of
from atlas.timeseries.ingest.json_splitter import RowPieces

# A body is decoded in pieces of PIECE_BYTES. PIECES_AHEAD pieces may wait or be decoded but not yet spooled. Together
# the limits bound the memory of a body of any size.
PIECE_BYTES = 2 * 1024 * 1024
PIECES_AHEAD = 12
# Smaller pieces are decoded faster than handed to a thread.
INLINE_BYTES = 32 * 1024

_Decoded = tuple[Frame, object]


class JsonBody:
    """Pieces of one body, decoded in `threads` while the next pieces arrive. The oldest pieces go to `spool`.

    A piece that fails to decode is no error yet, because the cut behind it may have been wrong. The piece is joined to
    all later pieces and decoded again at the end, with the number of its first row. `unit` is the unit of numeric
    timestamps.
    """

    def __init__(self, spool: FrameSpool, threads: ThreadPoolExecutor, unit: str | None = None) -> None:
        self._unit = unit
        self._spool = spool
        self._threads = threads
        self._pieces = RowPieces(PIECE_BYTES)
        self._flight: deque[tuple[bytes, asyncio.Future[_Decoded]]] = deque()
        self._last: asyncio.Future[_Decoded] | None = None

    async def receive(self, chunks: AsyncIterator[bytes], found: Callable[[object], Awaitable[None]]) -> None:
        """Receives the whole body.

        Calls `found` once with the dataset member, or None without that member, as early as the member is known.

        Raises BadRequestError: when a small body is invalid.
        """
        dataset_known = False
        async for chunk in chunks:
            piece = self._pieces.feed(chunk)
            # The member may be known before the first piece, because a row may be larger than a piece.
            if not dataset_known and self._pieces.dataset is not None:
                dataset_known = True
                await found(self._pieces.dataset)
            if piece is None:
                continue
            self._flight.append((piece, self._decode(piece, 0)))
            while len(self._flight) > PIECES_AHEAD:
                await self._settle()
        self._last = self._decode(self._pieces.rest(), 0)
        if not dataset_known:
            try:
                await found(await self._named())
            except BadRequestError:
                # A caller without write access gets that error, whatever the body is.
                named = dataset_of(self._pieces.rest())
                if named is not None:
                    await found(named)
                raise

    async def frames(self) -> AsyncIterator[Frame]:
        """Yields the rows in order.

        Raises RowError, BadRequestError: when the next piece is invalid.
        """
        for index in range(len(self._spool)):
            held = self._spool.get_in_memory(index)
            yield await asyncio.to_thread(self._spool.get, index) if held is None else held
        rows = self._spool.rows
        while self._flight:
            piece, decoded = self._flight.popleft()
            try:
                frame, _ = await decoded
            except BadRequestError:
                self._put_back(piece)
                break
            rows += len(frame)
            yield frame
        assert self._last is not None
        try:
            frame, named = await self._last
        except BadRequestError:
            # Decodes again, now that the number of the first row is known.
            frame, named = await self._decode(self._pieces.rest(), rows)
        if named is not None and self._pieces.dataset is not None:
            raise BadRequestError("Invalid request body", "dataset: given twice")
        yield frame

    def cancel(self) -> None:
        """Cancels all pending decoding."""
        for _, decoded in self._flight:
            decoded.cancel()
        if self._last is not None:
            self._last.cancel()

    async def _named(self) -> object:
        """Returns the dataset member of a body whose first piece lacks the member."""
        assert self._last is not None
        try:
            return (await self._last)[1]
        except BadRequestError:
            if not (self._flight or self._spool.rows):
                raise
        return (await self._rest_again())[1]

    async def _settle(self) -> None:
        piece, decoded = self._flight.popleft()
        try:
            frame, _ = await decoded
        except BadRequestError:
            self._put_back(piece)
        else:
            await asyncio.to_thread(self._spool.add, frame)

    def _put_back(self, piece: bytes) -> None:
        later = [following for following, _ in self._flight]
        self._flight.clear()
        self._pieces.put_back([piece, *later])
        if self._last is not None:
            self._last = self._decode(self._pieces.rest(), 0)

    async def _rest_again(self) -> _Decoded:
        while self._flight:
            await self._settle()
        self._last = self._decode(self._pieces.rest(), self._spool.rows)
        return await self._last

    def _decode(self, piece: bytes, first_row: int) -> asyncio.Future[_Decoded]:
        loop = asyncio.get_running_loop()
        if len(piece) > INLINE_BYTES:
            return loop.run_in_executor(self._threads, _decode_piece, piece, first_row, self._unit)
        done: asyncio.Future[_Decoded] = loop.create_future()
        try:
            done.set_result(_decode_piece(piece, first_row, self._unit))
        except BadRequestError as error:
            done.set_exception(error)
            # Marks the exception as retrieved. When the caller has no write access, this future is never awaited.
            done.exception()
        return done


def _decode_piece(piece: bytes, first_row: int, unit: str | None) -> _Decoded:
    frame, dataset = json_arrow.decode(piece, first_row, unit)
    return frame.sorted(), dataset
