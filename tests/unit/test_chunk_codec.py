"""Chunks give every value back bit by bit, whole and in part, and tell where their bytes were damaged."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from tests.integration.test_cold import KINDS, values

from atlas.timeseries.cold import chunk_codec
from atlas.timeseries.cold.chunk_codec import DamagedError, decode, decode_times, encode
from atlas.timeseries.columns import Dtype

DTYPES = {pa.int64(): Dtype.INT, pa.float64(): Dtype.FLOAT, pa.bool_(): Dtype.BOOLEAN, pa.string(): Dtype.STRING}


def bits(column: pa.Array) -> list[object]:
    """The values of a column, floats as their bits."""
    cells: list[object] = column.to_pylist()
    return pa.array(cells, pa.float64()).view(pa.int64()).to_pylist() if pa.types.is_floating(column.type) else cells


@pytest.mark.parametrize("seed", range(12))
def test_every_value_comes_back(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(seed)
    monkeypatch.setattr(chunk_codec, "CHUNK_ROWS", source.choice([700, 5_000]))
    monkeypatch.setattr(chunk_codec, "GROUP_ROWS", source.choice([100, 999]))
    rows = source.randrange(1, 9_000)
    micros = [source.randrange(10**15) if seed % 3 == 0 else 10**15 + n * 7_000_000 for n in range(rows)]
    columns = {f"c{at}": values(source, kind, rows) for at, kind in enumerate(KINDS) if source.random() < 0.7}
    table = pa.table({"_seq": np.arange(rows), "ts": pa.array(micros).cast(pa.timestamp("us", "UTC")), **columns})
    chunks = list(encode(table, {name: name[1:] for name in columns}))
    order = sorted(range(rows), key=lambda at: (micros[at], at))
    assert sum(chunk.rows for chunk in chunks) == rows
    low, high = sorted(source.choice(micros) for _ in range(2))
    for bounds in ((0, 2**62), (low, high)):
        wanted = [at for at in order if bounds[0] <= micros[at] <= bounds[1]]
        times: list[int] = []
        found: dict[str, list[object]] = {name: [] for name in columns}
        for chunk in chunks:
            parts = {part.name: part.body for part in chunk.parts}
            taken, some = decode_times(parts["t"], *bounds)
            times += some.tolist()
            assert chunk.low_ts <= chunk.high_ts
            for name, column in columns.items():
                part = parts.get(name[1:])
                found[name] += [None] * len(some) if part is None else bits(decode(part, taken, DTYPES[column.type]))
        assert times == [micros[at] for at in wanted]
        for name, column in columns.items():
            assert found[name] == bits(column.take(pa.array(wanted, pa.int64()))), name


def test_bounds_are_those_of_the_values() -> None:
    numbers = [None, 3, 2**53 + 1, -(2**63)]
    table = pa.table(
        {
            "_seq": pa.array(range(4)),
            "ts": pa.array([1_000, 0, 2_000_000, 5], pa.timestamp("us", "UTC")),
            "i": pa.array(numbers, pa.int64()),
            "f": pa.array([1.5, None, -0.0, 2.25]),
            "n": pa.array([1.5, None, float("nan"), 2.25]),
        }
    )
    (chunk,) = encode(table, {"i": "1", "f": "2", "n": "3"})
    known = {part.name: part for part in chunk.parts}
    assert (chunk.rows, chunk.low_seq, chunk.high_seq, chunk.low_ts, chunk.high_ts) == (4, 0, 3, 0, 2_000_000)
    assert chunk.digits == 6
    assert known["1"].low is not None
    assert known["1"].high is not None
    assert known["1"].low <= -(2**63)
    assert int(known["1"].high) >= 2**53 + 1
    assert (known["2"].low, known["2"].high, known["2"].nulls) == (0.0, 2.25, 1)
    assert (known["3"].low, known["3"].high) == (None, None)


def test_sizes() -> None:
    """Prices in cents take a fraction of eight bytes, random floats no more than eight and a little."""
    rows = 50_000
    random_numbers = np.random.default_rng(1)
    close = np.round(100 + np.cumsum(random_numbers.normal(size=rows)) / 10, 2)
    table = pa.table(
        {
            "_seq": np.arange(rows),
            "ts": pa.array(np.arange(rows) * 1_000_000).cast(pa.timestamp("us", "UTC")),
            "cents": close,
            "around zero": close - 100.0,
            "full": random_numbers.normal(size=rows),
        }
    )
    sizes = {"1": 0, "2": 0, "3": 0, "t": 0, "n": 0}
    for chunk in encode(table, {"cents": "1", "around zero": "2", "full": "3"}):
        for part in chunk.parts:
            sizes[part.name] += len(part.body)
    assert sizes["1"] < 1.1 * rows
    assert sizes["3"] < 8.1 * rows
    assert sizes["t"] + sizes["n"] < 0.1 * rows


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9, 0.99])
def test_damaged_bytes_are_told(at: float) -> None:
    rows = 20_000
    table = pa.table(
        {
            "_seq": np.arange(rows),
            "ts": pa.array(np.arange(rows) * 1_000_000).cast(pa.timestamp("us", "UTC")),
            "full": np.random.default_rng(1).normal(size=rows),
        }
    )
    (chunk,) = encode(table, {"full": "1"})
    known = {part.name: part.body for part in chunk.parts}
    taken, _ = decode_times(known["t"], 0, 2**62)
    body = bytearray(known["1"])
    body[int(len(body) * at)] ^= 0xFF
    with pytest.raises(DamagedError):
        decode(bytes(body), taken, Dtype.FLOAT)
