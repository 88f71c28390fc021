"""The words for an import instruction that Atlas has read, so that a person can check the reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from atlas.contract.imports import Clause
from atlas.kit.plurals import many
from atlas.language.instructions import Filter, ImportInstruction
from atlas.tables.model import SHOWN_TYPES, Rules

_DUPLICATES = {
    "skip": "duplicates are left out and kept for review",
    "flag": "duplicates are left out and listed, and look-alikes are flagged",
    "update": "rows that are there are updated",
    "keep": "duplicates are not looked for",
}
_POLICIES = {
    "evolve": "columns that the table lacks are added",
    "discard_value": "columns that the table lacks are left out",
    "freeze": "columns that the table lacks are refused",
    "discard_row": "records with a value in a column that the table lacks are left out",
}
_OPERATORS = {"in": "is one of", "contains": "contains", "starts": "starts with", "ends": "ends with"}
_NEGATIVE = {
    "in": "is not one of",
    "contains": "does not contain",
    "starts": "does not start with",
    "ends": "does not end with",
}


def describe(instruction: ImportInstruction, words: Mapping[str, Sequence[str]] | None = None) -> tuple[Clause, ...]:
    """Describes an instruction, one clause for each kind of request.

    words: the instruction's own words by kind.
    """
    words = words or {}
    told = [(kind, meaning) for kind, tell in _DESCRIPTIONS.items() for meaning in tell(instruction)]
    # These are so in every import, and no member of an instruction.
    told += [(kind, meaning) for kind, meaning in _ALWAYS.items() if kind in words]
    return tuple(Clause(kind, meaning, tuple(words.get(kind, ()))) for kind, meaning in told)


def filter_text(filters: Sequence[Sequence[Filter]], *, exclude: bool) -> str:
    """Writes a filter in words, with parentheses that show the precedence."""
    groups = [" and ".join(map(_comparison, group)) for group in filters]
    several = len(groups) > 1
    joined = " or ".join(
        f"({text})" if several and len(group) > 1 else text for text, group in zip(groups, filters, strict=True)
    )
    return f"all records but those where {joined}" if exclude else f"only records where {joined}"


def _comparison(item: Filter) -> str:
    values = [f'"{value}"' if " " in value or not value else value for value in item.values]
    if not item.column:
        one = "" if len(values) == 1 else "one of "
        return f"some column is {'not ' if item.negated else ''}{one}{', '.join(values)}"
    if item.operator == "empty":
        return f"{item.column} is {'not ' if item.negated else ''}empty"
    if item.operator == "between":
        text = f"{item.column} is {'not ' if item.negated else ''}between {values[0]} and {values[1]}"
    elif item.operator in _OPERATORS or len(values) > 1:
        told = _OPERATORS.get(item.operator, "is one of")
        negative = _NEGATIVE.get(item.operator, "is not one of")
        text = f"{item.column} {negative if item.negated else told} {', '.join(values)}"
    else:
        sign = {"=": "is", "!=": "is not"}.get(item.operator, item.operator)
        text = f"{item.column} {sign}{' not' if item.negated else ''} {values[0]}"
    return text


def _target(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.table is not None:
        what = "dataset" if instruction.dataset else "new table" if instruction.new else "table"
        yield f"{what} {instruction.table}"
    elif instruction.new or instruction.dataset:
        yield "a new dataset" if instruction.dataset else "a new table"


def _names(told: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{told} {', '.join(names)}"


def _rules(instruction: ImportInstruction) -> Iterator[str]:
    yield from (f"{name} {_rule(rule)}" for name, rule in instruction.rules.items())


def _rule(rule: Rules) -> str:
    parts = []
    if rule.minimum is not None and rule.maximum is not None:
        parts.append(f"is between {_number(rule.minimum)} and {_number(rule.maximum)}")
    elif rule.minimum is not None:
        parts.append(f"is at least {_number(rule.minimum)}")
    elif rule.maximum is not None:
        parts.append(f"is at most {_number(rule.maximum)}")
    if rule.above is not None:
        parts.append(f"is more than {_number(rule.above)}")
    if rule.values:
        parts.append(f"is one of {', '.join(rule.values)}")
    return " and ".join(parts)


def _number(bound: float | str) -> str:
    return f"{bound:g}" if isinstance(bound, float | int) else bound


def _header(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.header_row is not None:
        yield f"the header is row {instruction.header_row}"
    elif instruction.header is not None:
        yield "the first row is the header" if instruction.header else "the file has no header"
    if instruction.skip_rows:
        yield f"the first {instruction.skip_rows} rows of the file are no part of the table"


def _first(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.first is not None:
        which = "that pass the filter" if instruction.first_of == "matching" else "of the file"
        yield f"only the first {many(instruction.first, 'record')} {which}"


def _sign(delimiter: str) -> str:
    return {"\t": "tab", " ": "blank"}.get(delimiter, f'"{delimiter}"')


def _types(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.every_type is not None:
        yield f"all columns as {SHOWN_TYPES.get(instruction.every_type, instruction.every_type)}"
    if instruction.types:
        yield ", ".join(f"{name} as {SHOWN_TYPES.get(type_, type_)}" for name, type_ in instruction.types.items())


def _filters(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.filters:
        yield filter_text(instruction.filters, exclude=instruction.exclude)


def _rename(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.rename:
        yield ", ".join(f"{old} goes into {new}" for old, new in instruction.rename.items())


def _duplicates(instruction: ImportInstruction) -> Iterator[str]:
    if instruction.duplicates is not None:
        more = "; records that match no row stay out" if instruction.only_existing else ""
        yield _DUPLICATES[instruction.duplicates] + more


def _when(test: Callable[[ImportInstruction], object], text: str) -> Callable[[ImportInstruction], Iterator[str]]:
    return lambda instruction: iter([text] if test(instruction) else [])


_ALWAYS = {
    "invalid": "records that fail a check are not written, and wait for review",
    "new_rows": "records that match no row are inserted",
    "blank": "blank records are left out",
}
_DESCRIPTIONS: dict[str, Callable[[ImportInstruction], Iterator[str]]] = {
    "table": _target,
    "replace": _when(lambda s: s.replace, "the rows that are there are replaced"),
    "thread": _when(lambda s: s.same, "as the import before in this thread"),
    "columns": lambda s: iter([*_names("only", s.keep), *_names("without", s.drop)]),
    "rename": _rename,
    "types": _types,
    "key": lambda s: _names("records are the same by", s.key),
    "duplicates": _duplicates,
    "filter": _filters,
    "first": _first,
    "required": lambda s: _names("no empty value in", s.required),
    "rules": _rules,
    "new_columns": lambda s: iter([_POLICIES[s.policy]] if s.policy else []),
    "dates": lambda s: iter([] if s.day_first is None else [f"{'day' if s.day_first else 'month'} first"]),
    "numbers": lambda s: iter(
        [] if s.decimal_comma is None else ["a decimal comma" if s.decimal_comma else "a decimal point"]
    ),
    "sheet": lambda s: iter([] if s.sheet is None else [f"sheet {s.sheet}"]),
    "header": _header,
    "encoding": lambda s: iter([] if s.encoding is None else [f"the text is in {s.encoding}"]),
    "delimiter": lambda s: iter([] if s.delimiter is None else [f"{_sign(s.delimiter)} between cells"]),
    "time_column": lambda s: iter([] if s.time_column is None else [f"{s.time_column} holds the time"]),
    "proposals": lambda s: iter(
        [] if s.accept_proposals is None else [f"proposed columns are {'' if s.accept_proposals else 'not '}taken"]
    ),
}
