"""Moments of a dataset: the changes that it has seen, and the moment that a read asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from atlas.errors import BadRequestError
from atlas.kit.timestamps import parse_parameter, to_micros

# Bytes of the first change of a run, and of each later change.
_HEAD, _ENTRY = 24, 8
_VERSION = re.compile(r"\d{1,18}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{4}-W\d\d-\d|\d{4}-\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment that a read asks for: a version, or a time in microseconds since 1970."""

    version: int | None = None
    micros: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A dataset after a change. seq: number of its last row; micros: time of the change."""

    version: int
    seq: int
    micros: int


def parse_known_at(text: str) -> Asked:
    """Reads a version or a time.

    Raises BadRequestError: when the text is neither.
    """
    text = text.strip()
    if _VERSION.fullmatch(text):
        return Asked(version=int(text))
    if _DAY.fullmatch(text):
        raise BadRequestError("Invalid parameter", f"known_at: {text} is a day, and no moment; add a time of day")
    try:
        return Asked(micros=to_micros(parse_parameter(text)))
    except ValueError as error:
        raise BadRequestError("Invalid parameter", f"known_at: {error}; or give a version") from None


def find_moment(body: bytes, asked: Asked) -> Moment | None:
    """Returns the last change of a run that is not after the moment asked for. None when all are.

    Of changes at one time, the last counts.
    """
    head = np.frombuffer(body, ">i8", 3)
    rest = np.frombuffer(body, ">i4", offset=_HEAD).reshape(-1, 2).astype(np.int64)
    version, seqs, times = int(head[0]), np.cumsum(rest[:, 0]) + head[1], np.cumsum(rest[:, 1]) + head[2]
    if asked.version is not None:
        at = min(asked.version - version, len(rest))
    else:
        assert asked.micros is not None
        at = int(np.searchsorted(times, asked.micros, "right")) if asked.micros >= head[2] else -1
    if at < 0:
        return None
    if at == 0:
        return Moment(version, int(head[1]), int(head[2]))
    return Moment(version + at, int(seqs[at - 1]), int(times[at - 1]))
