"""Schemas of the error answers of both APIs."""

from __future__ import annotations

from pydantic import BaseModel, Field

from atlas.web.openapi.responses import errors


class DetailView(BaseModel):
    """An error of the content API."""

    detail: str = Field(examples=["Table not found: no table 'leads'"])


CONTENT_ERRORS = errors(
    DetailView,
    {
        400: "Invalid parameter, file or instruction",
        401: "Missing or invalid API key",
        403: "No permission",
        404: "No such table, import or record",
        413: "File too large",
        422: "Body does not fit its schema",
        429: "Rate limit exceeded, or too many requests of the user at once",
        500: "Something went wrong",
        503: "Database unavailable or server busy",
    },
)


class ErrorView(BaseModel):
    """An error of the time-series API."""

    error: str = Field(examples=["Dataset not found"])
    details: str | None = Field(None, examples=["No dataset with ID 999"])


class LineErrorView(ErrorView):
    """What is wrong with lines of line protocol, also in the names of InfluxDB's second version."""

    code: str | None = Field(None, examples=["invalid"])
    message: str | None = Field(None, examples=["partial write: line 2: missing fields dropped=1 of 3"])
    line: int | None = Field(None, description="The first line that is wrong.")


ERRORS = errors(
    ErrorView,
    {
        400: "Invalid parameters or body",
        401: "Missing or invalid API key",
        403: "No permission for this action",
        404: "No such resource",
        413: "Body too large",
        429: "Rate limit exceeded, or too many requests of the user at once",
        500: "Something went wrong",
        503: "Database unavailable or server busy",
    },
)
