"""Turns errors into responses: `{"error","details"}` for the time-series API, `{"detail"}` for the content API."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from atlas.errors import AtlasError
from atlas.web.bodies import UNKNOWN_MEMBER

log = structlog.get_logger()

_TITLES = {404: "Not found", 405: "Method not allowed", 413: "Request body too large"}


def problem(
    path: str, status: int, message: str, details: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Builds an error response in the shape of the API that `path` belongs to."""
    body = {"error": message}
    if path.startswith("/api/v1"):
        body = {"detail": f"{message}: {details}" if details else message}
    elif details:
        body["details"] = details
    # JSON can hold halves of surrogate pairs, in names of members too, but UTF-8 cannot.
    body = {name: text.encode(errors="backslashreplace").decode() for name, text in body.items()}
    if status == 401:
        headers = {**CHALLENGE, **(headers or {})}
    return JSONResponse(body, status, headers)


def refusal(path: str, error: AtlasError) -> JSONResponse:
    """Builds the response to an error outside of a handler."""
    return problem(path, error.status, error.message, error.details, error.headers)


def _describe(error: RequestValidationError) -> str:
    parts = []
    for item in error.errors()[:5]:
        place = [str(step) for step in item["loc"] if step not in ("body", "query", "path", "header")]
        if item["type"] == UNKNOWN_MEMBER:
            parts += [f"{'.'.join([*place, name])}: {reason}" for name, reason in item["ctx"]["reasons"].items()]
            parts.append(f"known: {', '.join(item['ctx']['known'])}")
            continue
        reason = _describe_mismatch(item) or item["msg"].removeprefix("Value error, ").replace(
            "Input should be", "must be"
        )
        if item["type"] == "json_invalid":
            reason = f"not valid JSON: {item.get('ctx', {}).get('error', '')}".rstrip(": ")
            place = []
        parts.append(f"{'.'.join(place)}: {reason}" if place else reason)
    return "; ".join(parts)


# Plain words for the error types of pydantic that name a JSON type.
_WANTED = {
    "model_attributes_type": "a JSON object",
    "model_type": "a JSON object",
    "dict_type": "a JSON object",
    "list_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
# Error types of pydantic for bodies of several shapes without a valid discriminator.
_UNTAGGED = ("union_tag_not_found", "union_tag_invalid")
_GIVEN = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (list, "a list"), (dict, "a JSON object"))


def _describe_mismatch(item: dict[str, Any]) -> str | None:
    """Describes the expected and the given type, when a JSON value has the wrong type. Returns None otherwise."""
    if item["type"] in _UNTAGGED:
        return _describe_untagged(**item["ctx"])
    wanted = _WANTED.get(item["type"])
    if wanted is None:
        return None
    given = item.get("input")
    kind_given = (
        "null" if given is None else next((name for kind, name in _GIVEN if isinstance(given, kind)), "something else")
    )
    return f"must be {wanted}" if kind_given == wanted else f"must be {wanted}, not {kind_given}"


def _describe_untagged(discriminator: str, tag: str | None = None, expected_tags: str | None = None) -> str:
    name = discriminator.strip("'")
    if tag is None:
        return f"{name}: Field required"
    return f"{name}: must be one of {expected_tags}, not {tag[:100]!r}"


async def _atlas(request: Request, error: Exception) -> Response:
    assert isinstance(error, AtlasError)
    return problem(request.url.path, error.status, error.message, error.details, error.headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    unknown = any(item["type"] == UNKNOWN_MEMBER for item in error.errors())
    status = 422 if request.url.path.startswith("/api/v1") and not unknown else 400
    return problem(request.url.path, status, "Invalid request", _describe(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "Bad request")
    details = error.detail if error.status_code in (400, 413) else f"{request.method} {request.url.path}"
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := _allowed_methods(request)):
        headers["Allow"] = ", ".join(methods)
    return problem(request.url.path, error.status_code, title, details, headers)


def _allowed_methods(request: Request) -> list[str]:
    """Returns the methods of a path. The router names only the methods of the first matching route."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    found = [known for known in paths if compile_path(known)[0].match(request.scope["path"])]
    # For `/datasets/search/`, that path wins over `/datasets/{dataset_id}/`.
    best = min(found, key=lambda known: known.count("{"), default=None)
    methods = set() if best is None else {method.upper() for method in paths[best]}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


async def _gone(request: Request, error: Exception) -> Response:
    # Nobody reads this response. The log shows 499, as proxies do.
    return Response(status_code=499)


def install(app: FastAPI) -> None:
    """Registers the handlers."""
    app.add_exception_handler(AtlasError, _atlas)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)


# The challenge of a 401 (RFC 9110, 11.6.1). For this scheme browsers do not ask for a name and password.
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Atlas"'}
