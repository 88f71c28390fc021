"""Currencies of amounts: ISO 4217 codes and the usual signs, as patterns that Python and DuckDB read alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import pycountry

from atlas.column_formats.column_names import MONEY

# Blanks between an amount and its currency. RE2's own class of blanks holds ASCII only.
BLANK = "[\\s\u00a0\u2007\u2009\u202f]"
# Codes that begin with X and are money nevertheless. Other X codes are metals, tests and units of account.
_COMMON = ("XAF", "XCD", "XCG", "XOF", "XPF")
# Codes in use that the standard does not list.
_UNLISTED = ("CNH", "RMB", "HRK", "BGN")
_DOLLARS = (
    "US CA AU NZ HK SG MX NT TT AR BZ EC FJ JM BB BS KY NA RD CL COL CLP MXN AUD CAD USD A B C G J L N R S T Z"
).split()
_SIGNS = "$€£¥₹₽₩₺฿₪₫₴₦₱₡₲₵₭₮₸₼₾₨₣₤₥₧₯₢₠₰₳₶₷₻₿₠﷼￥￡＄￦元円원"
_WORDS = (
    "kr. kr zł Kč Ft лв. лв руб. руб грн. грн дин. дин ден. ден Fr. Fr SFr. SFr Rs. Rs Rp. Rp RM TL S/. S/ B/. Bs. Bs "
    "lei Lei din"
).split()
# Marks that are hardly a unit, a word or a part of a code beside a number.
_SURE = frozenset(
    "USD EUR GBP CHF JPY CAD AUD INR CNY SEK NOK DKK PLN BRL ZAR CZK HUF HKD SGD NZD MXN KRW ILS RUB UAH TWD IDR MYR "
    "VND AED SAR BGN kr. kr zł Kč Ft лв. лв руб. руб грн. грн дин. дин ден. ден".split()
)


def _codes() -> list[str]:
    known = (currency.alpha_3 for currency in pycountry.currencies)
    return sorted({code for code in known if not code.startswith("X")} | {*_COMMON, *_UNLISTED})


def _pattern() -> str:
    # A mark comes before its own prefixes.
    marks = sorted([f"{name}$" for name in _DOLLARS] + _WORDS + _codes(), key=len, reverse=True)
    return rf"(?:{'|'.join(map(re.escape, marks))}|[{re.escape(_SIGNS)}])"


CURRENCY = re.compile(_pattern())
AMOUNT_AFFIX = rf"^{BLANK}*[-+]?{BLANK}*{CURRENCY.pattern}{BLANK}*|{BLANK}*{CURRENCY.pattern}{BLANK}*$"
# A code beside whole digits or a hyphen, as in CAD12 and CAD-12.
_ATTACHED = re.compile(r"[-+]?[A-Z]{3}(?:\d+|[-+]\d.*)|[-+]?\d+[A-Z]{3}")
_SIGNED_CODE = re.compile(r"[A-Z]{3}[-+]\d")


def currencies_of(texts: Sequence[str]) -> set[str]:
    """Returns the currencies in texts, as they are written."""
    return {found[0] for text in texts if (found := CURRENCY.search(text))}


def may_be_units(texts: Sequence[str], currencies: Collection[str], name: str, *, grouped: bool, cents: bool) -> bool:
    """Returns whether apparent currencies may be units, words or parts of codes: `TOP 10`, `CAD12`, `3 PEN`.

    name: the column's name. grouped, cents: whether numbers have groups, and two digits after the point.
    """
    if any(_SIGNED_CODE.match(text) for text in texts):
        return True
    lettered = [currency for currency in currencies if currency.rstrip(".").isalpha() or "/" in currency]
    if not lettered or MONEY.search(name) or grouped or cents:
        return False
    if any(_ATTACHED.fullmatch(text) for text in texts):
        return True
    return len(lettered) == len(currencies) and not any(currency in _SURE for currency in lettered)
