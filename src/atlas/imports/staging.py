"""A file between upload and table: its cells as texts in its own DuckDB database.

Analysis is columnar and spills to disk, so memory does not grow with the file. Only the rows of samples and of issues
become Python objects.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from atlas.column_formats.model import Kind
from atlas.errors import AtlasError, BadRequestError, TooLargeError
from atlas.imports.duckdb_casts import NESTED_TOO_DEEP, cast, fits, is_null_text
from atlas.imports.files.source import Source, physical, text_table
from atlas.imports.footers import leave_out_another, leave_out_notes
from atlas.imports.totals import leave_out_totals
from atlas.kit.json_depth import too_deep
from atlas.kit.plurals import many

# Each column of a batch takes a vector in each thread.
MEMORY_MB = 192
COLUMN_MB = 0.125
WIDE = 200
# The columns of a wide table in one query, as the planning time grows with the square of their number.
_SLICE = 25
SAMPLE_ROWS = 2_000
SAMPLE_CELLS = 200_000
BATCH_ROWS = 32_768
# Sorts and joins of queries spill as well as the records.
SPILL_FACTOR = 2
# Invisible characters around a cell: blanks, and marks without width.
_BLANKS = " \t\r\n\u00a0\ufeff\u200b\u200e\u200f\u2060"
# The number of misfitting texts that are examined.
_MISFITS = 300


@contextlib.contextmanager
def within_memory() -> Iterator[None]:
    """Converts a lack of memory that no earlier limit caught into a TooLargeError."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise TooLargeError("File too large", "it needs more memory than one import may take; split it") from None


