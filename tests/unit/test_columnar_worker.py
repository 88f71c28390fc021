"""The process that runs queries holds nothing but the columns that it was given, whatever SQL reaches the process."""

from __future__ import annotations

from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.good_sql import GOOD
from tests.sql_catalog import CATALOG

from atlas.catalog.model import Catalog
from atlas.errors import BadRequestError
from atlas.sqlgate.columnar.finishing import quotient, rounded
from atlas.sqlgate.columnar.in_worker import QueryEngine, QueryRequest, RelationStreams
from atlas.sqlgate.gate import check_query
from atlas.timeseries.cold.column_streams import ColumnStream
from atlas.timeseries.columns import Dtype
from atlas.workers.protocol import Kind, of_stream

HOSTILE = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('https://example.com/a.parquet')",
    "SELECT * FROM read_json('s3://bucket/a.json')",
    "COPY (SELECT 1) TO '/tmp/atlas-leak.csv'",
    "EXPORT DATABASE '/tmp/atlas-leak'",
    "ATTACH '/tmp/atlas-leak.db' AS leak",
    "ATTACH 'postgres:host=localhost' AS pg (TYPE postgres)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "INSTALL postgres FROM community",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET temp_directory = '/tmp'",
    "SET memory_limit = '100GB'",
    "PRAGMA enable_profiling",
    "CREATE SECRET leak (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SELECT getenv('HOME')",
    "SELECT * FROM pg_read_file('/etc/passwd')",
    "SELECT * FROM query('SELECT 1', 'x')",
    "SELECT * FROM tables_of_python",
    "CALL start_ui()",
    "IMPORT DATABASE '/tmp'",
]
# Positions that are not there, which PostgreSQL tells of.
ODD = [
    "SELECT id FROM leads UNION SELECT id FROM orders ORDER BY 2",
    "SELECT id FROM leads EXCEPT SELECT id FROM orders ORDER BY 0",
    "SELECT id, amount FROM leads UNION ALL SELECT id, total FROM orders ORDER BY 1, 99",
    "SELECT id FROM leads ORDER BY 7",
]
tables_of_python = pa.table({"secret": [1]})


def asked(path: Path, sql: str, rows: int = 10) -> pa.Table:
    table = pa.table({"a": pa.array([1, 2, 3])})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    relation = RelationStreams("d1", ColumnStream(False, [("a", "1", Dtype.INT)], False), once=False)
    request = QueryRequest(str(path), sql, [relation], None, rows, 1, 256 * 2**20)
    answers = [of_stream(content) for kind, content in QueryEngine().run(request) if kind is Kind.BATCH]  # type: ignore[arg-type]
    return pa.concat_tables(answers)


def test_a_query_is_answered(tmp_path: Path) -> None:
    assert asked(tmp_path / "d", "SELECT sum(a) AS o1 FROM d1").to_pydict() == {"o1": [6]}


@pytest.mark.parametrize("sql", HOSTILE)
def test_no_sql_gets_out(tmp_path: Path, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        asked(tmp_path / "d", sql)
    assert not Path("/tmp/atlas-leak.csv").exists()


def test_no_query_sees_the_data_of_another(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error):
        asked(tmp_path / "d", "CREATE TABLE kept AS SELECT * FROM d1; SELECT * FROM missing")
    with pytest.raises(duckdb.Error):
        asked(tmp_path / "d", "SELECT * FROM kept")


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_doubles_are_rounded_as_decimals_of_15_digits(value: float, places: int) -> None:
    assert abs(float(rounded(value, places)) - value) <= 0.5 * 10.0**-places + abs(value) * 1e-14
    assert -rounded(value, places).as_tuple().exponent == places  # type: ignore[operator]


@given(st.integers(-(2**90), 2**90), st.integers(1, 2**40))
def test_quotients_have_enough_digits(total: int, count: int) -> None:
    exact = quotient(total, count)
    assert (
        abs(exact * count - total) * 2 <= count * exact.scaleb(0).copy_abs().__class__(10) ** exact.as_tuple().exponent
    )  # type: ignore[operator]


def columnar(catalog: Catalog) -> Catalog:
    """The catalog with every table as a dataset with packed rows."""
    types = {"numeric": "double", "timestamptz": "timestamp", "float8": "double", "int": "bigint"}
    tables = [
        msgspec.structs.replace(
            table,
            kind="dataset",
            cold=True,
            columns=tuple(
                msgspec.structs.replace(one, type=types.get(one.type, one.type), physical=f"c{at}")
                for at, one in enumerate(table.columns)
            ),
        )
        for table in catalog.tables
    ]
    return Catalog(tuple(tables))


def test_every_query_is_written_or_left() -> None:
    """No query that the gate lets through ends the writer, and what the writer gives is DuckDB's syntax."""
    written = 0
    for text in (*(text for text, _ in GOOD), *ODD):
        try:
            checked = check_query(text, columnar(CATALOG), max_rows=10)
        except BadRequestError:
            continue
        if checked.columnar is not None:
            duckdb.extract_statements(checked.columnar.sql)
            written += 1
    assert written > 20


@pytest.mark.parametrize("text", ODD)
def test_what_postgresql_refuses_is_left_to_postgresql(text: str) -> None:
    assert check_query(text, columnar(CATALOG)).columnar is None


@pytest.mark.parametrize("name", ["stddev", "var_pop", "variance", "percentile_cont", "count", "every"])
def test_each_aggregate_alone_reads_all_rows(name: str) -> None:
    calls = {"percentile_cont": "percentile_cont(0.5) WITHIN GROUP (ORDER BY amount)", "every": "every(amount > 0)"}
    checked = check_query(f"SELECT {calls.get(name, f'{name}(amount)')} FROM leads", columnar(CATALOG), max_rows=5)
    assert checked.columnar is not None
    assert checked.columnar.first_rows is None


def test_rows_as_they_come_need_no_others() -> None:
    found = check_query("SELECT id, amount FROM leads LIMIT 7 OFFSET 3", columnar(CATALOG), max_rows=100).columnar
    assert found is not None
    assert found.first_rows == 10
    for rest in ("WHERE amount > 3", "ORDER BY id", "GROUP BY id"):
        other = check_query(f"SELECT id FROM leads {rest} LIMIT 7", columnar(CATALOG)).columnar
        assert other is not None
        assert other.first_rows is None
