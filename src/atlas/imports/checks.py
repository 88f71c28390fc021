"""A staged file seen through the plan of its import: checks, filters, duplicates, and the rows that remain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import pyarrow as pa

from atlas.column_formats.model import Kind
from atlas.errors import BadRequestError
from atlas.imports.duckdb_casts import (
    DUCKDB_TYPES,
    bare_email,
    cast,
    compare,
    is_null_text,
    key_hash,
    literal,
    normalized,
    quote,
)
from atlas.imports.files.source import physical
from atlas.imports.fuzzy_duplicates import Candidate
from atlas.imports.infer.types import EMAIL
from atlas.imports.plan import ColumnPlan, ImportPlan
from atlas.imports.staging import Staging
from atlas.kit.decimals import exact_loads
from atlas.kit.json_depth import TOO_DEEP
from atlas.language.instructions import Filter
from atlas.tables.model import TableColumn

REASONS = {
    "bigint": "not a whole number",
    "numeric": "not a number",
    "double": "not a number",
    "boolean": "not true or false",
    "date": "not a date",
    "timestamp": "not a date and time",
    "json": f"not valid JSON, or {TOO_DEEP}",
    "email": "not a valid e-mail address",
}
_COMPARISONS = {"=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


@dataclass(frozen=True, slots=True)
class Check:
    """Something that may be wrong with a record. `condition`: DuckDB, true where it is."""

    column: ColumnPlan
    reason: str
    condition: str


class PlannedFile:
    """What becomes of each record of `staging` under `plan`. Tables made in staging: rejected, keys, repeats."""

    def __init__(self, staging: Staging, plan: ImportPlan, *, relaxed: frozenset[int] = frozenset()) -> None:
        self.staging = staging
        self.plan = plan
        # Records whose failures somebody has accepted.
        self._relaxed = relaxed
        self._rejected = 0
        # Unless keys are asked for, rows have none.
        self._key: str | None = None

    def checks(self) -> list[Check]:
        """Every check of the plan."""
        found = []
        for column in self.plan.columns:
            raw = physical(column.position)
            value = self.value(column)
            if self._may_misfit(column) and not column.guessed:
                blank = f"{raw} IS NULL OR {is_null_text(raw)}"
                found.append(Check(column, REASONS[column.kind.type], f"{value} IS NULL AND NOT ({blank})"))
            if column.semantic == "email":
                fits = f"regexp_full_match({value}, {literal(EMAIL)})"
                found.append(Check(column, REASONS[column.semantic], f"{value} IS NOT NULL AND NOT {fits}"))
            if column.required:
                found.append(Check(column, "required, but empty", f"{value} IS NULL"))
            found += self._rule_checks(column, value)
        for position in self.plan.discard_columns:
            outside = ColumnPlan(position, self.staging.source.names[position], "", "text", Kind("text"))
            found.append(Check(outside, "the table has no such column", f"{physical(position)} IS NOT NULL"))
        return found

    def _rule_checks(self, column: ColumnPlan, value: str) -> Iterator[Check]:
        rules = column.rules
        for bound, sign, words in (
            (rules.minimum, "<", "less than"),
            (rules.maximum, ">", "more than"),
            (rules.above, "<=", "not more than"),
        ):
            if bound is not None and column.type != "text":
                limit = f"TRY_CAST({literal(str(bound))} AS {DUCKDB_TYPES[column.type]})"
                shown = f"{bound:g}" if isinstance(bound, float) else str(bound)
                yield Check(column, f"{words} {shown}", compare(value, sign, limit, column.type))
        if rules.values:
            among = Filter(column.name, "in", rules.values)
            yield Check(
                column,
                f"not one of {', '.join(rules.values)}",
                f"{value} IS NOT NULL AND NOT coalesce({self._test(among, column, value)}, false)",
            )

    def value(self, column: ColumnPlan) -> str:
        """DuckDB's expression for a record's value of a column."""
        clean = (column.position, column.kind) in self.staging.clean and not column.kind.formats
        value = cast(physical(column.position), column.kind, clean=clean)
        if column.semantic == "email":
            return bare_email(value)
        if column.kind.type == column.type:
            return value
        return f"CAST({value} AS {DUCKDB_TYPES[column.type]})"

    def _may_misfit(self, column: ColumnPlan) -> bool:
        """Whether a cell may be no value of its column's type."""
        return column.kind.type != "text" and (column.position, column.kind) not in self.staging.clean

    @cached_property
    def where(self) -> str:
        """The filter of the plan as a condition on raw records."""
        if not self.plan.filters:
            return "true"
        groups = [" AND ".join(self._comparison(item) for item in group) for group in self.plan.filters]
        joined = f"coalesce({' OR '.join(f'({group})' for group in groups)}, false)"
        return f"NOT {joined}" if self.plan.exclude else joined

    def _comparison(self, item: Filter) -> str:
        column = self.plan.filtered(item.column)
        value = self.value(column)
        test = self._test(item, column, value)
        return f"NOT coalesce({test}, false)" if item.negated else test

    def _check_filters(self) -> None:
        """Raises BadRequestError where a filter compares with what is no value of its column."""
        for item in (item for group in self.plan.filters for item in group):
            column = self.plan.filtered(item.column)
            if column.type == "text" or item.operator in ("contains", "starts", "ends"):
                continue
            for value in item.values:
                if not holds_value(self.staging, column, value):
                    reason = f"the filter on {item.column} compares with {value!r}, which is {REASONS[column.type]}"
                    raise BadRequestError("Invalid filter", reason)

    def _test(self, item: Filter, column: ColumnPlan, value: str) -> str:
        if item.operator == "empty":
            return f"{value} IS NULL"
        text = f"lower(CAST({value} AS VARCHAR))"
        if item.operator in ("contains", "starts", "ends"):
            function = {"contains": "contains", "starts": "starts_with", "ends": "suffix"}[item.operator]
            return f"{function}({text}, {literal(item.values[0].lower())})"
        if column.type == "text" and item.operator in ("=", "in"):
            return f"{text} IN ({', '.join(literal(v.lower()) for v in item.values)})"
        values = [cast(literal(v.strip()), _said(column)) for v in item.values]
        if item.operator in ("=", "in"):
            return f"({' OR '.join(compare(value, '=', other, column.type) for other in values)})"
        if item.operator == "between":
            least, most = (compare(value, sign, v, column.type) for sign, v in zip((">=", "<="), values, strict=True))
            return f"({least} AND {most})"
        return compare(value, _COMPARISONS[item.operator], values[0], column.type)

    def reject(self) -> int:
        """Finds the records that fail a check; gives their number. They stand in `rejected(_n, problems)`."""
        self._check_filters()
        checks = self.checks()
        counted = ", ".join(["count(*)", *(f"count(*) FILTER ({check.condition})" for check in checks)])
        row = self.staging.query(f"SELECT {counted} FROM raw WHERE {self.where}")[0]
        failing = [check for check, times in zip(checks, row[1:], strict=True) if times]
        self.staging.query("CREATE OR REPLACE TABLE rejected (_n BIGINT, problems VARCHAR)")
        if not failing:
            return 0
        problems = ", ".join(
            f"CASE WHEN {check.condition} THEN {{'column': {literal(check.column.name or check.column.header)}, "
            f"'reason': {literal(check.reason)}, 'value': {physical(check.column.position)}}} END"
            for check in failing
        )
        accepted = f" AND _n NOT IN ({', '.join(map(str, self._relaxed))})" if self._relaxed else ""
        either = " OR ".join(f"({check.condition})" for check in failing)
        self.staging.query(
            f"INSERT INTO rejected SELECT _n, to_json(list_filter([{problems}], lambda x: x IS NOT NULL))::VARCHAR "
            f"FROM raw WHERE {self.where} AND ({either}){accepted}"
        )
        self._rejected = int(self.staging.query("SELECT count(*) FROM rejected")[0][0])
        return self._rejected

    def replaced(self) -> str | None:
        """A query of the cells whose value is not what they say, as (_n, name, original, new); None without any.

        Such are texts that stand for no value or are none of a guessed type, and e-mail addresses with something
        around them.
        """
        tests = {}
        for column in self.plan.columns:
            raw = physical(column.position)
            if column.semantic == "email":
                tests[column.name] = (raw, f"{raw} <> {self.value(column)}", self.value(column))
            elif self._may_misfit(column):
                tests[column.name] = (raw, f"{raw} IS NOT NULL AND {self.value(column)} IS NULL", "NULL::VARCHAR")
        if not tests:
            return None
        counted = ", ".join(f"count(*) FILTER ({test})" for _, test, _ in tests.values())
        row = self.staging.query(f"SELECT count(*), {counted} FROM raw")[0]
        parts = [
            f"SELECT _n, {literal(name)} AS name, {raw} AS original, {new} AS new FROM raw "
            f"WHERE {test} AND {self._passing()}"
            for (name, (raw, test, new)), times in zip(tests.items(), row[1:], strict=True)
            if times
        ]
        return " UNION ALL ".join(parts) if parts else None

    def left_out(self) -> int:
        """Records that the filter of the plan leaves out."""
        if not self.plan.filters:
            return 0
        return int(self.staging.query(f"SELECT count(*) FROM raw WHERE NOT ({self.where})")[0][0])

    def candidates(self, name: str, others: Sequence[str], key: Sequence[str]) -> list[Candidate]:
        """Inserted records as they are compared by likeness; labels are the numbers of their rows."""
        cells = "".join(f", CAST({self.value(c)} AS VARCHAR)" for c in map(self.plan.column, others) if c is not None)
        column = self.plan.column(name)
        assert column is not None
        parts = [f"{self.value(part)} IS NOT NULL" for part in map(self.plan.column, key) if part is not None]
        keyed = " AND ".join(parts) or "false"
        rows = self.staging.query(
            f"SELECT raw._n, {self.value(column)}, {keyed}{cells} FROM raw JOIN numbered USING (_n) "
            f"WHERE {self.value(column)} IS NOT NULL ORDER BY raw._n"
        )
        return [Candidate(row[0], row[1], tuple(row[3:]), keyed=row[2]) for row in rows]

    @property
    def _many_keys(self) -> bool:
        return len(self.plan.key_columns) > 2

    def find_keys(self, table_columns: Sequence[TableColumn]) -> int:
        """Makes `keys(_n, h)`, and `repeats(_n, first)` of records whose key another one has; gives their number.

        `first` is the record that stays: the first, or the last where records update.
        """
        values = {column.name: self.value(column) for column in self.plan.key_columns}
        columns = [*(column.table_column() for column in self.plan.columns), *table_columns]
        source = f"raw WHERE {self._passing()}"
        if self._many_keys:
            # Planned with each value once: the time that takes grows faster than the query.
            cells = ", ".join(f"{value} AS v{number}" for number, value in enumerate(values.values()))
            source = f"(SELECT _n, {cells} FROM {source})"
            values = {name: f"v{number}" for number, name in enumerate(values)}
        self._key = key_value(values, columns, self.plan.key)
        self.staging.query(f"CREATE OR REPLACE TABLE keys AS SELECT _n, {self._key} AS h FROM {source}")
        stays = "max" if self.plan.duplicates == "update" else "min"
        self.staging.query(
            f"CREATE OR REPLACE TABLE repeats AS SELECT _n, first FROM (SELECT _n, {stays}(_n) OVER (PARTITION BY h) "
            "AS first FROM keys WHERE h IS NOT NULL) WHERE _n <> first"
        )
        self.staging.query("CREATE OR REPLACE TABLE existing (n BIGINT, row BIGINT)")
        return int(self.staging.query("SELECT count(*) FROM repeats")[0][0])

    def merge_repeats(self) -> None:
        """Gives the last record of a key what only earlier ones have, as an empty cell changes nothing."""
        cells = list(dict.fromkeys(physical(column.position) for column in self.plan.columns))
        latest = ", ".join(f"last({c} ORDER BY raw._n) FILTER ({c} IS NOT NULL) AS {c}" for c in cells)
        sets = ", ".join(f"{c} = coalesce(raw.{c}, earlier.{c})" for c in cells)
        self.staging.query(
            f"UPDATE raw SET {sets} FROM (SELECT first, {latest} FROM repeats JOIN raw ON raw._n = repeats._n "
            "GROUP BY first) earlier WHERE raw._n = earlier.first"
        )

    def candidate_keys(self) -> pa.Table:
        """Keys (n, h) to look for in the table."""
        return self.staging.arrow(
            "SELECT _n AS n, h FROM keys WHERE h IS NOT NULL AND _n NOT IN (SELECT _n FROM repeats)"
        )

    def duplicates(self) -> int:
        """Makes `dups(_n, first, existing)` of records that are not the first with their key; counts them."""
        self.staging.query(
            "CREATE OR REPLACE TABLE dups AS SELECT r._n, r.first, e.row AS existing FROM repeats r "
            "LEFT JOIN existing e ON e.n = r.first UNION ALL SELECT n, NULL, row FROM existing"
        )
        return int(self.staging.query("SELECT count(*) FROM dups")[0][0])

    def unmatched(self) -> int:
        """Records that no row has the key of, but for the repeats of others."""
        known = "SELECT n FROM existing UNION ALL SELECT _n FROM repeats"
        return int(self.staging.query(f"SELECT count(*) FROM keys WHERE _n NOT IN ({known})")[0][0])

    def number_rows(self, first_row: int, leave_out: str) -> None:
        """Makes `numbered(_n, row)`: the row that each record became, or that it updated."""
        self.staging.query(
            f"CREATE OR REPLACE TABLE numbered AS SELECT _n, {first_row - 1} + row_number() OVER (ORDER BY _n) AS row "
            f"FROM raw WHERE {self._passing()} {f'AND _n NOT IN ({leave_out})' if leave_out else ''}"
        )
        if self.plan.duplicates == "update":
            self.staging.query("INSERT INTO numbered SELECT n, row FROM existing")

    def rows(self, leave_out: str = "") -> Iterator[pa.RecordBatch]:
        """The values of the records to insert: `_n`, the plan's columns, `_key`.

        leave_out: a query of record numbers that are not inserted, if there are any.
        """
        cells = ", ".join(f"{self.value(column)} AS {quote(column.name)}" for column in self.plan.columns)
        left = f"AND raw._n NOT IN ({leave_out})" if leave_out else ""
        order = "ORDER BY raw._n" if left or self._rejected or self.staging.source.fixed else ""
        hashed, join = self._key or "NULL::BIGINT", ""
        if self._key is not None and self._many_keys:
            # Hashing many columns again takes longer than a join.
            hashed, join, order = "keys.h", "LEFT JOIN keys ON keys._n = raw._n", "ORDER BY raw._n"
        yield from self.staging.batches(
            f"SELECT raw._n, {cells}, {hashed} AS _key FROM raw {join} WHERE {self._passing('raw.')} {left} {order}"
        )

    def _passing(self, prefix: str = "") -> str:
        """The condition for records that pass the filter and the checks."""
        if not self._rejected:
            return self.where
        return f"{self.where} AND {prefix}_n NOT IN (SELECT _n FROM rejected)"

    def sample_rows(self, limit: int) -> list[dict[str, object]]:
        """The first records to insert, as they would be: without repeats, unless these are kept."""
        repeats = "" if self.plan.duplicates == "keep" else "AND _n NOT IN (SELECT _n FROM repeats) "
        query = f"SELECT {self.record_json()} FROM raw WHERE {self._passing()} {repeats}ORDER BY _n LIMIT {limit}"
        return [exact_loads(row[0]) for row in self.staging.query(query)]

    def updates(self) -> Iterator[pa.RecordBatch]:
        """New values of rows that exist: `_row`, then the plan's columns that are not of the key."""
        cells = "".join(f", {self.value(column)} AS {quote(column.name)}" for column in self.plan.columns)
        yield from self.staging.batches(f"SELECT e.row AS _row{cells} FROM existing e JOIN raw ON raw._n = e.n")

    def key_schema(self) -> pa.Schema:
        """Arrow types of `key_records`."""
        empty = self.staging.arrow(f"SELECT * FROM ({self._key_records()}) LIMIT 0")
        return pa.schema(
            [field if field.type != pa.large_string() else field.with_type(pa.string()) for field in empty.schema]
        )

    def key_records(self) -> Iterator[pa.RecordBatch]:
        """Number and key values of the records that passed: `_n`, then the key's columns."""
        yield from self.staging.batches(self._key_records())

    def _key_records(self) -> str:
        cells = "".join(f", {self.value(column)} AS {quote(column.name)}" for column in self.plan.key_columns)
        return f"SELECT _n{cells} FROM raw WHERE {self.where} AND _n NOT IN (SELECT _n FROM rejected)"

    def missing_keys(self) -> list[dict[str, object]]:
        """Records whose keys no row has, as `record_number` and `keys`; of records with one key, all or none."""
        keys = ", ".join(f"{literal(c.name)}, {self.value(c)}" for c in self.plan.key_columns)
        found = self.staging.query(
            f"WITH k AS (SELECT _n, CAST(json_object({keys}) AS VARCHAR) AS key FROM raw WHERE {self.where} "
            "AND _n NOT IN (SELECT _n FROM rejected)) SELECT _n, key FROM k "
            "WHERE lower(key) NOT IN (SELECT lower(key) FROM k WHERE _n IN (SELECT n FROM existing)) ORDER BY _n"
        )
        return [{"record_number": number, "keys": msgspec.json.decode(key)} for number, key in found]

    def record_json(self) -> str:
        """DuckDB's expression for a record as a JSON object of its values, absent ones left out."""
        # Not by json_object, which would write the digits of a number anew.
        members = ", ".join(f"{literal(_member(c.name))} || {self._json_value(c)}" for c in self.plan.columns)
        return f"'{{' || concat_ws(',', {members}) || '}}'"

    def _json_value(self, column: ColumnPlan) -> str:
        value = self.value(column)
        return value if column.type in ("json", "numeric") else f"CAST(to_json({value}) AS VARCHAR)"

    def raw_json(self) -> str:
        """As `record_json`, but all as texts, and what does not fit its type as the file has it."""
        members = ", ".join(
            f"{literal(c.name)}, coalesce(CAST({self.value(c)} AS VARCHAR), {physical(c.position)})"
            for c in self.plan.columns
        )
        return f"CAST(json_merge_patch('{{}}', json_object({members})) AS VARCHAR)"


