"""Computes the effects of an import without writing: counts, failing and replaced cells, and alternative readings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from atlas.column_formats.model import NUMBERS
from atlas.column_formats.rendering import format_shown
from atlas.contract.imports import Choice, FailingCell, PlannedColumn, Preview, ReplacedCell
from atlas.contract.shape import Json
from atlas.db.database import Database
from atlas.imports.checked import Checked, check
from atlas.imports.checks import Staged
from atlas.imports.fuzzy_duplicates import MAX_ROWS
from atlas.imports.load import Outcome, find_alike
from atlas.imports.matched import Matched, match
from atlas.imports.plan import ImportPlan
from atlas.imports.summary import keyless_notes
from atlas.imports.written import Written, number
from atlas.language.instructions import ImportInstruction
from atlas.llm.with_fallback import Understood
from atlas.tables import bulk
from atlas.tables.model import SHOWN_TYPES, Table

# The number of cells of each kind that a preview lists. Further cells are counted only.
SHOWN_CELLS = 20
# A preview does not look up the keys of more records in the table.
MOST_LOOKED_UP = 500_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected result of an import, and the first cells that fail or are replaced.

    in_table: the number of records with the key of a row in the table, or None if not looked up.
    """

    outcome: Outcome
    repeats: int
    in_table: int | None
    failing: Sequence[FailingCell]
    failing_more: int
    replaced: Sequence[ReplacedCell]
    replaced_more: int


async def expect(database: Database, file: Staged, table: Table | None) -> tuple[Expected, Matched]:
    """Computes the expected result of a plan, and returns the matched records as well.

    table: the target, if the table exists.
    """
    plan, staging = file.plan, file.staging
    checked = await asyncio.to_thread(check, file)
    columns = table.columns if table is not None else [column.table_column() for column in plan.columns]
    matched = await asyncio.to_thread(match, checked, columns)
    outcome = Outcome(plan.table, records=staging.records, failures=checked.failing + len(file.bad))
    matched, in_table = await _in_table(database, matched, table)
    written = await asyncio.to_thread(_count, matched, outcome, in_table or 0, table)
    if table is None or plan.replace:
        pairs = await find_alike(None, written, None) if _looks(plan, outcome) else None
    else:
        async with database.transaction(keep=False) as connection:
            pairs = await find_alike(connection, written, table) if _looks(plan, outcome) else None
    outcome.similar = len(pairs[1]) if pairs else 0
    failing, failing_more = await asyncio.to_thread(_failing, checked)
    replaced, outcome.replacements = await asyncio.to_thread(_replaced, written)
    more = outcome.replacements - len(replaced)
    return Expected(outcome, matched.repeats, in_table, failing, failing_more, replaced, more), matched


def _looks(plan: ImportPlan, outcome: Outcome) -> bool:
    """Checks whether an import would look for similar records."""
    return not plan.dataset and plan.duplicates in ("skip", "flag") and outcome.inserted <= MAX_ROWS


async def _in_table(database: Database, matched: Matched, table: Table | None) -> tuple[Matched, int | None]:
    """Matches the records with rows that have their keys.

    Returns the number of such records, or None if not looked up.
    """
    plan = matched.plan
    if table is None or plan.dataset or plan.replace or (plan.duplicates == "keep" and not plan.only_existing):
        return matched, 0
    # With another key, or other types in the key, the keys of all rows would first have to be computed again.
    rekeyed = bool(plan.key and plan.key != table.key) or bool(set(plan.widened) & set(table.key))
    if rekeyed or matched.staging.records > MOST_LOOKED_UP:
        return matched, None
    keys = await asyncio.to_thread(matched.candidate_keys)
    async with database.transaction(keep=False) as connection:
        await bulk.begin(connection)
        found = await bulk.find_keys(connection, table, keys)
    return await asyncio.to_thread(matched.with_existing, found), len(found)


def _count(matched: Matched, outcome: Outcome, in_table: int, table: Table | None) -> Written:
    """Counts the results of the records, and numbers the records that would become rows."""
    decided = matched.decide()
    outcome.duplicates, outcome.unmatched, outcome.keyless = decided.duplicates, decided.unmatched, decided.keyless
    outcome.left_out = matched.checked.left_out() + decided.unmatched
    if matched.plan.duplicates == "update":
        outcome.updated = in_table
        outcome.duplicates -= in_table
    written = number(matched, (table.last_row if table is not None else 0) + 1, decided.leave_out)
    outcome.inserted = written.rows - outcome.updated
    return written


