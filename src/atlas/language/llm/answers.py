"""The shapes that a model must answer in, and their conversion to the types of the offline engine.

An answer that does not fit raises ValueError. The model gets the error's text, so that the model can correct the
answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from atlas.kit.encoding_names import find_encoding
from atlas.language.instructions import Duplicates, Filter, ImportInstruction, Policy
from atlas.language.offline.records.parser import MAX_ENTITIES, Entity, RecordInstruction
from atlas.language.question import Chart, QuestionPlan
from atlas.tables.model import Rules

MAX_SQL = 20_000
_MAX_NOTES, _MAX_NOTE = 20, 500


def _text(value: object) -> object:
    """Removes NUL, which PostgreSQL refuses, and surrounding blanks from a text. Other values pass."""
    return value.replace("\0", "").strip() if isinstance(value, str) else value


def _optional(value: object) -> object:
    """Returns None for the texts that models write in place of null."""
    value = _text(value)
    return None if isinstance(value, str) and value.lower() in ("", "null", "none", "n/a") else value


def _list(value: object) -> object:
    return [] if value is None else value


def _share(value: object) -> object:
    """Brings a confidence between 0 and 1. A number above 1 is read as a percentage, as models like to write."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return min(1.0, max(0.0, value / 100 if value > 1 else value))
    return value


def _encoding(value: str | None) -> str | None:
    """Gives an encoding the name that Atlas writes. Raises ValueError for a name of none."""
    found = None if value is None else find_encoding(value)
    if found is None and value is not None:
        raise ValueError(f"encoding: {value!r} is not known")
    return found


def _scalar(value: object) -> object:
    """Converts numbers and truth values to texts, as the request has them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _text(value)


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_scalar), Field(min_length=1, max_length=200)]
Value = Annotated[str, BeforeValidator(_scalar), Field(max_length=10_000)]
Optional = Annotated[str | None, BeforeValidator(_optional)]
Notes = Annotated[list[Text], BeforeValidator(_list)]
Names = Annotated[list[Name], BeforeValidator(_list)]


def _notes(notes: list[str]) -> tuple[str, ...]:
    return tuple(note[:_MAX_NOTE] for note in notes[:_MAX_NOTES] if note)


class Answer(BaseModel):
    """The base of all answers. Members that the schema lacks are ignored."""

    model_config = ConfigDict(extra="ignore")


class ReadyAnswer(Answer):
    """Whether the model can answer."""

    ready: bool


class ChartAnswer(Answer):
    """How the result is best drawn; x and y name columns of the result."""

    kind: Literal["bar", "line", "pie", "scatter", "number"]
    x: Optional = None
    y: Names = []


class PlanAnswer(Answer):
    """A query, or a question to ask back."""

    sql: Optional = Field(None, description="One SELECT statement, or null.")
    clarifying_question: Optional = Field(None, description="What to ask back, or null.")
    explanation: Text = ""
    assumptions: Notes = []
    not_understood: Notes = []
    chart: ChartAnswer | None = None
    confidence: Annotated[float, BeforeValidator(_share)] = Field(0.5, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_of_both(self) -> PlanAnswer:
        if self.sql is not None and len(self.sql) > MAX_SQL:
            raise ValueError(f"sql: at most {MAX_SQL} characters")
        if (self.sql is None) == (self.clarifying_question is None):
            raise ValueError("give either sql or clarifying_question, and not both")
        return self

    def plan(self) -> QuestionPlan:
        chart = self.chart
        return QuestionPlan(
            sql=self.sql,
            explanation=self.explanation[:1_000],
            assumptions=_notes(self.assumptions),
            not_understood=_notes(self.not_understood),
            confidence=self.confidence,
            question=None if self.clarifying_question is None else self.clarifying_question[:_MAX_NOTE],
            chart=None if chart is None or self.sql is None else Chart(chart.kind, chart.x, tuple(chart.y)),
        )


class RenameAnswer(Answer):
    """A column's new name."""

    column: Name
    name: Name


class TypeAnswer(Answer):
    """A column's type."""

    column: Name
    type: Literal["text", "bigint", "numeric", "double", "boolean", "date", "timestamp", "json"]


