"""Planning from row blocks, against brute force over the rows."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from atlas.timeseries.zone_map import Block, Range, clean_cuts, narrow, split_count, windows

TIMES = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=8), max_size=8)
SPANS = st.tuples(st.integers(-5, 65), st.integers(-5, 65)).map(lambda pair: Range(min(pair), max(pair)))


def blocks_of(batches: list[list[int]]) -> list[Block]:
    result, first = [], 1
    for times in batches:
        result.append(Block(first, first + len(times) - 1, len(times), min(times), max(times)))
        first += len(times)
    return result


def rows_in(batches: list[list[int]], span: Range) -> list[int]:
    return sorted(time for times in batches for time in times if span.lo <= time < span.hi)


@given(TIMES, SPANS)
def test_whole_blocks_are_counted_and_partial_ones_named(batches: list[list[int]], span: Range) -> None:
    inside, partial = split_count(blocks_of(batches), span)
    firsts = {block.first_seq for block in partial}
    rest = [t for b, times in zip(blocks_of(batches), batches, strict=True) if b.first_seq in firsts for t in times]
    assert inside + len([t for t in rest if span.lo <= t < span.hi]) == len(rows_in(batches, span))


@given(TIMES, SPANS, st.integers(1, 20), st.booleans())
def test_a_narrowed_range_holds_the_first_rows(
    batches: list[list[int]], span: Range, need: int, descending: bool
) -> None:
    part = narrow(blocks_of(batches), span, need, descending=descending)
    step = -1 if descending else 1
    assert rows_in(batches, part)[::step][:need] == rows_in(batches, span)[::step][:need]


@given(TIMES, SPANS)
def test_no_block_straddles_a_clean_cut(batches: list[list[int]], span: Range) -> None:
    blocks = [block for block in blocks_of(batches) if span.meets(block)]
    for cut, before in clean_cuts(blocks, span):
        assert all(block.max_ts < cut or block.min_ts >= cut for block in blocks)
        assert before == sum(b.rows for b in blocks if span.holds(b) and b.max_ts < cut)


@given(TIMES, SPANS, st.integers(1, 10))
def test_windows_cover_every_row_once(batches: list[list[int]], span: Range, target: int) -> None:
    parts = windows(blocks_of(batches), span, target)
    assert all(left.hi == right.lo for left, right in itertools.pairwise(parts))
    assert [t for part in parts for t in rows_in(batches, part)] == rows_in(batches, span)
