"""What bench/fuzz.py feeds with bytes: one function for each decoder of something that comes from outside.

A target returns for input that is decoded or refused by an AtlasError, and raises for anything else. Some compare two
ways that must agree: Arrow's decoder with the exact one, a body cut in pieces with the whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from tests.sql_catalog import CATALOG
from tests.unit.test_conditions import COLUMNS
from tests.unit.test_questions_offline import CATALOG as ASKED
from tests.unit.test_questions_offline import TERMS, TODAY

from atlas.accounts.access import Caller
from atlas.accounts.browser_sessions import SessionService
from atlas.errors import AtlasError, NotFoundError
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import Source
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.kit.timestamps import parse_parameter, parse_timestamp
from atlas.kit.validation import identified
from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.offline.questions.planner import plan_question
from atlas.language.offline.records.parser import parse_records
from atlas.language.question import Question, Turn
from atlas.sqlgate.condition import parse_condition
from atlas.sqlgate.gate import check_query
from atlas.tables.model import parse_row_uuid
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_arrow, json_exact, json_stream, tabular
from atlas.timeseries.ingest.bodies import FrameSpool, SizeLimit, body_format, decoder
from atlas.timeseries.ingest.requests import retry_of
from atlas.timeseries.ingest.timestamp_columns import timestamps
from atlas.timeseries.parameters import column_names, time_range
from atlas.timeseries.read.service import _read_cursor
from atlas.ui.session import token_of

_MAX_UNPACKED = 16 * 1024 * 1024
_THREADS = ThreadPoolExecutor(1)


class DifferenceError(Exception):
    """Two ways that must give the same do not."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "ignore")


def _spooled(frames: Iterator[Frame]) -> None:
    with FrameSpool(0) as spool:
        for frame in frames:
            spool.add(frame)
        for index in range(len(spool)):
            spool.get(index)


def _values(frame: Frame) -> list[tuple[Any, dict[str, Any]]]:
    """Rows as (microseconds, values) whichever way they are kept."""
    found = []
    columns = {name: array.to_pylist() for name, array in frame.columns.items()}
    for index, micros in enumerate(frame.ts.cast(pa.int64()).to_pylist()):
        values = {name: cells[index] for name, cells in columns.items() if cells[index] is not None}
        members = None if frame.extra is None else frame.extra[index].as_py()
        for name, raw in msgspec.json.decode(f"{{{members or ''}}}", type=dict[str, msgspec.Raw]).items():
            text = bytes(raw).strip()
            values[name] = ("raw", text)
        found.append((micros, {k: (type(v).__name__, v) for k, v in values.items()}))
    return found


def _same(one: Callable[[], Any], other: Callable[[], Any]) -> None:
    results: list[Any] = []
    for call in (one, other):
        try:
            results.append(call())
        except AtlasError:
            results.append("refused")
    if results[0] != results[1]:
        raise DifferenceError(f"{str(results[0])[:500]} != {str(results[1])[:500]}")


def json_fast(data: bytes) -> None:
    """Rows in JSON: Arrow's decoder against the exact one."""

    def rows(decode: Callable[[bytes], tuple[Frame, object]]) -> Any:
        frame, dataset = decode(data)
        _spooled(iter([frame]))
        return _values(frame), dataset

    _same(lambda: rows(json_arrow.decode), lambda: rows(json_exact.decode))


def json_pieces(data: bytes) -> None:
    """A JSON body that is cut in small pieces against the whole."""
    json_stream.PIECE_BYTES = 48

    async def cut() -> Any:
        async def chunks() -> Any:
            for start in range(0, len(data), 17):
                yield data[start : start + 17]

        named: list[object] = []

        async def found(dataset: object) -> None:
            named.append(dataset)

        with FrameSpool(1024) as spool:
            body = json_stream.JsonBody(spool, _THREADS)
            await body.receive(chunks(), found)
            return [row[0] for frame in [f async for f in body.frames()] for row in _values(frame)], named[0]

    def whole() -> Any:
        frame, dataset = json_arrow.decode(data)
        return [row[0] for row in _values(frame)], dataset

    def sorted_(call: Callable[[], Any]) -> Any:
        rows, dataset = call()
        return sorted(rows), dataset

    _same(lambda: sorted_(lambda: asyncio.run(cut())), lambda: sorted_(whole))


def ndjson(data: bytes) -> None:
    """Rows in NDJSON."""
    _spooled(tabular.read_ndjson(io.BytesIO(data)))


def _layout(data: bytes) -> tuple[bytes, str | None]:
    """A body, and the time format that a first line with % is."""
    head, newline, rest = data.partition(b"\n")
    return (rest, _text(head)) if newline and head.startswith(b"%") else (data, None)


def csv_rows(data: bytes) -> None:
    """Rows in CSV."""
    body, layout = _layout(data)
    _spooled(tabular.read_csv(io.BytesIO(body), None, layout))


def parquet_rows(data: bytes) -> None:
    """Rows in Parquet."""
    _spooled(tabular.read_parquet(io.BytesIO(data), None, None))


def arrow_rows(data: bytes) -> None:
    """Rows in Arrow's stream and file formats."""
    _spooled(tabular.read_arrow(io.BytesIO(data), None, None))


