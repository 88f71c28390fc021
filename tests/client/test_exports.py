"""What users of the client can name: all that public methods take and give is exported, and described."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import atlas.client
from atlas.client import AsyncClient, Client, resources, types
from atlas.client.types import Record

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
PUBLIC = {getattr(module, name) for module in (atlas.client, resources) for name in module.__all__}
CLASSES = [Client, AsyncClient, *(getattr(resources, name) for name in resources.__all__)]


class _Anything:
    """Stands for a library of frames, which only type checkers import."""

    def __getattr__(self, name: str) -> Any:
        return Any


def classes(hint: Any) -> Iterator[type]:
    """The client's own classes in an annotation."""
    if isinstance(hint, type) and hint.__module__.startswith(("atlas.client", "atlas.contract")):
        yield hint
    for part in typing.get_args(hint):
        for one in part if isinstance(part, list) else [part]:
            yield from classes(one)


def methods(cls: type) -> Iterator[tuple[str, Any]]:
    for name, member in inspect.getmembers(cls):
        function = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


@pytest.mark.parametrize("client", [Client, AsyncClient], ids=lambda c: c.__name__)
def test_the_parts_of_a_client_are_public_classes(client: Any) -> None:
    made = client("http://127.0.0.1:1", "x")
    parts = {type(part) for name, part in vars(made).items() if not name.startswith("_") and name != "url"}
    names = [name for name in resources.__all__ if name.startswith("Async") == (client is AsyncClient)]
    assert parts == {getattr(resources, name) for name in names}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_what_methods_take_and_give_is_exported(cls: type) -> None:
    frames = {name: _Anything() for name in ("pa", "pd", "pl")}
    for name, function in methods(cls):
        hints = typing.get_type_hints(function, localns=frames)
        assert [one for hint in hints.values() for one in classes(hint) if one not in PUBLIC] == [], name


def test_all_answers_are_exported() -> None:
    found = [c for c in vars(types).values() if inspect.isclass(c)]
    own = {c for c in found if issubclass(c, Record) and c is not Record}
    assert own <= PUBLIC


def test_each_export_is_in_the_reference() -> None:
    values = {name: getattr(atlas.client, name) for name in atlas.client.__all__}
    described = {name for name, value in values.items() if inspect.isclass(value) or inspect.isfunction(value)}
    described -= {name for name, value in values.items() if inspect.isclass(value) and issubclass(value, Exception)}
    # The twins of asyncio have the same methods; errors are described by their module.
    described -= {"AsyncClient", "AsyncAnswer"}
    assert [name for name in sorted(described) if f"atlas.client.{name}\n" not in REFERENCE] == []
    parts = [name for name in resources.__all__ if not name.startswith("Async")]
    assert [name for name in parts if f"atlas.client.resources.{name}\n" not in REFERENCE] == []
