"""Plans an import from a staged file and an instruction. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from atlas.column_formats.column_names import MONEY
from atlas.column_formats.model import NUMBERS, TEXT, Kind
from atlas.column_formats.numbers import DOUBLE_DIGITS
from atlas.contract.imports import Proposal
from atlas.errors import BadRequestError
from atlas.imports.clarifications import ask_about, doubts, plain_value, resolve_mapping
from atlas.imports.column_units import numbers_with_a_unit, with_units
from atlas.imports.currency_columns import with_currency_columns
from atlas.imports.filter_values import as_range, unknown_column, with_column, without_currency
from atlas.imports.format_losses import other_than_before, remarks
from atlas.imports.infer.column_matching import match_columns
from atlas.imports.infer.header_units import without_units
from atlas.imports.infer.types import few, no_value, wider
from atlas.imports.inspection import Inferred, as_asked, inspect, place_of
from atlas.imports.key_choice import key_of_table, unique_column
from atlas.imports.plan import ColumnPlan, ImportPlan, cut_names, find_time_column, with_guesses
from atlas.imports.staging import Staging
from atlas.imports.stated_values import check_values, rename_questions, rule_questions, with_filter
from atlas.imports.target_table import find_target, target_of
from atlas.kit.close_names import close_name, plain_name
from atlas.kit.identifiers import unique_identifiers
from atlas.language.instructions import Filter, ImportInstruction
from atlas.tables.model import SHOWN_TYPES, WIDENINGS, Rules, Table, TableColumn

__all__ = ["Inferred", "find_target", "inspect", "make_plan"]


def make_plan(
    staging: Staging, inferred: Inferred, instruction: ImportInstruction, tables: Sequence[Table], file_name: str
) -> ImportPlan:
    """Plans an import. Raises BadRequestError when the instruction names a column that the file lacks."""
    planner = _Planner(staging, inferred, instruction, tables, file_name)
    return planner.plan()


class _Planner:
    def __init__(
        self,
        staging: Staging,
        inferred: Inferred,
        instruction: ImportInstruction,
        tables: Sequence[Table],
        file_name: str,
    ) -> None:
        self._headers = [header or name for header, name in zip(staging.source.names, inferred.names, strict=True)]
        self._labels = without_units(self._headers, [numbers_with_a_unit(kind) for kind in inferred.kinds])
        self._staging, self._source = staging, staging.source
        self._inferred, self._said, self._tables, self._file_name = inferred, instruction, tables, file_name
        self._notes: list[str] = [*staging.source.notes, *inferred.notes]
        self._unknown: list[str] = list(instruction.not_understood)
        self._questions: list[str] = [*filter(None, [instruction.question])]
        self._left_out: list[str] = []
        self._proposals: list[Proposal] = []
        self._hidden: list[ColumnPlan] = []
        self._widened: dict[str, str] = {}
        self._discard: list[int] = []

    def plan(self) -> ImportPlan:
        said = self._said
        target = target_of(said, self._tables, self._file_name)
        table = target.table
        self._notes += target.notes
        self._questions += filter(None, [target.question])
        chosen = self._chosen()
        existing = None if said.dataset else table if isinstance(table, Table) else None
        name = table.name if isinstance(table, Table) else table
        if said.mapping:
            columns = self._mapped(existing)
        else:
            columns = self._map(chosen, existing) if existing else self._fresh(chosen)
            columns, notes = with_currency_columns(columns, existing)
            self._notes += notes
        columns, notes = with_units(columns, self._source, existing)
        self._notes += notes
        columns = self._with_rules(columns)
        if not columns:
            raise BadRequestError("Nothing to import", "no column of the file is left by the instruction")
        filters = tuple(filter(None, (self._group(group, columns) for group in said.filters)))
        key, found = self._key(columns, existing)
        if not said.dataset and said.policy != "freeze":
            columns = with_guesses(columns, key, self._inferred.stated)
        name_told = existing.name if existing is not None else said.table
        self._questions += doubts(said, name_told, exists=existing is not None, key=key)
        if said.replace and existing is None and not said.dataset:
            self._notes.append("there was no such table, so nothing was replaced")
        for column in columns:
            self._notes += [f"{column.name} {remark}" for remark in self._remarks(column)]
        self._notes += cut_names(columns)
        return ImportPlan(
            table=name,
            exists=existing is not None,
            columns=tuple(columns),
            key=key,
            key_found=found,
            duplicates=said.duplicates or "skip",
            policy=said.policy or "evolve",
            filters=filters,
            exclude=said.exclude,
            widened=self._widened,
            discard_columns=tuple(self._discard),
            dataset=said.dataset,
            time_column=self._time_column(columns),
            sheet=said.sheet,
            notes=tuple(self._notes),
            not_understood=tuple(dict.fromkeys(self._unknown)),
            hidden=tuple(self._hidden),
            replace=said.replace,
            first=said.first,
            first_matching=said.first_of == "matching",
            only_existing=said.only_existing,
            left_out=tuple(self._left_out),
            understood=said.understood if filters == said.filters else with_filter(said, filters),
            proposals=tuple(self._proposals),
            questions=tuple(self._questions),
            written=self._source.written,
        )

    def _remarks(self, column: ColumnPlan) -> Sequence[str]:
        if column.kind == self._inferred.kinds[column.position]:
            return self._inferred.remarks.get(column.position, ())
        return remarks(self._staging, column.position, column.kind)

    def _chosen(self) -> list[int]:
        """Returns the positions of the columns to import, in order."""
        every = list(range(len(self._headers)))
        if self._said.keep:
            every = [place for name in self._said.keep if (place := self._find(name)) is not None]
            if not every:
                raise BadRequestError(
                    "Unknown column", f"the file has none of the columns {', '.join(self._said.keep)}"
                )
        dropped = {place for name in self._said.drop if (place := self._find(name)) is not None}
        for name in self._said.types:
            self._find(name)
        # A column without a name and without values is a gap in the sheet.
        return [
            place
            for place in dict.fromkeys(every)
            if place not in dropped and (self._source.names[place] or self._inferred.samples[place])
        ]

    def _mapped(self, table: Table | None) -> list[ColumnPlan]:
        """Returns the columns by a given mapping, to the letter."""
        columns = []
        pairs = resolve_mapping(self._said.mapping, self._headers)
        for name, place in pairs:
            if table is not None and table.column(name) is not None:
                columns.append(self._onto(place, table, name))
            else:
                columns.append(self._column(place, name, self._inferred.kinds[place]))
        self._left_out += [header for n, header in enumerate(self._headers) if n not in {place for _, place in pairs}]
        if self._left_out:
            self._notes.append(f"left out {', '.join(self._left_out)}, which the mapping does not name")
        return columns

    def _find(self, told: str) -> int | None:
        """Returns the place of a column that the instruction names. A missing column is reported as not understood."""
        place = place_of(told, self._headers, self._inferred.names)
        if place is None:
            # The instruction may use the new name that it gives the column.
            old = next((old for old, new in self._said.rename.items() if new == told), None)
            place = None if old is None else place_of(old, self._headers, self._inferred.names)
        if place is None:
            self._unknown.append(f"no column {told!r} in the file")
        return place

    def _renamed(self, chosen: Sequence[int]) -> dict[int, str]:
        """Returns the new names by position, and asks about names that other imported columns have."""
        found = {}
        for old, new in self._said.rename.items():
            place = place_of(old, self._headers, self._inferred.names)
            if place is None:
                self._unknown.append(f"no column {old!r} in the file")
            else:
                found[place] = new
        self._questions += rename_questions(found, chosen, self._headers)
        return found

    def _fresh(self, chosen: Sequence[int]) -> list[ColumnPlan]:
        renamed = self._renamed(chosen)
        names = unique_identifiers([renamed.get(place, self._labels[place]) for place in chosen])
        return [
            self._column(place, name, self._inferred.kinds[place]) for place, name in zip(chosen, names, strict=True)
        ]

    def _column(self, place: int, name: str, kind: Kind) -> ColumnPlan:
        if self._said.dataset and kind.type == "numeric":
            # A dataset has doubles. Numbers that doubles cannot hold stay texts.
            longest = max((len(text) for text in self._inferred.samples[place]), default=0)
            kind = replace(kind, type="double") if longest <= DOUBLE_DIGITS else TEXT
        return ColumnPlan(place, self._headers[place], name, kind.type, kind, semantic=kind.semantic)

    def _map(self, chosen: Sequence[int], table: Table) -> list[ColumnPlan]:
        """Maps columns of the file to columns of a table. The policy decides on new columns."""
        renamed = self._renamed(chosen)
        offered = [(renamed.get(place, self._headers[place]), self._inferred.kinds[place]) for place in chosen]
        matching = match_columns(offered, table.columns)
        matched = {chosen[n]: name for n, name in matching.matched.items()}
        matched |= self._proposed({chosen[n]: each for n, each in matching.proposed.items()}, renamed)
        taken = {column.name for column in table.columns}
        columns = []
        extra = [place for place in chosen if place not in matched]
        for place in chosen:
            if place in matched:
                columns.append(self._onto(place, table, matched[place]))
        if not columns and not self._questions:
            listed = ", ".join(column.name for column in table.columns[:20])
            raise BadRequestError(
                "No column matches",
                f"the table {table.name!r} has {listed}; the file has {', '.join(self._headers[:20])}",
            )
        policy = self._said.policy or "evolve"
        self._left_out += [] if policy == "evolve" else [self._headers[place] for place in extra]
        if extra and policy == "freeze":
            raise BadRequestError(
                "Schema is frozen", f"{table.name!r} has no column for {', '.join(self._headers[p] for p in extra)}"
            )
        if policy == "discard_row":
            self._discard = extra
        elif policy == "discard_value" and extra:
            self._notes.append(f"left out {', '.join(self._headers[p] for p in extra)}, which the table does not have")
        elif extra:
            names = unique_identifiers([renamed.get(place, self._labels[place]) for place in extra], taken)
            columns += [self._column(p, name, self._inferred.kinds[p]) for p, name in zip(extra, names, strict=True)]
        return sorted(columns, key=lambda column: column.position)

    def _proposed(self, proposed: dict[int, Proposal], renamed: dict[int, str]) -> dict[int, str]:
        """Returns accepted proposals. Asks about undecided ones, unless the instruction decides on new columns."""
        # A person who gives a new name means exactly that name.
        proposed = {place: each for place, each in proposed.items() if place not in renamed}
        self._proposals = [replace(p, header=self._headers[n]) for n, p in sorted(proposed.items())]
        if self._said.accept_proposals:
            return {place: proposal.column for place, proposal in proposed.items()}
        if proposed and self._said.accept_proposals is None and self._said.policy is None:
            self._questions.append(ask_about(self._proposals))
        return {}

    def _onto(self, place: int, table: Table, name: str) -> ColumnPlan:
        column = table.column(name)
        assert column is not None
        kind, type_ = self._fitting(place, column)
        if type_ != column.type:
            self._widened[name] = type_
            self._notes.append(f"{name} was {SHOWN_TYPES[column.type]} and becomes {SHOWN_TYPES[type_]}")
        if column.format is not None:
            self._notes += [f"{name} {told}" for told in other_than_before(kind, column.format)]
        if self._headers[place].strip().lower() not in (name, column.header.strip().lower()):
            self._notes.append(f"{self._headers[place]!r} goes into {name}")
        return ColumnPlan(
            place,
            self._headers[place],
            name,
            type_,
            kind,
            new=False,
            semantic=column.semantic,
            required=column.required,
            rules=column.rules,
        )

    def _fitting(self, place: int, column: TableColumn) -> tuple[Kind, str]:
        """Returns how to read the values for a column of the table, and the type of the column afterwards."""
        kind, type_ = self._inferred.kinds[place], column.type
        widens = (self._said.policy or "evolve") in ("evolve", "discard_value")
        if type_ == "text" or (place in self._inferred.stated and kind.type == "text" and widens):
            return replace(TEXT, semantic=kind.semantic), "text"
        if kind.type == type_ and not self._misfits(place, kind):
            return kind, type_
        if self._holds(column, place, kind):
            return replace(kind, type=type_), type_
        if widens and (joined := wider(type_, kind)) is not None:
            return (kind if kind.type == joined else replace(kind, type=joined)), joined
        asked = self._asked(place, column)
        return asked if asked is not None and widens else (self._as_column(place, column), type_)

    def _holds(self, column: TableColumn, place: int, kind: Kind) -> bool:
        """Checks whether a column of another type holds the values of a kind unchanged. A double holds no money."""
        if (kind.type, column.type) in WIDENINGS:
            return True
        if column.type != "double" or kind.type not in NUMBERS:
            return False
        if kind.type == "numeric" and (kind.currency or kind.own_currency or MONEY.search(column.name)):
            return False
        failed, as_double = (self._staging.misfits(place, each, None) for each in (kind, replace(kind, type="double")))
        return failed == as_double

    def _as_column(self, place: int, column: TableColumn) -> Kind:
        return as_asked(self._inferred.samples[place], column.name, column.type, self._inferred.hints)

    def _misfits(self, place: int, kind: Kind) -> list[tuple[str, int]]:
        return [] if (place, kind) in self._staging.clean else self._staging.misfits(place, kind)

    def _asked(self, place: int, column: TableColumn) -> tuple[Kind, str] | None:
        """Returns kind and type for a column that the file's own kind does not fit. None keeps the type."""
        kind = self._as_column(place, column)
        total, failed = self._staging.failures([*[TEXT] * place, kind])[place]
        if not failed:
            return kind, column.type
        odd = [text for text, _ in self._staging.misfits(place, kind) if not no_value(text)]
        stated = column.required or column.rules != Rules() or column.name in self._said.key
        if stated or (not odd and few(failed, total)):
            return None
        if column.type in NUMBERS and column.type != "numeric":
            wide = as_asked(self._inferred.samples[place], column.name, "numeric", self._inferred.hints)
            if not self._staging.failures([*[TEXT] * place, wide])[place][1]:
                return wide, "numeric"
        return TEXT, "text"

    def _named(self, told: str, columns: Sequence[ColumnPlan]) -> ColumnPlan | None:
        """Returns a column of the plan by its new name or its header, or None."""
        for candidates in ([c.name for c in columns], [c.header for c in columns]):
            found = close_name(told, candidates, columns=True)
            if found is not None:
                column = columns[candidates.index(found)]
                if plain_name(told)[0] not in (plain_name(column.name)[0], plain_name(column.header)[0]):
                    note = f"{told!r} is taken for the column {column.name}"
                    self._notes += [] if note in self._notes else [note]
                return column
        return None

    def _with_rules(self, columns: Sequence[ColumnPlan]) -> list[ColumnPlan]:
        required, rules = set(), {}
        for told in self._said.required:
            column = self._named(told, columns)
            if column is None:
                raise BadRequestError("Unknown column", f"{told!r} is required, but the file has no such column")
            required.add(column.name)
        for told, rule in self._said.rules.items():
            column = self._named(told, columns)
            if column is None:
                self._unknown.append(f"no column {told!r} in the file")
            else:
                rules[column.name] = rule
                self._questions += rule_questions(rule, column, self._staging)
        return [
            msgspec.structs.replace(
                column,
                required=column.required or column.name in required,
                rules=rules.get(column.name, column.rules),
            )
            for column in columns
        ]

    def _group(self, group: Sequence[Filter], columns: Sequence[ColumnPlan]) -> tuple[Filter, ...]:
        """Finds the columns of a group of filters, without those that no column is found for."""
        found = [with_column(item, self._headers, self._inferred.kinds, self._staging) for item in group]
        self._questions += [item for item in found if isinstance(item, str)]
        return tuple(self._filter(item, columns) for item in found if isinstance(item, Filter))

    def _filter(self, item: Filter, columns: Sequence[ColumnPlan]) -> Filter:
        column = self._named(item.column, columns) or self._unseen(item.column, columns)
        if column is None:
            raise BadRequestError("Unknown column", unknown_column(item.column, [c.name for c in columns]))
        for reading in (as_range, without_currency):
            item, question = reading(item, column)
            self._questions += [question] if question else []
        comma = self._said.decimal_comma
        values = tuple(plain_value(value, column.type, decimal_comma=comma) for value in item.values)
        item = msgspec.structs.replace(item, column=column.name, values=values)
        checked = check_values(item, column, self._staging, lambda told: self._named(told, columns) is not None)
        self._notes += [note for note in checked.notes if note not in self._notes]
        self._questions += checked.questions
        return checked.filter

    def _unseen(self, told: str, columns: Sequence[ColumnPlan]) -> ColumnPlan | None:
        """Returns a column of the file that a filter compares but that is not imported, or None."""
        if (place := place_of(told, self._headers, self._inferred.names)) is None:
            return None
        taken = [column.name for column in (*columns, *self._hidden)]
        name = unique_identifiers([self._headers[place]], taken)[0]
        self._hidden.append(self._column(place, name, self._inferred.kinds[place]))
        return self._hidden[-1]

    def _key(self, columns: Sequence[ColumnPlan], existing: Table | None) -> tuple[tuple[str, ...], bool]:
        """Returns the key columns, and whether Atlas chose the columns itself."""
        if self._said.key:
            names = []
            for told in self._said.key:
                column = self._named(told, columns)
                if column is None:
                    raise BadRequestError("Unknown column", f"{told!r} is the key, but the file has no such column")
                names.append(column.name)
            return tuple(dict.fromkeys(names)), False
        if existing is not None:
            key, note = key_of_table(existing, columns, self._said.duplicates)
            self._notes += [note] if note else []
            return key, False
        found = unique_column(columns, self._said.table or "", self._inferred.samples, self._said.duplicates)
        if found is not None:
            return (found,), True
        if self._said.duplicates in ("skip", "flag", "update"):
            self._notes.append(
                "no column was found that tells records apart, so only records that agree in all columns count as "
                "duplicates; say which column is the key"
            )
        return (), False

    def _time_column(self, columns: Sequence[ColumnPlan]) -> str | None:
        if not self._said.dataset:
            return None
        if self._said.time_column is not None:
            column = self._named(self._said.time_column, columns)
            if column is None:
                raise BadRequestError(
                    "Unknown column", f"{self._said.time_column!r} holds the time, but the file has no such column"
                )
            return column.name
        return find_time_column(columns).name
