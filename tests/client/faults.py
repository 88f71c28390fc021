"""A proxy on loopback that cuts connections where a test says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """After how many bytes towards the server, or back, a connection is cut; None never."""

    sent: int | None = None
    received: int | None = None


class Proxy:
    """Passes bytes on to `port`. Each connection takes the next of `cuts`; those after the last one are whole."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cuts: deque[Cut] = deque()
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A blocked accept is woken by this, not by closing.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            reset(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            cut = self.cuts.popleft() if self.cuts else Cut()
            server = socket.create_connection(("127.0.0.1", self._port))
            self._open += [client, server]
            for source, target, most in ((client, server, cut.sent), (server, client, cut.received)):
                threading.Thread(target=self._pass, args=(source, target, most), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        with contextlib.suppress(OSError):
            passed = 0
            while piece := source.recv(4096):
                room = len(piece) if most is None else most - passed
                target.sendall(piece[:room])
                passed += len(piece)
                if most is not None and passed >= most:
                    break
        for one in (source, target):
            reset(one)


def reset(connection: socket.socket) -> None:
    """Ends a connection as a cable that is pulled does, not as a program that is done."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        # Wakes the other thread, which waits in recv.
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    made = Proxy(int(url.rpartition(":")[2]))
    try:
        yield made
    finally:
        made.close()
