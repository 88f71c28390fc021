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
    "lei Lei din Euros Euro euros euro"
).split()
# Codes that people write in small letters, too. Others are words of some language then, such as `try`, `all` and `sek`.
_SMALL = "usd eur gbp chf jpy aud inr cny dkk pln brl czk huf hkd nzd sgd zar ils uah twd myr vnd aed".split()
# Marks that are hardly a unit, a word or a part of a code beside a number.
_SURE = frozenset(
    "USD EUR GBP CHF JPY CAD AUD INR CNY SEK NOK DKK PLN BRL ZAR CZK HUF HKD SGD NZD MXN KRW ILS RUB UAH TWD IDR MYR "
    "VND AED SAR BGN Euros Euro euros euro kr. kr zł Kč Ft лв. лв руб. руб грн. грн дин. дин ден. ден".split()
) | {*_SMALL, *(code.capitalize() for code in _SMALL)}


def _codes() -> list[str]:
    known = (currency.alpha_3 for currency in pycountry.currencies)
    return sorted({code for code in known if not code.startswith("X")} | {*_COMMON, *_UNLISTED})


def _pattern() -> str:
    # A mark comes before its own prefixes.
    small = [*_SMALL, *(code.capitalize() for code in _SMALL)]
    marks = sorted([f"{name}$" for name in _DOLLARS] + _WORDS + _codes() + small, key=len, reverse=True)
    return rf"(?:{'|'.join(map(re.escape, marks))}|[{re.escape(_SIGNS)}])"


CURRENCY = re.compile(_pattern())
AMOUNT_AFFIX = rf"^{BLANK}*[-+]?{BLANK}*{CURRENCY.pattern}{BLANK}*|{BLANK}*{CURRENCY.pattern}{BLANK}*$"
# A code beside whole digits or a hyphen, as in CAD12 and CAD-12.
_ATTACHED = re.compile(r"[-+]?[A-Za-z]{3}(?:\d+|[-+]\d.*)|[-+]?\d+[A-Za-z]{3}")
_SIGNED_CODE = re.compile(r"[A-Z]{3}[-+]\d")


def currencies_of(texts: Sequence[str]) -> set[str]:
    """Returns the currencies in texts, as they are written. Of spellings of one (`kr`, `kr.`) the shortest stands."""
    found: dict[str, str] = {}
    for written in sorted({match[0] for text in texts if (match := CURRENCY.search(text))}, key=lambda w: (len(w), w)):
        found.setdefault(plain_currency(written), written)
    return set(found.values())


def plain_currency(written: str) -> str:
    """Returns what spellings of a currency have in common: letters without case, and no full stop at the end."""
    return written.rstrip(".").lower()


def split_currency(text: str) -> tuple[str, str]:
    """Returns the number of an amount and its currency, "" where the text is no number with a currency."""
    bare = re.sub(AMOUNT_AFFIX, "", text.strip())
    found = CURRENCY.search(text)
    if found is None or not re.fullmatch(r"\d[\d.,]*", bare):
        return text, ""
    return ("-" if "-" in text else "") + bare, found[0]


_SAME = (
    {"€", "eur", "euro", "euros"},
    {"$", "usd", "us$"},
    {"£", "￡", "gbp"},
    {"¥", "￥", "円", "jpy"},
    {"¥", "￥", "元", "cny", "rmb", "cnh"},
    {"zł", "pln"},
    {"kč", "czk"},
    {"ft", "huf"},
    {"₹", "rs", "inr"},
    {"r$", "brl"},
    {"fr", "sfr", "chf"},
    {"₽", "руб", "rub"},
    {"₴", "грн", "uah"},
    {"kr", "sek"},
    {"kr", "nok"},
    {"kr", "dkk"},
    {"лв", "bgn"},
    {"₺", "tl", "try"},
)


def may_be_same(one: str, other: str) -> bool:
    """Returns whether two notations may be of one currency, such as `€` and `EUR`."""
    names = {plain_currency(one), plain_currency(other)}
    return len(names) == 1 or any(names <= same for same in _SAME)


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
