"""Formats of download files, and their media types."""

from __future__ import annotations

from enum import StrEnum


class Output(StrEnum):
    """Formats of a download."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    ARROW = "arrow"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Output.JSON: "application/json",
    Output.CSV: "text/csv; charset=utf-8",
    Output.NDJSON: "application/x-ndjson",
    Output.PARQUET: "application/vnd.apache.parquet",
    Output.ARROW: "application/vnd.apache.arrow.stream",
    Output.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
