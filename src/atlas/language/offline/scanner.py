"""A text from which phrases are taken as they are understood, so that what is left was not."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTES = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "`": '"', "«": '"', "»": '"'}
# Words without which a sentence means the same.
FILLERS = frozenset(
    """a an the this that these those my our your their its please pls kindly and or then also with of in into
    to from for by as it them i we you want would like need can could should will let lets us me just now
    here is are be all any every each file csv excel spreadsheet sheet json xml parquet upload attached data
    dataset table tables column columns import create make build load insert add put bring ingest store save
    read use make sure so do does rows row records record entries contents content everything new existing
    called named name on at if there which have has there's thanks thank hello hi hey carefully correctly
    properly automatically out up one ones only while when""".split()
)


class Scanner:
    """The text of an instruction. What is taken is blanked, so that positions stay."""

    def __init__(self, text: str) -> None:
        for odd, plain in _QUOTES.items():
            text = text.replace(odd, plain)
        self.text = re.sub(r"\s+", " ", text).strip()
        self._left = self.text

    def take(self, pattern: str) -> re.Match[str] | None:
        """The first match of `pattern` in what is left, in any case of letters; it is taken out."""
        found = re.search(pattern, self._left, re.IGNORECASE)
        if found is not None:
            self._blank(found)
        return found

    def take_all(self, pattern: str) -> Iterator[re.Match[str]]:
        """Every match of `pattern`, taken one after the other."""
        while found := self.take(pattern):
            yield found

    def _blank(self, found: re.Match[str]) -> None:
        # A mark where something was, so that phrases on both sides do not join.
        self._left = self._left[: found.start()] + "\0" * (found.end() - found.start()) + self._left[found.end() :]

    def rest(self) -> tuple[str, ...]:
        """Phrases that nobody took and that mean something."""
        phrases = []
        for part in re.split(r"[\0.,;:!?]+|\s+-\s+", self._left):
            words = [word for word in re.findall(r"[^\W_][\w'%-]*", part) if word.lower() not in FILLERS]
            if words:
                phrases.append(" ".join(words))
        return tuple(phrases)


NAME = r"(?:\"[^\"]+\"|'[^']+'|[\w][\w.&-]*)"


def unquote(text: str) -> str:
    """A name without the quotes and the full stop around it."""
    text = text.strip().rstrip(".,;:")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def listed(text: str) -> list[str]:
    """Names in a list such as `a, b and "c d"`."""
    parts = re.findall(r"\"[^\"]+\"|'[^']+'|[^,&]+?(?=\s*(?:,|&|\band\b|\bor\b|$))", text, re.IGNORECASE)
    names = [
        re.sub(r"^(?:and|or|the|columns?|fields?)\s+", "", part.strip(" ,&"), flags=re.IGNORECASE) for part in parts
    ]
    return [unquote(name) for name in names if unquote(name) and unquote(name).lower() not in ("and", "or", "the")]