def stamps(data: bytes) -> None:
    """Timestamps: each alone against all in one column."""
    texts = _text(data).split("\n")[:50]
    alone = []
    for text in texts:
        with contextlib.suppress(ValueError):
            parse_parameter(text)
        try:
            alone.append(parse_timestamp(text))
        except ValueError:
            alone = []
            break
    try:
        together = timestamps(pa.array(texts, pa.string())).to_pylist()
    except AtlasError:
        together = []
    if alone and together != alone:
        raise DifferenceError(f"{together} != {alone}")


def _opened(data: bytes, name: str, use: Callable[[Path, Source], None] | None = None) -> None:
    """An uploaded file, unpacked and read to its end."""
    with tempfile.TemporaryDirectory(prefix="atlas-fuzz-") as folder:
        path = Path(folder, "upload")
        path.write_bytes(data)
        source = read_file(open_upload(path, name, Path(folder), _MAX_UNPACKED), Path(folder))
        if use is not None:
            use(Path(folder), source)
            return
        for _ in source.batches:
            pass


def _planned(folder: Path, source: Source) -> None:
    staging = Staging(folder, source)
    try:
        said = ImportInstruction()
        plan = make_plan(staging, inspect(staging, said), said, [], "fuzzed")
        planned = check(Staged(staging, plan))
        for _ in planned.rows():
            pass
    finally:
        staging.close()


def imports(data: bytes) -> None:
    """A file of any kind, from its bytes to the plan of an import and the records that it holds."""
    _opened(data, "f", _planned)


def delimited(data: bytes) -> None:
    """Delimited files in any dialect and encoding."""
    _opened(data, "f.csv")


def excel(data: bytes) -> None:
    """Workbooks."""
    _opened(data, "f.xlsx")


def xml_records(data: bytes) -> None:
    """XML files."""
    _opened(data if data.lstrip()[:1] == b"<" else b"<" + data, "f.xml")


def json_records(data: bytes) -> None:
    """JSON files."""
    _opened(data, "f.json")


def archives(data: bytes) -> None:
    """Files that are packed, and Parquet files."""
    _opened(data, "f.zip")


def markdown_records(data: bytes) -> None:
    """Records in Markdown or plain English."""
    parse_records(_text(data))


def import_instructions(data: bytes) -> None:
    """What is to be done with a file."""
    parse_import(_text(data), ["leads", "orders", "old customers"])


def questions(data: bytes) -> None:
    """Questions, with a question before where there are two lines. SQL that comes out must pass the gate."""
    lines = _text(data).split("\n")
    turns: tuple[Turn, ...] = ()
    if len(lines) > 1:
        first = plan_question(Question(text=lines[0], catalog=ASKED, terms=TERMS, today=TODAY))
        if first.sql is not None:
            turns = (Turn(lines[0], first.sql, first.state),)
    plan = plan_question(Question(text=lines[-1], catalog=ASKED, turns=turns, terms=TERMS, today=TODAY))
    if plan.sql is not None:
        try:
            check_query(plan.sql, ASKED)
        except AtlasError as error:
            raise DifferenceError(f"{lines} gave {plan.sql}: {error.details}") from None


def conditions(data: bytes) -> None:
    """WHERE clauses of updates. What is written must be read as the same."""
    found = parse_condition(_text(data), COLUMNS)
    if parse_condition(found.sql, COLUMNS).sql != found.sql:
        raise DifferenceError(found.sql)


def sql_gate(data: bytes) -> None:
    """SQL of callers. What is shown must pass as well."""
    found = check_query(_text(data), CATALOG, max_rows=10)
    try:
        check_query(found.logical, CATALOG, max_rows=10)
    except AtlasError as error:
        raise DifferenceError(f"{found.logical}: {error.details}") from None


def cookies(data: bytes) -> None:
    """Cookies of browsers, sealed ones among them."""
    sessions = SessionService(None, None, None, lambda: "a secret for the fuzzer")  # type: ignore[arg-type]
    text = data.decode("latin-1")
    sessions._unseal(text)
    for cookie in (f"atlas_session={text}", text):
        sessions._unseal(token_of(cookie) or "")


def headers(data: bytes) -> None:
    """Content-Type, Content-Encoding, then a body; lines are the headers."""
    content, _, rest = data.partition(b"\n")
    encoding, _, body = rest.partition(b"\n")
    with contextlib.suppress(AtlasError):
        body_format(content.decode("latin-1"))
    unpack = decoder(encoding.decode("latin-1"))
    limit = SizeLimit(_MAX_UNPACKED)
    for start in range(0, len(body), 100):
        for piece in unpack.feed(body[start : start + 100]):
            limit.add(len(piece))
    unpack.finish()


def idempotency(data: bytes) -> None:
    """Idempotency-Key."""
    retry_of(Caller(1, "u", 1, "s", 1), data.decode("latin-1"), hashlib.sha256())


def cursors(data: bytes) -> None:
    """Cursors, ids and other parameters of queries."""
    text = _text(data)
    for read in (
        _read_cursor,
        lambda t: identified(t, NotFoundError("x")),
        lambda t: parse_row_uuid(t, 7),
        lambda t: time_range(*(t.split(" to ", 1) if " to " in t else (t, None))),
        lambda t: column_names([t]),
    ):
        with contextlib.suppress(AtlasError):
            read(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        json_fast,
        json_pieces,
        ndjson,
        csv_rows,
        parquet_rows,
        arrow_rows,
        stamps,
        delimited,
        excel,
        xml_records,
        json_records,
        archives,
        imports,
        markdown_records,
        import_instructions,
        questions,
        conditions,
        sql_gate,
        cookies,
        headers,
        idempotency,
        cursors,
    )
}
