"""Reads InfluxDB's line protocol.

    measurement[,tag=text…] field=value[,field=value…] [timestamp]

A backslash keeps a comma, an equals sign or a blank in a name or tag. A text is in double quotes, in which backslashes
keep quotes and backslashes, and may have line breaks. Blank lines, and lines that begin with `#`, are comments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries.columns import Dtype
from atlas.timeseries.line_protocol.model import Batch, Fault, Scalar

# Nanoseconds of a step, by the names of both versions of the interface.
PRECISIONS: Mapping[str, int] = {
    "": 1,
    "n": 1,
    "ns": 1,
    "nanosecond": 1,
    "u": 1_000,
    "us": 1_000,
    "microsecond": 1_000,
    "ms": 1_000_000,
    "millisecond": 1_000_000,
    "s": 1_000_000_000,
    "second": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
# Characters of a name of a measurement, tag or field.
MOST_NAME = 200
_BOOLEANS = dict.fromkeys(("t", "T", "true", "True", "TRUE"), True)
_BOOLEANS |= dict.fromkeys(("f", "F", "false", "False", "FALSE"), False)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_STAMP = re.compile(r"-?[0-9]{1,20}")
_KEPT = re.compile(r"\\([,= ])")
_QUOTED = re.compile(r"\\([\"\\])")
# The series of a point up to the first blank, and a part of it up to a comma.
_SERIES = re.compile(r"(?:[^\\ \n]|\\[,= ]|\\)++")
_PART = re.compile(r"(?:[^\\,]|\\[,= ]|\\)++")
_NAME = re.compile(r"(?:[^\\=, \n]|\\[,= ]|\\)++")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BARE = re.compile(r'[^", \n]++')
_BLANKS = re.compile(r"[ \t]*+")
_SERIES_KEPT = 10_000
Field = tuple[str, Dtype, Scalar]


class _LineError(Exception):
    """A line that cannot be read. The argument is the reason."""


def parse(body: bytes, precision: str) -> Batch:
    """Reads the points of a body, and the faults of lines that cannot be read."""
    reader = _Reader(PRECISIONS[precision])
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        number = body.count(b"\n", 0, error.start) + 1
        reader.batch.faults.append(Fault(number, f"byte {body[error.start]:#04x} is not UTF-8"))
        # The other lines are whole.
        text = "\n".join(_text(line) for line in body.split(b"\n"))
    reader.read(text)
    reader.batch.faults.sort(key=lambda fault: fault.line)
    return reader.batch


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return ""


class _Reader:
    def __init__(self, step: int) -> None:
        self.batch = Batch()
        self._step = step
        # Clients repeat the same series with other values.
        self._series: dict[str, tuple[str, dict[str, str]]] = {}

    def read(self, text: str) -> None:
        at, number, size = 0, 1, len(text)
        while at < size:
            end = text.find("\n", at)
            end = size if end < 0 else end
            at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]
            if at < end and text[at] not in "#\r":
                try:
                    end = self._line(text, at, end, number)
                except _LineError as error:
                    self.batch.faults.append(Fault(number, str(error)))
            number += text.count("\n", at, end) + 1
            at = end + 1

    def _line(self, text: str, at: int, end: int, number: int) -> int:
        """Reads a line, and returns the position of its end, which a text with line breaks moves."""
        if (nul := text.find("\0", at, end)) >= 0:
            raise _LineError(f"character {nul - at + 1} is NUL")
        found = _SERIES.match(text, at, end)
        if found is None:
            raise _LineError("missing measurement")
        measurement, tags = self._named(found[0])
        at = _BLANKS.match(text, found.end()).end()  # type: ignore[union-attr]
        if at >= end:
            raise _LineError("missing fields")
        if '"' in text[at:end]:
            fields, at, end = _with_texts(text, at, end)
        else:
            stop = at + len(_unbroken(text, at, end))
            fields, at = _fields(text[at:stop]), stop
        stamp = text[at:end].strip(" \t\r")
        micros = self._micros(stamp) if stamp else None
        names = [name for name, _, _ in fields]
        if len(set(names)) < len(names):
            raise _LineError(f"field {next(n for n in names if names.count(n) > 1)!r} is there twice")
        if not tags.keys().isdisjoint(names):
            raise _LineError(f"{next(n for n in names if n in tags)!r} is both a tag and a field")
        self.batch.of(measurement).add(number, micros, tags, fields)
        return end

    def _named(self, series: str) -> tuple[str, dict[str, str]]:
        found = self._series.get(series)
        if found is None:
            found = _series_of(series)
            if len(self._series) < _SERIES_KEPT:
                self._series[series] = found
        return found

    def _micros(self, stamp: str) -> int:
        if not _STAMP.fullmatch(stamp):
            raise _LineError(f"bad timestamp {_shown(stamp)}")
        micros, rest = divmod(int(stamp) * self._step, 1_000)
        if not MIN_MICROS <= micros <= MAX_MICROS:
            raise _LineError(f"time {stamp} is outside the years 1 to 9999; is its precision another?")
        self.batch.cut += rest > 0
        return micros


def _series_of(series: str) -> tuple[str, dict[str, str]]:
    parts = series.split(",") if "\\" not in series else _PART.findall(series)
    if "\\" in series and ",".join(parts) != series:
        # Commas without anything between them.
        raise _LineError("missing tag key")
    measurement, *pairs = parts
    if not measurement:
        raise _LineError("missing measurement")
    tags: dict[str, str] = {}
    for pair in pairs:
        found = _NAME.match(pair)
        if found is None:
            raise _LineError("missing tag key")
        name = _plain(found[0])
        value = pair[found.end() + 1 :]
        if not value:
            raise _LineError(f"missing tag value of {_shown(name)}")
        if re.search(r"(?<!\\)=", value):
            raise _LineError(f"tag {_shown(name)} has an equals sign without a backslash")
        if name in tags:
            raise _LineError(f"tag {_shown(name)} is there twice")
        tags[_checked(name)] = _plain(value)
    return _checked(_plain(measurement)), tags


def _unbroken(text: str, at: int, end: int) -> str:
    """Returns the part up to the first blank that no backslash keeps."""
    found = _SERIES.match(text, at, end)
    return "" if found is None else found[0]


def _fields(part: str) -> list[Field]:
    """Reads fields without texts."""
    if "\\" in part:
        return _with_texts(part, 0, len(part))[0]
    found = []
    for pair in part.split(","):
        name, equals, value = pair.partition("=")
        found.append(_field(name, equals, value))
    return found


def _with_texts(text: str, at: int, end: int) -> tuple[list[Field], int, int]:
    """Reads fields that may have texts. Returns the fields, the position behind them, and the end of the line."""
    found: list[Field] = []
    while True:
        name = _NAME.match(text, at, end)
        at = at if name is None else name.end()
        equals = text[at : at + 1] == "=" and "="
        at += bool(equals)
        if text[at : at + 1] == '"' and at < end:
            value = _TEXT.match(text, at)
            if value is None:
                raise _LineError("a text is not closed by a quote")
            if value.end() > end:
                end = text.find("\n", value.end())
                end = len(text) if end < 0 else end
            if "\0" in value[0]:
                raise _LineError("a text has a NUL character")
        else:
            value = _BARE.match(text, at, end)
        found.append(_field("" if name is None else name[0], equals or "", "" if value is None else value[0]))
        at = at if value is None else value.end()
        following = text[at : at + 1] if at < end else ""
        if following != ",":
            if following not in ("", " ", "\t", "\r"):
                raise _LineError(f"field {_shown(found[-1][0])} goes on after its value")
            return found, at, end
        at += 1


def _field(name: str, equals: str, value: str) -> Field:
    if not name:
        raise _LineError("missing field key")
    if not equals or not value:
        raise _LineError(f"missing field value of {_shown(name)}")
    return _checked(_plain(name)), *_value(name, value)


def _value(name: str, text: str) -> tuple[Dtype, Scalar]:
    if text[0] == '"':
        return Dtype.STRING, _QUOTED.sub(r"\1", text[1:-1])
    if (known := _BOOLEANS.get(text)) is not None:
        return Dtype.BOOLEAN, known
    kind = text[-1]
    if kind in "iu" and _INTEGER.fullmatch(text[:-1]):
        whole = int(text[:-1])
        low, high = (-(2**63), 2**63) if kind == "i" else (0, 2**64)
        if not low <= whole < high:
            raise _LineError(f"field {_shown(name)}: {text} is out of range")
        return Dtype.INT, whole
    if not _FLOAT.fullmatch(text):
        raise _LineError(f"field {_shown(name)}: invalid value {_shown(text)}")
    value = float(text)
    if not math.isfinite(value):
        raise _LineError(f"field {_shown(name)}: {_shown(text)} is out of range")
    return Dtype.FLOAT, value


def _plain(text: str) -> str:
    return _KEPT.sub(r"\1", text) if "\\" in text else text


def _checked(name: str) -> str:
    if len(name) > MOST_NAME:
        raise _LineError(f"the name {_shown(name)} has more than {MOST_NAME} characters")
    return name


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
