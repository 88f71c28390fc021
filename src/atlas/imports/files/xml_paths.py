"""Paths of element names in XML files: the contents of their elements, and the names of columns and JSON keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

_SHOWN = 8


class ElementPath:
    """A path of element names with the contents of its elements and, later, their columns."""

    __slots__ = (
        "attributes",
        "children",
        "count",
        "depth",
        "inner",
        "key",
        "listed",
        "local",
        "members",
        "name",
        "parent",
        "repeats",
        "samples",
        "seen",
        "separated",
        "value",
    )

    def __init__(self, name: str, parent: ElementPath | None) -> None:
        self.name, self.parent = name, parent
        self.local = local(name)
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.count = 0
        # Whether one parent has several such elements, and the number of the parent of the last element.
        self.repeats, self.seen = False, -1
        # Whether some text contains the separator of list items.
        self.separated = False
        self.children: dict[str, ElementPath] = {}
        self.attributes: dict[str, int] = {}
        # Values of the first element: its attributes, and under "" its text.
        self.samples: dict[str, str] = {}
        # The column of the text of a plain element, and of an element with children. -1: no column yet.
        self.value: int | None = None
        self.inner: int | None = None
        # The column of a JSON list, and the keys in JSON: of the element, of its attributes, and under "" of its text.
        self.listed: int | None = None
        self.key = self.local
        self.members: dict[str, str] = {}

    @property
    def is_plain(self) -> bool:
        """Whether the elements hold text only."""
        return not self.children and not self.attributes

    def labels(self) -> dict[str, str]:
        """Returns the names of the children without namespace, or with the prefix where two names would be equal."""
        times = Counter(child.local for child in self.children.values())
        return {
            name: name.replace(":", "_") if times[child.local] > 1 else child.local
            for name, child in self.children.items()
        }


class UniqueNames:
    """A set of names that gives each name once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def add(self, name: str) -> str:
        """Returns the name, with a number behind if the name is taken."""
        found = name
        while found in self._taken:
            number = self._numbers[name] = self._numbers.get(name, 1) + 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found


def local(name: str) -> str:
    """Returns a name without the prefix of its namespace."""
    return name.rpartition(":")[2]


def name_members(path: ElementPath) -> None:
    """Assigns unique JSON keys to the contents of a path's elements."""
    names, labels = UniqueNames(), path.labels()
    path.members = {name: names.add(local(name)) for name in path.attributes}
    for name, child in path.children.items():
        child.key = names.add(labels[name])
        name_members(child)
    path.members[""] = names.add("text")


def outside_notes(record: ElementPath) -> list[str]:
    """Writes a sentence on the contents outside the records, which are not read, with their values.

    An empty list: no such contents.
    """
    chain = [record]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    found = [item for inner, outer in pairwise(chain) for item in _beside(outer, inner)]
    if not found:
        return []
    shown = list(dict.fromkeys(found))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return [f"not read, as it stands outside of the <{record.local}> records: {', '.join(shown[:_SHOWN])}{more}"]


def _beside(outer: ElementPath, inner: ElementPath) -> Iterator[str]:
    """Yields descriptions of what `outer` holds besides `inner`, with what is within its elements."""
    for key in outer.attributes:
        yield f"{local(key)} of <{outer.local}> = {outer.samples.get(key, '')!r}"
    if outer.inner is not None:
        yield f"the text of <{outer.local}>"
    for child in outer.children.values():
        if child is inner:
            continue
        if child.count > 1:
            yield f"{child.count:,} <{child.local}>"
        elif child.is_plain:
            yield f"<{child.local}> = {child.samples.get('', '')!r}"
        else:
            inside = list(_beside(child, child))[:_SHOWN]
            yield f"<{child.local}>" + (f" ({', '.join(inside)})" if inside else "")
