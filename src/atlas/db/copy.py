"""Copies Arrow data into a table by PostgreSQL's binary COPY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pgpq
import psycopg
import pyarrow as pa
from psycopg import sql

from atlas.db.database import Connection
from atlas.errors import BadRequestError

# Rows encoded at a time: enough for speed, few enough to bound memory.
BATCH_ROWS = 20_000


async def copy_batches(
    connection: Connection,
    table: sql.Composable,
    names: Sequence[str],
    schema: pa.Schema,
    batches: AsyncIterator[pa.RecordBatch],
) -> int:
    """Copies batches of `schema` into the columns `names`. Returns the number of rows.

    Raises BadRequestError when a row does not fit PostgreSQL's page.
    """
    statement, encoder, plain = _prepare_copy(table, names, schema)
    try:
        return await _copy(connection, statement, encoder, plain, batches)
    except psycopg.errors.ProgramLimitExceeded:
        raise _too_wide(names) from None


async def copy_table(connection: Connection, table: sql.Composable, rows: pa.Table, *, inline: bool) -> None:
    """Copies the rows of a table into the columns of the same names.

    inline: encodes in the event loop instead of a thread, for few rows.
    Raises BadRequestError when a row does not fit PostgreSQL's page.
    """
    if not inline:
        await copy_batches(connection, table, rows.column_names, rows.schema, all_of(rows))
        return
    statement, encoder, plain = _prepare_copy(table, rows.column_names, rows.schema)
    parts = [encoder.write_header()]
    parts += [encoder.write_batch(batch) for batch in rows.rename_columns(plain).to_batches()]
    try:
        async with connection.cursor().copy(statement) as copy:
            await copy.write(b"".join([*parts, encoder.finish()]))
    except psycopg.errors.ProgramLimitExceeded:
        raise _too_wide(rows.column_names) from None


def copy_now(connection: psycopg.Connection[Any], table: sql.Composable, rows: pa.Table) -> None:
    """Copies the rows of a table into the columns of the same names. Blocks."""
    statement, encoder, plain = _prepare_copy(table, rows.column_names, rows.schema)
    with connection.cursor().copy(statement) as copy:
        copy.write(encoder.write_header())
        for batch in rows.rename_columns(plain).to_batches(BATCH_ROWS):
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())


def _prepare_copy(
    table: sql.Composable, names: Sequence[str], schema: pa.Schema
) -> tuple[sql.Composed, pgpq.ArrowToPostgresBinaryEncoder, list[str]]:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, columns)
    # The encoder identifies fields by name. Callers' column names may be any text, so the encoder gets plain names.
    plain = [f"f{index}" for index in range(len(schema))]
    encoder = pgpq.ArrowToPostgresBinaryEncoder(
        pa.schema([field.with_name(name) for field, name in zip(schema, plain, strict=True)])
    )
    return statement, encoder, plain


def _too_wide(names: Sequence[str]) -> BadRequestError:
    reason = f"a row of these {len(names)} columns does not fit PostgreSQL's page of 8 kB"
    return BadRequestError("Rows are too wide", reason)


async def _copy(
    connection: Connection,
    statement: sql.Composed,
    encoder: pgpq.ArrowToPostgresBinaryEncoder,
    plain: list[str],
    batches: AsyncIterator[pa.RecordBatch],
) -> int:
    rows = 0
    async with connection.cursor().copy(statement) as copy:
        await copy.write(encoder.write_header())
        async for batch in batches:
            batch = batch.rename_columns(plain)
            for start in range(0, len(batch), BATCH_ROWS):
                await copy.write(await asyncio.to_thread(encoder.write_batch, batch.slice(start, BATCH_ROWS)))
            rows += len(batch)
        await copy.write(encoder.finish())
    return rows


async def in_thread(batches: Iterator[pa.RecordBatch]) -> AsyncIterator[pa.RecordBatch]:
    """Yields batches that a thread makes. The next batch is made while the current batch is in use."""
    upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await upcoming) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        upcoming.cancel()


async def all_of(table: pa.Table) -> AsyncIterator[pa.RecordBatch]:
    """Yields the batches of a table."""
    for batch in table.to_batches():
        yield batch