Operator = Literal["=", "!=", ">", ">=", "<", "<=", "between", "in", "contains", "starts", "ends", "empty", "filled"]
# The numbers of values that an operator takes. All other operators take 1.
_COUNTS = {"between": range(2, 3), "in": range(1, 1_001), "empty": range(1), "filled": range(1)}


class FilterAnswer(Answer):
    """A comparison."""

    column: Name
    operator: Operator
    values: Annotated[list[Value], BeforeValidator(_list)] = []
    negated: bool = False

    @model_validator(mode="after")
    def _values_fit(self) -> FilterAnswer:
        if len(self.values) not in _COUNTS.get(self.operator, range(1, 2)):
            raise ValueError(f"filters: {self.operator!r} does not take {len(self.values)} values")
        return self


class RuleAnswer(Answer):
    """What values of a column must obey: bounds are inclusive, `above` is exclusive."""

    column: Name
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    values: Annotated[list[Value], BeforeValidator(_list)] = []


class ImportAnswer(Answer):
    """What an import's instruction asks for."""

    table: Optional = None
    new_table: bool = False
    only_columns: Names = []
    drop_columns: Names = []
    rename: Annotated[list[RenameAnswer], BeforeValidator(_list)] = []
    types: Annotated[list[TypeAnswer], BeforeValidator(_list)] = []
    key_columns: Names = []
    duplicates: Duplicates | None = None
    filters: Annotated[list[list[FilterAnswer]], BeforeValidator(_list)] = []
    exclude: bool = False
    required: Names = []
    rules: Annotated[list[RuleAnswer], BeforeValidator(_list)] = []
    new_columns: Policy | None = Field(
        None,
        description="evolve: add them; discard_value: ignore them; freeze: refuse; discard_row: leave such rows out",
    )
    day_first: bool | None = None
    decimal_comma: bool | None = None
    sheet: Optional = None
    header: bool | None = Field(None, description="false: the file has no header row.")
    header_row: Annotated[int | None, Field(ge=1, le=10_000)] = None
    skip_rows: Annotated[int, Field(ge=0, le=10_000, description="Rows of the file above the table.")] = 0
    encoding: Annotated[Optional, AfterValidator(_encoding)] = Field(
        None, description="Of a text file, such as windows-1250."
    )
    delimiter: Annotated[str | None, Field(max_length=1, description="Between the cells of a CSV.")] = None
    first_rows: Annotated[int | None, Field(ge=1, description="How many records to import, from the first on.")] = None
    first_of: Literal["file", "matching"] | None = Field(
        None, description="Whether first_rows counts the file's records or those that pass the filters."
    )
    replace_all: bool = Field(False, description="Whether all rows that the table has shall be replaced.")
    only_existing: bool = Field(False, description="Whether only rows that are there are updated, and none inserted.")
    time_series: bool = Field(False, description="Whether a dataset (time series) is asked for instead of a table.")
    time_column: Optional = None
    undo: bool = False
    same: bool = False
    not_understood: Notes = []
    clarifying_question: Optional = None

    def instruction(self) -> ImportInstruction:
        return ImportInstruction(
            table=None if self.table is None else self.table[:200],
            new=self.new_table,
            keep=tuple(self.only_columns),
            drop=tuple(self.drop_columns),
            rename={each.column: each.name for each in self.rename},
            types={each.column: each.type for each in self.types},
            key=tuple(self.key_columns),
            duplicates=self.duplicates,
            filters=tuple(
                tuple(Filter(f.column, f.operator, tuple(f.values), f.negated) for f in group)
                for group in self.filters
                if group
            ),
            exclude=self.exclude and any(self.filters),
            required=tuple(self.required),
            rules={
                r.column: Rules(minimum=r.minimum, maximum=r.maximum, above=r.above, values=tuple(r.values))
                for r in self.rules
            },
            policy=self.new_columns,
            day_first=self.day_first,
            decimal_comma=self.decimal_comma,
            sheet=self.sheet,
            header=self.header,
            header_row=self.header_row,
            skip_rows=self.skip_rows,
            encoding=self.encoding,
            delimiter=self.delimiter or None,
            first=self.first_rows,
            first_of=self.first_of,
            replace=self.replace_all,
            only_existing=self.only_existing,
            dataset=self.time_series,
            time_column=self.time_column,
            undo=self.undo,
            same=self.same,
            not_understood=_notes(self.not_understood),
            question=None if self.clarifying_question is None else self.clarifying_question[:_MAX_NOTE],
        )

    def find_invented(self, text: str, known: Iterable[str]) -> str | None:
        """Returns the reason to refuse the answer, or None.

        The reason is a column or value that neither `text` nor the names in `known` have.
        """
        named = [
            *self.only_columns,
            *self.drop_columns,
            *self.key_columns,
            *self.required,
            *(each.column for each in self.rename),
            *(each.column for each in self.types),
            *(each.column for each in self.rules),
            *filter(None, [self.time_column]),
        ]
        there = _letters(text)
        names = "\n".join(map(_letters, known))
        comparisons = [each for group in self.filters for each in group]
        for name in (*named, *(each.column for each in comparisons)):
            if _letters(name) not in there and _letters(name) not in names:
                return (
                    f"there is no column {name!r}: neither the request nor the tables have one. Leave it out, or ask."
                )
        values = [value for each in comparisons for value in each.values]
        for value in (*values, *(value for each in self.rules for value in each.values)):
            if _letters(value) not in there:
                return f"the request has no value {value!r}. Copy values exactly, leave out what is not there, or ask."
        return None


