"""What is asked for, grouped by and sorted by: columns, entities, superlatives, orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.language.offline.questions import filtering
from atlas.language.offline.questions.lexicon import ADJECTIVES
from atlas.language.offline.questions.linking import hinted
from atlas.language.offline.questions.query import Agg, Bucket, Col, Compare, Empty, Expr, Order

if TYPE_CHECKING:
    from atlas.language.offline.questions.reading import Reading
    from atlas.language.offline.questions.tagging import Item

_HAVING = ("with", "have", "has", "having", "had", "that have", "declared")


def column(reading: Reading, at: int) -> int:
    """A column: of a condition where one follows, else of what is asked for."""
    from atlas.language.offline.questions.reading import Best

    item = reading.items[at]
    named = reading.columns(item)
    col = Col(named[0].table, named[0].column)
    done = _condition(reading, at, col)
    if done is not None:
        return done
    function = reading.take_agg()
    if function is not None:
        return _measured(reading, at, col, function)
    if reading.flag(col):
        if not (_asked_for(reading, at) or reading.share) or reading.negated or reading.before(at) in _HAVING or reading.kind(
            reading.next(at + 1)) == "table":  # fmt: skip
            return reading.add(filtering.flagged(reading, col, reading.take_negation()), at)
    if reading.negated and (col.name == reading.index.display(reading.table) or col.table != reading.table):
        reading.unknown.append(f"not {item.text}")
        reading.negated = False
        return at + 1
    if reading.negated:
        return reading.add(Empty(col, not reading.take_negation()), at)
    if reading.counting and not reading.measures and not reading.distinct and reading.entity is None:
        return _counted(reading, at, col)
    if reading.counting and reading.distinct and not reading.measures:
        reading.measures.append(Agg("count", col, distinct=True))
        reading.distinct = False
        return at + 1
    if isinstance(reading.best, Best) and reading.best.by is None and reading.best.place == at - 1:
        reading.best.by = col
        return at + 1
    if _has(reading, at) and reading.head is not None:
        if not reading.numeric(col):
            return reading.add(Empty(col, True), at)
        if reading.definition(col).type == "bigint" and (reading.share or reading.counting or reading.measures):
            return reading.add(Compare(col, ">", 0), at)
    if reading.head is None:
        reading.head = col
    if col not in reading.selects:
        reading.selects.append(col)
    elif any(reading.items[n].text in ("that", "which", "whose", "where") for n in range(max(reading.place(col), 0), at)):
        # `states that border states that border …` is a question within the question.
        reading.unknown.append(item.text)
    return at + 1


def _has(reading: Reading, at: int) -> bool:
    """Whether the column stands as something that rows have: `with an email`, `have declared a minor`."""
    place = at - 1
    while reading.kind(place) in ("filler", "link", "unknown") and reading.items[place].text not in _HAVING:
        if reading.items[place].text not in ("a", "an", "any", "the", "declared") and reading.kind(place) != "unknown":
            return False
        place -= 1
    superlative = reading.items[at].text.split()[0].lower().endswith("est")
    return place >= 0 and reading.items[place].text in _HAVING and not superlative


def _asked_for(reading: Reading, at: int) -> bool:
    """Whether a yes-or-no column is itself asked for, as in `show name and active`."""
    return bool(reading.selects) and reading.kind(at - 1) in ("and", "comma")


def _condition(reading: Reading, at: int, col: Col) -> int | None:
    """Where to read on after a condition on the column that starts here; None where none does."""
    ahead = reading.next(at + 1)
    item = reading.item(ahead)
    kind = reading.kind(ahead)
    if kind in ("neg", "negation"):
        beyond = reading.kind(reading.next(ahead + 1))
        if beyond in ("cmp", "value", "quote", "between", "contains", "empty"):
            reading.negated = True
            ahead = reading.next(ahead + 1)
            item, kind = reading.item(ahead), beyond
    if item is None:
        return None
    if kind == "cmp" or (kind == "comparative" and reading.kind(ahead + 1) == "than"):
        if not (reading.numeric(col) or reading.temporal(col) or item.value in ("=", "<>")):
            return None
        return filtering.compare(reading, ahead, col)
    if kind == "between" and (reading.numeric(col) or reading.temporal(col)):
        end = filtering.between(reading, ahead, col)
        return end if end > ahead + 1 else None
    if kind == "contains":
        return filtering.contains(reading, ahead, col)
    if kind == "value" and _owned(reading, at, ahead, item, col):
        return None
    if kind == "value" and any(
        (m.table, m.column) == (col.table, col.name) for m in item.mentions if m.kind == "value"
    ):
        return filtering.value(reading, ahead, col)
    if kind == "quote" and reading.definition(col).type == "text":
        return filtering.quote(reading, ahead, col)
    if kind == "empty":
        return filtering.empty(reading, ahead, col)
    if kind == "period" and (reading.temporal(col) or "year" in reading.index.column(col.table, col.name).every):
        return filtering.during(reading, ahead, col)
    if kind == "num" and reading.definition(col).type in ("bigint", "double") and isinstance(item.value, int | float):
        filler = [reading.items[n].text for n in range(at + 1, ahead)]
        if all(text in ("", "of", "is", "are", "was", "were", "number", "no", "equal") for text in filler):
            return reading.add(Compare(col, "<>" if reading.take_negation() else "=", item.value), at, ahead + 1)
    return None


def _owned(reading: Reading, at: int, ahead: int, item: Item, col: Col) -> bool:
    """Whether `capital of Washington` asks for the capital of what is called Washington."""
    between = [reading.items[n].text for n in range(at + 1, ahead)]
    display = reading.index.display(reading.table)
    own = any(m.kind == "value" and (m.table, m.column) == (reading.table, display) for m in item.mentions)
    return own and "of" in between and col.name != display


def _measured(reading: Reading, at: int, col: Col, function: str) -> int:
    """An aggregate of a column, and of those that follow with `and`."""
    if function in ("min", "max") and reading.temporal(col):
        reading.measures.append(Agg(function, col))
    elif reading.numeric(col) or reading.definition(col).type in ("bigint", "double"):
        reading.measures.append(Agg(function, col))
    elif function == "sum":
        # `total customers` counts them.
        reading.measures.append(Agg("count", col, distinct=True))
    else:
        reading.unknown.append(f"{function} {reading.items[at].text}")
    ahead = reading.next(at + 1, skip=("filler",))
    if reading.kind(ahead) in ("and", "comma"):
        beyond = reading.next(ahead + 1, skip=("filler", "and"))
        other = reading.best_column(beyond)
        if (
            other is not None
            and reading.kind(beyond) == "col"
            and reading.numeric(other)
            and function not in ("min", "max")
        ):
            reading.agg = function
            return beyond
    return at + 1


def _counted(reading: Reading, at: int, col: Col) -> int:
    """`how many <column>`: a sum of numbers that count something, else the number of different values."""
    if reading.head is None:
        reading.head = col
    if reading.numeric(col):
        reading.measures.append(Agg("sum", col))
    else:
        own = col.name == reading.index.display(reading.table) or (col.name,) == _key(reading)
        reading.measures.append(Agg("count", None if own and col.table == reading.table else col, distinct=not own))
    return at + 1


def _key(reading: Reading) -> tuple[str, ...]:
    table = reading.index.catalog.table(reading.table)
    return () if table is None else table.key


def table(reading: Reading, at: int) -> int:
    """An entity: the rows of the main table, or of one that is joined."""
    item = reading.items[at]
    mention = next(m for m in item.mentions if m.kind == "table")
    if mention.table != reading.table:
        reading.foreign.append((mention.table, at, reading.take_negation()))
        return at + 1
    if reading.entity is None:
        reading.entity = at
    function = reading.take_agg()
    if function is not None:
        return _whole(reading, at, function)
    if reading.counting and not reading.measures:
        reading.measures.append(_rows(reading))
    elif reading.head is None:
        reading.head = reading.display()
    return at + 1


def _rows(reading: Reading) -> Agg:
    """The number of things that the rows stand for: a sum where rows carry a number of them."""
    for linked in reading.index.columns[reading.table]:
        if linked.column.name.lower() in ("count", "quantity", "qty", "num") and linked.column.type == "bigint":
            return Agg("sum", Col(reading.table, linked.column.name))
    return Agg("count")


def _whole(reading: Reading, at: int, function: str) -> int:
    """`total sales`: of the table's one amount, where it has one, else the number of rows."""
    amounts = [
        Col(reading.table, c.column.name)
        for c in reading.index.columns[reading.table]
        if reading.numeric(Col(reading.table, c.column.name)) and c.column.type == "double"
    ]
    if function == "sum":
        sums = len(amounts) == 1 and reading.index.table_words[reading.table][-1] in (
            "sale",
            "revenu",
            "payment",
            "expens",
            "order",
        )
        reading.measures.append(Agg("sum", amounts[0]) if sums else _rows(reading))
    elif len(amounts) == 1:
        reading.measures.append(Agg(function, amounts[0]))
    else:
        reading.unknown.append(f"{function} {reading.items[at].text}")
    return at + 1


