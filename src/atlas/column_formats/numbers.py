"""Formats of numbers: which notation all texts of a column have, as a pattern that each of them must match.

How many digits stand after the point is one of
- "none": whole numbers;
- "fixed": always `scale` digits;
- "whole": `scale` digits, or neither digits nor a point where they would be zeros;
- "needed": as many as needed, without zeros at the end; "point": the same, with at least one;
- "own": any number of digits, zeros at the end included, which only exact decimals keep;
- "any": what nobody has looked at.
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
# A bigint surely holds so many digits, a double so many more exactly.
BIGINT_DIGITS, DOUBLE_DIGITS = 18, 15
# More than this in a text is no number but a string of digits.
MOST_DIGITS = 400
_AFFIX = re.compile(AMOUNT_AFFIX)
_STYLES = ((".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_PLAIN = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?|[+-]?\.\d+")
_POWER = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d{1,3}")
# Written by a program: one digit before the point, and a point or a sign that an identifier would not have.
_SCIENTIFIC = re.compile(r"-?\d(?:\.\d+[eE][+-]?\d{1,3}|[eE][+-]\d{1,3})")


def bare_number(text: str) -> str:
    """The number inside a currency, a percent sign and the parentheses of a negative amount."""
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
    """A regular expression (RE2) of what follows the whole part of a number."""
    point = re.escape(point)
    if digits == "none":
        return ""
    if digits == "fixed":
        return rf"{point}\d{{{scale}}}"
    if digits == "whole":
        # Some digit of them is no zero.
        some = "|".join(rf"0{{{n}}}[1-9]\d{{{scale - n - 1}}}" for n in range(scale))
        return rf"(?:{point}(?:{some}))?"
    if digits == "needed":
        return rf"(?:{point}\d*[1-9])?"
    if digits == "point":
        return rf"{point}(?:0|\d*[1-9])"
    return rf"(?:{point}\d+)?"


def number_pattern(kind: Kind) -> str:
    """A regular expression (RE2) of the numbers of a kind, without what stands around amounts.

    Groups are of three digits, or of two before the last three as in India.
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
    """A regular expression (RE2) of the amounts that most files have: no more around the number than one currency.

    None for kinds whose amounts have percent signs or are written otherwise.
    """
    if not kind.amount or kind.own_currency or kind.percent or kind.exponent or kind.signed or not kind.strict:
        return None
    number, sign = _unsigned_pattern(kind), re.escape(kind.currency)
    return rf"(?:-?{sign}|{sign} ){number}|-?{number}(?: ?{sign})?" if sign else f"-?{number}"


