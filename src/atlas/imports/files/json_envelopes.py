"""Finds the records in a JSON file that is one object: a list within, objects by key, or the object itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from atlas.errors import BadRequestError

# Objects nested deeper than this level are not searched for records.
_DEPTH = 4
_SHOWN = 5
_COLUMNS, _ROWS = "columns as lists of one length", "names of columns beside rows"
# Keys of lists beside the records: of columns, of further pages, of what went wrong.
_DESCRIBING = frozenset(
    ("schema", "fields", "columns", "meta", "metadata", "links", "_links", "errors", "warnings", "included", "facets")
)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class _Place:
    """Records below the keys `trail`.

    text: the records as a JSON array.
    how: a note on objects that are no list.
    """

    trail: tuple[str, ...]
    text: bytes
    how: str = ""

    @property
    def label(self) -> str:
        return repr(".".join(self.trail)) if self.trail else "the file"

    @property
    def describes(self) -> bool:
        """Whether the keys say that these objects describe other records: their columns, pages or errors."""
        return not _DESCRIBING.isdisjoint(key.lower() for key in self.trail)

    def count(self) -> int:
        return len(_LIST.decode(self.text))


def find_records(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """Returns the records of an object as a JSON array, and notes on the place of the records and on the object's other
    contents.

    Of several lists of objects the longest text is read, and one that describes others only if there is no other.
    Raises BadRequestError: when the data is not valid JSON.
    """
    try:
        places, others = _search(data, _Objects(name))
        if not places:
            return b"[" + data + b"]", []
        best = max(places, key=lambda place: (not place.describes, len(place.text)))
        return best.text, _notes(best, [place for place in places if place is not best], others)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid file", f"{name}: not valid JSON ({error})") from None


class _Key(str):
    """A key of its own type, so that the decoder reports each key."""

    __slots__ = ()


class _Objects:
    """Decodes objects into members with their original texts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._keys: list[str] = []
        self._decoder = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=self._seen)

    def _seen(self, _: type, key: str) -> _Key:
        self._keys.append(key)
        return _Key(key)

    def decode(self, text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
        """Decodes the members of an object.

        Raises BadRequestError: when a key is repeated, as one value would be lost.
        """
        self._keys.clear()
        found = self._decoder.decode(text)
        if len(found) < len(self._keys):
            again, _ = Counter(self._keys).most_common(1)[0]
            raise BadRequestError("Invalid file", f"{self._name}: an object has the key {again!r} twice")
        return {str(key): value for key, value in found.items()}


def _search(data: bytes, objects: _Objects) -> tuple[list[_Place], list[str]]:
    """Finds all places with records, and the keys of the other contents."""
    places: list[_Place] = []
    others: list[str] = []
    queue: list[tuple[tuple[str, ...], bytes]] = [((), data)]
    while queue:
        trail, text = queue.pop(0)
        members = objects.decode(text)
        place = _by_key(trail, members, objects) or _by_position(trail, members)
        if place is not None:
            places.append(place)
            continue
        for key, value in members.items():
            raw = bytes(value).strip()
            if raw[:1] == b"[" and raw[1:].lstrip()[:1] == b"{":
                places.append(_Place((*trail, key), raw))
            elif raw[:1] == b"{" and len(trail) < _DEPTH:
                queue.append(((*trail, key), raw))
            else:
                others.append(".".join((*trail, key)))
    return places, others


def _by_key(trail: tuple[str, ...], members: dict[str, msgspec.Raw], objects: _Objects) -> _Place | None:
    """Returns the members as records if all are objects of similar shape with plain values, else None."""
    if len(members) < 2 or any(bytes(value).lstrip()[:1] != b"{" for value in members.values()):
        return None
    records = {key: objects.decode(value) for key, value in members.items()}
    shapes = [frozenset(record) for record in records.values()]
    every = frozenset[str]().union(*shapes)
    common = frozenset(key for key in every if 2 * sum(key in shape for shape in shapes) > len(shapes))
    if not common or 2 * sum(map(len, shapes)) < len(every) * len(shapes) or not _has_values(records, common):
        return None
    if len(every) > 1 and every == {str(number) for number in range(len(every))} and common == every:
        return _Place(trail, _turned(records), "columns of numbered values")
    label = next(text for text in ("key", "_key", "__key") if text not in every)
    return _Place(trail, b"[" + b",".join(_keyed(label, members)) + b"]", f"objects by key; the key is in {label!r}")


def _by_position(trail: tuple[str, ...], members: dict[str, msgspec.Raw]) -> _Place | None:
    """Returns columns as records: lists of plain values of one length, or names beside a list of rows; else None."""
    lists = {key: bytes(value).strip() for key, value in members.items()}
    if len(lists) < 2 or any(text[:1] != b"[" for text in lists.values()):
        return None
    columns = {key: _LIST.decode(text) for key, text in lists.items()}
    if "columns" in columns and "data" in columns and columns.keys() <= {"columns", "index", "data"}:
        names = msgspec.json.decode(lists["columns"])
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            return None
        rows = [_LIST.decode(row) for row in columns["data"] if bytes(row).lstrip()[:1] == b"["]
        if len(rows) < len(columns["data"]) or any(len(row) != len(names) for row in rows):
            return None
        return _Place(trail, _records(dict(zip(names, column, strict=True)) for column in rows), _ROWS)
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1 or max(lengths) < 2 or any(_holds(value) for column in columns.values() for value in column):
        return None
    rows_of = zip(*columns.values(), strict=True)
    return _Place(trail, _records(dict(zip(columns, row, strict=True)) for row in rows_of), _COLUMNS)


def _holds(value: msgspec.Raw) -> bool:
    return bytes(value).lstrip()[:1] in (b"{", b"[")


def _records(rows: Iterable[dict[str, msgspec.Raw]]) -> bytes:
    return msgspec.json.encode(list(rows))


def _has_values(records: dict[str, dict[str, msgspec.Raw]], common: frozenset[str]) -> bool:
    """Checks whether a common member is a plain value, which lists and their envelopes lack."""
    return any(not _holds(record[key]) for record in records.values() for key in common if key in record)


def _keyed(label: str, members: dict[str, msgspec.Raw]) -> Iterator[bytes]:
    start = b"{" + msgspec.json.encode(label) + b":"
    for key, value in members.items():
        rest = bytes(value).strip()[1:]
        comma = b"" if rest.lstrip()[:1] == b"}" else b","
        yield start + msgspec.json.encode(key) + comma + rest


def _turned(columns: dict[str, dict[str, msgspec.Raw]]) -> bytes:
    """Converts columns, which hold their values by the number of the record, to records."""
    count = max(len(column) for column in columns.values())
    rows = [
        {name: column[str(number)] for name, column in columns.items() if str(number) in column}
        for number in range(count)
    ]
    return msgspec.json.encode(rows)


def _notes(best: _Place, left: list[_Place], others: list[str]) -> list[str]:
    notes = []
    if best.how:
        where = f"{best.label} holds" if best.trail else "the file holds"
        notes.append(f"{where} {best.how}: each is a record")
    else:
        notes.append(f"read the records in {best.label}")
    if left:
        listed = ", ".join(f"the {place.count():,} in {place.label}" for place in left[:_SHOWN])
        more = f" and {len(left) - _SHOWN} more lists" if len(left) > _SHOWN else ""
        notes.append(
            f"the {best.count():,} records in {best.label} were read, not {listed}{more}; "
            "send those in a file of their own"
        )
    if others:
        listed = ", ".join(map(repr, others[:_SHOWN])) + (
            f" and {len(others) - _SHOWN} more" if others[_SHOWN:] else ""
        )
        notes.append(f"left out, as it stands beside the records: {listed}")
    return notes
