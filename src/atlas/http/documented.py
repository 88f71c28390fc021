"""What the OpenAPI document says of answers that FastAPI does not see: files, streams, and those without a body.

It only documents: nothing here is checked, or costs anything, when a request is answered.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from atlas.core.formats import MEDIA_TYPES, Output

Responses = dict[int | str, dict[str, Any]]
_TEXT, _BINARY = {"type": "string"}, {"type": "string", "format": "binary"}
_SCHEMAS = {
    Output.JSON: {"type": "array", "items": {"type": "object", "additionalProperties": True}}, Output.CSV: _TEXT,
    Output.NDJSON: _TEXT, Output.PARQUET: _BINARY, Output.ARROW: _BINARY,
}  # fmt: skip
EVENT_STREAM = "text/event-stream"


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": _TEXT}


_ETAG = {"ETag": _header("What the file is as of now; send it in `If-None-Match` to get it only if it has changed.")}
_NAME = {"Content-Disposition": _header("A name for the file.")}
_EXPORT = {
    "X-Rows-Count": _header("How many rows the file has."), "X-Table-Name": _header("Its table, percent-encoded."),
}  # fmt: skip


def media_type(text: str) -> str:
    """A media type without its parameters."""
    return text.partition(";")[0]


def _file(formats: tuple[Output, ...], headers: dict[str, Any]) -> Responses:
    content = {media_type(MEDIA_TYPES[output]): {"schema": _SCHEMAS[output]} for output in formats}
    return {200: {"description": "The file", "content": content, "headers": headers}}


def download(*formats: Output, named: bool = True) -> Responses:
    """A file of a dataset in one of `formats`, or 304 where the caller has it already."""
    unchanged = {"description": "Unchanged since the answer with the ETag in `If-None-Match`", "headers": _ETAG}
    return _file(formats, _ETAG | (_NAME if named else {})) | {304: unchanged}


def export(*formats: Output) -> Responses:
    """A file of a table."""
    return _file(formats, _EXPORT | _NAME)


def events(text: str) -> Responses:
    """Server-Sent Events."""
    return {200: {"description": text, "content": {EVENT_STREAM: {"schema": _TEXT}}}}


METRICS: Responses = {
    200: {"description": "The figures", "content": {media_type(CONTENT_TYPE_LATEST): {"schema": _TEXT}}}
}
