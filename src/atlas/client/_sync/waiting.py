"""Operations that wait: sleep, work, reads of files. `_async` has its own."""

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
    """Runs work directly, because there is no event loop."""
    return work(*args, **kwargs)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yields a file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def batches_of(data: Any, make: Callable[[Any], Iterator[Batch]], rows: int) -> Iterator[Batch]:
    """Returns the batches of `make(data)`."""
    return make(data)
