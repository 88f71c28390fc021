"""Inserts few rows into a dataset by one statement, without a lock and without reads.

The statement requires that the dataset is as this process left it. For an insert of one row by a single client, the
transaction of three round trips took the server 1.65 ms of CPU. The statement takes 0.5 ms.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.numeric import Int8

from atlas.db.database import Connection
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.appender import Appender, Tail
from atlas.timeseries.ingest.array_parameters import array_type, array_values
from atlas.timeseries.ingest.idempotency import claim_statement
from atlas.timeseries.ingest.latest_rows import Series, series_with
from atlas.timeseries.repository import hot_of
from atlas.timeseries.series.tables import merge, names_of

# More rows are copied in less time than their values become Python objects.
MOST_ROWS, MOST_CELLS = 64, 1_024

# Keeps the latest row of each series.
_LATEST = """
SELECT DISTINCT ON ({keys}) * FROM (
    SELECT %(known_seq)s + given._seq AS _seq, {cells}
    FROM state, unnest({arrays}) WITH ORDINALITY AS given ({names}, _seq)) AS written
ORDER BY {keys}, ts DESC, _seq DESC
"""

# The statement writes only if the state is the cached state. Idempotency keys come first, as in all writers, so that no
# two transactions wait for each other. When a key was used before or the state differs, the keys are rolled back.
_STATEMENT = """
WITH {keys} state AS (
    UPDATE atlas.dataset_state SET last_seq = %(last_seq)s, row_count = row_count + %(added)s,
           late_rows = late_rows + %(late)s, max_ts = %(max_ts)s, has_extra = has_extra OR %(extra)s,
           version = version + 1
    WHERE dataset_id = %(id)s AND version = %(version)s AND last_seq = %(known_seq)s AND cold = %(cold)s {claimed}
    RETURNING 1
), block AS (
    UPDATE atlas.row_blocks SET last_seq = %(block_last)s, row_count = %(block_rows)s, min_ts = %(block_min)s,
           max_ts = %(block_max)s
    WHERE dataset_id = %(id)s AND first_seq = %(block_first)s AND EXISTS (SELECT FROM state)
), added AS (
    INSERT INTO {table} (_seq, {names})
    SELECT %(known_seq)s + given._seq, {cells} FROM state, unnest({arrays}) WITH ORDINALITY AS given ({names}, _seq)
) {latest}
SELECT pg_notify('atlas_rows', %(id)s::text), {check} FROM {found}
"""


async def append_at_once(
    connection: Connection, dataset_id: int, tail: Tail, frames: Sequence[Frame], keys: Mapping[str, list[Any]]
) -> Tail | None:
    """Appends the rows of `frames` to one dataset, and commits. Returns the dataset's new tail.

    `keys` holds users, keys, fingerprints and responses of the inserts with a key, in order of user and key; or is
    empty.

    Returns None when nothing was written. Reasons are too many rows, a need for other columns, a state that differs
    from `tail`, a used key, or a value that PostgreSQL refused. Another is a row without a series key. The
    transaction of `group_transaction` then reports the reason.
    """
    appender = Appender(connection, dataset_id, tail.state, tail.columns, tail.last)
    if sum(map(len, frames)) > MOST_ROWS or not appender.fits(frames):
        return None
    for frame in frames:
        appender.take(frame)
    rows = appender.waiting()
    counted, blocks = appender.counted()
    if blocks or rows.num_rows * rows.num_columns > MOST_CELLS:
        return None
    state = tail.state
    kinds = tuple((field.name, array_type(field)) for field in rows.schema)
    series = series_with(state.schema, dataset_id, state.keys, tail.columns) if state.keys else None
    statement = _statement(state.schema, dataset_id, state.cold, kinds, bool(keys), series)
    numbers = {
        **counted,
        "version": state.version,
        "known_seq": state.last_seq,
        "claims": len(keys.get("keys", ())),
    }
    # All integers have one type, however large they are, because a statement is prepared for its types.
    parameters = {name: Int8(value) if type(value) is int else value for name, value in numbers.items()}
    parameters |= {f"c{index}": array_values(column) for index, column in enumerate(rows.columns)}
    try:
        cursor = await connection.execute(statement, {**parameters, **keys, "cold": state.cold})
        return appender.tail if await cursor.fetchone() is not None else None
    except psycopg.Error as error:
        # The effect of a lost connection is unknown, and a stopped statement would be stopped again.
        stopped = isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57").startswith("57")
        if stopped or connection.closed:
            raise
        return None


@functools.lru_cache(512)
def _statement(
    schema: str, dataset_id: int, cold: bool, columns: tuple[tuple[str, str], ...], keyed: bool, series: Series | None
) -> bytes:
    arrays = [sql.SQL(f"%(c{index})s::{kind}") for index, (_, kind) in enumerate(columns)]
    # No physical name has a percent sign, which would begin a parameter.
    names = [sql.Identifier(name) for name, _ in columns]
    parts = {
        "names": sql.SQL(", ").join(names),
        "cells": sql.SQL(", ").join(sql.SQL("given.") + name for name in names),
        "arrays": sql.SQL(", ").join(arrays),
    }
    latest: sql.Composable = sql.SQL("")
    if series is not None:
        source = sql.SQL(_LATEST).format(keys=names_of(series.keys), **parts)
        given = ("_seq", *(name for name, _ in columns))
        latest = sql.SQL(", latest AS ({})").format(merge(series.table, series.keys, series.columns, given, source))
    composed = sql.SQL(_STATEMENT).format(
        table=hot_of(schema, dataset_id, cold=cold),
        **parts,
        latest=latest,
        keys=sql.SQL("keys AS ({}),").format(sql.SQL(claim_statement())) if keyed else sql.SQL(""),
        claimed=sql.SQL("AND (SELECT count(*) FROM keys) = %(claims)s" if keyed else ""),
        check=sql.SQL("1 / (SELECT count(*) FROM state)" if keyed else "1"),
        found=sql.SQL("(SELECT) one" if keyed else "state"),
    )
    return composed.as_bytes()
