"""How a server process sets itself up."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pv
import pytest

from atlas.cli.workers import FILES, SWITCH_SECONDS, start_serving


@pytest.fixture
def serving() -> Iterator[None]:
    """This process as a server, until the test has ended."""
    before = sys.getswitchinterval()
    start_serving()
    yield
    gc.unfreeze()
    pa.enable_signal_handlers(True)
    sys.setswitchinterval(before)


@pytest.mark.skipif(os.name == "nt", reason="the limit is POSIX")
@pytest.mark.parametrize(("first", "hard", "then"), [(64, 4_096, 4_096), (64, 64, 64), (512, 200_000, FILES)])
def test_a_server_opens_as_many_files_as_it_may(first: int, hard: int, then: int) -> None:
    program = (
        "import resource, sys; from atlas.cli import workers; "
        "resource.getrlimit = lambda _: (int(sys.argv[1]), int(sys.argv[2])); "
        "resource.setrlimit = lambda _, found: print(*found); workers.raise_file_limit()"
    )
    done = subprocess.run([sys.executable, "-c", program, str(first), str(hard)], check=True, capture_output=True)
    assert done.stdout.decode().split() == ([] if first == then else [str(then), str(hard)])


@pytest.mark.usefixtures("serving")
def test_threads_take_turns_soon() -> None:
    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert gc.isenabled()


@pytest.mark.skipif(os.name == "nt", reason="the signal is POSIX")
@pytest.mark.usefixtures("serving")
def test_a_file_is_read_to_its_end_when_the_server_is_told_to_stop() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    rows = 2_000_000
    body = pa.BufferReader(b"a,b\n" + b"1,2\n" * rows)

    def stop() -> None:
        time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    try:
        stopping.start()
        found = pv.read_csv(body, read_options=pv.ReadOptions(block_size=20_000, use_threads=False))
    finally:
        stopping.join()
        signal.signal(signal.SIGTERM, before)
    assert (len(found), told) == (rows, [signal.SIGTERM])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Arrow takes what it likes")
@pytest.mark.parametrize(("given", "taken"), [(None, "jemalloc"), ("system", "system")])
def test_arrow_takes_memory_from_what_gives_it_back(given: str | None, taken: str) -> None:
    """It is chosen before Arrow is loaded, by whoever has not chosen himself."""
    program = (
        "import sys; from atlas.cli.server_process import choose_allocator; assert 'pyarrow' not in sys.modules; "
        "choose_allocator(); "
        "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    if given is not None:
        environment["ARROW_DEFAULT_MEMORY_POOL"] = given
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (taken, "")
