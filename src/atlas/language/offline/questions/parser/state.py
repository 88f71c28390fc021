"""The state of the parser. The items of a question are read from left to right into clauses, for one main table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from atlas.catalog.model import CatalogColumn
from atlas.errors import BadRequestError
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser import filters as filtering
from atlas.language.offline.questions.parser import ordering, superlatives
from atlas.language.offline.questions.parser import select as clauses
from atlas.language.offline.questions.row_times import OTHER_TIMES
from atlas.language.offline.questions.schema_linking import NUMERIC, TEMPORAL, Index, LinkedColumn, Mention, is_key
from atlas.language.offline.questions.state_verbs import tells_state
from atlas.language.offline.questions.tagger import Item
from atlas.language.offline.questions.tokenizer import Token, stem
from atlas.language.question import Term
from atlas.sqlgate.condition import parse_condition

# Stems of time columns by rank: columns for the creation of a row, columns for a start, and others.
_TIMES = (
    ("creat", "crtd", "added", "regist", "sign", "join", "insert"),
    ("date", "time", "ts", "day", "start", "month"),
    (),
    OTHER_TIMES,
)
# Verbs for the creation of a row. A period behind such a verb is a period of the row's own time.
_MADE = frozenset(
    "added created joined registered signed imported received placed opened inserted logged recorded".split()
)
# Words of numeric columns that are positions or labels rather than amounts.
_STANDING = frozenset(stem(word) for word in "year yr lat latitude lon lng longitude zip postcode phone rank".split())
SKIPPED = ("filler", "link")


@dataclass
class Filter:
    """A condition and the place of its item."""

    cond: q.Cond
    place: int


@dataclass
class Reading:
    """The clauses that were read so far.

    table: the main table.
    unknown: words without a meaning.
    head: the expression that the question asks for.
    """

    index: Index
    table: str
    items: Sequence[Item]
    tokens: Sequence[Token] = ()
    measures: list[q.Agg | q.Expr] = field(default_factory=list)
    selects: list[q.Col] = field(default_factory=list)
    groups: list[q.Expr] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    having: list[tuple[str, float | int]] = field(default_factory=list)
    orders: list[q.Order] = field(default_factory=list)
    best: q.Best | None = None
    limit: int | None = None
    direction: bool | None = None
    unknown: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    foreign: list[tuple[str, int, bool]] = field(default_factory=list)
    entity: int | None = None
    head: q.Expr | None = None
    agg: str | None = None
    aggs: list[str] = field(default_factory=list)
    absorbed: set[int] = field(default_factory=set)
    counting: bool = False
    negated: bool = False
    distinct: bool = False
    share: str | None = None
    out_of: int | None = None
    growth: bool = False
    versus: bool = False
    ordered: bool = False
    every_column: bool = False
    loose: int = 0
    counted: str | None = None

    def run(self) -> Reading:
        """Reads all items, and returns the reading itself."""
        at = 0
        while at < len(self.items):
            at = max(self._step(at), at + 1)
        if self.negated:
            self.unknown.append("not")
        return self

    def _step(self, at: int) -> int:
        item = self.items[at]
        match item.kind:
            case "filler" | "link" | "stop" | "comma" | "and" | "or" | "wh" | "to" | "than" | "how" | "outof":
                if item.kind == "outof":
                    self.out_of = at
                return at + 1
            case "count":
                self.counting = True
                return at + 1
            case "agg":
                if self.agg is not None and self.agg != item.value and self.kind(at - 1) in ("and", "comma"):
                    # `the average, least and greatest age` asks for three aggregates of one column.
                    self.aggs.append(self.agg)
                self.agg = str(item.value)
                return at + 1
            case "distinct":
                self.distinct = True
                return at + 1
            case "neg" | "negation":
                self.negated = True
                return at + 1
            case "share":
                self.share = (
                    "percent" if "percent" in item.text or "share" in item.text or "%" in item.text else "fraction"
                )
                return at + 1
            case "growth":
                self.growth = True
                return at + 1
            case "vs":
                self.versus = True
                return at + 1
        return self._clause(at, item)

    def _clause(self, at: int, item: Item) -> int:
        match item.kind:
            case "col":
                return clauses.column(self, at)
            case "table":
                return clauses.table(self, at)
            case "per" | "by" | "unit":
                return clauses.group(self, at)
            case "superlative" | "most" | "top":
                if self.best is not None and self.best.by is not None:
                    # A second superlative, as in `the largest city of the smallest state`, is a nested question, which
                    # the grammar does not have.
                    self.unknown.append(item.text)
                    return at + 1
                return superlatives.superlative(self, at)
            case "order" | "asc" | "desc":
                return ordering.order(self, at)
            case "where" | "when" | "positive" | "much" | "size":
                return ordering.question_word(self, at)
            case "value":
                return filtering.value(self, at)
            case "quote":
                return filtering.quote(self, at)
            case "period":
                return filtering.during(self, at)
            case "cmp" | "comparative":
                return filtering.compare(self, at)
            case "between":
                return filtering.between(self, at)
            case "other":
                asked = self.head is not None or self.entity is not None
                if (self.kind(at - 1) == "col" and self.best is None) or (
                    asked and self.kind(self.next(at + 1)) == "value"
                ):
                    # In `course students` and `the state of Texas` the noun beside has the meaning.
                    return at + 1
            case "whether":
                return filtering.whether(self, at)
            case "term":
                assert isinstance(item.value, Term)
                if not self.states(item.value):
                    self.unknown.append(item.text)
                    return at + 1
                if self.entity is None and stem(item.text.split()[-1].lower()) in self.index.table_words[self.table]:
                    self.entity = at
                    self.head = self.head or self.display()
                return self.add(
                    q.Given(item.value.table or self.table, item.value.meaning, item.text, self.take_negation()), at
                )
            case "empty":
                return filtering.empty(self, at)
        if item.kind != "unknown" or not self._links(at):
            self.unknown.append(item.text)
        return at + 1

    def _links(self, at: int) -> bool:
        """Checks whether an unknown participle only links words:

        `students enrolled in courses`, `have declared a minor`.
        """
        word = self.items[at].text.lower()
        if not word.endswith(("ed", "en", "ing")) or len(word) < 5 or tells_state(word):
            return False
        ahead = self.next(at + 1)
        if word in _MADE and self.kind(ahead) in ("period", "unit") and self.time_column() is not None:
            return True
        apart = ahead > at + 1 or self.before(at) in ("have", "has", "had")
        if apart and self.kind(ahead) in ("value", "col", "table", "per", "by", "quote"):
            self.loose += 1
            return True
        return False

    # Methods that the parsers share.

    def add(self, cond: q.Cond, at: int, end: int | None = None) -> int:
        """Adds a condition. Returns the place to read on at."""
        self.filters.append(Filter(cond, at))
        return at + 1 if end is None else end

    def states(self, term: Term) -> bool:
        """Checks whether a term's meaning is a condition on its table, and not an explanation in words."""
        table = self.index.catalog.table(term.table or self.table)
        try:
            parse_condition(term.meaning, [] if table is None else [column.name for column in table.columns])
        except BadRequestError:
            return False
        return True

    def take_negation(self) -> bool:
        taken, self.negated = self.negated, False
        return taken

    def take_agg(self) -> str | None:
        taken, self.agg = self.agg, None
        return taken

    def next(self, at: int, *, skip: Sequence[str] = SKIPPED) -> int:
        """Returns the place of the next item from `at` that is not skipped, or the number of items."""
        while at < len(self.items) and self.items[at].kind in skip:
            at += 1
        return at

    def item(self, at: int) -> Item | None:
        return self.items[at] if 0 <= at < len(self.items) else None

    def kind(self, at: int) -> str:
        return self.items[at].kind if 0 <= at < len(self.items) else ""

    def text(self, at: int) -> str:
        """Returns an item's text as the question has it."""
        item = self.items[at]
        return " ".join(token.text for token in self.tokens[item.start : item.end]) or item.text

    def place(self, col: q.Col) -> int:
        """Returns the place of the first item that names a column, or 0."""
        return next(
            (
                n
                for n, item in enumerate(self.items)
                if any((m.table, m.column) == (col.table, col.name) for m in item.mentions)
            ),
            0,
        )

    def before(self, at: int) -> str:
        """Returns the text of the item before, or an empty text if the item is a schema word."""
        item = self.item(at - 1)
        return item.text if item is not None and item.kind in ("filler", "link", "neg", "and", "comma", "or") else ""

    def definition(self, col: q.Col) -> CatalogColumn:
        return self.index.column(col.table, col.name).column

    def numeric(self, col: q.Col) -> bool:
        """Checks whether sums and comparisons of the column have a meaning."""
        return self.definition(col).type in NUMERIC and not is_key(self.index.column(col.table, col.name))

    def summable(self, col: q.Col) -> bool:
        """Checks whether a sum of the column has a meaning. Years, coordinates and identifiers have no sum."""
        return self.numeric(col) and not _STANDING & set(self.index.column(col.table, col.name).every)

    def temporal(self, col: q.Col) -> bool:
        return self.definition(col).type in TEMPORAL

    def flag(self, col: q.Col) -> bool:
        """Checks whether the column is a yes-or-no column: a boolean, or an integer with a name in is_… or has_…."""
        column = self.definition(col)
        return column.type == "boolean" or (column.type == "bigint" and column.name.lower().startswith(("is_", "has_")))

    def best_column(self, at: int) -> q.Col | None:
        """Returns the column that an item most likely names, or None."""
        item = self.item(at)
        if item is None:
            return None
        found = next((m for m in item.mentions if m.kind == "column"), None)
        return None if found is None else q.Col(found.table, found.column)

    def columns(self, item: Item) -> list[Mention]:
        return [mention for mention in item.mentions if mention.kind == "column"]

    def display(self) -> q.Col | None:
        name = self.index.display(self.table)
        return None if name is None else q.Col(self.table, name)

    def time_column(self) -> q.Col | None:
        """Returns the column for the time of a row when the question names none: preferably the time of creation."""
        linked = [c for c in self.index.columns[self.table] if c.column.type in TEMPORAL]
        if not linked:
            return None
        own = set(self.index.table_words[self.table])

        def rank(column: LinkedColumn) -> int:
            words = set(column.every)
            if words & own and words & {"date", "time", "dt", "ts", "at", "on"}:
                return 0
            if any(word.startswith(part) for word in words for part in _TIMES[3]):
                return 5
            for place, stems in enumerate(_TIMES[:2], 1):
                if any(word.startswith(part) for word in words for part in stems):
                    return place
            return 3

        return q.Col(self.table, min(linked, key=rank).column.name)

    def bucket(self, unit: str) -> q.Expr | None:
        """Returns periods to group by: of the main table's time, or a column with the unit's name."""
        own = next((c for c in self.index.columns[self.table] if unit in c.every), None)
        if own is not None and own.column.type not in TEMPORAL:
            return q.Col(self.table, own.column.name)
        column = next(
            (f.cond.column for f in self.filters if hasattr(f.cond, "column") and hasattr(f.cond, "start")), None
        )
        column = column or self.time_column()
        return None if column is None or unit in ("decade", "weekday") else q.Bucket(unit, column)
