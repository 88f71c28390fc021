"""Guesses the encoding of a text from all of its lines with bytes beyond ASCII.

chardet ranks encodings by the sequences of characters in each language. Texts in tables are short, so encodings with
similar letters score similarly. Between such encodings two facts decide: how common an encoding is, and whether its
letters form words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import chardet

_CHUNK = 4 * 1024 * 1024
# The bytes of such lines, from the whole file, that are examined.
_EVIDENCE = 200_000
_LINES = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
# How common an encoding is in files of tables. The keys are chardet's names, the values Python's.
_USUAL = {
    "windows-1252": ("cp1252", 1.92),
    "windows-1250": ("cp1250", 1.0),
    "windows-1251": ("cp1251", 1.0),
    "windows-1253": ("cp1253", 1.0),
    "windows-1254": ("cp1254", 1.0),
    "windows-1255": ("cp1255", 1.0),
    "windows-1256": ("cp1256", 1.0),
    "windows-1257": ("cp1257", 1.0),
    "windows-1258": ("cp1258", 0.9),
    "iso-8859-1": ("latin-1", 0.9),
    "iso-8859-2": ("iso8859_2", 0.9),
    "iso-8859-5": ("iso8859_5", 0.9),
    "iso-8859-6": ("iso8859_6", 0.9),
    "iso-8859-7": ("iso8859_7", 0.9),
    "iso-8859-8": ("iso8859_8", 0.9),
    "iso-8859-9": ("iso8859_9", 0.9),
    "iso-8859-13": ("iso8859_13", 0.9),
    "iso-8859-15": ("iso8859_15", 0.9),
    "koi8-r": ("koi8_r", 1.0),
    "koi8-u": ("koi8_u", 0.9),
    "cp866": ("cp866", 0.9),
    "cp437": ("cp437", 0.8),
    "cp850": ("cp850", 0.9),
    "cp852": ("cp852", 0.8),
    "macroman": ("mac_roman", 0.9),
    "maclatin2": ("mac_latin2", 0.6),
    "maccyrillic": ("mac_cyrillic", 0.6),
    "macgreek": ("mac_greek", 0.6),
    "macturkish": ("mac_turkish", 0.6),
    "cp932": ("cp932", 1.2),
    "euc-jp": ("euc_jp", 2.2),
    "gb18030": ("gb18030", 1.0),
    "big5": ("big5", 1.0),
    "big5hkscs": ("big5hkscs", 0.8),
    "cp949": ("cp949", 1.0),
    "cp874": ("cp874", 1.0),
    "iso-2022-jp": ("iso2022_jp", 1.0),
}
# Encodings that score this close to the best are reported with it. Few letters prove little.
_CLOSE, _CLOSE_IF_FEW, _FEW = 0.8, 0.33, 16
_OTHERS = 3
# The share of the best score that the encoding of the table's last file needs, to be used instead.
_LIKELY_AS_BEFORE, _LIKELY_AS_BEFORE_IF_FEW = 0.6, 0.4
# Statistics prove nothing for so few letters: one Polish letter resembles others in a dozen encodings.
_TOO_FEW = 2
# The least confidence in the two most common encodings, where chardet names neither.
_LEAST = {"cp1252": 0.003, "cp932": 0.003}
# Icelandic letters of Windows-1252. Other code pages have Turkish and Baltic letters at these bytes, and 200 times as
# many people write those.
_ICELANDIC = re.compile("[ÐÞðþ]")
# Control characters and private-use characters, which no text has, although an encoding may.
_NO_TEXT = re.compile("[\x80-\x84\x86-\x9f\ue000-\uf8fe]")
# Signs in the places where texts in ASCII have signs: 20 °C, 5 µm, m², ½ cup, 3 × 4, £5, don’t, “so”, Foo™, a – b.
_SIGNS = re.compile(
    r"""(?:[\x00-\x7f\xa0]|(?<![^\W\d_])[°º½¼¾×÷±§£€¥¢–—](?![^\W\d_])|(?<![^\W\d_])°(?=[CFK]\b)|µ(?=[a-zA-Z])|
    (?<=\b[nN])[°º](?!\w)|(?<=[mM])[²³](?!\w)|№(?=\ ?\d)|(?<!\w)[•·‰†‡](?!\w)|
    (?<!\w)[“„«‘](?=\w)|(?<=[\w.,!?])[”“»’](?!\w)|’(?=[a-zA-Z]{1,2}\b)|
    (?<=\w)[™®©]|©(?=\ )|…(?!\w))+""",
    re.VERBOSE,
)
_SIGNS_SCORE = 0.5
# Half-width katakana, which Japanese banks use: sequences of these bytes, about half in the second range.
_KATAKANA = re.compile(rb"(?:[\x00-\x7f]|(?<![a-zA-Z])[\xa1-\xdf]{2,}(?![a-zA-Z]))+")
_FREQUENT_KATAKANA = re.compile(rb"[\xb1-\xbf]")
_KATAKANA_SCORE, _KATAKANA_LEAST = 0.3, 0.2
# The number of characters that are scored again in lower case, as the statistics are of texts with few capitals.
_CAPITALS = 5_000
# Letters of Icelandic and Russian that begin no word, and letters of Hebrew and Arabic or Greek that end words.
_INNER = frozenset("ðьЬ")
_FINAL = frozenset("ςךםןףץةى")
# Fractions stand beside no letter, and signs of currencies before none of the letters beyond ASCII.
_FRACTIONS, _MONEY = frozenset("¼½¾"), frozenset("£¥¢")
# Signs within words of some languages, or between numbers.
_WITHIN = frozenset("’‘´`·•–—‐\u00ad\u00a0\u200b\u200c\u200dʼ")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by Python's name, and other encodings that fit about as well."""

    name: str
    others: tuple[str, ...] = ()


