"""SQL from users and models: one SELECT on tables of a catalog, checked node by node, and written anew.

The text is read into pieces first, so that nothing which two parsers could read in two ways gets to one: no comments,
no dollar quotes, no escapes, no characters outside of ASCII but in quotes. Of the tree, only listed nodes with listed
arguments pass. What runs is the tree, with PostgreSQL's names for the catalog's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from atlas.core.catalog import Catalog, CatalogTable
from atlas.core.sqlfunctions import ALLOWED_FUNCTIONS, FUNCTION_NODES
from atlas.errors import BadRequestError

MAX_CHARACTERS = 20_000
MAX_NODES = 3_000
MAX_DEPTH = 60
MAX_PATTERN = 500
_PIECE = re.compile(
    r"""(?P<space>[ \t\n\r]+)
      | (?P<string>'[^']*(?:''[^']*)*')
      | (?P<quoted>"[^"]*(?:""[^"]*)*")
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?![\w'"$])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)(?![\w'"$])
      | (?P<operator>(?:::|<>|!=|<=|>=|\|\||[-+*/%=<>])(?![<>!~|@#&^?`:]))
      | (?P<mark>[(),.])""",
    re.VERBOSE | re.ASCII,
)
_PLAIN = re.compile(r"[A-Za-z0-9 _:.,%/+-]*", re.ASCII)
_TYPES = frozenset(
    "TEXT VARCHAR CHAR INT BIGINT SMALLINT DECIMAL DOUBLE FLOAT BOOLEAN DATE TIME TIMESTAMP TIMESTAMPTZ "
    "INTERVAL".split()
)
_UNITS = frozenset(
    "YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND DOW DOY ISODOW ISOYEAR EPOCH DECADE CENTURY MILLISECONDS "
    "YEARS QUARTERS MONTHS WEEKS DAYS HOURS MINUTES SECONDS MILLISECOND MICROSECOND MICROSECONDS".split()
)
# What a structural node may have; of others every argument is an expression that is checked itself.
_QUERY = {"with_", "this", "expression", "distinct", "order", "limit", "offset"}
_ARGUMENTS: dict[type[exp.Expr], set[str]] = {
    exp.Select: {"with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
                 "distinct"},
    exp.Union: _QUERY, exp.Except: _QUERY, exp.Intersect: _QUERY,
    exp.Subquery: {"this", "alias"}, exp.Table: {"this", "alias"}, exp.TableAlias: {"this", "columns"},
    exp.CTE: {"this", "alias"}, exp.With: {"expressions"}, exp.From: {"this"},
    exp.Join: {"this", "side", "kind", "on", "using"}, exp.Column: {"this", "table"}, exp.Star: set(),
    exp.Identifier: {"this", "quoted"}, exp.Literal: {"this", "is_string"}, exp.Group: {"expressions"},
    exp.Ordered: {"this", "desc", "nulls_first"}, exp.Order: {"expressions", "this"}, exp.Limit: {"expression"},
    exp.Offset: {"expression"}, exp.Distinct: {"expressions", "on"},
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
    exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side"}, exp.Anonymous: {"this", "expressions"},
    exp.DataType: {"this", "expressions", "nested"}, exp.In: {"this", "expressions", "query"},
}  # fmt: skip
_PLAIN_NODES: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Alias, exp.Where, exp.Having, exp.Paren, exp.Not, exp.Neg, exp.Is, exp.Between, exp.Like, exp.ILike,
        exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul,
        exp.Div, exp.DPipe, exp.Boolean, exp.Null, exp.Interval, exp.AtTimeZone, exp.Filter, exp.WithinGroup, exp.Any,
        exp.All, exp.Var, exp.DataTypeParam, exp.Tuple,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that may be run.

    logical: with the catalog's names, to be shown; physical: with PostgreSQL's, to be run; tables: the catalog's
    tables that it reads; ordered: whether its rows have an order.
    """

    logical: str
    physical: str
    tables: tuple[str, ...]
    ordered: bool


def check_query(text: str, catalog: Catalog, *, max_rows: int | None = None) -> CheckedQuery:
    """The query that `text` states, checked. max_rows: `physical` gives at most one row more, to tell that it was cut.

    Raises BadRequestError("Query refused", reason).
    """
    try:
        tree = _parse(text)
        for node in tree.walk():
            _check(node)
        _resolve(tree, catalog)
        logical = tree.sql(dialect="postgres")
        physical, tables = _physical(tree, catalog)
        if max_rows is not None:
            own = tree.args.get("limit")
            limit = max_rows + 1 if own is None else min(int(own.expression.name), max_rows + 1)
            physical = physical.limit(limit, copy=False)
        return CheckedQuery(logical, physical.sql(dialect="postgres"), tables, tree.args.get("order") is not None)
    except RecursionError:
        raise refuse("it is nested too deep") from None


def refuse(reason: str) -> BadRequestError:
    return BadRequestError("Query refused", reason)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of the pieces. Refuses whatever starts none."""
    if len(text) > MAX_CHARACTERS:
        raise refuse(f"it is over {MAX_CHARACTERS:,} characters long")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs", "Cf") and character not in "\t\n\r":
            raise refuse(f"control character U+{ord(character):04X}")
    # One semicolon at the end is habit.
    text = text.strip().removesuffix(";")
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None or text.startswith("--", at) or text.startswith("/*", at):
            raise refuse(f"{text[at : at + 20].split(chr(10))[0]!r} is not allowed, at character {at + 1}")
        if match.lastgroup != "space":
            yield str(match.lastgroup), match[0]
        at = match.end()


def _parse(text: str) -> exp.Query:
    """The tree of the one query that a text states, its texts and quoted names put in after parsing."""
    pieces = list(_pieces(text))
    if len(pieces) > 2 * MAX_NODES:
        raise refuse(f"it has over {MAX_NODES:,} parts")
    if not pieces or pieces[0][1].upper() not in ("SELECT", "WITH", "("):
        raise refuse("only one SELECT is allowed")
    depth = run = 0
    words, behind = [], dict[str, str]()
    for kind, piece in pieces:
        depth += (piece == "(" or piece.upper() == "CASE") - (piece == ")" or piece.upper() == "END")
        run = run + 1 if piece.upper() in ("NOT", "-", "+") else 0
        if depth > MAX_DEPTH or run > MAX_DEPTH:
            raise refuse(f"it is nested over {MAX_DEPTH} deep")
        if kind == "quoted" or (kind == "string" and not _PLAIN.fullmatch(piece[1:-1])):
            mark = f"atlas_piece_{len(behind)}"
            quote = piece[0]
            behind[mark] = piece[1:-1].replace(quote * 2, quote)
            piece = f"{quote}{mark}{quote}"
        words.append(piece)
    joined = " ".join(words).replace(" . ", ".")
    try:
        found = sqlglot.parse(joined, dialect="postgres")
    except (SqlglotError, ValueError, TypeError, AttributeError, LookupError):
        raise refuse("it cannot be read as one SELECT") from None
    if len(found) != 1 or not isinstance(found[0], exp.Select | exp.SetOperation):
        raise refuse("only one SELECT is allowed")
    tree = found[0]
    if sum(1 for _ in tree.walk()) > MAX_NODES:
        raise refuse(f"it has over {MAX_NODES:,} parts")
    for node in tree.walk():
        if isinstance(node, exp.Identifier | exp.Literal) and node.name in behind:
            node.set("this", behind[node.name])
        elif isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            # As PostgreSQL folds it.
            node.set("this", node.name.lower())
    return tree


def _check(node: exp.Expr) -> None:
    """Refuses a node that is not listed, or has what it may not have."""
    kind = type(node)
    allowed = _ARGUMENTS.get(kind)
    if allowed is not None:
        extra = [name for name, value in node.args.items() if value and name not in allowed]
        if extra:
            raise refuse(f"{extra[0].strip('_').upper()} is not allowed in {kind.__name__.upper()}")
    elif kind not in _PLAIN_NODES and kind not in FUNCTION_NODES:
        raise refuse(f"{_called(node)} is not allowed")
    if isinstance(node, exp.Anonymous) and (
        not isinstance(node.this, str) or node.this.lower() not in ALLOWED_FUNCTIONS
    ):
        raise refuse(f"function {str(node.this)[:60]} is not allowed")
    if isinstance(node, exp.Column | exp.Alias | exp.Table | exp.CTE) and not _named(node):
        raise refuse(f"{node.sql(dialect='postgres')[:60]} is not allowed")
    if isinstance(node, exp.DataType) and node.this.name not in _TYPES:
        raise refuse(f"type {node.sql(dialect='postgres')[:60]} is not allowed")
    if isinstance(node, exp.Var) and node.name.upper() not in _UNITS:
        raise refuse(f"{node.name[:60]!r} is not allowed")
    if isinstance(node, exp.Limit | exp.Offset) and not (
        isinstance(node.expression, exp.Literal) and node.expression.name.isdigit()
    ):
        raise refuse("LIMIT and OFFSET take a whole number")
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Select | exp.Count | exp.Column):
        raise refuse("* is not allowed here")
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star) and not isinstance(node.parent, exp.Select):
        raise refuse("a whole row is not a value")
    if isinstance(node, exp.Like | exp.ILike) and len(node.expression.name) > MAX_PATTERN:
        raise refuse(f"a pattern is over {MAX_PATTERN} characters long")


def _named(node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return isinstance(node.this, exp.Identifier | exp.Star)
    if isinstance(node, exp.Table):
        return isinstance(node.this, exp.Identifier)
    if isinstance(node, exp.CTE):
        return isinstance(node.this, exp.Query)
    return True


def _called(node: exp.Expr) -> str:
    """What a refused node is, in a caller's words."""
    if isinstance(node, exp.Func):
        return f"function {node.sql_name().lower()}"
    text = node.sql(dialect="postgres")[:60]
    return f"{text!r} ({type(node).__name__})"


def _resolve(tree: exp.Query, catalog: Catalog) -> None:
    """Gives tables and columns the catalog's spelling where they differ in case, and refuses unknown tables."""
    common = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    folded: dict[str, list[str]] = {}
    for table in catalog.tables:
        folded.setdefault(table.name.lower(), []).append(table.name)
    for name in common:
        if name.lower() in folded:
            raise refuse(f"{name!r} is a table; call the WITH query something else")
    used = []
    for node in tree.find_all(exp.Table):
        if node.name in common:
            continue
        names = [node.name] if catalog.table(node.name) else folded.get(node.name.lower(), [])
        if len(names) != 1:
            raise refuse(f"no table {node.name[:60]!r}")
        if not node.alias:
            # Columns say `leads.state` in the words of the text.
            node.set("alias", exp.TableAlias(this=node.this.copy())) if names[0] != node.name else None
        node.this.set("this", names[0])
        node.this.set(
            "quoted",
            names[0] != names[0].lower()
            or not re.fullmatch(r"[a-z_][a-z0-9_]*", names[0])
            or node.this.args.get("quoted"),
        )
        used.append(names[0])
    columns: dict[str, set[str]] = {}
    for name in used:
        for column in (catalog.table(name) or CatalogTable(name, "", "", ())).columns:
            columns.setdefault(column.name.lower(), set()).add(column.name)
    for found in tree.find_all(exp.Column):
        spelled = columns.get(found.name.lower(), set())
        if (
            not isinstance(found.this, exp.Star)
            and not found.this.args.get("quoted")
            and found.name not in spelled
            and len(spelled) == 1
        ):
            found.this.set("this", next(iter(spelled)))
            found.this.set("quoted", True)


def _physical(tree: exp.Query, catalog: Catalog) -> tuple[exp.Query, tuple[str, ...]]:
    """(the query on PostgreSQL's tables, names of the catalog's tables that it reads)."""
    # Types as any; only the names matter here.
    wanted = {node.name for node in tree.find_all(exp.Table)}
    names: dict[str, object] = {
        t.name: {column.name: "text" for column in t.columns} for t in catalog.tables if t.name in wanted
    }
    schema = MappingSchema(names, dialect="postgres", normalize=False)
    try:
        qualified = qualify(
            tree.copy(), dialect="postgres", schema=schema, validate_qualify_columns=True, identify=True,
            quote_identifiers=True,
        )  # fmt: skip
    except (SqlglotError, ValueError, KeyError, AttributeError, TypeError) as error:
        found = re.search(r"(?:[Cc]olumn|[Tt]able):? '?\"?([^'\".]+(?:\"?\.\"?[^'\"]+)?)", str(error))
        raise refuse(f"no column {found[1].strip()[:60]!r}" if found else "its names cannot be resolved") from None
    assert isinstance(qualified, exp.Query)
    _columns_known(qualified)
    tables: list[str] = []
    nodes: list[exp.Table] = []
    for scope in traverse_scope(qualified):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and not any(source is node for node in nodes):
                nodes.append(source)
    for node in nodes:
        table = catalog.table(node.name)
        if table is None:
            raise refuse(f"no table {node.name[:60]!r}")
        if table.name not in tables:
            tables.append(table.name)
        node.replace(_source(table, node.alias_or_name))
    for node in qualified.find_all(exp.Table):
        # Whatever the scopes did not show is a WITH query, or does not pass.
        if not node.args.get("db") and node.name not in {cte.alias_or_name for cte in qualified.find_all(exp.CTE)}:
            raise refuse(f"no table {node.name[:60]!r}")
    return qualified, tuple(tables)


def _columns_known(qualified: exp.Query) -> None:
    """Refuses what the resolver lets through: whole rows, and a function called as if it were a column's field."""
    for node in qualified.walk():
        star = isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count)
        if star or isinstance(node, exp.Dot | exp.TableColumn):
            raise refuse(f"no column {node.name[:60]!r}")
    for scope in traverse_scope(qualified):
        for column in scope.columns:
            if (
                column.table
                and column.table not in scope.sources
                and not any(column.table in outer.sources for outer in _outer(scope))
            ):
                raise refuse(f"no table {column.table[:60]!r}")


def _outer(scope: Scope) -> Iterator[Scope]:
    while scope.parent is not None:
        scope = scope.parent
        yield scope


def _source(table: CatalogTable, alias: str) -> exp.Expr:
    real = exp.table_(table.relation, db=table.schema, quoted=True)
    if all(column.stored == column.name for column in table.columns) and table.kind == "table":
        return exp.alias_(real, alias, quoted=True, table=True)
    columns = [exp.alias_(exp.column(column.stored, quoted=True), column.name, quoted=True) for column in table.columns]
    return exp.select(*columns).from_(real).subquery(exp.to_identifier(alias, quoted=True))
