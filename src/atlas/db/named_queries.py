"""Loads static SQL from the named, commented `.sql` files of each package (after procrastinate).

A file holds statements and fragments, each under its head and a description:

    -- name: list_datasets
    -- fragment: readable(reader, dataset)

A statement includes a fragment by `/* include: accounts/dataset_access.readable(%(user)s, d) */`. The arguments in
parentheses replace `$reader` and `$dataset` in the fragment. So a rule that many statements share stands once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template
from typing import LiteralString

_HEAD = re.compile(r"^-- (name|fragment): (\w+)(?:\((\w+(?:, \w+)*)\))?[ \t]*$", re.MULTILINE)
_INCLUDE = re.compile(r"/\* include: ([\w/]+)\.(\w+)\((.*?)\) \*/")


@dataclass(frozen=True, slots=True)
class Part:
    """A statement (kind "name") or fragment as written in its file. parameters: the parameters of a fragment."""

    kind: str
    name: str
    parameters: tuple[str, ...]
    description: str
    text: str


def ordered(statement: LiteralString, expression: LiteralString | None, *, descending: bool) -> LiteralString:
    """Inserts an order before a list statement's own order. NULLs come last in either direction.

    expression: an expression of the repository; None leaves the statement as it is.
    """
    if expression is None:
        return statement
    way: LiteralString = "DESC" if descending else "ASC"
    return statement.replace("/* order */", expression + " " + way + " NULLS LAST,")


@cache
def queries(topic: str) -> dict[str, LiteralString]:
    """Returns the statements of a topic by name, without descriptions, with their fragments included.

    topic: a package and a file in its folder `sql`, such as `timeseries/rows`. The text is part of the package and
    never made from input, as LiteralString demands.
    Raises LookupError when an included fragment does not exist.
    """
    return {part.name: _expand_includes(part.text) for part in _parts(topic) if part.kind == "name"}


def parts_of(text: str) -> list[Part]:
    """Splits the text of a file into its statements and fragments."""
    found = []
    _, *pieces = _HEAD.split(text)
    for kind, name, parameters, body in zip(*(pieces[at::4] for at in range(4)), strict=True):
        lines = body.strip().split("\n")
        own = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
        description = "\n".join(line.removeprefix("--").strip() for line in lines[:own])
        names = tuple(parameters.split(", ")) if parameters else ()
        found.append(Part(kind, name, names, description, "\n".join(lines[own:])))
    return found


@cache
def _parts(topic: str) -> tuple[Part, ...]:
    package, _, name = topic.rpartition("/")
    text = (resources.files("atlas") / package / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return tuple(parts_of(text))


def _expand_includes(text: str) -> str:
    """Replaces the includes of a statement by their fragments."""
    return _INCLUDE.sub(lambda found: _fragment(found[1], found[2], found[3].split(", ")), text)


def _fragment(topic: str, name: str, arguments: list[str]) -> str:
    part = next((part for part in _parts(topic) if (part.kind, part.name) == ("fragment", name)), None)
    if part is None or len(part.parameters) != len(arguments):
        raise LookupError(f"no fragment {name} of {len(arguments)} parameters in {topic}.sql")
    return _expand_includes(Template(part.text).substitute(dict(zip(part.parameters, arguments, strict=True))))