def group(reading: Reading, at: int) -> int:
    """`per state`, `by month`, `for each city and year`, `monthly`."""
    item = reading.items[at]
    if item.kind == "unit":
        return _unit(reading, at, at, strong=item.text.endswith("ly") or item.text == "annual")
    end = at + 1
    taken = False
    while True:
        ahead = reading.next(
            end, skip=("filler", "distinct", "comma", "and", "link") if taken else ("filler", "distinct", "link", "per")
        )
        if taken and not any(reading.kind(n) in ("comma", "and") for n in range(end, ahead)):
            break
        expr = _group_expr(reading, ahead)
        if expr is None:
            break
        if item.kind == "by" and not taken and not _groups_here(reading, ahead, expr):
            break
        if taken and not isinstance(expr, Bucket) and reading.kind(reading.next(ahead + 1)) in ("cmp", "value"):
            break
        if expr not in reading.groups:
            reading.groups.append(expr)
        reading.counting = reading.counting and not reading.measures
        taken, end = True, ahead + 1
    if taken:
        return end
    if item.kind == "per":
        ahead = reading.next(at + 1)
        if reading.kind(ahead) in ("unknown", "table", "other", "unit", "col", "value"):
            reading.unknown.append(f"{item.text} {reading.items[ahead].text}")
        return at + 1
    if item.kind == "by" and reading.best is not None:
        return _ranked(reading, at)
    return at + 1


