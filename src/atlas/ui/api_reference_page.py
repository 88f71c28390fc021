"""Renders the API reference at /docs: the OpenAPI document as one page of plain HTML, which a small script makes
interactive.

Without the script all of the page can be read. Names, texts and examples come from the document, and are escaped here.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
METHODS = ("get", "head", "post", "put", "patch", "delete")
_CODE = re.compile(r"`([^`]+)`")


def page(document: Json) -> str:
    """Renders the whole page."""
    groups: dict[str, tuple[str, list[tuple[str, str, Json]]]] = {
        tag["name"]: (tag.get("description", ""), []) for tag in document.get("tags", ())
    }
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                groups[item[method]["tags"][0]][1].append((method, path, item[method]))
    title = f"{document['info']['title']} {document['info']['version']}: API reference"
    links = "".join(_links(name, found) for name, (_, found) in groups.items())
    sections = "".join(_group(name, text, found) for name, (text, found) in groups.items())
    schemas = document["components"]["schemas"]
    return _FRAME.format(
        title=_text(title),
        links=links,
        sections=sections,
        about=_paragraphs(document["info"].get("description", "")),
        events=_events(document.get("webhooks", {})),
        shapes="".join(_shape(n, s) for n, s in schemas.items()),
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _prose(value: object) -> str:
    """Renders a text with code between backticks."""
    return _CODE.sub(r"<code>\1</code>", _text(value))


def _paragraphs(value: str) -> str:
    return "".join(f"<p>{_prose(part)}</p>" for part in value.split("\n\n") if part.strip())


def _slug(value: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def _links(name: str, found: Iterable[tuple[str, str, Json]]) -> str:
    items = "".join(
        f'<li><a href="#{_text(operation["operationId"])}">{_text(operation["summary"])}</a></li>'
        for _, _, operation in found
    )
    return f'<li><a href="#{_slug(name)}">{_text(name)}</a><ul>{items}</ul></li>'


def _group(name: str, text: str, found: Iterable[tuple[str, str, Json]]) -> str:
    operations = "".join(_operation(method, path, operation) for method, path, operation in found)
    return f'<section><h2 id="{_slug(name)}">{_text(name)}</h2><p>{_prose(text)}</p>{operations}</section>'


def _operation(method: str, path: str, operation: Json) -> str:
    name = _text(operation["operationId"])
    parts = [
        f'<p>{_prose(operation.get("description", ""))}</p><p class="muted">Operation <code>{name}</code></p>',
        _parameters(operation.get("parameters", ())),
        _body(operation.get("requestBody")),
        _answers(operation["responses"]),
    ]
    return (
        f'<details class="operation" id="{name}" data-method="{method.upper()}" data-path="{_text(path)}"><summary>'
        f'<h3><span class="method {method}">{method.upper()}</span> <code>{_text(path)}</code> '
        f"<span>{_text(operation['summary'])}</span></h3></summary>"
        f'<div class="inside">{"".join(parts)}<div class="try"></div></div></details>'
    )


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Renders a table of HTML cells. The first cell of a row is its header."""
    lines = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    names = "".join(f'<th scope="col">{_text(head)}</th>' for head in heads)
    return f"<table><caption>{_text(caption)}</caption><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"


def _parameters(found: Iterable[Json]) -> str:
    rows = [
        (
            f"<code>{_text(one['name'])}</code>{_required_mark(one.get('required', False))}",
            _text(one["in"]),
            _kind(one["schema"]),
            _prose(one.get("description", "")) + _example(one.get("example")),
        )
        for one in found
    ]
    return _table("Parameters", ("Name", "In", "Type", "What it is"), rows) if rows else ""


def _required_mark(required: bool) -> str:
    return ' <span class="needed">required</span>' if required else ""


