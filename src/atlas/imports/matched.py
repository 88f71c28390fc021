"""Records that are matched to each other by their keys, and to rows of the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from atlas.contract.records import MissingRow
from atlas.contract.shape import Json
from atlas.imports.checked import Checked
from atlas.imports.checks import Staged
from atlas.imports.duckdb_casts import literal, quote
from atlas.imports.files.source import physical
from atlas.imports.plan import ImportPlan
from atlas.imports.row_keys import key_value
from atlas.imports.staging import Staging
from atlas.kit.decimals import exact_loads
from atlas.tables.model import TableColumn


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions on records whose key is already present.

    duplicates: the number of records that are not the first with their key.
    unmatched: the number of records that should update a row but match none.
    leave_out: a query of the numbers of records that are not inserted, or "".
    keyless: the number of inserted records that match nothing, as all of their key columns are empty.
    """

    duplicates: int
    unmatched: int
    leave_out: str
    keyless: int = 0


@dataclass(frozen=True)
class Matched:
    """Checked records and their matches, made by `match` or `aim`.

    The staging has the tables `keys(_n, h)`, `repeats(_n, first)` and `existing(n, row)`.
    key: the expression of a record's key, or None if a person named the rows.
    repeats: the number of records with the key of another record.
    existing: the number of rows with the key of a record.
    """

    checked: Checked
    key: str | None
    repeats: int = 0
    existing: int = 0

    @property
    def file(self) -> Staged:
        return self.checked.file

    @property
    def staging(self) -> Staging:
        return self.checked.staging

    @property
    def plan(self) -> ImportPlan:
        return self.checked.plan

    def candidate_keys(self) -> pa.Table:
        """Returns the keys (n, h) to look up in the table."""
        return self.staging.arrow(
            "SELECT _n AS n, h FROM keys WHERE h IS NOT NULL AND _n NOT IN (SELECT _n FROM repeats)"
        )

    def with_existing(self, found: pa.Table) -> Matched:
        """Returns the records together with the rows (n, row) that have their keys."""
        self.staging.put("existing", found)
        return Matched(self.checked, self.key, self.repeats, len(found))

    def merge_repeats(self) -> None:
        """Fills the last record of a key with cells of earlier records, as an empty cell changes nothing."""
        cells = list(dict.fromkeys(physical(column.position) for column in self.plan.columns))
        latest = ", ".join(f"last({c} ORDER BY raw._n) FILTER ({c} IS NOT NULL) AS {c}" for c in cells)
        sets = ", ".join(f"{c} = coalesce(raw.{c}, earlier.{c})" for c in cells)
        self.staging.query(
            f"UPDATE raw SET {sets} FROM (SELECT first, {latest} FROM repeats JOIN raw ON raw._n = repeats._n "
            "GROUP BY first) earlier WHERE raw._n = earlier.first"
        )

    def decide(self) -> Decided:
        """Decides which records are inserted, once `existing` is complete.

        Creates `dups(_n, first, existing)` of duplicates.
        """
        duplicates, leave_out = 0, ""
        if self.plan.duplicates != "keep" and not self.plan.dataset:
            duplicates = self._find_duplicates()
            leave_out = "SELECT _n FROM dups" if duplicates else ""
        if self.plan.only_existing:
            return Decided(duplicates, self._unmatched(), "SELECT _n FROM raw")
        return Decided(duplicates, 0, leave_out, self._keyless())

    def _keyless(self) -> int:
        if not self.plan.key or self.plan.duplicates == "keep" or self.plan.dataset:
            return 0
        return int(self.staging.query("SELECT count(*) FROM keys WHERE h IS NULL")[0][0])

    def _find_duplicates(self) -> int:
        self.staging.query(
            "CREATE OR REPLACE TABLE dups AS SELECT r._n, r.first, e.row AS existing FROM repeats r "
            "LEFT JOIN existing e ON e.n = r.first UNION ALL SELECT n, NULL, row FROM existing"
        )
        return int(self.staging.query("SELECT count(*) FROM dups")[0][0])

    def _unmatched(self) -> int:
        """Counts the records whose key no row has, without repeats of other records."""
        known = "SELECT n FROM existing UNION ALL SELECT _n FROM repeats"
        return int(self.staging.query(f"SELECT count(*) FROM keys WHERE _n NOT IN ({known})")[0][0])

    def rows(self, leave_out: str = "") -> Iterator[pa.RecordBatch]:
        """Yields the values of the records to insert: `_n`, the plan's columns, `_key`.

        leave_out: a query of record numbers that are not inserted, or "".
        """
        cells = self.checked.cells()
        left = f"AND raw._n NOT IN ({leave_out})" if leave_out else ""
        order = "ORDER BY raw._n" if left or self.checked.failing or self.staging.source.fixed else ""
        hashed, join = self.key or "NULL::BIGINT", ""
        if self.key is not None and _many(self.plan):
            # Hashing many columns again takes longer than a join.
            hashed, join, order = "keys.h", "LEFT JOIN keys ON keys._n = raw._n", "ORDER BY raw._n"
        passing = f"{self.checked.passing('raw.')} {left}"
        yield from self.staging.batches(
            f"SELECT raw._n, {cells}, {hashed} AS _key FROM raw {join} WHERE {passing} {order}"
        )

    def sample_rows(self, limit: int) -> list[Json]:
        """Returns the first records to insert as they would be, without repeats unless repeats are kept."""
        repeats = "" if self.plan.duplicates == "keep" else "AND _n NOT IN (SELECT _n FROM repeats) "
        where = f"{self.checked.passing()} {repeats}"
        query = f"SELECT {self.file.record_json()} FROM raw WHERE {where}ORDER BY _n LIMIT {limit}"
        return [exact_loads(row[0]) for row in self.staging.query(query)]

    def updates(self) -> Iterator[pa.RecordBatch]:
        """Yields the new values of existing rows: `_row`, then the plan's columns."""
        cells = "".join(f", {self.file.value(column)} AS {quote(column.name)}" for column in self.plan.columns)
        yield from self.staging.batches(f"SELECT e.row AS _row{cells} FROM existing e JOIN raw ON raw._n = e.n")

    def missing_keys(self) -> list[MissingRow]:
        """Returns records whose keys no row has, as `record_number` and `keys`.

        Of records with one key, all or none are returned.
        """
        keys = ", ".join(f"{literal(c.name)}, {self.file.value(c)}" for c in self.plan.key_columns)
        found = self.staging.query(
            f"WITH k AS (SELECT _n, CAST(json_object({keys}) AS VARCHAR) AS key FROM raw "
            f"WHERE {self.checked.passing()}) SELECT _n, key FROM k "
            "WHERE lower(key) NOT IN (SELECT lower(key) FROM k WHERE _n IN (SELECT n FROM existing)) ORDER BY _n"
        )
        return [MissingRow(record_number=number, keys=msgspec.json.decode(key)) for number, key in found]


