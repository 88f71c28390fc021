"""The loop of a worker process: one task after another, each within its limits, until the server ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

import msgspec

from atlas.errors import AtlasError
from atlas.workers.limits import Limits
from atlas.workers.protocol import Failure, Kind, Task, receive, send

# A message of an answer: its kind, and the buffers of its content.
Message = tuple[Kind, *tuple[Any, ...]]


def serve(
    requests: IO[bytes],
    answers: IO[bytes],
    limits: Limits,
    run: Callable[[Task], Iterator[Message]],
    *,
    no_memory: tuple[type[BaseException], ...] = (),
    after: Callable[[], object] = lambda: None,
) -> None:
    """Reports that the process is ready, then does one task after another until the requests end.

    run: yields the messages of a task's answer.
    no_memory: exceptions of libraries that lack memory.
    after: called after each task.
    """
    send(answers, Kind.READY, b"")
    while (message := receive(requests.readinto)) is not None:  # type: ignore[attr-defined]
        task = msgspec.msgpack.decode(message[1], type=Task)
        failure = None
        try:
            with limits.within(task.memory, task.cpu_seconds, task.file_bytes):
                for kind, *parts in run(task):
                    send(answers, kind, *parts)
        except BrokenPipeError:
            raise
        except BaseException as error:
            # Panics of Rust libraries are not subclasses of Exception.
            failure = _failure(error, (MemoryError, *no_memory))
        if failure is not None:
            send(answers, Kind.FAILURE, msgspec.msgpack.encode(failure))
        after()


def _failure(error: BaseException, no_memory: tuple[type[BaseException], ...]) -> Failure:
    cause: BaseException | None = error
    while cause is not None:
        # A reader may have wrapped the error in its own error.
        if isinstance(cause, no_memory):
            return Failure("memory")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, AtlasError):
        return Failure.of(error)
    if isinstance(error, RecursionError):
        return Failure("nested")
    print(f"{type(error).__name__}: {error}"[:2000], file=sys.stderr, flush=True)
    return Failure("internal", reason=type(error).__name__)
