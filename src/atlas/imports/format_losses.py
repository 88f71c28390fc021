"""Describes the parts of a column's texts that its format does not keep."""

from __future__ import annotations

import re

from atlas.column_formats.currencies import CURRENCY, plain_currency
from atlas.column_formats.dates import POSIX_CENTURY
from atlas.column_formats.model import NUMBERS, Kind
from atlas.imports.duckdb_casts import cast, literal
from atlas.imports.files.source import physical
from atlas.imports.staging import Staging
from atlas.kit.plurals import many


def remarks(staging: Staging, position: int, kind: Kind) -> list[str]:
    """Writes remarks on a column, without the column's name, such as "is stored as a share"."""
    if not kind.strict and kind.type in NUMBERS and kind.amount:
        return _of_any_amounts(staging, position)
    if not kind.strict:
        return [f"stays text: {kind.why}"] if kind.why else []
    if kind.type in NUMBERS:
        return _of_numbers(staging, position, kind)
    if kind.type in ("date", "timestamp"):
        return _of_times(staging, position, kind)
    return []


def _of_numbers(staging: Staging, position: int, kind: Kind) -> list[str]:
    column = physical(position)
    found = []
    if kind.percent:
        found.append("is stored as a share, so 12 % is 0.12")
    if kind.digits == "own" and not kind.exponent:
        found.append("has numbers with and without zeros at the end, each of which is kept as it is")
    if kind.exponent:
        found.append("has numbers with exponents, which are stored without")
    if kind.own_currency:
        found.append(f"has amounts in {_currencies(staging, position)}")
    if kind.currency:
        found += _of_currency(staging, position, kind.currency)
    if kind.group:
        plain = staging.counts([f"regexp_matches({column}, '[0-9]{{4}}') AND {cast(column, kind)} IS NOT NULL"])[0]
        grouped = staging.counts([f"contains({column}, {literal(kind.group)})"])[0]
        if plain and grouped:
            found.append(f"has {grouped:,} numbers with {kind.group!r} between thousands and {plain:,} without")
    found += _of_signs(staging, position, kind)
    if position in staging.minus_zeros:
        zeros = staging.counts([f"regexp_full_match({column}, '[-(]0+([.,]0*)?[)]?')"])[0]
        if zeros:
            found.append(f"has {many(zeros, 'zero')} with a minus, which is left out")
    # In a file with commas between cells, a comma in a cell is hardly a decimal sign. A single point mostly is one.
    usual = staging.source.delimiter != ";" and (kind.group != "," or staging.source.delimiter == ",")
    if kind.ambiguous and not usual:
        found.append(_both_ways(staging, position, kind))
    return found


def _of_signs(staging: Staging, position: int, kind: Kind) -> list[str]:
    """Tells how negative numbers are written, unless by a minus before, and of pluses before positive numbers."""
    column = physical(position)
    if kind.signed:
        pluses = staging.counts([f"contains({column}, '+')"])[0]
        return [f"has {many(pluses, 'number')} with a plus, which is left out"]
    if not kind.amount:
        return []
    number = f"{cast(column, kind)} IS NOT NULL"
    behind, around = staging.counts(
        [f"regexp_matches({column}, '[0-9].*-') AND {number}", f"contains({column}, '(') AND {number}"]
    )
    found = []
    if behind:
        found.append(f"has {many(behind, 'number')} with the minus behind, read as negative")
    if around:
        found.append(f"has {many(around, 'number')} in parentheses, read as negative")
    return found


def _of_currency(staging: Staging, position: int, currency: str) -> list[str]:
    """Tells how many amounts have the column's currency, and in which spellings, such as `kr` and `kr.`."""
    column, plain = physical(position), plain_currency(currency)
    either = (
        f"contains(lower({column}), {literal(plain)})" if plain.isalpha() else f"contains({column}, {literal(plain)})"
    )
    same = f"contains({column}, {literal(currency)})"
    if currency == currency.rstrip("."):
        same += f" AND NOT contains({column}, {literal(currency + '.')})"
    total, with_it, alike = staging.counts([f"{column} IS NOT NULL", either, same])
    lacking = f", which {total - with_it:,} of {total:,} values lack" if with_it < total else ""
    found = [f"is in {currency}, which is left out{lacking}"]
    if alike < with_it:
        found.append(f"has {_currencies(staging, position)}, read as one currency")
    return found


def other_than_before(kind: Kind, before: Kind) -> list[str]:
    """Describes a currency or percent signs where those of the table's last file were others."""
    told = []
    if kind.currency and before.currency and plain_currency(before.currency) != plain_currency(kind.currency):
        told.append(f"is in {kind.currency}, that of the file before in {before.currency}")
    if kind.type in NUMBERS and before.type in NUMBERS and kind.percent != before.percent:
        if kind.percent:
            told.append("has percent signs, which the last file of the table did not have, so 5% is stored as 0.05")
        else:
            told.append("has no percent signs, which the last file of the table had, so 5 is stored as 5, not as 0.05")
    return told


