"""From a staged file and an instruction to the plan of an import. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import msgspec

from atlas.core.identifiers import singular, table_identifier, unique_identifiers
from atlas.core.infer import TEXT, TOLERANCE, Hints, Kind, infer, sure_day_first
from atlas.core.mapping import close_name, match_columns
from atlas.core.plans import ColumnPlan, Filter, ImportPlan
from atlas.core.tables import WIDENINGS, Table
from atlas.errors import BadRequestError
from atlas.language.instruction import ImportInstruction
from atlas.readers.staging import Staging

_TIME_NAMES = ("timestamp", "ts", "time", "datetime", "date")


@dataclass(frozen=True, slots=True)
class Inferred:
    """What the columns of a file are: identifiers, how to read each, and texts of its cells."""

    names: Sequence[str]
    kinds: Sequence[Kind]
    samples: Sequence[Sequence[str]]


def inspect(staging: Staging, instruction: ImportInstruction) -> Inferred:
    """Infers the type of each column from a sample, then makes sure on all records."""
    headers = list(staging.source.names)
    names = unique_identifiers(headers)
    samples = staging.sample()
    hints = Hints(instruction.day_first, instruction.decimal_comma)
    told = {
        name: kind for name, kind in instruction.types.items() if close_name(name, [*headers, *names], columns=True)
    }

    def infer_all(hints: Hints) -> list[Kind]:
        return [
            infer(sample, name, native, hints)
            for sample, name, native in zip(samples, names, staging.source.native, strict=True)
        ]

    kinds = infer_all(hints)
    if hints.day_first is None and (sure := sure_day_first(kinds)) is not None:
        hints = replace(hints, day_first=sure)
        kinds = infer_all(hints)
    for told_name, type_ in told.items():
        place = _place(told_name, headers, names)
        if place is not None:
            kinds[place] = _as_told(kinds[place], type_)
    fixed = {place for name in told if (place := _place(name, headers, names)) is not None}
    for position, (total, failed) in enumerate(staging.failures(kinds)):
        if position not in fixed and total and failed > total * TOLERANCE:
            kinds[position] = TEXT
    return Inferred(names, kinds, samples)


def _place(told: str, headers: Sequence[str], names: Sequence[str]) -> int | None:
    """The position of the column that an instruction means."""
    for candidates in (headers, names):
        found = close_name(told, candidates, columns=True)
        if found is not None:
            return list(candidates).index(found)
    return None


def _as_told(kind: Kind, type_: str) -> Kind:
    if kind.type == type_ or (kind.type, type_) in WIDENINGS:
        return replace(kind, type=type_)
    if type_ == "text":
        return replace(TEXT, semantic=kind.semantic)
    if type_ == "date" and kind.type == "timestamp":
        return replace(kind, type="date")
    return Kind(type_)


def make_plan(
    staging: Staging, inferred: Inferred, instruction: ImportInstruction, tables: Sequence[Table], file_name: str
) -> ImportPlan:
    """The plan for a file. Raises BadRequestError where the instruction names a column that is not there."""
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
        self._source = staging.source
        self._inferred, self._said, self._tables, self._file_name = inferred, instruction, tables, file_name
        self._notes: list[str] = list(staging.source.notes)
        self._unknown: list[str] = list(instruction.not_understood)
        self._widened: dict[str, str] = {}
        self._discard: list[int] = []

    def plan(self) -> ImportPlan:
        said = self._said
        table = self._target()
        chosen = self._chosen()
        existing = None if said.dataset else table if isinstance(table, Table) else None
        name = table.name if isinstance(table, Table) else table
        columns = self._map(chosen, existing) if existing else self._fresh(chosen)
        columns = self._with_rules(columns)
        if not columns:
            raise BadRequestError("Nothing to import", "no column of the file is left by the instruction")
        filters = tuple(tuple(self._filter(item, columns) for item in group) for group in said.filters)
        key, found = self._key(columns, existing)
        for column in columns:
            if column.kind.ambiguous and column.kind.formats:
                first = "day" if column.kind.formats[0].startswith("%d") else "month"
                self._notes.append(f"{column.name} could be read day or month first; read {first} first")
            if column.kind.percent:
                self._notes.append(f"{column.name} is stored as a share, so 12 % is 0.12")
        return ImportPlan(
            table=name, exists=existing is not None, columns=tuple(columns), key=key, key_found=found,
            duplicates=said.duplicates or "skip", policy=said.policy or "evolve", filters=filters,
            exclude=said.exclude, widened=self._widened, discard_columns=tuple(self._discard), dataset=said.dataset,
            time_column=self._time_column(columns), sheet=said.sheet, notes=tuple(self._notes),
            not_understood=tuple(self._unknown),
        )  # fmt: skip

    def _target(self) -> Table | str:
        """The table that is meant: one that exists, or the name of a new one."""
        said = self._said.table
        if said is None:
            stem = PurePosixPath(self._file_name.replace("\\", "/")).name.split(".")[0]
            said = stem or "imported"
        by_name = {table.name: table for table in self._tables}
        close = close_name(said, list(by_name))
        if close is not None and not (self._said.new and table_identifier(said) != close):
            if self._said.new and not self._said.dataset:
                raise BadRequestError("Table exists", f"{close!r} exists already; say another name, or import into it")
            if table_identifier(said) != close and self._said.table is not None:
                self._notes.append(f"took {said!r} for the table {close!r}")
            return by_name[close]
        return said if self._said.dataset else table_identifier(said)

    def _chosen(self) -> list[int]:
        """Positions of the columns to import, in order."""
        every = list(range(len(self._headers)))
        if self._said.keep:
            every = [place for name in self._said.keep if (place := self._find(name)) is not None]
            if not every:
                raise BadRequestError(
                    "Unknown column", f"the file has none of the columns {', '.join(self._said.keep)}"
                )
        dropped = {place for name in self._said.drop if (place := self._find(name)) is not None}
        # A column without a name and without values is a gap in the sheet.
        return [
            place for place in dict.fromkeys(every)
            if place not in dropped and (self._source.names[place] or self._inferred.samples[place])
        ]  # fmt: skip

    def _find(self, told: str) -> int | None:
        """The column that is meant; what is not there is told as not understood."""
        place = _place(told, self._headers, self._inferred.names)
        if place is None:
            self._unknown.append(f"no column {told!r} in the file")
        return place

    def _renamed(self) -> dict[int, str]:
        found = {}
        for old, new in self._said.rename.items():
            place = _place(old, self._headers, self._inferred.names)
            if place is None:
                # "map email to Email Address": the other way round.
                place = _place(new, self._headers, self._inferred.names)
                new = old
            if place is None:
                self._unknown.append(f"no column {old!r} in the file")
            else:
                found[place] = new
        return found

    def _fresh(self, chosen: Sequence[int]) -> list[ColumnPlan]:
        renamed = self._renamed()
        names = unique_identifiers([renamed.get(place, self._headers[place]) for place in chosen])
        return [
            self._column(place, name, self._inferred.kinds[place]) for place, name in zip(chosen, names, strict=True)
        ]

    def _column(self, place: int, name: str, kind: Kind) -> ColumnPlan:
        return ColumnPlan(place, self._headers[place], name, kind.type, kind, semantic=kind.semantic)

    def _map(self, chosen: Sequence[int], table: Table) -> list[ColumnPlan]:
        """Columns of the file onto those of a table; new ones by the policy."""
        renamed = self._renamed()
        offered = [(renamed.get(place, self._headers[place]), self._inferred.kinds[place]) for place in chosen]
        matched = {chosen[n]: name for n, name in match_columns(offered, table.columns).items()}
        taken = {column.name for column in table.columns}
        columns = []
        extra = [place for place in chosen if place not in matched]
        for place in chosen:
            if place in matched:
                columns.append(self._onto(place, table, matched[place]))
        if not columns:
            listed = ", ".join(column.name for column in table.columns[:20])
            raise BadRequestError(
                "No column matches",
                f"the table {table.name!r} has {listed}; the file has {', '.join(self._headers[:20])}",
            )
        policy = self._said.policy or "evolve"
        if extra and policy == "freeze":
            raise BadRequestError(
                "Schema is frozen", f"{table.name!r} has no column for {', '.join(self._headers[p] for p in extra)}"
            )
        if policy == "discard_row":
            self._discard = extra
        elif policy == "discard_value" and extra:
            self._notes.append(f"left out {', '.join(self._headers[p] for p in extra)}, which the table does not have")
        elif extra:
            names = unique_identifiers([renamed.get(place, self._headers[place]) for place in extra], taken)
            columns += [self._column(p, name, self._inferred.kinds[p]) for p, name in zip(extra, names, strict=True)]
        return sorted(columns, key=lambda column: column.position)

    def _onto(self, place: int, table: Table, name: str) -> ColumnPlan:
        column = table.column(name)
        assert column is not None
        kind = self._inferred.kinds[place]
        type_ = column.type
        if (column.type, kind.type) in WIDENINGS and (self._said.policy or "evolve") == "evolve":
            type_ = kind.type
            self._widened[name] = type_
        if type_ == "text":
            kind = TEXT
        elif kind.type != type_:
            fits = (kind.type, type_) in WIDENINGS or {kind.type, type_} == {"date", "timestamp"}
            kind = replace(kind, type=type_) if fits else Kind(type_)
        if self._headers[place].strip().lower() not in (name, column.header.strip().lower()):
            self._notes.append(f"{self._headers[place]!r} goes into {name}")
        return ColumnPlan(
            place, self._headers[place], name, type_, kind, new=False, semantic=column.semantic,
            required=column.required, rules=column.rules,
        )  # fmt: skip

    def _named(self, told: str, columns: Sequence[ColumnPlan]) -> ColumnPlan | None:
        """A column of the plan by its new name or its header."""
        for candidates in ([c.name for c in columns], [c.header for c in columns]):
            found = close_name(told, candidates, columns=True)
            if found is not None:
                return columns[candidates.index(found)]
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
        return [
            msgspec.structs.replace(
                column,
                required=column.required or column.name in required,
                rules=rules.get(column.name, column.rules),
            )
            for column in columns
        ]

    def _filter(self, item: Filter, columns: Sequence[ColumnPlan]) -> Filter:
        column = self._named(item.column, columns)
        if column is None:
            listed = ", ".join(c.name for c in columns)
            raise BadRequestError("Unknown column", f"the filter names {item.column!r}; the file has {listed}")
        return msgspec.structs.replace(item, column=column.name)

    def _key(self, columns: Sequence[ColumnPlan], existing: Table | None) -> tuple[tuple[str, ...], bool]:
        """The columns that make two records the same, and whether Atlas chose them itself."""
        if self._said.key:
            names = []
            for told in self._said.key:
                column = self._named(told, columns)
                if column is None:
                    raise BadRequestError("Unknown column", f"{told!r} is the key, but the file has no such column")
                names.append(column.name)
            return tuple(dict.fromkeys(names)), False
        if existing is not None:
            return self._key_of(existing, columns), False
        table = singular(table_identifier(self._said.table or ""))
        for name in ("id", f"{table}_id", "uuid", "guid", "email", f"{table}_number", f"{table}_no", "sku", "isbn"):
            column = next((c for c in columns if c.name == name), None)
            if column is not None and self._distinct(column):
                return (name,), True
        if self._said.duplicates in ("skip", "flag", "update"):
            self._notes.append(
                "no column was found that tells records apart, so only records that agree in all columns count as "
                "duplicates; say which column is the key"
            )
        return (), False

    def _key_of(self, table: Table, columns: Sequence[ColumnPlan]) -> tuple[str, ...]:
        """The key of a table, if the file has it; tells where records cannot be recognized without."""
        present = {column.name for column in columns}
        if self._said.duplicates == "keep":
            return table.key if set(table.key) <= present else ()
        absent = [name for name in table.key if name not in present]
        if absent:
            self._notes.append(
                f"the file has no {' and '.join(absent)}, the key of {table.name}: records that are there already are "
                "recognized only where all columns agree"
            )
        elif not table.key and (lacking := [c.name for c in table.columns if c.name not in present]):
            self._notes.append(
                f"{table.name} has no key and the file lacks {', '.join(lacking)}: records that are there already are "
                "not recognized if those have values; say which column is the key"
            )
        return () if absent else table.key

    def _distinct(self, column: ColumnPlan) -> bool:
        """Whether a sample of a column has hardly a value twice; where duplicates are looked for, in half of it."""
        texts = [text.strip().lower() for text in self._inferred.samples[column.position]]
        least = 0.5 if self._said.duplicates in ("skip", "flag", "update") else 0.9
        return bool(texts) and len(set(texts)) >= len(texts) * least

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
        times = [column for column in columns if column.type in ("date", "timestamp")]
        named = [column for name in _TIME_NAMES for column in times if column.name == name]
        if not times:
            raise BadRequestError("No time column", "a dataset needs a column with dates or times; say which one it is")
        return (named or times)[0].name
