"""The OpenAPI document as generators and readers meet it: valid, named, described, with examples that are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31
from tests.conformance import document

from atlas.web.openapi.operations import FORMS, OPERATION_IDS, TAGS
from atlas.webhooks import events

DOCUMENT = document()
OPERATIONS = {
    operation["operationId"]: (f"{method.upper()} {path}", operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
IDS = sorted(OPERATIONS)


def validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]})


def parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return list(operation.get("parameters", ()))


def schemas_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = [*value.values()]
    if isinstance(value, list):
        for item in value:
            yield from schemas_in(item)


def test_it_is_valid() -> None:
    errors = jsonschema_rs.validator_for(OPENAPI_31).iter_errors(DOCUMENT)
    assert not [f"{error.instance_path}: {error.message[:200]}" for error in errors]


def test_every_reference_leads_somewhere_and_every_shape_is_used() -> None:
    named = {one["$ref"] for one in schemas_in(DOCUMENT) if isinstance(one.get("$ref"), str)}
    assert named == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def test_operations_have_the_names_of_the_list() -> None:
    named = {place: name for name, (place, _) in OPERATIONS.items()}
    # A new operation is named in the list; one that is there keeps its name, as methods of clients are called so.
    assert {place: name for place, name in named.items() if not place.startswith("HEAD ")} == OPERATION_IDS
    assert len(IDS) == len(named)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) for name in IDS)
    # Clients have a module for each, beside the modules of other tags.
    assert {tag for _, operation in OPERATIONS.values() for tag in operation["tags"]} == set(TAGS)
    assert all(len(operation["tags"]) == 1 for _, operation in OPERATIONS.values())
    assert set(FORMS.values()) <= set(DOCUMENT["components"]["schemas"])
    assert not [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch(r"[A-Z][A-Za-z]+", name)]


@pytest.mark.parametrize("name", IDS)
def test_an_operation_is_described(name: str) -> None:
    _, operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"].endswith((".", "`", ")"))
    for parameter in parameters(operation):
        label = f"{name} {parameter['name']}"
        assert parameter.get("description"), label
        assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), label
        assert parameter["required"] == (parameter["in"] == "path") or parameter["required"], label
        assert "example" in parameter, label
        assert not [*validator(parameter["schema"]).iter_errors(parameter["example"])], label
    body = operation.get("requestBody")
    if body is not None:
        assert body["required"]
        assert body.get("description"), name
        for media, content in body["content"].items():
            if media != "application/octet-stream":
                examples = (
                    [content["example"]]
                    if "example" in content
                    else [one["value"] for one in content["examples"].values()]
                )
                for one in examples:
                    assert not [*validator(content["schema"]).iter_errors(one)], f"{name} {one}"


def test_required_parameters_are_marked() -> None:
    needs = {
        "rows_query",
        "rows_delete",
        "rows_bulk_download",
        "rows_live",
        "rows_stream",
        "rows_latest",
        "rows_aggregate",
        "columns_list",
    }
    for name in needs:
        (dataset,) = [one for one in parameters(OPERATIONS[name][1]) if one["name"] == "dataset"]
        assert dataset["required"]
        assert dataset["schema"]["type"] == "integer"


@pytest.mark.parametrize("name", IDS)
def test_answers_have_types(name: str) -> None:
    place, operation = OPERATIONS[name]
    shape = "DetailView" if "/api/v1/" in place else "ErrorView"
    for status, answer in operation["responses"].items():
        for media, content in answer.get("content", {}).items():
            schema = content["schema"]
            if status >= "400":
                of_lines = name == "lines_write" and status in ("400", "422")
                view = "HealthView" if "health" in name else "LineErrorView" if of_lines else shape
                assert schema == {"$ref": f"#/components/schemas/{view}"}
            elif media == "application/json" and "binary" not in str(operation["responses"]):
                assert "$ref" in schema or "anyOf" in schema or "$ref" in schema["items"], name
            else:
                assert schema["type"] in ("string", "array")
    assert not place.startswith("GET /api/") or {"200"} <= set(operation["responses"])


def test_events_of_webhooks_are_in_it() -> None:
    kinds = {event.__name__: events.event_type(event) for event in events.EVENTS}
    assert list(DOCUMENT["webhooks"]) == list(kinds.values())
    for event in events.EVENTS:
        operation = DOCUMENT["webhooks"][events.event_type(event)]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/{event.__name__}"}
        assert isinstance(msgspec.convert(content["example"], events.Event), event)
        assert not [*validator(content["schema"]).iter_errors(content["example"])]
        assert operation["security"] == []


def test_files_are_bytes() -> None:
    for form in FORMS.values():
        assert DOCUMENT["components"]["schemas"][form]["properties"]["file"]["format"] == "binary"
    for name in ("rows_bulk_download", "tables_export", "rows_live"):
        content = OPERATIONS[name][1]["responses"]["200"]["content"]
        assert next(iter(content)) == "application/octet-stream"
