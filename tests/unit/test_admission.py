"""Lanes: how many are served at once, whose turn is next, and who is refused."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from atlas.errors import OverloadedError, RateLimitedError
from atlas.kit.admission import MOST_WAITING, Lane, Neighbours, Pace, Turns, serving

pytestmark = pytest.mark.anyio


class Who(NamedTuple):
    user_id: int
    organization_id: int


def alone(name: str) -> Who:
    """A user of an organization that has no others."""
    return Who(hash(name), hash(name))


def beside_others() -> Neighbours:
    """Two organizations are about."""
    neighbours = Neighbours()
    for organization in (1, 2):
        neighbours.note(organization)
    return neighbours


async def entered(lane: Lane, who: str, order: list[str]) -> None:
    await lane.enter(alone(who))
    order.append(who)


@pytest.mark.parametrize(
    ("slots", "shares"), [(1, (1, 1)), (2, (1, 1)), (4, (2, 2)), (8, (3, 4)), (32, (12, 16)), (2000, (750, 1000))]
)
async def test_shares(slots: int, shares: tuple[int, int]) -> None:
    lane = Lane("queries", slots, 1, neighbours=beside_others())
    assert (lane.user_share, lane.organization_share) == shares
    wide = Lane("requests at the database", 10, 1, share=0.75, neighbours=beside_others())
    assert (wide.user_share, wide.organization_share) == (6, 7)


async def test_who_is_alone_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until another organization comes, and again ten minutes after it was seen last."""
    now = 1_000.0
    monkeypatch.setattr("atlas.kit.admission.time", SimpleNamespace(monotonic=lambda: now))
    neighbours = Neighbours()
    lane, other = (Lane(what, 4, 0.05, neighbours=neighbours) for what in ("imports", "queries"))
    ann, ben = Who(1, 1), Who(2, 2)
    for _ in range(3):
        await lane.enter(ann)
    with pytest.raises(RateLimitedError) as told:
        await lane.enter(ann)
    assert "3 imports of one user" in (told.value.details or "")
    # What is seen at one lane counts at all.
    await other.enter(ben)
    lane.leave(ann)
    assert (lane.user_share, lane.organization_share) == (2, 2)
    with pytest.raises(RateLimitedError) as told:
        await lane.enter(ann)
    assert "2 imports of one user" in (told.value.details or "")
    now += 599
    with pytest.raises(RateLimitedError):
        await lane.enter(ann)
    now += 62
    await lane.enter(ann)
    await other.enter(ben)
    assert lane.organization_share == 2


async def test_one_user_leaves_slots_to_others_and_is_told_so() -> None:
    lane = Lane("queries", 8, 0.05, neighbours=beside_others())
    ann, ben, other = Who(1, 1), Who(2, 1), Who(3, 2)
    for _ in range(3):
        await lane.enter(ann)
    began = time.perf_counter()
    with pytest.raises(RateLimitedError, match="Too many requests at once") as told:
        await lane.enter(ann)
    assert 0.04 < time.perf_counter() - began < 1
    assert told.value.headers == {"Retry-After": "1"}
    assert "3 queries of one user" in (told.value.details or "")
    await lane.enter(ben)
    with pytest.raises(RateLimitedError) as together:
        await lane.enter(ben)
    assert "4 queries of one organization" in (together.value.details or "")
    third = Who(4, 3)
    for who in (other, other, other, third):
        await lane.enter(who)
    with pytest.raises(OverloadedError, match="Server is busy") as busy:
        await lane.enter(third)
    assert busy.value.headers == {"Retry-After": "1"}
    lane.leave(ben)
    await lane.enter(third)
    for who in (ann, ann, ann, other, other, other, third, third):
        lane.leave(who)
    # Nothing is left of it.
    assert [lane.taken(who) for who in (ann, ben, other, third)] == [0, 0, 0, 0]
    for name in ("a", "b", "a", "b"):
        await lane.enter(alone(name))


async def test_organizations_take_turns_whatever_the_number_of_their_users() -> None:
    """Forty users of one organization wait, five times each, and one of another: who is alone has every second turn."""
    lane = Lane("queries", 2, 30)
    crowd, quiet = [Who(user, 1) for user in range(40)], Who(99, 2)
    served: list[Who] = []

    async def ask(who: Who) -> None:
        async with lane.slot(who):
            served.append(who)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(ask(who)) for _ in range(5) for who in crowd]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(ask(quiet)) for _ in range(8)]
    await asyncio.gather(*tasks)
    assert len(served) == 208
    places = [place for place, who in enumerate(served) if who == quiet]
    assert places[-1] <= 8 * 3
    # Nor is any of the forty served twice before all of them were served.
    others = [who for who in served if who != quiet]
    assert all(count == 1 for count in Counter(others[:40]).values())


