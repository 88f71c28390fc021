"""Processes that read files: what they give, what they refuse, and that nothing of them stays behind."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pyarrow as pa
import pytest
from tests import bombs
from tests.conftest import readers

from atlas.errors import AtlasError, BadRequestError, RowError, TooLargeError
from atlas.imports.files.in_worker import FileRequest, read_in_worker
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import tabular
from atlas.timeseries.ingest.in_worker import read_frames_in_worker
from atlas.worker import NICENESS
from atlas.workers.pool import ReaderLimits, WorkerPool
from atlas.workers.process import Purpose, WorkerProcess
from atlas.workers.protocol import Task

UNPACKED = 64 * 2**20


@pytest.fixture(scope="module")
def pool() -> WorkerPool:
    # Little, so that it is soon used up.
    return readers(ReaderLimits(memory=256 * 2**20))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A CSV that takes a moment to read."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"some text,some other text\n" * 1_000_000)
    return path


def consume(batches: Iterator[pa.Table], wait: float = 0) -> None:
    for _ in batches:
        time.sleep(wait)


def read(pool: WorkerPool, data: bytes, name: str, folder: Path) -> tuple[list[str], int]:
    """The names and the number of rows that a file has."""
    path = folder / "upload"
    path.write_bytes(data)
    with pool.reading() as reading:
        source = read_in_worker(reading, path, name, folder, None, max_bytes=UNPACKED)
        return list(source.names), sum(map(len, source.batches))


def zipped(data: bytes, name: str = "x.zip") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


GOOD = {
    "a.csv": b"sep=;\na;b\n1;2\n3\n4;5;6;7\n",
    "b.json": b'[{"a":1,"b":{"c":"x"}},{"a":null}]',
    "c.xml": b"<r><x a='1'><b>2</b></x><x a='3'/></r>",
    "d.parquet": bombs.dictionary_parquet(100_000, 50, 3),
    "e.xlsx": bombs.far_cells("A1", "C2", "B40000"),
    "f.csv.gz": gzip.compress(b"a,b\n1,2\n"),
    "g.txt": "name;größe\nÄpfel;1\n".encode("cp1252"),
    "h.csv": b"",
    "i.pdf": b"%PDF-1.4",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_worker_gives_what_the_readers_give(name: str, pool: WorkerPool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD[name])

    def here() -> object:
        return told(read_file(open_upload(path, name, tmp_path, UNPACKED), tmp_path))

    def told(source: object) -> object:
        rows = pa.concat_tables(list(source.batches)).to_pydict()  # type: ignore[attr-defined]
        known = [getattr(source, field) for field in ("native", "bad", "fixed", "notes")]
        return list(source.names), rows, *map(list, known)  # type: ignore[attr-defined]

    def there() -> object:
        with pool.reading() as reading:
            return told(read_in_worker(reading, path, name, tmp_path, None, max_bytes=UNPACKED))

    def outcome(work: Callable[[], object]) -> object:
        try:
            return work()
        except AtlasError as error:
            return type(error), error.message, error.details

    assert outcome(there) == outcome(here)


WIDE = (",".join(f"column{n}" for n in range(100_000)) + "\n" + ",".join("1" * 100_000) + "\n").encode()
REFUSED = {
    "two far cells": ("x.xlsx", lambda: bombs.far_cells("A1", "XFD1048576"), TooLargeError),
    "a hundred columns": ("x.xlsx", lambda: bombs.far_cells("A1", "CV1048576"), TooLargeError),
    "the other corners": ("x.xlsx", lambda: bombs.far_cells("XFD1", "A1048576"), TooLargeError),
    "cells beyond the sheet": ("x.xlsx", lambda: bombs.far_cells("A1", "ZZZ99999999"), TooLargeError),
    "one long text in many cells": ("x.xlsx", lambda: bombs.shared_text(32_000, 10_000), TooLargeError),
    "repeated cells": ("x.ods", lambda: bombs.repeated_cells(1_048_576, 16_384), BadRequestError),
    "a dictionary": ("x.parquet", lambda: bombs.dictionary_parquet(500_000, 1_000), TooLargeError),
    "a dictionary of large texts": ("x.parquet", lambda: bombs.dictionary_parquet(100_000, 30_000, 10), TooLargeError),
    "run lengths": ("x.parquet", lambda: bombs.constant_parquet(30_000_000), TooLargeError),
    "deep arrays": ("x.json", lambda: b"[" * 200_000 + b"]" * 200_000, BadRequestError),
    "deep objects": ("x.json", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, BadRequestError),
    "deep values": ("x.json", lambda: b'[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]", BadRequestError),
    "deep lines": ("x.json", lambda: b'{"x":1}\n{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}\n", BadRequestError),
    "deep elements": ("x.xml", lambda: b"<a>" * 100_000 + b"</a>" * 100_000, BadRequestError),
    "zeros": ("x.csv.gz", lambda: gzip.compress(b"a,b\n" + b"0,0\n" * 18_000_000, 9), AtlasError),
    "a zip in a zip in a zip": ("x.zip", lambda: zipped(zipped(zipped(b"a\n1\n"))), BadRequestError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_small_files_that_take_much_are_refused(case: str, pool: WorkerPool, tmp_path: Path) -> None:
    name, make, expected = REFUSED[case]
    data = make()
    assert len(data) < 2 * 2**20
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(expected) as caught:
        read(pool, data, name, tmp_path)
    assert (caught.value.details or "").startswith(name)
    assert time.monotonic() - began < 60
    assert psutil.Process().memory_info().rss - before < 300 * 2**20
    # The next one has a process that works.
    assert read(pool, b"a,b\n1,2\n", "y.csv", tmp_path) == (["a", "b"], 1)


def frames(pool: WorkerPool, data: bytes, kind: str, folder: Path) -> list[Frame]:
    path = folder / "body"
    path.write_bytes(data)
    with pool.reading() as reading:
        return list(read_frames_in_worker(reading, path, kind, None, None))


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


TABLE = pa.table(
    {
        "timestamp": ["2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"],
        "a b": [1, 2],
        "j": [[1], None],
        "": ["x", None],
    }
)


def test_frames_are_those_of_the_readers(pool: WorkerPool, tmp_path: Path) -> None:
    data = stream(TABLE)
    (there,) = frames(pool, data, "arrow", tmp_path)
    (here,) = tabular.read_arrow(io.BytesIO(data), None, None)
    assert (there.ts, dict(there.columns), there.extra, there.extra_keys) == (
        here.ts,
        dict(here.columns),
        here.extra,
        here.extra_keys,
    )
    bad = TABLE.set_column(0, "timestamp", [["2024-01-02T00:00:00Z", "yesterday"]])
    with pytest.raises(RowError) as caught:
        frames(pool, stream(bad), "arrow", tmp_path)
    assert (caught.value.row, caught.value.field) == (1, "timestamp")


def test_bodies_that_take_much_are_refused(pool: WorkerPool, tmp_path: Path) -> None:
    table = pa.table(
        {
            "timestamp": pa.repeat(pa.scalar(0, pa.timestamp("us")), 300_000),
            "t": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 300_000), pa.array(["x" * 5_000])),
        }
    )
    with pytest.raises(TooLargeError):
        frames(pool, stream(table), "arrow", tmp_path)
    made = io.BytesIO()
    pa.parquet.write_table(table, made)
    with pytest.raises(TooLargeError):
        frames(pool, made.getvalue(), "parquet", tmp_path)


def test_lengths_that_lie_end_no_server(pool: WorkerPool, tmp_path: Path) -> None:
    whole = stream(TABLE)
    for place in range(8, len(whole), 7):
        data = whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :]
        with contextlib.suppress(BadRequestError, TooLargeError):
            frames(pool, data, "arrow", tmp_path)


def test_a_worker_that_dies_is_told_and_replaced(pool: WorkerPool, large: Path) -> None:
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with pool.reading() as reading:
            source = read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
            os.kill(reading.pid, number)
            with pytest.raises(BadRequestError) as caught:
                consume(source.batches)
        assert caught.value.details == f"a.csv: the reader ended ({number.name}); the file may be damaged"
    assert read(pool, b"a,b\n1,2\n", "y.csv", large.parent) == (["a", "b"], 1)


def test_who_ends_a_worker_waits_for_the_next(large: Path) -> None:
    """Others find one that is ready, also while the next file ends its own."""
    pool = WorkerPool()
    try:
        for _ in range(2):
            with pool.reading() as reading:
                source = read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
                os.kill(reading.pid, signal.SIGKILL)
                with pytest.raises(BadRequestError):
                    consume(source.batches)
            ready = pool.take()
            # The last that a process does before it serves.
            assert psutil.Process(ready.pid).nice() == min(19, psutil.Process().nice() + NICENESS)
            deadline = time.monotonic() + 20
            while not pool._idle:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            pool.give(ready)
    finally:
        pool.close()


def test_processor_time_is_limited(tmp_path: Path) -> None:
    slow = gzip.compress(b"<r>" + b"<x><a>1</a><b>2</b></x>" * 600_000 + b"</r>")
    pool = readers(ReaderLimits(cpu_seconds=1))
    with pytest.raises(BadRequestError) as caught:
        read(pool, slow, "a.xml.gz", tmp_path)
    assert caught.value.details == "a.xml.gz: reading it took more than the limit of 2 seconds of processor time"


def test_time_is_limited(large: Path) -> None:
    pool = readers(ReaderLimits(wall_seconds=2))
    # A process that has done a task before, so that the seconds of its start do not count.
    process = pool.take()
    process.start(Task(msgspec.Raw(msgspec.msgpack.encode(FileRequest("", "", "", 0, 0))), 2**30, 60, 0))
    assert process.receive() is not None
    pool.give(process)

    def slowly() -> None:
        with pool.reading() as reading:
            consume(read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED).batches, 0.5)

    with pytest.raises(BadRequestError) as caught:
        slowly()
    assert caught.value.details == "a.csv: reading it took longer than the limit of 2 seconds"


def test_reading_can_be_cancelled_from_another_thread(pool: WorkerPool, large: Path) -> None:
    with pool.reading() as reading:
        source = read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
        pid = reading.pid
        threading.Timer(0.1, reading.cancel).start()
        with pytest.raises(BadRequestError, match="cancelled"):
            consume(source.batches, 0.2)
    assert not psutil.pid_exists(pid)
    with pool.reading() as reading:
        reading.cancel()
        with pytest.raises(BadRequestError, match="cancelled"):
            read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals that stop a process")
def test_a_cancelled_reading_does_not_wait_for_a_process_that_starts_slowly(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine, where the slot of who cancelled was taken for as long."""
    stopped: list[int] = []

    class Slow(WorkerProcess):
        def __init__(self, purpose: Purpose = "files") -> None:
            super().__init__(purpose)
            if readings:
                os.kill(self.pid, signal.SIGSTOP)
                stopped.append(self.pid)

    readings: list[int] = []
    monkeypatch.setattr("atlas.workers.pool.WorkerProcess", Slow)
    pool = WorkerPool(ReaderLimits(), spare=0)
    try:
        with pool.reading() as reading:
            source = read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
            readings.append(reading.pid)
            reading.cancel()
            began = time.monotonic()
            with pytest.raises(BadRequestError, match="cancelled"):
                consume(source.batches)
            assert time.monotonic() - began < 10
        assert len(stopped) == 1
        # Once it has started it is used as any other.
        os.kill(stopped[0], signal.SIGCONT)
        assert read(pool, b"a,b\n1,2\n", "b.csv", large.parent)[1] == 1
        assert len(stopped) == 1
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        pool.close()


