"""Completes FastAPI's document: names, descriptions, examples, events, and types that generators can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from atlas.web.openapi import bodies, parameters
from atlas.web.openapi.operations import FORMS, TAGS, operation_id

_COMPONENT = "#/components/schemas/{model}"
_BEARER = {"type": "http", "scheme": "bearer", "description": "Your API key."}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


def install(app: FastAPI, *shapes: type[BaseModel], add: Callable[[dict[str, Any]], None]) -> None:
    """Makes an application return a completed document.

    shapes: referenced models that no route has. add: adds parts that are no routes, such as webhooks, to a document.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete(make(), shapes, add)
        return make()

    app.openapi = openapi  # type: ignore[method-assign]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields method, path and operation of each operation in a document."""
    for path, item in document["paths"].items():
        yield from ((method, path, item[method]) for method in _METHODS if method in item)


def complete(
    document: dict[str, Any], shapes: tuple[type[BaseModel], ...], add: Callable[[dict[str, Any]], None]
) -> None:
    """Completes a document in place."""
    schemas = document["components"]["schemas"]
    # Added beside the header scheme that FastAPI documents.
    document["components"]["securitySchemes"]["Bearer"] = _BEARER
    for shape in shapes:
        schemas[shape.__name__] = shape.model_json_schema(ref_template=_COMPONENT, mode="serialization")
    _name_by_title(document)
    for method, path, operation in operations(document):
        name = operation["operationId"] = operation_id(method, path, operation["operationId"])
        for parameter in operation.get("parameters", ()):
            parameters.describe(name, parameter)
        if "requestBody" in operation:
            _name_form(name, operation["requestBody"], schemas)
            bodies.describe(name, operation["requestBody"], schemas)
        if operation.get("security"):
            operation["security"] = [*operation["security"], {"Bearer": []}]
        operation["responses"] = {
            status: _tidy_answer(answer) for status, answer in operation["responses"].items() if not _unused(answer)
        }
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    add(document)
    document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document.setdefault("servers", [{"url": "/", "description": "The server that this document came from"}])


def _name_by_title(document: dict[str, Any]) -> None:
    """Renames the schemas of answers to their titles, because classes of `atlas.contract` may have other names."""
    schemas = document["components"]["schemas"]
    named = {name: schema["title"] for name, schema in schemas.items() if schema.get("title", name) != name}
    if not named:
        return
    assert len({named.get(name, name) for name in schemas}) == len(schemas), "two schemas of one name"
    found = {_COMPONENT.format(model=name): _COMPONENT.format(model=title) for name, title in named.items()}
    renamed = {named.get(name, name): schema for name, schema in schemas.items()}
    schemas.clear()
    schemas.update(renamed)
    waiting: list[Any] = [document["paths"], document["components"]]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            part["$ref"] = found.get(part["$ref"], part["$ref"])
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def _unused(answer: dict[str, Any]) -> bool:
    """Returns whether an answer is FastAPI's own 422, which no route sends."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema == {"$ref": _COMPONENT.format(model="HTTPValidationError")})


def _tidy_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """Removes FastAPI's schema of a dictionary beside the model that a route names for the answer."""
    for content in answer.get("content", {}).values():
        schema = content.get("schema", {})
        if "$ref" in schema or "anyOf" in schema:
            content["schema"] = {key: schema[key] for key in ("$ref", "anyOf") if key in schema}
    return answer


def _name_form(operation: str, body: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Names a form and completes its fields: the file is binary, and optional fields may be absent, but never null."""
    content = body["content"].get("multipart/form-data")
    if content is None or "$ref" not in content["schema"]:
        return
    form = schemas.pop(content["schema"]["$ref"].rpartition("/")[2])
    form["title"] = FORMS.get(operation, form["title"])
    form["description"] = "A form with a file."
    form["properties"] = {name: parameters.without_null(field) for name, field in form["properties"].items()}
    for field in form["properties"].values():
        if "contentMediaType" in field:
            # Generators know `format: binary`, the older of the two keywords.
            field["format"] = "binary"
    schemas[form["title"]] = form
    content["schema"] = {"$ref": _COMPONENT.format(model=form["title"])}
