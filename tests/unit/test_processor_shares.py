"""Shares of processor time: who is measured, who waits, and who never does."""

from __future__ import annotations

import asyncio
import heapq
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from atlas.errors import RateLimitedError
from atlas.kit.admission import serving
from atlas.kit.processor_shares import SHARE, ProcessorShares
from atlas.kit.processor_time import (
    MeteredThreads,
    ProcessorTime,
    charged,
    charged_process,
    in_charged_thread,
    metered,
    process_seconds,
)


@dataclass(frozen=True)
class Who:
    user_id: int
    organization_id: int


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def used(shares: ProcessorShares, clock: Clock, who: Who, cost: float, every: float, seconds: float) -> float:
    """Processor time that a client takes in so many seconds, with a request of `cost` as soon as it may have one."""
    taken, end = 0.0, clock.now + seconds
    while clock.now < end:
        booked, wait = shares.book(who)
        clock.now += max(wait, every)
        shares.settle(who, booked, cost)
        taken += cost
    return taken


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_nobody_waits_while_nobody_else_is_about() -> None:
    clock = Clock()
    shares = ProcessorShares(patience=5, clock=clock)
    assert used(shares, clock, Who(1, 1), cost=0.1, every=0.1, seconds=10) > 9


@pytest.mark.parametrize("users", [1, 12])
@pytest.mark.parametrize("cost", [0.003, 0.03, 0.3])
def test_an_organization_takes_its_share_while_others_are_about(users: int, cost: float) -> None:
    clock = Clock()
    shares = ProcessorShares(patience=5, clock=clock)
    taken, begun = 0.0, clock.now
    # When each user's request may begin, and what is booked for it.
    due: list[tuple[float, int, float]] = [(clock.now, user, 0.0) for user in range(users)]
    while clock.now < begun + 40:
        shares.settle(Who(99, 2), shares.book(Who(99, 2))[0], 0.0)
        at, user, booked = heapq.heappop(due)
        clock.now = max(clock.now, at)
        if booked:
            shares.settle(Who(user, 1), booked, cost)
            taken += cost
        again, wait = shares.book(Who(user, 1))
        heapq.heappush(due, (clock.now + wait + 0.0001, user, again))
    # What was saved up comes on top, and what is not known of costs at first.
    assert SHARE * 0.8 < taken / 40 < SHARE * 1.2 + users * cost / 20


def test_who_takes_less_than_another_never_waits() -> None:
    clock = Clock()
    shares = ProcessorShares(patience=5, clock=clock)
    heavy, light = Who(1, 1), Who(2, 2)
    for _ in range(200):
        booked, wait = shares.book(heavy)
        shares.settle(heavy, booked, 0.2)
        booked, light_wait = shares.book(light)
        shares.settle(light, booked, 0.1)
        assert not light_wait
        clock.now += max(wait, 0.05)


def test_a_colleague_who_takes_little_does_not_wait() -> None:
    clock = Clock()
    shares = ProcessorShares(patience=5, clock=clock)
    shares.book(Who(9, 2))
    heavy, light = Who(1, 1), Who(2, 1)
    waits = []
    for _ in range(50):
        booked, wait = shares.book(heavy)
        waits.append(wait)
        shares.settle(heavy, booked, 0.2)
        booked, light_wait = shares.book(light)
        shares.settle(light, booked, 0.001)
        assert not light_wait
        clock.now += 0.01
    assert max(waits) > 0.2


def test_who_would_wait_too_long_is_refused_and_pays_nothing_for_it() -> None:
    async def run() -> None:
        clock = Clock()
        shares = ProcessorShares(patience=0.01, clock=clock)
        who = Who(1, 1)
        shares.book(Who(9, 2))
        # Another request of the organization is under way.
        await shares.enter(who)
        shares.settle(who, 0.0, 5.0)
        with pytest.raises(RateLimitedError) as refused:
            await shares.enter(who)
        assert int(refused.value.headers["Retry-After"]) >= 1
        clock.now += 20
        assert await shares.enter(who) > 0

    asyncio.run(run())


def test_who_goes_away_while_waiting_pays_nothing() -> None:
    async def run() -> None:
        clock = Clock()
        shares = ProcessorShares(patience=60, clock=clock)
        who = Who(1, 1)
        shares.book(Who(9, 2))
        shares.settle(who, shares.book(who)[0], 1.0)
        before = shares.book(who)
        shares.settle(who, before[0], 0.0)
        waiting = asyncio.create_task(shares.enter(who))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        # The estimate has come down meanwhile, the time that was used has not.
        assert shares.book(who)[1] == pytest.approx(before[1], rel=0.05)

    asyncio.run(run())