def test_what_is_not_read_to_its_end_frees_its_process(pool: WorkerPool, large: Path) -> None:
    with pool.reading() as reading:
        read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
        pid = reading.pid
    assert not psutil.pid_exists(pid)


PARENT = """
import sys, time
from pathlib import Path
from atlas.imports.files.in_worker import read_in_worker
from atlas.workers.pool import WorkerPool
pool, path = WorkerPool(), Path(sys.argv[1])
with pool.reading() as reading:
    source = read_in_worker(reading, path, "a.csv", path.parent, None, max_bytes=10**9)
    print(reading.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_ends_with_its_server(large: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(large)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert psutil.pid_exists(pid)
        server.kill()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_has_none_of_the_servers_secrets(monkeypatch: pytest.MonkeyPatch, large: Path) -> None:
    monkeypatch.setenv("ATLAS_SECRET_KEY", "hush")
    monkeypatch.setenv("PGPASSWORD", "hush")
    pool = WorkerPool()
    try:
        with pool.reading() as reading:
            read_in_worker(reading, large, "a.csv", large.parent, None, max_bytes=UNPACKED)
            assert "hush" not in psutil.Process(reading.pid).environ().values()
    finally:
        pool.close()


def test_processes_are_used_again_and_ended_when_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas.workers.pool._IDLE_SECONDS", 5.0)
    pool = WorkerPool(most=3)
    try:
        for name in ("1", "2", "3"):
            (tmp_path / name).write_bytes(b"a,b\n1,2\n")
        pids = set()
        for _ in range(2):
            with contextlib.ExitStack() as stack:
                readings = [stack.enter_context(pool.reading()) for _ in range(3)]
                sources = [
                    read_in_worker(one, tmp_path / name, name, tmp_path, None, max_bytes=UNPACKED)
                    for one, name in zip(readings, ("1", "2", "3"), strict=True)
                ]
                pids |= {one.pid for one in readings}
                for source in sources:
                    assert sum(map(len, source.batches)) == 1
        assert len(pids) == 3
        deadline = time.monotonic() + 20
        while sum(map(psutil.pid_exists, pids)) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        pool.close()
    assert not any(map(psutil.pid_exists, pids))


# Single quotes, blanks around the sign, small letters.
FAR_OTHERWISE = bombs.workbook("<row r = '1'><c r='A1'><v>1</v></c></row><row r= '1048576'><c r ='xfd1048576'/></row>")
PRECISE = {
    "far cells": ("x.xlsx", lambda: bombs.far_cells("A1", "XFD1048576"), "1,048,576 rows and 16,384 columns"),
    "a hundred columns": ("x.xlsx", lambda: bombs.far_cells("CV1048576", "A1"), "104,857,600 cells"),
    "far cells as others write them": ("x.xlsx", lambda: FAR_OTHERWISE, "1,048,576 rows and 16,384 columns"),
    "far cells in a part of any name": (
        "x.xlsx",
        lambda: bombs.far_cells("A1", "XFD1048576", part="xl/any/part.bin"),
        "part.bin: its cells span 1,048,576 rows and 16,384 columns",
    ),
    "a long text": ("x.xlsx", lambda: bombs.shared_text(32_000, 10_000), "come to 320,000,000 bytes"),
    "a wide header": ("x.csv", lambda: WIDE, "has 100,000 columns; at most 1,500"),
    "a wide header with semicolons": ("x.csv", lambda: WIDE.replace(b",", b";"), "has 100,000 columns"),
    "a wide header below titles": ("x.csv", lambda: b"Report\n\n" + WIDE, "has 100,000 columns"),
    "a wide line": ("x.csv", lambda: WIDE.replace(b"\n", b""), "columns; at most 1,500"),
    "a long cell": ("x.csv", lambda: b"a,b\n1," + b"x" * 20_000_000 + b"\n", "line 2 is longer than 4 MiB"),
    "a long cell further down": ("x.csv", lambda: b"a,b\n" + b"1,2\n" * 99 + b"1," + b"x" * 9_000_000, "behind record"),
    "run lengths": ("x.parquet", lambda: bombs.constant_parquet(60_000_000), "60,000,000 rows of 2 columns"),
}


@pytest.mark.parametrize("case", PRECISE)
def test_what_a_file_says_of_its_size_is_looked_at_first(case: str, pool: WorkerPool, tmp_path: Path) -> None:
    name, make, told = PRECISE[case]
    with pytest.raises((BadRequestError, TooLargeError)) as caught:
        read(pool, make(), name, tmp_path)
    assert told in (caught.value.details or "")


def test_far_tables_are_read(tmp_path: Path) -> None:
    pool = readers(ReaderLimits())
    assert read(pool, bombs.far_cells("XFA1048000", "XFD1048576"), "x.xlsx", tmp_path)[1] == 1
    long = ",".join(["x" * 9] * 1400)
    assert read(pool, f"{long}\n{long}\n{long}\n".encode(), "x.csv", tmp_path)[1] in (2, 3)
