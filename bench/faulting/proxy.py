"""A TCP proxy on loopback that can cut connections in the middle of what they carry."""

from __future__ import annotations

import asyncio
import random

PIECE = 16 * 1024


class Proxy:
    """Passes connections on to `target`. While `cutting`, each is reset after a random number of bytes."""

    def __init__(self, rng: random.Random) -> None:
        self.target = 0
        self.port = 0
        self.cutting = False
        self.cuts = 0
        self._rng = rng
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self.cut_all()
        if self._server is not None:
            self._server.close()

    def cut_all(self) -> None:
        """Resets every connection that is open."""
        for writer in list(self._open):
            writer.transport.abort()
            self.cuts += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            # A client that gives up must not wait for a frozen server.
            up_reader, up_writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.target), 5)
        except (OSError, TimeoutError):
            writer.transport.abort()
            self._open.discard(writer)
            return
        both = (writer, up_writer)
        ways = [asyncio.create_task(self._pump(a, b)) for a, b in ((reader, up_writer), (up_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ways:
                task.cancel()
            for end in both:
                end.transport.abort() if self.cutting else end.close()
            self._open.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(PIECE):
                if self.cutting and self._rng.random() < 0.3:
                    writer.write(data[: self._rng.randrange(len(data))])
                    await writer.drain()
                    self.cuts += 1
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            return
