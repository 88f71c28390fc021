"""Rows of datasets: insert, query, download, stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Literal
from uuid import uuid4

from atlas.client._async.aggregates import AsyncAggregates
from atlas.client._async.aligned import AsyncAligned
from atlas.client._async.downloads import save
from atlas.client._async.resource import DatasetRef
from atlas.client._async.series_rows import AsyncSeriesRows
from atlas.client._async.streams import follow
from atlas.client._async.waiting import batches_of, in_thread
from atlas.client._batching import BATCH_ROWS, ROWS, Batch, batch_call, batches, flat_rows, row_text
from atlas.client._dataframes import library, to_arrow, to_pandas, to_polars
from atlas.client._requests import (
    IDEMPOTENCY,
    Call,
    Columns,
    KnownAt,
    Moment,
    Where,
    conditions,
    format_of,
    names,
    query,
)
from atlas.client.errors import AtlasClientError
from atlas.client.events import StreamEvent
from atlas.client.types import Inserted, InsertedRow, Row, RowPage, RowsPreview
from atlas.contract.datasets import OnConflict

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Epoch = Literal["s", "ms", "us", "ns"]
Format = Literal["csv", "ndjson", "json", "parquet", "arrow", "xlsx"]
DOWNLOAD = "/api/rows/bulk_download/"
# Members of an answer with a policy for conflicts.
POLICIES = ("replaced", "identical", "kept")


class AsyncRows(AsyncAggregates, AsyncAligned, AsyncSeriesRows):
    """Rows of datasets.

    - start, end: inclusive.
    - columns: only these columns, in this order.
    - where: only these series, by the dataset's keys, as in `{"symbol": ["MSFT", "AAPL"]}`.
    """

    async def insert(
        self,
        dataset: DatasetRef,
        timestamp: datetime | date | str,
        values: Mapping[str, Any],
        *,
        on_conflict: OnConflict | None = None,
        idempotency_key: str | None = None,
    ) -> InsertedRow:
        """Inserts one row, once even after a retry. Owner only. `on_conflict` is that of `bulk_insert`."""
        number = await self._dataset_id(dataset)
        body = f'{{"dataset":{number},{row_text((timestamp, values), None)[1:]}'
        headers = {"Content-Type": "application/json", IDEMPOTENCY: idempotency_key or str(uuid4())}
        call = Call("POST", ROWS, query(on_conflict=on_conflict), body=body.encode(), headers=headers)
        return InsertedRow.read(await self._transport.json(call))

    async def bulk_insert(
        self,
        dataset: DatasetRef,
        data: Any,
        *,
        timestamp_column: str | None = None,
        timestamp_format: str | None = None,
        epoch: Epoch | None = None,
        on_conflict: OnConflict | None = None,
        batch_rows: int | None = None,
        idempotency_key: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Inserted:
        """Inserts rows in batches. Each batch is inserted as a whole and once, even after a retry. Owner only.

        - data: rows, a pandas or polars data frame, an Arrow table or reader, or the path of a file. Rows are
          `{"timestamp", "values"}` or flat mappings, `Row`s, or pairs of timestamp and values. Files are CSV, NDJSON,
          JSON, Parquet or Arrow (also .gz, .zst).
        - timestamp_format: strptime, for CSV.
        - epoch: timestamps are numbers of this unit since 1970.
        - on_conflict: what happens to a row whose timestamp and keys another row has. `append` keeps both. `replace`
          puts it in the other's place. `keep_first` leaves it out, and `reject` refuses the batch. By default, what the
          dataset declares.
        - batch_rows: rows of a batch. Without it, a file is one batch.
        - idempotency_key: prefix of the batches' keys. A second call with the same key and data inserts only the
          missing rows.
        - progress: called with the rows inserted so far.

        If a batch fails, earlier batches stay. The error's `rows_inserted` is the number of their rows.

        Raises Conflict: when rows are there already and the policy is `reject`.
        """
        number = await self._dataset_id(dataset)
        key = idempotency_key or str(uuid4())
        params = {"dataset": number, "timestamp_format": timestamp_format, "epoch": epoch, "on_conflict": on_conflict}
        rows = count = 0
        told: Counter[str] = Counter()
        try:
            make = partial(batches, time_column=timestamp_column, batch_rows=batch_rows)
            async for batch in batches_of(data, make, batch_rows or BATCH_ROWS):
                answer = await self._insert(batch, params, f"{key}-{count}")
                told.update({name: answer.get(name) or 0 for name in ("inserted", *POLICIES)})
                rows += answer["total"]
                count += 1
                if progress is not None:
                    progress(rows)
        except AtlasClientError as error:
            error.rows_inserted = rows
            if rows:
                error.add_note(f"{rows} rows of {count} batches before this one are inserted")
            raise
        return Inserted(told["inserted"], count, **{name: told[name] for name in POLICIES})

    async def _insert(self, batch: Batch, params: Mapping[str, Any], key: str) -> Mapping[str, int]:
        answer: Mapping[str, int] = await self._transport.json(
            batch_call(batch, "bulk_insert", params, {IDEMPOTENCY: key})
        )
        return answer

    async def preview(
        self,
        dataset: DatasetRef | None,
        data: Any,
        *,
        timestamp_column: str | None = None,
        timestamp_format: str | None = None,
        epoch: Epoch | None = None,
    ) -> RowsPreview:
        """Returns what `bulk_insert` would store of a file, or of the first batch of rows. Stores nothing.

        `dataset` is None for a dataset that does not exist yet.
        """
        number = None if dataset is None else await self._dataset_id(dataset)
        params = {"dataset": number, "timestamp_format": timestamp_format, "epoch": epoch}
        make = partial(batches, time_column=timestamp_column, batch_rows=None)
        async for batch in batches_of(data, make, BATCH_ROWS):
            return RowsPreview.read(await self._transport.json(batch_call(batch, "preview", params, {})))
        return RowsPreview(0, ())

    async def query(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
        descending: bool = False,
        limit: int | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[Row]:
        """Yields rows in order of time, page by page. Rows inserted meanwhile do not shift the pages.

        known_at: reads rows as they were at a moment, which is a time or a version of the dataset.
        """
        number = await self._dataset_id(dataset)
        said, cursor = conditions(where), None
        given = 0
        while limit is None or given < limit:
            wanted = page_size if limit is None else min(page_size, limit - given)
            page = await self.page(
                number,
                start,
                end,
                columns=columns,
                where=said,
                known_at=known_at,
                descending=descending,
                limit=wanted,
                cursor=cursor,
            )
            for row in page.rows:
                yield row
            given += len(page.rows)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def page(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
        descending: bool = False,
        limit: int = 250,
        offset: int = 0,
        cursor: str | None = None,
    ) -> RowPage:
        """Returns one page of rows. `cursor` is next_cursor of the previous page."""
        answer = await self._get(
            ROWS,
            dataset=await self._dataset_id(dataset),
            start=start,
            end=end,
            columns=names(columns),
            where=conditions(where),
            known_at=known_at,
            ordering="-timestamp" if descending else None,
            limit=limit,
            offset=offset or None,
            cursor=cursor,
        )
        return RowPage(answer["count"], Row.read_all(answer["results"]), answer["next_cursor"])

    async def latest(self, dataset: DatasetRef, *, where: Where = None, known_at: KnownAt = None) -> Row:
        """Returns the row with the greatest timestamp, at the moment `known_at` or now.

        Raises NotFound: when there is no row.
        """
        number = await self._dataset_id(dataset)
        return Row.read(await self._get(f"{ROWS}latest/", dataset=number, where=conditions(where), known_at=known_at))

    async def recent(
        self,
        dataset: DatasetRef,
        limit: int = 1000,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
    ) -> Sequence[Row]:
        """Returns the most recent rows, the oldest of them first."""
        params = query(
            dataset=await self._dataset_id(dataset),
            start=start,
            end=end,
            columns=names(columns),
            where=conditions(where),
            known_at=known_at,
            limit=limit,
        )
        response = await self._transport.send(Call("GET", f"{ROWS}live/", params))
        return await in_thread(flat_rows, response.content)

    async def delete(
        self, dataset: DatasetRef, start: Moment = None, end: Moment = None, *, final: bool = False
    ) -> int:
        """Deletes the rows from start to end, with at least one given. Returns the number of deleted rows.
        Owner only. final: keeps none of the rows for reads of earlier moments.
        """
        answer = await self._delete(
            ROWS, dataset=await self._dataset_id(dataset), start=start, end=end, final=final or None
        )
        return int(answer["deleted"])

    async def download(
        self,
        dataset: DatasetRef,
        target: str | PathLike[str] | IO[bytes],
        format: Format | None = None,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
        shape: Literal["flat", "nested"] = "flat",
        safe: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Writes all rows of the range to a file, and returns the size in bytes.

        - format: by default the ending of the file's name.
        - safe: CSV for spreadsheets.
        - progress: called with the bytes so far.

        A path is replaced when all bytes have arrived.
        """
        params = query(
            dataset=await self._dataset_id(dataset),
            start=start,
            end=end,
            columns=names(columns),
            where=conditions(where),
            known_at=known_at,
            output=format or format_of(target, "csv"),
            shape=shape,
            safe=safe or None,
        )
        return await save(self._transport, Call("GET", DOWNLOAD, params), target, progress)

    async def to_arrow(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
    ) -> pa.Table:
        """Returns the rows as an Arrow table. A value that its column cannot hold is null here, but not in `query`."""
        await in_thread(library, "pyarrow")
        params = query(
            dataset=await self._dataset_id(dataset),
            start=start,
            end=end,
            columns=names(columns),
            where=conditions(where),
            known_at=known_at,
            output="arrow",
        )
        response = await self._transport.send(Call("GET", DOWNLOAD, params))
        return await in_thread(to_arrow, response.content)

    async def to_polars(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
    ) -> pl.DataFrame:
        """Returns the rows as a polars data frame, like to_arrow."""
        await in_thread(library, "polars")
        table = await self.to_arrow(dataset, start, end, columns=columns, where=where, known_at=known_at)
        return await in_thread(to_polars, table)

    async def to_pandas(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        columns: Columns = None,
        where: Where = None,
        known_at: KnownAt = None,
    ) -> pd.DataFrame:
        """Returns the rows as a pandas data frame, like to_arrow."""
        await in_thread(library, "pandas")
        table = await self.to_arrow(dataset, start, end, columns=columns, where=where, known_at=known_at)
        return await in_thread(to_pandas, table)

    async def stream(
        self,
        dataset: DatasetRef,
        last_event_id: int | None = None,
        *,
        where: Where = None,
        poll_interval: int = 2,
        give_up_after: float | None = 300.0,
    ) -> AsyncIterator[StreamEvent]:
        """Yields new rows as they are committed, in order, each once. After a lost connection the stream continues.

        - last_event_id: starts after this event instead of now.
        - poll_interval: seconds between heartbeats.
        - give_up_after: seconds without a server, or None to try forever.

        Raises ConnectionFailed, Unavailable: when there is no server for `give_up_after` seconds.
        Raises Forbidden: when you lose access.
        """
        number = await self._dataset_id(dataset)
        said = conditions(where)
        async for event in follow(self._transport, number, last_event_id, poll_interval, give_up_after, said):
            yield event
