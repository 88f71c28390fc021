"""What type a column of texts has, decided for the column as a whole from a sample and its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atlas.core.dates import candidate_formats

# Texts that stand for no value. In a column of texts they stay: "NA" may be Namibia.
NULL_TEXTS = ("n/a", "na", "null", "none", "nil", "-", "--", "#n/a", "nan", "?", ".", "(null)", "n.a.", "unknown")
# Share of values that may break the type which the others have; those rows are told as failures.
TOLERANCE = 0.1

# In English, and as people in Europe send them; not "si", which with "no" may be Slovenia and Norway.
TRUE_TEXTS = ("true", "yes", "y", "t", "on", "ja", "oui", "sí", "sim")
FALSE_TEXTS = ("false", "no", "n", "f", "off", "nein", "nee", "non", "não")

_INTEGER = re.compile(r"[+-]?\d+")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_CURRENCY = r"(?:[$€£¥₹₽₩₺฿]|USD|EUR|GBP|CHF|JPY|CAD|AUD|INR|CNY|SEK|NOK|DKK|PLN|BRL|ZAR|US\$|kr|zł)"
AMOUNT_AFFIX = rf"^\s*[-+]?\s*{_CURRENCY}\s*|\s*{_CURRENCY}\s*$"
_AFFIX = re.compile(AMOUNT_AFFIX)
EMAIL = r"[^@\s,;:<>\"()]+@[^@\s,;:<>\"()]+\.[^@\s,;:<>\"().]{2,}"
# What people write around an address.
_AROUND_EMAIL = re.compile(r"^(?:mailto:|[^<>@]*<)|>?[;,.\s]*$", re.IGNORECASE)
URL = r"(?i)(https?|ftp)://[^\s/$.?#][^\s]*|www\.[^\s/$.?#][^\s]*\.[^\s]+"
PHONE = r"(?i)\s*(tel[.:]?\s*)?[+(]?\d[\d\s().\-/]{4,20}\d\s*((ext|x|#)\.?\s*\d{1,6})?\s*"
_SEMANTICS = {"email": re.compile(EMAIL), "url": re.compile(URL), "phone": re.compile(PHONE)}
_NAMED = {
    "email": re.compile(r"(^|_)e_?mail(s|_address)?($|_)"),
    "phone": re.compile(r"(^|_)(phone|telephone|tel|mobile|cell|fax|handy|telefon|telephone_number)($|_)"),
    "url": re.compile(r"(^|_)(url|website|web_site|homepage|link)($|_)"),
}
# Numbers that nobody adds up, and that lose something as numbers.
_CODE_NAMES = re.compile(
    r"(^|_)(zip|zip_code|zipcode|postal|postal_code|postcode|plz|phone|telephone|tel|mobile|fax|iban|bic|swift|isbn|ean|"
    r"upc|gtin|ssn|vat|vat_id|tax_id|account_number|account_no|card|card_number|barcode|sku|imei)($|_)"
)

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)?)?")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type and how its texts are read.

    type: "text", "bigint", "double", "boolean", "date", "timestamp" or "json"; decimal, group: characters of
    numbers; amount: whether a currency, percent or parentheses stand around them; formats: strptime formats,
    none for ISO 8601; semantic: "email", "url", "phone" or None; ambiguous: whether another reading fits too.
    """

    type: str
    decimal: str = "."
    group: str = ""
    amount: bool = False
    percent: bool = False
    formats: tuple[str, ...] = ()
    semantic: str | None = None
    ambiguous: bool = False


TEXT = Kind("text")


@dataclass(frozen=True, slots=True)
class Hints:
    """What decides where a column alone cannot. day_first: True, False or None (nobody said)."""

    day_first: bool | None = None
    decimal_comma: bool | None = None


def is_null_text(text: str) -> bool:
    return text.lower() in NULL_TEXTS


def infer(values: Sequence[str], name: str, native: str | None = None, hints: Hints | None = None) -> Kind:
    """The type of a column called `name` whose sample, without blanks, is `values`."""
    if native == "json":
        return Kind("json")
    hints = hints or Hints()
    texts = [value.strip() for value in values]
    if not texts:
        return TEXT
    real = [text for text in texts if not is_null_text(text)]
    if not real:
        return TEXT
    semantic = _semantic(real, name)
    if semantic is not None:
        return replace(TEXT, semantic=semantic)
    if native != "text":
        kind = _boolean(real) or _number(real, name, native, hints)
        if kind is not None:
            return kind
    return _time(real, hints) or TEXT


def _most(matching: int, total: int) -> bool:
    """Whether so many of so many make the rest exceptions; with few values there are none."""
    return matching == total or (total >= 10 and matching >= total * (1 - TOLERANCE))


def _semantic(texts: Sequence[str], name: str) -> str | None:
    for semantic, pattern in _SEMANTICS.items():
        bare = [_AROUND_EMAIL.sub("", text) for text in texts] if semantic == "email" else texts
        matching = sum(1 for text in bare if pattern.fullmatch(text))
        named = _NAMED[semantic].search(name) is not None
        if named and matching * 2 >= len(texts):
            return semantic
        if semantic != "phone" and _most(matching, len(texts)):
            return semantic
    return None


