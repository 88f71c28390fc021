"""Aligned rows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from atlas.accounts.dependencies import CallerDep
from atlas.kit.file_formats import Output
from atlas.timeseries.align.schemas import AlignBody
from atlas.timeseries.align.service import AlignService
from atlas.web.error_schemas import ERRORS
from atlas.web.json_route import JsonRoute
from atlas.web.media_types import media_type_for
from atlas.web.openapi.responses import download
from atlas.web.provided import provided
from atlas.web.ranges import FileResponse

AlignServiceDep = Annotated[AlignService, provided(AlignService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/rows", tags=["Rows"], responses=ERRORS)
FORMATS = (Output.JSON, Output.NDJSON, Output.CSV, Output.ARROW, Output.PARQUET)


@router.post("/align/", summary="Align datasets", response_class=StreamingResponse, responses=download(*FORMATS))
async def align_rows(request: Request, caller: CallerDep, aligning: AlignServiceDep, body: AlignBody) -> Response:
    """Joins to each row of a dataset, or to each time of a grid, the row of other datasets that is nearest in time.

    With `by`, rows are joined within each series. Columns of the clock keep their names; those of other datasets have
    the name of the dataset and a point before them.
    """
    file = await aligning.align(caller, body.read())
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file.name}"'}
    return FileResponse(file.chunks(), media_type=media_type_for(request, file.media_type), headers=headers)
