"""Writes results to standard output: JSON for programs, tables and lines for people."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Row = Mapping[str, Any]


class RowFormat(StrEnum):
    """The formats of printed rows."""

    table = "table"
    json = "json"
    csv = "csv"
    ndjson = "ndjson"


def iso(moment: datetime) -> str:
    """Formats a time in ISO 8601 as the API does: UTC with Z."""
    return moment.isoformat().replace("+00:00", "Z")


def data(value: Any) -> Any:
    """Converts an answer of the client to values for JSON. A hidden key is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {field.name: data(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if members.get("key", "") is None:
            del members["key"]
        return members
    if isinstance(value, Mapping):
        return {name: data(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [data(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value


def plain(value: Any) -> str:
    """Formats a value for people."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list | tuple):
        return dumps(value)
    return str(value)


def dumps(value: Any) -> str:
    """Encodes a value as JSON on one line."""
    return json.dumps(data(value), ensure_ascii=False, default=str)


def print_json(value: Any) -> None:
    """Prints a value as one line of JSON."""
    print(dumps(value), flush=True)


def print_table(rows: Iterable[Row], columns: Sequence[str], empty: str = "nothing here") -> None:
    """Prints rows as a table of the columns, or the text `empty` if there are no rows."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = list(rows)
    if not found:
        print(empty)
        return
    table = Table()
    for name in columns:
        numbers = all(isinstance(row.get(name), int | float | None) for row in found)
        table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in found:
        table.add_row(*(Text(plain(row.get(name))) for name in columns))
    # In a pipe or a file a table is as wide as its cells.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def show(result: Any, as_json: bool, columns: Sequence[str] | None = None, empty: str = "nothing here") -> None:
    """Prints a list as a table, an object as lines, or both as JSON on request."""
    if as_json:
        print_json(result)
        return
    found = data(result)
    if isinstance(found, list):
        print_table(found, columns or list(found[0] if found else ()), empty)
    else:
        print_lines({name: found.get(name) for name in columns or found})


def print_lines(members: Row) -> None:
    """Prints names and values, one pair a line."""
    for name, value in members.items():
        print(f"{name}: {plain(value)}")


def print_rows(rows: Sequence[Row], columns: Sequence[str], form: RowFormat) -> None:
    """Prints rows as a table, as CSV, as JSON lines, or as one JSON array."""
    if form is RowFormat.table:
        print_table(rows, columns, "no rows")
    elif form is RowFormat.json:
        print_json(list(rows))
    elif form is RowFormat.ndjson:
        for row in rows:
            print(dumps(row))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[cell(row.get(name)) for name in columns] for row in rows])


def cell(value: Any) -> str:
    """Formats a value for CSV: null is empty, booleans are true and false, objects are JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | dict | list | tuple):
        return dumps(value)
    return plain(value)


def parse_value(text: str) -> Any:
    """Parses a typed value: a number, true, false, null, an object or an array as JSON, else the text itself."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(text: str) -> Any:
    raise ValueError(text)  # NaN and Infinity are not JSON
