"""The type and format of a column's texts."""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = ("bigint", "numeric", "double")


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type, and the format of its texts.

    - type: "text", "bigint", "numeric", "double", "boolean", "date", "timestamp" or "json".
    - decimal, group: characters of numbers.
    - amount: whether a currency, percent sign or parentheses surround the numbers.
    - currency: the column's currency.
    - own_currency: whether each amount has its own currency; of a text, whether the text is a currency.
    - percent: numbers are hundredths.
    - signed: positive numbers have a plus.
    - digits: the digits after the point, see `column_formats.numbers`. scale: their maximum number.
    - exponent: numbers may have an exponent.
    - formats: strptime formats; none for ISO 8601.
    - century: the first year of the hundred years that two-digit years mean.
    - words: the words of a boolean for true and false.
    - strict: texts in another format do not fit; otherwise any usual notation of the type fits.
    - semantic: "email", "url", "phone" or None.
    - ambiguous: whether another format fits, too.
    - why: the reason why a text column is no other type.
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
    """Returns a column's conventions: the decimal sign, formats of dates, the currency.

    Each is None when the texts do not show it.
    """
    sign = None
    if kind.type in NUMBERS:
        sign = kind.decimal if kind.digits != "none" else {",": ".", ".": ","}.get(kind.group)
    return sign, kind.formats or None, kind.currency or None


@dataclass(frozen=True, slots=True)
class Hints:
    """Information from outside of the column, for ambiguous texts.

    - day_first, decimal_comma: True, False or None (not stated).
    - asked: a type that the caller requests for the column.
    - likely_comma: whether numbers of such files mostly have a decimal comma; None where both signs are usual.
    - year: the current year.
    - times: whether texts that a file declares may be times.
    - currencies: "several" or "any" when another column may hold the currencies of amounts: for columns with several
      currencies, or for any column.
    """

    day_first: bool | None = None
    decimal_comma: bool | None = None
    asked: str | None = None
    likely_comma: bool | None = None
    year: int = 2026
    times: bool = False
    currencies: str = ""
