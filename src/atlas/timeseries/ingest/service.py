"""Writes of rows: insert one row, insert many rows, preview, and delete a range."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import tempfile
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.rows import DeletedRows, InsertedRow, InsertedRows, PreviewedRows
from atlas.db.database import Database
from atlas.errors import BadRequestError
from atlas.kit.admission import Lane
from atlas.kit.json_depth import TOO_DEEP, too_deep
from atlas.kit.processor_time import MeteredThreads
from atlas.kit.threads import in_thread_until
from atlas.timeseries import deletion
from atlas.timeseries import repository as datasets
from atlas.timeseries.columns import Column
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import arrow_small, csv_small, json_exact, ndjson_rows
from atlas.timeseries.ingest.answers import earlier_row, inserted, inserted_row, inserted_rows
from atlas.timeseries.ingest.bodies import BodyFormat, FrameSpool, Recoder, SizeLimit, decoder, unpacked
from atlas.timeseries.ingest.csv_rows import Guesses, read_csv
from atlas.timeseries.ingest.group_commit import SMALL_BYTES
from atlas.timeseries.ingest.group_transaction import SmallInsert
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.ingest.in_worker import read_frames_in_worker
from atlas.timeseries.ingest.json_members import given_twice
from atlas.timeseries.ingest.json_positions import dataset_of
from atlas.timeseries.ingest.json_stream import INLINE_BYTES, JsonBody
from atlas.timeseries.ingest.plain_row import PlainRow, PlainRows
from atlas.timeseries.ingest.preview import preview_frames
from atlas.timeseries.ingest.requests import BulkRequest, RepeatedRequest, retry_of
from atlas.timeseries.ingest.row_writer import RowWriter
from atlas.timeseries.ingest.single_row import OneRow, frame_and_answer
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.timeseries.series.checks import SeriesKeyError
from atlas.timeseries.series.tables import keys_of, text_keys
from atlas.timeseries.zone_map import Range
from atlas.workers.pool import WorkerPool

# Bodies in other formats are kept in memory up to this number of bytes, then in a temporary file.
FILE_BYTES = 8 * 1024 * 1024
# Up to this number, rows are written without Arrow, which is as fast for more.
FEW_ROWS = 8


class RowService:
    """Operations of owners on the rows of their datasets."""

    def __init__(
        self,
        database: Database,
        access: AccessService,
        upkeep: Upkeep,
        storing: Lane,
        decoding: Lane,
        workers: WorkerPool,
        *,
        max_body: int,
        spool_memory: int,
        packs: bool,
    ) -> None:
        self._database = database
        self._access = access
        self._max_body = max_body
        self._spool_memory = spool_memory
        self._threads = MeteredThreads(os.cpu_count() or 2, thread_name_prefix="decode")
        self._storing = storing
        self._decoding = decoding
        self._workers = workers
        self._writer = RowWriter(database, upkeep, storing, packs=packs)

    async def close(self) -> None:
        """Waits for accepted inserts, and ends the threads that decode."""
        await self._writer.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def insert_one(
        self,
        caller: Caller,
        body: bytes,
        idempotency_key: str | None,
        encoding: str | None = None,
        unit: str | None = None,
        policy: Policy | None = None,
    ) -> InsertedRow:
        """Inserts `{"dataset","timestamp","values"}`, and returns the row as stored.

        `unit` is that of a numeric timestamp. `policy` tells what happens where another row has timestamp and keys.

        Raises AtlasError: when the row is invalid or may not be written.
        """
        digest = hashlib.sha256(body + (unit or "").encode() + (policy or "").encode())
        if encoding:
            body = await asyncio.get_running_loop().run_in_executor(self._threads, self._unpack, body, encoding)
        body = body.removeprefix(BOM_UTF8)
        if too_deep(body):
            named = dataset_of(body)
            if named is not None:
                await self._access.require_insert(caller, named)
            raise BadRequestError("Invalid request body", TOO_DEEP)
        try:
            row = msgspec.json.decode(body, type=OneRow)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            known = OneRow.__struct_fields__
            half = json_exact.lone_surrogate(body) is not None
            reason = json_exact.LONE_SURROGATE if half else json_exact.member_reason(error, known)
            raise BadRequestError("Invalid request body", reason) from None
        await self._access.require_insert(caller, row.dataset)
        members = {"dataset": msgspec.Raw(b""), "timestamp": row.timestamp, "values": row.values}
        if (twice := given_twice(body, members)) is not None:
            raise BadRequestError("Invalid request body", f"{twice}: given twice")
        if len(body) <= INLINE_BYTES:
            frame, response = frame_and_answer(row, unit)
        else:
            frame, response = await asyncio.get_running_loop().run_in_executor(
                self._threads, frame_and_answer, row, unit
            )
        retry = retry_of(caller, idempotency_key, digest)
        try:
            answer = await self._writer.write_few(
                row.dataset, [frame], 1, retry, functools.partial(inserted_row, response), policy
            )
        except SeriesKeyError as error:
            raise error.within(single=True) from None
        return answer if isinstance(answer, InsertedRow) else earlier_row(answer)

    async def insert_plain(
        self, caller: Caller, row: PlainRow, repeated: RepeatedRequest | None = None
    ) -> bytes | None:
        """Inserts one row as `insert_one` does, and returns the answer's JSON; or None, where nothing was stored.

        The caller's key need not have been looked up: the statement that stores the row checks the key.
        """
        answer = b'{"dataset":%d,"timestamp":"%b","values":%b}' % (row.dataset, row.timestamp.encode(), row.echo)
        return await self._insert_unchecked(caller, row.dataset, [row], answer, repeated)

    async def insert_small(
        self, caller: Caller, dataset: int, rows: PlainRows | Frame, repeated: RepeatedRequest | None = None
    ) -> bytes | None:
        """Inserts rows as `insert_many` does, and returns the answer's JSON; or None, as `insert_plain` does."""
        answer = b'{"inserted":%d,"total":%d}' % (len(rows), len(rows))
        return await self._insert_unchecked(caller, dataset, rows, answer, repeated)

    async def _insert_unchecked(
        self,
        caller: Caller,
        dataset: int,
        rows: list[PlainRow] | PlainRows | Frame,
        answer: bytes,
        repeated: RepeatedRequest | None,
    ) -> bytes | None:
        if not self._access.owns(caller, dataset) or not self._writer.ready(dataset):
            return None
        number, frames, plain = len(rows), list[Frame](), list[PlainRow]()
        if isinstance(rows, Frame):
            frames = [rows.sorted()]
        elif isinstance(rows, PlainRows) and number > FEW_ROWS:
            frames = [rows.frame().sorted()]
        else:
            plain = rows.rows() if isinstance(rows, PlainRows) else rows
        # Kept with an idempotency key as the answer that it is.
        kept = msgspec.Raw(answer)
        retry = None if repeated is None else retry_of(caller, repeated.key, hashlib.sha256(repeated.content))
        insert = SmallInsert(frames, number, kept, retry, plain, key_id=caller.key_id)
        return answer if await self._writer.write_unchecked(dataset, insert) else None

    def _unpack(self, body: bytes, encoding: str) -> bytes:
        unpack, limit, pieces = decoder(encoding), SizeLimit(self._max_body), list[bytes]()
        for piece in unpack.feed(body):
            limit.add(len(piece))
            pieces.append(piece)
        unpack.finish()
        return b"".join(pieces)

    async def insert_many(self, caller: Caller, request: BulkRequest, body: AsyncIterator[bytes]) -> InsertedRows:
        """Inserts all rows of a body or none. Returns the number of rows, and guessed parameters.

        Raises AtlasError: when the body is invalid, or the caller may not write to the dataset.
        """
        if request.dataset is not None:
            await self._access.require_insert(caller, request.dataset)
        digest = hashlib.sha256(request.fingerprint)
        chunks = self._decode_body(body, request.encoding, digest if request.idempotency_key else None)
        with FrameSpool(self._spool_memory) as spool:
            retry = functools.partial(retry_of, caller, request.idempotency_key, digest)
            if request.format is BodyFormat.JSON:
                return await self._insert_json(caller, request, chunks, spool, retry)
            dataset = _required(request.dataset)
            guesses = await self._collect(caller, request, chunks, spool)
            return await self._store(caller, dataset, _read_spool(spool), retry(), request, guesses)

    async def insert_frame(self, caller: Caller, dataset: int, frame: Frame) -> None:
        """Inserts the rows of a frame, sorted by time, or none.

        Raises AtlasError: when a row is invalid, or the caller may not write to the dataset.
        """
        await self._access.require_insert(caller, dataset)

        async def frames() -> AsyncIterator[Frame]:
            yield frame

        await self._writer.write(caller, dataset, frames(), None, functools.partial(inserted, guesses=Guesses()))

    async def preview(self, caller: Caller, request: BulkRequest, body: AsyncIterator[bytes]) -> PreviewedRows:
        """Returns what `insert_many` would store of a body, read in the same way. Stores nothing.

        The request's dataset is one that the caller may write to, or None for a dataset that does not exist yet.
        """
        known: dict[str, Column] = {}
        keys: list[str] = []

        async def look_up(dataset: int | None) -> None:
            if dataset is not None:
                await self._access.require_insert(caller, dataset)
                async with self._database.connection() as connection:
                    columns = (await datasets.columns_of(connection, [dataset])).get(dataset, [])
                    keys.extend(await keys_of(connection, dataset))
                known.update((column.name, column) for column in columns)

        async def named(found: object) -> None:
            await look_up(
                request.dataset if found is None else await self._body_dataset(caller, request.dataset, found)
            )

        chunks = self._decode_body(body, request.encoding, None)
        with FrameSpool(self._spool_memory) as spool:
            if request.format is BodyFormat.JSON:
                made = JsonBody(spool, self._threads, request.epoch)
                try:
                    await made.receive(chunks, named)
                    return (await preview_frames(made.frames(), known, keys)).as_answer(known, Guesses())
                except SeriesKeyError as error:
                    raise error.within() from None
                finally:
                    made.cancel()
            await look_up(request.dataset)
            guesses = await self._collect(caller, request, chunks, spool)
            return (await preview_frames(_read_spool(spool), known, keys)).as_answer(known, guesses)

    async def _store(
        self,
        caller: Caller,
        dataset: int,
        frames: AsyncIterator[Frame],
        retry: Retry | None,
        request: BulkRequest,
        guesses: Guesses = Guesses(),
    ) -> InsertedRows:
        respond = functools.partial(inserted, guesses=guesses)
        return inserted_rows(await self._writer.write(caller, dataset, frames, retry, respond, request.on_conflict))

    async def delete(self, caller: Caller, dataset_id: int, span: Range, *, final: bool) -> DeletedRows:
        """Deletes the rows of an owned dataset within `span`.

        final: keeps none of the rows for reads of earlier moments.
        """
        await self._access.require(caller, dataset_id, write=True)
        if span.empty:
            return DeletedRows(0)
        async with self._storing.slot(caller):
            return DeletedRows(await deletion.delete_range(self._database, dataset_id, span, final=final))

    async def _decode_body(self, body: AsyncIterator[bytes], encoding: str | None, digest: Any) -> AsyncIterator[bytes]:
        unpack = decoder(encoding)
        limit = SizeLimit(self._max_body)
        async for data in body:
            if digest is not None:
                digest.update(data)
            async for piece in unpacked(unpack, data):
                limit.add(len(piece))
                yield piece
        unpack.finish()

    async def _insert_json(
        self,
        caller: Caller,
        request: BulkRequest,
        chunks: AsyncIterator[bytes],
        spool: FrameSpool,
        retry: Callable[[], Retry | None],
    ) -> InsertedRows:
        dataset: list[int] = []

        async def found(named: object) -> None:
            dataset.append(await self._body_dataset(caller, request.dataset, named))

        body = JsonBody(spool, self._threads, request.epoch)
        try:
            await body.receive(chunks, found)
            return await self._store(caller, dataset[0], body.frames(), retry(), request)
        except SeriesKeyError as error:
            raise error.within() from None
        finally:
            body.cancel()

    async def _body_dataset(self, caller: Caller, expected: int | None, named: object) -> int:
        if named is None:
            return _required(expected)
        if not isinstance(named, int) or isinstance(named, bool):
            raise BadRequestError("Invalid request body", "dataset: must be an integer")
        if expected is not None and expected != named:
            raise BadRequestError("Invalid request body", "dataset: the body and the query name two datasets")
        await self._access.require_insert(caller, named)
        return named

    async def _collect(
        self, caller: Caller, request: BulkRequest, chunks: AsyncIterator[bytes], spool: FrameSpool
    ) -> Guesses:
        """Reads a body other than a JSON object into the spool, and returns guessed parameters."""
        if request.format not in (BodyFormat.PARQUET, BodyFormat.ARROW):
            return await self._collect_file(request, chunks, spool)
        await self._collect_columnar(caller, request, chunks, spool)
        return Guesses()

    async def _collect_columnar(
        self, caller: Caller, request: BulkRequest, chunks: AsyncIterator[bytes], spool: FrameSpool
    ) -> None:
        """Reads a body in a worker process, because the body itself determines the size of its arrays.

        Small plain bodies are read here, by a reader that trusts nothing in them.
        """
        first, plain = b"", request.format is BodyFormat.ARROW and request.timestamp_column is None
        async for chunk in chunks:
            first += chunk
            if len(first) > arrow_small.SMALL_BYTES:
                break
        else:
            rows = arrow_small.decode(first, request.dataset or 0) if plain else None
            if rows is not None:
                spool.add(rows.frame())
                return
        with tempfile.TemporaryDirectory(prefix="atlas-body-") as folder, self._workers.reading() as reading:
            path = Path(folder) / "body"
            with path.open("wb") as file:
                file.write(first)
                async for chunk in chunks:
                    file.write(chunk)

            def collect() -> None:
                column, layout = request.timestamp_column, request.layout
                for frame in read_frames_in_worker(reading, path, request.format, column, layout):
                    spool.add(frame)

            # Small inserts are few in their own lane already, and each is decoded in a moment.
            async with self._decoding.slot(caller, patient=path.stat().st_size <= SMALL_BYTES):
                await in_thread_until(reading.cancel, collect)

    async def _collect_file(self, request: BulkRequest, chunks: AsyncIterator[bytes], spool: FrameSpool) -> Guesses:
        guesses = Guesses()
        texts: frozenset[str] = frozenset()
        if request.format is BodyFormat.CSV and request.dataset is not None:
            # A cell has no type of its own: 600519 is a text where the key of a series is a text.
            texts = await text_keys(self._database, request.dataset)
        readers: dict[BodyFormat, Callable[[IO[bytes]], Iterator[Frame]]] = {
            BodyFormat.NDJSON: lambda f: ndjson_rows.read_ndjson(f, request.epoch),
            BodyFormat.CSV: lambda f: read_csv(f, request.timestamp_column, request.layout, guesses, texts),
        }
        with tempfile.SpooledTemporaryFile(max_size=FILE_BYTES) as file:
            recoder = Recoder(request.charset) if request.charset else None
            async for chunk in chunks:
                file.write(recoder.feed(chunk) if recoder else chunk)
            if recoder:
                file.write(recoder.feed(b"", last=True))
            file_size = file.tell()
            file.seek(0)

            def collect() -> None:
                for frame in readers[request.format](file):
                    spool.add(frame)

            usual = request.timestamp_column is None and request.layout is None
            if request.format is BodyFormat.CSV and file_size <= csv_small.SMALL_BYTES and usual:
                rows = csv_small.decode(file.read(), request.dataset or 0)
                if rows is not None and not texts & rows.columns.keys():
                    guesses.found = rows.clock
                    spool.add(rows.frame())
                    return guesses
                file.seek(0)
            if file_size <= INLINE_BYTES:
                # Small files are read faster than handed to a thread.
                collect()
            else:
                await asyncio.to_thread(collect)
        return guesses


async def _read_spool(spool: FrameSpool) -> AsyncIterator[Frame]:
    for index in range(len(spool)):
        held = spool.get_in_memory(index)
        yield await asyncio.to_thread(spool.get, index) if held is None else held


def _required(dataset: int | None) -> int:
    if dataset is None:
        raise BadRequestError("Invalid request", "dataset: required")
    return dataset
