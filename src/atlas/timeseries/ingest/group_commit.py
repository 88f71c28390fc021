"""Group commit: small inserts that arrive while others are being committed are committed together.

There is no timer. An insert into a dataset that nobody writes to starts at once; the next group is what has come
while it ran. So one alone waits for nothing, and the more there are at once, the more share a commit.
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

# What is larger than this has a transaction of its own.
SMALL_ROWS = 2_000
SMALL_BYTES = 1024 * 1024
# REMEMBERED: how many datasets' tails are cached. UNSURE: after another process has written to a dataset, this many
# groups skip the cache, because trying a stale tail costs a round trip.
REMEMBERED, UNSURE = 1_000, 8
# Rows of a group, so that its first does not wait long for its last.
GROUP_ROWS = 10_000


class _Waiting:
    __slots__ = ("answer", "insert")

    def __init__(self, insert: SmallInsert) -> None:
        self.insert = insert
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def settle(self, answer: Any) -> None:
        """Gives the answer, or raises it, where somebody still waits for it."""
        if self.answer.done():
            return
        if isinstance(answer, BaseException):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class GroupWriter:
    """Takes small inserts of all callers of this process. Processes take turns by the dataset's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: dict[int, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # The least recently used first. A number: so many groups are to go without.
        self._left: OrderedDict[int, Tail | int] = OrderedDict()

    async def insert(self, dataset_id: int, insert: SmallInsert) -> Any:
        """Gives the insert's response, or the one that its idempotency key had before, once the rows are on disk.

        A caller who goes away while the insert waits takes it back; nothing else changes for the others.
        """
        waiting = _Waiting(insert)
        queue = self._queues.get(dataset_id)
        if queue is None:
            queue = self._queues[dataset_id] = deque()
            self._start(self._run(dataset_id, queue))
        queue.append(waiting)
        return await waiting.answer

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = start_detached(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits for what was taken."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, dataset_id: int, queue: deque[_Waiting]) -> None:
        try:
            while group := _taken(queue):
                await self._commit(dataset_id, group)
        finally:
            # Nothing can have come since the queue was seen empty.
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
            # One of them may be why, and it must not harm the others.
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
        """How the dataset was left, if that is known, which is to be remembered anew."""
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


def _taken(queue: deque[_Waiting]) -> list[_Waiting]:
    """The next group, in order, without those whose callers have gone; it has no idempotency key twice."""
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
