"""Rows for a column store: every value comes back, from as few columns as there can be."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from atlas.timeseries.cold.timescale_codec import CHUNK_ROWS, SPANS, chunk_span, decimal_part, encode

KEYS = {"n": "1", "price": "2", "city": "3", "ok": "4", "_extra": "e"}
FLOATS = st.one_of(
    st.floats(), st.integers(-(10**12), 10**12).map(lambda cents: cents / 100), st.sampled_from([-0.0, 0.0, 0.1, 1e300])
)


def rows(**columns: Any) -> pa.Table:
    count = max(len(column) for column in columns.values())
    stamps = pa.array(range(count)).cast(pa.timestamp("us", "UTC"))
    return pa.table({"_seq": pa.array(range(1, count + 1)), "ts": stamps, **columns})


def stored(held: Collection[str] = (), **columns: Any) -> pa.Table:
    table = rows(**columns)
    return encode(table, {name: key for name, key in KEYS.items() if name in columns}, held)


def bits(values: pa.Array) -> list[int | None]:
    return [None if value is None else int(np.float64(value).view(np.int64)) for value in values.to_pylist()]


def decoded(found: pa.Table, key: str) -> list[int | None]:
    """What the view's coalesce() gives, as bits."""
    values: list[int | None] = [None] * len(found)
    parts = [(decimal_part(key, digits), 10**digits) for digits in range(10)] + [(f"f{key}", None)]
    for name, scale in parts:
        if name not in found.column_names:
            continue
        for row, value in enumerate(found[name].to_pylist()):
            if value is not None:
                assert values[row] is None, "one value, one part"
                values[row] = int(np.float64(value if scale is None else value / scale).view(np.int64))
    return values


@given(st.lists(st.none() | FLOATS, min_size=1, max_size=50), st.sets(st.integers(0, 9)))
def test_floats_come_back_bit_for_bit(values: list[float | None], held: set[int]) -> None:
    price = pa.array(values, pa.float64())
    found = stored({decimal_part("2", digits) for digits in held}, price=price)
    assert decoded(found, "2") == bits(price)


def test_other_values_stay() -> None:
    columns = {
        "n": pa.array([None, -(2**63), 2**63 - 1]),
        "city": pa.array(["", None, "Å"]),
        "ok": pa.array([True, None, False]),
        "_extra": pa.array(['{"a":[1]}', None, None]),
        "unknown": pa.array([1, 2, 3]),
    }
    found = stored(**columns)
    assert found.column_names == ["_seq", "ts", "b1", "c3", "o4", "ce"]
    for name, part in (("n", "b1"), ("city", "c3"), ("ok", "o4"), ("_extra", "ce")):
        assert found[part].to_pylist() == columns[name].to_pylist()


def test_columns_without_values_have_no_part() -> None:
    assert stored(n=pa.nulls(2, pa.int64()), price=pa.nulls(2, pa.float64())).column_names == ["_seq", "ts"]


def test_decimals_have_the_fewest_digits_or_those_that_are_there() -> None:
    cents = pa.array([1.25, 99.5, -3.0])
    assert stored(price=cents).column_names[2:] == ["d2_2"]
    assert stored(price=cents)["d2_2"].to_pylist() == [125, 9950, -300]
    assert stored(["d4_2", "d1_2"], price=cents).column_names[2:] == ["d4_2"]
    assert stored(["d1_2"], price=cents).column_names[2:] == ["d2_2"]


def test_what_is_no_decimal_is_a_column_of_its_own() -> None:
    dirty = pa.array([0.5, math.nan, 1.5, None, 1 / 3, 2.5, math.inf, 3.5, -0.0, 4.5])
    found = stored(price=dirty)
    assert found.column_names[2:] == ["d1_2", "f2"]
    assert found["f2"].null_count == 6
    assert stored(price=pa.array(np.random.default_rng(1).normal(size=100))).column_names[2:] == ["f2"]


def span_of(micros: Any) -> timedelta:
    return chunk_span(pa.chunked_array([pa.array(micros).cast(pa.timestamp("us", "UTC"))]))


def test_chunks_hold_some_millions_of_rows() -> None:
    second = 1_000_000
    assert span_of(np.arange(100_000) * second) == timedelta(days=30)
    assert span_of(np.arange(100_000) * 60 * second) == timedelta(days=365)
    assert span_of(np.arange(1_000) * 3_600 * second) == timedelta(days=365)
    assert span_of(np.arange(100_000)) == timedelta(minutes=1)
    assert span_of([7]) == SPANS[0]
    assert span_of(np.zeros(10, np.int64)) == SPANS[0]


def test_chunks_are_few_however_times_lie() -> None:
    spread = np.random.default_rng(1).integers(-62_135_596_800_000_000, 253_402_300_799_999_999, 1_000)
    assert span_of(spread) >= timedelta(days=36_500)
    dense = np.concatenate([np.arange(100_000), spread[:100]])
    width = span_of(dense) // timedelta(microseconds=1)
    assert len(np.unique(dense // width)) <= 20
    late = np.concatenate([10**15 + np.arange(100_000) * 1_000_000, [0, 10]])
    assert span_of(late) == timedelta(days=30)
    assert CHUNK_ROWS >= 1_000_000
