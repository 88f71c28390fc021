"""Plans changes of all rows that meet conditions, and of numbers, and shows them before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from atlas.contract.records import InstructionPreview, ShownRow
from atlas.db.database import Connection
from atlas.kit.plurals import many
from atlas.language.offline.records.entities import Arithmetic, Comparison, Entity
from atlas.records import update_targets
from atlas.records.pending_repository import Asks
from atlas.records.validation import as_text
from atlas.tables.model import Table, TableColumn

MAX_ROWS = 1_000
_SHOWN = 10
_VERBS = {"update": "changes", "archive": "archives"}


class QuestionError(Exception):
    """A question that must be answered before anything is written.

    asks: what kind of answer settles the question.
    fingerprint, preview: of rows that are shown first.
    """

    def __init__(
        self,
        question: str,
        asks: Asks = "other",
        fingerprint: str | None = None,
        preview: InstructionPreview | None = None,
    ) -> None:
        super().__init__(question)
        self.asks, self.fingerprint, self.preview = asks, fingerprint, preview


@dataclass(slots=True)
class PlannedRows:
    """The rows of a change, and their new values.

    notes: how the values were made.
    """

    rows: list[int] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fingerprint(self, intent: str, table: Table) -> str:
        """Returns a hash of everything that would be written."""
        parts = (intent, table.id, sorted(zip(self.rows, map(repr, self.values), strict=True)))
        return hashlib.sha256(repr(parts).encode()).hexdigest()


async def plan_rows(connection: Connection, table: Table, entity: Entity, rows: Sequence[int] | None) -> PlannedRows:
    """Plans the change of rows: of those that are given, or of all that meet the conditions.

    Raises QuestionError: when no row meets them, too many do, or a new number would be no value of its column.
    """
    columns = [*entity.data, *entity.arithmetic]
    shown = [name for name in _identifying(table) if name not in columns]
    conditions = [(condition.column, condition.operator, condition.value) for condition in entity.conditions]
    found = await update_targets.find_where(connection, table, conditions, [*shown, *columns], MAX_ROWS + 1, rows)
    told = described(entity.conditions)
    if not found:
        raise QuestionError(f"No row of {table.name} {told or 'is there'}. Which ones do you mean?")
    if len(found) > MAX_ROWS:
        raise QuestionError(
            f"Over {MAX_ROWS:,} rows of {table.name} {told or 'are meant'}. Can you change them by a file, or by the "
            "table's update with a condition?"
        )
    planned = PlannedRows()
    for number, *cells in found:
        before = dict(zip([*shown, *columns], cells, strict=True))
        values: dict[str, Any] = dict(entity.data)
        for name, change in entity.arithmetic.items():
            if before[name] is not None:
                values[name] = _calculated(table, name, before[name], change, planned)
        if entity.arithmetic and not values:
            continue
        planned.rows.append(number)
        planned.values.append(values)
        planned.before.append(before)
    if not planned.rows:
        raise QuestionError(f"No such row of {table.name} has a number to change. Which ones do you mean?")
    return planned


def _calculated(table: Table, name: str, value: Any, change: Arithmetic, planned: PlannedRows) -> str:
    """Returns a changed number, rounded where the column has one number of digits.

    Raises QuestionError: when a whole number would become a fraction.
    """
    column = table.column(name)
    assert column is not None
    result = Decimal(str(value)) * change.factor + change.amount
    if column.type == "bigint" and result != result.to_integral_value():
        raise QuestionError(
            f"{name} holds whole numbers, and {value} {change.words} is {result.normalize():f}. How is it rounded?"
        )
    digits = _digits(column)
    if digits is None:
        return f"{result.normalize():f}"
    rounded = result.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if rounded != result:
        note = f"{name} is rounded to {many(digits, 'digit')} after the point"
        planned.notes += [note] if note not in planned.notes else []
    return f"{rounded:f}"


def _digits(column: TableColumn) -> int | None:
    """Returns the digits after the point that all values of a column have, or None."""
    if column.type == "bigint":
        return 0
    kind = column.format
    return kind.scale if kind is not None and column.type == "numeric" and kind.digits in ("fixed", "whole") else None


def _identifying(table: Table) -> list[str]:
    """Returns the columns by which people know a row: the key, and a name."""
    names = [name for name in ("name", "full_name", "title") if table.column(name) is not None][:1]
    return list(dict.fromkeys([*names, *table.key]))[:3]


def described(conditions: Sequence[Comparison]) -> str:
    """Describes conditions, as in `has city 'Hamburg'`."""
    words = {"=": "", "!=": "not ", "contains": "with "}
    parts = [
        f"{condition.column} is empty"
        if condition.operator == "empty"
        else f"{condition.column} {words.get(condition.operator, condition.operator + ' ')}{condition.value!r}"
        for condition in conditions
    ]
    return f"has {' and '.join(parts)}" if parts else ""


def preview_question(intent: str, table: Table, entity: Entity, planned: PlannedRows) -> QuestionError:
    """Builds the question that shows the rows and asks for a yes."""
    told = described(entity.conditions).replace("has ", "with ", 1)
    count = many(len(planned.rows), "row")
    rows = [
        ShownRow(
            row,
            {name: as_text(value) for name, value in before.items()},
            {} if intent == "archive" else {name: as_text(value) for name, value in values.items()},
        )
        for row, before, values in zip(planned.rows, planned.before, planned.values, strict=True)
    ][:_SHOWN]
    lines = "; ".join(_line(row) for row in rows[:5]) + ("; …" if len(planned.rows) > 5 else "")
    notes = f" {'. '.join(planned.notes)}." if planned.notes else ""
    question = (
        f"This {_VERBS[intent]} {count} of {table.name}{' ' + told if told else ''}: {lines}.{notes} "
        "Shall it be done? Answer yes in this conversation (thread_id)."
    )
    preview = InstructionPreview(table.name, intent, len(planned.rows), tuple(rows))
    return QuestionError(question, "yes", planned.fingerprint(intent, table), preview)


def _line(row: ShownRow) -> str:
    known = ", ".join(str(value) for name, value in row.before.items() if name not in row.after and value is not None)
    changes = ", ".join(f"{name} {row.before.get(name)} → {value}" for name, value in row.after.items())
    return " ".join(filter(None, (known or f"row {row.row}", f"({changes})" if changes else "")))
