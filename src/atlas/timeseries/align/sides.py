"""The datasets of an alignment as they are now: which columns are read, joined by, and given out under which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from atlas.errors import BadRequestError
from atlas.timeseries.align.model import AlignedDataset, AlignRequest, Side
from atlas.timeseries.columns import Column
from atlas.timeseries.read.service import select_columns
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.series.conditions import Written, group_columns


def conditions_of(request: AlignRequest, one: AlignedDataset, keys: Sequence[str]) -> list[Written]:
    """Returns the conditions on a dataset: its own, and those of the request on keys that it has."""
    return [*one.where, *(each for each in request.where if each.name in keys)]


def refuse_unused(request: AlignRequest, shots: Sequence[Snapshot]) -> None:
    """Raises BadRequestError where a condition of the request is on a key that no dataset has."""
    for each in request.where:
        if not any(each.name in shot.keys for shot in shots):
            raise BadRequestError("Invalid parameter", f"where: {each.name[:60]!r} is a key of none of the datasets")


def keys_of(request: AlignRequest, shot: Snapshot, *, clock: bool) -> list[Column]:
    """Returns the columns that a dataset is joined by. Without keys there are none, and each series gets its rows.

    Raises BadRequestError: when it lacks one of the keys, or has others, whose series would be mixed.
    """
    if not shot.keys and not clock:
        return []
    found = group_columns(request.by, shot.keys, shot.columns)
    pinned = {one.column.name for one in shot.selection.conditions if one.column is not None and len(one.values) == 1}
    mixed = [key for key in shot.keys if key not in request.by and key not in pinned]
    if mixed and not clock:
        reason = f"dataset {shot.dataset_id} has the keys {', '.join(mixed)}; name them, or choose one series by where"
        raise BadRequestError("Invalid parameter", f"by: {reason}")
    return found


def columns_of(one: AlignedDataset, shot: Snapshot) -> list[Column]:
    """Returns the wanted columns of a dataset.

    Raises BadRequestError: when there is no such column, or one holds values of several kinds.
    """
    columns = select_columns(shot.columns, one.names)
    loose = next((column.name for column in columns if column.physical is None), None)
    if loose is not None:
        reason = f"{loose[:60]!r} of dataset {one.dataset} holds values of several kinds; name the columns to align"
        raise BadRequestError("Invalid parameter", f"columns: {reason}")
    return columns


def prefixes(datasets: Sequence[int], names: Mapping[int, str]) -> dict[int, str]:
    """Returns what stands before the names of columns of each dataset: its name, with its id where names are equal."""
    counts = Counter(names[one] for one in datasets)
    return {one: f"{names[one]}." if counts[names[one]] == 1 else f"{names[one]}_{one}." for one in datasets}


def refuse_unlike(sides: Sequence[Side], by: Sequence[str]) -> None:
    """Raises BadRequestError where a key has values of different types in two datasets."""
    for place, name in enumerate(by):
        kinds = {side.keys[place].dtype.value for side in sides if len(side.keys) > place}
        if len(kinds) > 1:
            types = " and ".join(sorted(kinds))
            raise BadRequestError("Invalid parameter", f"by: {name[:60]!r} is {types} in the datasets")
