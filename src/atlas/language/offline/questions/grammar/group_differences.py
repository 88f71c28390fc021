"""Reads differences of a figure between two kinds of rows: `the difference in average rent between A and B`."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.heads import flag_condition, names_rows
from atlas.language.offline.questions.grammar.measures import read_measure
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Request
from atlas.language.offline.questions.grammar.reader import NotRead, Reader


def read_difference_of_groups(reader: Reader, at: int, request: Request) -> int:
    """Reads `difference in average rent between furnished and unfurnished apartments`, and returns the place behind.

    Raises NotRead: when no figure or no two kinds of rows are named.
    """
    read = read_measure(reader, reader.skip(at + 1), Phrase(reader.table))
    if read is None or not isinstance(read[0].expr, q.Agg) or reader.kind(read[1]) != "between" or read[0].where:
        raise NotRead("difference")
    measure, end = read
    first, end = _kind(reader, end + 1)
    if reader.kind(end) not in ("and", "vs"):
        raise NotRead("difference")
    second, end = _kind(reader, end + 1)
    if first == second or reader.table != measure.table:
        raise NotRead("difference")
    figure = measure.expr
    left, right = (msgspec.structs.replace(figure, where=cond) for cond in (first, second))
    request.measures.append(Measure(q.Op("-", left, right), reader.table))
    request.phrase.named = True
    return end


def _kind(reader: Reader, at: int) -> tuple[q.Cond, int]:
    """Reads a value, a mark or a negated mark, with the noun for the rows."""
    at = reader.skip(at)
    negated = reader.kind(at) in ("neg", "negation")
    at = reader.skip(at + 1) if negated else at
    own = reader.columns(at, reader.table) if reader.kind(at) == "col" else []
    values = {m.column: m.values for m in reader.items[at].mentions if m.kind == "value" and m.table == reader.table}
    if own and reader.flag(own[0]):
        cond = flag_condition(reader, own[0], negated)
    elif reader.kind(at) == "value" and len(values) == 1 and not negated:
        name, found = next(iter(values.items()))
        col = q.Col(reader.table, name)
        cond = q.Compare(col, "=", found[0]) if len(found) == 1 else q.OneOf(col, found)
    else:
        raise NotRead(reader.low(at))
    end = at + 1
    return cond, end + 1 if reader.table in reader.tables(end) or names_rows(reader, end, reader.table) else end
