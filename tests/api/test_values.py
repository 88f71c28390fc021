"""What goes in comes back equal."""

from __future__ import annotations

import gzip
import json
import math
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.conftest import make_dataset

from atlas.timeseries.ingest.json_stream import PIECE_BYTES

pytestmark = pytest.mark.anyio
STAMP = "2025-12-16T10:00:00Z"


async def insert(client: httpx.AsyncClient, dataset: int, rows: list[Any]) -> httpx.Response:
    data = [{"timestamp": stamp, "values": values} for stamp, values in rows]
    return await client.post(
        "/api/rows/bulk_insert/",
        content=json.dumps({"dataset": dataset, "rows": data}),
        headers={"Content-Type": "application/json"},
    )


async def rows_of(client: httpx.AsyncClient, dataset: int) -> list[tuple[str, dict[str, Any]]]:
    response = await client.get(f"/api/rows/?dataset={dataset}&limit=10000")
    assert response.status_code == 200, response.text
    found = json.loads(response.text)["results"]
    nested = await client.get(f"/api/rows/bulk_download/?dataset={dataset}&shape=nested")
    assert [row["values"] for row in json.loads(nested.text)] == [row["values"] for row in found]
    return [(row["timestamp"], row["values"]) for row in found]


def same(left: Any, right: Any) -> bool:
    """Equal, and null, booleans and numbers not taken for each other."""
    if isinstance(left, dict):
        return isinstance(right, dict) and left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return (isinstance(left, bool) == isinstance(right, bool)) and left == right


BATCHES: dict[str, list[list[dict[str, Any]]]] = {
    "numbers": [[{"a": 1, "b": 1.5}, {"a": -1, "b": 1e-300}, {"a": 0, "b": -0.25}]],
    "int64": [[{"a": 2**63 - 1}, {"a": -(2**63)}, {"a": 0}]],
    "past int64": [[{"a": 2**63}, {"a": -(2**70)}, {"a": 10**400}, {"a": 5}]],
    "int past 2^53 beside a fraction": [[{"a": 9007199254740993}, {"a": 1.5}]],
    "int past 2^53, then a fraction": [[{"a": 9007199254740993}], [{"a": 1.5}], [{"a": 2}]],
    "int, then fractions, then int": [[{"a": 1}, {"a": 2}], [{"a": 1.25}], [{"a": 3}]],
    "int, then text, then object": [[{"a": 1}], [{"a": "one"}], [{"a": {"n": 1}}], [{"a": True}], [{"a": None}]],
    "text, then int": [[{"a": "x"}], [{"a": 1}], [{"a": 1.5}], [{"a": False}]],
    "booleans": [[{"a": True, "b": False}], [{"a": 1, "b": 0}], [{"a": "true"}]],
    "mixed in one batch": [[{"a": 1}, {"a": "x"}, {"a": 2.5}, {"a": [1, {"b": None}]}, {"a": None}, {}]],
    "null and absent": [[{"a": None, "b": 1}, {"b": 2}, {"a": 3, "b": None}, {}]],
    "only null": [[{"a": None}], [{}], [{"a": 1}], [{"a": None}]],
    "null in every row": [[{"a": None, "b": None}] * 3],
    "the word null": [[{"null": 1, "a": "null"}, {"null": None, "a": None}, {"a": "nullnull"}]],
    "texts like dates": [[{"a": "2025-01-01"}, {"a": "2025-01-01T00:00:00Z"}], [{"a": "2025-01-01 00:00:00"}]],
    "empty texts": [[{"a": "", "b": " "}, {"a": "0", "b": "007"}]],
    "odd texts": [[{"a": '\u0000 \u001f " \\ / \n é 漢 🎉 \u2028'}, {"a": "'; DROP TABLE x; --"}]],
    "nested": [[{"a": {"b": {"c": [1, 2, {"d": '"}]'}]}}}, {"a": []}, {"a": {}}]],
    "keys": [
        [
            {
                k: n
                for n, k in enumerate(
                    [
                        "",
                        "ts",
                        "TIMESTAMP",
                        "timestamp",
                        "_seq",
                        "_extra",
                        "ctid",
                        "xmin",
                        '"',
                        "'",
                        "a" * 200,
                        "é" * 200,
                        "漢字",
                        "%s",
                        "{}",
                        "a.b",
                        "values",
                        "dataset",
                        "A",
                        "a",
                        "$1",
                        "values.timestamp",
                        "values.values.timestamp",
                        "\\",
                        "c1",
                        "c2",
                        " ",
                        "\n",
                        "🎉",
                        "oid",
                        "null",
                    ]
                )
            }
        ]
    ],
    "text keys": [[{'"; DROP TABLE x; --': "x", "k\u0000": "y"}]],
}


