"""Reads JSON files: an array, NDJSON, or an envelope around an array. Nested objects are flattened."""

from __future__ import annotations

import itertools
import mmap
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import BadRequestError
from atlas.imports.duckdb_casts import literal, quote
from atlas.imports.files.json_envelopes import find_records
from atlas.imports.files.json_mixtures import list_notes, mixed_notes
from atlas.imports.files.json_numbers import MARK, protected
from atlas.imports.files.json_survey import may_be_renamed, pointer, survey
from atlas.imports.files.source import MAX_COLUMNS, Source, physical, text_table
from atlas.imports.infer.headers import find_layout
from atlas.kit.json_depth import TOO_DEEP, DepthScanner

# Objects nested deeper than this level stay one JSON column.
_FLATTEN_DEPTH = 3
_BATCH_ROWS = 65_536
_CHUNK = 1024 * 1024
# The number of records that the usual keys are learned from.
_SAMPLED = 1_000
# DuckDB reads through buffers of twice this size.
_MAX_OBJECT = 16 * 1024 * 1024
_NATIVE = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "BIGINT": "number",
    "UBIGINT": "number",
    "DOUBLE": "number",
    "HUGEINT": "number",
    "DATE": "text",
    "TIMESTAMP": "text",
    "TIMESTAMP WITH TIME ZONE": "text",
    "TIME": "text",
    "UUID": "text",
}

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class _Field:
    """A future column: the keys from the record to the field, and the file's own type."""

    steps: tuple[str, ...]
    native: str | None


def read_json(path: Path, name: str, folder: Path) -> Source:
    """Opens the records of a JSON file in UTF-8.

    Raises BadRequestError: when the file is not valid JSON, with the place of the error.
    """
    _refuse_deep(path, name)
    path, layout, notes = _locate(path, name, folder)
    if layout == "rows":
        return _table_of_arrays(path, name)
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "1"})
    try:
        connection.execute("SET memory_limit = '256MB'")
        fields = _fields(connection, path, name, layout)
        exactly = fields is None
        if fields is None:
            fields = _exact_fields(connection, path, name, layout)
        notes += mixed_notes(connection, _objects(path, layout), [(field.steps, field.native) for field in fields])
    except duckdb.Error as error:
        connection.close()
        raise BadRequestError("Invalid file", f"{name}: {_reason(error)}") from None
    except BaseException:
        connection.close()
        raise
    names = [" ".join(field.steps) for field in fields]
    exact = protected(path, folder / "exact.json")
    source = Source(names, [field.native for field in fields], iter(()), notes=notes, declares_texts=True)
    texts = _batches(connection, exact, name, layout, fields, exactly=exactly)
    source.batches = _unmarked(texts, source)
    return source


def _refuse_deep(path: Path, name: str) -> None:
    scanner = DepthScanner()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if scanner.feed(chunk):
                raise BadRequestError("Invalid file", f"{name}: JSON {TOO_DEEP}")


def _locate(path: Path, name: str, folder: Path) -> tuple[Path, str, list[str]]:
    """Returns the file with only the records, its layout ("array", "newline_delimited" or "rows"), and notes."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = re.match(rb"\s*", data).end()  # type: ignore[union-attr]
        if data[start : start + 1] == b"[":
            inner = re.compile(rb"\s*").match(data, start + 1).end()  # type: ignore[union-attr]
            return path, "array" if data[inner : inner + 1] == b"{" else "rows", []
        if _is_ndjson(data, start):
            return path, "newline_delimited", []
        found, notes = find_records(data[:], name)
    target = folder / "records.json"
    target.write_bytes(found)
    return target, "array", notes


def _is_ndjson(data: Any, start: int) -> bool:
    end = data.find(b"\n", start)
    if end < 0 or not data[end : end + 4096].strip():
        return False
    try:
        msgspec.json.decode(data[start:end])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _scan(path: Path, layout: str, more: str = "") -> str:
    options = f"format = '{layout}', records = true, maximum_object_size = {_MAX_OBJECT}{more}"
    return f"read_json({literal(str(path))}, {options})"


def _objects(path: Path, layout: str) -> str:
    return f"read_json_objects({literal(str(path))}, format = '{layout}', maximum_object_size = {_MAX_OBJECT})"


def _fields(connection: Any, path: Path, name: str, layout: str) -> list[_Field] | None:
    """Returns the fields as DuckDB finds them. None: DuckDB's names may not be the keys of the records."""
    scan = _scan(path, layout, ", sample_size = -1, maximum_depth = 6")
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
        types = connection.sql(f"SELECT * FROM {scan} LIMIT 0").types
    except duckdb.Error as error:
        if "Duplicate name" in str(error) or "non-record JSON" in str(error):
            return None
        raise BadRequestError("Invalid file", f"{name}: {_reason(error)}") from None
    if may_be_renamed([key for key, *_ in described]):
        return None
    fields = [
        field
        for (key, kind, *_), dtype in zip(described, types, strict=True)
        for field in _flattened((key,), kind, dtype)
    ]
    _check_count(len(fields), name)
    return fields


