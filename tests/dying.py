"""Workers, each of which works on the jobs of a database and kills itself at one step of them.

    python -m tests.dying URL STEP [URL STEP …]

Prints how each has ended: -9, as it should, or what else.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from atlas.app import Processes, build_services, lanes_of
from atlas.db.database import Database
from atlas.db.job_queue import JobQueue
from atlas.imports.announcements import Announcements
from atlas.imports.progress import Progress
from atlas.settings import Settings
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.webhooks import repository as webhooks
from atlas.webhooks import sender
from atlas.workers.calls import Calls
from atlas.workers.pool import WorkerPool

SECONDS = 120.0


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_die(owner: Any, name: str) -> None:
    """Has a function do its work, after which nobody hears of it."""
    work: Callable[..., Awaitable[object]] = getattr(owner, name)

    async def last(*arguments: Any, **named: Any) -> None:
        await work(*arguments, **named)
        die()

    setattr(owner, name, last)


def _die_instead(owner: Any, name: str) -> None:
    setattr(owner, name, die)


def _die_when_written(owner: Any, name: str) -> None:
    report = getattr(owner, name)
    setattr(owner, name, lambda self, stage, records: die() if stage == "written" else report(self, stage, records))


# In the order in which an import and its webhook go through them.
STEPS: dict[str, Callable[[], None]] = {
    "the end is not committed": lambda: _then_die(Announcements, "announce"),
    "success is committed": lambda: _die_when_written(Progress, "report"),
    "failure is committed": lambda: _then_die(Announcements, "fail"),
    "the webhook is not sent": lambda: _die_instead(sender, "post_json"),
    "the webhook's answer is not heard": lambda: _then_die(sender, "post_json"),
    "the webhook's job is not over": lambda: _then_die(webhooks, "record"),
}


async def _work(url: str) -> None:
    settings = Settings(database_url=url, webhook_loopback=True)
    database = Database(url, pool_size=2, statement_timeout=60)
    queue = JobQueue(url, database.gate)
    upkeep = Upkeep(database, idempotency_hours=1, deleted_days=7)
    services = build_services(settings, database, upkeep, queue, lanes_of(settings), Processes(WorkerPool(), Calls()))
    await database.open()
    await queue.open()
    services.background.start(1)
    await asyncio.sleep(SECONDS)


def main(arguments: list[str]) -> None:
    children = []
    for url, step in zip(arguments[::2], arguments[1::2], strict=True):
        if (child := os.fork()) == 0:
            STEPS[step]()
            asyncio.run(_work(url))
            os._exit(0)
        children.append(child)
    for child in children:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