def find_number(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    """The format that all texts have; None where they are no numbers, a text that says why where they lose as such."""
    if any(len(text) > MOST_DIGITS for text in texts):
        return None
    if all(_PLAIN.fullmatch(text) for text in texts) and not (hints.decimal_comma and native is None):
        return _plain(texts, name, native, hints)
    powers = any(_POWER.fullmatch(text) for text in texts)
    if powers and all(_PLAIN.fullmatch(text) or _POWER.fullmatch(text) for text in texts):
        return _powers(texts, name, native)
    return _styled(texts, name, hints)


def _plain(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    declared = native is not None or hints.asked is not None
    signs = [text for text in texts if text.startswith("+")]
    # A plus belongs to a format where no positive number lacks it, and to telephone numbers where they are long.
    if signs and any(text[0] not in "+-" and text.strip("0.") for text in texts):
        return None
    if any(len(text) > 8 for text in signs):
        return None
    fractions = _fractions(texts, ".")
    kind = _digits(fractions)
    if kind is None:
        named = declared or MEASURES.search(name) or any(text.startswith("-") for text in texts)
        if not named:
            return replace(TEXT, why="some numbers in it have zeros at the end, which others lack")
        kind = _own(fractions)
    if any(text.lstrip("+-").startswith(".") for text in texts):
        kind = _own(fractions)
    kind = replace(kind, signed=bool(signs))
    if kind.digits == "none":
        return _whole(texts, name, declared=declared)
    if LABELS.search(name) and not declared:
        return replace(TEXT, why="its name says that it holds labels")
    if native is None and kind.digits == "fixed" and kind.scale == 3:
        kind = replace(kind, ambiguous=hints.decimal_comma is None)
    return _sized(kind, texts, name)


def _fractions(texts: Sequence[str], point: str) -> list[str | None]:
    """What stands after the point of each number; None where it has none."""
    return [text.partition(point)[2] if point in text else None for text in texts]


def _digits(fractions: Sequence[str | None]) -> Kind | None:
    """A numeric kind with the digits that texts have after the point (None: no point); None for a mixture."""
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


def _own(fractions: Sequence[str | None]) -> Kind:
    scale = max((len(fraction) for fraction in fractions if fraction), default=0)
    return Kind("numeric", digits="own", scale=scale, strict=True)


def _whole(texts: Sequence[str], name: str, *, declared: bool) -> Kind | None:
    longest = max(len(text.lstrip("+-")) for text in texts)
    if any(text.startswith("+") for text in texts):
        return Kind("bigint", digits="none", signed=True, strict=True) if longest < 7 else TEXT
    if longest <= DOUBLE_DIGITS or (longest <= BIGINT_DIGITS and (declared or MEASURES.search(name))):
        return Kind("bigint", digits="none", strict=True)
    if declared or MEASURES.search(name):
        return Kind("numeric", digits="none", strict=True)
    # What people report of such numbers in files is that ids were rounded, by browsers and spreadsheets among others.
    return replace(
        TEXT, why="its numbers are as long as those of accounts and cards; say that it is a number if it is one"
    )


def _sized(kind: Kind, texts: Sequence[str], name: str) -> Kind:
    """A kind with digits after the point as exact decimals, or as doubles where those give each text back."""
    if kind.digits not in ("needed", "point") or MONEY.search(name) or kind.amount:
        return kind
    exact = all(len(text) <= DOUBLE_DIGITS or _given_back(text) for text in texts)
    return replace(kind, type="double") if exact else kind


def _given_back(text: str) -> bool:
    shown = repr(float(text))
    shown = format(Decimal(shown), "f") if "e" in shown else shown
    return shown == text or shown == text.removeprefix("+") or shown == f"{text}.0"


def _powers(texts: Sequence[str], name: str, native: str | None) -> Kind | None:
    """Numbers some of which have an exponent."""
    powers = [text for text in texts if _POWER.fullmatch(text)]
    if any(
        abs(float(text)) == float("inf") or (float(text) == 0 and text.strip("-0.eE+")[:1] not in "eE")
        for text in powers
    ):
        return replace(TEXT, why="it has a number that is too large or too small")
    if native is None and (LABELS.search(name) or not any(_SCIENTIFIC.fullmatch(text) for text in powers)):
        return replace(TEXT, why="what looks like exponents may be codes")
    if any(sum(map(str.isdigit, re.split("[eE]", text)[0])) > 17 for text in texts):
        return replace(TEXT, why="it has numbers with more digits than a double holds")
    return Kind("double", digits="own", exponent=True, strict=True)


def _styled(texts: Sequence[str], name: str, hints: Hints) -> Kind | None:
    """Numbers with groups, a decimal comma, a currency, percent or parentheses."""
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
    if sum(text.startswith("(") for text in texts) and sum(text.startswith("-") for text in texts):
        return replace(TEXT, why="negative numbers in it are written in two ways")
    decimal, group, ambiguous = _style(fitting, bare, hints)
    group = group if any(group in text for text in bare) else ""
    fractions = _fractions(bare, decimal)
    cents = all(fraction is not None and len(fraction) == 2 for fraction in fractions)
    if hints.asked is None and may_be_units(texts, currencies, name, grouped=bool(group), cents=cents):
        units = ", ".join(sorted(currencies))
        return replace(TEXT, why=f"{units} in it may be units or parts of codes; say that it is a number if it is one")
    kind = _digits(fractions) or _own(fractions)
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
    return _sized(
        kind,
        [text.replace(group, "").replace(decimal, ".") if group else text.replace(decimal, ".") for text in bare],
        name,
    )


def _style(fitting: Sequence[tuple[str, str]], bare: Sequence[str], hints: Hints) -> tuple[str, str, bool]:
    """Decimal sign and group of numbers that fit some styles, and whether nothing settles which it is."""
    point = [style for style in fitting if style[0] == "."]
    comma = [style for style in fitting if style[0] == ","]
    told = any("," in text or "." in text for text in bare)
    if not (point and comma and told):
        return (*fitting[0], False)
    readable = [style for style in (point[0], comma[0]) if _digits(_fractions(bare, style[0])) is not None]
    if len(readable) == 1 and hints.decimal_comma is None:
        # As decimals some would have zeros at the end and others not.
        return (*readable[0], False)
    prefer = hints.likely_comma is True if hints.decimal_comma is None else hints.decimal_comma
    # A point alone is a decimal point unless somebody says otherwise.
    if hints.decimal_comma is None and not any("," in text for text in bare):
        prefer = False
    unsettled = hints.decimal_comma is None
    return (*(comma if prefer else point)[0], unsettled)
