"""Plain forms of the most frequent requests, which are answered beside the routes of `row_routes`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
from fastapi import Request
from starlette.types import Scope

from atlas.accounts.access import Caller
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_small, plain_row
from atlas.timeseries.ingest.plain_row import PlainRow
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.read.small_pages import MOST_ROWS
from atlas.web.frequent_requests import Answer, Handler
from atlas.web.paging import links

_QUERY = re.compile(
    rb"dataset=([0-9]{1,9})(?:&limit=([0-9]{1,3}))?(?:&ordering=(-?)timestamp)?(?:&offset=([0-9]{1,15}))?"
)


class InsertRow:
    """`POST /api/rows/` of one plain row into a dataset of the caller's own."""

    path = "/api/rows/"

    def __init__(self, rows: RowService) -> None:
        self._rows = rows

    def read(self, query: bytes, body: bytes) -> PlainRow | None:
        """Returns the row of a body, or None when the request is not plain."""
        return None if query else plain_row.decode(body)

    async def answer(self, caller: Caller, row: PlainRow, scope: Scope) -> Answer | None:
        """Stores the row, or returns None when nothing was stored."""
        content = await self._rows.insert_plain(caller, row)
        return None if content is None else Answer(201, content, row.dataset, 1)


class InsertRows:
    """`POST /api/rows/bulk_insert/` of few plain rows as JSON into a dataset of the caller's own."""

    path = "/api/rows/bulk_insert/"

    def __init__(self, rows: RowService) -> None:
        self._rows = rows

    def read(self, query: bytes, body: bytes) -> tuple[int, Frame] | None:
        """Returns the dataset and the rows of a body, or None when the request is not plain."""
        made = None if query else json_small.decode(body)
        if made is None or type(made[1]) is not int:
            return None
        return made[1], made[0]

    async def answer(self, caller: Caller, wanted: tuple[int, Frame], scope: Scope) -> Answer | None:
        """Stores the rows, or returns None when nothing was stored."""
        dataset, frame = wanted
        content = await self._rows.insert_small(caller, dataset, frame)
        return None if content is None else Answer(200, content, dataset, len(frame))


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

    def read(self, query: bytes, body: bytes) -> _Page | None:
        """Returns the page of a query, or None when the request is not plain."""
        found = _QUERY.fullmatch(query)
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
