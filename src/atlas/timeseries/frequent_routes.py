"""Plain forms of the most frequent requests, which are answered beside the routes of `row_routes`."""

from __future__ import annotations

from atlas.accounts.access import Caller
from atlas.timeseries.ingest import plain_row
from atlas.timeseries.ingest.plain_row import PlainRow
from atlas.timeseries.ingest.service import RowService
from atlas.web.frequent_requests import Answer, Handler


class InsertRow:
    """`POST /api/rows/` of one plain row into a dataset of the caller's own."""

    path = "/api/rows/"

    def __init__(self, rows: RowService) -> None:
        self._rows = rows

    def read(self, query: bytes, body: bytes) -> PlainRow | None:
        """Returns the row of a body, or None when the request is not plain."""
        return None if query else plain_row.decode(body)

    async def answer(self, caller: Caller, row: PlainRow) -> Answer | None:
        """Stores the row, or returns None when nothing was stored."""
        content = await self._rows.insert_plain(caller, row)
        return None if content is None else Answer(201, content, row.dataset, 1)


def handlers(rows: RowService) -> dict[tuple[str, str], Handler]:
    """Returns the handlers by method and path, with and without the slash at the end."""
    insert = InsertRow(rows)
    return {("POST", "/api/rows/"): insert, ("POST", "/api/rows"): insert}
