"""Loads static SQL from the named, commented `.sql` files of each package (after procrastinate)."""

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
    """The statements of a topic by name. topic: a package and a file in its folder `sql`, such as `timeseries/rows`.

    The text is part of the package, never made from input, which is what LiteralString asks for.
    """
    package, _, name = topic.rpartition("/")
    text = (resources.files("atlas") / package / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: cast(LiteralString, body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
