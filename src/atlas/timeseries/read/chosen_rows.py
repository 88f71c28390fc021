"""Rows of chunks that are of selected series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.timeseries.cold.chunk_codec import Flags, Ints, Slice, part_name
from atlas.timeseries.cold.chunk_rows import Bounds, ChunkColumn, ChunkParts, decode_pieces, decode_rows
from atlas.timeseries.series.conditions import Selection


def key_parts(selection: Selection) -> list[str]:
    """Returns the parts of chunks that tell whether rows are selected."""
    return [part_name(one.column) for one in selection.conditions if one.column is not None]


def chosen(chunk: ChunkParts, bounds: Bounds, selection: Selection) -> tuple[Slice, Ints, Ints]:
    """Returns the slice of a chunk within bounds, and times and numbers of its selected rows.

    Raises DamagedChunkError.
    """
    taken, micros, numbers, mask = chunk.rows(bounds)
    if not selection or not len(micros):
        return taken, micros, numbers
    kept = _mask(chunk, taken, selection)
    kept = kept if mask is None else kept[mask]
    return taken, micros[kept], numbers[kept]


def decode_chosen(
    chunks: Sequence[ChunkParts], columns: Sequence[ChunkColumn], bounds: Bounds, selection: Selection
) -> Iterator[pa.Table]:
    """Yields the selected rows of chunks within bounds: `ts`, `_seq`, and the wanted columns.

    Raises DamagedChunkError.
    """
    if not selection:
        yield from decode_rows(chunks, columns, bounds)
        return
    for chunk in chunks:
        taken, micros, _, mask = chunk.rows(bounds)
        if not len(micros):
            continue
        kept = _mask(chunk, taken, selection)
        kept = kept if mask is None else kept[mask]
        if kept.any():
            for table in decode_rows([chunk], columns, bounds):
                yield table.filter(pa.array(kept))


def decode_chosen_pieces(
    chunks: Sequence[ChunkParts], columns: Sequence[ChunkColumn], pieces: Sequence[Bounds], selection: Selection
) -> Iterator[pa.Table]:
    """Yields the selected rows of chunks within any of many disjoint bounds. Raises DamagedChunkError."""
    yield from decode_pieces(
        chunks, columns, pieces, lambda chunk, taken: _mask(chunk, taken, selection) if selection else None
    )


def _mask(chunk: ChunkParts, taken: Slice, selection: Selection) -> Flags:
    """Marks the selected rows of a slice."""
    kept: Flags = np.ones(taken.end - taken.start, np.bool_)
    for one in selection.conditions:
        values = None if one.column is None else chunk.values(part_name(one.column), taken, one.column.dtype)
        if values is None:
            return np.zeros(len(kept), np.bool_)
        wanted = pa.array(one.values).cast(values.type)
        kept &= pc.is_in(values, wanted).to_numpy(zero_copy_only=False)
    return kept
