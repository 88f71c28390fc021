"""Resolves every name of a query: tables of the catalog, names that the query defines, and the columns of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp

from atlas.catalog.model import Catalog, CatalogTable
from atlas.kit.plurals import many
from atlas.sqlgate.allowlist import SET_OPERATIONS
from atlas.sqlgate.lexer import refuse, shown
from atlas.sqlgate.names import find_name, is_bare, may_mean, new_name, output_name, plain


class Column(NamedTuple):
    """A column in scope.

    sources: aliases of its items of FROM; with several, the first value that is not NULL (FULL JOIN).
    """

    name: str
    sources: tuple[str, ...]


class Output(NamedTuple):
    """A column of a result.

    name: "" for a column without a known name. column: the column in scope, unless an expression.
    """

    name: str
    column: Column | None = None


@dataclass(slots=True)
class Resolution:
    """The meaning of the nodes of a tree, by `id`. Names in the tree itself are corrected in place.

    - tables: tables of the catalog; None for a WITH query.
    - bounded: time columns of datasets with packed rows, and their dataset.
    - positions: of sort and group terms that name a column of the result, counted from 1.
    - outputs: columns of each item of FROM.
    - barriers: subqueries and WITH queries that PostgreSQL must not inline.
    - guards: texts, and the maximum number of their characters.
    """

    tables: dict[int, CatalogTable | None] = field(default_factory=dict)
    columns: dict[int, Column] = field(default_factory=dict)
    bounded: dict[int, CatalogTable] = field(default_factory=dict)
    stars: dict[int, list[Column]] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    outputs: dict[int, list[str]] = field(default_factory=dict)
    barriers: set[int] = field(default_factory=set)
    guards: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Scope:
    """The names that expressions of one SELECT may use.

    - items: columns of each item of FROM, in the order of `*`.
    - owners: aliases of each item.
    - sources: columns by alias.
    - queries: WITH queries, and their columns.
    - cold: datasets with packed rows, by alias.
    - hidden: columns by alias that `*` leaves out, and that other columns of the same name take precedence over.
    """

    parent: _Scope | None
    queries: dict[str, list[str]]
    items: list[list[Column]] = field(default_factory=list)
    owners: list[list[str]] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)
    cold: dict[str, CatalogTable] = field(default_factory=dict)
    windows: set[str] = field(default_factory=set)
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> list[Column]:
        return [column for item in self.items for column in item]


def resolve(tree: exp.Expr, catalog: Catalog) -> Resolution:
    """Resolves the names of a checked tree. Raises BadRequestError for an unknown or ambiguous name."""
    resolver = _Resolver(catalog)
    resolver.query(tree, None, {})
    return resolver.found


class _Resolver:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.found = Resolution()

    def query(self, node: exp.Expr, parent: _Scope | None, queries: dict[str, list[str]]) -> list[Output]:
        """Resolves a query, and returns its columns. queries: names of surrounding WITH queries, and their columns."""
        if isinstance(node, exp.Subquery):
            if node.args.get("alias"):
                raise refuse("a name behind parentheses is not allowed here")
            return self.query(node.this, parent, queries)
        with_ = node.args.get("with_")
        if with_:
            queries = self._with(with_, parent, queries)
        if isinstance(node, tuple(SET_OPERATIONS)):
            outputs = self.query(node.this, parent, queries)
            other = self.query(node.expression, parent, queries)
            if len(outputs) != len(other):
                raise refuse(f"{type(node).__name__.upper()} of {len(outputs)} columns and {len(other)} columns")
            self._sort_set(node, outputs)
            return [Output(output.name) for output in outputs]
        return self._select(node, _Scope(parent, queries))

    def _with(self, with_: exp.Expr, parent: _Scope | None, outer: dict[str, list[str]]) -> dict[str, list[str]]:
        queries, own = dict(outer), set()
        for one in with_.expressions:
            identifier = one.args["alias"].this
            # A WITH query cannot refer to itself.
            outputs = self.query(one.this, parent, queries)
            name = new_name(identifier)
            if any(name.lower() == table.name.lower() for table in self.catalog.tables):
                raise refuse(f"WITH {shown(name)} has the name of a table; name it differently")
            if name in own:
                raise refuse(f"WITH {shown(name)} is there twice")
            own.add(name)
            queries[name] = self._rename_columns(one.args["alias"], outputs)
        return queries

    def _rename_columns(self, alias: exp.Expr, outputs: list[Output]) -> list[str]:
        """Returns the names of a query's columns. The alias may rename the first columns."""
        renamed = [new_name(identifier) for identifier in alias.args.get("columns") or []]
        names = [output.name for output in outputs]
        if len(renamed) > len(names):
            raise refuse(f"{shown(alias.name)} has {many(len(names), 'column')}, not {len(renamed)}")
        return renamed + names[len(renamed) :]

    def _select(self, node: exp.Expr, scope: _Scope) -> list[Output]:
        args = node.args
        if args.get("from_"):
            self._source(args["from_"].this, scope, new_item=True)
        elif args.get("joins"):
            raise refuse("there is a JOIN without FROM")
        for join in args.get("joins") or []:
            self._join(join, scope)
        for window in args.get("windows") or []:
            name = new_name(window.this)
            self._expressions([window], scope)
            scope.windows.add(name)
        if args.get("where"):
            self._expression(args["where"], scope)
        outputs: list[Output] = []
        for projection in node.expressions:
            outputs += self._projection(projection, scope)
        if args.get("group"):
            for term in args["group"].expressions:
                self._group_term(term, scope, outputs)
        if args.get("having"):
            self._expression(args["having"], scope)
        if args.get("distinct") and args["distinct"].args.get("on"):
            for term in args["distinct"].args["on"].expressions:
                self._sort_term(term, scope, outputs)
        if args.get("order"):
            for ordered in args["order"].expressions:
                self._sort_term(ordered.this, scope, outputs)
        return outputs

    def _source(self, node: exp.Expr, scope: _Scope, *, new_item: bool) -> list[Column]:
        """Adds an item of FROM to the scope, and returns its columns.

        new_item: starts an item instead of extending the last.
        """
        alias = node.args.get("alias")
        if isinstance(node, exp.Table):
            name, columns = self._table(node, scope)
            if alias:
                if alias.args.get("columns"):
                    # Such names would count the relation's own columns, which are more than the catalog's.
                    raise refuse(f"names for the columns of {shown(name)} are not allowed")
                name = new_name(alias.this)
        else:
            if not alias or not alias.this:
                raise refuse("a subquery in FROM needs a name: (…) AS name")
            if isinstance(node, exp.Values):
                for row in node.expressions:
                    self._expressions(row.expressions, _Scope(scope.parent, scope.queries))
                outputs = [Output(f"column{number}") for number, _ in enumerate(node.expressions[0].expressions, 1)]
            else:
                outputs = self.query(node.this, scope.parent, scope.queries)
            name = new_name(alias.this)
            columns = self._rename_columns(alias, outputs)
        if name in scope.sources:
            raise refuse(f"table name {shown(name)} is there twice; give one another name")
        scope.sources[name] = self.found.outputs[id(node)] = columns
        table = self.found.tables.get(id(node))
        if table is not None and table.cold:
            scope.cold[name] = table
        if table is not None and table.row_times:
            scope.hidden[name] = table.row_times
        found = [Column(column, (name,)) for column in columns]
        if new_item:
            scope.items.append(found)
            scope.owners.append([name])
        else:
            scope.owners[-1].append(name)
        return found

    def _table(self, node: exp.Expr, scope: _Scope) -> tuple[str, list[str]]:
        """Returns the name and columns of a table, or of a WITH query."""
        identifier = node.this
        query = find_name(identifier, list(scope.queries), "table")
        if query is not None:
            identifier.set("this", query)
            self.found.tables[id(node)] = None
            return query, scope.queries[query]
        name = find_name(identifier, [table.name for table in self.catalog.tables], "table")
        table = self.catalog.table(name) if name is not None else None
        if table is None:
            raise refuse(f"no table named {identifier.name[:100]}")
        if not table.columns:
            raise refuse(f"table {shown(table.name)} has no columns")
        identifier.set("this", table.name)
        self.found.tables[id(node)] = table
        if table.name not in self.found.used:
            self.found.used.append(table.name)
        return table.name, [column.name for column in table.columns]

    def _join(self, node: exp.Expr, scope: _Scope) -> None:
        comma = not node.text("side") and not node.text("kind")
        right = self._source(node.this, scope, new_item=comma)
        if comma:
            return
        left = scope.items[-1]
        merged = {}
        for identifier in node.args.get("using") or []:
            one, other = self._find_column(identifier, left), self._find_column(identifier, right)
            if one.name != other.name:
                raise refuse(f"column {shown(identifier.name)} of USING has two spellings")
            identifier.set("this", one.name)
            both = {"FULL": one.sources + other.sources, "RIGHT": other.sources}
            merged[one.name] = Column(one.name, both.get(node.text("side"), one.sources))
        scope.items[-1] = [*merged.values(), *(column for column in left + right if column.name not in merged)]
        if node.args.get("on"):
            # ON sees only the tables of its own item.
            sources = {name: scope.sources[name] for name in scope.owners[-1]}
            hidden = {name: scope.hidden.get(name, ()) for name in sources}
            inner = _Scope(scope.parent, scope.queries, scope.items[-1:], [], sources, scope.cold, hidden=hidden)
            self._expression(node.args["on"], inner)

    def _find_column(self, identifier: exp.Expr, columns: list[Column]) -> Column:
        name = find_name(identifier, [column.name for column in columns if column.name], "column")
        found = [column for column in columns if column.name == name]
        if len(found) != 1:
            raise refuse(f"USING: {'no' if not found else 'more than one'} column {shown(identifier.name)} on a side")
        return found[0]

    def _projection(self, node: exp.Expr, scope: _Scope) -> list[Output]:
        """Returns the columns of an item of the SELECT list."""
        star = node.this if isinstance(node, exp.Column) else node
        if isinstance(star, exp.Star):
            if star is node:
                columns = scope.columns
            else:
                owner = self._find_owner(node.args["table"], scope)
                columns = [Column(name, (owner,)) for name in scope.sources[owner]]
            self._check_star(columns, scope)
            self.found.stars[id(node)] = columns
            return [Output(column.name, column) for column in columns]
        if isinstance(node, exp.Alias):
            self._expression(node.this, scope)
            return [Output(new_name(node.args["alias"]), self.found.columns.get(id(plain(node.this))))]
        self._expression(node, scope)
        name = output_name(node)[0]
        if name:
            self.found.names[id(node)] = name
        return [Output(name, self.found.columns.get(id(plain(node))))]

    def _check_star(self, columns: list[Column], scope: _Scope) -> None:
        if not columns:
            raise refuse("there is nothing that * could stand for")
        for column in columns:
            if not column.name or any(scope.sources[owner].count(column.name) > 1 for owner in column.sources):
                raise refuse(f"* stands for columns with no name or the same name ({shown(column.name)}); name them")

    def _find_owner(self, identifier: exp.Expr, scope: _Scope) -> str:
        """Returns the alias of `name.` in this scope, not an outer scope, and sets the alias in the tree."""
        owner = find_name(identifier, list(scope.sources), "table")
        if owner is None:
            raise refuse(f"no table named {identifier.name[:100]} in FROM")
        identifier.set("this", owner)
        return owner

    def _group_term(self, node: exp.Expr, scope: _Scope, outputs: list[Output]) -> None:
        """Resolves a term as PostgreSQL does: a bare name is a column of FROM, else a column of the result."""
        bare = plain(node)
        is_column = not is_bare(bare) or bool(self._matches(bare.this, scope.columns))
        if is_column or not self._position(node, outputs):
            self._expression(node, scope)

    def _sort_term(self, node: exp.Expr, scope: _Scope, outputs: list[Output]) -> None:
        """Resolves a term as PostgreSQL does: a bare name is a column of the result, else a column of FROM."""
        if not (is_bare(plain(node)) and self._position(node, outputs)):
            self._expression(node, scope)

    def _sort_set(self, node: exp.Expr, outputs: list[Output]) -> None:
        for ordered in node.args["order"].expressions if node.args.get("order") else []:
            bare = plain(ordered.this)
            if isinstance(bare, exp.Literal) and not bare.is_string:
                continue
            if not (is_bare(bare) and self._position(ordered.this, outputs)):
                raise refuse(f"ORDER BY behind {type(node).__name__.upper()} takes names of the result's columns")

    def _position(self, node: exp.Expr, outputs: list[Output]) -> bool:
        """Returns whether a term names a column of the result, and records its position."""
        identifier = plain(node).this
        name = find_name(identifier, [output.name for output in outputs if output.name], "column")
        found = [(number, output) for number, output in enumerate(outputs, 1) if name and output.name == name]
        if not found:
            return False
        if len(found) > 1 and (found[0][1].column is None or len({output.column for _, output in found}) > 1):
            raise refuse(f"more than one column of the result is named {shown(identifier.name)}")
        identifier.set("this", name)
        self.found.positions[id(node)] = found[0][0]
        return True

    def _expressions(self, nodes: Sequence[exp.Expr], scope: _Scope) -> None:
        for node in nodes:
            self._expression(node, scope)

    def _expression(self, node: exp.Expr, scope: _Scope) -> None:
        """Resolves the columns of an expression, and its subqueries."""
        if isinstance(node, (exp.Select, exp.Subquery, *SET_OPERATIONS)):
            self.query(node, scope, scope.queries)
            return
        if isinstance(node, exp.Column):
            self.found.columns[id(node)] = self._column(node, scope)
            return
        if isinstance(node, exp.Window) and node.args.get("alias"):
            identifier = node.args["alias"]
            if new_name(identifier) not in scope.windows:
                raise refuse(f"no window named {shown(identifier.name)}")
        for child in node.iter_expressions():
            self._expression(child, scope)

    def _matches(self, identifier: exp.Expr, columns: list[Column]) -> list[Column]:
        exact = [column for column in columns if column.name == identifier.name]
        return exact or [column for column in columns if column.name and may_mean(identifier, column.name)]

    def _hidden(self, identifier: exp.Expr, scope: _Scope, owners: Iterable[str]) -> list[Column]:
        """Returns hidden columns of a name, for a name that no visible column has."""
        hidden = [Column(name, (owner,)) for owner in owners for name in scope.hidden.get(owner, ())]
        return self._matches(identifier, hidden)

    def _column(self, node: exp.Expr, scope: _Scope) -> Column:
        """Resolves a column, and corrects its names in the tree."""
        identifier, table, around = node.this, node.args.get("table"), scope
        passed: set[str] = set()
        while True:
            if table is None:
                found = self._matches(identifier, around.columns) or self._hidden(identifier, around, around.hidden)
            else:
                owner = find_name(table, list(around.sources), "table")
                columns = [] if owner is None else [Column(name, (owner,)) for name in around.sources[owner]]
                found = self._matches(identifier, columns)
                if owner is not None and not found:
                    found = self._hidden(identifier, around, [owner])
                if owner is not None:
                    table.set("this", owner)
                    if not found:
                        raise refuse(
                            f"no column {shown(identifier.name)} in {shown(owner)}; it has {_list_names(columns)}"
                        )
            if len(found) > 1:
                named = sorted({f"{column.sources[0]}.{column.name}" for column in found})
                advice = "put its table before it" if len(named) > 1 else "which is there twice"
                raise refuse(f"column {shown(identifier.name)} may be {' or '.join(named)}; {advice}")
            if found:
                if passed.intersection(found[0].sources):
                    # Written with its table, the column would be taken for a column of the inner table.
                    raise refuse(f"column {shown(identifier.name)} is of a table whose name is given twice; rename one")
                identifier.set("this", found[0].name)
                if found[0].name == "ts" and len(found[0].sources) == 1 and found[0].sources[0] in around.cold:
                    self.found.bounded[id(node)] = around.cold[found[0].sources[0]]
                return found[0]
            if around.parent is None:
                break
            passed.update(around.sources)
            around = around.parent
        if table is not None:
            raise refuse(f"no table named {table.name[:100]} in FROM")
        if any(may_mean(identifier, name) or identifier.name == name for name in scope.sources):
            raise refuse(f"a whole row, {shown(identifier.name)}, is not allowed; name its columns")
        raise refuse(f"no column named {identifier.name[:100]}; there are {_list_names(scope.columns) or 'none'}")


def _list_names(columns: list[Column]) -> str:
    names = list(dict.fromkeys(column.name for column in columns if column.name))
    return ", ".join(names[:50]) + (", …" if len(names) > 50 else "")
