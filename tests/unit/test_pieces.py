"""Bodies cut into pieces decode to the same rows, however they arrive."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from atlas.errors import BadRequestError
from atlas.timeseries.ingest import json_arrow
from atlas.timeseries.ingest.json_splitter import RowPieces

ROW = {"timestamp": "2025-01-01T00:00:00Z", "values": {}}
TRICKY = st.sampled_from(["x", '},{"timestamp":', '}},{"values":{', '"', "\\", "]}", "{"]) | st.integers() | st.none()
VALUES = st.dictionaries(st.sampled_from("abc"), TRICKY | st.just([ROW, ROW]) | st.just({"rows": [ROW]}), max_size=3)


def decode(body: bytes, size: int, step: int) -> tuple[list[Any], object]:
    """Feeds `body` in steps, decodes as the service does, and gives each row's extra and columns."""
    pieces, rows = RowPieces(size), []
    for start in range(0, len(body), step):
        piece = pieces.feed(body[start : start + step])
        if piece is not None:
            try:
                frame, _ = json_arrow.decode(piece)
            except BadRequestError:
                pieces.put_back([piece])
            else:
                rows += values_of(frame)
    frame, dataset = json_arrow.decode(pieces.rest())
    return rows + values_of(frame), pieces.dataset if dataset is None else dataset


def values_of(frame: Any) -> list[dict[str, Any]]:
    found = []
    for index in range(len(frame)):
        row = {k: a[index].as_py() for k, a in frame.columns.items() if a[index].is_valid}
        if frame.extra is not None and frame.extra[index].is_valid:
            row |= json.loads("{" + frame.extra[index].as_py() + "}")
        found.append(row)
    return found


@given(
    st.lists(VALUES, max_size=12),
    st.integers(20, 400),
    st.integers(1, 200),
    st.booleans(),
    st.sampled_from(["", " ", "\n"]),
)
def test_any_cutting_gives_the_same_rows(
    values: list[dict[str, Any]], size: int, step: int, dataset_last: bool, space: str
) -> None:
    rows = [{"timestamp": "2025-01-01T00:00:00Z", "values": v} for v in values]
    data = {"rows": rows, "dataset": 7} if dataset_last else {"dataset": 7, "rows": rows}
    body = json.dumps(data, separators=("," + space, ":" + space)).encode()
    found, dataset = decode(body, size, step)
    assert (found, dataset) == (values, 7)
