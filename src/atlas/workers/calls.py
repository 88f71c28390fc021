"""Calls of parsers in worker processes, so that a long text does not hold the interpreter's lock of the server.

Arguments and results travel as MessagePack, decoded by the type hints of the function. A process that parses texts
reads no files, so a damaged file cannot reach what it returns.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import signal
import threading
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import msgspec

from atlas.errors import BadRequestError, UnavailableError
from atlas.kit.admission import Lane, served
from atlas.kit.processor_time import in_charged_thread
from atlas.workers.pool import WorkerPool
from atlas.workers.process import WorkerProcess
from atlas.workers.protocol import Failure, Kind, Task

P = ParamSpec("P")
T = TypeVar("T")
# Characters of a text up to which a thread parses it: in less time than a process takes to be asked and to answer.
INLINE_CHARACTERS = 300
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Limits of a call. cpu_seconds: processor time. wall_seconds: time until the answer. memory: bytes."""

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory: int = 512 * _MIB


class CallRequest(msgspec.Struct, frozen=True, tag="call"):
    """A call. function: the name of the function. arguments: encoded, by the names of parameters."""

    function: str
    arguments: dict[str, msgspec.Raw]


class Calls:
    """Calls functions on texts: in a thread if the text is short, else in a worker process.

    pool: processes for texts. None: threads do all the work.
    """

    def __init__(self, pool: WorkerPool | None = None, limits: CallLimits = CallLimits()) -> None:
        self._pool, self._limits = pool, limits
        # Two calls of an organization at once beside others, as each may keep a processor busy.
        self._lane = Lane("long texts", 4, limits.wall_seconds)
        self._ready = False

    async def run(self, size: int, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Returns what the function returns, and raises what it raises. size: characters of the text.

        Raises BadRequestError when parsing exceeds a limit.
        Raises UnavailableError when the process ends for another reason.
        """
        if self._pool is None or size <= INLINE_CHARACTERS or not self._is_ready(self._pool):
            return await in_charged_thread(function, *arguments, **options)
        bound = inspect.signature(function).bind(*arguments, **options).arguments
        encoded = {name: msgspec.Raw(msgspec.msgpack.encode(value)) for name, value in bound.items()}
        request = CallRequest(name_of(function), encoded)
        # A caller that goes away frees the turn when the process is free. To end a process costs more than its work.
        work = asyncio.ensure_future(self._in_turn(self._pool, request))
        work.add_done_callback(_ignore)
        content = await asyncio.shield(work)
        return typing.cast(T, _decoder(function, "return").decode(content))

    def _is_ready(self, pool: WorkerPool) -> bool:
        # Until the first process has started, threads work, so that nobody waits for that.
        self._ready = self._ready or pool.is_ready()
        return self._ready

    async def _in_turn(self, pool: WorkerPool, request: CallRequest) -> Any:
        who = served()
        if who is None:
            return await asyncio.to_thread(self._call, pool, request)
        async with self._lane.slot(who, patient=True):
            return await asyncio.to_thread(self._call, pool, request)

    def _call(self, pool: WorkerPool, request: CallRequest) -> Any:
        limits, encoded = self._limits, msgspec.Raw(msgspec.msgpack.encode(request))
        process = pool.take()
        ended = _Alarm(process, limits.wall_seconds)
        process.start(Task(encoded, limits.memory, limits.cpu_seconds, _MIB))
        message = process.receive()
        if not ended.stop() or message is None:
            code, _ = process.ended()
            pool.warm()
            raise self._end(code, late=ended.rang)
        kind, content = message
        pool.give(process)
        if kind is Kind.FAILURE:
            raise self._failure(msgspec.msgpack.decode(content, type=Failure))
        return content

    def _end(self, code: int, *, late: bool) -> Exception:
        limits = self._limits
        if late:
            return _too_long(f"parsing it took longer than the limit of {limits.wall_seconds:g} seconds")
        if code == -getattr(signal, "SIGXCPU", 0):
            return _too_long(f"parsing it took more than the limit of {limits.cpu_seconds} seconds of processor time")
        return UnavailableError("The process that parsed the text ended; try again")

    def _failure(self, failure: Failure) -> Exception:
        if failure.error == "memory":
            return _too_long(f"parsing it took more memory than the limit of {self._limits.memory // _MIB} MiB")
        if failure.error == "nested":
            return BadRequestError("Text is too long", "it is nested too deep")
        return failure.raised() or RuntimeError(f"a parser failed: {failure.reason}")


class _Alarm:
    """Kills a process after some seconds, unless it is stopped before. rang: whether it has killed the process."""

    def __init__(self, process: WorkerProcess, seconds: float) -> None:
        self._process, self._lock = process, threading.Lock()
        self.rang = self._stopped = False
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._stopped:
                self.rang = True
                self._process.kill()

    def stop(self) -> bool:
        """Stops the alarm. Returns whether it has not rung."""
        with self._lock:
            self._stopped = True
        self._timer.cancel()
        return not self.rang


def answer(request: CallRequest, functions: Mapping[str, Callable[..., Any]]) -> bytes:
    """Makes a call in a worker process. functions: by name, those that may be called."""
    function = functions[request.function]
    values = {name: _decoder(function, name).decode(value) for name, value in request.arguments.items()}
    return msgspec.msgpack.encode(function(**values))


def name_of(function: Callable[..., Any]) -> str:
    """Returns the name of a function by which a worker process knows it."""
    return f"{function.__module__}.{function.__qualname__}"


@functools.cache
def _decoder(function: Callable[..., Any], name: str) -> msgspec.msgpack.Decoder[Any]:
    """Returns the decoder of a parameter, or of the result for the name `return`."""
    return msgspec.msgpack.Decoder(typing.get_type_hints(function)[name])


def _too_long(details: str) -> BadRequestError:
    return BadRequestError("Text is too long", details)


def _ignore(work: asyncio.Future[Any]) -> None:
    """Retrieves the error of work for which nobody waits any more."""
    if not work.cancelled():
        work.exception()
