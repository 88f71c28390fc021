"""Reads the structure of a Markdown text on records: sentences, headings, and fields in lists, lines or tables.

markdown-it parses the blocks. The inline rules are off, since `2*3*4` in a value is no emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from atlas.kit.identifiers import singular
from atlas.language.offline.records.tokens import INTENTS, KINDS, UnclearError, is_field

# markdown-it drops blocks that are nested more than 20 levels deep.
MAX_DEPTH = 12
# HTML, link definitions and inline marks are parts of values here.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["inline", "text_join", "reference", "html_block"])
)
_MARKED = re.compile(r"(\*\*|__|\*|_|`)([^*`]{1,60}?)(:?)\1\s*(:|=|[-–—](?=\s))?(.*)")
_PLAIN = re.compile(r"([^\W\d][\w /#().&'’-]{0,59}?)(?:\s{0,3}(:)(?!//)|\s{0,3}(=)(?![=>])|\s([-–—])(?=\s))(.*)")
_NEXT_PAIR = re.compile(r"[,;]\s*([^\W\d][\w -]{0,40}?)\s{0,3}(?:(:)(?=\s)|(=)(?!=))\s*(?=\S)")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")
# Words that start a sentence and not the name of a field.
_SENTENCE = frozenset(
    """the this that these those here we i our please if unless do don't don’t never hi hello hey dear for in when also
    and then thanks to can could would will let you there stop not what how who""".split()
)
# Alone, `Important: do not mail them` is hardly a field.
_NOTICES = frozenset(
    "important warning attention caution ps fyi reminder todo disclaimer note notes hint tip example draft".split()
)
_KEY_HEADERS = frozenset("field fields key property attribute column".split())


@dataclass(slots=True)
class Record:
    """The fields of a record, empty values included. title: the list's text above or in place of the fields."""

    fields: dict[str, str]
    title: str = ""


@dataclass(slots=True)
class Section:
    """A heading with its level and the records below the heading. Level 0: no heading."""

    title: str
    level: int
    records: list[Record] = field(default_factory=list)
    _flat: list[dict[str, str]] = field(default_factory=list)
    _even: bool = False

    def add(self, name: str, value: str, *, fresh: bool) -> None:
        """Adds a field. A repeated first field starts the next record.

        fresh: the field starts a list or paragraph.
        Raises UnclearError: when another field occurs twice.
        """
        key = plain_name(name)
        current = self._flat[-1] if self._flat else None
        if current is None or not current:
            self._flat[-1:] = [{name: value}]
        elif key == plain_name(next(iter(current))):
            # Without a gap between records a repeated name may be a mistake.
            self._even = self._even or not fresh
            self._flat.append({name: value})
        elif name in current or key in {plain_name(told) for told in current}:
            raise UnclearError(f"{name} is told twice. Which value is right?")
        else:
            current[name] = value

    def part(self) -> None:
        """Ends the current record."""
        if self._flat and self._flat[-1]:
            self._flat.append({})

    def finish(self) -> None:
        """Converts the fields to records. Raises UnclearError when it is unclear which fields belong together."""
        flat = [fields for fields in self._flat if fields]
        if flat and self.records:
            raise UnclearError("Some fields stand beside a list or table of records. Which record do they belong to?")
        if self._even and len({frozenset(map(plain_name, fields)) for fields in flat}) > 1:
            raise UnclearError(f"{next(iter(flat[0]))} is told twice. Are these several records? A heading each helps.")
        self.records += [Record(fields) for fields in flat]
        self._flat = []


@dataclass(slots=True)
class Document:
    """The parts of a text.

    prose: paragraphs with the sentences that are no fields.
    lines: the lines as markdown-it counts lines.
    """

    lines: list[str]
    prose: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=lambda: [Section("", 0)])


