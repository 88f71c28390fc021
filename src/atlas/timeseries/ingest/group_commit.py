"""Group commit: small inserts that arrive during a commit share the next commit.

There is no timer. An insert into a dataset without a writer starts at once. The next group consists of the inserts that
arrived meanwhile. Therefore a single insert waits for nothing, and more concurrent inserts share a commit.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Coroutine
from typing import Any

from atlas.db.database import Database
from atlas.errors import UnavailableError
from atlas.kit.tasks import start_detached
from atlas.timeseries.ingest.appender import Tail
from atlas.timeseries.ingest.group_transaction import SmallInsert, insert_group

# Larger inserts have a transaction of their own.
SMALL_ROWS = 2_000
SMALL_BYTES = 1024 * 1024
# REMEMBERED: how many datasets' tails are cached. UNSURE: after another process has written to a dataset, this number
# of groups skips the cache, because trying a stale tail costs a round trip.
REMEMBERED, UNSURE = 1_000, 8
# Most rows of a group, so that the first insert does not wait long for the last.
GROUP_ROWS = 10_000


class _Waiting:
    __slots__ = ("answer", "insert")

    def __init__(self, insert: SmallInsert) -> None:
        self.insert = insert
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def settle(self, answer: Any) -> None:
        """Sets the answer, or raises it as an exception, if the caller still waits."""
        if self.answer.done():
            return
        if isinstance(answer, BaseException):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class GroupWriter:
    """Writes small inserts of all callers of this process. Processes take turns by the dataset's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: dict[int, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Cached tails, the least recently used first. A number counts the groups that still skip the cache.
        self._left: OrderedDict[int, Tail | int] = OrderedDict()

    async def insert(self, dataset_id: int, insert: SmallInsert) -> Any:
        """Inserts rows, and returns the response once the rows are on disk.

        When the idempotency key was used before, returns the earlier response. A caller that disconnects while the
        insert waits withdraws the insert. The other inserts are not affected.
        """
        waiting = _Waiting(insert)
        queue = self._queues.get(dataset_id)
        if queue is None:
            queue = self._queues[dataset_id] = deque()
            self._start(self._run(dataset_id, queue))
        queue.append(waiting)
        return await waiting.answer

    def ready(self, dataset_id: int) -> bool:
        """Returns whether the next group of a dataset may be written by one statement."""
        return dataset_id in self._queues or isinstance(self._left.get(dataset_id), Tail)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = start_detached(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits until all accepted inserts are done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, dataset_id: int, queue: deque[_Waiting]) -> None:
        try:
            while group := _take_group(queue):
                await self._commit(dataset_id, group)
        finally:
            # After an empty queue no insert can have come, because no await lies in between.
            del self._queues[dataset_id]
            for left in queue:
                left.settle(UnavailableError("Server stopping", "nothing was stored; try again"))

    async def _commit(self, dataset_id: int, group: list[_Waiting]) -> None:
        try:
            tail = self._tail(dataset_id)
            answers, left = await insert_group(self._database, dataset_id, [one.insert for one in group], tail)
        except UnavailableError as error:
            self._refuse(group, error.message, error.details)
        except Exception as error:
            if len(group) == 1:
                group[0].settle(error)
                return
            # One insert may have caused the error, and must not fail the others.
            for one in group:
                if not one.answer.done():
                    await self._commit(dataset_id, [one])
        except BaseException:
            self._refuse(group, "Server stopping", "whether it was stored is not known")
            raise
        else:
            self._remember(dataset_id, tail, left)
            for one, answer in zip(group, answers, strict=True):
                one.settle(answer)

    def _tail(self, dataset_id: int) -> Tail | None:
        """Takes the dataset's cached tail out of the cache, or returns None. The caller caches the new tail."""
        found = self._left.pop(dataset_id, None)
        if not isinstance(found, int):
            return found
        if found > 1:
            self._left[dataset_id] = found - 1
        return None

    def _remember(self, dataset_id: int, before: Tail | None, left: Tail | None) -> None:
        if left is None or dataset_id in self._left:
            return
        others = before is not None and left.state.version > before.state.version + 1
        self._left[dataset_id] = UNSURE if others else left
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)

    def _refuse(self, group: list[_Waiting], message: str, details: str | None) -> None:
        for one in group:
            one.settle(UnavailableError(message, details))


def _take_group(queue: deque[_Waiting]) -> list[_Waiting]:
    """Takes the next group from the queue, in order, without inserts of disconnected callers.

    No idempotency key is in a group twice.
    """
    group: list[_Waiting] = []
    keys: set[tuple[int, str]] = set()
    rows = 0
    while queue:
        insert = queue[0].insert
        key = None if insert.retry is None else (insert.retry.user_id, insert.retry.key)
        if group and (rows + insert.rows > GROUP_ROWS or key in keys):
            break
        one = queue.popleft()
        if one.answer.done():
            continue
        if key is not None:
            keys.add(key)
        group.append(one)
        rows += insert.rows
    return group
