"""Reads of rows: pages and downloads."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import pyarrow as pa

import atlas
from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.db.database import Database
from atlas.errors import AuthenticationError, BadRequestError, UnavailableError
from atlas.kit.field_metadata import header_note
from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.kit.workbooks import Workbooks, refuse_rows
from atlas.timeseries.columns import Column
from atlas.timeseries.formats import (
    TIME_KEY,
    RowFormat,
    TableWriter,
    arrow_schema,
    arrow_table,
    csv_bytes,
    json_lines,
    second_digits,
    wide_frame,
)
from atlas.timeseries.moments import Asked
from atlas.timeseries.read import counts, row_queries, snapshot
from atlas.timeseries.read.cursors import cursor_after, read_cursor
from atlas.timeseries.read.known_at import snapshot_at
from atlas.timeseries.read.rendered_files import FileKey, RenderedFile, RenderedFiles
from atlas.timeseries.read.selected import cut, growing, last_rows, window_rows
from atlas.timeseries.read.small_pages import SmallPage, find_page
from atlas.timeseries.series.conditions import Written
from atlas.timeseries.zone_map import BLOCK_ROWS, Range, clean_cuts, narrow, split_count, windows

# Rows fetched at a time by a download: some 4 MB of Arrow. With several windows in progress, PostgreSQL's processes,
# decoding and encoding keep all cores busy, and a slow client still holds little memory.
WINDOW_ROWS = 50_000
WINDOWS_AHEAD = 3
# Rows in each of the first windows of a file without parts. A client that reads nothing has little made for it.
FIRST_ROWS = 5_000
# Seconds after which the right to read of a download under way is looked up again.
RECHECK_SECONDS = 10.0
# Rows in one query that looks for fractions of a second.
LOOKED_AT_ROWS = 2_000_000
# Formats with byte ranges: readers of these formats scan a file by its address.
RANGED = (Output.PARQUET, Output.CSV)
# Formats that carry units and descriptions.
NOTED = (Output.PARQUET, Output.ARROW, Output.XLSX)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows: total number of rows, JSON of the rows (without brackets), and the start of the next page."""

    count: int
    rows: bytes
    length: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """A download ready to send. chunks: function that makes the bytes, piece by piece."""

    media_type: str
    etag: str
    name: str
    chunks: Callable[[], AsyncIterator[bytes]]
    key: FileKey


