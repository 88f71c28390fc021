"""Conditions on series keys: the notation of `where` and `by`, and their values for the columns of a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from atlas.errors import BadRequestError
from atlas.timeseries.columns import Column, Dtype

# Values of one condition. More do not fit the address of a request.
MOST_VALUES = 5_000
_INT64 = range(-(2**63), 2**63)
_BOOLEANS = {"true": True, "false": False}
_SHOWN = 60

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Written:
    """A condition as a caller wrote it: the name of a key and the texts of its values."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a key. column: None when the dataset has no rows yet, and therefore no column for the key."""

    column: Column | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The series to read: those that meet every condition. An empty selection holds all series."""

    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.conditions)

    @property
    def digest(self) -> str:
        """A text that differs for different selections, or an empty text for all series."""
        if not self.conditions:
            return ""
        said = [[one.column and one.column.id, sorted(map(repr, one.values))] for one in self.conditions]
        return hashlib.sha256(msgspec.json.encode(sorted(map(repr, said)))).hexdigest()[:16]


EVERYTHING = Selection()


def parse_where(texts: Sequence[str]) -> list[Written]:
    """Parses conditions such as `symbol:MSFT,AAPL`, each with a name and at least one value.

    Spaces around names and values do not count. A name or value in double quotes stands for itself; a quote within is
    written twice.

    Raises BadRequestError: when a condition cannot be read.
    """
    return [_parse(text) for text in texts]


def _parse(text: str) -> Written:
    name, rest = _token(text, 0, ":")
    if rest > len(text) or not name:
        raise _wrong(text, "write a key, a colon and values, as in symbol:MSFT,AAPL")
    values = []
    while rest <= len(text):
        quoted = text[rest:].lstrip().startswith('"')
        value, rest = _token(text, rest, ",")
        if not value and not quoted:
            raise _wrong(text, f'{name!r} has an empty value; an empty text is written ""')
        values.append(value)
    if len(values) > MOST_VALUES:
        raise _wrong(text, f"at most {MOST_VALUES} values")
    return Written(name, tuple(values))


def _token(text: str, start: int, end: str) -> tuple[str, int]:
    """Returns the name or value that begins at `start`, and the place behind the character that ends it."""
    while text[start : start + 1] == " ":
        start += 1
    if text[start : start + 1] != '"':
        stop = text.find(end, start)
        stop = len(text) if stop < 0 else stop
        return text[start:stop].strip(), stop + 1
    taken, at = [], start + 1
    while True:
        stop = text.find('"', at)
        if stop < 0:
            raise _wrong(text, "a double quote is not closed")
        taken.append(text[at:stop])
        at = stop + 2
        if text[stop + 1 : stop + 2] != '"':
            break
        taken.append('"')
    after = text[stop + 1 :].lstrip(" ")
    if after and not after.startswith(end):
        raise _wrong(text, f"{after[:_SHOWN]!r} stands behind a closing double quote")
    return "".join(taken), len(text) - len(after) + 1


def _wrong(text: str, reason: str) -> BadRequestError:
    return BadRequestError("Invalid parameter", f"where: {text[:_SHOWN]!r}: {reason}")


def select(written: Sequence[Written], keys: Sequence[str], columns: Sequence[Column]) -> Selection:
    """Returns the selection that conditions mean for a dataset with these keys.

    Raises BadRequestError: when a name is no key of the dataset, or a value cannot be one of the key's.
    """
    known = {column.name: column for column in columns if column.physical}
    found = []
    for one in written:
        refuse_other(one.name, keys, "where")
        column = known.get(one.name)
        values = [_value(one.name, text, column) for text in one.values]
        found.append(Condition(column, tuple(dict.fromkeys(values))))
    return Selection(tuple(found))


def group_columns(by: Sequence[str], keys: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """Returns the columns of the keys named by `by`, without those for which the dataset has no rows yet.

    Raises BadRequestError: when a name is no key of the dataset.
    """
    known: Mapping[str, Column] = {column.name: column for column in columns if column.physical}
    for name in by:
        refuse_other(name, keys, "by")
    return [known[name] for name in dict.fromkeys(by) if name in known]


def refuse_other(name: str, keys: Sequence[str], parameter: str) -> None:
    """Checks that a name is a key.

    Raises BadRequestError: when the dataset has no such key.
    """
    if name in keys:
        return
    has = f"its keys are {', '.join(map(repr, keys))}" if keys else "it has none; its owner declares them"
    raise BadRequestError("Invalid parameter", f"{parameter}: {name[:_SHOWN]!r} is no key of the dataset; {has}")


def _value(name: str, text: str, column: Column | None) -> Value:
    if "\0" in text:
        raise BadRequestError("Invalid parameter", f"where: {name!r}: the NUL character is not allowed")
    if column is None or column.dtype is Dtype.STRING:
        return text
    if column.dtype is Dtype.BOOLEAN:
        if text.lower() not in _BOOLEANS:
            raise BadRequestError("Invalid parameter", f"where: {name!r} is true or false, not {text[:_SHOWN]!r}")
        return _BOOLEANS[text.lower()]
    try:
        number = int(text) if text.isascii() and len(text) <= 20 and "_" not in text else None
    except ValueError:
        number = None
    if number is None or number not in _INT64:
        raise BadRequestError("Invalid parameter", f"where: {name!r} is a 64-bit integer, not {text[:_SHOWN]!r}")
    return number