def _of_any_amounts(staging: Staging, position: int) -> list[str]:
    """Describes the parts that are left out of numbers with any currency."""
    told = _currencies(staging, position)
    return [f"has amounts in {told}, whose currency is left out"] if told else []


def _currencies(staging: Staging, position: int) -> str:
    """Lists the currencies of a column's amounts with their counts."""
    column = physical(position)
    sign = f"regexp_extract({column}, {literal(CURRENCY.pattern)})"
    found = staging.query(f"SELECT {sign} AS sign, count(*) FROM raw WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 1")
    told = [f"{sign} ({count:,})" for sign, count in found if sign]
    return ", ".join([*told, *(f"none ({count:,})" for sign, count in found if told and not sign)])


def _both_ways(staging: Staging, position: int, kind: Kind) -> str:
    """Describes both readings of the first cells."""
    column = physical(position)
    first = staging.first(position, f"regexp_matches({column}, '[.,]')", 2)
    as_read: list[str] = []
    other: list[str] = []
    for text in first:
        digits = re.sub(r"[^\d.,-]", "", text)
        signs = (kind.decimal, "," if kind.decimal == "." else ".")
        for sign, shown in zip(signs, (as_read, other), strict=True):
            group = "," if sign == "." else "."
            shown.append(digits.replace(group, "").replace(sign, "."))
    told, choice = ("point", "comma") if kind.decimal == "." else ("comma", "point")
    return (
        f"could have a decimal point or a decimal comma; read with a {told}, so {' and '.join(map(repr, first))} "
        f"{'are' if len(first) > 1 else 'is'} {' and '.join(as_read)}, not {' and '.join(other)}; "
        f"say that numbers use a decimal {choice} to have it otherwise"
    )


def _of_times(staging: Staging, position: int, kind: Kind) -> list[str]:
    column = physical(position)
    found = []
    if kind.ambiguous:
        found.append(_either_order(staging, position, kind))
    if kind.century:
        first, last = kind.century, kind.century + 99
        why = "" if kind.century == POSIX_CENTURY else ", since none of them is to come"
        found.append(f"has years of two digits, read as {first} to {last}{why}")
    if kind.type == "timestamp":
        found += _of_zones(staging, column, kind)
    if any(re.search("%[dmHI]", layout) for layout in kind.formats):
        padded, bare = staging.counts(
            [rf"regexp_matches({column}, '\b0[1-9]\b')", rf"regexp_matches({column}, '\b[1-9]\b')"]
        )
        if padded and bare:
            found.append(
                f"has {bare:,} values with days, months or hours of one digit and {padded:,} with a zero before"
            )
    return found


def _of_zones(staging: Staging, column: str, kind: Kind) -> list[str]:
    time = f"contains({column}, ':')"
    # Only behind a time of day. A date has its second hyphen in the same place.
    offset = f"({column}[-6] IN ('+', '-') OR {column}[-5] IN ('+', '-') OR {column}[-3] IN ('+', '-'))"
    utc = f"(ends_with({column}, 'Z') OR ends_with({column}, 'UTC'))"
    bare, moved, exact, timed = staging.counts(
        [f"{column} IS NOT NULL AND NOT {time}", f"{time} AND {offset}", f"{time} AND {utc}", time]
    )
    if kind.formats:
        moved = exact = 0
    found = []
    ends = 0 if kind.formats else staging.counts([f"regexp_matches({column}, '[T ]24:00')"])[0]
    if ends:
        found.append(f"has {many(ends, 'time')} of 24:00, stored as midnight of the next day")
    if bare:
        found.append(f"has {many(bare, 'value')} without a time of day, read as midnight")
    if moved + exact and moved + exact < timed:
        found.append(
            f"has {many(timed - moved - exact, 'time')} without an offset, read as UTC, beside others with one"
        )
    if moved:
        found.append(f"has {many(moved, 'time')} with an offset, stored as moments in UTC")
    return found


def _either_order(staging: Staging, position: int, kind: Kind) -> str:
    first = staging.first(position, "true", 1)
    day_first = kind.formats[0].startswith("%d")
    read, other = ("day", "month") if day_first else ("month", "day")
    number = re.match(r"\d+", first[0]) if first else None
    example = f", so in {first[0]!r} the {read} is {number[0]}" if number else ""
    return (
        f"could be read day or month first; read {read} first{example}; "
        f"say that dates are {other} first to have it otherwise"
    )
