"""Which column of a table a column of a file belongs to: by name, synonyms, similarity and values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from atlas.core.identifiers import identifier, singular
from atlas.core.kinds import Kind
from atlas.core.tables import TableColumn

# Below this, two names are not taken for the same.
THRESHOLD = 0.82

SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "email e_mail mail email_address e_mail_address mail_address contact_email",
        "phone telephone tel phone_number telephone_number mobile mobile_number cell cellphone cell_phone handy",
        "name full_name fullname complete_name contact_name person display_name",
        "first_name firstname given_name forename fname vorname",
        "last_name lastname surname family_name lname nachname",
        "company company_name organization organisation organization_name employer firm account account_name business",
        "country country_name nation land",
        "state province region state_province federal_state",
        "city town municipality ort",
        "zip zip_code zipcode postal_code postcode postal plz",
        "address street street_address address_line address_line_1 address_1 street_name",
        "amount total total_amount sum value price_total",
        "price unit_price cost rate",
        "quantity qty count units number_of_units pieces",
        "created_at created created_on creation_date date_created created_date date_added added_on",
        "updated_at updated modified modified_at last_modified updated_on last_updated",
        "birthday birth_date date_of_birth dob birthdate",
        "gender sex",
        "url website web_site homepage web link site",
        "description desc details text comment comments note notes remark remarks",
        "status state_of_record stage",
        "title job_title position role",
        "id identifier number no nr",
        "category type kind group class",
        "product product_name item item_name article",
        "customer customer_name client client_name buyer",
        "order_id order_number order_no",
        "customer_id customer_number customer_no client_id",
        "latitude lat", "longitude lon lng long",
        "start start_date from_date begin", "end end_date to_date finish",
        "currency currency_code", "language lang locale",
    )
)  # fmt: skip

Offered = tuple[str, Kind]


def match_columns(offered: Sequence[Offered], table: Sequence[TableColumn]) -> dict[int, str]:
    """For columns of a file (header, kind) by position, the table's column that each belongs to, if any.

    Each column of the table is taken once, by the best match first.
    """
    matched = _match_names(offered, table)
    taken = set(matched.values())
    left = [(column, _Name.of(column.name)) for column in table if column.name not in taken]
    scores = []
    for position, (header, kind) in enumerate(offered):
        if position in matched or not left:
            continue
        name = _Name.of(identifier(header))
        for column, theirs in left:
            score = _similarity(name, kind, theirs, column)
            if score >= THRESHOLD:
                scores.append((-score, position, column.name))
    for _, position, found in sorted(scores):
        if position not in matched and found not in taken:
            matched[position] = found
            taken.add(found)
    _match_semantics(offered, table, matched)
    return matched


def _match_semantics(offered: Sequence[Offered], table: Sequence[TableColumn], matched: dict[int, str]) -> None:
    """The only e-mail of a file is the only e-mail of the table, whatever they are called."""
    for semantic in ("email", "url", "phone"):
        places = [n for n, (_, kind) in enumerate(offered) if kind.semantic == semantic]
        names = [column.name for column in table if column.semantic == semantic]
        if len(places) == 1 and len(names) == 1 and places[0] not in matched and names[0] not in matched.values():
            matched[places[0]] = names[0]


def _match_names(offered: Sequence[Offered], table: Sequence[TableColumn]) -> dict[int, str]:
    """Those that are called the same, which is most of a wide file; each pair of the rest has to be compared."""
    free = {column.name for column in table}
    by_header: dict[str, set[str]] = {}
    for column in table:
        if column.header:
            by_header.setdefault(column.header.strip().lower(), set()).add(column.name)
    matched: dict[int, str] = {}
    for position, (header, _) in enumerate(offered):
        names = free & {identifier(header), *by_header.get(header.strip().lower(), ())}
        if names:
            matched[position] = min(names)
            free.remove(matched[position])
    return matched


@dataclass(frozen=True, slots=True)
class _Name:
    """What two names are compared by."""

    name: str
    words: list[str]
    ordered: list[str]
    digits: list[str]
    groups: frozenset[int]

    @staticmethod
    def of(name: str) -> _Name:
        words = _words(name)
        groups = frozenset(number for number, group in enumerate(SYNONYMS) if name in group)
        return _Name(name, words, sorted(words), _digits(name), groups)


def _similarity(ours: _Name, kind: Kind, theirs: _Name, column: TableColumn) -> float:
    """How likely a column of a file is that of a table that is not called the same, from 0 to 1."""
    if ours.words == theirs.words:
        return 0.98
    if ours.groups and not ours.groups.isdisjoint(theirs.groups):
        return 0.95 if _agree(kind, column) else 0.85
    if ours.ordered == theirs.ordered:
        return 0.9
    if ours.digits != theirs.digits or not _agree(kind, column):
        return 0.0
    ratio = fuzz.ratio(ours.name, theirs.name) / 100
    # Short names differ by a letter and mean another thing.
    return ratio * 0.95 if min(len(ours.name), len(theirs.name)) > 4 and ratio >= 0.87 else 0.0


def _digits(name: str) -> list[str]:
    """`sales_2024` is no misspelling of `sales_2025`."""
    return re.findall(r"\d", name)


def _words(name: str) -> list[str]:
    return [singular(word) for word in name.split("_")]


def _agree(kind: Kind, column: TableColumn) -> bool:
    numbers = {"bigint", "numeric", "double"}
    times = {"date", "timestamp"}
    if column.type == "text":
        return column.semantic in (None, kind.semantic) or kind.semantic is None
    return kind.type == column.type or {kind.type, column.type} <= numbers or {kind.type, column.type} <= times


def close_name(wanted: str, names: Sequence[str], *, least: int = 84, columns: bool = False) -> str | None:
    """The one of `names` that `wanted` means: equal, singular or plural, or nearly so written.

    columns: also by a synonym, or by a part of the name that no other has.
    """
    target = identifier(wanted)
    by_name = {identifier(name): name for name in names}
    if target in by_name:
        return by_name[target]
    words = _words(target)
    same = [name for key, name in by_name.items() if _words(key) == words]
    if same:
        return same[0]
    alike = [name for key, name in by_name.items() if any(target in group and key in group for group in SYNONYMS)]
    if len(alike) == 1 and columns:
        return alike[0]
    # "email" is the only column with the word, "email_address".
    holding = [name for key, name in by_name.items() if set(words) <= set(_words(key))]
    if len(holding) == 1 and columns:
        return holding[0]
    likely = [(key, name) for key, name in by_name.items() if _digits(target) == _digits(key)]
    scored = sorted(((fuzz.ratio(target, key), name) for key, name in likely), reverse=True)
    if scored and scored[0][0] >= least and len(target) > 3 and (len(scored) == 1 or scored[1][0] < scored[0][0]):
        return scored[0][1]
    return None