class ReadService:
    """Operations of readers on the rows of a dataset."""

    def __init__(
        self, database: Database, access: AccessService, rendered_bytes: int = 0, workbooks: Workbooks | None = None
    ) -> None:
        self._database = database
        self._access = access
        self._workbooks = workbooks or Workbooks()
        self.files = RenderedFiles(rendered_bytes)

    async def page(
        self,
        caller: Caller,
        dataset_id: int,
        span: Range,
        *,
        descending: bool,
        limit: int,
        offset: int,
        cursor: str | None = None,
        names: Sequence[str] | None = None,
        where: Sequence[Written] = (),
        known: Asked | None = None,
    ) -> Page:
        """Returns one page of rows in order of time, by `offset` or after the row of `cursor`.

        - where: conditions on series keys; the page and its count are of the series that meet them.
        - known: the moment whose rows are read.

        Raises BadRequestError: when the cursor, a column's name, a condition or the moment is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot_at(self._database, dataset_id, known)).only(where)
        columns = select_columns(shot.columns, names)
        total = await counts.count(self._database, shot, span)
        after = None
        style = RowFormat(columns, flat=False, dataset=dataset_id, ordered=names is not None)
        read = partial(self._rows, shot, columns, style)
        if cursor is not None:
            after = read_cursor(cursor)
            part = Range(span.lo, min(span.hi, after[0] + 1)) if descending else Range(max(span.lo, after[0]), span.hi)
            # Any number of rows with the cursor's own time may come before the cursor.
            bounds, offset = growing(shot, part, limit + BLOCK_ROWS, descending=descending), 0
        elif shot.selection:
            bounds = growing(shot, span, offset + limit, descending=descending)
        else:
            part, offset = await self._skip(shot, span, offset, descending=descending)
            bounds = iter([narrow(shot.blocks, part, offset + limit, descending=descending)])
        for bound in bounds:
            table, lines = await read(bound, descending, limit, offset, after)
            if len(table) == limit:
                break
        return Page(total, lines, len(table), cursor_after(table) if len(table) == limit else None)

    async def small_page(
        self, caller: Caller, dataset_id: int, *, descending: bool, limit: int, offset: int
    ) -> SmallPage | None:
        """Returns a page as `page` does, or None where only `page` can. The caller's key need not be looked up."""
        return await find_page(
            self._database, caller.key_id, dataset_id, descending=descending, limit=limit, offset=offset
        )

    async def _rows(
        self,
        shot: snapshot.Snapshot,
        columns: Sequence[Column],
        style: RowFormat,
        span: Range,
        descending: bool,
        limit: int,
        offset: int,
        after: tuple[int, int] | None,
    ) -> tuple[pa.Table, bytes]:
        if span.empty or not limit:
            span = Range(0, 1)
            limit = 0
        return await row_queries.page(
            self._database,
            shot,
            columns,
            span,
            then=lambda table: (table, ",".join(json_lines(table, style).to_list()).encode()),
            descending=descending,
            limit=limit,
            offset=offset,
            after=after,
        )

    async def _skip(self, shot: snapshot.Snapshot, span: Range, offset: int, *, descending: bool) -> tuple[Range, int]:
        """Finds an equivalent later start for `span` with a smaller offset, without reading rows."""
        if offset < BLOCK_ROWS:
            return span, offset
        inside, partial = split_count(shot.blocks, span)
        slack = sum(block.rows for block in partial)
        cuts = clean_cuts(shot.blocks, span)
        if descending:
            fitting = [at for at, before in cuts if inside - before + slack <= offset]
            if not fitting:
                return span, offset
            skipped = await counts.count(self._database, shot, Range(fitting[0], span.hi))
            return Range(span.lo, fitting[0]), offset - skipped
        fitting = [at for at, before in cuts if before + slack <= offset]
        if not fitting:
            return span, offset
        skipped = await counts.count(self._database, shot, Range(span.lo, fitting[-1]))
        return Range(fitting[-1], span.hi), offset - skipped

    async def download(
        self,
        caller: Caller,
        dataset_id: int,
        span: Range,
        output: Output,
        *,
        names: Sequence[str] | None = None,
        flat: bool = True,
        last: int | None = None,
        safe: bool = False,
        where: Sequence[Written] = (),
        known: Asked | None = None,
    ) -> Download:
        """Prepares a download of all rows of `span` in order of time, or of its `last` rows, as of this moment.

        - safe: writes CSV that is safe to open in spreadsheets.
        - where: conditions on series keys. known: another moment.

        Raises BadRequestError: when a column's name is unknown, a condition or the moment is invalid, or the rows do
            not fit a worksheet.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot_at(self._database, dataset_id, known)).only(where)
        columns = shot.columns
        if output in NOTED:
            columns = await snapshot.columns_with_notes(self._database, shot)
        style = RowFormat(select_columns(columns, names), flat=flat, ordered=names is not None)
        drop = 0
        if last is not None and shot.selection:
            span, drop = await last_rows(self._database, shot, span, last)
        elif last is not None:
            total = await counts.count(self._database, shot, span)
            span, drop = await self._skip(shot, span, max(0, total - last), descending=False)
        if output is Output.XLSX:
            refuse_rows(await counts.count(self._database, shot, span))
        asked = f"{span.lo}-{span.hi}-{output}-{int(flat)}{'s' * safe}{shot.selection.digest}"
        rows = await window_rows(self._database, shot, span, WINDOW_ROWS)
        first = None if output in RANGED else rows * FIRST_ROWS // WINDOW_ROWS
        parts = cut(shot, span, rows, first)
        digest = _digest(style, parts if output in RANGED else [])
        tag = f'"{dataset_id}-{shot.version}-{asked}-{digest}"'

        def chunks() -> AsyncIterator[bytes]:
            tables = self._while_readable(caller, dataset_id, self._tables(shot, style, parts, drop))
            return (
                self._csv(tables, shot, style, parts, safe=safe)
                if output is Output.CSV
                else self._encoded(tables, style, output)
            )

        family = f"{dataset_id}-{asked}-{names!r}"
        if shot.known is not None:
            # Later changes don't touch the rows of a past moment.
            key = FileKey(tag, f"{family}-{shot.version}", dataset_id, None)
        else:
            key = FileKey(tag, family, dataset_id, shot.last_seq - shot.row_count)
        return Download(MEDIA_TYPES[output], tag, f"dataset-{dataset_id}.{output}", chunks, key)

    async def _while_readable(
        self, caller: Caller, dataset_id: int, tables: AsyncIterator[pa.Table]
    ) -> AsyncIterator[pa.Table]:
        """Yields tables, and ends with an error once the caller's key is revoked, or may no longer read the dataset."""
        looked = time.monotonic()
        async for table in tables:
            if time.monotonic() - looked >= RECHECK_SECONDS:
                looked = time.monotonic()
                if not await self._access.still_readable({(caller.key_id, dataset_id)}):
                    await self._access.require(caller, dataset_id)
                    raise AuthenticationError("Invalid API key", "The key was revoked or has expired")
            yield table

    async def rendered(
        self, caller: Caller, download: Download, held: str | None, *, anew: bool = False
    ) -> RenderedFile | None:
        """Returns a download with byte ranges as a file on disk, or None when there is no room.

        `held` is the ETag of the version whose parts the caller has. Without an ETag, the caller continues with the
        version that it began with, if rows were only inserted since. `anew` begins with the current version.

        Raises UnavailableError: when rows are being deleted.
        """
        file = None if anew else self.files.earlier(caller, download.key, held)
        if file is not None:
            return file
        file = await self.files.get(caller, download.key, download.chunks())
        if download.key.deleted is None:
            return file
        shot = await snapshot.snapshot(self._database, download.key.dataset)
        if file is not None and shot.last_seq - shot.row_count != download.key.deleted:
            self.files.forget(download.key.dataset)
            raise UnavailableError("Rows are being deleted", "the file was about to have some of them; try again")
        return file

    async def _tables(
        self, shot: snapshot.Snapshot, style: RowFormat, parts: Sequence[Range], drop: int
    ) -> AsyncIterator[pa.Table]:
        """Yields the rows of `parts` one part after another. The next windows are fetched while one window is sent."""
        ahead: deque[asyncio.Task[pa.Table]] = deque()
        plan = iter(parts)
        try:
            for part in plan:
                # What follows the first part is read behind everything else on the machine.
                ahead.append(self._fetch(shot, style, part, behind=bool(ahead)))
                if len(ahead) == WINDOWS_AHEAD:
                    break
            while ahead:
                table = await ahead.popleft()
                following = next(plan, None)
                if following is not None:
                    ahead.append(self._fetch(shot, style, following, behind=True))
                if drop:
                    dropped = min(drop, len(table))
                    table, drop = table.slice(dropped), drop - dropped
                if len(table):
                    yield table
        finally:
            for task in ahead:
                task.cancel()

    def _fetch(self, shot: snapshot.Snapshot, style: RowFormat, span: Range, *, behind: bool) -> asyncio.Task[pa.Table]:
        return asyncio.create_task(row_queries.window(self._database, shot, style.columns, span, behind=behind))

    async def _csv(
        self,
        tables: AsyncIterator[pa.Table],
        shot: snapshot.Snapshot,
        style: RowFormat,
        parts: Sequence[Range],
        *,
        safe: bool,
    ) -> AsyncIterator[bytes]:
        """Yields the lines of a CSV file. `parts` are the windows of `tables`, in order of time."""
        empty = pa.table({"ts": pa.array([], pa.timestamp("us", "UTC"))})
        for column, field in zip(style.columns, list(arrow_schema(style))[1:], strict=True):
            if column.physical is not None:
                empty = empty.append_column(column.physical, pa.array([], field.type))
        yield csv_bytes(empty, style, header=True, safe=safe)
        digits: int | None = None
        async for table in tables:
            if digits is None:
                # The first table has all rows of its window, so a file of one window needs no query.
                last = table.column("ts").cast(pa.int64())[-1].as_py()
                rest = Range(next(part.hi for part in parts if last < part.hi), parts[-1].hi)
                digits = await self._digits(second_digits(table), shot, rest)
            yield await asyncio.to_thread(csv_bytes, table, style, header=False, safe=safe, digits=digits)

    async def _digits(self, least: int, shot: snapshot.Snapshot, rest: Range) -> int:
        """Returns how many digits of a second a file needs. `least` are the digits of its first rows; `rest` is the
        other range.
        """
        for part in windows(shot.blocks, rest, LOOKED_AT_ROWS):
            if least == 6:
                break
            least = await counts.second_digits(self._database, shot, part, least)
        return least

    async def _encoded(self, tables: AsyncIterator[pa.Table], style: RowFormat, output: Output) -> AsyncIterator[bytes]:
        if output is Output.XLSX:
            notes = {style.label(column.name): header_note(column.unit, column.description) for column in style.columns}
            async for piece in self._workbooks.pieces("rows", [TIME_KEY, *notes], _widen_tables(tables, style), notes):
                yield piece
            return
        if output in (Output.PARQUET, Output.ARROW):
            schema = arrow_schema(style)
            writer = TableWriter(output, schema)
            async for table in tables:
                yield await asyncio.to_thread(_write_table, writer, table, style, schema)
            yield writer.close()
            return
        between = b"\n" if output is Output.NDJSON else b",\n"
        if output is Output.JSON:
            yield b"["
        first = True
        async for table in tables:
            text = await asyncio.to_thread(_join_lines, table, style, between.decode())
            yield text if first else between + text
            first = False
        yield b"]" if output is Output.JSON else b"" if first else b"\n"


