"""Reads answers from JSON into dataclasses. Unknown members of a newer server are ignored."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from atlas.contract.shape import may_lack

T = TypeVar("T")
Reader = Callable[[Any], Any]
_NOTHING: Mapping[Any, Callable[[], Any]] = {int: int, str: str}


class _Member(NamedTuple):
    name: str
    read: Reader | None
    # Whether the member may be missing, such as from an older server. `empty` then makes the value by the type.
    optional: bool
    empty: Callable[[], Any]


def read(shape: type[T], data: Mapping[str, Any]) -> T:
    """Reads a JSON object into its dataclass.

    Raises TypeError, ValueError, KeyError, AttributeError: when the object does not have this shape.
    """
    given = {}
    for name, reader, optional, empty in _members(cast("Hashable", shape)):
        if name in data:
            given[name] = data[name] if reader is None else reader(data[name])
        elif optional:
            given[name] = empty()
    return shape(**given)


@functools.cache
def _members(shape: Any) -> tuple[_Member, ...]:
    hints = get_type_hints(shape)
    found = []
    for known in fields(shape):
        plain = known.default is MISSING and known.default_factory is MISSING
        kind = hints[known.name]
        empty = _empty(kind)
        lacking = may_lack(known)
        if lacking and empty is None:
            # Of a count or a text that an answer leaves out.
            empty = _NOTHING.get(kind)
        found.append(_Member(known.name, _reader(kind), lacking or (plain and empty is not None), empty or _none))
    return tuple(found)


def _none() -> None:
    return None


def _empty(kind: Any) -> Callable[[], Any] | None:
    """Returns the function that makes a type's empty value, or None when the type has none."""
    if type(None) in get_args(kind):
        return _none
    return {tuple: tuple, dict: dict}.get(get_origin(kind) or kind)


def _reader(kind: Any) -> Reader | None:
    """Returns the function that reads a value of a type, or None for JSON's own types."""
    if kind is datetime:
        return datetime.fromisoformat
    if is_dataclass(kind) and isinstance(kind, type):
        return functools.partial(read, kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple(_reader(parts[0]))
    if origin in (Union, types.UnionType):
        readers = [reader for part in parts if (reader := _reader(part)) is not None]
        return _nullable(readers[0]) if readers and len(parts) == 2 and type(None) in parts else None
    return None


def _tuple(item: Reader | None) -> Reader:
    return tuple if item is None else lambda values: tuple(item(value) for value in values)


def _nullable(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)
