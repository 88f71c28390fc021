"""Finds the format of numbers: the notation that all texts of a column share, as a pattern that each text must match.

`digits` describes the digits after the point:

- "none": whole numbers.
- "fixed": always `scale` digits.
- "whole": `scale` digits, or neither point nor digits where the digits would be zeros.
- "needed": as many digits as needed, without trailing zeros.
- "point": the same, with at least one digit.
- "own": any number of digits, including trailing zeros, which only exact decimals keep.
- "any": not determined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from atlas.column_formats.column_names import LABELS, MEASURES, MONEY
from atlas.column_formats.currencies import AMOUNT_AFFIX, currencies_of, may_be_units
from atlas.column_formats.model import TEXT, Hints, Kind

INTEGER = re.compile(r"[+-]?\d+")
# Numbers of decimal digits that a bigint always holds, and that a double holds exactly.
BIGINT_DIGITS, DOUBLE_DIGITS = 18, 15
# A longer text is no number but a string of digits.
MOST_DIGITS = 400
_AFFIX = re.compile(AMOUNT_AFFIX)
_STYLES = ((".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_PLAIN = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?|[+-]?\.\d+")
_POWER = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d{1,3}")
# Scientific notation as programs write it: one digit before the point, and a point or sign that identifiers lack.
_SCIENTIFIC = re.compile(r"-?\d(?:\.\d+[eE][+-]?\d{1,3}|[eE][+-]\d{1,3})")


def bare_number(text: str) -> str:
    """Returns the number without a currency, percent sign, and the parentheses of a negative amount."""
    text = text.strip()
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1].strip()
    text = text.removesuffix("%").rstrip()
    sign = "-" if text.startswith("-") or text.endswith("-") else ""
    text = _AFFIX.sub("", text.removesuffix("-") if text.endswith("-") else text).strip().lstrip("+-").strip()
    text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    return ("-" if negative else sign) + text


def fraction_pattern(digits: str, scale: int, point: str) -> str:
    """Builds a regular expression (RE2) for the part after a number's whole part."""
    point = re.escape(point)
    if digits == "none":
        return ""
    if digits == "fixed":
        return rf"{point}\d{{{scale}}}"
    if digits == "whole":
        # At least one of the digits is not zero.
        some = "|".join(rf"0{{{n}}}[1-9]\d{{{scale - n - 1}}}" for n in range(scale))
        return rf"(?:{point}(?:{some}))?"
    if digits == "needed":
        return rf"(?:{point}\d*[1-9])?"
    if digits == "point":
        return rf"{point}(?:0|\d*[1-9])"
    return rf"(?:{point}\d+)?"


def number_pattern(kind: Kind) -> str:
    """Builds a regular expression (RE2) for the numbers of a kind, without the marks around amounts.

    Groups have three digits, or two digits before the last three as in India.
    """
    pattern = f"{'[+-]?' if kind.signed else '-?'}{_unsigned_pattern(kind)}"
    return rf"{pattern}|[+-]?\d+(?:\.\d+)?[eE][+-]?\d{{1,3}}" if kind.exponent else pattern


def _unsigned_pattern(kind: Kind) -> str:
    between = re.escape(kind.group)
    whole = (
        rf"(?:0|[1-9]\d*|[1-9]\d{{0,2}}(?:{between}\d{{2,3}})*{between}\d{{3}})" if kind.group else r"(?:0|[1-9]\d*)"
    )
    pattern = whole + fraction_pattern(kind.digits, kind.scale, kind.decimal)
    if kind.digits in ("own", "any"):
        pattern = rf"(?:{pattern}|{re.escape(kind.decimal)}\d+)"
    return pattern


def usual_amount_pattern(kind: Kind) -> str | None:
    """Builds a regular expression (RE2) for the amounts of most files, with at most one currency around the number.

    Returns None for kinds whose amounts have percent signs or are written otherwise.
    """
    if not kind.amount or kind.own_currency or kind.percent or kind.exponent or kind.signed or not kind.strict:
        return None
    number, sign = _unsigned_pattern(kind), re.escape(kind.currency)
    return rf"(?:-?{sign}|{sign} ){number}|-?{number}(?: ?{sign})?" if sign else f"-?{number}"


