"""Row blocks: counts, page bounds and read windows from summaries instead of rows.

A block is a run of consecutive sequence numbers with a number of rows and the least and greatest timestamp
(microseconds since 1970). Blocks of a dataset that was written in order of time hardly overlap. A range then covers
most blocks whole and at most two blocks in part, and only those two need a look at the rows. The blocks are the zone
map of column stores, kept beside a heap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.kit.timestamps import MAX_MICROS, YEAR_0_MICROS

# Rows of a full block. A page or a count reads the rows of at most two blocks beyond its result.
BLOCK_ROWS = 10_000
# Past this number of blocks neighbours are merged, so that planning stays cheap at any size.
MAX_BLOCKS = 1_500
# Up to this number, partly covered blocks are counted one by one. Past it, one count over the range is cheaper.
MAX_PARTIAL = 16


@dataclass(frozen=True, slots=True)
class Block:
    """A run of `rows` rows, numbered within first_seq..last_seq and timed within min_ts..max_ts (all inclusive)."""

    first_seq: int
    last_seq: int
    rows: int
    min_ts: int
    max_ts: int


@dataclass(frozen=True, slots=True)
class Range:
    """Timestamps from `lo` (inclusive) to `hi` (exclusive), in microseconds since 1970."""

    lo: int = YEAR_0_MICROS
    hi: int = MAX_MICROS + 1

    @property
    def empty(self) -> bool:
        return self.lo >= self.hi

    def holds(self, block: Block) -> bool:
        """Checks whether the whole block is inside the range."""
        return self.lo <= block.min_ts and block.max_ts < self.hi

    def meets(self, block: Block) -> bool:
        """Checks whether a part of the block may be inside the range."""
        return block.max_ts >= self.lo and block.min_ts < self.hi


def join_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Joins consecutive blocks as long as the result is not larger than a full block."""
    joined: list[Block] = []
    for block in blocks:
        if joined and joined[-1].rows + block.rows <= BLOCK_ROWS:
            last = joined.pop()
            block = Block(
                last.first_seq,
                block.last_seq,
                last.rows + block.rows,
                min(last.min_ts, block.min_ts),
                max(last.max_ts, block.max_ts),
            )
        joined.append(block)
    return joined


def split_count(blocks: Sequence[Block], span: Range) -> tuple[int, list[Block]]:
    """Returns the number of rows in blocks that lie whole in `span`, and the blocks that lie in `span` in part."""
    inside = 0
    partial = []
    for block in blocks:
        if span.holds(block):
            inside += block.rows
        elif span.meets(block):
            partial.append(block)
    return inside, partial


def narrow(blocks: Sequence[Block], span: Range, need: int, *, descending: bool) -> Range:
    """Returns a part of `span` that surely holds the first `need` rows of `span` in order of time.

    Blocks that lie whole in `span` are taken in order until they hold `need` rows. Every row before the last taken row
    is then on the near side of the returned bound.
    """
    inside = [block for block in blocks if span.holds(block)]
    total = 0
    if descending:
        for block in sorted(inside, key=lambda b: -b.min_ts):
            total += block.rows
            if total >= need:
                return Range(block.min_ts, span.hi)
    else:
        for block in sorted(inside, key=lambda b: b.max_ts):
            total += block.rows
            if total >= need:
                return Range(span.lo, block.max_ts + 1)
    return span


def clean_cuts(blocks: Sequence[Block], span: Range) -> list[tuple[int, int]]:
    """Returns times inside `span` that no block straddles, each with the number of rows in whole blocks before it."""
    cuts = []
    inside = 0
    reached: int | None = None
    for block in sorted((b for b in blocks if span.meets(b)), key=lambda b: (b.min_ts, b.max_ts)):
        if reached is not None and block.min_ts > reached and block.min_ts > span.lo:
            cuts.append((block.min_ts, inside))
        if span.holds(block):
            inside += block.rows
        reached = block.max_ts if reached is None else max(reached, block.max_ts)
    return cuts


def windows(blocks: Sequence[Block], span: Range, target: int) -> list[Range]:
    """Cuts `span` into consecutive windows of about `target` rows each, in order of time.

    Cuts fall on the edges of blocks. Rows count as spread evenly over their block, so a window can hold more rows where
    blocks overlap much. An estimate is enough, because any cut is correct.
    """
    met = [b for b in blocks if span.meets(b)]
    if not met or span.empty:
        return []
    lo = max(span.lo, min(b.min_ts for b in met))
    hi = min(span.hi, max(b.max_ts for b in met) + 1)
    edges: list[tuple[int, float]] = []
    for block in met:
        width = max(1, block.max_ts - block.min_ts)
        slices = 1 if len(met) > 64 or block.rows <= target else -(-block.rows // target)
        for part in range(slices):
            edges.append((block.min_ts + width * (part + 1) // slices, block.rows / slices))
    edges.sort()
    result = []
    start, rows = lo, 0.0
    for index, (edge, share) in enumerate(edges):
        rows += share
        cut = edge + 1
        more = index + 1 < len(edges)
        if rows >= target and more and start < cut < hi:
            result.append(Range(start, cut))
            start, rows = cut, 0.0
    result.append(Range(start, hi))
    return result
