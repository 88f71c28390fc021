"""Figures by time bucket: from a dataset's rollup as far as that goes, and from rows for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from atlas.core import rollups as core
from atlas.core.blocks import Range
from atlas.core.columns import Column
from atlas.errors import BadRequestError, NotFoundError
from atlas.store import rollups
from atlas.store.database import Connection, Database
from atlas.store.datasets import between
from atlas.store.reading import Snapshot

# From so many rows on, starting a second process takes less time than it saves.
PARALLEL_ROWS = 200_000


async def buckets(
    database: Database, shot: Snapshot, columns: Sequence[Column], span: Range, width: int | str,
    parts: Sequence[str], limit: int,
) -> list[core.Bucket]:  # fmt: skip
    """(bucket start, rows, then each part of each column) by bucket, in order of time; past `limit` some may lack.

    width: seconds counted from 2000-01-03 (a Monday), or a unit of date_trunc. Rows that were inserted after
    `shot` may count. Raises NotFoundError where the dataset is gone, BadRequestError where a sum is past a float.
    """
    try:
        async with database.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Before the snapshot, which a change of a column's type would leave without rows.
            await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(shot.table))
            return await _buckets(connection, shot, columns, span, width, parts, limit)
    except psycopg.errors.UndefinedTable:
        raise NotFoundError("Dataset not found", "it has just been deleted") from None
    except psycopg.errors.NumericValueOutOfRange:
        raise BadRequestError("Invalid parameter", "functions: a sum is out of the range of a 64-bit float") from None


async def _buckets(
    connection: Connection, shot: Snapshot, columns: Sequence[Column], span: Range, width: int | str,
    parts: Sequence[str], limit: int,
) -> list[core.Bucket]:  # fmt: skip
    rollup = await rollups.find(connection, shot.dataset_id)
    plan = [core.Piece(0, span)]
    if rollup is not None and rollup.width and {column.id for column in columns} <= set(rollup.columns):
        plan = core.pieces(span, rollup.width, width)
    stored = [piece for piece in plan if piece.width]
    cut = [piece.span for piece in plan if not piece.width]
    sources = [between(one) for one in cut]
    rows = sum(block.rows for block in shot.blocks if any(one.meets(block) for one in cut))
    found: list[core.Bucket] = []
    if rollup is not None and stored:
        found = await _from_rollup(connection, rollup, stored, columns, width, parts, limit)
        if rollup.upto < rollup.last_seq:
            inner = Range(stored[0].span.lo, stored[-1].span.hi)
            sources.append(sql.SQL("_seq > {} AND {}").format(rollup.upto, between(inner)))
            rows += rollup.last_seq - rollup.upto
    if not sources:
        return found
    if rows > PARALLEL_ROWS:
        await connection.execute("SET LOCAL max_parallel_workers_per_gather = 2")
        if rows * 2 > shot.row_count:
            await connection.execute("SET LOCAL enable_seqscan = on")
    more = await _from_rows(connection, shot, sources, columns, width, parts, limit)
    return core.join(found, more, parts)


async def _from_rollup(
    connection: Connection, rollup: rollups.Rollup, plan: Sequence[core.Piece], columns: Sequence[Column],
    width: int | str, parts: Sequence[str], limit: int,
) -> list[core.Bucket]:  # fmt: skip
    cells = [
        sql.SQL(rollups.FROM_PARTS[part]).format(c=rollup.value(part, column)) for column in columns for part in parts
    ]
    where = sql.SQL(" OR ").join([rollups.starting(piece.width, piece.span) for piece in plan])
    query = sql.SQL("SELECT {} AS bucket, {} FROM {} WHERE {} GROUP BY 1 ORDER BY 1 LIMIT {}").format(
        rollups.bucket_start(width, "start"), sql.SQL(", ").join([sql.SQL("sum(rows)::bigint"), *cells]),
        rollup.table, where, sql.Literal(limit + 1),
    )  # fmt: skip
    return await (await connection.execute(query)).fetchall()


async def _from_rows(
    connection: Connection, shot: Snapshot, sources: Sequence[sql.Composable], columns: Sequence[Column],
    width: int | str, parts: Sequence[str], limit: int,
) -> list[core.Bucket]:  # fmt: skip
    names = [sql.Identifier(column.physical or "") for column in columns]
    cells = [sql.SQL(rollups.FROM_ROWS[part]).format(c=name) for name in names for part in parts]
    select = sql.SQL("SELECT {} FROM {} WHERE {}")
    taken = sql.SQL(", ").join([sql.SQL("ts"), sql.SQL("_seq"), *names])
    union = sql.SQL(" UNION ALL ").join([select.format(taken, shot.table, where) for where in sources])
    query = sql.SQL("SELECT {} AS bucket, {} FROM ({}) AS source GROUP BY 1 ORDER BY 1 LIMIT {}").format(
        rollups.bucket_start(width, "ts"), sql.SQL(", ").join([sql.SQL("count(*)"), *cells]), union,
        sql.Literal(limit + 1),
    )  # fmt: skip
    return await (await connection.execute(query)).fetchall()
