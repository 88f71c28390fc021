"""Checked records: failing records, replaced cells, and passing records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa

from atlas.imports.checks import Staged
from atlas.imports.duckdb_casts import literal, quote
from atlas.imports.files.source import physical
from atlas.imports.plan import ImportPlan
from atlas.imports.staging import Staging


@dataclass(frozen=True)
class Checked:
    """A staged file with checked records, made by `check`. Its staging has the table `rejected(_n, problems)`.

    failing: the number of records that fail a check.
    """

    file: Staged
    failing: int

    @property
    def staging(self) -> Staging:
        return self.file.staging

    @property
    def plan(self) -> ImportPlan:
        return self.file.plan

    def passing(self, prefix: str = "") -> str:
        """Returns the condition for records that pass the filter and the checks."""
        if not self.failing:
            return self.file.where
        return f"{self.file.where} AND {prefix}_n NOT IN (SELECT _n FROM rejected)"

    def first_problem(self) -> tuple[int, list[dict[str, Any]]] | None:
        """Returns the number of the first failing record, and its problems with `column`, `reason` and `value`.

        None: no record fails.
        """
        rows = self.staging.query("SELECT _n, problems FROM rejected ORDER BY _n LIMIT 1")
        return (rows[0][0], msgspec.json.decode(rows[0][1])) if rows else None

    @cached_property
    def replaced(self) -> str | None:
        """A query of the replaced cells as (_n, name, original, new, position), or None without such cells.

        Replaced are texts for a missing value, texts that are no value of a guessed type, and e-mail addresses with
        other text around.
        """
        tests = {}
        for column in self.plan.columns:
            raw = physical(column.position)
            if column.semantic == "email":
                tests[column.name] = (raw, f"{raw} <> {self.file.value(column)}", self.file.value(column))
            elif self.file.may_misfit(column):
                tests[column.name] = (raw, f"{raw} IS NOT NULL AND {self.file.value(column)} IS NULL", "NULL::VARCHAR")
        if not tests:
            return None
        counted = ", ".join(f"count(*) FILTER ({test})" for _, test, _ in tests.values())
        row = self.staging.query(f"SELECT count(*), {counted} FROM raw")[0]
        parts = [
            f"SELECT _n, {literal(name)} AS name, {raw} AS original, {new} AS new, {at} AS position "
            f"FROM raw WHERE {test} AND {self.passing()}"
            for at, ((name, (raw, test, new)), times) in enumerate(zip(tests.items(), row[1:], strict=True))
            if times
        ]
        return " UNION ALL ".join(parts) if parts else None

    def left_out(self) -> int:
        """Counts the records that the plan leaves out, by its filter or as they come after the first ones."""
        behind = len(self.staging.source.bad) - len(self.file.bad)
        if self.file.where == "true":
            return behind
        return behind + int(self.staging.query(f"SELECT count(*) FROM raw WHERE NOT ({self.file.where})")[0][0])

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Yields the values of the passing records without keys: `_n`, the plan's columns, `_key`."""
        order = "ORDER BY raw._n" if self.failing or self.staging.source.fixed else ""
        yield from self.staging.batches(
            f"SELECT raw._n, {self.cells()}, NULL::BIGINT AS _key FROM raw WHERE {self.passing('raw.')} {order}"
        )

    def cells(self) -> str:
        """Returns expressions for the values of the plan's columns, by name."""
        return ", ".join(f"{self.file.value(column)} AS {quote(column.name)}" for column in self.plan.columns)

    def key_schema(self) -> pa.Schema:
        """Returns the Arrow types of `key_records`."""
        empty = self.staging.arrow(f"SELECT * FROM ({self._key_records()}) LIMIT 0")
        return pa.schema(
            [field if field.type != pa.large_string() else field.with_type(pa.string()) for field in empty.schema]
        )

    def key_records(self) -> Iterator[pa.RecordBatch]:
        """Yields number and key values of the passing records: `_n`, then the key's columns."""
        yield from self.staging.batches(self._key_records())

    def _key_records(self) -> str:
        cells = "".join(f", {self.file.value(column)} AS {quote(column.name)}" for column in self.plan.key_columns)
        return f"SELECT _n{cells} FROM raw WHERE {self.passing()}"


def check(file: Staged) -> Checked:
    """Finds the records that fail a check.

    Raises BadRequestError: when a filter compares with a text that is no value of its column.
    """
    staging = file.staging
    file.refuse_wrong_filters()
    checks = file.checks()
    counted = ", ".join(["count(*)", *(f"count(*) FILTER ({check.condition})" for check in checks)])
    row = staging.query(f"SELECT {counted} FROM raw WHERE {file.where}")[0]
    failing = [check for check, times in zip(checks, row[1:], strict=True) if times]
    staging.query("CREATE OR REPLACE TABLE rejected (_n BIGINT, problems VARCHAR)")
    if not failing:
        return Checked(file, 0)
    problems = ", ".join(
        f"CASE WHEN {check.condition} THEN {{'column': {literal(check.column.name or check.column.header)}, "
        f"'reason': {literal(check.reason)}, 'value': {physical(check.column.position)}}} END"
        for check in failing
    )
    either = " OR ".join(f"({check.condition})" for check in failing)
    staging.query(
        f"INSERT INTO rejected SELECT _n, to_json(list_filter([{problems}], lambda x: x IS NOT NULL))::VARCHAR "
        f"FROM raw WHERE {file.where} AND ({either})"
    )
    return Checked(file, int(staging.query("SELECT count(*) FROM rejected")[0][0]))
