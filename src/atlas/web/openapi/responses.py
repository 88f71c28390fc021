"""Documents answers that FastAPI does not see: files, streams, and answers without a body.

The module only documents. Nothing here is checked, or costs time, when a request is answered.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.web.media_types import BYTES

Responses = dict[int | str, dict[str, Any]]
_TEXT, _BINARY = {"type": "string"}, {"type": "string", "format": "binary"}
_SCHEMAS = {
    Output.JSON: {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    Output.CSV: _TEXT,
    Output.NDJSON: _TEXT,
    Output.PARQUET: _BINARY,
    Output.ARROW: _BINARY,
    Output.XLSX: _BINARY,
}
EVENT_STREAM = "text/event-stream"
_COMPONENT = "#/components/schemas/{model}"


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": _TEXT}


_ETAG = {"ETag": _header("What the file is as of now; send it in `If-None-Match` to get it only if it has changed.")}
_NAME = {"Content-Disposition": _header("A name for the file.")}
_EXPORT = {
    "X-Rows-Count": _header("How many rows the file has."),
    "X-Table-Name": _header("Its table, percent-encoded."),
}
_RESULT = {
    "X-Rows-Count": _header("How many rows the file has."),
    "X-Truncated": _header("`true` where the query has more rows than these, else `false`."),
}


_RANGES = {"Accept-Ranges": _header("`bytes` where parts may be had by `Range`, else `none`.")}
_PART = {"Content-Range": _header("Which part of the file, and how large all of it is.")}


def media_type(text: str) -> str:
    """Returns a media type without its parameters."""
    return text.partition(";")[0]


def _file(formats: tuple[Output, ...], headers: dict[str, Any]) -> Responses:
    content: dict[str, Any] = {media_type(MEDIA_TYPES[output]): {"schema": _SCHEMAS[output]} for output in formats}
    if [*content] != ["text/csv"]:
        # The type that `Accept` may request. The order matters, since generators use the first type that they know.
        content = {BYTES: {"schema": _BINARY}} | content
    return {200: {"description": "The file", "content": content, "headers": headers}}


def download(*formats: Output, named: bool = True, ranged: tuple[Output, ...] = ()) -> Responses:
    """Documents a file of a dataset in one of `formats`, or 304 for an unchanged file.

    ranged: formats with byte ranges.
    """
    unchanged = {"description": "Unchanged since the answer with the ETag in `If-None-Match`", "headers": _ETAG}
    answers = _file(formats, _ETAG | _RANGES | (_NAME if named else {})) | {304: unchanged}
    if ranged:
        content = _file(ranged, _ETAG | _RANGES | _NAME | _PART)[200]
        answers |= {206: content | {"description": "The part of the file that `Range` asks for"}}
    return answers


def export(*formats: Output) -> Responses:
    """Documents a file of a table."""
    return _file(formats, _EXPORT | _NAME)


def result_file(*formats: Output) -> Responses:
    """Documents a file of a query's rows."""
    return _file(formats, _RESULT | _NAME)


def answer(model: Any) -> Responses:
    """Documents a JSON body that a handler encodes itself.

    `response_model` would validate and encode the body again.
    """
    return {200: {"model": model}}


def errors(model: type[BaseModel], texts: dict[int, str]) -> Responses:
    """Documents errors by status, in a shape that `install` names.

    The shape is a reference. From a `model`, FastAPI would make a validator for each status of each route: some 850
    validators at every start.
    """
    content = {"application/json": {"schema": {"$ref": _COMPONENT.format(model=model.__name__)}}}
    return {status: {"description": text, "content": content} for status, text in texts.items()}


def events(**data: dict[str, Any]) -> Responses:
    """Documents Server-Sent Events by name, with the schema of the JSON in each event's data.

    The schema is in `x-itemSchema`: OpenAPI 3.2 has `itemSchema`, which a document of version 3.1 may not use.
    """
    kinds = [
        {
            "type": "object",
            "required": ["event", "data"],
            "properties": {
                "event": {"const": name},
                "id": _TEXT,
                "data": {**_TEXT, "contentMediaType": "application/json", "contentSchema": schema},
            },
        }
        for name, schema in data.items()
    ]
    named = ", ".join(f"`{name}`" for name in data)
    content = {"schema": {**_TEXT, "description": f"Events {named}."}, "x-itemSchema": {"oneOf": kinds}}
    return {200: {"description": "Server-Sent Events", "content": {EVENT_STREAM: content}}}


def members(**types: str) -> dict[str, Any]:
    """Builds the schema of an object with these required members by type. The object may have more members."""
    properties = {name: {"type": kind} for name, kind in types.items()}
    return {"type": "object", "required": [*types], "properties": properties, "additionalProperties": True}


METRICS: Responses = {
    200: {"description": "The figures", "content": {media_type(CONTENT_TYPE_LATEST): {"schema": _TEXT}}}
}
