"""Turns on the event loop: the steps of the organization that takes the most come one a round."""

from __future__ import annotations

import asyncio
import functools

from atlas.kit.loop_turns import LoopTurns
from atlas.kit.processor_time import ProcessorTime, metered, take_turns


async def work(turns: LoopTurns, organization: int, steps: int, log: list[int]) -> None:
    take_turns(functools.partial(turns.wanted, organization))
    for _ in range(steps):
        await asyncio.sleep(0)
        log.append(organization)


def run(leader: int | None, hostile: int, steps: int) -> list[int]:
    """The organizations whose steps ran, in order: many requests of organization 1, and one of organization 2."""
    log: list[int] = []

    async def main() -> None:
        turns = LoopTurns(lambda: leader)
        many = [metered(work(turns, 1, steps, log), ProcessorTime()) for _ in range(hostile)]
        await asyncio.gather(*many, metered(work(turns, 2, steps, log), ProcessorTime()))

    asyncio.run(main())
    return log


def test_steps_of_the_leader_come_one_a_round() -> None:
    """The other organization's request is through after its own steps, whatever the leader has ready."""
    log = run(1, 50, 20)
    assert len(log) == 51 * 20
    last = max(place for place, organization in enumerate(log) if organization == 2)
    # The first round has begun before anybody takes turns.
    assert last < 50 + 3 * 20


def test_without_a_leader_steps_come_as_they_are_ready() -> None:
    assert max(place for place, one in enumerate(run(None, 50, 20)) if one == 2) > 50 * 15


def test_a_request_that_is_cancelled_while_it_waits_for_its_turn_ends() -> None:
    async def main() -> None:
        turns, log = LoopTurns(lambda: 1), list[int]()
        tasks = [asyncio.ensure_future(metered(work(turns, 1, 1000, log), ProcessorTime())) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        for task in tasks[1:]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[0] is None
        assert all(isinstance(one, asyncio.CancelledError) for one in results[1:])
        assert len(log) >= 1000

    asyncio.run(main())


def test_an_error_of_a_step_reaches_the_caller() -> None:
    async def fails(turns: LoopTurns) -> None:
        take_turns(functools.partial(turns.wanted, 1))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        except TimeoutError:
            await asyncio.sleep(0)
            raise KeyError("second") from None

    async def main() -> None:
        turns = LoopTurns(lambda: 1)
        found = await asyncio.gather(
            *(metered(fails(turns), ProcessorTime()) for _ in range(5)), return_exceptions=True
        )
        assert [type(one) for one in found] == [KeyError] * 5

    asyncio.run(main())