def test_steps_and_charged_threads_are_measured_and_waiting_is_not() -> None:
    async def run() -> None:
        async def inner() -> int:
            burn(0.02)
            await asyncio.sleep(0.1)
            await in_charged_thread(burn, 0.03)
            await asyncio.to_thread(burn, 0.1)
            burn(0.01)
            return 7

        spent = ProcessorTime()
        assert await metered(inner(), spent) == 7
        assert 0.06 <= spent.seconds < 0.09
        charged(burn)(0.01)
        assert spent.seconds < 0.09

    asyncio.run(run())


def test_errors_and_cancellations_pass_through() -> None:
    async def run() -> None:
        async def fails() -> None:
            await asyncio.sleep(0)
            raise ValueError("told")

        with pytest.raises(ValueError, match="told"):
            await metered(fails(), ProcessorTime())
        ended = []

        async def waits() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        task = asyncio.create_task(metered(waits(), ProcessorTime()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert ended

    asyncio.run(run())


def test_two_parsers_of_an_organization_run_at_once_and_those_of_another_beside_them() -> None:
    running: Counter[int] = Counter()
    most: Counter[int] = Counter()

    def parse(organization: int) -> None:
        running[organization] += 1
        most[organization] = max(most[organization], running[organization])
        most[0] = max(most[0], running.total())
        time.sleep(0.02)
        running[organization] -= 1

    async def ask(who: Who) -> None:
        serving(who)
        await in_charged_thread(parse, who.organization_id)

    async def run() -> None:
        await asyncio.gather(*(asyncio.create_task(ask(Who(n % 3, n % 2 + 1))) for n in range(12)))

    asyncio.run(run())
    # The first comes before another organization is known.
    assert most[1] <= 3
    assert most[2] == 2
    assert most[0] <= 4


def test_kinds_of_requests_that_cost_little_never_wait_for_the_machine() -> None:
    clock = Clock()
    shares = ProcessorShares(patience=5, clock=clock, small=0.01)
    who = Who(1, 1)
    for _ in range(30):
        shares.book(Who(9, 2))
        booked, wait = shares.book(who, "GET page")
        assert not wait
        shares.settle(who, booked, 0.005, "GET page")
        booked, _ = shares.book(who, "POST import")
        shares.settle(who, booked, 0.4, "POST import")
    assert shares.book(who, "POST import")[1] > 5
    assert not shares.book(who, "GET page")[1]


def test_after_long_work_the_wait_has_an_end() -> None:
    clock = Clock()
    shares = ProcessorShares(patience=60, clock=clock, owed=10.0, about=3.0)
    who = Who(1, 1)
    shares.settle(who, shares.book(who)[0], 500.0)
    shares.book(Who(9, 2))
    assert shares.book(who)[1] == pytest.approx(10.0)
    clock.now += 4
    assert not shares.book(who)[1]


def test_time_of_threads_and_of_other_processes_counts_for_the_request() -> None:
    spinner = "import sys, time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\ninput()"

    async def run(pid: int) -> None:
        async def inner() -> None:
            asyncio.get_running_loop().set_default_executor(MeteredThreads(2))
            await asyncio.to_thread(burn, 0.05)
            before = process_seconds(pid)
            with charged_process(pid):
                while process_seconds(pid) < before + 0.05:
                    await asyncio.sleep(0.01)

        spent = ProcessorTime()
        await metered(inner(), spent)
        assert spent.everywhere >= 0.1
        assert spent.seconds < 0.05

    with subprocess.Popen([sys.executable, "-c", spinner], stdin=subprocess.PIPE) as process:
        asyncio.run(run(process.pid))
        process.communicate(b"\n")
    assert process_seconds(process.pid) == 0.0


def test_long_work_is_not_followed_by_a_refusal() -> None:
    """What comes alone waits a little; what comes beside other requests of its organization is refused."""

    async def main() -> None:
        shares = ProcessorShares(patience=0.01)
        busy, other = Who(1, 1), Who(2, 2)
        shares.settle(busy, await shares.enter(busy), 30.0)
        shares.settle(other, await shares.enter(other), 0.001)
        begun = time.monotonic()
        booked = await shares.enter(busy)
        assert 1.9 < time.monotonic() - begun < 4
        with pytest.raises(RateLimitedError):
            await shares.enter(busy)
        shares.settle(busy, booked, 0.001)
        assert (await shares.enter(other)) > 0

    asyncio.run(main())
