"""The depth of JSON, measured in bytes."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.kit.json_depth import MAX_DEPTH, DepthScanner, pruned, too_deep
from atlas.timeseries.ingest import json_arrow
from atlas.timeseries.ingest.json_positions import dataset_of

TRICKY = st.text(alphabet='[]{}"\\ax\u00e9, :', max_size=8)
VALUES = st.recursive(
    st.one_of(TRICKY, st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TRICKY, inner, max_size=4)),
    max_leaves=30,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def scanned(pieces: list[bytes], limit: int) -> bool:
    scanner = DepthScanner(limit)
    return sum(scanner.feed(piece) for piece in pieces) > 0


@settings(max_examples=300, deadline=None)
@given(VALUES, st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_the_limit_is_exact_wherever_the_bytes_are_cut(value: Any, places: list[int], ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    bounds = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(bounds)]
    depth = depth_of(value)
    assert not scanned(pieces, depth)
    assert not too_deep(data, depth)
    if depth:
        assert scanned(pieces, depth - 1)
        assert too_deep(data, depth - 1)


@pytest.mark.parametrize("size", [0, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('["]]]]",', "]"), ('[[],{"]":0},', "]")])
def test_deep_json_of_any_kind_is_seen(opening: str, closing: str, size: int) -> None:
    def nested(depth: int) -> bytes:
        text = opening * depth + "0" + closing * depth
        return json.dumps(["x" * size]).encode()[:-1] + b"," + text.encode() + b"]"

    # Of the last kind each has neighbours that nest one deeper.
    assert not too_deep(nested(MAX_DEPTH - 2))
    assert too_deep(nested(MAX_DEPTH))
    assert too_deep(nested(50_000))


@pytest.mark.parametrize("closed", ["]" * 300, "}" * 300, '"' + "]" * 300 + '"', "\\]" * 300])
def test_what_closes_too_much_makes_no_room(closed: str) -> None:
    assert too_deep(f"{closed}\n{'[' * 201}".encode())


@pytest.mark.parametrize("text", ["[" * 5000, '"' + "{[" * 5000, "\\" * 5000 + "[" * 500, '\\"' + "[" * 500])
def test_brackets_in_texts_do_not_count(text: str) -> None:
    assert not too_deep(json.dumps({"a": [text], text: text}).encode())


def test_pruned_keeps_all_but_what_is_deeper() -> None:
    deep: Any = ["kept", {"deeper": 1}]
    for _ in range(MAX_DEPTH - 1):
        deep = [deep, "]["]
    found = json.loads(pruned(json.dumps({"a": deep, "b": [1]}).encode()))
    assert found["b"] == [1]
    inner = found["a"]
    for _ in range(MAX_DEPTH - 2):
        assert inner[1] == "]["
        inner = inner[0]
    assert inner[0].startswith("nested deeper than")
    assert pruned(b'{"a": [1]}') == b'{"a": [1]}'


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"dataset":7,"rows":[[[', 7),
        ('{"rows":[{"dataset":1}], "dataset" : 8 }', 8),
        ('{"x":"\\"dataset\\":1",', None),
        ('{"dataset":"7"}', None),
        ('[{"dataset":7}]', None),
        ('{"a":{"dataset":7}}', None),
    ],
)
def test_the_dataset_of_a_body_that_cannot_be_decoded(body: str, named: int | None) -> None:
    assert dataset_of(body.encode()) == named


def test_measuring_a_bulk_body_is_a_fraction_of_decoding_it() -> None:
    rows = [
        {"timestamp": f"2025-01-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z", "values": {"a": n, "b": n / 7}}
        for n in range(20_000)
    ]
    body = json.dumps({"rows": rows}).encode()

    def seconds(work: Any) -> float:
        taken = []
        for _ in range(5):
            started = time.process_time()
            work(body)
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(too_deep) < 0.25 * seconds(json_arrow.decode)
