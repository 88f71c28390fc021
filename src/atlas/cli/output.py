"""Results on standard output: JSON for programs; tables and lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Row = Mapping[str, Any]


def plain(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=plain)
    return str(value)


def print_json(value: Any) -> None:
    """One JSON document on one line."""
    print(json.dumps(value, ensure_ascii=False, default=plain), flush=True)


def print_table(rows: Sequence[Row], columns: Sequence[str] | None = None, empty: str = "nothing here") -> None:
    """Rows as a table; `columns` picks and orders, by default those of the first row."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = list(columns or (rows[0] if rows else ()))
    table = Table(*(names if rows else [empty]))
    for row in rows:
        table.add_row(*(Text(plain(row.get(name))) for name in names))
    Console().print(table)


def show(result: Any, as_json: bool, columns: Sequence[str] | None = None, empty: str = "nothing here") -> None:
    """A list as a table, an object as lines; both as JSON where that is asked for."""
    if as_json:
        print_json(result)
    elif isinstance(result, list):
        print_table(result, columns, empty)
    else:
        for name in columns or result:
            print(f"{name}: {plain(result.get(name))}")