def _groups_here(reading: Reading, ahead: int, expr: Expr) -> bool:
    """Whether `by <column>` groups: not where it ranks (`top 5 … by revenue`), nor for the agent of a passive."""
    if reading.best is not None and isinstance(expr, Col) and reading.numeric(expr):
        return False
    by = ahead
    while by > 0 and reading.kind(by) != "by":
        by -= 1
    before = reading.item(by - 1)
    if reading.kind(ahead) == "table" and before is not None and before.kind in ("link", "unknown"):
        return False
    return not (isinstance(expr, Col) and reading.numeric(expr) and reading.definition(expr).type == "double")


def _ranked(reading: Reading, at: int) -> int:
    assert reading.best is not None
    ahead = reading.next(at + 1, skip=("filler", "link"))
    expr, end = _order_expr(reading, ahead)
    if expr is not None:
        reading.best.by = expr
        return end
    return at + 1


def _group_expr(reading: Reading, at: int) -> Expr | None:
    item = reading.item(at)
    if item is None:
        return None
    if item.kind == "unit":
        return reading.bucket(str(item.value))
    if item.kind == "col":
        return reading.best_column(at)
    if item.kind == "table":
        mention = next(m for m in item.mentions if m.kind == "table")
        if mention.table == reading.table:
            reading.every_column = True
            return reading.display()
        name = reading.index.display(mention.table)
        return None if name is None else Col(mention.table, name)
    return None


def _unit(reading: Reading, at: int, where: int, *, strong: bool) -> int:
    """`monthly revenue`: groups by month. A bare `month` is asked for (`which month had the most …`)."""
    expr = reading.bucket(str(reading.items[where].value))
    if expr is None:
        reading.unknown.append(reading.items[where].text)
    elif strong:
        reading.groups.append(expr)
    elif reading.head is None:
        reading.head = expr
    elif expr not in reading.groups:
        reading.unknown.append(reading.items[where].text)
    return where + 1


