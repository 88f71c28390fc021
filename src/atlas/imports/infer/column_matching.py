"""Matches the columns of a file to the columns of a table.

Names with the same meaning match: other case, separators, accents or a unit in brackets, or an earlier header of the
table's column. A looser similarity is a proposal, which a person must accept.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from atlas.column_formats.model import Kind
from atlas.contract.imports import Proposal
from atlas.kit.close_names import digits, plain_name, words_of
from atlas.kit.identifiers import identifier, is_cut, singular
from atlas.kit.synonyms import SPELLINGS, SYNONYMS
from atlas.tables.model import TableColumn

# Words that do not make two names more alike.
_VAGUE = frozenset("id no nr number code key type the of".split())

Offered = tuple[str, Kind]


@dataclass(frozen=True, slots=True)
class Matching:
    """The result of a matching, by the position of the file's columns.

    matched: the table's column of each matched column.
    proposed: proposals for other columns.
    """

    matched: dict[int, str] = field(default_factory=dict)
    proposed: dict[int, Proposal] = field(default_factory=dict)


def match_columns(offered: Sequence[Offered], table: Sequence[TableColumn]) -> Matching:
    """Matches columns of a file (header, kind) to those of a table. Each column of the table is used once."""
    matched = _match_exactly(offered, table)
    _match_alike(offered, table, matched)
    return Matching(matched, _propose(offered, table, matched))


def related(told: str, names: Sequence[str]) -> list[str]:
    """Returns the names that may mean the same as a word, such as `Betrag` for `amounts`."""
    word = _Name.of("_".join(map(singular, identifier(told).split("_"))))
    meant = [(name, _Name.of(name)) for name in names]
    return [name for name, other in meant if word.spellings & other.spellings or word.synonyms & other.synonyms]


def _match_exactly(offered: Sequence[Offered], table: Sequence[TableColumn]) -> dict[int, str]:
    """Matches twins, then columns with equal names, which are most of a wide file, then earlier headers of the table.

    A header that is too long for a column's name matches by the whole header only.
    """
    free = {column.name for column in table}
    by_header: dict[str, set[str]] = {}
    for column in table:
        if column.header:
            by_header.setdefault(_header(column.header), set()).add(column.name)
    matched = _match_twins(offered, table)
    free -= set(matched.values())
    for remembered in (False, True):
        for position, (header, _) in enumerate(offered):
            if position in matched:
                continue
            named = set() if is_cut(header) else {identifier(header)}
            names = free & (by_header.get(_header(header), set()) if remembered else named)
            if names:
                matched[position] = min(names)
                free.remove(matched[position])
    return matched


def _match_twins(offered: Sequence[Offered], table: Sequence[TableColumn]) -> dict[int, str]:
    """Matches columns whose headers make one name, such as `Name` and `name`, if the file has all of these headers
    again.
    """
    groups: dict[str, list[TableColumn]] = {}
    for column in table:
        if column.header:
            groups.setdefault(identifier(column.header), []).append(column)
    places = {header.strip(): position for position, (header, _) in enumerate(offered)}
    matched: dict[int, str] = {}
    for group in groups.values():
        named = {column.header.strip(): column.name for column in group}
        if 1 < len(group) == len(named) and named.keys() <= places.keys():
            matched |= {places[header]: name for header, name in named.items()}
    return matched


def _header(text: str) -> str:
    return text.strip().lower()


def _match_alike(offered: Sequence[Offered], table: Sequence[TableColumn], matched: dict[int, str]) -> None:
    """Matches names that differ in spelling only, if one column of each side has the name."""
    taken = set(matched.values())
    theirs: dict[str, list[tuple[str | None, str]]] = {}
    for column in table:
        if column.name not in taken:
            said = column.unit.casefold() or None
            for key, unit in {plain_name(column.name), plain_name(column.header or column.name)}:
                theirs.setdefault(key, []).append((said or unit, column.name))
    ours: dict[str, list[int]] = {}
    for position, (header, _) in enumerate(offered):
        if position not in matched and not is_cut(header):
            ours.setdefault(plain_name(header)[0], []).append(position)
    for key, positions in ours.items():
        if len(positions) != 1:
            continue
        unit = plain_name(offered[positions[0]][0])[1]
        names = {name for other, name in theirs.get(key, ()) if unit is None or other is None or unit == other}
        names -= set(matched.values())
        if len(names) == 1:
            matched[positions[0]] = names.pop()


@dataclass(frozen=True, slots=True)
class _Name:
    """The forms of a name that are compared."""

    name: str
    words: list[str]
    digits: list[str]
    spellings: frozenset[int]
    synonyms: frozenset[int]

    @staticmethod
    def of(text: str) -> _Name:
        name = identifier(text)
        flat = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
        return _Name(name, words_of(flat), digits(name), _groups(SPELLINGS, flat), _groups(SYNONYMS, flat))


def _groups(groups: Sequence[frozenset[str]], name: str) -> frozenset[int]:
    return frozenset(number for number, group in enumerate(groups) if name in group)


def _propose(offered: Sequence[Offered], table: Sequence[TableColumn], matched: dict[int, str]) -> dict[int, Proposal]:
    """Proposes columns for the rest, the likeliest first. Each column of the table is proposed once."""
    taken = set(matched.values())
    left = [(column, _Name.of(column.name)) for column in table if column.name not in taken]
    scores: list[tuple[float, int, Proposal]] = []
    for position, (header, kind) in enumerate(offered):
        if position in matched or not left:
            continue
        name = _Name.of(header)
        for column, theirs in left:
            score, reason = _likeness(name, kind, theirs, column, header)
            if score:
                scores.append((-score, position, Proposal(header, column.name, round(score, 2), reason)))
    scores += _same_semantics(offered, table, matched)
    proposed: dict[int, Proposal] = {}
    for _, position, proposal in sorted(scores, key=lambda item: item[:2]):
        if position not in proposed and proposal.column not in taken:
            proposed[position] = proposal
            taken.add(proposal.column)
    return proposed


def _same_semantics(
    offered: Sequence[Offered], table: Sequence[TableColumn], matched: dict[int, str]
) -> Iterator[tuple[float, int, Proposal]]:
    """Proposes the table's only e-mail column for the file's only e-mail column, whatever their names.

    The same holds for URLs and phones.
    """
    for semantic in ("email", "url", "phone"):
        places = [n for n, (_, kind) in enumerate(offered) if kind.semantic == semantic]
        names = [column.name for column in table if column.semantic == semantic]
        if len(places) == 1 and len(names) == 1 and places[0] not in matched and names[0] not in matched.values():
            reason = f"the only {semantic} of both"
            yield -0.75, places[0], Proposal(offered[places[0]][0], names[0], 0.75, reason)


def _likeness(ours: _Name, kind: Kind, theirs: _Name, column: TableColumn, header: str) -> tuple[float, str]:
    """Scores from 0 to 1 how likely a header means a column with another name. Returns the score and the reason."""
    here, there = plain_name(header), plain_name(column.header or column.name)
    if here[0] == there[0] and here[1] != (column.unit.casefold() or there[1]):
        return 0.4, "the same name with another unit"
    if ours.words == theirs.words:
        return 0.95, "singular and plural"
    agree = _agree(kind, column)
    if ours.spellings & theirs.spellings:
        return (0.9, "another spelling") if agree else (0.6, "another spelling, but another type")
    if sorted(ours.words) == sorted(theirs.words):
        return 0.85, "the same words"
    if ours.synonyms & theirs.synonyms:
        return (0.6 if agree else 0.4), "a related word"
    if ours.digits != theirs.digits or not agree:
        return 0.0, ""
    ratio = fuzz.ratio(ours.name, theirs.name) / 100
    # Short names that differ by a letter have different meanings.
    if min(len(ours.name), len(theirs.name)) > 4 and ratio >= 0.8:
        return ratio * 0.9, "nearly the same spelling"
    return _shared_words(ours.words, theirs.words)


def _shared_words(ours: list[str], theirs: list[str]) -> tuple[float, str]:
    """Scores two names if one holds all words of the other. The last word weighs most, as in `flight date`."""
    small, large = sorted((set(ours) - _VAGUE, set(theirs) - _VAGUE), key=len)
    if not small or not small <= large:
        return 0.0, ""
    longer = [word for word in max(ours, theirs, key=len) if word not in _VAGUE]
    return (0.6 if longer and longer[-1] in small else 0.5), "one name is a part of the other"


def _agree(kind: Kind, column: TableColumn) -> bool:
    numbers = {"bigint", "numeric", "double"}
    times = {"date", "timestamp"}
    if column.type == "text":
        return column.semantic in (None, kind.semantic) or kind.semantic is None
    return kind.type == column.type or {kind.type, column.type} <= numbers or {kind.type, column.type} <= times
