"""Reads Excel's number formats: formats that make codes of numbers (`00000`), and marks beside numbers (`$`, `kg`)."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

# Built-in formats that files do not define: money and percents.
_BUILT_IN = {5: "$#,##0", 6: "$#,##0", 7: "$#,##0.00", 8: "$#,##0.00", 9: "0%", 10: "0.00%"}
_FORMAT = re.compile(r"<(?:\w+:)?numFmt\s([^>]*)>")
_CELL_FORMATS = re.compile(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_CELL_FORMAT = re.compile(r"<(?:\w+:)?xf\s([^>]*)>")
_NUMBER = re.compile(r"""\bnumFmtId\s*=\s*["'](\d+)["']""")
_CODE = re.compile(r"""\bformatCode\s*=\s*(?:"([^"]*)"|'([^']*)')""")
# A piece of a format: a quoted text, an escaped character, a currency, another bracket, padding, or a character.
_PIECE = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]|\[[^\]]*\]|[_*].|(.)')
_DATES = re.compile(r"[ymdhsgbe]", re.IGNORECASE)
_MOST_PLACES = 30


@dataclass(frozen=True, slots=True)
class ShownAs:
    """The display of whole numbers by a format.

    pattern: texts and places of digits ("0", "#") if these make a code.
    mark: otherwise the mark beside the number, such as a currency, a unit or `%`.
    """

    pattern: tuple[tuple[str, bool], ...] = ()
    mark: str = ""

    def code(self, number: float) -> str | None:
        """Returns the displayed text of a number, or None if the number is not whole or the format makes no code."""
        places = sum(is_place for _, is_place in self.pattern)
        if not self.pattern or number < 0 or number != int(number):
            return None
        digits = str(int(number)).rjust(places)
        shown, left = [], len(digits) - places
        for text, is_place in self.pattern:
            if not is_place:
                shown.append(text)
                continue
            # Digits without a place stand before the first place.
            part, digits, left = digits[: left + 1], digits[left + 1 :], 0
            shown.append(part if part != " " else "0" if text == "0" else "")
        return "".join(shown)


def shown_formats(styles: str) -> dict[int, ShownAs]:
    """Returns the formats of cells by number, from the part `styles.xml`, without formats that show plain numbers."""
    codes = dict(_BUILT_IN)
    for text in _FORMAT.findall(styles):
        number, code = _NUMBER.search(text), _CODE.search(text)
        if number and code:
            codes[int(number[1])] = html.unescape(code[1] or code[2] or "")
    block = _CELL_FORMATS.search(styles)
    found = {}
    for index, text in enumerate(_CELL_FORMAT.findall(block[0]) if block else ()):
        number = _NUMBER.search(text)
        shown = shown_as(codes.get(int(number[1]), "")) if number else None
        if shown is not None:
            found[index] = shown
    return found


def shown_as(code: str) -> ShownAs | None:
    """Returns what a format displays besides the number, or None for nothing or for a date."""
    first = code.split(";", 1)[0]
    if re.match(r"\[[<>=]", first) or first.strip().lower() in ("", "general", "@"):
        return None
    pieces: list[tuple[str, bool]] = []
    for found in _PIECE.finditer(first):
        quoted, escaped, currency, plain = found.groups()
        told = quoted if quoted is not None else escaped if escaped is not None else currency
        if told:
            pieces.append((told, False))
        elif plain:
            pieces.append((plain, plain in "0#?.,"))
    rest = "".join(text for text, is_place in pieces if is_place)
    literal = "".join(text for text, is_place in pieces if not is_place).strip()
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].', "", first)
    if _DATES.search(plain) or "/" in plain or not rest:
        return None
    if set(rest) <= {"0", "#"} and 1 < len(rest) <= _MOST_PLACES and (rest.count("0") > 1 or _inner(pieces)):
        return ShownAs(pattern=tuple(pieces))
    mark = literal.strip("-+() ")
    # A format that shows thousands stores single units.
    scaled = re.search(r"[0#.],+(?![0#?])", plain) is not None
    return ShownAs(mark=mark) if mark and not scaled else None


def _inner(pieces: list[tuple[str, bool]]) -> bool:
    """Checks whether texts stand between places of digits, as in `000-00-0000`."""
    places = [at for at, (_, is_place) in enumerate(pieces) if is_place]
    return any(not is_place for _, is_place in pieces[places[0] : places[-1]])