def match(checked: Checked, table_columns: Sequence[TableColumn]) -> Matched:
    """Finds records with the key of another record. The first of these stays, or the last if records update.

    table_columns: of the table that the keys are compared in.
    """
    plan, staging = checked.plan, checked.staging
    many = _many(plan)
    values = {column.name: checked.file.value(column) for column in plan.key_columns}
    columns = [*(column.table_column() for column in plan.columns), *table_columns]
    source = f"raw WHERE {checked.passing()}"
    if many:
        # As columns, each value is planned once. Planning takes time that grows faster than the query.
        cells = ", ".join(f"{value} AS v{number}" for number, value in enumerate(values.values()))
        source = f"(SELECT _n, {cells} FROM {source})"
        values = {name: f"v{number}" for number, name in enumerate(values)}
    key = key_value(values, columns, plan.key)
    staging.query(f"CREATE OR REPLACE TABLE keys AS SELECT _n, {key} AS h FROM {source}")
    stays = "max" if plan.duplicates == "update" else "min"
    staging.query(
        f"CREATE OR REPLACE TABLE repeats AS SELECT _n, first FROM (SELECT _n, {stays}(_n) OVER (PARTITION BY h) "
        "AS first FROM keys WHERE h IS NOT NULL) WHERE _n <> first"
    )
    staging.query("CREATE OR REPLACE TABLE existing (n BIGINT, row BIGINT)")
    repeats = int(staging.query("SELECT count(*) FROM repeats")[0][0])
    return Matched(checked, key, repeats)


def aim(checked: Checked, targets: pa.Table) -> Matched:
    """Matches records with rows that a person named, as (n, row)."""
    checked.staging.put("existing", targets)
    return Matched(checked, None, existing=len(targets))


def _many(plan: ImportPlan) -> bool:
    return len(plan.key_columns) > 2
