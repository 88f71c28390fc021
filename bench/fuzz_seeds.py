"""What bench/fuzz.py starts from: texts of the tests, and small files in each binary format."""

from __future__ import annotations

import ast
import base64
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from tests.good_sql import GOOD
from tests.hostile_sql import HOSTILE
from tests.refused_sql import REFUSED

from atlas.kit.encryption import SecretBox
from atlas.kit.zstd import zstd

TESTS = Path(__file__).parents[1] / "tests"
# Files whose texts are seeds of a target.
SOURCES = {
    "json_fast": ("api/test_values.py", "api/test_bad_input.py", "unit/test_pieces.py"),
    "ndjson": ("api/test_formats.py", "api/test_values.py", "api/test_bad_input.py"),
    "csv_rows": ("api/test_formats.py", "unit/test_messy_files.py"),
    "stamps": ("unit/test_timestamps.py", "api/test_values.py"),
    "delimited": ("unit/test_messy_files.py", "api/test_imports.py"),
    "xml_records": ("unit/test_messy_files.py",),
    "json_records": ("unit/test_messy_files.py",),
    "markdown_records": ("unit/test_records.py",),
    "import_instructions": ("unit/test_language.py", "api/test_imports.py"),
    "questions": ("unit/test_questions_offline.py",),
    "conditions": ("unit/test_conditions.py",),
    "idempotency": ("api/test_bad_input.py",),
    "cursors": ("unit/test_timestamps.py", "api/test_reading.py"),
}
ROWS = [
    {"timestamp": "2025-12-16T10:00:00Z", "values": {"a": 1, "b": 2.5, "c": "x", "d": True, "e": None}},
    {"timestamp": "2025-12-16T10:00:01.123456+02:00", "values": {"a": 2**60, "n": {"x": [1, "y"]}}},
    {"timestamp": "2025-12-16", "values": {"a": "2025-01-01", "c": "\u00e9\\"}},
]


def _literals(name: str) -> Iterator[bytes]:
    for node in ast.walk(ast.parse((TESTS / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and node.value:
            yield node.value.encode("utf-8", "ignore") if isinstance(node.value, str) else node.value


def _table() -> pa.Table:
    return pa.table(
        {
            "timestamp": pa.array([1, 2, None], pa.timestamp("us", "UTC")),
            "i": [1, 2, None],
            "f": [1.5, None, float("inf")],
            "s": ["a", None, "null"],
            "l": [[1], [], None],
            "d": pa.array(["x", "y", "x"]).dictionary_encode(),
            "b": [b"\0", b"a", None],
            "t": [{"x": 1}, {"x": None}, None],
        }
    )


def _arrow(table: pa.Table, *, file: bool) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none")
    return sink.getvalue()


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["name", "age", "born"], ["Ann", 30, "2001-02-03"], ["Bob", 2.5, None], [None, True, "=A1"]):
        sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    # Stored, not deflated: then a changed byte is a changed cell, not a damaged stream.
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sink.getvalue())) as packed, zipfile.ZipFile(plain, "w") as stored:
        for member in packed.namelist():
            stored.writestr(member, packed.read(member))
    return plain.getvalue()


def _zipped(name: str, data: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, data)
    return sink.getvalue()


def _binary(target: str) -> Iterator[bytes]:
    good = _table().slice(0, 2).drop_columns(["b"])
    json_rows = msgspec.json.encode({"dataset": 1, "rows": ROWS})
    lines = b"\n".join(msgspec.json.encode(row) for row in ROWS)
    csv = b'timestamp,a,b\n2025-12-16T10:00:00Z,1,x\n2025-12-16T10:00:01Z,,"y"\n'
    if target in ("json_fast", "json_pieces"):
        yield from (json_rows, b'{"rows":[' + b",".join([msgspec.json.encode(ROWS[0])] * 5) + b'],"dataset":3}')
    if target == "ndjson":
        yield from (lines, b'{"timestamp":"2025-01-01","a":1}\n{"timestamp":"2025-01-02","a":null}')
    if target == "csv_rows":
        yield from (csv, b"%d/%m/%Y\ndate,v\n31/12/2025,1\n")
    if target in ("parquet_rows", "archives"):
        yield from (_parquet(good), _parquet(_table()))
    if target == "arrow_rows":
        yield from (_arrow(table, file=file) for table in (good, _table()) for file in (False, True))
    if target == "excel":
        yield _workbook()
    if target == "imports":
        yield from (csv, lines, b"name;born;paid\nAnn;1.2.2024;1.234,50 EUR\nBob;31.12.2024;yes\n", _workbook())
    if target == "archives":
        yield from (_zipped("a.csv", csv), gzip.compress(csv), gzip.compress(_zipped("a.json", lines)), _workbook())
    if target == "xml_records":
        yield b"<r><p id='1'><n>Ann</n><a>3</a></p><p id='2'><n>Bob</n><a><b>x</b></a></p></r>"
    if target == "json_records":
        yield from (lines, msgspec.json.encode(ROWS), msgspec.json.encode({"data": {"items": ROWS}}), b"[[1,2],[3]]")
    if target == "headers":
        for kind, data in ((b"gzip", gzip.compress(csv)), (b"zstd", zstd.compress(csv)), (b"identity", csv)):
            yield b"text/csv; charset=utf-8\n" + kind + b"\n" + data
    if target == "sql_gate":
        yield from (_sql(item) for group in (GOOD, HOSTILE, REFUSED) for item in group)
    if target == "cookies":
        box = SecretBox("a secret for the fuzzer")
        for text in ('{"key":"atlas_live_sk_x","expires":4e9}', '{"key":1}', "[]"):
            yield base64.urlsafe_b64encode(box.encrypt(text, "browser session 1"))
    if target == "cursors":
        yield from (b"AAYd-1p0ZAAAAAAAAAAAAQ", b"2025-01-01 to 2025-01-02T00:00:00 01:00", b"a,b")


def _sql(item: object) -> bytes:
    return str(item[0] if isinstance(item, tuple) else item).encode("utf-8", "ignore")


def seeds(target: str, longest: int) -> list[bytes]:
    """Inputs of at most `longest` bytes to start from."""
    found = [data for name in SOURCES.get(target, ()) for data in _literals(name)]
    return list(dict.fromkeys(data for data in [*found, *_binary(target)] if len(data) <= longest))
