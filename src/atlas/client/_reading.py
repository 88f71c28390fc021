"""Reads answers into the dataclasses of `atlas.contract`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from atlas.client.errors import DataError
from atlas.contract import reading

T = TypeVar("T")


def read(shape: type[T], data: Mapping[str, Any]) -> T:
    """Reads an answer.

    Raises DataError: when a required member is missing or has another form.
    """
    try:
        return reading.read(shape, data)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DataError("Unexpected answer", f"no {shape.__name__}: {error}") from None


def read_all(shape: type[T], data: Any) -> tuple[T, ...]:
    """Reads each item of a list like `read`."""
    return tuple(read(shape, item) for item in data)
