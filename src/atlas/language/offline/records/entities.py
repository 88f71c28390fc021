"""The records that a text asks to change, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on a column. operator: one of = != > >= < <= contains empty. value: None for empty."""

    column: str
    operator: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A change of a number: `factor * value + amount`.

    words: as the text has it, such as `+ 10 %`.
    """

    factor: Decimal
    amount: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A record in a text, or the records that meet conditions.

    entity_type: the kind of the record, such as `client`, or `record` if the text names none.
    table_hint: the table that the text names.
    data: the fields as the text has the fields. For an update: the new values, None for a value to remove.
    match: the fields that identify the record.
    every: whether the text speaks of all rows that meet `conditions`.
    arithmetic: changes of numbers, by column.
    """

    entity_type: str
    table_hint: str | None = None
    data: Mapping[str, str | None] = field(default_factory=dict)
    match: Mapping[str, str] = field(default_factory=dict)
    every: bool = False
    conditions: tuple[Comparison, ...] = ()
    arithmetic: Mapping[str, Arithmetic] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordInstruction:
    """The request of a text.

    question: a question to ask back. Then the intent is None, there are no entities, and nothing may be written.
    """

    intent: str | None
    entities: tuple[Entity, ...] = ()
    question: str | None = None
