"""What bench/fuzz.py has found, each as the smallest input that shows it. All of it must be refused by name."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sql_catalog import CATALOG

from atlas.errors import BadRequestError, RowError
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.sqlgate.gate import check_query
from atlas.timeseries.ingest import csv_rows, json_arrow, tabular

STAMP = pa.array([0], pa.timestamp("us", "UTC"))


def stream(batch: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none", store_schema=False)
    return sink.getvalue()


def patched(data: bytearray, mark: bytes, offset: int, value: bytes) -> bytes:
    """`data` with `value` so far behind the last `mark`."""
    place = data.rindex(mark) + offset
    data[place : place + len(value)] = value
    return bytes(data)


def unchecked(text: bytes) -> pa.RecordBatch:
    """One row whose text is not looked at."""
    array = pa.array([text]).view(pa.string())
    return pa.RecordBatch.from_arrays([STAMP, array], names=["timestamp", "s"])


@pytest.mark.parametrize(
    ("values", "field"),
    [(b'{"a":"2025-\xe501"}', "a"), (b'{"a":1,"n":{"x":["y\xc3"]}}', "n"), (b'{"a":[1,"\xff"]}', "a")],
)
def test_text_in_json_that_is_not_utf8(values: bytes, field: str) -> None:
    rows = b'{"timestamp":"2025-01-01","values":{"a":1}},{"timestamp":"2025-01-01","values":' + values + b"}"
    with pytest.raises(RowError, match="Invalid row data") as caught:
        json_arrow.decode(b'{"rows":[' + rows + b"]}", first_row=5)
    assert (caught.value.row, caught.value.reason) == (6, "not UTF-8")


@pytest.mark.parametrize("dataset", [b"1" * 35, b'"2025-01-01"', b"1.5", b"true", b"null", b"7"])
def test_the_dataset_of_a_json_body_is_what_was_sent(dataset: bytes) -> None:
    # Arrow gave a float, or a date, where the exact decoder gave the number or the text.
    body = b'{"dataset":' + dataset + b',"rows":[{"timestamp":"2025-01-01","values":{"a":1}}]}'
    found, expected = json_arrow.decode(body)[1], json.loads(dataset)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "offsets", [(0, 2**24), (-(2**31), 1), (1, 0), (2**30, 2**30 + 5)], ids=["past", "before", "backwards", "far"]
)
def test_offsets_of_arrow_that_lead_out_of_the_body(offsets: tuple[int, int]) -> None:
    # These killed the process.
    good = stream(pa.RecordBatch.from_arrays([STAMP, pa.array(["x" * 567])], names=["timestamp", "s"]))
    body = patched(bytearray(good), struct.pack("<ii", 0, 567), 0, struct.pack("<ii", *offsets))
    with pytest.raises(BadRequestError, match="Invalid Arrow data"):
        list(tabular.read_arrow(io.BytesIO(body), None, None))


def test_indices_of_arrow_that_lead_out_of_the_dictionary() -> None:
    broken = pa.DictionaryArray.from_arrays(pa.array([9], pa.int32()), pa.array(["x"]), safe=False)
    body = stream(pa.RecordBatch.from_arrays([STAMP, broken], names=["timestamp", "d"]))
    with pytest.raises(BadRequestError, match="Invalid Arrow data"):
        list(tabular.read_arrow(io.BytesIO(body), None, None))


@pytest.mark.parametrize("text", [b"\xff", b"a\xc3"])
def test_text_in_arrow_and_parquet_that_is_not_utf8(text: bytes, tmp_path: Path) -> None:
    batch = unchecked(text)
    for read, body in ((tabular.read_arrow, stream(batch)), (tabular.read_parquet, parquet(pa.table(batch)))):
        with pytest.raises(BadRequestError, match="Invalid"):
            list(read(io.BytesIO(body), None, None))
    (tmp_path / "f").write_bytes(parquet(pa.table(batch)))
    with pytest.raises(BadRequestError, match="Invalid file"):
        list(read_file(open_upload(tmp_path / "f", "f.parquet", tmp_path, 10**6), tmp_path).batches)


@pytest.mark.parametrize("write", [stream, lambda batch: parquet(pa.table(batch))], ids=["arrow", "parquet"])
def test_names_that_are_not_utf8(write: Callable[[pa.RecordBatch], bytes]) -> None:
    batch = pa.RecordBatch.from_arrays([STAMP, pa.array([1])], names=["timestamp", "QQQQ"])
    body = write(batch).replace(b"QQQQ", b"QQ\xffQ")
    read = tabular.read_parquet if body.startswith(b"PAR1") else tabular.read_arrow
    with pytest.raises(BadRequestError, match="Invalid") as caught:
        list(read(io.BytesIO(body), None, None))
    assert caught.value.details == "text that is not UTF-8"


@pytest.mark.parametrize("kind", ["struct", "list", "map"])
def test_names_inside_of_types_that_are_not_utf8(kind: str) -> None:
    # These ended the thread with what is no Exception.
    inner = pa.struct([pa.field("QQQQ", pa.int64())])
    types = {"struct": inner, "list": pa.list_(inner), "map": pa.map_(pa.string(), inner)}
    values = {"struct": {"QQQQ": 1}, "list": [{"QQQQ": 1}], "map": [("k", {"QQQQ": 1})]}
    column = pa.array([values[kind]], types[kind])
    body = stream(pa.RecordBatch.from_arrays([STAMP, column], names=["timestamp", "t"])).replace(b"QQQQ", b"QQ\xffQ")
    with pytest.raises(BadRequestError, match="Invalid"):
        list(tabular.read_arrow(io.BytesIO(body), None, None))


def test_bytes_inside_of_lists() -> None:
    batch = pa.RecordBatch.from_arrays([STAMP, pa.array([[b"a"]], pa.list_(pa.binary()))], names=["timestamp", "l"])
    for read, body in ((tabular.read_arrow, stream(batch)), (tabular.read_parquet, parquet(pa.table(batch)))):
        with pytest.raises(BadRequestError, match="Invalid"):
            list(read(io.BytesIO(body), None, None))


def test_columns_of_one_name() -> None:
    batch = pa.RecordBatch.from_arrays([STAMP, pa.array([1]), pa.array([2])], names=["timestamp", "d", "d"])
    for read, body in (
        (tabular.read_arrow, stream(batch)),
        (tabular.read_parquet, parquet(pa.table(batch))),
        (csv_rows.read_csv, b"timestamp,d\0,d\n2025-01-01,1,2\n"),
    ):
        with pytest.raises(BadRequestError) as caught:
            list(read(io.BytesIO(body), None, None))
        assert "appears twice" in str(caught.value.details)


def archive(name: str = "a.csv", method: int = zipfile.ZIP_STORED) -> bytearray:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as made:
        made.writestr(name, b"a,b\n1,2\n" * 50)
        if name != "a.csv":
            made.writestr("[Content_Types].xml", b"<x/>")
    return bytearray(sink.getvalue())


DIRECTORY = b"PK\x01\x02"
ARCHIVES: list[Any] = [
    pytest.param(patched(archive(), DIRECTORY, 42, b"\xff\xff\xff\x7f"), id="a part past the end"),
    pytest.param(patched(archive(), DIRECTORY, 46, b"b"), id="names that differ"),
    pytest.param(patched(archive(), DIRECTORY, 46, b"\0"), id="a name that is empty"),
    pytest.param(patched(archive(), DIRECTORY, 6, b"\x72"), id="a version to come"),
    pytest.param(patched(archive(), DIRECTORY, 10, b"\x63"), id="a method to come"),
    pytest.param(patched(archive(), b"PK\x05\x06", 16, b"\x00\x00\x00\x10"), id="a directory elsewhere"),
    pytest.param(patched(archive(method=zipfile.ZIP_LZMA), b"a.csv\x09\x04", 12, b"\xff\xff\xff"), id="damaged LZMA"),
    pytest.param(patched(archive(method=zipfile.ZIP_BZIP2), b"BZh", 4, b"\0\0\0"), id="damaged bzip2"),
    pytest.param(patched(archive("xl/workbook.xml"), DIRECTORY, 42, b"\xff\xff\xff\x7f"), id="a part of a workbook"),
]


@pytest.mark.parametrize("data", ARCHIVES)
def test_damaged_archives(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(BadRequestError, match="Invalid file"):
        list(read_file(open_upload(tmp_path / "f", "f.zip", tmp_path, 10**6), tmp_path).batches)


@pytest.mark.parametrize("encoding", ["ISO-7718-1", "utf-7", "shift_jis"])
def test_encodings_of_xml_that_cannot_be_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?><r><p><a>1</a></p></r>'.encode())
    with pytest.raises(BadRequestError, match="Invalid file"):
        read_file(open_upload(tmp_path / "f", "f.xml", tmp_path, 10**6), tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 RIGHT JOIN orders o ON true",
        "SELECT l.name leads JOIN orders o ON l.id = 1",
        "SELECT count(*) OVER (ORDER BY created_at RANGE BETWEEN INTERVAL '1' DAY FOLLOWING) FROM leads",
    ],
)
def test_sql_that_is_none(sql: str) -> None:
    with pytest.raises(BadRequestError, match="Query refused"):
        check_query(sql, CATALOG)
