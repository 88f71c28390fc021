"""Commands on a terminal of their own, which tests read and type at."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

WAIT_SECONDS = 30
terminals = pytest.mark.skipif(os.name == "nt", reason="needs pseudo-terminals")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str], **options: Any) -> None:
        import pty

        self._ours, theirs = pty.openpty()
        size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | size,
            start_new_session=True,
            **options,
        )
        os.close(theirs)
        self.shown, self._read = "", 0

    def until(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Reads until `text` appears, after what was waited for before."""
        end = time.monotonic() + seconds
        while text not in self.shown[self._read :]:
            assert time.monotonic() < end, (text, self.shown[self._read :])
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._ours, 65536).decode(errors="replace")
                except OSError:  # The other end is closed.
                    break
        assert text in self.shown[self._read :], (text, self.shown)
        self._read = self.shown.index(text, self._read) + len(text)

    def press(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def find(self, pattern: str) -> str:
        """The first part of what was shown that matches. Raises AssertionError where there is none."""
        found = re.search(pattern, self.shown)
        assert found is not None, self.shown
        return found[0]

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self) -> int:
        """The exit code, once everything is read."""
        end = time.monotonic() + WAIT_SECONDS
        with contextlib.suppress(OSError):
            while time.monotonic() < end and (self.process.poll() is None or select.select([self._ours], [], [], 0)[0]):
                if select.select([self._ours], [], [], 0.1)[0]:
                    self.shown += os.read(self._ours, 65536).decode(errors="replace")
        return self.process.wait(WAIT_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@contextlib.contextmanager
def terminal_of(command: list[str], environment: dict[str, str] | None = None, **options: Any) -> Iterator[Terminal]:
    """A command at a terminal until the block ends. environment: by default that of the tests."""
    made = Terminal(command, dict(os.environ) if environment is None else environment, **options)
    try:
        yield made
    finally:
        made.close()