def _exact_fields(connection: Any, path: Path, name: str, layout: str) -> list[_Field]:
    try:
        scan = _objects(path, layout)
        other = connection.execute(f"SELECT json_type(json) FROM {scan} WHERE json_type(json) <> 'OBJECT' LIMIT 1")
        if other.fetchone() is not None:
            reason = "some of the records are values or lists, not objects"
            raise BadRequestError("Invalid file", f"{name}: {reason}")
        fields = [_Field(steps, native) for steps, native in survey(connection, scan, _FLATTEN_DEPTH)]
    except duckdb.Error as error:
        raise BadRequestError("Invalid file", f"{name}: {_reason(error)}") from None
    _check_count(len(fields), name)
    return fields


def _check_count(count: int, name: str) -> None:
    if not 0 < count <= MAX_COLUMNS:
        reason = f"{name}: the records have {count:,} fields; 1 to {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)


def _flattened(steps: tuple[str, ...], kind: str, dtype: Any) -> Iterator[_Field]:
    if dtype.id == "struct" and len(steps) <= _FLATTEN_DEPTH:
        for key, inner in dtype.children:
            yield from _flattened((*steps, key), str(inner), inner)
        return
    nested = kind.endswith("]") or dtype.id in ("struct", "map", "list")
    yield _Field(steps, "json" if nested else _NATIVE.get(kind))


def _batches(
    connection: Any, path: Path, name: str, layout: str, fields: list[_Field], *, exactly: bool
) -> Iterator[pa.Table]:
    where = ""
    if exactly:
        scan = _objects(path, layout)
        places = ", ".join(literal(pointer(field.steps)) for field in fields)
        where = _keys_once(connection, scan, _parents(fields))
        scan = f"(SELECT json, json_extract_string(json, [{places}]) AS cells FROM {scan})"
        texts = [f"cells[{position + 1}]" for position in range(len(fields))]
    else:
        # DuckDB refuses an object with a repeated key where its members have types.
        columns = ", ".join(f"{literal(key)}: {literal(kind)}" for key, kind in _types(fields))
        scan = _scan(path, layout, f", columns = {{{columns}}}")
        texts = [
            f"{quote(field.steps[0])}{''.join(f'[{literal(step)}]' for step in field.steps[1:])} ->> '$'"
            for field in fields
        ]
    cells = ", ".join(
        f"{_cell_of(text, field)} AS {physical(position)}"
        for position, (text, field) in enumerate(zip(texts, fields, strict=True))
    )
    try:
        relation = connection.sql(f"SELECT {cells} FROM {scan}{where}")
        for batch in relation.to_arrow_reader(_BATCH_ROWS):
            yield pa.table(batch)
    except (duckdb.Error, OSError) as error:
        raise BadRequestError("Invalid file", f"{name}: {_reason(error)}") from None
    finally:
        connection.close()


