"""Reports to people and to systemd that the server answers."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

PAUSE_SECONDS = 0.05


class Readiness:
    """Waits in the background for a server's first answer to `/health`, and reports the answer.

    Removes the address of systemd's socket from the environment. Otherwise PostgreSQL would find the address and report
    itself.
    """

    def __init__(self) -> None:
        self._systemd = os.environ.pop("NOTIFY_SOCKET", None)

    def tell(self, host: str, port: int, on_ready: Callable[[], None]) -> None:
        """Starts a thread that calls `on_ready` and sends systemd READY=1 as soon as the server answers.

        Returns at once.
        """
        threading.Thread(target=self._wait, args=(host, port, on_ready), name="readiness", daemon=True).start()

    def _wait(self, host: str, port: int, on_ready: Callable[[], None]) -> None:
        # Port 0 lets the system choose a port, which is unknown here.
        while port and not answers(host, port):
            time.sleep(PAUSE_SECONDS)
        on_ready()
        if self._systemd is not None:
            try:
                notify(self._systemd, "READY=1\nSTATUS=Answers requests")
            except OSError as error:
                print(f"Atlas: systemd cannot be told that the server is ready: {error}", file=sys.stderr, flush=True)


def answers(host: str, port: int) -> bool:
    """Checks whether a healthy server answers."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        with suppress(OSError):
            connection.close()


def notify(address: str, state: str) -> None:
    """Sends a state to systemd's socket.

    address: a path, or `@` and an abstract name.
    Raises OSError: when the socket cannot be reached.
    """
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), place)