def guess(path: Path, *, skip_utf8: bool = False, before: str | None = None) -> Encoding:
    """Guesses the encoding of a text file that is not UTF-8.

    skip_utf8: examine only the lines that are not UTF-8.
    before: the encoding of the table's last file. It is used if it reads the same text, or fits about as well as the
    best.
    """
    evidence = _evidence(path, skip_utf8=skip_utf8)
    ranked = sorted(_scores(evidence).items(), key=lambda item: -item[1])
    if not ranked:
        return Encoding("latin-1")
    best, score = ranked[0]
    if before is not None and _may_be(before, evidence, ranked):
        # Encodings with a higher score than `before` are alternatives to report.
        best, score = before, dict(ranked).get(before, score)
    read = evidence.decode(best)
    factor = _CLOSE if _beyond(evidence) >= _FEW else _CLOSE_IF_FEW
    readings = {read: best}
    for name, other in ranked:
        if name != best and other > score * factor:
            readings.setdefault(evidence.decode(name), name)
    return Encoding(best, tuple(readings.values())[1 : _OTHERS + 1])


def _may_be(before: str, evidence: bytes, ranked: Sequence[tuple[str, float]]) -> bool:
    """Checks whether a text may be in the encoding of the table's last file."""
    best, score = ranked[0]
    text = _decoded(evidence, before)
    if text is None:
        return False
    likely = _LIKELY_AS_BEFORE if _beyond(evidence) >= _FEW else _LIKELY_AS_BEFORE_IF_FEW
    if text == evidence.decode(best) or dict(ranked).get(before, 0.0) >= score * likely:
        return True
    different = {byte for byte in evidence if byte > 127}
    return len(different) <= _TOO_FEW and not _NO_TEXT.search(text) and not _odd(text)


def count_lines(path: Path) -> tuple[int, int]:
    """Counts the lines with characters beyond ASCII: (UTF-8, not UTF-8)."""
    valid = invalid = 0
    for line in _beyond_ascii(path):
        if is_utf8(line):
            valid += 1
        else:
            invalid += 1
    return valid, invalid