@dataclass(slots=True)
class _Item:
    """An item of a list. nested: whether the item has a list of its own."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    nested: bool = False


def plain_name(name: str) -> str:
    """Normalizes the name of a field, so that `E-mail address` equals `email`."""
    plain = re.sub(r"[\W_]+", "", name.lower())
    return "email" if plain == "emailaddress" else plain


def read_document(text: str) -> Document:
    """Parses a text into a document. Raises UnclearError when the text has several readings."""
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    tokens = _MARKDOWN.parse(text)
    if any(token.level > MAX_DEPTH for token in tokens):
        raise UnclearError("The lists are nested too deeply. Can you send a flat list of fields?")
    document = Document(text.split("\n"))
    position = 0
    while position < len(tokens):
        position = _block(document, tokens, position)
    for section in document.sections:
        section.finish()
    return document


def _block(document: Document, tokens: Sequence[Token], position: int) -> int:
    """Reads the block at `position`. Returns the position behind the block."""
    token = tokens[position]
    section = document.sections[-1]
    if token.type == "heading_open":
        content = tokens[position + 1].content
        if token.markup in ("=", "-") and ("\n" in content or split_field(content)):
            # A line of dashes directly below fields is a separator rather than a heading.
            _paragraph(document, content)
            document.sections[-1].part()
        else:
            document.sections.append(Section(_bare(content), int(token.tag[1])))
        return position + 3
    if token.type == "paragraph_open":
        _paragraph(document, tokens[position + 1].content)
        return position + 3
    if token.type in ("bullet_list_open", "ordered_list_open"):
        items, position = _list(tokens, position)
        _place(section, items)
        return position
    if token.type in ("fence", "code_block"):
        _code(section, token)
    elif token.type == "table_open":
        return _table(document, tokens, position)
    elif token.type == "hr":
        section.part()
    else:
        raise UnclearError("I do not read quoted text. Can you tell the records without it?")
    return position + 1


def split_field(line: str) -> tuple[str, str, str] | None:
    """Splits a line such as `**Name:** Acme` into (name, separator, raw value). None: the line is no field."""
    line = line.strip()
    if line[:2] in ("**", "__") and line.endswith(line[:2]) and line.count(line[:2]) == 2:
        line = line[2:-2].strip()
    match = _MARKED.fullmatch(line)
    if match and (match[3] or match[4]):
        name, mark, value = match[2], match[3] or match[4], match[5]
    else:
        match = _PLAIN.fullmatch(line)
        if match is None:
            return None
        name, mark, value = match[1], match[2] or match[3] or "-", match[5]
        if mark == ":" and value[:1].strip() and not is_field(name):
            return None
    name = name.strip().strip("`").strip()
    if not name or not name[0].isalpha() or len(name.split()) > 5:
        return None
    return name, mark if mark in ":=" else "-", value.strip()


def _bare(text: str) -> str:
    """Removes bold type from a heading or sentence. A text with quotes stays, as values may have asterisks."""
    if re.search(r"[\"“”„«»`]", text):
        return text.strip()
    return re.sub(r"(?<!\S)\*\*(?=\S)([^*]+)\*\*(?=[\s.,:;!?]|$)", r"\1", text).strip()


def clean_value(raw: str) -> str:
    """Removes surrounding backticks, quotes or emphasis from a value.

    Raises UnclearError: for struck-out text, and for a link whose text differs from its target.
    """
    value = raw.strip()
    for mark in ("**", "__", "*", "_"):
        inner = value[len(mark) : -len(mark)]
        if len(value) > 2 * len(mark) and value.startswith(mark) and value.endswith(mark) and mark not in inner:
            value = inner.strip()
            break
    if "~~" in value:
        raise UnclearError(f"{value!r} is struck out. Which value is right?")
    if len(value) > 2 and value[0] == value[-1] == "`" and "`" not in value[1:-1]:
        return value[1:-1].strip()
    if len(value) > 1 and (value[0] + value[-1]) in ('""', "''", "“”", "‘’") and value[0] not in value[1:-1]:
        return value[1:-1]
    link = _LINK.fullmatch(value)
    if link:
        if link[2].removeprefix("mailto:").removeprefix("tel:") != link[1]:
            raise UnclearError(f"Is {link[1]!r} the value, or the address {link[2]!r} behind it?")
        return link[1]
    if re.fullmatch(r"<[^<>\s]+(?:@|://)[^<>\s]+>", value):
        value = value[1:-1].removeprefix("mailto:")
    # Editors escape these characters automatically.
    return re.sub(r"\\([_*\[\]`#|~<>])", r"\1", value)


def _pairs(name: str, mark: str, raw: str) -> list[tuple[str, str]]:
    """Returns the fields of a line, several for a line like `Name: A, Email: b@x.co`."""
    hidden = re.sub(r"\"[^\"]*\"|`[^`]*`", lambda found: "x" * len(found[0]), raw)
    found = [match for match in _NEXT_PAIR.finditer(hidden) if (match[2] or match[3]) == mark]
    if not found:
        return [(name, clean_value(raw))]
    if mark == ":" and not all(is_field(match[1]) for match in found):
        raise UnclearError(
            f"Is {raw[:80]!r} one value of {name}? Put it in quotes, or each field on a line of its own."
        )
    starts = [0, *(match.end() for match in found)]
    ends = [*(match.start() for match in found), len(raw)]
    names = [name, *(match[1] for match in found)]
    return [(told, clean_value(raw[a:b])) for told, a, b in zip(names, starts, ends, strict=True)]


def _paragraph(document: Document, content: str) -> None:
    """Reads a paragraph into fields and sentences."""
    lines = [line for line in content.split("\n") if line.strip()]
    prose: list[str] = []
    fielded = False
    for line in lines:
        parts = split_field(line)
        if parts and not parts[2] and singular(parts[0].lower()) in KINDS and not prose:
            # `Client:` above a list is a heading.
            document.sections.append(Section(parts[0], 7))
            continue
        if parts is None or not _is_field(parts, lines, after=fielded):
            if fielded:
                raise UnclearError(f"I cannot read the line {line.strip()[:80]!r}. Which field does it belong to?")
            prose.append(line.strip())
            continue
        for index, (name, value) in enumerate(_pairs(*parts)):
            document.sections[-1].add(name, value, fresh=not fielded and not prose and index == 0)
            fielded = True
    if len(prose) == len(lines) == 1 and re.fullmatch(r"\*\*[^*]+\*\*|__[^_]+__", prose[0]):
        title = prose[0][2:-2].strip()
        if singular(re.sub(r"\W*\d*\W*$", "", title).lower()) in KINDS:
            document.sections.append(Section(title, 7))
            return
    if prose:
        document.prose.append(_bare(" ".join(prose)))


def _is_field(parts: tuple[str, str, str], lines: Sequence[str], *, after: bool) -> bool:
    """Checks whether a line outside lists is a field. after: the previous line is a field."""
    name, mark, _ = parts
    words = name.lower().split()
    if words[0] in INTENTS:
        return after and len(words) == 1
    if words[0] in _SENTENCE:
        return False
    if after:
        return True
    if words[0] in _NOTICES:
        raise UnclearError(f"Is {name!r} a field of the record? Put it into the list of its fields if so.")
    return is_field(name) or (mark != "-" and len(lines) > 1)


def _list(tokens: Sequence[Token], position: int, *, nested: bool = False) -> tuple[list[_Item], int]:
    """Reads the list at `position`. Returns the items and the position behind the list.

    Raises UnclearError: when an item holds an unsupported block.
    """
    items: list[_Item] = []
    position += 1
    while not tokens[position].type.endswith("_list_close"):
        token = tokens[position]
        if token.type == "list_item_open":
            items.append(_Item())
        elif token.type == "paragraph_open":
            _item_lines(items[-1], tokens[position + 1].content)
            position += 2
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            inner, position = _list(tokens, position, nested=True)
            if nested or any(item.title or item.nested for item in inner):
                raise UnclearError("A list inside a list may hold fields only. Which fields does each record have?")
            item = items[-1]
            if not item.title and len(item.pairs) == 1 and not item.pairs[0][1]:
                item.title = item.pairs.pop()[0]
            item.pairs += [pair for part in inner for pair in part.pairs]
            item.nested = True
            continue
        elif token.type != "list_item_close":
            raise UnclearError("I read only fields in a list. Can you write each as `name: value`?")
        position += 1
    return [item for item in items if item.pairs or item.title], position + 1


def _item_lines(item: _Item, content: str) -> None:
    for line in content.split("\n"):
        parts = split_field(line)
        words = parts[0].lower().split() if parts else re.findall(r"[\w'’-]+", line.lower())[:1]
        verb = bool(words) and words[0] in INTENTS and (parts is None or len(words) > 1)
        if verb or (parts is None and (item.pairs or item.title)) or (parts and item.title):
            raise UnclearError(
                f"I cannot read {line.strip()[:80]!r} in a list. Is it a field, written as `name: value`?"
            )
        if parts is None:
            item.title = clean_value(line).rstrip(":")
        else:
            item.pairs += _pairs(*parts)


def _place(section: Section, items: Sequence[_Item]) -> None:
    """Adds a list as the fields of one record, or as several records. Raises UnclearError when both are possible."""
    firsts = {plain_name(item.pairs[0][0]) for item in items if item.pairs}
    if any(item.title for item in items):
        if not all(item.title and bool(item.pairs) == bool(items[0].pairs) for item in items):
            raise UnclearError(
                "Some items of the list are fields and some are not. Which fields does each record have?"
            )
        section.records += [Record(_once(item.pairs), item.title) for item in items]
    elif any(item.nested or len(item.pairs) > 1 for item in items) and len(firsts) == 1:
        section.records += [Record(_once(item.pairs)) for item in items]
    elif any(item.nested for item in items):
        raise UnclearError("Some fields stand below others. Which records are there, and which fields does each have?")
    else:
        pairs = [pair for item in items for pair in item.pairs]
        for index, (name, value) in enumerate(pairs):
            section.add(name, value, fresh=index == 0)


def _once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Returns fields by name. Raises UnclearError when a field occurs twice."""
    names = [plain_name(name) for name, _ in pairs]
    if len(set(names)) < len(names):
        raise UnclearError(f"A field is told twice: {max(names, key=names.count)}. Which value is right?")
    return dict(pairs)