def _boolean(texts: Sequence[str]) -> Kind | None:
    found = {text.lower() for text in texts}
    if found <= {"true", "false"}:
        return Kind("boolean")
    both = found & set(TRUE_TEXTS) and found & set(FALSE_TEXTS)
    return Kind("boolean") if both and found <= {*TRUE_TEXTS, *FALSE_TEXTS} else None


def _number(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    if _CODE_NAMES.search(name) and native != "number" and all(_INTEGER.fullmatch(text) for text in texts):
        return TEXT
    digits = [text for text in texts if _DIGIT.search(text)]
    if not _most(len(digits), len(texts)):
        return None
    if sum(1 for text in texts if _LEADING_ZERO.match(text) and _INTEGER.fullmatch(text)):
        # Eight digits that are all dates are dates; anything else with a leading zero is a code.
        return None if native == "number" else _time(texts, hints) or TEXT
    integers = [text for text in texts if _INTEGER.fullmatch(text)]
    if any(len(text.lstrip("+-")) > 15 for text in integers):
        fits = native == "number" and all(len(text.lstrip("+-")) <= 18 for text in integers)
        return Kind("bigint") if fits and len(integers) == len(texts) else TEXT
    if any(text.startswith("+") for text in integers):
        return TEXT
    if _most(len(integers), len(texts)):
        return _compact_dates(integers, name, native, hints) or Kind("bigint")
    if _most(sum(1 for text in texts if _PLAIN.fullmatch(text)), len(texts)):
        return Kind("double")
    return _styled(texts, hints)


def _compact_dates(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind | None:
    """Dates written as 20240131, where the column's name says so."""
    if native == "number" or "date" not in name or any(len(text) != 8 for text in texts):
        return None
    return _time(texts, hints)


def _styled(texts: Sequence[str], hints: Hints) -> Kind | None:
    """Numbers with groups, a decimal comma, a currency, percent or parentheses."""
    bare, amount, percent = [], False, 0
    for text in texts:
        core = bare_number(text)
        amount = amount or core != text
        percent += text.rstrip(") ").endswith("%")
        bare.append(core)
    styles = [
        (decimal, group) for decimal, group in ((".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
    ]
    counts = {style: sum(1 for text in bare if number_pattern(*style).fullmatch(text)) for style in styles}
    best = max(styles, key=lambda style: counts[style])
    if not _most(counts[best], len(bare)):
        return None
    if hints.decimal_comma and counts[(",", ".")] == counts[best]:
        best = (",", ".")
    decimal, group = best
    whole = not any(decimal in text for text in bare) and not percent
    both = counts[(".", ",")] == counts[(",", ".")] == len(bare) and any("," in text or "." in text for text in bare)
    return Kind(
        "bigint" if whole else "double", decimal, group, amount=amount, percent=percent * 2 > len(texts),
        ambiguous=both and hints.decimal_comma is None,
    )  # fmt: skip


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


def number_pattern(decimal: str, group: str) -> re.Pattern[str]:
    """Numbers with groups of three digits, or of two before the last three as in India."""
    point, between = re.escape(decimal), re.escape(group)
    return re.compile(rf"-?(\d{{1,3}}({between}\d{{2,3}})*{between}\d{{3}}|\d+)({point}\d+)?|-?{point}\d+")


def _time(texts: Sequence[str], hints: Hints) -> Kind | None:
    if not any(_DIGIT.search(text) for text in texts[:5]):
        return None
    iso = [match for text in texts if (match := _ISO.fullmatch(text))]
    if _most(len(iso), len(texts)):
        return Kind("timestamp" if any(match[1] for match in iso) else "date")
    fitting = candidate_formats(texts, _most)
    if not fitting:
        return None
    formats = _ordered(fitting, texts, hints)
    first = formats[0]
    timed = "%H" in first or "%I" in first
    orders = {order for order in map(_order, formats) if order is not None}
    ambiguous = len(orders) > 1 and hints.day_first is None
    return Kind("timestamp" if timed else "date", formats=(first,), ambiguous=ambiguous)


def _order(layout: str) -> str | None:
    if layout.startswith(("%d/", "%d-%m")):
        return "day"
    return "month" if layout.startswith(("%m/", "%m-")) else None


def _ordered(formats: Sequence[str], texts: Sequence[str], hints: Hints) -> list[str]:
    """Formats that fit, most likely first: what was said, then the month, which is the usual order with slashes."""
    wanted = {True: "day", False: "month", None: "month"}[hints.day_first]
    return sorted(formats, key=lambda layout: (_order(layout) not in (None, wanted), "%Y" not in layout))


def sure_day_first(kinds: Sequence[Kind]) -> bool | None:
    """What the columns whose order of day and month is certain say about the others of the same file."""
    orders = Counter(_order(kind.formats[0]) for kind in kinds if kind.formats and not kind.ambiguous)
    if orders["day"] == orders["month"]:
        return None
    return orders["day"] > orders["month"]
