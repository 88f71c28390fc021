"""Memory is given back once a process has grown and is at rest."""

from __future__ import annotations

import sys

import pytest

from atlas.kit.allocators import release
from atlas.kit.malloc_trim import GROWN_BYTES, MemoryKeeper, resident

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much it is")]


async def test_what_was_freed_between_what_is_used_goes_back() -> None:
    # What other tests have left would be used first.
    release()
    keeper = MemoryKeeper()
    keeper.start()
    await keeper.close()
    before = resident()
    assert before > 0
    # Small enough to be cut from the heap, whose end stays in use.
    blocks = [b"x" * 60_000 for _ in range(3 * GROWN_BYTES // 60_000)]
    assert not await keeper.check()
    grown = resident()
    assert grown - before > 2 * GROWN_BYTES
    kept = blocks[::200]
    del blocks
    await keeper.check()
    await keeper.check()
    assert grown - resident() > 2 * GROWN_BYTES
    assert all(block[-1] == ord("x") for block in kept)
    assert not await keeper.check()