def _code(section: Section, token: Token) -> None:
    """Reads the `key: value` lines of a code block. `- ` starts a record if other lines are indented."""
    lines = token.content.split("\n")
    listed = any(line.startswith("- ") for line in lines) and any(re.match(r"\s+\w", line) for line in lines)
    section.part()
    fresh = True
    for line in lines:
        if not line.strip():
            fresh = True
            continue
        if listed and line.startswith("- "):
            section.part()
        parts = split_field(line.strip().removeprefix("- "))
        if parts is None:
            raise UnclearError(
                f"I read only `name: value` lines in a code block. What does {line.strip()[:80]!r} mean?"
            )
        for name, value in _pairs(*parts):
            section.add(name, value, fresh=fresh)
            fresh = False
    section.part()


def _table(document: Document, tokens: Sequence[Token], position: int) -> int:
    """Reads the table at `position`. Returns the position behind the table.

    Raises UnclearError: when a row has more cells than the table has columns.
    """
    rows: list[list[str]] = []
    section = document.sections[-1]
    first, last = tokens[position].map or (0, 0)
    sizes = [len(re.split(r"(?<!\\)\|", _edge(line))) for line in document.lines[first:last]]
    if max(sizes, default=0) > (sizes or [0])[0]:
        # Markdown drops cells behind the last column silently.
        raise UnclearError(
            "A row of the table has more cells than the table has columns. Where does each value belong?"
        )
    while tokens[position].type != "table_close":
        token = tokens[position]
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(clean_value(token.content))
        position += 1
    header, body = rows[0], rows[1:]
    if [name.lower() in _KEY_HEADERS for name in header[:1]] == [True] and [n.lower() for n in header[1:]] == ["value"]:
        section.records.append(Record(_once([(name, value) for name, value in body if name])))
        return position + 1
    if "" in _once([(name, "") for name in header]) or not body:
        raise UnclearError("Every column of the table needs a name, and the table needs rows. Can you send it again?")
    for row in body:
        section.records.append(Record(dict(zip(header, row, strict=True))))
    return position + 1


def _edge(line: str) -> str:
    line = line.strip().removeprefix("|")
    return line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
