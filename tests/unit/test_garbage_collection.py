"""Everything is collected at moments of rest, and never in the midst of requests."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from atlas.kit import garbage_collection
from atlas.kit.garbage_collection import GarbageCollector

pytestmark = pytest.mark.anyio


class Ring:
    """An object that only a collection frees."""

    def __init__(self) -> None:
        self.own = self


class Times:
    """A clock and the processor time of a process, set by hand."""

    def __init__(self) -> None:
        self.now = self.taken = 0.0

    def collector(self) -> GarbageCollector:
        return GarbageCollector(lambda: self.now, lambda: self.taken)


@pytest.fixture
def full() -> Iterator[list[int]]:
    """Numbers of objects that each full collection has freed."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            found.append(info["collected"])

    gc.collect()
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)
    gc.unfreeze()


def _grow(collections: int) -> list[list[int]]:
    """Makes and keeps as many objects as lead to so many collections of the middle generation."""
    kept: list[list[int]] = []
    while gc.get_count()[2] < collections:
        kept += [[] for _ in range(1_000)]
    return kept


async def test_python_collects_nothing_in_full_by_itself(full: list[int]) -> None:
    before = gc.get_threshold()
    collector = GarbageCollector()
    collector.start()
    try:
        kept = _grow(15)
        assert len(kept) > 250_000
        assert full == []
    finally:
        await collector.close()
    assert gc.get_threshold() == before


async def test_a_due_collection_waits_for_rest_and_frees_what_has_grown_old(full: list[int]) -> None:
    times = Times()
    collector = times.collector()
    collector.start()
    try:
        assert not collector.check(), "nothing has grown"
        ring = Ring()
        lost = weakref.ref(ring)
        kept = _grow(12)
        del ring
        times.taken += 5
        assert not collector.check()
        assert lost() is not None
        times.now += 10
        assert collector.check()
        assert lost() is None
        assert len(full) == 1
        frozen = gc.get_freeze_count()
        assert frozen > len(kept), "what survived is not examined again"
        assert not collector.check(), "it is done"
    finally:
        await collector.close()


@pytest.mark.parametrize("why", ["time", "growth"])
async def test_a_process_without_rest_is_collected_at_last(
    full: list[int], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage_collection, "_PRESSING", 20)
    times = Times()
    collector = times.collector()
    collector.start()
    try:
        kept = _grow(12)
        times.taken += 5
        assert not collector.check()
        if why == "time":
            times.now += 601
        else:
            kept += _grow(20)
        times.taken += 5
        frozen = gc.get_freeze_count()
        assert collector.check()
        assert gc.get_freeze_count() == frozen, "objects of requests under way are not frozen"
        assert kept
        assert full
    finally:
        await collector.close()


async def test_frozen_garbage_is_freed_in_the_end(full: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage_collection, "_ALL_AGAIN", 2)
    times = Times()
    collector = times.collector()
    collector.start()
    try:
        ring = Ring()
        lost = weakref.ref(ring)
        kept = _grow(12)
        assert collector.check()
        del ring
        kept += _grow(12)
        assert collector.check()
        assert lost() is None
        assert len(kept) > 0
        assert len(full) == 2
    finally:
        await collector.close()
