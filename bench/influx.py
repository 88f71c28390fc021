"""InfluxDB 1.x (Debian's package influxdb) on a folder and ports of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

# What InfluxDB's documentation recommends for a batch.
BATCH = 10_000
CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-row-limit = 0
  max-body-size = 0
[monitor]
  store-enabled = false
[logging]
  level = "error"
"""


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Influx:
    """A server for as long as the block runs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        port = _free()
        (folder / "influx.conf").write_text(CONFIG.format(folder=folder, port=port, rpc=_free()))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600)

    def __enter__(self) -> Influx:
        self._process = subprocess.Popen(
            ["influxd", "-config", str(self.folder / "influx.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.folder)},
        )
        for _ in range(100):
            try:
                self.client.post("/query", data={"q": "CREATE DATABASE bench"}).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise OSError("influxd did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(60)

    def load(self, path: Path) -> None:
        """A CSV file as line protocol, in batches; making the lines is part of it, as it is for its users."""
        frame = pv.read_csv(path)
        seconds = pc.cast(pc.cast(frame["timestamp"], pa.timestamp("s", "UTC")), pa.int64()).cast(pa.string())
        names = [name for name in frame.column_names if name != "timestamp"]
        fields = [pc.binary_join_element_wise(name, pc.cast(frame[name], pa.string()), "=") for name in names]
        lines = pc.binary_join_element_wise(
            pa.scalar("prices"), pc.binary_join_element_wise(*fields, ","), seconds, " "
        )
        for first in range(0, len(lines), BATCH):
            body = "\n".join(lines[first : first + BATCH].to_pylist())
            answer = self.client.post("/write?db=bench&precision=s", content=body.encode())
            answer.raise_for_status()

    def query(self, text: str) -> int:
        """Size of the answer as CSV."""
        parameters = {"db": "bench", "q": text, "chunked": "true", "epoch": "s"}
        size = 0
        with self.client.stream("GET", "/query", params=parameters, headers={"Accept": "application/csv"}) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_raw():
                size += len(chunk)
        if size < 20:
            raise ValueError(f"InfluxDB gave nothing for {text!r}")
        return size

    def size(self) -> int:
        """Bytes on disk, once the cache has been written out and compacted as far as it is by itself."""
        time.sleep(5)
        return sum(
            file.stat().st_size
            for part in ("data", "wal")
            for file in (self.folder / part).rglob("*")
            if file.is_file()
        )
