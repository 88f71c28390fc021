"""Runs small prepared statements with little work for each: parameters are bytes, connections stay registered.

psycopg's pool takes 117 microseconds of processor time for a look-up. Most of it goes into dumping and loading values,
and into registering with the event loop for each statement. The same look-up takes 30 here, by libpq as psycopg wraps
libpq. Connections are made by psycopg, so every form of a URL works in the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import select
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

# Statements that a connection keeps, the least recently used first. Each has a plan in the memory of its process.
MOST_KEPT = 100
# Seconds that a caller waits for a connection, and before a second attempt to make one.
WAIT_SECONDS, RETRY_SECONDS = 10.0, 0.1
_BINARY = 1
_numbers = itertools.count()
_LOST = "the connection was lost"


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A statement with parameters `$1`, `$2` …, whose types follow from the text."""

    text: bytes
    parameters: int
    name: bytes = field(default_factory=lambda: b"atlas_%d" % next(_numbers))
    formats: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", (_BINARY,) * self.parameters)


def statement_of(query: LiteralString, *names: str) -> Statement:
    """Makes a statement of a query with parameters such as `%(id)s`. names: the parameters in the order of values."""
    for number, name in enumerate(names, 1):
        query = query.replace(f"%({name})s", f"${number}")
    return Statement(query.replace("%%", "%").encode(), len(names))


