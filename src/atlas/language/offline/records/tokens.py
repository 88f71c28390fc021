"""The vocabulary of texts on records, and their tokenizer.

Any text with two readings raises UnclearError.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from atlas.kit.identifiers import singular

VERBS = {
    "insert": ("add", "insert", "create", "register", "save", "store", "enter", "record", "append"),
    "update": ("update", "change", "set", "modify", "edit", "correct", "adjust", "amend", "mark", "rename"),
    "archive": ("archive", "delete", "remove"),
    "restore": ("restore", "unarchive", "un-archive", "undelete"),
    "undo": ("undo", "revert"),
}
INTENTS = {verb: intent for intent, verbs in VERBS.items() for verb in verbs}
# Fields that are recognized by their name alone, as in `name Bob, email b@x.co`.
FIELDS = frozenset(
    """name id email e-mail phone telephone mobile fax website url homepage domain linkedin address street city town
    country state region province zip zipcode postcode status stage type role title position job department team
    company organization organisation industry sector category tag tags label price cost amount total value budget
    revenue salary currency discount quantity qty stock size color colour weight height width length brand model sku
    code number age gender birthday dob date time day month year deadline start end priority rating score level
    rank note notes comment comments description summary subject message text body reason source channel owner manager
    assignee language timezone iban vat username nickname surname lastname firstname first_name last_name full_name
    phone_number email_address postal_code zip_code due_date created_at updated_at latitude longitude since""".split()
)
PHRASES = frozenset(
    ["first name", "last name", "full name", "middle name", "postal code", "date of birth", "country of origin"]
)
KINDS = frozenset(
    """client customer contact lead deal company account user person employee member partner supplier vendor product
    item order invoice payment ticket task event meeting project opportunity prospect note subscription contract quote
    asset device vehicle book student teacher patient doctor candidate applicant job campaign expense transaction
    booking reservation appointment article post organization organisation team department location store shop
    branch subscriber donor guest tenant property sale purchase""".split()
)
_MODIFIERS = frozenset("sales purchase support job service work bank blog credit team project business web".split())
GENERIC = frozenset("record entry row line entity one thing".split())
NO_NAMES = frozenset(
    """table list collection column field database schema file import dataset it that this them him her these those where match
    value password key everything anything something what who index user's""".split()
)
DETERMINERS = frozenset("a an the this my our your another new following existing current".split())
PLURAL_DETERMINERS = frozenset("these those some several multiple many both few".split())
NUMBERS = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
_ABBREVIATIONS = frozenset("inc ltd co corp st dr mr mrs ms jr sr no nr llc plc dept ave rd bros".split())
_NEGATED = frozenset(
    """not don't dont doesn't never without cannot can't won't shouldn't mustn't stop avoid except excluding unlike
    instead""".split()
)
_UNSURE = frozenset(
    """if unless maybe perhaps possibly probably might when whenever once until whether or otherwise assuming provided
    tomorrow later either""".split()
)
_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})
_TOKEN = re.compile(
    r"\"(?P<double>[^\"]*)\"|(?:(?<=[\s=:(,])|(?<![\s\S]))'(?P<single>[^']*)'(?=[\s,;:.!?]|$)|`(?P<code>[^`]+)`"
    r"|(?P<word>[^\s\"`]+|[\"`])"
)
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_PAIR = re.compile(r"([^\W\d][\w-]{0,60})(=|:)(?!//)(?=\S)")
_ARROWS = frozenset(["->", "=>", "→", "==", "="])


class UnclearError(Exception):
    """A question to the user. Nothing may be written."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted text without its quotes, or a mark of `,;:=.!?`.

    glued: no space stands before the token.
    """

    text: str
    kind: str
    glued: bool = False

    @property
    def word(self) -> str:
        """The word in lower case, or the mark. Empty for a quoted text, which stands for itself only."""
        return "" if self.kind == "quoted" else self.text.translate(_PLAIN).lower()


Tokens = Sequence[Token]


def tokenize(text: str) -> list[Token]:
    """Tokenizes a text.

    Raises UnclearError: when a quote is not closed, or stands inside a word.
    """
    plain = text.translate(_PLAIN)
    found: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(plain):
        glued = match.start() == end and end > 0
        kind = match.lastgroup or "word"
        start, end = match.span(kind)[0], match.end()
        if kind != "word":
            if glued and found and found[-1].text not in ("=", ":", ","):
                raise UnclearError("A quote stands inside a word. Can you put each value in quotes of its own?")
            found.append(Token(text[start : match.end(kind)], "quoted", glued))
        else:
            _split_word(text[start:end], glued, found)
    for token in found:
        plain_word = token.text.translate(_PLAIN)
        open_quote = '"' in plain_word or "`" in plain_word or plain_word.startswith("'")
        if token.kind == "word" and open_quote and plain_word.lower() not in ("'s", "'"):
            raise UnclearError("A quote is not closed. Where does the value end?")
    return found


