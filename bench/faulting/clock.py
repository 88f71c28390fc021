"""A clock that jumps for the server and its PostgreSQL alone; the machine's own is never touched.

A small library is compiled with the system's C compiler and loaded before all others. Where there is no compiler, or
the system is not Linux, the clock does not jump, and the command says so.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The clock of the processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "clock", folder / "clock.so"
        self.environment: dict[str, str] = {}
        compiler = shutil.which("cc") if sys.platform == "linux" else None
        if compiler is None:
            return
        self._file.write_bytes(struct.pack("l", 0))
        self._file.chmod(0o644)
        made = subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], capture_output=True, check=False
        )
        if made.returncode == 0:
            library.chmod(0o755)
            self.environment = {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(self._file)}

    @property
    def works(self) -> bool:
        return bool(self.environment)

    def set(self, seconds: int) -> None:
        """Sets it on by so many seconds from the machine's, or back."""
        # In place, as the processes have the file in their memory.
        with self._file.open("r+b") as file:
            file.write(struct.pack("l", seconds))
