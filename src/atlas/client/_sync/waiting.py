"""What waits: sleeping, work, files in pieces. `_async` has its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from atlas.client._batching import Batch

P = ParamSpec("P")
T = TypeVar("T")
PIECE = 256 * 1024

sleep = time.sleep


def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs it: there is no event loop to keep free."""
    return work(*args, **kwargs)


def file_pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def batches_of(data: Any, make: Callable[[Any], Iterator[Batch]], rows: int) -> Iterator[Batch]:
    """Batches that `make` makes of `data`."""
    return make(data)