def superlative(reading: Reading, at: int) -> int:
    """`highest population`, `the longest river`, `most orders`, `top 5`, `3 cheapest`."""
    from atlas.language.offline.questions.reading import Best

    item = reading.items[at]
    number = reading.item(at - 1)
    if number is not None and number.kind == "num" and isinstance(number.value, int) and number.text in reading.unknown:
        reading.unknown.remove(number.text)
        reading.limit = number.value
    if item.kind == "top":
        ahead = reading.item(at + 1)
        reading.best = reading.best or Best(bool(item.value), None, at)
        reading.limit = 10 if reading.limit is None else reading.limit
        if ahead is not None and ahead.kind == "num" and isinstance(ahead.value, int):
            reading.limit = ahead.value
            return at + 2
        return at + 1
    descending = bool(item.value) if item.kind == "most" else ADJECTIVES[str(item.value)][0]
    follow = reading.item(at + 1)
    if item.kind == "superlative" and follow is not None and follow.kind == "num" and isinstance(follow.value, int):
        # `last 5 orders`, `first 10 customers`.
        reading.limit = follow.value
        at += 1
    return _superlative_of(reading, at, descending, item.kind == "most", str(item.value))


def _superlative_of(reading: Reading, at: int, descending: bool, most: bool, base: str) -> int:
    from atlas.language.offline.questions.reading import Best

    ahead = reading.next(at + 1, skip=("filler", "distinct"))
    function, end = None, ahead
    if reading.kind(ahead) == "agg":
        function = str(reading.items[ahead].value)
        end = reading.next(ahead + 1, skip=("filler",))
    col = reading.best_column(end) if reading.kind(end) == "col" else None
    if col is not None and (reading.numeric(col) or reading.temporal(col)):
        expr: Expr = Agg(function, col) if function else col
        alone = reading.head is None and reading.entity is None and reading.best is None and not most
        beyond = reading.kind(reading.next(end + 1, skip=("filler",)))
        if alone and not function and beyond != "table":
            reading.measures.append(Agg("max" if descending else "min", col))
        else:
            reading.best = Best(descending, expr, at)
        return end + 1
    if most:
        return _most(reading, at, ahead, col, descending)
    column = hinted(reading.index.columns[reading.table], base)
    if column is None:
        reading.unknown.append(reading.items[at].text)
        return at + 1
    if col is not None and col.name != reading.index.display(reading.table) and reading.limit is None:
        # The largest capital is not the capital of the largest state.
        reading.unknown.append(reading.items[at].text)
        return at + 1
    hinted_col = Col(reading.table, column.name)
    reading.best = Best(descending, hinted_col, at)
    return at + 1


def _most(reading: Reading, at: int, ahead: int, col: Col | None, descending: bool) -> int:
    """`the most orders`: by the number of rows; `most expensive`: by the adjective; `most common city`: by frequency."""
    from atlas.language.offline.questions.reading import Best

    item = reading.item(ahead)
    if item is not None and item.kind == "positive":
        return _superlative_of(reading, ahead, ADJECTIVES[str(item.value)][0] == descending, False, str(item.value))
    if item is not None and item.text.lower() in ("common", "frequent", "frequently", "commonly", "often"):
        reading.best = Best(descending, None, ahead)
        beyond = reading.next(ahead + 1, skip=("filler",))
        asked = reading.best_column(beyond)
        if asked is not None and reading.kind(beyond) == "col":
            reading.head = asked
            return beyond + 1
        return ahead + 1
    reading.best = Best(descending, None, at)
    if item is not None and item.kind == "table":
        mention = next(m for m in item.mentions if m.kind == "table")
        if mention.table == reading.table:
            reading.best.by = _rows(reading)
            reading.entity = reading.entity if reading.entity is not None else ahead
            return ahead + 1
    if col is not None:
        own = col.name == reading.index.display(reading.table) or (col.name,) == _key(reading)
        reading.best.by = Agg("count") if own else Agg("count", col, distinct=True)
        return ahead + 1
    return at + 1


