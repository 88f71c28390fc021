"""Values, checks and filters of a staged file, as DuckDB expressions by the plan of its import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from atlas.column_formats.model import Kind
from atlas.errors import BadRequestError
from atlas.imports.duckdb_casts import (
    DUCKDB_TYPES,
    bare_email,
    cast,
    compare,
    is_null_text,
    literal,
)
from atlas.imports.files.source import BadRecord, physical
from atlas.imports.infer.types import EMAIL
from atlas.imports.plan import ColumnPlan, ImportPlan
from atlas.imports.staging import Staging
from atlas.kit.json_depth import TOO_DEEP
from atlas.language.instructions import Filter

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
# The maximum of a filter. DuckDB plans each comparison several times, and first looks at each by itself.
MAX_COMPARISONS = 500
# A filter of at most this size is evaluated at each read. The result of a larger filter is stored.
FEW_FILTERS = 4
# Operators that deny another one.
_DENIALS = {"!=": "=", "filled": "empty"}
_COMPARISONS = {"=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


@dataclass(frozen=True, slots=True)
class Check:
    """A possible fault of a record.

    condition: a DuckDB expression that is true for the fault.
    """

    column: ColumnPlan
    reason: str
    condition: str


class Staged:
    """A staged file and the plan of its import. No data has been read yet: all members are expressions."""

    def __init__(self, staging: Staging, plan: ImportPlan) -> None:
        self.staging = staging
        self.plan = plan
        self._constants: dict[tuple[str, str], str] = {}

    def checks(self) -> list[Check]:
        """Returns every check of the plan."""
        found = []
        for column in self.plan.columns:
            raw = physical(column.position)
            value = self.value(column)
            if self.may_misfit(column) and not column.guessed:
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
        """Builds the expression for a record's value of a column."""
        clean = (column.position, column.kind) in self.staging.clean and not column.kind.formats
        value = cast(physical(column.position), column.kind, clean=clean)
        if column.semantic == "email":
            return bare_email(value)
        if column.kind.type == column.type:
            return value
        return f"CAST({value} AS {DUCKDB_TYPES[column.type]})"

    def may_misfit(self, column: ColumnPlan) -> bool:
        """Checks whether a cell may be no value of its column's type."""
        return column.kind.type != "text" and (column.position, column.kind) not in self.staging.clean

    @cached_property
    def where(self) -> str:
        """Gives the condition for the raw records that the plan imports, by its filter and how many come first."""
        return self._passing if self.last is None else f"({self._passing}) AND raw._n <= {self.last}"

    @cached_property
    def last(self) -> int | None:
        """Finds the number of the last record that may be imported. None: all may."""
        plan = self.plan
        if plan.first is None or not plan.first_matching:
            return plan.first
        passing = f"SELECT _n FROM raw WHERE {self._passing} ORDER BY _n LIMIT {plan.first}"
        return int(self.staging.query(f"SELECT coalesce(max(_n), 0) FROM ({passing})")[0][0])

    @property
    def bad(self) -> list[BadRecord]:
        """Lists the records that are no rows of the table, of those that may be imported."""
        bad = self.staging.source.bad
        return bad if self.last is None else [record for record in bad if record.number <= self.last]

    @cached_property
    def _passing(self) -> str:
        if not self.plan.filters:
            return "true"
        if self._count() <= FEW_FILTERS:
            return self._filter({})
        return f"raw._n IN (SELECT _n FROM {self._filtered()})"

    def _filtered(self) -> str:
        """Stores the records that pass the filter once, and returns the name of the table.

        The values of compared columns are computed once as well.
        """
        columns = {item.column: self.plan.filtered(item.column) for group in self.plan.filters for item in group}
        names = {name: f"f{number}" for number, name in enumerate(columns)}
        values = ", ".join(f"{self.value(column)} AS {names[name]}" for name, column in columns.items())
        query = f"WITH v AS MATERIALIZED (SELECT _n, {values} FROM raw) SELECT _n FROM v WHERE {self._filter(names)}"
        table = f"filtered_{hashlib.sha256(query.encode()).hexdigest()[:16]}"
        self.staging.query(f"CREATE TABLE IF NOT EXISTS {table} AS {query}")
        return table

    def _filter(self, names: Mapping[str, str]) -> str:
        """Builds the filter as a condition.

        names: of columns whose values are computed already.
        """
        groups = [" AND ".join(self._comparison(item, names) for item in group) for group in self.plan.filters]
        joined = f"coalesce({' OR '.join(f'({group})' for group in groups)}, false)"
        return f"NOT {joined}" if self.plan.exclude else joined

    def _comparison(self, item: Filter, names: Mapping[str, str]) -> str:
        column = self.plan.filtered(item.column)
        value = names.get(item.column) or self.value(column)
        test = self._test(item, column, value)
        return f"NOT coalesce({test}, false)" if item.negated else test

    def refuse_wrong_filters(self) -> None:
        """Checks the filters.

        Raises BadRequestError: when a filter has too many comparisons, or a value that is no value of its column.
        """
        count = self._count()
        if count > MAX_COMPARISONS:
            raise BadRequestError("Invalid filter", f"it has {count} comparisons, over the limit of {MAX_COMPARISONS}")
        told: dict[str, list[str]] = {}
        for item in (item for group in self.plan.filters for item in group):
            if item.operator not in ("contains", "starts", "ends"):
                told.setdefault(item.column, []).extend(item.values)
        for name, values in told.items():
            column = self.plan.filtered(name)
            if column.type == "text":
                continue
            wrong = [value for value, said in zip(values, self._said(column, values), strict=True) if said == "NULL"]
            if wrong:
                reason = f"the filter on {name} compares with {wrong[0]!r}, which is {REASONS[column.type]}"
                raise BadRequestError("Invalid filter", reason)

    def _count(self) -> int:
        """Counts the comparisons of the filter. A list of texts is looked up, and counts as 1."""
        found = [(item, self.plan.filtered(item.column).type) for group in self.plan.filters for item in group]
        return sum(
            1 if kind == "text" and item.operator in ("=", "in") else max(1, len(item.values)) for item, kind in found
        )

    def _test(self, item: Filter, column: ColumnPlan, value: str) -> str:
        if item.operator in _DENIALS:
            denied = self._test(msgspec.structs.replace(item, operator=_DENIALS[item.operator]), column, value)
            return f"NOT coalesce({denied}, false)"
        if item.operator == "empty":
            return f"{value} IS NULL"
        text = f"lower(CAST({value} AS VARCHAR))"
        if item.operator in ("contains", "starts", "ends"):
            function = {"contains": "contains", "starts": "starts_with", "ends": "suffix"}[item.operator]
            return f"{function}({text}, {literal(item.values[0].lower())})"
        if column.type == "text" and item.operator in ("=", "in"):
            return f"{text} IN ({', '.join(literal(v.lower()) for v in item.values)})"
        values = self._said(column, item.values)
        if item.operator in ("=", "in"):
            return f"({' OR '.join(compare(value, '=', other, column.type) for other in values)})"
        if item.operator == "between":
            least, most = (compare(value, sign, v, column.type) for sign, v in zip((">=", "<="), values, strict=True))
            return f"({least} AND {most})"
        return compare(value, _COMPARISONS[item.operator], values[0], column.type)

    def _said(self, column: ColumnPlan, values: Sequence[str]) -> list[str]:
        """Converts values in an instruction to DuckDB constants.

        A value that does not fit the column's type becomes NULL.

        The expression for reading a value has kilobytes. All values of a column are read by one query, and only once.
        """
        missing = sorted({value for value in values if (column.name, value) not in self._constants})
        if missing:
            rows = ", ".join(f"({number}, {literal(value.strip())})" for number, value in enumerate(missing))
            found = self.staging.query(
                f"SELECT CAST({cast('v', _said(column))} AS VARCHAR) FROM (VALUES {rows}) AS t(n, v) ORDER BY n"
            )
            for value, (text,) in zip(missing, found, strict=True):
                constant = "NULL" if text is None else literal(text)
                self._constants[column.name, value] = f"CAST({constant} AS {DUCKDB_TYPES[column.type]})"
                if text is None or DUCKDB_TYPES[column.type] == "VARCHAR":
                    self._constants[column.name, value] = constant
        return [self._constants[column.name, value] for value in values]

    def record_json(self) -> str:
        """Builds the expression for a record as a JSON object of its values, without missing values."""
        # json_object would write the digits of numbers anew.
        members = ", ".join(f"{literal(_member(c.name))} || {self._json_value(c)}" for c in self.plan.columns)
        return f"'{{' || concat_ws(',', {members}) || '}}'"

    def _json_value(self, column: ColumnPlan) -> str:
        value = self.value(column)
        return value if column.type in ("json", "numeric") else f"CAST(to_json({value}) AS VARCHAR)"

    def raw_json(self) -> str:
        """Builds the expression for a record as `record_json` does, with all values as texts.

        Misfits stay as in the file.
        """
        members = ", ".join(
            f"{literal(c.name)}, coalesce(CAST({self.value(c)} AS VARCHAR), {physical(c.position)})"
            for c in self.plan.columns
        )
        return f"CAST(json_merge_patch('{{}}', json_object({members})) AS VARCHAR)"


def _member(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}:"


def holds_value(staging: Staging, column: ColumnPlan, value: str) -> bool:
    """Checks whether a value in an instruction is a value of a column's type."""
    return not staging.query(f"SELECT {cast(literal(value.strip()), _said(column))} IS NULL")[0][0]


def _said(column: ColumnPlan) -> Kind:
    """Returns the kind for values in an instruction: plain numbers and ISO dates, whatever the file's notation."""
    return Kind(column.type)
