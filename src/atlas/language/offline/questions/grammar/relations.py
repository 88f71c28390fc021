"""Finds how the rows of two tables relate, along the keys of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.tokenizer import parts, stem

MAX_STEPS = 3
# Stems that decide between two keys to the same table.
DIRECTIONS = (
    frozenset("dest destin arriv arrival land to drop dropoff receiv end away guest".split()),
    frozenset("sourc src origin depart departur leav from start pickup send home host".split()),
)


class Step(msgspec.Struct, frozen=True):
    """A step from a column of a table to a column of the next table.

    many: whether one row may have several rows of the next table.
    """

    table: str
    column: str
    to: str
    key: str
    many: bool


def steps_from(table: str, catalog: Catalog) -> Iterator[Step]:
    """Yields the steps from a table to the tables beside it, each pair of columns once."""
    seen = set()
    unique = {(join.left_table, join.left_column, join.right_table, join.right_column) for join in catalog.joins}
    for join in catalog.joins:
        left, right = (join.left_table, join.left_column), (join.right_table, join.right_column)
        for here, there in ((left, right), (right, left)):
            if here[0] == table and there[0] != table and (here, there) not in seen:
                seen.add((here, there))
                yield Step(*here, *there, (*here, *there) not in unique)


def find_path(start: str, goal: str, catalog: Catalog, words: Iterable[str] = ()) -> tuple[Step, ...] | None:
    """Finds the shortest path between two tables.

    words: the words between the two nouns, which decide between several paths of one length.
    Returns None if no path exists, or if the words do not decide.
    """
    if start == goal:
        return ()
    paths: list[tuple[Step, ...]] = [()]
    for _ in range(MAX_STEPS):
        paths = [
            (*path, step)
            for path in paths
            for step in steps_from(path[-1].to if path else start, catalog)
            if step.to != start and all(step.to != before.to for before in path)
        ]
        found = [path for path in paths if path[-1].to == goal]
        if found:
            return _decide(found, {stem(word) for word in words})
    return None


def _decide(found: list[tuple[Step, ...]], stems: set[str]) -> tuple[Step, ...] | None:
    """Chooses the path whose keys the words name. Returns None if no or several paths fit."""
    if len(found) == 1:
        return found[0]
    scores = sorted(((_named(path, stems), n) for n, path in enumerate(found)), reverse=True)
    return found[scores[0][1]] if scores[0][0] > scores[1][0] else None


def _named(path: tuple[Step, ...], stems: set[str]) -> int:
    """Counts the words that name a key or a table of a path."""
    own = {stem(part) for step in path for name in (step.column, step.key, step.table) for part in parts(name)}
    for direction in DIRECTIONS:
        if any(part.startswith(tuple(word for word in direction if len(word) > 3)) for part in own):
            own |= direction
    return len(own & stems)


def counted_table(path: tuple[Step, ...]) -> str | None:
    """Returns the table whose rows are counted for each row of the first table. None: one row has no more than one."""
    many = [step.to for step in path if step.many]
    return many[-1] if many else None


def reachable_tables(table: str, catalog: Catalog) -> frozenset[str]:
    """Returns the tables that keys connect with a table in at most `MAX_STEPS` steps."""
    reached = {table}
    for _ in range(MAX_STEPS):
        reached |= {step.to for one in tuple(reached) for step in steps_from(one, catalog)}
    return frozenset(reached - {table})
