"""Every JSON answer that a test gets, beside the OpenAPI document.

Most models there only document: handlers' dictionaries are sent as they are. So nothing else would notice a member
that a handler adds, drops or makes into something else.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.app import create_app
from atlas.settings import Settings

# Longer answers are many times the same.
MOST_BYTES = 200_000


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document, which is the same for all settings."""
    return create_app(Settings(database_url="postgresql://nowhere")).openapi()


@functools.cache
def _answer(method: str, path: str, status: int) -> tuple[dict[str, Any], Any] | None:
    """The schema of a JSON answer and its validator; None where the document has none."""
    operation = document()["paths"].get(path, {}).get(method.lower(), {"responses": {}})
    schema = operation["responses"].get(str(status), {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    return schema, jsonschema_rs.validator_for({**schema, "components": {"schemas": _named(schema)}})


def _named(schema: Any) -> dict[str, Any]:
    """The schemas that one refers to, at any depth. A validator that has all of them takes 5 ms to make."""
    named: dict[str, Any] = {}
    rest = [schema]
    while rest:
        one = rest.pop()
        if isinstance(one, list):
            rest += one
        elif isinstance(one, dict):
            rest += one.values()
            reference = one.get("$ref")
            if isinstance(reference, str) and (name := reference.rpartition("/")[2]) not in named:
                named[name] = document()["components"]["schemas"][name]
                rest.append(named[name])
    return named


def undeclared(whole: dict[str, Any], schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """Members of a JSON body that its schema does not name, which schemas allow and clients cannot know."""
    kinds = [schema]
    while any("$ref" in kind or "anyOf" in kind for kind in kinds):
        named = [whole["components"]["schemas"][k["$ref"].rpartition("/")[2]] if "$ref" in k else k for k in kinds]
        kinds = [inner for kind in named for inner in kind.get("anyOf", [kind])]
    if isinstance(value, list):
        items = {"anyOf": [kind["items"] for kind in kinds if "items" in kind]}
        return [one for item in value[:20] for one in undeclared(whole, items, item, f"{place}[]")]
    shapes = [kind for kind in kinds if kind.get("type") == "object"]
    if not isinstance(value, dict) or any("properties" not in shape for shape in shapes):
        return []
    found = []
    for name, member in value.items():
        known = [shape["properties"][name] for shape in shapes if name in shape["properties"]]
        found += undeclared(whole, {"anyOf": known}, member, f"{place}.{name}") if known else [f"{place}.{name}"]
    return found


def wrong_with(method: str, path: str, status: int, body: bytes) -> list[str]:
    """How a JSON answer differs from the document."""
    answer = _answer(method, path, status)
    if answer is None:
        # Errors that a method or a path cannot know of, such as 405, are compared where the document has them.
        known = status < 400 and path in document()["paths"]
        return [f"{method} {path}: no JSON of {status} in the document"] if known else []
    schema, validator = answer
    value = json.loads(body)
    problems = [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]
    problems += [f"{name}: not in the document" for name in undeclared(document(), schema, value)]
    return [f"{method} {path} {status}: {problem[:300]}" for problem in problems[:5]]


class Conformance:
    """Notes in `problems` how JSON answers differ from the document, good ones and errors."""

    def __init__(self, app: ASGIApp, problems: list[str]) -> None:
        self._app, self._problems = app, problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, is_json, body = 0, False, bytearray()

        async def watched(message: Message) -> None:
            nonlocal status, is_json
            if message["type"] == "http.response.start":
                status = message["status"]
                is_json = dict(message["headers"]).get(b"content-type") == b"application/json"
            elif is_json and len(body) <= MOST_BYTES:
                body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, watched)
        route = scope.get("route")
        if is_json and 0 < len(body) <= MOST_BYTES and route is not None:
            self._problems.extend(wrong_with(scope["method"], route.path, status, bytes(body)))