@pytest.mark.parametrize("name", BATCHES)
async def test_round_trip(owner: httpx.AsyncClient, name: str) -> None:
    dataset = await make_dataset(owner)
    for batch in BATCHES[name]:
        response = await insert(owner, dataset, [(STAMP, values) for values in batch])
        assert response.json() == {"inserted": len(batch), "total": len(batch)}, response.text
    expected = [values for batch in BATCHES[name] for values in batch]
    found = [values for _, values in await rows_of(owner, dataset)]
    assert same(found, expected), found
    one = {"dataset": dataset, "timestamp": STAMP, "values": expected[0]}
    single = await owner.post("/api/rows/", content=json.dumps(one))
    assert single.status_code == 201, single.text
    assert same(single.json()["values"], expected[0])
    latest = json.loads((await owner.get(f"/api/rows/latest/?dataset={dataset}")).text)
    assert same(latest["values"], expected[0])
    for output in ("csv", "parquet", "arrow", "ndjson"):
        download = await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output={output}")
        assert download.status_code == 200


async def test_flat_rows_go_in_again_as_they_came_out(owner: httpx.AsyncClient) -> None:
    first, second = await make_dataset(owner), await make_dataset(owner)
    values = {"timestamp": 1, "values.timestamp": "x", "values.values.timestamp": None, "a": [1, {"timestamp": 2}]}
    await insert(owner, first, [(STAMP, values), (STAMP, {"a": 1})])
    flat = await owner.get(f"/api/rows/live/?dataset={first}")
    headers = {"Content-Type": "application/x-ndjson"}
    await owner.post(f"/api/rows/bulk_insert/?dataset={second}", content=flat.content, headers=headers)
    assert await rows_of(owner, second) == await rows_of(owner, first) == [(STAMP, values), (STAMP, {"a": 1})]