async def test_slots_are_taken_at_once_or_not_at_all() -> None:
    lane = Lane("streams", 4, 30, neighbours=beside_others())
    ann, ben = Who(1, 1), Who(2, 2)
    for who in (ann, ann):
        lane.enter_at_once(who)
    with pytest.raises(RateLimitedError):
        lane.enter_at_once(ann)
    for who in (ben, ben):
        lane.enter_at_once(who)
    with pytest.raises(OverloadedError):
        lane.enter_at_once(Who(3, 3))


async def test_turns_are_of_whom_the_task_serves() -> None:
    """A second connection of who has one takes no turn, nor does what is done for nobody."""
    lane = Lane("requests at the database", 2, 0.05, neighbours=beside_others())
    turns = Turns(lane)

    async def nested() -> int:
        serving(Who(1, 1))
        async with turns.turn():
            async with turns.turn():
                return lane.taken(Who(1, 1))

    assert await asyncio.create_task(nested()) == 1
    assert lane.taken(Who(1, 1)) == 0
    await lane.enter(Who(1, 1))
    with pytest.raises(RateLimitedError):
        await asyncio.create_task(nested())
    async with turns.turn(), turns.turn(), turns.turn():
        pass
    waiting = asyncio.create_task(lane.enter(Who(1, 1), patient=True))
    await asyncio.sleep(0.1)
    lane.leave(Who(1, 1))
    await waiting


async def test_a_pace_is_of_a_user() -> None:
    pace = Pace(200)
    began = time.perf_counter()
    for _ in range(150):
        await pace.wait(Who(1, 1))
    assert time.perf_counter() - began < 0.15
    for _ in range(100):
        await pace.wait(Who(1, 1))
    assert time.perf_counter() - began > 0.2
    began = time.perf_counter()
    await pace.wait(Who(2, 1))
    assert time.perf_counter() - began < 0.05


async def test_a_queue_is_bounded_for_each_user() -> None:
    lane = Lane("queries", 1, 5)
    await lane.enter(alone("flood"))
    waiting = [asyncio.create_task(lane.enter(alone("flood"))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    with pytest.raises(RateLimitedError):
        await lane.enter(alone("flood"))
    assert time.perf_counter() - began < 0.1
    other = asyncio.create_task(lane.enter(alone("other")))
    await asyncio.sleep(0)
    assert not other.done()
    for task in (*waiting, other):
        task.cancel()
    await asyncio.wait((*waiting, other))
    lane.leave(alone("flood"))
    await lane.enter(alone("other"))


async def test_who_has_least_is_next_and_users_take_turns() -> None:
    lane = Lane("queries", 2, 5)
    await lane.enter(alone("a"))
    await lane.enter(alone("b"))
    order: list[str] = []
    tasks = [asyncio.create_task(entered(lane, who, order)) for who in "aaabbc"]
    await asyncio.sleep(0)
    for leaving in "abcabab":
        lane.leave(alone(leaving))
        await asyncio.sleep(0.001)
    await asyncio.wait(tasks, timeout=1)
    assert sorted(order) == sorted("aaabbc")
    # `a` had left, so of `a` and `c`, who both have none, the one who waited longest; `c` before a second of any.
    assert order.index("c") <= 2


async def test_who_goes_away_takes_no_slot() -> None:
    lane = Lane("queries", 1, 5)
    await lane.enter(alone("a"))
    waiting = asyncio.create_task(lane.enter(alone("b")))
    await asyncio.sleep(0)
    # Granted and cancelled at the same moment.
    lane.leave(alone("a"))
    waiting.cancel()
    await asyncio.wait((waiting,))
    async with asyncio.timeout(1):
        async with lane.slot(alone("a")):
            pass
        await lane.enter(alone("c"), patient=True)


async def test_who_would_wait_too_long_is_refused_at_once() -> None:
    lane = Lane("queries", 1, 0.5)
    await lane.enter(alone("a"))
    waiting = [asyncio.create_task(lane.enter(alone("a"), patient=True)) for _ in range(3)]
    await asyncio.sleep(0.3)
    # No slot has become free for so long; three of its own are ahead of it.
    began = time.perf_counter()
    with pytest.raises(RateLimitedError):
        await lane.enter(alone("a"))
    assert time.perf_counter() - began < 0.1
    # Another waits for none of its own.
    other = asyncio.create_task(lane.enter(alone("b")))
    await asyncio.sleep(0)
    lane.leave(alone("a"))
    await asyncio.sleep(0)
    lane.leave(alone("a"))
    await asyncio.wait((other,), timeout=1)
    lane.leave(alone("b"))
    for _ in range(2):
        await asyncio.sleep(0)
        lane.leave(alone("a"))
    await asyncio.wait(waiting, timeout=1)
    # What was slow is forgotten once nobody waits.
    async with lane.slot(alone("a")):
        quick = [asyncio.create_task(lane.enter(alone("a"))) for _ in range(3)]
        await asyncio.sleep(0.01)
    for task in quick:
        await task
        lane.leave(alone("a"))
