"""Markdown of the reference pages: endpoints from the OpenAPI document, settings and commands from the code."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

import typer.main

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
GROUPS = {"/api/v1": "Content", "/api/": "Time series", "/": "System"}


def cell(text: object) -> str:
    """A text for a cell of a table."""
    return " ".join(str(text).replace("|", "\\|").split())


def table(header: list[str], rows: list[list[object]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cell(value) for value in row)} |" for row in rows)]) + "\n\n"


def endpoints() -> str:
    """Every endpoint with its parameters, body and answers."""
    from atlas.app import create_app
    from atlas.settings import Settings

    document = create_app(Settings(database_url="postgresql://unused")).openapi()
    groups: dict[str, list[str]] = {name: [] for name in GROUPS.values()}
    for path, methods in document["paths"].items():
        group = next(name for prefix, name in GROUPS.items() if path.startswith(prefix))
        groups[group] += [
            endpoint(document, method.upper(), path, methods[method]) for method in METHODS if method in methods
        ]
    return "".join(f"## {name}\n\n{''.join(found)}" for name, found in groups.items() if found)


def endpoint(document: Json, method: str, path: str, operation: Json) -> str:
    parts = [f"### `{method} {path}`\n\n"]
    text = operation.get("description") or operation.get("summary", "")
    parts.append(f"{plain(text)}\n\n")
    rows: list[list[object]] = [
        [
            f"`{found['name']}`",
            found["in"],
            kind(document, found["schema"]),
            default(found["schema"], found),
            plain(found.get("description", "")),
        ]
        for found in operation.get("parameters", [])
    ]
    if rows:
        parts.append(table(["Parameter", "In", "Type", "Default", ""], rows))
    for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        for number, one in enumerate(schema.get("anyOf") or schema.get("oneOf") or [schema]):
            parts.append(f"{'Or' if number else 'Body'}, `{content_type}`:\n\n{fields(document, one)}")
    answers = [f"{status} {plain(answer.get('description', ''))}" for status, answer in operation["responses"].items()]
    parts.append(f"Answers: {', '.join(answers)}\n\n")
    return "".join(parts)


def plain(text: str) -> str:
    """Text whose angle brackets are not taken for HTML."""
    return html.escape(text, quote=False) if "<" in text else text


def resolve(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def fields(document: Json, schema: Json) -> str:
    """The members of a body as a table, or its type."""
    found = resolve(document, schema)
    required = found.get("required", [])
    rows: list[list[object]] = [
        [
            f"`{name}`",
            kind(document, member),
            "required" if name in required else default(member, {}),
            plain(member.get("description", "")),
        ]
        for name, member in found.get("properties", {}).items()
    ]
    return table(["Member", "Type", "Default", ""], rows) if rows else f"{kind(document, found)}\n\n"


def kind(document: Json, schema: Json) -> str:
    """A schema in a few words."""
    schema = resolve(document, schema)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            found = dict.fromkeys(kind(document, one) for one in schema[several])
            return " or ".join(name for name in found if name != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {kind(document, schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def default(schema: Json, parameter: Json) -> str:
    if parameter.get("required"):
        return "required"
    value = schema.get("default")
    return "" if value is None else f"`{json.dumps(value)}`"


def settings() -> str:
    """Every setting with its variable, type and default."""
    from atlas.settings import Settings

    properties = Settings.model_json_schema()["properties"]
    rows: list[list[object]] = [
        [f"`ATLAS_{name.upper()}`", kind({}, properties[name]), default(properties[name], {}), field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    return table(["Variable", "Type", "Default", ""], rows)


def command_line() -> str:
    """Every command with its arguments and options."""
    from atlas.cli.main import app

    return "".join(command(*found) for found in commands(typer.main.get_command(app), "atlas"))


def commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", found


def command(name: str, found: Any) -> str:
    arguments = [parameter for parameter in found.params if parameter.param_type_name == "argument"]
    names = [one.name.upper() if one.required else f"[{one.name.upper()}]" for one in arguments]
    usage = " ".join(
        [
            "[OPTIONS]",
            *(f"{shown}..." if one.nargs == -1 else shown for shown, one in zip(names, arguments, strict=True)),
        ]
    )
    parts = [f"## `{name}`\n\n```text\n{name} {usage}\n```\n\n{plain(found.help or '')}\n\n"]
    rows: list[list[object]] = []
    for parameter in found.params:
        if "--help" in parameter.opts or parameter.name == "help":
            continue
        is_option = parameter.param_type_name == "option"
        shown = ", ".join(f"`{option}`" for option in parameter.opts) if is_option else f"`{parameter.name.upper()}`"
        given = parameter.default
        value = (
            "required" if parameter.required else "" if given in (None, False, ()) or callable(given) else f"`{given}`"
        )
        rows.append([shown, value, plain(getattr(parameter, "help", None) or "")])
    return "".join(parts) + (table(["Argument or option", "Default", ""], rows) if rows else "")
