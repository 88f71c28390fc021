"""What handlers ask for: the services, the caller, and parameters that several routes share.

All of them are coroutines: FastAPI runs plain functions in a thread, which takes longer than any of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyHeader

from atlas.accounts.access import Caller
from atlas.accounts.administration import AdminService
from atlas.accounts.audit import AuditService
from atlas.accounts.authorization import AccessService
from atlas.accounts.service import AccountService
from atlas.accounts.tags import TagService
from atlas.accounts.usage import UsageService
from atlas.catalog.column_notes import ColumnNoteService
from atlas.errors import BadRequestError
from atlas.imports.background import BackgroundService
from atlas.imports.history import HistoryService
from atlas.imports.service import ImportService
from atlas.imports.undo import UndoService
from atlas.kit.admission import Lanes, serving
from atlas.kit.timestamps import NAME_UNIT, NO_UNIT, parse_end, parse_epoch, parse_parameter, to_micros
from atlas.llm.service import ModelService
from atlas.questions.glossary import GlossaryService
from atlas.questions.history import AskedService
from atlas.questions.service import QuestionService
from atlas.questions.verified import VerifiedService
from atlas.records.instructions import InstructionService
from atlas.records.service import TableRowService
from atlas.records.updates import UpdateService
from atlas.review.service import IssueService
from atlas.saved.service import FavouriteService, SavedQueryService
from atlas.sqlgate.service import SqlService
from atlas.tables.service import TableService
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.read.aggregates import SummaryService
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.service import DatasetService
from atlas.timeseries.stream import StreamService
from atlas.timeseries.zone_map import Range
from atlas.web.admission import admit, lane_of
from atlas.web.credentials import key_of
from atlas.web.health import SystemService
from atlas.web.rate_limit import RateLimiter


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may call."""

    access: AccessService
    accounts: AccountService
    admin: AdminService
    datasets: DatasetService
    tags: TagService
    rows: RowService
    reads: ReadService
    summaries: SummaryService
    streams: StreamService
    imports: ImportService
    background: BackgroundService
    history: HistoryService
    issues: IssueService
    undo: UndoService
    instructions: InstructionService
    models: ModelService
    sql: SqlService
    questions: QuestionService
    asked: AskedService
    verified: VerifiedService
    glossary: GlossaryService
    saved_queries: SavedQueryService
    favourites: FavouriteService
    tables: TableService
    column_notes: ColumnNoteService
    table_rows: TableRowService
    updates: UpdateService
    usage: UsageService
    audit: AuditService
    system: SystemService
    limiter: RateLimiter
    lanes: Lanes


async def services(request: Request) -> Services:
    """The services of the running application."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]
_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="Your API key.")


async def admitted(request: Request, bundle: Services, *, upload: bool = False) -> Caller:
    """The user of the request's key, within its rate limit, once the request may be served; to be asked again freely.

    upload: whether the body is a form with a file, of which few are received at once.
    """
    state: dict[str, Any] = request.scope["state"]
    found: Caller | None = state.get("caller")
    if found is None:
        # The middleware has asked already, unless the application is mounted without it.
        found = state.get("known") or await bundle.access.authenticate(key_of(request.headers))
        state["key_id"], state["caller"] = found.key_id, found
        state["extra_headers"] = await bundle.limiter.hit(found)
        await admit(request.scope, bundle.lanes.uploads if upload else lane_of(request.scope, bundle.lanes), found)
    serving(found)
    return found


async def caller(request: Request, bundle: ServicesDep, key: Annotated[str | None, Security(_key_header)]) -> Caller:
    """The user of the request's key. The parameter `key` stands here for the OpenAPI document."""
    return await admitted(request, bundle)


CallerDep = Annotated[Caller, Depends(caller)]


async def dataset_parameter(dataset: Annotated[int, Query(description="ID of the dataset.")]) -> int:
    """The `dataset` query parameter. Absent, it is a plain 400 like any other bad value."""
    return dataset


DatasetParam = Annotated[int, Depends(dataset_parameter)]


Epoch = Literal["s", "ms", "us", "ns"]
EpochParam = Annotated[
    Epoch | None, Query(description="Timestamps are numbers of this unit since 1970 (UTC) instead of ISO 8601.")
]


def _moment(name: str, text: str, unit: str | None, parse: Callable[[str], datetime] = parse_parameter) -> int:
    try:
        return to_micros(parse(text)) if unit is None else parse_epoch(text.strip(), unit)
    except ValueError as error:
        more = f"; {NAME_UNIT}" if NO_UNIT in str(error) else ""
        raise BadRequestError("Invalid parameter", f"{name}: {error}{more}") from None


async def time_range(
    start: Annotated[str | None, Query(description="First timestamp, ISO 8601 in any zone (none means UTC).")] = None,
    end: Annotated[
        str | None, Query(description="Last timestamp, inclusive, ISO 8601 in any zone; a day alone is all of it.")
    ] = None,
    epoch: EpochParam = None,
) -> Range:
    """`start` and `end`, both inclusive."""
    whole = Range()
    lo = whole.lo if start is None else _moment("start", start, epoch)
    hi = whole.hi if end is None else _moment("end", end, epoch, parse_end) + 1
    if lo > hi:
        raise BadRequestError("Invalid parameter", "end: before start")
    return Range(lo, hi)


RangeParam = Annotated[Range, Depends(time_range)]


async def column_names(
    columns: Annotated[
        list[str] | None,
        Query(description="Only these keys: repeat the parameter, or separate names by commas."),
    ] = None,
) -> list[str] | None:
    """The `columns` parameter; a single value may hold several names."""
    if columns is None:
        return None
    if len(columns) == 1:
        return [name for name in columns[0].split(",") if name]
    return columns


ColumnsParam = Annotated[list[str] | None, Depends(column_names)]
