"""Completes request bodies of the document: an example of each, descriptions, and named schemas."""

from __future__ import annotations

from typing import Any

Schemas = dict[str, dict[str, Any]]
_ROWS = [
    {"timestamp": "2025-12-16T10:00:00Z", "values": {"open": 104500, "close": 104600}},
    {"timestamp": "2025-12-16T11:00:00Z", "values": {"open": 104600, "close": 104700}},
]
# Examples that cannot be derived from the examples of fields.
EXAMPLES: dict[str, Any] = {
    "datasets_set_samples": {"samples": "organization"},
    "datasets_merge_metadata": {"version": "2.0"},
    "datasets_replace_metadata": {"source": "tiingo", "frequency": "1h"},
    "datasets_add_tag": {"tag_name": "public"},
    "tags_acquire": {"tag_name": "premium", "secret": "open sesame"},
    "access_check": {"dataset_id": 1, "require_write": False},
    "rows_insert": {"dataset": 1, **_ROWS[0]},
    "rows_bulk_insert": {"dataset": 1, "rows": _ROWS},
    "rows_preview": {"dataset": 1, "rows": _ROWS},
    "imports_run": {
        "file": "contacts.csv",
        "instruction": "Import this into my leads table, key is email",
        "callback_url": "https://your-app.example/webhooks/import",
        "callback_metadata": '{"job_id": "abc123"}',
    },
    "imports_preview": {"file": "contacts.csv", "instruction": "Import this into my leads table, key is email"},
    "imports_redo": {
        "mapping": {
            "table_name": "leads",
            "mappings": {"email": "Email Address", "name": "Full Name"},
            "key_columns": ["email"],
        },
        "auto_execute": True,
    },
    "issues_correct": {
        "duplicates": [{"record_number": 45, "action": "insert"}, {"record_number": 67, "action": "skip"}],
        "validation_failures": [
            {"failure_id": 12, "action": "insert_corrected", "corrected_data": {"email": "fixed@example.com"}}
        ],
        "value_replacements": [{"replacement_id": 88, "action": "restore_original"}],
    },
    "instructions_run": {
        "intent": "insert",
        "entities": [
            {
                "entity_type": "client",
                "table_hint": "clients",
                "data": {"name": "Acme Corp", "email": "billing@acme.com"},
            }
        ],
    },
    "tables_set_samples": {"samples": "organization"},
    "tables_update_from_file": {"file": "updates.csv", "key_columns": "email"},
    "questions_rate": {"rating": "down", "comment": "Closed deals are missing"},
    "model_settings_set": {
        "provider": "openai",
        "model": "qwen2.5-coder-7b-instruct",
        "base_url": "https://models.example.com/v1",
    },
    "admin_users_create": {"name": "carol", "role": "member"},
    "admin_users_set_role": {"role": "admin"},
    "admin_tags_create": {"name": "premium", "description": "For subscribers", "secret": "open sesame"},
}
# Examples of bodies with several shapes.
SEVERAL: dict[str, dict[str, Any]] = {
    "tables_update": {
        "condition": {"mode": "condition", "condition": "campaign = 'spring_2024'", "updates": {"status": "archived"}},
        "batch": {
            "mode": "batch",
            "batch_updates": [{"keys": {"email": "john@example.com"}, "values": {"status": "active", "plan": "pro"}}],
        },
    },
    "instructions_run": {
        "records": EXAMPLES["instructions_run"],
        "words": {"text": "Add a new client:\n\n## Client\n- Name: Acme Corp\n- Email: billing@acme.com"},
    },
}
DESCRIPTIONS = {
    "datasets_merge_metadata": "Fields to add or replace.",
    "datasets_replace_metadata": "All metadata.",
    "tables_update": "Rows by a condition, or by their keys.",
    "instructions_run": "Records, or words.",
}


def hoist(schema: Any, schemas: Schemas) -> Any:
    """Moves named objects inside a schema to `schemas`, and returns the schema with references to them."""
    if isinstance(schema, list):
        return [hoist(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: hoist(value, schemas) for key, value in schema.items()}
    name = found.get("title")
    if found.get("type") == "object" and isinstance(name, str) and isinstance(found.get("properties"), dict):
        schemas.setdefault(name, found)
        return {"$ref": f"#/components/schemas/{name}"}
    return found


def resolved(schema: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    """Returns a schema without a reference at its top."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return resolved(schemas[name], schemas) if name else schema


def example_of(schema: dict[str, Any], schemas: Schemas) -> Any:
    """Builds an example value of a schema from the examples of its fields.

    An object gets its required fields and the fields with examples.
    """
    schema = resolved(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema or "oneOf" in schema:
        return example_of((schema.get("anyOf") or schema["oneOf"])[0], schemas)
    if schema.get("type") == "object":
        members, needed = schema.get("properties", {}), schema.get("required", ())
        given = {name: kind for name, kind in members.items() if name in needed or kind.get("examples")}
        return {name: example_of(kind, schemas) for name, kind in given.items()}
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), schemas)]
    return schema.get("default", {"integer": 1, "number": 1.5, "boolean": True, "string": "text"}.get(schema["type"]))


def describe(operation: str, body: dict[str, Any], schemas: Schemas) -> None:
    """Completes a request body in place."""
    for media, content in body["content"].items():
        if media == "multipart/form-data" or media.endswith("json"):
            content["schema"] = hoist(content["schema"], schemas)
            if "example" not in content and "examples" not in content:
                _exemplify(operation, content, schemas)
    first = next(iter(body["content"].values()))
    text = DESCRIPTIONS.get(operation) or resolved(first["schema"], schemas).get("description")
    if text:
        body.setdefault("description", text)


def _exemplify(operation: str, content: dict[str, Any], schemas: Schemas) -> None:
    if operation in SEVERAL:
        content["examples"] = {name: {"value": value} for name, value in SEVERAL[operation].items()}
    else:
        content["example"] = EXAMPLES.get(operation) or example_of(content["schema"], schemas)