def _failing(checked: Checked) -> tuple[list[FailingCell], int]:
    """Returns the first failing cells, by record, and the number of further failing cells."""
    staging = checked.staging
    lines = [FailingCell(bad.number, None, _short(bad.text), bad.reason) for bad in checked.file.bad[:SHOWN_CELLS]]
    cells = [
        FailingCell(number, problem["column"], _short(problem["value"]), problem["reason"])
        for number, problems in staging.query(f"SELECT _n, problems FROM rejected ORDER BY _n LIMIT {SHOWN_CELLS}")
        for problem in msgspec.json.decode(problems)
    ]
    total = int(staging.query("SELECT coalesce(sum(json_array_length(problems)), 0) FROM rejected")[0][0])
    shown = sorted([*lines, *cells], key=lambda cell: cell.record_number)[:SHOWN_CELLS]
    return shown, total + len(checked.file.bad) - len(shown)


def _replaced(written: Written) -> tuple[list[ReplacedCell], int]:
    """Returns the first replaced cells, by record, and the number of all replaced cells."""
    query = written.matched.checked.replaced
    if query is None:
        return [], 0
    staging, source = written.staging, f"({query}) c JOIN numbered ON numbered._n = c._n"
    rows = staging.query(
        f"SELECT c._n, c.name, c.original, c.new FROM {source} ORDER BY c._n, c.position LIMIT {SHOWN_CELLS}"
    )
    total = int(staging.query(f"SELECT count(*) FROM {source}")[0][0])
    return [ReplacedCell(row[0], row[1], _short(row[2]), _short(row[3])) for row in rows], total


def _short(value: Any) -> str | None:
    text = None if value is None else str(value)
    return text if text is None or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def choices(plan: ImportPlan) -> list[Choice]:
    """Returns the columns of a plan with two possible readings."""
    found = []
    for column in plan.columns:
        kind = column.kind
        if not kind.ambiguous:
            continue
        if kind.type in NUMBERS:
            signs = ("decimal point", "decimal comma")
            reading, other = signs if kind.decimal == "." else signs[::-1]
            say = f"numbers use a {other}"
        else:
            orders = ("day first", "month first")
            reading, other = orders if kind.formats and kind.formats[0].startswith("%d") else orders[::-1]
            say = f"dates are {other}"
        if any(note.startswith(f"{column.name} ") and say in note for note in plan.notes):
            found.append(Choice(column.name, reading, other, say))
    return found


def preview_of(
    expected: Expected, plan: ImportPlan, understood: Understood[ImportInstruction], file_name: str, sample: list[Json]
) -> Preview:
    """Builds a preview.

    sample: the first records as they would be stored.
    """
    outcome = expected.outcome
    return Preview(
        table_name=plan.table,
        table_exists=plan.exists,
        as_dataset=plan.dataset,
        file_name=file_name,
        records=outcome.records,
        columns=tuple(
            PlannedColumn(
                column.header,
                column.name,
                SHOWN_TYPES[column.type],
                column.new,
                column.semantic,
                column.required,
                format_shown(column.kind),
                column.unit,
            )
            for column in plan.columns
        ),
        key_columns=plan.key,
        duplicates=plan.duplicates,
        policy=plan.policy,
        encoding=plan.written.encoding,
        delimiter=plan.written.delimiter,
        time_column=plan.time_column,
        duplicates_in_file=expected.repeats,
        duplicates_in_table=expected.in_table,
        records_inserted=outcome.inserted,
        records_updated=outcome.updated,
        duplicates_skipped=outcome.duplicates,
        records_left_out=outcome.left_out,
        validation_failures=outcome.failures,
        value_replacements=outcome.replacements,
        records_flagged=outcome.similar,
        failing_cells=tuple(expected.failing),
        failing_cells_more=expected.failing_more,
        replaced_cells=tuple(expected.replaced),
        replaced_cells_more=expected.replaced_more,
        choices=tuple(choices(plan)),
        language_engine=understood.told_engine,
        replace=plan.replace,
        notes=(*plan.notes, *keyless_notes(outcome, plan)),
        sample=tuple(sample),
        understood=plan.understood,
        not_understood=plan.not_understood,
        proposals=plan.proposals,
        questions=plan.questions,
    )
