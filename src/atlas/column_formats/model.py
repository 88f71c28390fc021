"""How the texts of a column are read: its type and its one format."""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = ("bigint", "numeric", "double")


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type and how its texts are read.

    type: "text", "bigint", "numeric", "double", "boolean", "date", "timestamp" or "json".
    decimal, group: characters of numbers; amount: whether a currency, percent or parentheses stand around them;
    currency: the one that does; own_currency: whether each amount has one of its own, and of a text, whether that is
    what it holds; percent: numbers are hundredths; signed: positive ones have a plus.
    digits: how many stand after the point, see `column_formats.numbers`; scale: at most so many; exponent: may
    have one.
    formats: strptime formats, none for ISO 8601; century: first year of the hundred that two-digit years mean.
    words: of a boolean, those for true and false.
    strict: texts in another format do not fit; else any usual notation of the type does.
    semantic: "email", "url", "phone" or None; ambiguous: whether another reading fits too; why: of a text, what keeps
    it from being anything else.
    """

    type: str
    decimal: str = "."
    group: str = ""
    amount: bool = False
    percent: bool = False
    formats: tuple[str, ...] = ()
    semantic: str | None = None
    ambiguous: bool = False
    currency: str = ""
    signed: bool = False
    digits: str = "any"
    scale: int = 0
    exponent: bool = False
    century: int = 0
    words: tuple[str, ...] = ()
    strict: bool = False
    why: str = ""
    own_currency: bool = False


TEXT = Kind("text")


def notation(kind: Kind) -> tuple[str | None, tuple[str, ...] | None, str | None]:
    """What a column's texts show of how its writers write: the decimal sign, formats of dates, the currency.

    Each is None where the texts do not show it.
    """
    sign = None
    if kind.type in NUMBERS:
        sign = kind.decimal if kind.digits != "none" else {",": ".", ".": ","}.get(kind.group)
    return sign, kind.formats or None, kind.currency or None


@dataclass(frozen=True, slots=True)
class Hints:
    """What decides where a column alone cannot.

    day_first, decimal_comma: True, False or None (nobody said); asked: a type that somebody wants of the column;
    likely_comma: whether numbers of such files mostly have a decimal comma, None where both is usual; year: of today;
    times: whether texts that a file declares may be times; currencies: whether there is a column for the currencies of
    amounts, where a column has "several" or for "any".
    """

    day_first: bool | None = None
    decimal_comma: bool | None = None
    asked: str | None = None
    likely_comma: bool | None = None
    year: int = 2026
    times: bool = False
    currencies: str = ""
