"""Members that JSON rows have twice, of which decoders keep the last: refused by every way that rows are decoded."""

from __future__ import annotations

import io
from codecs import BOM_UTF8

import pytest

from atlas.errors import AtlasError
from atlas.timeseries.ingest import json_arrow, json_exact, json_small, ndjson_rows
from atlas.timeseries.ingest.json_splitter import RowPieces

STAMP = '"timestamp":"2025-01-01T00:00:00Z"'
ROW = f'{{{STAMP},"values":{{"z":0}}}}'
# The rows of a body, and what is said of them.
TWICE = {
    '{%s,"values":{"a":1,"a":2}}': "rows[0].values.a",
    '{%s,"values":{"a":1,"b":"x:y,z","a":1}}': "rows[0].values.a",
    '{%s,"values":{"a":null,"a":[1,2]}}': "rows[0].values.a",
    '{%s,"values":{"a":1}},{%s,"values":{"":1,"":2}}': "rows[1].values.",
    '{%s,"values":{"a":1,"\\u0061":2}}': "rows[0].values.a",
    '{%s,"values":{"a":1},"values":{"b":2}}': "rows[0].values",
    '{%s,%s,"values":{"a":1}}': "rows[0].timestamp",
}
ONCE = (
    '{%s,"values":{"a":1,"b":"x:y,z","c:d,e":true}}',
    '{"timestamp":"2025-01-01T00:00:00,5Z","values":{"a":{"x":1,"x":2},"b":[1,{"c":2}],"d\\u002c":null}}',
    '{%s,"values":{}},{"values" : { "a" : 1 , "b" : 2 } , "timestamp" : "2025-01-01" }',
)


def many(rows: str) -> str:
    """The rows as part of a body that is too large for `json_small`."""
    return ",".join([rows, *[ROW] * 400])


def body_of(rows: str, before: str = "") -> bytes:
    return f'{{{before}"rows":[{rows}]}}'.encode()


@pytest.mark.parametrize(("rows", "place"), TWICE.items())
def test_given_twice(rows: str, place: str) -> None:
    rows = rows.replace("%s", STAMP)
    for text in (rows, many(rows)):
        body = body_of(text)
        assert json_small.decode(body) is None
        for decode in (json_arrow.decode, json_exact.decode):
            with pytest.raises(AtlasError) as told:
                decode(body)
            assert told.value.details == f"{place}: given twice"


@pytest.mark.parametrize("rows", ONCE)
def test_given_once(rows: str) -> None:
    rows = rows.replace("%s", STAMP)
    for text in (rows, many(rows)):
        frame, dataset = json_arrow.decode(body_of(text, '"dataset": 5, '))
        assert (dataset, len(frame)) == (5, text.count('"timestamp"'))
    assert json_small.decode(body_of(ONCE[0].replace("%s", STAMP))) is not None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"rows":[%s],"rows":[%s]}', "rows"),
        ('{"dataset":1,"rows":[%s],"dataset":2}', "dataset"),
        ('{"rows":[],"dataset":1,"rows":[%s]}', "rows"),
    ],
)
def test_a_body_has_its_members_once(body: str, name: str) -> None:
    for rows in (ROW, many(ROW)):
        with pytest.raises(AtlasError) as told:
            json_arrow.decode(body.replace("%s", rows).encode())
        assert told.value.details == f"{name}: given twice"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('{%s,"a":1,"a":2}', "rows[1].a"),
        ('{%s,"a":1,%s}', "rows[1].timestamp"),
        ('{%s,"values":{"a":1,"a":2}}', "rows[1].values.a"),
    ],
)
def test_lines(line: str, place: str) -> None:
    good = '{%s,"values":{"a":1}}\n' if "values" in line else '{%s,"a":"x,y"}\n'
    lines = (good + line).replace("%s", STAMP).encode()
    with pytest.raises(AtlasError) as told:
        list(ndjson_rows.read_ndjson(io.BytesIO(lines)))
    assert told.value.details == f"{place}: given twice"


def test_a_mark_before_a_body_is_passed_over() -> None:
    """Windows programs put one before UTF-8."""
    pieces = RowPieces(10_000)
    body = BOM_UTF8 + body_of(many(ROW))
    found = [piece for byte in range(0, len(body), 2) if (piece := pieces.feed(body[byte : byte + 2]))]
    frames = [json_arrow.decode(piece)[0] for piece in (*found, pieces.rest())]
    assert (len(found) > 1, sum(map(len, frames))) == (True, 401)
    for lines in (BOM_UTF8 + ROW.encode(), ROW.encode(), b""):
        assert sum(map(len, ndjson_rows.read_ndjson(io.BytesIO(lines)))) == (1 if lines else 0)
