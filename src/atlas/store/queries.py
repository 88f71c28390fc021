"""Loads static SQL from the named, commented `.sql` files beside this module (after procrastinate)."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def ordered(statement: LiteralString, expression: LiteralString | None, *, descending: bool) -> LiteralString:
    """A list's statement with an order before its own. expression: one of the store's; None leaves the statement alone.

    What has no value comes last either way.
    """
    if expression is None:
        return statement
    way: LiteralString = "DESC" if descending else "ASC"
    return statement.replace("/* order */", expression + " " + way + " NULLS LAST,")


@cache
def queries(topic: str) -> dict[str, LiteralString]:
    """The statements of `queries/<topic>.sql` by name.

    The text is part of the package, never made from input, which is what LiteralString asks for.
    """
    text = (resources.files("atlas.store") / "queries" / f"{topic}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: cast(LiteralString, body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
