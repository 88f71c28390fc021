"""What is quick in reading CSV bodies is as careful as what it stands for."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.readers.csv_rows import _may_lose_digits, read_csv

SLOW = re.compile(rb'(?:^|[,\n"])[+-]?0\d|(?:^|[,\n"])\+\d', re.MULTILINE)


@given(st.text(alphabet='0123+-.,"\na', max_size=40).map(str.encode))
def test_leading_zeros_and_plus_signs_are_found(block: bytes) -> None:
    assert _may_lose_digits(block) == (SLOW.search(block) is not None)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-05T10:00:00Z", 1767607200000000), ("2026-01-05", 1767571200000000),
        ("Jan 5 2026", 1767571200000000), ("5 Jan 2026", 1767571200000000), ("2026/01/05", 1767571200000000),
        ("2026/01/05 10:00:00", 1767607200000000), ("20260105T100000Z", 1767607200000000),
    ],
)  # fmt: skip
def test_timestamps_of_any_known_form(text: str, micros: int) -> None:
    body = io.BytesIO(f"timestamp,a\n{text},1\n{text},2\n".encode())
    (frame,) = read_csv(body, None, None)
    assert frame.ts.cast("int64").to_pylist() == [micros, micros]
