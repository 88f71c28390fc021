"""Names of text encodings."""

from __future__ import annotations

import codecs
import re

# Names of everyday speech that Python does not know.
_EVERYDAY = {"latin": "latin-1", "macroman": "mac_roman", "macintosh": "mac_roman", "unicode": "utf-16"}
# The names by which guesses call encodings.
_USUAL = {"iso8859_1": "latin-1", "shift_jis": "cp932", "gbk": "gb18030", "gb2312": "gb18030", "euc_kr": "cp949"}


def find_encoding(told: str) -> str | None:
    """Gives the name of an encoding of texts as Atlas writes it. None for any other word.

    Spellings such as `Windows-1250`, `windows 1250`, `CP1250`, `latin 1` and `ISO 8859-2` are known.
    """
    plain = re.sub(r"[\s_]+", "-", told.strip().lower())
    for name in (_EVERYDAY.get(plain, plain), plain.replace("-", "")):
        try:
            # Python knows encodings that are none of texts, such as hex, by the same names.
            "a".encode(name)
            found = codecs.lookup(name).name
        except (LookupError, ValueError):
            continue
        if found in ("idna", "punycode", "unicode_escape", "raw_unicode_escape"):
            continue
        if found.startswith("utf"):
            return found
        found = found.replace("-", "_")
        return _USUAL.get(found, found)
    return None