class Staging:
    """The records of one file. Methods may be called from any thread and take turns.

    number: counts records from 1.
    spill_bytes: the bytes of records that may be on disk.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        *,
        on_progress: Callable[[int], None] | None = None,
        keep_blank: bool = False,
        spill_bytes: int | None = None,
    ) -> None:
        self.source = source
        self.width = len(source.names)
        # Columns with kinds that fit all of their cells, without texts for a missing value.
        self.clean: set[tuple[int, Kind]] = set()
        self._trimmed = self._nul = self._empty = 0
        self._connection = duckdb.connect(
            # In memory DuckDB is 4 times as fast as in a file. Past the limit it spills.
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "threads": "1" if self.width > WIDE else "2",
                "memory_limit": f"{MEMORY_MB + int(self.width * COLUMN_MB)}MB",
                "temp_directory": str(folder / "spill"),
            },
        )
        self._lock = threading.RLock()
        try:
            self._connection.execute("SET TimeZone = 'UTC'")
            self._connection.create_function(NESTED_TOO_DEEP, _nested_too_deep, ["VARCHAR"], "BOOLEAN")
            if spill_bytes is not None:
                self._connection.execute(f"SET max_temp_directory_size = '{spill_bytes * SPILL_FACTOR}B'")
            if self.width > WIDE:
                # This optimizer takes longest with many columns, and finds nothing in these queries.
                self._connection.execute("SET disabled_optimizers = 'common_subexpressions'")
            self._load(on_progress)
            if self._trimmed:
                source.notes.append(f"blanks around {many(self._trimmed, 'value')} left out")
            if self._empty and source.declares_texts:
                source.notes.append(f"empty texts in {many(self._empty, 'value')} stored as no value")
            if self._nul:
                source.notes.append(f"NUL characters in {many(self._nul, 'value')} left out")
            if not keep_blank:
                self._drop_blank()
                if source.lines:
                    source.notes += leave_out_another(self.query, source.names, source.behind_blanks)
                    source.notes += leave_out_notes(self.query, self.width, source.behind_blanks)
                source.notes += leave_out_totals(self.query, self.width)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Interrupts queries in other threads, and frees all memory."""
        self._connection.interrupt()
        with self._lock:
            self._connection.close()

    def query(self, text: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement on the staging tables."""
        with self._lock:
            return self._connection.execute(text, parameters).fetchall()

    def arrow(self, text: str) -> pa.Table:
        """Returns the rows of a statement as a table."""
        with self._lock:
            return self._connection.sql(text).to_arrow_table()

    def batches(self, text: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a statement in batches."""
        with self._lock:
            reader = self._connection.sql(text).to_arrow_reader(BATCH_ROWS)
        while True:
            with self._lock:
                batch = next(reader, None)
            if batch is None:
                return
            yield batch

    def put(self, name: str, table: pa.Table) -> None:
        """Stores `table` as a table of the staging."""
        with self._lock:
            self._connection.register("_incoming", table)
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM _incoming")
            self._connection.unregister("_incoming")

    def _load(self, on_progress: Callable[[int], None] | None) -> None:
        names = [physical(position) for position in range(self.width)]
        schema = pa.schema([("_n", pa.int64()), *((name, pa.string()) for name in names)])
        failure: list[AtlasError] = []

        def numbered() -> Iterator[pa.RecordBatch]:
            first = 1
            try:
                for table in self.source.batches:
                    numbers = self.source.numbers(first, len(table))
                    if len(numbers):
                        first = int(numbers[-1]) + 1
                    table = self._without_blanks(table).add_column(0, "_n", pa.array(numbers)).cast(schema)
                    yield from table.to_batches()
                    if on_progress is not None:
                        on_progress(first - 1)
            except AtlasError as error:
                # Arrow's stream would convert the exception to a text.
                failure.append(error)

        reader = pa.RecordBatchReader.from_batches(schema, numbered())
        self._connection.register("_incoming", reader)
        self._connection.execute("CREATE TABLE raw AS SELECT * FROM _incoming")
        self._connection.unregister("_incoming")
        if failure:
            raise failure[0]
        if self.source.fixed:
            table = self._without_blanks(text_table([cells for _, cells in self.source.fixed], self.width))
            numbers = pa.array([number for number, _ in self.source.fixed], pa.int64())
            self._connection.register("_incoming", table.add_column(0, "_n", numbers).cast(schema))
            self._connection.execute("INSERT INTO raw SELECT * FROM _incoming")
            self._connection.unregister("_incoming")

    def _without_blanks(self, table: pa.Table) -> pa.Table:
        """Trims blanks around texts. Empty texts become null."""
        columns = []
        for column in table.columns:
            nul = pc.match_substring(column, "\0")
            if pc.any(nul).as_py():
                # PostgreSQL texts cannot hold NUL.
                self._nul += pc.sum(nul).as_py()
                column = pc.replace_substring(column, "\0", "")
            text = pc.utf8_trim(column, _BLANKS)
            if pc.sum(pc.binary_length(text)).as_py() != pc.sum(pc.binary_length(column)).as_py():
                self._trimmed += pc.sum(pc.and_(pc.not_equal(text, column), pc.not_equal(text, ""))).as_py() or 0
            empty = pc.equal(text, "")
            if pc.any(empty).as_py():
                self._empty += pc.sum(empty).as_py()
                text = pc.if_else(empty, None, text)
            columns.append(text)
        return pa.table(columns, names=table.column_names)

    def _drop_blank(self) -> None:
        columns = [physical(position) for position in range(self.width)]
        blank = " AND ".join(f"{column} IS NULL" for column in columns)
        self._connection.execute(f"DELETE FROM raw WHERE {blank}")
        if self.source.lines and any(self.source.names):
            same = " AND ".join(f"lower(coalesce({column}, '')) = lower(?)" for column in columns)
            row = self._connection.execute(f"DELETE FROM raw WHERE {same}", [n.strip() for n in self.source.names])
            repeated = row.fetchone()
            if repeated and repeated[0]:
                self.source.notes.append(f"{repeated[0]} repeated header line{'s' if repeated[0] > 1 else ''} left out")

    @property
    def records(self) -> int:
        """The number of records in the file that are not blank, ragged records included."""
        return int(self.query("SELECT count(*) FROM raw")[0][0]) + len(self.source.bad)

    @cached_property
    def minus_zeros(self) -> frozenset[int]:
        """Columns with a text that begins like a negative zero. One query covers many columns, as there may be many."""
        tests = [f"starts_with({c}, '-0') OR starts_with({c}, '(0')" for c in map(physical, range(self.width))]
        counts = [n for start in range(0, self.width, _SLICE) for n in self.counts(tests[start : start + _SLICE])]
        return frozenset(position for position, count in enumerate(counts) if count)

    def sample(self) -> list[list[str]]:
        """Returns, for each column, the texts of some records from the whole file, without blank texts."""
        most = max(50, min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, self.width)))
        total = int(self.query("SELECT coalesce(max(_n), 0) FROM raw")[0][0])
        step = max(1, total // max(1, most // 2))
        table = self.arrow(f"SELECT * EXCLUDE _n FROM raw WHERE _n <= {most // 2} OR _n % {step} = 0 LIMIT {most * 2}")
        return [[text for text in column.to_pylist() if text and text.strip()] for column in table.columns]

    def failures(self, kinds: Sequence[Kind]) -> list[tuple[int, int]]:
        """Counts, for each column with its kind, the cells with a text, and the cells whose text does not fit.

        A text for a missing value fits.
        Raises BadRequestError: when the file has no columns.
        """
        if not kinds:
            raise BadRequestError("Invalid file", "the file has no columns")
        places = [(position, kind) for position, kind in enumerate(kinds) if kind.type != "text"]
        cells = [f"count({physical(position)})" for position in range(len(kinds))]
        doubles = self.source.doubles
        cells += [_fitting(physical(place), kind, doubles=place in doubles) for place, kind in places]
        counts: list[Any] = []
        size = _SLICE if self.width > WIDE else max(1, len(cells))
        for start in range(0, len(cells), size):
            counts += self.query(f"SELECT {', '.join(cells[start : start + size])} FROM raw")[0]
        totals, fitting = counts[: len(kinds)], counts[len(kinds) :]
        found = [(int(total), 0) for total in totals]
        for (position, kind), number in zip(places, fitting, strict=True):
            if number == totals[position]:
                self.clean.add((position, kind))
            else:
                found[position] = (int(totals[position]), sum(times for _, times in self.misfits(position, kind, None)))
        return found

    def misfits(self, position: int, kind: Kind, limit: int | None = _MISFITS) -> list[tuple[str, int]]:
        """Returns the texts of a column that do not fit its kind, most frequent first, each with its number of cells.

        Texts for a missing value fit.
        limit: the number of texts. None counts all misfits under the text "".
        """
        column = physical(position)
        unfit = f"{column} IS NOT NULL AND {cast(column, kind)} IS NULL AND NOT {is_null_text(column)}"
        if limit is None:
            return [("", int(self.query(f"SELECT count(*) FROM raw WHERE {unfit}")[0][0]))]
        query = f"SELECT {column}, count(*) AS times FROM raw WHERE {unfit} GROUP BY 1 ORDER BY times DESC, 1"
        return [(text, int(times)) for text, times in self.query(f"{query} LIMIT {limit}")]

    def counts(self, conditions: Sequence[str]) -> list[int]:
        """Counts the records that meet each of some conditions on raw texts."""
        if not conditions:
            return []
        counted = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
        return [int(number) for number in self.query(f"SELECT {counted} FROM raw")[0]]

    def first(self, position: int, condition: str, limit: int) -> list[str]:
        """Returns the first texts of a column that meet a condition."""
        column = physical(position)
        query = f"SELECT {column} FROM raw WHERE {column} IS NOT NULL AND {condition} ORDER BY _n LIMIT {limit}"
        return [row[0] for row in self.query(query)]


def _nested_too_deep(text: str) -> bool:
    return too_deep(text.encode())


def _fitting(column: str, kind: Kind, *, doubles: bool) -> str:
    """Builds a count of the cells that fit a kind. A date that does not exist counts as a misfit."""
    if kind.type in ("date", "timestamp"):
        return f"count({cast(column, kind)})"
    return f"count(*) FILTER ({fits(column, kind, doubles=doubles)})"
