"""Names within a query for DuckDB: each relation and column gets a name of ours, and none of the caller's is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.columnar.kinds import COLUMN_KINDS, Kind, NotColumnarError, Typed
from atlas.sqlgate.resolver import Column


@dataclass(frozen=True, slots=True)
class Source:
    """A relation of FROM. alias: its name in the SQL; columns: by their logical names, the SQL's name and the type.

    table: the dataset or table that the relation is, if it is one.
    """

    alias: str
    columns: dict[str, tuple[str, Kind]]
    table: CatalogTable | None = None


@dataclass(slots=True)
class Scope:
    """Relations that the expressions of one SELECT may use, by their logical names, and those of the queries around."""

    parent: Scope | None
    queries: dict[str, Source]
    sources: dict[str, Source] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Source:
        """Returns the nearest relation with a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.sources:
                return scope.sources[name]
            scope = scope.parent
        raise NotColumnarError(f"the relation {name!r}")


@dataclass(slots=True)
class Use:
    """What a query reads of a dataset or table. columns: physical names; nodes: how often it stands in FROM."""

    table: CatalogTable
    relation: str
    columns: set[str] = field(default_factory=set)
    nodes: int = 0
    # Conditions on packed rows and on plain ones, in PostgreSQL's SQL, that each row that matters fulfils.
    packed: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)


class Names:
    """Gives names to relations, and notes the columns that the query reads of each dataset and table."""

    def __init__(self) -> None:
        self.uses: dict[str, Use] = {}
        self._count = 0

    def fresh(self) -> str:
        """Returns a name that nothing else has."""
        self._count += 1
        return f"r{self._count}"

    def relation(self, table: CatalogTable) -> Source:
        """Returns a relation for a dataset or table in FROM."""
        columns = {}
        for column in table.columns:
            kind = COLUMN_KINDS.get(column.type)
            if kind is not None:
                columns[column.name] = (column.stored, kind)
        use = self.uses.setdefault(table.name, Use(table, f"d{len(self.uses) + 1}"))
        use.nodes += 1
        return Source(self.fresh(), columns, table)

    def result(self, outputs: Sequence[tuple[str, Kind]], renamed: Sequence[str]) -> Source:
        """Returns a relation for a query whose columns are `o1`, `o2` and so on.

        renamed: logical names of the first columns, in place of their own.
        """
        names = [*renamed, *(name for name, _ in outputs[len(renamed) :])]
        columns = {name: (f"o{at}", kind) for at, (name, (_, kind)) in enumerate(zip(names, outputs, strict=True), 1)}
        if len(columns) != len(names):
            raise NotColumnarError("two columns of one name")
        return Source(self.fresh(), columns)

    def column(self, found: Column, scope: Scope) -> Typed:
        """Returns the SQL and type of a resolved column."""
        cells = [self.cell(found.name, scope.find(source)) for source in found.sources]
        if len({cell.kind for cell in cells}) > 1:
            raise NotColumnarError("one column of two types")
        if len(cells) == 1:
            return cells[0]
        return Typed(f"COALESCE({', '.join(cell.sql for cell in cells)})", cells[0].kind)

    def cell(self, name: str, source: Source) -> Typed:
        """Returns the SQL and type of a column of a relation."""
        if name not in source.columns:
            raise NotColumnarError(f"the column {name!r}")
        stored, kind = source.columns[name]
        if source.table is not None:
            self.uses[source.table.name].columns.add(stored)
        return Typed(f'{source.alias}."{stored}"', kind)


def constant(node: exp.Expr) -> bool:
    """Tells whether an expression depends on no row."""
    return not any(isinstance(one, (exp.Column, exp.Select, exp.Subquery)) for one in node.walk())
