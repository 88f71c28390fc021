"""Records told in Markdown or plain English: what to insert, update, archive or restore.

Nothing is guessed that would write: what is unclear becomes a question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from atlas.language.offline.scanner import unquote

MAX_CHARACTERS = 100_000
MAX_ENTITIES = 1_000
_VERBS = {
    "insert": r"add|insert|create|register|save|store|enter|record|new",
    "update": r"update|change|set|modify|edit|correct|mark|rename",
    "archive": r"archive|delete|remove|deactivate|drop",
    "restore": r"restore|unarchive|un-archive|reactivate|bring back|undelete",
}
_NEGATED = re.compile(r"\b(?:do not|don't|never|not to|shouldn't|should not|without)\b", re.IGNORECASE)
_UNSURE = re.compile(r"\b(?:if|unless|maybe|perhaps|possibly|might)\b", re.IGNORECASE)
_EVERY = re.compile(r"\b(?:all|every|everything|everyone|each|any)\b", re.IGNORECASE)
_FIELD = re.compile(r"^\W*(?P<name>[^\W\d][\w /#().-]{0,60}?)\W*?\s*(?::|=|\s-\s|–)\s*(?P<value>.*)$", re.DOTALL)
_TABLE = re.compile(
    r"\b(?:in|into|to|from|of)\s+(?:the\s+|my\s+|our\s+)?(?:table\s+)?(?P<a>\"[^\"]+\"|[\w-]+)\s+(?:table|list)\b"
    r"|\b(?:in|into|to|from)\s+(?:the\s+|my\s+|our\s+)(?P<b>[\w-]+s)\b(?!\s+(?:with|whose|named|called))"
    r"|\b(?:into|to)\s+(?P<c>[a-z][\w-]+)\s*(?:[.:]|$)"
    r"|\b(?:insert|add)\s+into\s+(?P<d>[\w-]+)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"^(?:the|an?|its|their|with|set|also|then|has|having)?\s*(?P<name>[^\W\d]\w*(?: [^\W\d]\w*)??)\s*(?:=|:|\s(?:to|as|is|of|=)\s|\s)\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entity:
    """A record: `data` are its fields as told (for an update the new values), `match` what identifies it."""

    entity_type: str
    table_hint: str | None = None
    data: dict[str, str] = field(default_factory=dict)
    match: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordInstruction:
    """What a text asks for. `question`: what to ask back; then nothing may be written."""

    intent: str | None
    entities: tuple[Entity, ...] = ()
    question: str | None = None


def parse_records(text: str) -> RecordInstruction:
    """What a text asks for. Never raises."""
    if len(text) > MAX_CHARACTERS:
        return _ask(f"The text has over {MAX_CHARACTERS:,} characters. Can you send it in parts, or as a file?")
    if not text.strip():
        return _ask("What should be inserted, updated or archived?")
    sections = _sections(text)
    head = sections[0].title if sections else ""
    told = " ".join(part for part in (head, *(s.title for s in sections[1:] if s.is_prose)) if part) or text
    if re.search(r"\b(?:undo|revert|take back|roll ?back)\b", told, re.IGNORECASE) and not any(
        s.fields for s in sections
    ):
        return RecordInstruction("undo")
    records = [record for section in sections for record in section.records()]
    prose = " ".join(section.title for section in sections if section.is_prose)
    intent, question = _intent(prose or text if not records else prose)
    if question is not None:
        return _ask(question)
    if intent is None:
        if records:
            return _ask("Should these records be inserted, updated or archived?")
        return _ask("I can insert, update, archive or restore records. What should be done, and with which record?")
    if len(records) > MAX_ENTITIES:
        return _ask(f"The text names over {MAX_ENTITIES:,} records. Can you send them as a file?")
    return _from_fields(intent, prose, records) if records else _from_sentence(intent, text)


def _ask(question: str) -> RecordInstruction:
    return RecordInstruction(None, (), question)


def _intent(text: str) -> tuple[str | None, str | None]:
    """The one thing that a text asks for, or a question."""
    plain = re.sub(r"\"[^\"]*\"|'[^']*'", " ", text)
    found = []
    for intent, verbs in _VERBS.items():
        match = re.search(
            rf"(?:^|[.!;:,]\s*|\b(?:please|to|and|then|must|should|you|now)\s+)(?:{verbs})\b", plain, re.IGNORECASE
        )
        if match:
            found.append((match.start(), intent))
    if not found:
        return None, None
    if _NEGATED.search(plain):
        return None, "You also say what not to do. What exactly should be written?"
    if _UNSURE.search(plain):
        return None, "This depends on a condition, which I cannot decide. What should be written?"
    intents = list(dict.fromkeys(intent for _, intent in sorted(found)))
    if intents[0] == "insert" and intents[1:] == ["update"] and re.search(r"\bwith\b|\bnew\b", plain):
        return "insert", None
    if len(intents) > 1 and set(intents) != {"update", "archive"}:
        return None, f"Should this be {intents[0]} or {intents[1]}? One at a time, please."
    if len(intents) > 1 and re.search(r"\b(?:to|as|=)\s+(?:archived|deleted|removed)\b", plain, re.IGNORECASE):
        return "update", None
    return intents[0], None


@dataclass(slots=True)
class _Section:
    """A heading or sentence and the fields below it. rows: records of a table or of nested lists."""

    title: str
    is_prose: bool
    fields: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)

    def records(self) -> list[tuple[str, dict[str, str]]]:
        kind = _entity_type(self.title) if not self.is_prose else ""
        found = [(kind, row) for row in self.rows]
        return [(kind, self.fields), *found] if self.fields else found


def _entity_type(title: str) -> str:
    words = re.sub(r"^(?:new|add|the|an?)\s+|\s*#?\d+$|:$", "", title.strip(), flags=re.IGNORECASE).strip()
    return words.lower()


def _sections(text: str) -> list[_Section]:
    """The text by its headings and paragraphs, read as Markdown."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    sections: list[_Section] = []
    header: list[str] | None = None
    cells: list[str] = []
    depth = 0
    for position, token in enumerate(tokens):
        if token.type == "inline":
            before = tokens[position - 1].type
            content = _plain(token)
            if before == "heading_open":
                sections.append(_Section(content, is_prose=False))
            elif before in ("th_open", "td_open"):
                cells.append(content)
            else:
                _paragraph(sections, content, in_list=depth > 0)
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type in ("fence", "code_block"):
            _paragraph(sections, token.content, in_list=True)
        elif token.type == "tr_close":
            if header is None:
                header = cells
            else:
                if not sections:
                    sections.append(_Section("", is_prose=True))
                sections[-1].rows.append({n: v for n, v in zip(header, cells, strict=False) if n and v})
            cells = []
        elif token.type == "table_close":
            header = None
    return sections