def _types(fields: Sequence[_Field], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yields the keys at a depth and their types.

    The text of each field is kept, within objects whose members are columns.
    """
    for key, found in itertools.groupby(fields, lambda field: field.steps[depth]):
        members = list(found)
        if len(members[0].steps) == depth + 1:
            yield key, "JSON"
        else:
            yield key, f"STRUCT({', '.join(f'{quote(name)} {kind}' for name, kind in _types(members, depth + 1))})"


def _parents(fields: list[_Field]) -> set[tuple[str, ...]]:
    """Returns the paths of objects whose members are columns, the record itself included."""
    return {field.steps[:end] for field in fields for end in range(len(field.steps))}


def _keys_once(connection: Any, scan: str, objects: Collection[Sequence[str]]) -> str:
    """Builds a WHERE clause that fails for an object with a repeated key, as a cell could keep only one of the values.

    objects: their paths from a record. Most objects have the keys of the first objects, and are compared with these as
    a whole.
    """
    checks = []
    for steps in objects:
        keys = f"json_keys(json, {literal(pointer(steps) or '$')})"
        again = f"list_filter({keys}, lambda key, place: list_position({keys}, key) < place)[1]"
        told = f"'an object has the key ''' || {again} || ''' twice'"
        usual = connection.execute(
            f"SELECT keys FROM (SELECT {keys} AS keys FROM {scan} LIMIT {_SAMPLED}) "
            "WHERE len(keys) = list_unique(keys) GROUP BY keys ORDER BY count(*) DESC LIMIT 3"
        ).fetchall()
        known = ", ".join(f"[{', '.join(map(literal, each))}]::VARCHAR[]" for (each,) in usual)
        first = f"WHEN {keys} IN ({known}) THEN true " if usual else ""
        checks.append(f"CASE {first}WHEN len({keys}) > list_unique({keys}) THEN error({told}) IS NULL ELSE true END")
    return f" WHERE {' AND '.join(checks)}"


def _cell_of(text: str, field: _Field) -> str:
    """Builds DuckDB's expression for a cell with its numbers as the file writes them.

    text: the expression for the cell's text.
    """
    if field.native == "json":
        return f"""regexp_replace({text}, '"\\\\u001[eE]([0-9.-]+)"', '\\1', 'g')"""
    return text


def _unmarked(batches: Iterator[pa.Table], source: Source) -> Iterator[pa.Table]:
    """Yields the batches with their numbers as the file writes them."""
    doubles = {position for position, native in enumerate(source.native) if native == "number"}
    for batch in batches:
        for position, cells in enumerate(batch.columns):
            if pc.any(pc.starts_with(cells, MARK)).as_py():
                doubles.discard(position)
                bare = pc.replace_substring_regex(cells, f"^{MARK}(-?[0-9]+\\.[0-9]+)$", "\\1")
                batch = batch.set_column(position, batch.schema.names[position], bare)
        yield batch
    source.doubles = frozenset(doubles)


def _table_of_arrays(path: Path, name: str) -> Source:
    """Reads arrays of cells, the first perhaps the header, or plain values, which become one column."""
    try:
        data = _ARRAY.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError("Invalid file", f"{name}: not valid JSON ({error})") from None
    if not data:
        raise BadRequestError("Invalid file", f"{name}: the array is empty")
    if not all(bytes(row).startswith(b"[") for row in data):
        notes = list_notes(["value"], [[bytes(row)] for row in data])
        table = text_table([[_cell(row)] for row in data], 1)
        return Source(["value"], [None], iter([table]), notes=notes, declares_texts=True)
    cells = [_ARRAY.decode(row) for row in data]
    texts = [[_cell(cell) for cell in row] for row in cells]
    layout = find_layout([[cell or "" for cell in row] for row in texts])
    if layout is None:
        raise BadRequestError("Invalid file", f"{name}: the array has no values")
    rows = [[*row[: layout.width], *[None] * (layout.width - len(row))] for row in texts[layout.skip :]]
    notes = list_notes(layout.names, [list(map(bytes, row)) for row in cells[layout.skip :]])
    natives = [None] * layout.width
    table = text_table(rows, layout.width)
    return Source(layout.names, natives, iter([table]), notes=notes, declares_texts=True, units=dict(layout.units))


def _cell(value: msgspec.Raw) -> str | None:
    """Returns the text of a value as the file writes it."""
    text = bytes(value).strip()
    return msgspec.json.decode(text, type=str | None) if text[:1] in (b'"', b"n") else text.decode()


def _reason(error: Exception) -> str:
    """Returns DuckDB's message without the path of the temporary file and without DuckDB's advice."""
    text = str(error).split("\n", 1)[0]
    if "maximum_object_size" in text:
        return f"a record is longer than {_MAX_OBJECT // 2**20} MiB, which a record may not be"
    twice = re.search(r'JSON transform error .* has duplicate key "(.*)"$', text)
    if twice is not None:
        return f"an object has the key {twice[1]!r} twice"
    text = re.sub(r'\s*\b(?:in|(?:while )?reading) file "[^"]*",?', "", text)
    return re.sub(r"^[\w ]*Error: ", "", text).split(" Try ")[0].strip()[:300]