async def _widen_tables(tables: AsyncIterator[pa.Table], style: RowFormat) -> AsyncIterator[pa.Table]:
    async for table in tables:
        yield (await asyncio.to_thread(wide_frame, table, style)).to_arrow()


def _write_table(writer: TableWriter, table: pa.Table, style: RowFormat, schema: pa.Schema) -> bytes:
    return writer.write(arrow_table(table, style, schema))


def _join_lines(table: pa.Table, style: RowFormat, separator: str) -> bytes:
    text: str = json_lines(table, style).str.join(separator).item()
    return text.encode()


def select_columns(columns: Sequence[Column], names: Sequence[str] | None) -> list[Column]:
    """Returns the columns named `names`, in that order, or all columns when `names` is None.

    Raises BadRequestError: when the dataset has no such column.
    """
    if names is None:
        return list(columns)
    known = {column.name: column for column in columns}
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise BadRequestError("Invalid parameter", f"columns: the dataset has no column {missing!r}")
    return [known[name] for name in dict.fromkeys(names)]


def _digest(style: RowFormat, parts: Sequence[Range]) -> str:
    """Returns a digest of everything but the rows that determines a file's bytes. `parts` are its windows, where they
    matter.
    """
    columns: list[object] = [[column.id, column.dtype, column.unit, column.description] for column in style.columns]
    if parts:
        columns += [[[one.lo, one.hi] for one in parts], atlas.__version__, pa.__version__]
    return hashlib.sha256(msgspec.json.encode(columns)).hexdigest()[:16]