def _plain(token: Token) -> str:
    """The text of a paragraph without its marks."""
    parts = []
    for child in token.children or []:
        if child.type in ("text", "code_inline", "html_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
    return "".join(parts).strip()


def _paragraph(sections: list[_Section], content: str, *, in_list: bool) -> None:
    lines = [line for line in content.split("\n") if line.strip()]
    for line in lines:
        match = _FIELD.match(line.strip())
        # A sentence may have a colon too; a field is short, or stands in a list.
        is_field = (
            match is not None
            and match["value"].strip()
            and (
                in_list
                or (len(lines) > 1 and not _starts_with_verb(line))
                or (bool(sections) and not sections[-1].is_prose)
            )
        )
        if is_field and match is not None and not _starts_with_verb(line):
            if not sections:
                sections.append(_Section("", is_prose=False))
            section = sections[-1]
            name, value = match["name"].strip(" *_"), unquote(match["value"].strip().strip("`").strip())
            if name in section.fields:
                # The same field again starts the next record.
                section.rows.append(dict(section.fields))
                section.fields.clear()
            section.fields[name] = value
        elif in_list and sections and "," in line and "=" in line:
            sections[-1].rows.append(_pairs(line))
        else:
            sections.append(_Section(line.strip(), is_prose=True))


def _starts_with_verb(line: str) -> bool:
    verbs = "|".join(_VERBS.values())
    return re.match(rf"\W*(?:please\s+)?(?:{verbs})\b", line, re.IGNORECASE) is not None


def _hint(text: str, intent: str) -> str | None:
    """The table that a text names."""
    match = _TABLE.search(text)
    if match is None or (intent != "insert" and not (match["a"] or re.match(r"(?:in|from)\b", match[0]))):
        return None
    return unquote(next(group for group in match.groups() if group))


def _from_fields(intent: str, prose: str, records: list[tuple[str, dict[str, str]]]) -> RecordInstruction:
    """Entities from fields under headings."""
    hint = _hint(prose, intent)
    kind_told = re.search(
        rf"\b(?:{_VERBS[intent]})\s+(?:(?:an?|the|this|these|new|following|two|three|four|five|some|my|\d+)\s+)*([a-z]+)\b",
        prose,
        re.IGNORECASE,
    )
    by = re.search(
        r"\b(?:by|where|identified by|match(?:ing)? (?:on|by)|with the same)\s+(?:its |their |the )?([\w ]+?)(?:\s*[,.:;]|$|\s+is\b)",
        prose,
        re.IGNORECASE,
    )
    entities = []
    for kind, fields in records:
        kind = kind or (kind_told[1].lower() if kind_told else "") or (hint or "record")
        if intent == "insert":
            entities.append(Entity(kind, hint, dict(fields)))
            continue
        names = {name.strip().lower(): name for name in fields}
        wanted = [by[1].strip().lower()] if by else []
        wanted += ["id", "email", "e-mail", "email address", *(n for n in names if n.endswith(("_id", " id")))]
        key = next((names[name] for name in wanted if name in names), None)
        if key is None and intent == "update":
            return _ask(f"Which field identifies the {kind} to update?")
        match = {key: fields[key]} if key is not None and intent == "update" else dict(fields)
        data = {n: v for n, v in fields.items() if n not in match} if intent == "update" else {}
        if intent == "update" and not data:
            return _ask(f"What should be changed in the {kind}?")
        entities.append(Entity(kind, hint, data, match))
    return RecordInstruction(intent, tuple(entities))


def _pairs(text: str) -> dict[str, str]:
    """Fields in a list such as `name Bob, email = b@x.com and city "New York"`.

    A part that is no field by itself belongs to the value before it, as in `company Johnson and Johnson`.
    """
    found: dict[str, str] = {}
    last = None
    pieces = re.split(r"(\s*[,;]\s*(?:and\s+)?|\s+and\s+)", re.sub(r"(\"[^\"]*\"|'[^']*')", _shield, text))
    for position in range(0, len(pieces), 2):
        piece = pieces[position].strip(" .")
        if not piece:
            continue
        match = _PART.match(piece)
        if match is None or (last is not None and piece[0].isupper()):
            if last is not None:
                found[last] += _unshield(pieces[position - 1] + piece)
            continue
        last = match["name"].strip()
        found[last] = _unshield(match["value"].strip())
    return {name: unquote(value) for name, value in found.items()}


def _shield(match: re.Match[str]) -> str:
    """A quoted text without what would split it."""
    return match[0].replace(",", "\1").replace(" and ", "\2").replace(";", "\3")


def _unshield(text: str) -> str:
    return text.replace("\1", ",").replace("\2", " and ").replace("\3", ";")


def _from_sentence(intent: str, text: str) -> RecordInstruction:
    """The one entity of a sentence."""
    sentence = re.sub(r"\s+", " ", text).strip()
    verbs = _VERBS[intent]
    hint = _hint(sentence, intent)
    if hint is not None:
        sentence = re.sub(rf"\s*\b(?:in|into|to|from)\s+(?:the |my |our )?(?:table )?\"?{re.escape(hint)}\"?(?:\s+(?:table|list))?(?=\s|[.:,]|$)", " ", sentence, count=1)  # fmt: skip
    body = re.sub(rf"^.*?\b(?:{verbs})\b\s*", "", sentence, count=1, flags=re.IGNORECASE).strip(" .")
    if intent == "insert":
        return _insert_sentence(body, hint)
    if _EVERY.match(body) or (_EVERY.search(body) and not re.search(r"\b(?:with|where|whose)\b", body)):
        return _ask(f"Which records exactly? To {intent} many rows, use an update with a condition.")
    return _update_sentence(body, hint) if intent == "update" else _find_sentence(intent, body, hint)


def _insert_sentence(body: str, hint: str | None) -> RecordInstruction:
    if re.match(r"\w+(?: \w+)?\s*=", body):
        return RecordInstruction("insert", (Entity(hint or "record", hint, _pairs(body)),))
    match = re.match(r"(?:(?:an?|the|new|this)\s+)*(?P<kind>[A-Za-z_]+)?\s*(?:(?:called|named)\s+(?P<name>\"[^\"]+\"|.+?))?(?=\s+with\b|\s*[:,]|$)\s*(?P<rest>.*)$", body)  # fmt: skip
    if match is None:
        return _ask("Which fields does the new record have?")
    kind = (match["kind"] or hint or "record").lower()
    rest = match["rest"].lstrip(":, ")
    data = {"name": unquote(match["name"])} if match["name"] else {}
    data |= _pairs(rest)
    if not data:
        return _ask(f"Which fields does the new {kind} have?")
    return RecordInstruction("insert", (Entity(kind, hint, data),))


_OF = re.compile(
    r"^(?:the\s+|an?\s+)?(?P<kind>[A-Za-z_]+)\s+(?:with|where|whose)\s+(?:the\s+)?(?P<field>[A-Za-z_]\w*(?: \w+)??)\s*(?:=|:|\bis\b|\bof\b)?\s*(?P<value>\"[^\"]+\"|'[^']+'|[^\s,]+?)(?=[,:;]?(?:\s|$))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^(?:the\s+)(?P<kind>[A-Za-z_]+)\s+(?:called\s+|named\s+)?(?P<value>\"[^\"]+\"|'[^']+'|[^:,]+?)(?=\s*(?::|,|$|\s+(?:set|to|so)\b))"
)


def _update_sentence(body: str, hint: str | None) -> RecordInstruction:
    possessive = re.match(r"^(?P<who>\"[^\"]+\"|.+?)(?:'s|’s)\s+(?P<field>[\w ]+?)\s+(?:to|=)\s+(?P<value>.+)$", body)
    if possessive:
        match = _identify(unquote(possessive["who"]))
        return RecordInstruction(
            "update", (Entity(hint or "record", hint, {possessive["field"]: unquote(possessive["value"])}, match),)
        )
    of = _OF.match(body)
    if of:
        changes = _pairs(body[of.end() :].lstrip(" :,"))
        return _changed(of["kind"], hint, {of["field"]: unquote(of["value"])}, changes)
    given = re.match(r"^(?:the\s+)?(?P<field>[\w ]+?)\s+(?:to|=)\s+(?P<value>\"[^\"]+\"|.+?)\s+(?:for|of|on|in)\s+(?:the\s+)?(?P<kind>[A-Za-z_]+)\s+(?P<id>.+)$", body, re.IGNORECASE)  # fmt: skip
    if given:
        who = re.sub(r"^(?:with\s+)?(?:id\s*(?:=|is)?\s*|number\s+|#)", "", given["id"], flags=re.IGNORECASE)
        return _changed(given["kind"], hint, _identify(unquote(who)), {given["field"]: unquote(given["value"])})
    as_value = re.match(r"^(?:the\s+)?[A-Za-z_]+\s+\S+\s+as\s+(?P<value>\S+)$", body)
    if as_value:
        return _ask(f"Which field should become {as_value['value']!r}?")
    named = _NAMED.match(body)
    if named:
        changes = _pairs(body[named.end() :].lstrip(" :,"))
        return _changed(named["kind"], hint, _identify(unquote(named["value"])), changes)
    return _ask("Which record should be updated, and which of its fields?")


def _changed(kind: str, hint: str | None, match: dict[str, str], changes: dict[str, str]) -> RecordInstruction:
    if not changes:
        return _ask(f"What should be changed in the {kind}?")
    return RecordInstruction("update", (Entity(kind.lower(), hint, changes, match),))


def _identify(who: str) -> dict[str, str]:
    """What a name, number or address identifies a record by."""
    if re.fullmatch(r"\S+@\S+", who):
        return {"email": who}
    return {"id": who} if re.fullmatch(r"\d+|[0-9a-f-]{36}", who) else {"name": who}


def _find_sentence(intent: str, body: str, hint: str | None) -> RecordInstruction:
    of = _OF.match(body)
    if of:
        return RecordInstruction(intent, (Entity(of["kind"].lower(), hint, {}, {of["field"]: unquote(of["value"])}),))
    named = re.match(
        r"^(?:the\s+|an?\s+)?(?P<kind>[A-Za-z_]+)\s+(?:called\s+|named\s+|number\s+|#)?(?P<value>\"[^\"]+\"|'[^']+'|.+)$",
        body,
    )
    if named:
        return RecordInstruction(intent, (Entity(named["kind"].lower(), hint, {}, _identify(unquote(named["value"]))),))
    return _ask(f"Which record should be {intent}d?")
