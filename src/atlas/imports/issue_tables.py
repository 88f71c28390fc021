"""Builds Arrow tables of the issues of an import."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from atlas.imports.checked import Checked
from atlas.imports.duckdb_casts import literal
from atlas.imports.files.source import BadRecord
from atlas.imports.written import Written

_HEAD = "{number}::INTEGER AS import_number, '{kind}' AS kind, {n}::BIGINT AS record_number"


def _head(number: int, kind: str, n: str) -> str:
    return _HEAD.format(number=number, kind=kind, n=n)


def duplicate_issues(written: Written, number: int) -> pa.Table:
    """Builds the issues of records with the key of another record or row.

    `first_row`: the row of the earlier record in the file with that key.
    """
    key = msgspec.json.encode(list(written.plan.key)).decode()
    return written.staging.arrow(
        f"SELECT {_head(number, 'duplicate', 'd._n')}, NULL::BIGINT AS row_id, {written.file.record_json()} AS record, "
        f"CAST(json_object('key', CAST({literal(key)} AS JSON), 'first_record', d.first, 'existing_row', d.existing, "
        f"'first_row', f.row) AS VARCHAR) AS details, 'pending' AS status "
        f"FROM dups d JOIN raw ON raw._n = d._n LEFT JOIN numbered f ON f._n = d.first ORDER BY d._n"
    )


def failure_issues(checked: Checked, number: int) -> pa.Table:
    """Builds the issues of records that failed a check, each with its problems."""
    return checked.staging.arrow(
        f"SELECT {_head(number, 'validation', 'raw._n')}, NULL::BIGINT AS row_id, {checked.file.raw_json()} AS record, "
        f"'{{\"problems\":' || r.problems || '}}' AS details, 'pending' AS status "
        f"FROM rejected r JOIN raw ON raw._n = r._n ORDER BY raw._n"
    )


def bad_record_issues(bad: list[BadRecord], number: int) -> pa.Table:
    """Builds the issues of lines that are no records, such as lines with too many cells."""
    details = [
        msgspec.json.encode({"problems": [{"column": None, "reason": b.reason, "value": b.text}]}).decode() for b in bad
    ]
    size = len(bad)
    return pa.table(
        {
            "import_number": pa.array([number] * size, pa.int32()),
            "kind": pa.array(["validation"] * size, pa.string()),
            "record_number": pa.array([b.number for b in bad], pa.int64()),
            "row_id": pa.array([None] * size, pa.int64()),
            "record": pa.array([None] * size, pa.string()),
            "details": pa.array(details, pa.string()),
            "status": pa.array(["pending"] * size, pa.string()),
        }
    )


def replacement_issues(written: Written, number: int) -> pa.Table | None:
    """Builds the issues of replaced cells of records that became rows."""
    query = written.matched.checked.replaced
    if query is None:
        return None
    return written.staging.arrow(
        f"SELECT {_head(number, 'replacement', 'c._n')}, numbered.row AS row_id, NULL::VARCHAR AS record, "
        "CAST(json_object('column', c.name, 'original_value', c.original, 'new_value', c.new) AS VARCHAR) AS details, "
        f"'pending' AS status FROM ({query}) c JOIN numbered ON numbered._n = c._n ORDER BY c._n, c.position"
    )


def similar_issues(written: Written, number: int, column: str, pairs: list[tuple[int, int, bool, float]]) -> pa.Table:
    """Builds the issues of inserted records that resemble another record or row. The records stay inserted."""
    found = pa.table(
        {
            "n": pa.array([pair[0] for pair in pairs], pa.int64()),
            "first": pa.array([None if pair[2] else pair[1] for pair in pairs], pa.int64()),
            "existing": pa.array([pair[1] if pair[2] else None for pair in pairs], pa.int64()),
            "score": pa.array([pair[3] for pair in pairs], pa.float64()),
        }
    )
    written.staging.put("alike", found)
    key = msgspec.json.encode([column]).decode()
    return written.staging.arrow(
        f"SELECT {_head(number, 'duplicate', 'a.n')}, numbered.row AS row_id, {written.file.record_json()} AS record, "
        f"CAST(json_object('key', CAST({literal(key)} AS JSON), 'first_record', a.first, 'existing_row', a.existing, "
        "'first_row', f.row, 'score', a.score) AS VARCHAR) AS details, 'pending' AS status "
        "FROM alike a JOIN raw ON raw._n = a.n JOIN numbered ON numbered._n = a.n "
        "LEFT JOIN numbered f ON f._n = a.first ORDER BY a.n"
    )