def find_number(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    """Returns the number format that all texts share, or None.

    Numbers that would lose something return a text kind with the reason.
    """
    if any(len(text) > MOST_DIGITS for text in texts):
        return None
    if all(_PLAIN.fullmatch(text) for text in texts) and not (hints.decimal_comma and native is None):
        return _find_plain(texts, name, native, hints)
    powers = any(_POWER.fullmatch(text) for text in texts)
    if powers and all(_PLAIN.fullmatch(text) or _POWER.fullmatch(text) for text in texts):
        return _find_powers(texts, name, native)
    return _find_styled(texts, name, hints)


def _find_plain(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    declared = native is not None or hints.asked is not None
    signs = [text for text in texts if text.startswith("+")]
    # A plus is part of a format when every positive number has a plus. Long numbers with a plus are telephone numbers.
    if signs and any(text[0] not in "+-" and text.strip("0.") for text in texts):
        return None
    if any(len(text) > 8 for text in signs):
        return None
    if signs and not declared and not any(text.startswith("-") for text in texts):
        # Nothing shows that the plus is a sign. Ratings and country codes have one, too.
        return replace(TEXT, why="its numbers have a plus and none has a minus; say that it is a number if it is one")
    fractions = _fractions(texts, ".")
    kind = _digits(fractions)
    if kind is None:
        named = declared or MEASURES.search(name) or any(text.startswith("-") for text in texts)
        if not named:
            return replace(TEXT, why="some numbers in it have zeros at the end, which others lack")
        kind = _own_digits(fractions)
    if any(text.lstrip("+-").startswith(".") for text in texts):
        kind = _own_digits(fractions)
    kind = replace(kind, signed=bool(signs))
    if kind.digits == "none":
        return _find_whole(texts, name, declared=declared)
    if LABELS.search(name) and not declared:
        return replace(TEXT, why="its name says that it holds labels")
    if native is None and kind.digits == "fixed" and kind.scale == 3:
        kind = replace(kind, ambiguous=hints.decimal_comma is None)
    return _choose_type(kind, texts, name)


def _fractions(texts: Sequence[str], point: str) -> list[str | None]:
    """Returns the digits after the point of each number; None for a number without a point."""
    return [text.partition(point)[2] if point in text else None for text in texts]


def _digits(fractions: Sequence[str | None]) -> Kind | None:
    """Returns a numeric kind for the fractions (None: no point), or None for a mixture."""
    some = [fraction for fraction in fractions if fraction is not None]
    if not some:
        return Kind("bigint", digits="none", strict=True)
    scale = max(map(len, some))
    same = min(map(len, some)) == scale
    kind = Kind("numeric", scale=scale, strict=True)
    if same and len(some) == len(fractions):
        return replace(kind, digits="fixed")
    if not any(fraction.endswith("0") for fraction in some):
        return replace(kind, digits="needed")
    if same and scale > 1 and all(fraction.strip("0") for fraction in some):
        return replace(kind, digits="whole")
    if len(some) == len(fractions) and not any(f.endswith("0") and f != "0" for f in some):
        return replace(kind, digits="point")
    return None


def _own_digits(fractions: Sequence[str | None]) -> Kind:
    scale = max((len(fraction) for fraction in fractions if fraction), default=0)
    return Kind("numeric", digits="own", scale=scale, strict=True)


def _find_whole(texts: Sequence[str], name: str, *, declared: bool) -> Kind | None:
    longest = max(len(text.lstrip("+-")) for text in texts)
    if any(text.startswith("+") for text in texts):
        return Kind("bigint", digits="none", signed=True, strict=True) if longest < 7 else TEXT
    if longest <= DOUBLE_DIGITS or (longest <= BIGINT_DIGITS and (declared or MEASURES.search(name))):
        return Kind("bigint", digits="none", strict=True)
    if declared or MEASURES.search(name):
        return Kind("numeric", digits="none", strict=True)
    # Users report rounded ids from such columns, by browsers and spreadsheets among others.
    return replace(
        TEXT, why="its numbers are as long as those of accounts and cards; say that it is a number if it is one"
    )


def _choose_type(kind: Kind, texts: Sequence[str], name: str) -> Kind:
    """Chooses double where a double reproduces each text, else exact decimals."""
    if kind.digits not in ("needed", "point") or MONEY.search(name) or kind.amount:
        return kind
    exact = all(len(text) <= DOUBLE_DIGITS or _round_trips(text) for text in texts)
    return replace(kind, type="double") if exact else kind


def _round_trips(text: str) -> bool:
    shown = repr(float(text))
    shown = format(Decimal(shown), "f") if "e" in shown else shown
    return shown == text or shown == text.removeprefix("+") or shown == f"{text}.0"


def _find_powers(texts: Sequence[str], name: str, native: str | None) -> Kind | None:
    """Returns the kind of numbers when some numbers have an exponent."""
    powers = [text for text in texts if _POWER.fullmatch(text)]
    if any(
        abs(float(text)) == float("inf") or (float(text) == 0 and re.split("[eE]", text)[0].strip("-+.0"))
        for text in powers
    ):
        return replace(TEXT, why="it has a number that is too large or too small")
    if native is None and (LABELS.search(name) or not any(_SCIENTIFIC.fullmatch(text) for text in powers)):
        return replace(TEXT, why="what looks like exponents may be codes")
    if any(sum(map(str.isdigit, re.split("[eE]", text)[0])) > 17 for text in texts):
        return replace(TEXT, why="it has numbers with more digits than a double holds")
    return Kind("double", digits="own", exponent=True, strict=True)


def _find_styled(texts: Sequence[str], name: str, hints: Hints) -> Kind | None:
    """Returns the kind of numbers with groups, a decimal comma, a currency, percent signs or parentheses."""
    bare = [bare_number(text) for text in texts]
    amount = bare != list(texts)
    currencies = currencies_of(texts)
    percents = sum(text.rstrip(") ").endswith("%") for text in texts)
    fitting = [
        style for style in _STYLES if all(re.fullmatch(number_pattern(Kind("numeric", *style)), text) for text in bare)
    ]
    if not fitting:
        return None
    own = bool(currencies) if hints.currencies == "any" else len(currencies) > 1
    if own and not hints.currencies:
        return replace(TEXT, why=f"it has several currencies, {', '.join(sorted(currencies))}")
    if percents not in (0, len(texts)):
        return replace(TEXT, why="some numbers in it have a percent sign and some have none")
    negatives = [text for text, plain in zip(texts, bare, strict=True) if plain.startswith("-")]
    if len({(text[0] == "(", text[-1] == "-") for text in negatives}) > 1:
        return replace(TEXT, why="negative numbers in it are written in two ways")
    decimal, group, ambiguous = _style(fitting, bare, hints)
    group = group if any(group in text for text in bare) else ""
    fractions = _fractions(bare, decimal)
    cents = all(fraction is not None and len(fraction) == 2 for fraction in fractions)
    if hints.asked is None and may_be_units(texts, currencies, name, grouped=bool(group), cents=cents):
        units = ", ".join(sorted(currencies))
        return replace(TEXT, why=f"{units} in it may be units or parts of codes; say that it is a number if it is one")
    kind = _digits(fractions) or _own_digits(fractions)
    kind = replace(
        kind,
        decimal=decimal,
        group=group,
        amount=amount,
        currency="" if own else next(iter(currencies), ""),
        own_currency=own,
        percent=percents > 0,
        ambiguous=ambiguous,
    )
    if kind.digits == "none":
        longest = max(sum(map(str.isdigit, text)) for text in bare)
        return replace(kind, type="numeric" if longest > BIGINT_DIGITS or percents else "bigint")
    return _choose_type(
        kind,
        [text.replace(group, "").replace(decimal, ".") if group else text.replace(decimal, ".") for text in bare],
        name,
    )


def _style(fitting: Sequence[tuple[str, str]], bare: Sequence[str], hints: Hints) -> tuple[str, str, bool]:
    """Returns the decimal sign and group of numbers, and whether the choice is ambiguous."""
    point = [style for style in fitting if style[0] == "."]
    comma = [style for style in fitting if style[0] == ","]
    shows_sign = any("," in text or "." in text for text in bare)
    if not (point and comma and shows_sign):
        return (*fitting[0], False)
    readable = [style for style in (point[0], comma[0]) if _digits(_fractions(bare, style[0])) is not None]
    if len(readable) == 1 and hints.decimal_comma is None:
        # With the other sign, some numbers would have trailing zeros and others not.
        return (*readable[0], False)
    prefer = hints.likely_comma is True if hints.decimal_comma is None else hints.decimal_comma
    # A point alone is a decimal point unless the caller states otherwise.
    if hints.decimal_comma is None and not any("," in text for text in bare):
        prefer = False
    unsettled = hints.decimal_comma is None
    return (*(comma if prefer else point)[0], unsettled)