def _split_word(chunk: str, glued: bool, found: list[Token]) -> None:
    """Adds the tokens of a chunk without spaces: its word, its pairs such as `a=1,b=2`, and the marks behind."""
    if chunk in _ARROWS:
        found.append(Token("=", "mark", glued))
        return
    core = chunk.rstrip(",;:.!?=")
    marks = chunk[len(core) :]
    if marks.startswith(".") and (core.lower() in _ABBREVIATIONS or (len(core) == 1 and core.isalpha())):
        core, marks = core + ".", marks[1:]
    parts = re.split(r",(?=[^\W\d][\w-]{0,60}=)", core) if "://" not in core else [core]
    for index, part in enumerate(parts):
        if index:
            found.append(Token(",", "mark", True))
        match = _PAIR.match(part)
        if match and (match[2] == "=" or match[1].lower() in FIELDS):
            found += [Token(match[1], "word", glued), Token(match[2], "mark", True)]
            part, glued = part[match.end() :], True
        if part:
            found.append(Token(part, "word", glued))
    found += [Token(mark, "mark", True) for mark in marks]


def sentences(tokens: Tokens) -> list[list[Token]]:
    """Splits tokens into sentences without their end marks. A question keeps its `?`."""
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "mark" and token.text in ".!?":
            if token.text == "?":
                found[-1].append(token)
            found.append([])
        else:
            found[-1].append(token)
    return [part for part in found if any(t.kind != "mark" for t in part)]


def text_of(tokens: Tokens) -> str:
    """Joins tokens to a text that is short enough for a question."""
    text = "".join(("" if t.glued else " ") + t.text for t in tokens[:40]).strip()
    return text if len(text) <= 80 else text[:77] + "..."


def check_gates(tokens: Tokens) -> None:
    """Refuses a text with unquoted words that deny something or depend on a condition.

    Raises UnclearError: for such a text.
    """
    words = [token.word for token in tokens if token.kind == "word"]
    joined = " ".join(words[:20_000])
    if not _NEGATED.isdisjoint(words) or re.search(r"\b(?:do n't|no longer|other than|rather than)\b", joined):
        raise UnclearError(
            "You say what not to do. What exactly should be written? Words of a value can stand in quotes."
        )
    if not _UNSURE.isdisjoint(words) or re.search(r"\b(?:in case|as soon as|next (?:week|month|year))\b", joined):
        raise UnclearError(
            "This depends on something that I cannot decide. What should be written? Words of a value can stand in quotes."
        )


def is_field(name: str) -> bool:
    """Checks whether a name is a well-known field, or starts or ends with such a field: `Billing email`."""
    words = re.findall(r"\w[\w-]*", name.lower())
    return bool(words) and (words[-1] in FIELDS or words[0] in FIELDS or words[-1].endswith("_id"))


def looks_like_name(token: Token) -> bool:
    """Checks whether a token is rather a name, a number or an address than a plain word."""
    return token.kind == "quoted" or not token.text.isalpha() or token.text[0].isupper()


def names_field(token: Token) -> bool:
    """Checks whether a token can be a word of a field's name."""
    return token.kind == "word" and _IDENTIFIER.fullmatch(token.text) is not None and token.word not in ("and", "to")


def trim(tokens: Tokens, *, front: Container[str] = (), back: Container[str] = ()) -> Tokens:
    """Removes the unquoted words and marks of `front` from the start, and those of `back` from the end."""
    start, end = 0, len(tokens)
    while start < end and tokens[start].word in front:
        start += 1
    while end > start and tokens[end - 1].word in back:
        end -= 1
    return tokens[start:end]


def kind_of(tokens: Tokens) -> str:
    """Returns the kind of record that tokens name, in lower case and singular.

    Raises UnclearError: when the tokens name no kind.
    """
    words = [token.word for token in tokens]
    is_verb = bool(words) and words[-1] in INTENTS and words[-1] not in KINDS | GENERIC
    if not words or is_verb or words[-1] in NO_NAMES or singular(words[-1]) in NO_NAMES:
        raise UnclearError(f"I write records only. Which kind of record is {text_of(tokens)!r}?")
    return " ".join([*words[:-1], singular(words[-1])])


def kind_size(tokens: Tokens) -> int:
    """Counts the first words that name a well-known kind of record: 2 for `sales order 5`, 0 for no kind."""
    for size in (1, 2, 3):
        part = tokens[:size]
        if (
            len(part) < size
            or not all(names_field(token) for token in part)
            or singular(part[-1].word) not in KINDS | GENERIC
        ):
            continue
        # `sales order` is a kind. `old client` is a client.
        if all(token.text.islower() and (token.word in _MODIFIERS or token.word in KINDS) for token in part[:-1]):
            return size
    return 0
