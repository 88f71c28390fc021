"""Datasets of other organizations that a question names. Other datasets of others take no part in the answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from atlas.catalog.model import CatalogTable
from atlas.kit.identifiers import singular

# Most datasets of others for one question.
MOST_MENTIONED = 5
_LEAST_LETTERS = 3
_BLANKS = re.compile(r"[\W_]+")
_READ = re.compile(r"""(?:\bfrom|\bjoin|,)\s*(?:"((?:[^"]|"")+)"|(\w+))""", re.IGNORECASE)
# Words of any question, which never name a dataset.
_COMMON = frozenset(
    "how many much what which who whom whose when where why the this that these those all any and for with without "
    "from into than then are was were been being have has had does did done can could will would there their them "
    "they our your you its his her per each every both other others some none not total totals sum count counts "
    "average mean median minimum maximum number numbers amount value values share show list find give tell get top "
    "first last latest best worst most least more less over under above below between since until before after "
    "during about day days week weeks month months quarter quarters year years date dates time times today "
    "yesterday row rows record records data table tables dataset datasets column columns name names group groups "
    "order high highest low lowest".split()
)


def find_mentioned(text: str, names: Iterable[str], own: Collection[CatalogTable]) -> list[str]:
    """Returns those of datasets' `names` that a question contains as a whole, at most MOST_MENTIONED, the longest
    first.

    Names that `own` tables or columns, or their words, also have do not count.
    """
    words = f" {_plain(text)} "
    taken = {_plain(table.name) for table in own} | {_plain(column.name) for table in own for column in table.columns}
    taken |= {word for name in taken for word in name.split()}
    taken |= {singular(name) for name in taken}
    found = []
    for name in names:
        plain = _plain(name)
        distinctive = any(word not in _COMMON and not word.isdigit() for word in plain.split())
        called = distinctive and len(plain) >= _LEAST_LETTERS and f" {plain} " in words
        if called and plain not in taken and singular(plain) not in taken:
            found.append(name)
    return sorted(found, key=len, reverse=True)[:MOST_MENTIONED]


def read_by(sql: str) -> list[str]:
    """Returns the relations that a query may read by its text: names after FROM, JOIN and commas."""
    return [quoted.replace('""', '"') or plain for quoted, plain in _READ.findall(sql)]


def _plain(text: str) -> str:
    """Returns the words of a text in lower case with single blanks in between."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
