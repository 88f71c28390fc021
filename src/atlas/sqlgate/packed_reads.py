"""What a query reads of datasets with packed rows: the columns, and conditions on the time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.columnar.pruning import comparisons, conjuncts, time_conditions
from atlas.sqlgate.columnar.scopes import constant
from atlas.sqlgate.physical_names import write_condition
from atlas.sqlgate.resolver import Resolution


@dataclass(frozen=True, slots=True)
class PackedRead:
    """What a query reads of a dataset.

    columns: physical names, and `ts`. packed, plain: conditions in PostgreSQL's SQL on chunks and on plain rows, that
    all rows which matter fulfil.
    """

    table: CatalogTable
    columns: tuple[str, ...]
    packed: tuple[str, ...]
    plain: tuple[str, ...]


def packed_reads(tree: exp.Expr, found: Resolution) -> tuple[PackedRead, ...]:
    """Returns what a query reads of each dataset with packed rows."""
    named = {column.name for column in found.columns.values()}
    named |= {column.name for columns in found.stars.values() for column in columns}
    reads = []
    for table in {t.name: t for t in found.tables.values() if t is not None and t.cold}.values():
        columns = tuple(column.stored for column in table.columns if column.name in named)
        nodes = [
            node for node in tree.walk() if isinstance(node, exp.Table) and _same(found.tables.get(id(node)), table)
        ]
        packed, plain = _conditions(nodes[0], found) if len(nodes) == 1 else ([], [])
        reads.append(PackedRead(table, columns, tuple(packed), tuple(plain)))
    return tuple(reads)


def _same(one: CatalogTable | None, other: CatalogTable) -> bool:
    return one is not None and one.name == other.name


def _conditions(node: exp.Expr, found: Resolution) -> tuple[list[str], list[str]]:
    """Returns the conditions behind WHERE on the time of a dataset that stands in FROM once.

    Each condition fails where the time is NULL, so rows left out before a join change nothing.
    """
    alias = node.args.get("alias")
    name = alias.this.name if alias else node.this.name
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    packed: list[str] = []
    plain: list[str] = []
    for condition in conjuncts(where.this) if where is not None else ():
        for time, kind, value in comparisons(condition):
            if id(time) in found.bounded and constant(value) and found.columns[id(time)].sources == (name,):
                of_rows, of_chunks = time_conditions(kind, write_condition(value, found))
                plain.append(of_rows)
                packed += of_chunks
    return packed, plain
