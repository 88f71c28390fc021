"""Plain forms of the most frequent requests, which are answered beside the routes of `row_routes`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from fastapi import Request
from starlette.types import Scope

from atlas.accounts.access import Caller
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import arrow_small, csv_small, json_small, plain_row
from atlas.timeseries.ingest.bodies import MEDIA_TYPES, BodyFormat
from atlas.timeseries.ingest.plain_row import PlainRow, PlainRows
from atlas.timeseries.ingest.requests import BulkRequest, RepeatedRequest
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.read.small_pages import MOST_ROWS
from atlas.web.frequent_requests import Answer, Handler, SmallRequest
from atlas.web.paging import links

_QUERY = re.compile(
    rb"dataset=([0-9]{1,9})(?:&limit=([0-9]{1,3}))?(?:&ordering=(-?)timestamp)?(?:&offset=([0-9]{1,15}))?"
)
_DATASET = re.compile(rb"dataset=([1-9][0-9]{0,8})")
_JSON = "application/json"


class _Wanted(NamedTuple):
    """Rows to insert, and what identifies the request, if it may be repeated."""

    rows: PlainRow | PlainRows | Frame
    dataset: int
    retry: RepeatedRequest | None


class InsertRow:
    """`POST /api/rows/` of one plain row into a dataset of the caller's own."""

    path = "/api/rows/"

    def __init__(self, rows: RowService) -> None:
        self._rows = rows

    def read(self, request: SmallRequest) -> _Wanted | None:
        """Returns the row of a body, or None when the request is not plain."""
        row = None if request.query or request.media != _JSON else plain_row.decode(request.body)
        if row is None:
            return None
        key = request.idempotency_key
        return _Wanted(row, row.dataset, None if key is None else RepeatedRequest(key, request.sent))

    async def answer(self, caller: Caller, wanted: _Wanted, scope: Scope) -> Answer | None:
        """Stores the row, or returns None when nothing was stored."""
        assert isinstance(wanted.rows, PlainRow)
        content = await self._rows.insert_plain(caller, wanted.rows, wanted.retry)
        return None if content is None else Answer(201, content, wanted.dataset, 1)


class InsertRows:
    """`POST /api/rows/bulk_insert/` of few plain rows as JSON, CSV or Arrow into a dataset of the caller's own."""

    path = "/api/rows/bulk_insert/"

    def __init__(self, rows: RowService) -> None:
        self._rows = rows

    def read(self, request: SmallRequest) -> _Wanted | None:
        """Returns the rows of a body, or None when the request is not plain."""
        format, named = MEDIA_TYPES[request.media or _JSON], None
        rows: PlainRows | Frame | None = None
        if format is BodyFormat.JSON:
            made = None if request.query else json_small.decode(request.body)
            if made is not None and type(made[1]) is int:
                rows, dataset = made[0], made[1]
        elif (found := _DATASET.fullmatch(request.query)) is not None:
            dataset = named = int(found[1])
            rows = (csv_small if format is BodyFormat.CSV else arrow_small).decode(request.body, dataset)
        if rows is None:
            return None
        key = request.idempotency_key
        if key is None:
            return _Wanted(rows, dataset, None)
        details = BulkRequest(format, request.encoding, named, idempotency_key=key)
        return _Wanted(rows, dataset, RepeatedRequest(key, details.fingerprint + request.sent))

    async def answer(self, caller: Caller, wanted: _Wanted, scope: Scope) -> Answer | None:
        """Stores the rows, or returns None when nothing was stored."""
        assert not isinstance(wanted.rows, PlainRow)
        content = await self._rows.insert_small(caller, wanted.dataset, wanted.rows, wanted.retry)
        return None if content is None else Answer(200, content, wanted.dataset, len(wanted.rows))


@dataclass(frozen=True, slots=True)
class _Page:
    """Parameters of a page of all rows."""

    dataset: int
    limit: int
    offset: int
    descending: bool


class QueryRows:
    """`GET /api/rows/` of a page of few rows, or of the latest row."""

    path = "/api/rows/"

    def __init__(self, reads: ReadService, most: int) -> None:
        """most: rows that a page may have."""
        self._reads, self._most = reads, min(most, MOST_ROWS)

    def read(self, request: SmallRequest) -> _Page | None:
        """Returns the page of a query, or None when the request is not plain."""
        found = _QUERY.fullmatch(request.query)
        if found is None:
            return None
        dataset, limit, sign, offset = found.groups()
        page = _Page(int(dataset), int(limit or MOST_ROWS), int(offset or 0), sign == b"-")
        return page if 0 < page.limit <= self._most and 0 < page.dataset < 2**31 else None

    async def answer(self, caller: Caller, wanted: _Page, scope: Scope) -> Answer | None:
        """Reads the page, or returns None when the page must be read in the usual way."""
        page = await self._reads.small_page(
            caller, wanted.dataset, descending=wanted.descending, limit=wanted.limit, offset=wanted.offset
        )
        if page is None:
            return None
        following, previous = links(Request(scope), page.count, wanted.limit, wanted.offset)
        head = {"count": page.count, "next": following, "previous": previous, "next_cursor": page.cursor}
        content = msgspec.json.encode(head)[:-1] + b',"results":[' + page.rows + b"]}"
        return Answer(200, content, wanted.dataset)


def handlers(rows: RowService, reads: ReadService, most: int) -> dict[tuple[str, str], Handler]:
    """Returns the handlers by method and path, with and without the slash at the end. most: rows of a page."""
    insert, many, query = InsertRow(rows), InsertRows(rows), QueryRows(reads, most)
    made: tuple[tuple[str, Handler], ...] = ("POST", insert), ("POST", many), ("GET", query)
    return {(method, path): one for method, one in made for path in (one.path, one.path.rstrip("/"))}