class FieldAnswer(Answer):
    """A field and its value."""

    field: Name
    value: Value


class EntityAnswer(Answer):
    """A record."""

    entity_type: Annotated[str, BeforeValidator(_scalar), Field(max_length=200)] = "record"
    table_hint: Annotated[Optional, Field(max_length=200)] = None
    data: Annotated[list[FieldAnswer], BeforeValidator(_list)] = []
    match: Annotated[list[FieldAnswer], BeforeValidator(_list)] = []


class RecordAnswer(Answer):
    """What a text on records asks for."""

    intent: Literal["insert", "update", "archive", "restore", "undo"] | None = None
    entities: Annotated[list[EntityAnswer], BeforeValidator(_list), Field(max_length=MAX_ENTITIES)] = []
    clarifying_question: Optional = None

    @model_validator(mode="after")
    def _complete(self) -> RecordAnswer:
        if self.clarifying_question is not None:
            return self
        if self.intent is None:
            raise ValueError("give an intent or a clarifying_question")
        if bool(self.entities) == (self.intent == "undo"):
            raise ValueError("entities: needed for every intent but undo")
        for number, entity in enumerate(self.entities):
            if self.intent in ("insert", "update") and not entity.data:
                raise ValueError(f"entities[{number}].data: needed")
            if self.intent != "insert" and not entity.match:
                raise ValueError(f"entities[{number}].match: needed")
        return self

    def instruction(self) -> RecordInstruction:
        if self.clarifying_question is not None or self.intent is None:
            return RecordInstruction(None, (), (self.clarifying_question or "What should be done?")[:_MAX_NOTE])
        return RecordInstruction(self.intent, tuple(map(_entity, self.entities)))

    def find_invented(self, text: str) -> str | None:
        """Returns the reason to refuse the answer: a value that `text` does not have.

        Returns None if `text` has all values.
        """
        there = _plain(text)
        for number, entity in enumerate(self.entities):
            for place, fields in (("data", entity.data), ("match", entity.match)):
                for each in fields:
                    if _plain(each.value) not in there:
                        return (
                            f"entities[{number}].{place}: the value of {each.field!r} is not in the request. "
                            "Copy values exactly, leave out what is not there, or ask."
                        )
        return None


def _plain(text: str) -> str:
    """Reduces a text to what must agree: no case, no blanks, no marks of Markdown."""
    return re.sub(r"[\s*_`]+", "", text).casefold()


def _letters(text: str) -> str:
    """Reduces a name to its letters and digits in lower case, so that `E-Mail` becomes `email`."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _entity(answer: EntityAnswer) -> Entity:
    data = {each.field: each.value for each in answer.data}
    match = {each.field: each.value for each in answer.match}
    return Entity(answer.entity_type or "record", answer.table_hint, data, match)


def json_object(text: str) -> object:
    """Decodes the first JSON object in a text. Models that cannot call tools put words or a fence around the object.

    Raises ValueError: when the text has no JSON object.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("no JSON object")
    try:
        return msgspec.json.decode(text[start : end + 1].encode())
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
