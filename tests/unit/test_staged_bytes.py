"""What imports may stage at once: shares of users and organizations, counted exactly."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.accounts.access import Caller
from atlas.errors import OverloadedError
from atlas.imports.staged_bytes import StagedBytes

LIMIT = 1_000


def caller(user: int, organization: int) -> Caller:
    return Caller(user, "ann", organization, f"org_{organization}", key_id=user)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 300), st.booleans()), max_size=60))
def test_no_share_is_passed_and_all_is_freed(steps: list[tuple[int, int, bool]]) -> None:
    """steps: a user, bytes, and whether a block that counts for the user ends instead. Users 2 and 3 are colleagues."""
    staged = StagedBytes(LIMIT)
    held: Counter[int] = Counter()
    blocks: dict[int, list[tuple[contextlib.ExitStack, int]]] = {}
    with contextlib.ExitStack() as everything:
        for user, size, ends in steps:
            if ends and blocks.get(user):
                block, counted = blocks[user].pop()
                block.close()
                held[user] -= counted
                continue
            block = everything.enter_context(contextlib.ExitStack())
            count = block.enter_context(staged.held_by(caller(user, user // 2)))
            house = sum(held[other] for other in range(1, 5) if other // 2 == user // 2)
            room = min(LIMIT // 2 - held[user], LIMIT * 3 // 4 - house, LIMIT - held.total())
            if size > room:
                with pytest.raises(OverloadedError):
                    count(size)
                continue
            count(size)
            held[user] += size
            blocks.setdefault(user, []).append((block, size))
            assert staged.total == held.total()
    assert staged.total == 0


@pytest.mark.parametrize(
    ("others", "whose"),
    [
        ([(1, 1, 450)], "the imports of one user"),
        ([(2, 1, 350), (3, 1, 350)], "the imports of one organization"),
        ([(2, 2, 480), (3, 3, 480)], "the imports of everybody"),
    ],
)
def test_who_is_refused_learns_whose_share_is_used_up(others: list[tuple[int, int, int]], whose: str) -> None:
    """others: users, their organizations, and the bytes that they hold."""
    staged = StagedBytes(LIMIT)
    with contextlib.ExitStack() as stack:
        for user, organization, size in others:
            stack.enter_context(staged.held_by(caller(user, organization)))(size)
        count = stack.enter_context(staged.held_by(caller(1, 1)))
        with pytest.raises(OverloadedError) as refused:
            count(60)
    assert whose in str(refused.value.details)