async def test_rows_larger_than_a_piece_of_a_body(owner: httpx.AsyncClient) -> None:
    # The dataset is known before the first piece is whole; it was forgotten.
    dataset = await make_dataset(owner)
    rows = [{"timestamp": "2025-01-01", "values": {"s": letter * (PIECE_BYTES * 3 // 2)}} for letter in "ab"]
    for some in (rows[:1], rows):
        response = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": some})
        assert (response.status_code, response.json()["inserted"]) == (200, len(some)), response.text


async def test_timestamps(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    given_stamps = {
        "2025-12-16T10:00:00.123456Z": "2025-12-16T10:00:00.123456Z",
        "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z",
        "2025-12-16": "2025-12-16T00:00:00Z",
        "1969-12-31T23:59:59.5Z": "1969-12-31T23:59:59.500Z",
        "2025-12-16T12:00:00+02:00": "2025-12-16T10:00:00Z",
        "2025-12-16T05:30:00.25-05:30": "2025-12-16T11:00:00.250Z",
        "2025-12-16 10:00": "2025-12-16T10:00:00Z",
    }
    await insert(owner, dataset, [(stamp, {"n": n}) for n, stamp in enumerate(given_stamps)])
    pairs = [(expected, n) for n, expected in enumerate(given_stamps.values())]
    expected = sorted(pairs, key=lambda pair: (datetime.fromisoformat(pair[0]), pair[1]))
    assert [(stamp, values["n"]) for stamp, values in await rows_of(owner, dataset)] == expected
    for bad in (
        "yesterday",
        "2025-13-01T00:00:00Z",
        "",
        "2025-12-16T10:00:00.1234567Z",
        "0001-01-01T00:00:00+01:00",
    ):
        response = await insert(owner, dataset, [(STAMP, {}), (bad, {})])
        assert response.status_code == 400, bad
        assert response.json()["details"].startswith("rows[1].timestamp: "), bad


async def test_order_of_equal_times_is_that_of_insertion(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    await insert(owner, dataset, [("2025-01-02T00:00:00Z", {"n": 0}), (STAMP, {"n": 1}), (STAMP, {"n": 2})])
    await insert(owner, dataset, [(STAMP, {"n": 3}), ("2025-01-01T00:00:00Z", {"n": 4})])
    assert [values["n"] for _, values in await rows_of(owner, dataset)] == [4, 0, 1, 2, 3]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
KEYS = st.sampled_from(["a", "b", "ts", "", "null"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.dictionaries(KEYS, JSON, max_size=4), min_size=1, max_size=5), min_size=1, max_size=3)
)
async def test_any_values_come_back(owner: httpx.AsyncClient, batches: list[list[dict[str, Any]]]) -> None:
    dataset = await make_dataset(owner)
    for batch in batches:
        response = await insert(owner, dataset, [(STAMP, values) for values in batch])
        assert response.status_code == 200, response.text
    expected = [values for batch in batches for values in batch]
    found = [values for _, values in await rows_of(owner, dataset)]
    assert same(found, expected), (found, expected)


def test_same_tells_apart() -> None:
    assert not same({"a": None}, {})
    assert not same(True, 1)
    assert same(1, 1.0)
    assert math.isfinite(1e308)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (r"\ud83d\ude00", "😀"),
        (r"x\ud83d\ude00\ud83d\ude00y", "x😀😀y"),
        (r"\\ud800", "\\ud800"),
        (r"\\\\ud800", "\\\\ud800"),
        (r"\ud800", None),
        (r"x\ud800y", None),
        (r"\udc00", None),
        (r"\ud83d\ud83d\ude00", None),
        (r"\ud800\n\udc00", None),
        (r"\\\ud800", None),
        (r"\ud83dé\ude00", None),
    ],
)
async def test_half_of_a_surrogate_pair(owner: httpx.AsyncClient, text: str, kept: str | None) -> None:
    dataset = await make_dataset(owner)
    row = f'"timestamp":"2025-01-01","values":{{"b":1,"a":"{text}"}}}}'
    head = {"Content-Type": "application/json"}
    lines = {"Content-Type": "application/x-ndjson"}
    flat = f'{{"timestamp":"2025-01-01","b":1,"a":"{text}"}}'
    sent = [
        await owner.post("/api/rows/", content=f'{{"dataset":{dataset},{row}', headers=head),
        await owner.post("/api/rows/bulk_insert/", content=f'{{"dataset":{dataset},"rows":[{{{row}]}}', headers=head),
        await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content="{" + row, headers=lines),
        await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=flat, headers=lines),
    ]
    if kept is None:
        assert {one.status_code for one in sent} == {400}
        for one in sent:
            assert "half of a surrogate pair" in one.json()["details"], one.text
    else:
        assert [one.status_code for one in sent] == [201, 200, 200, 200], sent[0].text
        found = (await owner.get(f"/api/rows/?dataset={dataset}")).json()["results"]
        assert [one["values"]["a"] for one in found] == [kept] * 4
        columns = (await owner.get(f"/api/columns/?dataset={dataset}")).json()
        assert {one["name"]: one["dtype"] for one in columns} == {"a": "string", "b": "int"}


DIGITS = [
    "0.12345678901234567890",
    "12345678901234567.89",
    "1e400",
    "-1e-400",
    "9007199254740993.0",
    "1" * 400,
    "123456789012345678901234567890",
]


@pytest.mark.parametrize("number", DIGITS)
async def test_digits_come_back_from_every_body(owner: httpx.AsyncClient, number: str) -> None:
    dataset = await make_dataset(owner)
    query = f"/api/rows/bulk_insert/?dataset={dataset}"
    row = f'"timestamp":"2025-01-01","values":{{"a":{number},"b":0.5}}}}'
    one = await owner.post(
        "/api/rows/", content=f'{{"dataset":{dataset},{row}', headers={"Content-Type": "application/json"}
    )
    assert (one.status_code, f'"a":{number}' in one.text) == (201, True), one.text
    bodies = {
        "application/json": '{"rows":[{' + row + "]}",
        "application/x-ndjson": f'{{"timestamp":"2025-01-01","a":{number},"b":0.5}}\n',
        "text/csv": f"timestamp,a,b\n2025-01-01,{number},0.5\n2025-01-01,1.5,0.5\n",
    }
    for media, body in bodies.items():
        sent = await owner.post(query, content=body, headers={"Content-Type": media})
        assert sent.status_code == 200, sent.text
    for path in (f"/api/rows/bulk_download/?dataset={dataset}&output=", f"/api/rows/live/?dataset={dataset}"):
        for output in ("ndjson", "json") if path.endswith("=") else ("",):
            text = (await owner.get(path + output)).text
            assert text.count(f'"a":{number},') + text.count(f'"a":{number}}}') == 4
    table = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv")).text
    assert table.count(f",{number},") + table.count(f",{number}\n") == 4


async def test_a_single_row_may_be_compressed(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    body = b'{"dataset":%d,"timestamp":"2025-01-01T24:00","values":{"a":1}}' % dataset
    for name, packed in (
        ("gzip", gzip.compress(body)),
        ("x-gzip", gzip.compress(body[:9]) + gzip.compress(body[9:])),
        ("identity", body),
    ):
        for _ in range(2):
            headers = {"Content-Type": "application/json", "Content-Encoding": name, "Idempotency-Key": name}
            done = await owner.post("/api/rows/", content=packed, headers=headers)
            assert (done.status_code, done.json()["timestamp"]) == (201, "2025-01-02T00:00:00Z"), done.text
    for name, packed in (("gzip", body), ("gzip", gzip.compress(body)[:-9]), ("br", body)):
        refused = await owner.post("/api/rows/", content=packed, headers={"Content-Encoding": name})
        assert refused.status_code == 400
        assert name in refused.json()["error"] + refused.json()["details"]
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 3


HEAD = '{"timestamp":"2025-01-01","values":{"a":"'


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        (HEAD + 'x\ny"}}\n', 0),
        (HEAD + 'x"}}\n' + HEAD + 'y\r\nz"}}\n', 1),
        ('{"timestamp":"2025-01-01","a":"x\ny"}\n', 0),
        ('{"timestamp":"2025-01-01","b":1}\n{"timestamp":"2025-01-01",\n"a":1}\n', 1),
        ('{"timestamp":"2025-01-01","values":{"a":[1\n2]}}\n', 0),
        ('{"timestamp":"2025-01-01","values":{}} {"x":1}\n', 0),
        (HEAD + '1"}},' + HEAD + '2"}}\n', 0),
        ("[1]\n", 0),
    ],
)
async def test_a_line_is_an_object(owner: httpx.AsyncClient, lines: str, row: int) -> None:
    dataset = await make_dataset(owner)
    headers = {"Content-Type": "application/x-ndjson"}
    refused = await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=lines, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["details"].startswith(f"rows[{row}]: the line is no JSON object"), refused.text


async def test_columns_stand_in_the_order_that_was_asked_for(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    values = [
        {"a": 1, "b": 2.5, "c": {"x": 1}, "d": [1], "e": "t", "timestamp": 5},
        {"e": 5, "d": None, "a": "text", "c": 2**70, "b": 1.5},
        {"b": 1, "d": 1},
        {"a": 3, "b": 2.5, "e": "u"},
    ]
    rows = [{"timestamp": f"2025-01-0{n}", "values": one} for n, one in enumerate(values, 1)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    for names in ("d,a", "e,d,c,b,a", "c,d", "b", "d,b,timestamp,c,a,e", "a,c,e"):
        wanted = names.split(",")
        page = (await owner.get(f"/api/rows/?dataset={dataset}&columns={names}")).json()["results"]
        kept = [{name: row[name] for name in wanted if name in row} for row in values]
        assert [row["values"] for row in page] == kept, names
        assert [list(row["values"]) for row in page] == [list(row) for row in kept], names
        flat = await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=ndjson&columns={names}")
        told = [[key.removeprefix("values.") for key in json.loads(line)][1:] for line in flat.text.splitlines()]
        assert told == [list(row) for row in kept], names