def order(reading: Reading, at: int) -> int:
    """`ordered by name descending`, `sorted from highest to lowest`, `alphabetically`."""
    item = reading.items[at]
    reading.ordered = True
    end = at
    if item.kind == "order":
        expr, end = _order_expr(reading, reading.next(at + 1, skip=("filler", "distinct")))
        if expr is None:
            end = at + 1
    else:
        expr = None
    direction, end = _direction(reading, end)
    if direction is None and item.kind == "order":
        led = reading.item(reading.next(at + 1))
        direction = led is not None and led.kind == "superlative" and ADJECTIVES[str(led.value)][0]
        if reading.kind(end) == "to":
            end = reading.next(end + 1) + 1
    if expr is not None:
        reading.orders.append(Order(expr, bool(direction)))
        ahead = reading.next(end, skip=("filler", "comma", "and"))
        if reading.kind(ahead) == "order" or (reading.kind(ahead) == "col" and reading.kind(end) in ("comma", "and")):
            return end
    else:
        reading.direction = bool(direction)
    return end


def _order_expr(reading: Reading, at: int) -> tuple[Expr | None, int]:
    item = reading.item(at)
    if item is None:
        return None, at
    if item.kind == "count" or (item.kind == "most"):
        following = reading.next(at + 1, skip=("filler",))
        named = reading.best_column(following)
        if named is not None and reading.kind(following) == "col":
            return (named if reading.numeric(named) else Agg("count", named, distinct=True)), following + 1
        return Agg("count"), following + 1 if reading.kind(following) == "table" else at + 1
    if item.kind in ("superlative", "agg"):
        following = reading.next(at + 1, skip=("filler", "count"))
        if reading.kind(following) == "agg":
            item, following = reading.items[following], reading.next(following + 1, skip=("filler",))
        named = reading.best_column(following)
        if named is not None and reading.kind(following) == "col":
            expr: Expr = Agg(str(item.value), named) if item.kind == "agg" else named
            if item.kind == "superlative":
                return expr, following + 1
            return expr, following + 1
        return None, at
    if item.kind == "col":
        return reading.best_column(at), at + 1
    if item.kind == "unit":
        return reading.bucket(str(item.value)), at + 1
    if item.kind == "table":
        return reading.display(), at + 1
    return None, at


def _direction(reading: Reading, at: int) -> tuple[bool | None, int]:
    """Whether what follows asks for descending order, and where it ends."""
    place = at
    while place < len(reading.items) and reading.kind(place) in ("filler", "between", "link", "comma"):
        place += 1
    kind = reading.kind(place)
    if kind in ("asc", "desc"):
        following = reading.next(place + 1, skip=("filler",))
        return kind == "desc", following if reading.kind(following) == "asc" else place + 1
    if kind in ("superlative", "most", "comparative", "positive") and place > at - 1:
        item = reading.items[place]
        descending = bool(item.value) if kind == "most" else ADJECTIVES[str(item.value)][0]
        ahead = reading.next(place + 1, skip=("filler", "col", "agg", "count"))
        if reading.kind(ahead) == "to":
            last = reading.next(ahead + 1, skip=("filler",))
            return descending, last + 1 if reading.kind(last) in (
                "superlative",
                "most",
                "comparative",
                "positive",
            ) else ahead + 1
        return descending, place + 1 if reading.item(place + 1) is None or reading.items[
            place + 1
        ].text != "first" else place + 2
    return None, at


def asked(reading: Reading, at: int) -> int:
    """`where is Boston`, `how long is the Nile`, `when did Ann join`, `how much`."""
    item = reading.items[at]
    if item.kind == "size" or (item.kind == "positive" and reading.kind(at - 1) == "how"):
        column_ = hinted(reading.index.columns[reading.table], str(item.value))
        if column_ is not None:
            reading.selects.append(Col(reading.table, column_.name))
            reading.head = reading.head or reading.selects[-1]
            return at + 1
    if item.kind == "where":
        if reading.kind(reading.next(at + 1)) in ("value", "quote") and reading.head is None:
            for linked in reading.index.columns[reading.table]:
                if linked.place is not None or linked.every[-1] in ("citi", "state", "countri", "address", "locat"):
                    reading.selects.append(Col(reading.table, linked.column.name))
            reading.head = reading.selects[0] if reading.selects else None
        return at + 1
    if item.kind == "when":
        time = reading.time_column()
        if time is not None and reading.head is None:
            reading.selects.append(time)
            reading.head = time
        return at + 1
    if item.kind == "much":
        return at + 1
    reading.unknown.append(item.text)
    return at + 1