def _member(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}:"


def key_value(values: dict[str, str], columns: Sequence[TableColumn], key: Sequence[str]) -> str:
    """DuckDB's expression for a row's key: a whole number is its own, anything else is hashed."""
    known = {column.name: column for column in columns}
    if len(key) == 1 and key[0] in values and known[key[0]].type == "bigint":
        return values[key[0]]
    return key_hash(key_text(values, columns, key))


def key_text(values: dict[str, str], columns: Sequence[TableColumn], key: Sequence[str]) -> str:
    """DuckDB's text of a row's key from expressions by column name. Without a key, of all values by name.

    Values are compared as people do (see `normalized`). With a key of all columns, absent ones count for
    nothing, so that a column that is added later changes no key.
    """
    known = {column.name: column for column in columns}
    parts = []
    names = list(key) or sorted(values)
    for name in names:
        if name not in values:
            parts.append("''")
            continue
        column = known[name]
        part = normalized(values[name], column.type, column.semantic)
        parts.append(f"coalesce({part}, '')" if key else f"coalesce({literal(name + '=')} || {part} || chr(30), '')")
    # A function of many arguments, since an operator for each would nest too deep for a wide table.
    joined = f"concat_ws({'chr(31)' if key else literal('')}, {', '.join(parts)})"
    if not key:
        return f"nullif({joined}, '')"
    present = [values[name] for name in names if name in values]
    filled = ", ".join(f"CAST({value} AS VARCHAR)" for value in present) or "NULL"
    return f"CASE WHEN coalesce({filled}) IS NOT NULL THEN {joined} END"


def holds_value(staging: Staging, column: ColumnPlan, value: str) -> bool:
    """Whether a value that an instruction says is one of a column's type."""
    return not staging.query(f"SELECT {cast(literal(value.strip()), _said(column))} IS NULL")[0][0]


def _said(column: ColumnPlan) -> Kind:
    """How a value in an instruction is read: as plain numbers and ISO dates, whatever the file does."""
    return Kind(column.type)