def _example(value: Any) -> str:
    return "" if value is None else f' <span class="muted">Such as <code>{_text(_plain(value))}</code></span>'


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _body(body: Json | None) -> str:
    if body is None:
        return ""
    parts = [f"<h4>Body</h4><p>{_prose(body.get('description', ''))}</p>"]
    for media, content in body["content"].items():
        parts.append(f"<p><code>{_text(media)}</code>: {_kind(content['schema'])}</p>")
        examples = (
            [content["example"]]
            if "example" in content
            else [one["value"] for one in content.get("examples", {}).values()]
        )
        parts += [f"<pre><code>{_text(json.dumps(one, indent=2, ensure_ascii=False))}</code></pre>" for one in examples]
    others = ", ".join(f"<code>{_text(media)}</code>" for media in body.get("x-media-types", ()))
    return "".join(parts) + (f"<p>Also as {others}.</p>" if others else "")


def _answers(responses: Json) -> str:
    rows = [
        (
            f"<code>{_text(status)}</code>",
            _prose(one.get("description", "")),
            "<br>".join(
                f"<code>{_text(media)}</code>: {_kind(content['schema'])}"
                for media, content in one.get("content", {}).items()
            ),
        )
        for status, one in responses.items()
    ]
    return _table("Answers", ("Status", "Means", "Body"), rows)


def _kind(schema: Json) -> str:
    """Renders a schema in a few words, with links to shapes."""
    if "$ref" in schema:
        name = _text(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[several]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"<code>{_text(_plain(value))}</code>" for value in values)
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(kind, list):
        return _text(" or ".join(kind))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    words = {"binary": "file", "date-time": "time"}
    shown = words.get(schema.get("format", ""), kind)
    default = (
        ""
        if schema.get("default") in (None, [], {})
        else f", by default <code>{_text(_plain(schema['default']))}</code>"
    )
    return _text(shown) + default


def _shape(name: str, schema: Json) -> str:
    needed = schema.get("required", ())
    rows = [
        (
            f"<code>{_text(member)}</code>{_required_mark(member in needed)}",
            _kind(kind),
            _prose(kind.get("description", "")),
        )
        for member, kind in schema.get("properties", {}).items()
    ]
    inside = _table("Members", ("Name", "Type", "What it is"), rows) if rows else f"<p>{_kind(schema)}</p>"
    return (
        f'<details class="shape" id="shape-{_text(name)}"><summary><h3>{_text(name)}</h3></summary>'
        f'<div class="inside"><p>{_prose(schema.get("description", ""))}</p>{inside}</div></details>'
    )


def _events(found: Json) -> str:
    parts = []
    for name, item in found.items():
        operation = item["post"]
        parts.append(
            f'<details id="{_text(operation["operationId"])}"><summary><h3><span class="method">EVENT</span> '
            f'<code>{_text(name)}</code></h3></summary><div class="inside"><p>{_prose(operation["description"])}</p>'
            f"{_parameters(operation['parameters'])}{_body(operation['requestBody'])}</div></details>"
        )
    return "".join(parts)


_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/ui/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/ui/static/css/base.css">
<link rel="stylesheet" href="/ui/static/css/reference.css">
<script src="/ui/static/theme-boot.js"></script>
<script type="module" src="/ui/static/reference.js"></script>
</head>
<body class="reference">
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="/ui/"><img src="/ui/static/icon.svg" alt="" width="28" height="28">Atlas</a>
<a href="/openapi.json">OpenAPI document</a> <a href="/redoc">ReDoc</a>
</header>
<nav aria-label="Operations">
<div id="find"></div>
<ul>{links}<li><a href="#events">Events</a></li><li><a href="#shapes">Shapes</a></li></ul>
</nav>
<main id="content" tabindex="-1">
<h1>{title}</h1>
{about}
<div id="key"></div>
{sections}
<section><h2 id="events">Events</h2><p>What Atlas posts to your URLs.</p>{events}</section>
<section><h2 id="shapes">Shapes</h2><p>Bodies and answers, and what is inside of them.</p>{shapes}</section>
</main>
</body>
</html>
"""