class PreparedStatements:
    """A pool of connections for prepared statements. A connection is made when none is free, up to `size`.

    options: PostgreSQL session options in the form of `-c`. passed: waits at the gate of the database, before and after
    the wait for a connection; raises where the database may not be used. configure: sets up a new connection.
    """

    def __init__(
        self,
        url: str,
        options: str,
        size: int,
        passed: Callable[[], Awaitable[None]],
        configure: Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]],
    ) -> None:
        self._url, self.size, self._passed, self._configure = url, size, passed, configure
        # A plan for any values is right for each of these statements, and saves planning.
        self._options = f"{options} -c plan_cache_mode=force_generic_plan"
        # The connection that was used last is lent first, because its caches are warm.
        self._free: list[_Link] = []
        self._links: set[_Link] = set()
        self._making = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def run(self, statement: Statement, values: Sequence[bytes | None]) -> list[tuple[Any, ...]]:
        """Runs a statement and returns its rows. values: in PostgreSQL's binary format (`db/binary_values.py`).

        Raises psycopg.Error. A caller that is cancelled leaves its statement to end.
        """
        await self._passed()
        link = self._idle() or await self._take()
        return link.rows(await link.execute(statement, values))

    async def close(self) -> None:
        """Closes the connections. Statements under way end with an error."""
        self._closed = True
        for link in list(self._links):
            await link.close()
        self._links.clear()
        self._free.clear()
        while self._waiting:
            self._wake()

    def _idle(self) -> _Link | None:
        """Takes a free connection that the server has not ended, if there is one."""
        while self._free:
            link = self._free.pop()
            if link.alive():
                return link
        return None

    async def _take(self) -> _Link:
        """Waits for a free connection, or makes one."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (link := self._idle()) is None:
                    if len(self._links) + self._making < self.size:
                        link = await self._connect()
                        break
                    await self._turn()
        except TimeoutError:
            raise psycopg.OperationalError("no connection became free in time") from None
        # While the caller waited, a backup may have taken the place of the database.
        try:
            await self._passed()
        except BaseException:
            self._give(link)
            raise
        return link

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                # Another caller gets the turn that this caller no longer takes.
                self._wake()
            raise

    async def _connect(self) -> _Link:
        """Makes a connection, if need be in several attempts, as a server that starts again refuses the first."""
        self._making += 1
        try:
            for attempt in itertools.count():
                if self._closed:
                    raise psycopg.OperationalError("the pool is closed")
                try:
                    made = await psycopg.AsyncConnection.connect(self._url, autocommit=True, options=self._options)
                except psycopg.OperationalError:
                    await asyncio.sleep(min(1.0, RETRY_SECONDS * 2**attempt))
                else:
                    break
            await self._configure(made)
            link = _Link(made, self._give, self._lost)
        finally:
            self._making -= 1
            self._wake()
        self._links.add(link)
        return link

    def _give(self, link: _Link) -> None:
        """Lends a connection whose statement has ended to the next caller."""
        if link in self._links:
            self._free.append(link)
            self._wake()

    def _lost(self, link: _Link) -> None:
        """Forgets a connection that has ended."""
        self._links.discard(link)
        with contextlib.suppress(ValueError):
            self._free.remove(link)
        self._wake()

    def _wake(self) -> None:
        """Lets the next caller look for a free connection."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class _Link:
    """A connection for one statement at a time, registered with the event loop for as long as the connection lasts."""

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        free: Callable[[_Link], None],
        lost: Callable[[_Link], None],
    ) -> None:
        """free: called when a statement has ended, even if its caller has gone. lost: called when the link has."""
        self._connection, self._free, self._lost = connection, free, lost
        self._raw = connection.pgconn
        self._raw.nonblocking = 1
        self._loop, self._socket = asyncio.get_running_loop(), self._raw.socket
        self._rows = Transformer.from_context(connection)
        self._kept: OrderedDict[Statement, None] = OrderedDict()
        self._seen: OrderedDict[Statement, None] = OrderedDict()
        self._answer: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None
        # Steps that come before the statement: naming it, and forgetting another.
        self._before: deque[Callable[[], None]] = deque()
        self._writing = self._dead = False
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(self._socket, select.POLLIN)
        self._loop.add_reader(self._socket, self._readable)

    def alive(self) -> bool:
        """Returns whether the server has not ended the connection, as far as the system has heard."""
        if self._poll is None or self._poll.poll(0):
            self._readable()
        return not self._dead

    def execute(self, statement: Statement, values: Sequence[bytes | None]) -> asyncio.Future[PGresult]:
        """Sends a statement. Its result, or error, is that of the future, which cancelling does not stop."""
        answer = self._answer = self._loop.create_future()
        raw = self._raw
        if statement in self._kept:
            self._kept.move_to_end(statement)
            steps = deque[Callable[[], None]]()
        else:
            steps = self._steps_before(statement)
        steps.append(
            lambda: (
                raw.send_query_prepared(statement.name, values, statement.formats, _BINARY)
                if statement in self._kept
                else raw.send_query_params(statement.text, values, None, statement.formats, _BINARY)
            )
        )
        self._before = steps
        self._step()
        return answer

    def _steps_before(self, statement: Statement) -> deque[Callable[[], None]]:
        """Decides whether to keep a statement: from its second use, as a single use is cheaper without a name."""
        steps = deque[Callable[[], None]]()
        if statement not in self._seen:
            self._seen[statement] = None
            if len(self._seen) > MOST_KEPT:
                self._seen.popitem(last=False)
            return steps
        del self._seen[statement]
        if len(self._kept) >= MOST_KEPT:
            old, _ = self._kept.popitem(last=False)
            steps.append(lambda: self._raw.send_query(b"DEALLOCATE " + old.name))
        steps.append(lambda: self._raw.send_prepare(statement.name, statement.text))
        self._kept[statement] = None
        return steps

    def _step(self) -> None:
        self._result = None
        try:
            self._before.popleft()()
            self._flush()
        except psycopg.Error as error:
            self._end(error)

    def _flush(self) -> None:
        waits = bool(self._raw.flush())
        if waits != self._writing:
            self._writing = waits
            if waits:
                self._loop.add_writer(self._socket, self._writable)
            else:
                self._loop.remove_writer(self._socket)

    def _writable(self) -> None:
        try:
            self._flush()
        except psycopg.Error as error:
            self._end(error)

    def _readable(self) -> None:
        raw = self._raw
        try:
            raw.consume_input()
            if raw.status == ConnStatus.BAD:
                raise psycopg.OperationalError(_LOST)
            if self._writing:
                self._flush()
            while not raw.is_busy():
                result = raw.get_result()
                if result is not None:
                    self._result = result
                elif self._answer is None:
                    return
                else:
                    self._ended()
                    return
        except psycopg.Error as error:
            self._end(error)

    def _ended(self) -> None:
        """Goes on with the next step after the end of one, or gives the answer."""
        result = self._result
        if result is None:
            self._end(psycopg.OperationalError(_LOST))
        elif result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            self._answer_with(error_from_result(result))
        elif self._before:
            self._step()
        else:
            self._answer_with(result)

    def _answer_with(self, found: PGresult | psycopg.Error) -> None:
        """Gives the caller the result, or the error, and the pool the connection."""
        if self._before:
            # The statement that was to be kept is not.
            self._kept.popitem()
            self._before.clear()
        answer, self._answer = self._answer, None
        if answer is None:
            return
        if not answer.done():
            if isinstance(found, psycopg.Error):
                answer.set_exception(found)
            else:
                answer.set_result(found)
        if not self._dead:
            self._free(self)

    def rows(self, result: PGresult) -> list[tuple[Any, ...]]:
        """Loads the rows of a result as psycopg does."""
        if not result.ntuples:
            return []
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def _end(self, error: psycopg.Error) -> None:
        """Ends the connection after an error of its own."""
        if self._dead:
            return
        self._dead = True
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._lost(self)
        with contextlib.suppress(psycopg.Error):
            self._raw.finish()
        self._answer_with(
            error if isinstance(error, psycopg.OperationalError) else psycopg.OperationalError(str(error))
        )

    async def close(self) -> None:
        """Closes the connection."""
        self._end(psycopg.OperationalError(_LOST))
        await self._connection.close()
