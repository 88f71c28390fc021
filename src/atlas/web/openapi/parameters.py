"""Completes parameters of the document: descriptions of path parameters, and an example of each parameter."""

from __future__ import annotations

from typing import Any

IN_PATHS = {
    "dataset_id": ("ID of the dataset.", 1),
    "tag_id": ("ID of the tag.", 1),
    "import_id": ("ID of the import, a UUID.", "3fa85f64-5717-4562-b3fc-2c963f66afa6"),
    "issue_type": ("`duplicates`, `validations` or `replacements`.", "validations"),
    "table_name": ("Name of the table.", "leads"),
    "column_name": ("Name of the column.", "age"),
    "row": ("Number of the row, its `_row`.", 45),
    "delivery_id": ("ID of the delivery, a UUID.", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    "question_id": ("ID of the question, a UUID.", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    "verified_id": ("ID of the verified question, a UUID.", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    "term_id": ("ID of the term, a UUID.", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    "query_id": ("ID of the saved query, a UUID.", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    "kind": ("What is meant: a `dataset` or a `table`.", "dataset"),
    "name": ("The dataset's ID, or the table's name.", "1"),
    "key_id": ("ID of the key.", 3),
    "user_id": ("ID of the user.", 2),
    "job_id": ("ID of the job.", 17),
}
EXAMPLES: dict[str, Any] = {
    "action": "write",
    "archived": False,
    "bucket": "1h",
    "columns": ["open", "close"],
    "confirm": "leads",
    "cursor": "MTIzNDU2",
    "dataset": 1,
    "dataset_id": 1,
    "end": "2025-12-31",
    "filter": "state = 'CA' AND status <> 'archived'",
    "format": "csv",
    "functions": "avg,max",
    "limit": 100,
    "metadata": ["frequency=1h"],
    "on_conflict": "replace",
    "idempotency-key": "2025-12-16-batch-7",
    "if-none-match": '"1-7f3a"',
    "import_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "known_at": "2025-12-16T17:30:00Z",
    "last-event-id": "1024",
    "ordering": "-timestamp",
    "organization": "acme",
    "output": "csv",
    "owned": True,
    "search": "bitcoin",
    "sort": "-created_at",
    "start": "2025-12-01T00:00:00Z",
    "status": "success",
    "table_name": "leads",
    "thread_id": "monday-report",
    "timestamp_column": "time",
    "timestamp_format": "%d.%m.%Y %H:%M",
    "user": "ann",
}
# Examples of parameters whose name has another meaning in an operation.
ELSEWHERE = {
    ("admin_jobs_list", "status"): "failed",
    ("issues_page", "status"): "pending",
    ("verified_list", "status"): "verified",
    ("tables_export", "format"): "parquet",
}
_BY_TYPE = {"boolean": True, "integer": 1, "number": 1.5, "string": "text"}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Removes null from the schema of a parameter or form field. Such a value is left out instead."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == len(schema.get("anyOf", ())):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def describe(operation: str, parameter: dict[str, Any]) -> None:
    """Completes a parameter in place."""
    name = parameter["name"]
    schema = without_null(parameter["schema"])
    schema.pop("description", None)
    parameter["schema"] = schema
    if parameter["in"] == "path":
        text, example = IN_PATHS.get(name, (None, None))
        if text:
            parameter.setdefault("description", text)
            parameter.setdefault("example", example)
        return
    example = ELSEWHERE.get((operation, name), EXAMPLES.get(name.lower(), schema.get("default")))
    if example is None:
        example = next(iter(schema.get("examples", schema.get("enum", ()))), None)
    if example is None:
        many = schema.get("type") == "array"
        example = _BY_TYPE.get((schema.get("items", {}) if many else schema).get("type", ""))
        example = [example] if many else example
    if example is not None and "example" not in parameter and "examples" not in parameter:
        parameter["example"] = example
