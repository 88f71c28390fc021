"""Reads a dataset as it was at a moment: the snapshot of that moment, from the rows of today and from the history.

Numbers of rows grow with each change, and a delete takes a number, too. So the rows of a moment are those up to its
number which no later number has ended. Where rows lie today does not matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError, NotFoundError, UnavailableError
from atlas.kit.timestamps import format_micros
from atlas.timeseries.cold.chunk_codec import NUMBER, TIME
from atlas.timeseries.cold.chunk_rows import Bounds, split, with_chunks
from atlas.timeseries.moments import Asked, Moment, find_moment
from atlas.timeseries.read.snapshot import Snapshot, fetch, snapshot
from atlas.timeseries.repository import history_of, numbered
from atlas.timeseries.zone_map import Block, Range

_EXTENT = (
    "count(*) AS rows, (extract(epoch FROM min(ts)) * 1000000)::bigint AS low,"
    " (extract(epoch FROM max(ts)) * 1000000)::bigint AS high"
)


async def snapshot_at(database: Database, dataset_id: int, asked: Asked | None) -> Snapshot:
    """Returns the dataset as it was at the moment asked for, or as it is now.

    Raises NotFoundError: when there is no such dataset.
    Raises BadRequestError: when the moment is yet to come, or what was there then is not known any more.
    """
    if asked is None:
        return await snapshot(database, dataset_id)
    _refuse_future(asked)
    shot = await snapshot(database, dataset_id)
    moment = await _moment(database, shot, asked)
    if shot.cold:
        raise UnavailableError(
            "Rows are being converted", "an earlier version packed rows of the dataset; try again once it is done"
        )
    past = replace(shot, known=moment.seq, last_seq=moment.seq, version=moment.version, rewritten=True)
    blocks = await _blocks(database, shot, past)
    return replace(past, blocks=blocks, row_count=sum(block.rows for block in blocks))


def _refuse_future(asked: Asked) -> None:
    now = time.time_ns() // 1000
    if asked.micros is not None and asked.micros > now:
        raise BadRequestError(
            "Invalid parameter", f"known_at: {format_micros(asked.micros)} is yet to come; it is {format_micros(now)}"
        )


async def _moment(database: Database, shot: Snapshot, asked: Asked) -> Moment:
    known = queries("timeseries/moments")
    if asked.version is not None and asked.version > shot.version:
        raise BadRequestError(
            "Invalid parameter", f"known_at: there is no version {asked.version} yet; the newest is {shot.version}"
        )
    rows = await database.fetch(
        known["find_run"], id=shot.dataset_id, version=asked.version, micros=asked.micros, newest=shot.version
    )
    if not rows:
        raise NotFoundError("Dataset not found", f"No dataset with ID {shot.dataset_id}")
    body, known_from = rows[0]
    # A change that came after the snapshot was taken is not part of it.
    moment = None if body is None else find_moment(bytes(body), asked)
    if moment is not None and moment.version > shot.version:
        moment = find_moment(bytes(body), Asked(version=shot.version))
    if moment is None or moment.version < known_from:
        raise await _refusal(database, shot, known_from)
    return moment


async def _refusal(database: Database, shot: Snapshot, known_from: int) -> BadRequestError:
    """Builds the error for a moment before the first that is known."""
    rows = await database.fetch(queries("timeseries/moments")["first_run"], id=shot.dataset_id, version=known_from)
    first = find_moment(bytes(rows[0][0]), Asked(version=known_from)) if rows else None
    since = "" if first is None else f": version {first.version}, of {format_micros(first.micros)}"
    return BadRequestError("Invalid parameter", f"known_at: before the first moment that is known{since}")


async def _blocks(database: Database, shot: Snapshot, past: Snapshot) -> list[Block]:
    """Returns the blocks of a past snapshot, from today's blocks and from rows that have ended since."""
    blocks = [block for block in shot.blocks if block.first_seq <= past.last_seq]
    # The last block may go on after the moment.
    tail = blocks.pop() if blocks and blocks[-1].last_seq > past.last_seq else None
    edge = past.last_seq + 1 if tail is None else tail.first_seq
    if shot.corrected > past.last_seq:
        blocks = await _with_ended(database, shot, past, blocks, edge)
    if tail is not None:
        found = await _extent(database, past, tail.first_seq)
        blocks += [] if found is None else [found]
    return blocks


async def _with_ended(
    database: Database, shot: Snapshot, past: Snapshot, blocks: list[Block], edge: int
) -> list[Block]:
    """Adds rows numbered before `edge` that have ended between two snapshots to blocks."""
    firsts = [block.first_seq for block in blocks]
    query = sql.SQL(
        "SELECT width_bucket(_seq, {}::bigint[]) AS place, min(_seq) AS first, max(_seq) AS last, {} FROM {} "
        "WHERE _seq < {} AND _high_seq > {} AND _high_seq <= {} GROUP BY 1 ORDER BY 1"
    ).format(
        sql.Literal(firsts or [edge]),
        sql.SQL(_EXTENT),
        history_of(shot.schema, shot.dataset_id),
        *map(sql.Literal, (edge, past.last_seq, shot.last_seq)),
    )
    found = await database.fetch_arrow(
        query.as_string(), lambda table: [column.to_pylist() for column in table.columns]
    )
    merged: list[Block] = []
    ended = {place: Block(*rest) for place, *rest in zip(*found, strict=True)}
    if 0 in ended:
        merged.append(ended[0])
    for place, block in enumerate(blocks, 1):
        more = ended.get(place)
        merged.append(
            block
            if more is None
            else Block(
                block.first_seq,
                max(block.last_seq, more.last_seq),
                block.rows + more.rows,
                min(block.min_ts, more.min_ts),
                max(block.max_ts, more.max_ts),
            )
        )
    return merged


async def _extent(database: Database, past: Snapshot, first: int) -> Block | None:
    """Counts the rows of a past snapshot that are numbered from `first`. Returns None when there are none."""
    bounds = Bounds(Range(), first, past.last_seq)

    def plan(shot: Snapshot) -> tuple[sql.Composed, Callable[[pa.Table], Block | None]]:
        plain = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(_EXTENT),
            shot.source,
            numbered(first, shot.last_seq, cold=False),
        )
        query = with_chunks(plain, 3, shot.chunks, (TIME, NUMBER), bounds.meeting()) if shot.packed else plain

        def counted(table: pa.Table) -> Block | None:
            rows, chunks = split(table) if shot.packed else (table, [])
            extents = [tuple(column[0].as_py() for column in rows.columns)]
            times = [chunk.rows(bounds)[1] for chunk in chunks]
            extents += [(len(one), int(one.min()), int(one.max())) for one in times if len(one)]
            extents = [one for one in extents if one[0]]
            if not extents:
                return None
            count, low, high = zip(*extents, strict=True)
            return Block(first, past.last_seq, sum(count), min(low), max(high))

        return query, counted

    return await fetch(database, past, plan)