def is_utf8(line: bytes) -> bool:
    """Checks whether bytes are UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _beyond_ascii(path: Path) -> Iterator[bytes]:
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            for match in _LINES.finditer(whole):
                yield match[0]
    for match in _LINES.finditer(rest):
        yield match[0]


def _evidence(path: Path, *, skip_utf8: bool) -> bytes:
    found, size = [], 0
    for line in _beyond_ascii(path):
        if skip_utf8 and is_utf8(line):
            continue
        found.append(line[:2_000])
        size += len(found[-1]) + 1
        if size > _EVIDENCE:
            break
    return b"\n".join(found)


def _scores(evidence: bytes) -> dict[str, float]:
    """Scores each encoding, by Python's names."""
    found: dict[str, float] = {}
    beyond = max(1, _beyond(evidence))
    confidences = _confidences(evidence)
    for name, usual in _USUAL.values():
        text = _decoded(evidence, name)
        if text is None or _NO_TEXT.search(text):
            continue
        if _SIGNS.fullmatch(text):
            found[name] = _SIGNS_SCORE * usual
        elif confidence := max(confidences.get(name, _LEAST.get(name, 0.0)), _confidence_in_small(text, name)):
            if name in ("cp1252", "latin-1", "iso8859_15") and _ICELANDIC.search(text):
                usual *= 0.6
            found[name] = confidence * usual * max(0.0, 1 - 2 * _odd(text) / beyond)
    share = len(_FREQUENT_KATAKANA.findall(evidence)) / beyond
    if share > _KATAKANA_LEAST and _KATAKANA.fullmatch(evidence):
        found["cp932"] = max(found.get("cp932", 0.0), _KATAKANA_SCORE * share)
    return {name: score for name, score in found.items() if score > 0}


def _beyond(evidence: bytes) -> int:
    return sum(byte > 127 for byte in evidence)


def _confidences(evidence: bytes) -> dict[str, float]:
    """Returns chardet's confidence in each encoding, by Python's names."""
    found: dict[str, float] = {}
    for one in chardet.detect_all(evidence, ignore_threshold=True, max_bytes=_EVIDENCE):
        name, _ = _USUAL.get(str(one["encoding"]).lower().replace("ibm", "cp"), ("", 0.0))
        found.setdefault(name, one["confidence"])
    # It differs from two others in 8 characters, and the statistics do not tell them apart.
    found["iso8859_15"] = max(found.get(name, 0.0) for name in ("iso8859_15", "latin-1", "cp1252"))
    return found


def _confidence_in_small(text: str, name: str) -> float:
    """Returns the confidence in an encoding for a text of capitals, in lower case. Returns 0 for any other text."""
    letters = {character for character in text[:_CAPITALS] if character > "\x7f" and character.isalpha()}
    # One letter proves nothing.
    if len(letters) < 2 or not "".join(letters).isupper():
        return 0.0
    return _confidences(text[:_CAPITALS].lower().encode(name, "ignore")).get(name, 0.0)


def _decoded(evidence: bytes, name: str) -> str | None:
    try:
        return evidence.decode(name)
    except UnicodeDecodeError:
        return None


def _odd(text: str) -> int:
    """Counts the places beyond ASCII that occur in words of no language."""
    odd = 0
    before, last = "\n", "\n"
    for character in text + "\n":
        if last > "\x7f" or character > "\x7f":
            odd += _is_odd(before, last, character)
        before, last = last, character
    return odd


def _is_odd(before: str, last: str, character: str) -> bool:
    """Checks three adjacent characters for a capital or sign within a word, or for two alphabets in one word."""
    if last.islower() and character.isupper():
        return True
    if last > "\x7f" and before.isupper() and last.isupper() and character.islower():
        return True
    if last in _INNER and not before.isalpha():
        return True
    if last in _FRACTIONS and (before.isalpha() or character.isalpha()):
        return True
    if last == "¤" or (last in _MONEY and character > "\x7f" and character.islower()):
        return True
    if last.isalpha() and character.isalpha():
        return last in _FINAL or _alphabet(last) != _alphabet(character)
    if last.isalpha() and unicodedata.category(character)[0] == "M":
        return _alphabet(character) not in (_alphabet(last), "COMBINING")
    if last <= "\x7f" or last.isalnum() or last in _WITHIN or not character.isalpha():
        return False
    kind = unicodedata.category(last)
    return (kind in ("So", "Sk", "Sm") and character.islower()) or (before.isalpha() and kind[0] != "M")


def _alphabet(letter: str) -> str:
    """Returns the first word of a letter's Unicode name, such as LATIN or CYRILLIC.

    Chinese and Japanese share one name.
    """
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return "HAN" if name in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name
