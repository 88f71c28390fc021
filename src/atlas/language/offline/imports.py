"""The offline engine's reading of an import instruction: a grammar of common requests."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from atlas.core.mapping import close_name
from atlas.core.plans import Duplicates, Policy
from atlas.core.tables import Rules
from atlas.language.instruction import ImportInstruction
from atlas.language.offline.filters import FILTER_END, parse_filters
from atlas.language.offline.scanner import NAME, Scanner, listed, unquote

_TYPES = {
    "text": "text", "string": "text", "strings": "text", "varchar": "text", "words": "text",
    "integer": "bigint", "integers": "bigint", "int": "bigint", "bigint": "bigint", "whole number": "bigint",
    "whole numbers": "bigint", "number": "double", "numbers": "double", "numeric": "double", "float": "double",
    "decimal": "numeric", "decimals": "numeric", "double": "double", "amount": "numeric", "money": "numeric",
    "currency": "numeric", "boolean": "boolean", "bool": "boolean", "yes/no": "boolean", "flag": "boolean",
    "date": "date", "dates": "date", "timestamp": "timestamp", "timestamps": "timestamp", "datetime": "timestamp",
    "date and time": "timestamp", "json": "json",
}  # fmt: skip
_TYPE = "|".join(sorted(map(re.escape, _TYPES), key=len, reverse=True))
_LIST = r"[^.;!?\0]+?"
_END = rf"(?=\s*(?:[.;!?\0]|$|\b(?:but|then|{FILTER_END})\b|,?\s+and\s+(?:{FILTER_END})\b))"
_ITEM = rf"{NAME}(?:\s*(?:,|&|\band\b)\s*{NAME})*"
_IGNORE = r"(?:skip|ignor\w*|drop\w*|remov\w*|discard\w*|exclud\w*|leave out|omit|without|dedupe|deduplicate)"
_DUP = r"(?:exact )?(?:duplicat\w*|dupes?|doubles|repeats)(?: (?:rows|records|entries|ones|contacts|leads|customers))?"
_SOME = r"(?:any |all |the |possible |potential |existing )*"

_DUPLICATES: tuple[tuple[str, Duplicates], ...] = (
    (rf"\b(?:do not|don't|never|without) (?:check\w*|look\w*|search\w*|skip\w*|remov\w*|drop\w*|dedup\w*|worr\w*)"
     rf" ?(?:for |about )?{_SOME}(?:{_DUP})?", "keep"),
    (rf"\b(?:keep|allow|import|include|insert) {_SOME}{_DUP}", "keep"),
    (rf"\b(?:flag\w*|mark\w*|report\w*|review|show|highlight) {_SOME}{_DUP}", "flag"),
    (rf"\b(?:updat\w*|overwrit\w*|replac\w*|merg\w*|refresh) (?:with |in |into )?{_SOME}(?:{_DUP}|(?:existing|matching|known) ?"
     r"(?:rows?|records?|entries|ones|data|values|contacts|leads|customers|products|clients)?|them if they exist|"
     r"(?:rows|records|ones) that (?:already )?exist\w*)", "update"),
    (r"\bif (?:they|it|a row|a record|one) (?:already )?exists?,? (?:then )?updat\w*(?: (?:it|them))?", "update"),
    (r"\bupsert\b(?: (?:the )?(?:rows|records))?", "update"),
    (rf"\b{_IGNORE} {_SOME}{_DUP}", "skip"),
    (rf"\b(?:no {_DUP}|dedupe|deduplicate|remove doubles)\b", "skip"),
)  # fmt: skip

_POLICIES: tuple[tuple[str, Policy], ...] = (
    (r"\b(?:discard|skip|drop|reject|ignore) (?:the )?(?:rows|records) (?:that have|with|having) (?:new|unknown|extra) columns?"
     , "discard_row"),
    (r"\b(?:ignore|discard|skip|drop|leave out) (?:any |all |the )?(?:new|unknown|extra|additional|other|unmatched) "
     r"(?:columns?|fields?|values)", "discard_value"),
    (r"\b(?:do not|don't|never) (?:add|create|make) (?:any )?(?:new|extra|additional|more) (?:columns?|fields?)", "discard_value"),
    (r"\b(?:freeze|lock) (?:the )?(?:schema|columns?|structure)|\b(?:do not|don't|never) (?:change|alter|touch) "
     r"(?:the )?(?:schema|structure|table)|\bfrozen schema", "freeze"),
    (r"\b(?:add|allow|create) (?:any |all |the )?(?:new|missing|extra) (?:columns?|fields?)(?: (?:if|as|when) needed)?|"
     r"\bevolve (?:the )?schema", "evolve"),
)  # fmt: skip


def parse_import(text: str, tables: Sequence[str]) -> ImportInstruction:
    """What an import instruction says. `tables`: names of the organization's tables, to recognize one by.

    Never raises; what is not understood is listed in the result.
    """
    scanner = Scanner(text[:10_000])
    found: dict[str, object] = {}
    if scanner.take(
        r"\b(?:do not|don't|never|please don't) (?:import|load|write|save|store|insert|add) (?:this|it|the file|anything|that)\b"
    ):
        found["question"] = "You say not to import this. Should it be imported?"
    if scanner.take(
        r"\b(?:undo|revert|roll ?back|take back)\b(?: (?:that|this|it|the (?:last|previous) import|everything))?"
    ):
        found["undo"] = True
    if scanner.take(r"\b(?:do |import )?(?:exactly )?the same(?: (?:thing|again|as (?:before|last time)|way))?"
                    r"(?: (?:for|with|to) (?:this|that|the new|the next)(?: (?:file|one))?)?|\b(?:same|like) (?:as )?(?:before|last time)"):  # fmt: skip
        found["same"] = True
    _rows(scanner, found)
    _time_series(scanner, found)
    _rules(scanner, found)
    _columns(scanner, found)
    _reading(scanner, found)
    _target(scanner, found, tables)
    found["not_understood"] = scanner.rest()
    return msgspec.convert(found, ImportInstruction)


def _rows(scanner: Scanner, found: dict[str, object]) -> None:
    """Duplicates, keys, policies and filters."""
    for pattern, choice in _DUPLICATES:
        if scanner.take(pattern):
            found.setdefault("duplicates", choice)
    for pattern, policy in _POLICIES:
        if scanner.take(pattern):
            found.setdefault("policy", policy)
    keys = [
        rf"\b(?:based on|by|on|using|use|with) (?:the )?(?P<a>{_ITEM}) as (?:the |a )?(?:unique |primary |natural )?(?:key|identifier|id)\b",
        rf"\b(?:unique|primary|natural)?\s*key(?: columns?| fields?)?\s*(?:is|are|=|:|should be|will be)\s*(?:the )?(?P<b>{_ITEM})",
        rf"\b(?:the )?(?P<c>{NAME}(?: (?:and|,) {NAME})*) (?:is|are|as) (?:the |a )?(?:unique |primary |natural )*(?:key|identifier|unique)(?: key)?\b",
        rf"\b(?:identif\w+|match\w*|dedup\w*|unique|keyed|distinct|compar\w+) (?:rows |records |them |it )?(?:is |are )?(?:by|on) "
        rf"(?:the |their )?(?P<d>{_ITEM})",
        rf"(?<=\0) *(?:by|on|based on|with the same|having the same|using) (?:the |same )*(?P<e>{_ITEM})(?= *(?:[.;,!?\0]|$))",
    ]
    for pattern in keys:
        match = scanner.take(pattern)
        if match:
            found["key"] = tuple(listed(match[match.lastgroup or 0]))
            break
    filters, exclude = parse_filters(scanner)
    if filters:
        found["filters"], found["exclude"] = filters, exclude


def _time_series(scanner: Scanner, found: dict[str, object]) -> None:
    match = scanner.take(
        rf"\b(?:with|using|use|and) (?:the )?(?:column )?(?P<a>{NAME}) (?:column )?(?:as|for|is) (?:the )?"
        rf"(?:timestamp|time|time column|date)s?\b(?! (?:text|string))|\b(?:timestamp|time|date) (?:column )?(?:is|are|=|in|:) (?:the )?"
        rf"(?:column )?(?P<b>{NAME})"
    )
    if match:
        found["time_column"] = unquote(match["a"] or match["b"])
    named = r"(?: (?:called|named) (?P<name>" + NAME + r"))?"
    match = scanner.take(
        rf"\b(?:as|into|to|in) (?:a |an |the |my )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)?\b{named}"
    )
    match = match or scanner.take(
        rf"\b(?:create|make) (?:a |the )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)?\b{named}(?: from (?:this|it))?"
    )
    if match:
        found["dataset"] = True
        if match["name"]:
            found["table"] = unquote(match["name"])


def _rules(scanner: Scanner, found: dict[str, object]) -> None:
    required: list[str] = []
    for match in scanner.take_all(
        rf"\b(?P<a>{_ITEM}) (?:is|are|be|must be|should be) (?:all )?(?:required|mandatory|obligatory)\b"
        rf"|\b(?P<b>{_ITEM}) (?:must not|cannot|can't|may not|should not) be (?:empty|blank|missing|null)\b"
        rf"|\b(?:require|needs?) (?:an? |the )?(?P<c>{_ITEM})(?= *(?:[.;,!?\0]|$))"
    ):
        required += listed(match["a"] or match["b"] or match["c"])
    if required:
        found["required"] = tuple(required)
    rules: dict[str, Rules] = {}
    must = rf"\b(?P<n>{NAME}) (?:must|should|has to|have to) be "
    number = r"-?\d[\d,.]*"
    for match in scanner.take_all(rf"{must}between (?P<lo>{number}) and (?P<hi>{number})(?<![.,])"):
        rules[unquote(match["n"])] = Rules(minimum=_value(match["lo"]), maximum=_value(match["hi"]))
    for match in scanner.take_all(rf"{must}(?:positive|greater than 0|above 0|> ?0)\b"):
        rules[unquote(match["n"])] = Rules(above=0)
    for match in scanner.take_all(rf"{must}(?:at least|>=|not less than) (?P<lo>{number})(?<![.,])"):
        rules[unquote(match["n"])] = Rules(minimum=_value(match["lo"]))
    for match in scanner.take_all(rf"{must}(?:at most|<=|not more than) (?P<hi>{number})(?<![.,])"):
        rules[unquote(match["n"])] = Rules(maximum=_value(match["hi"]))
    for match in scanner.take_all(rf"{must}(?:one of|either) (?P<v>{_LIST}){_END}"):
        rules[unquote(match["n"])] = Rules(values=tuple(listed(match["v"])))
    if rules:
        found["rules"] = rules


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _columns(scanner: Scanner, found: dict[str, object]) -> None:
    rename: dict[str, str] = {}
    match = scanner.take(rf"\b(?:rename|map|call)(?:ing)? (?:the )?(?:columns? )?(?P<pairs>{NAME}(?: {NAME})?? (?:to|as|into|->|=>) {NAME}"
                         rf"(?:\s*(?:,|\band\b)\s*(?:rename )?{NAME}(?: {NAME})?? (?:to|as|into|->|=>) {NAME})*)")  # fmt: skip
    if match:
        for old, new in re.findall(
            rf"({NAME}(?: {NAME})??) (?:to|as|into|->|=>) ({NAME})", match["pairs"], re.IGNORECASE
        ):
            rename[re.sub(r"^(?:and|rename)\s+", "", unquote(old))] = unquote(new)
    types: dict[str, str] = {}
    for match in scanner.take_all(
        rf"\b(?:(?:treat|read|store|keep|import|cast|parse|convert|set|save|format)\w* )?(?:the )?(?P<n>{_ITEM}) (?:columns? )?"
        rf"(?:as|to|is|are|into|should be|must be) (?:an? |plain )?(?P<t>{_TYPE})\b(?! (?:table|key))"
    ):
        for name in listed(match["n"]):
            types[name] = _TYPES[match["t"].lower()]
    if rename:
        found["rename"] = rename
    if types:
        found["types"] = types
    match = scanner.take(
        rf"\b(?:only|just) (?:keep |import |use |take |load )?(?:the )?(?:columns?|fields?) (?P<a>{_LIST}){_END}"
        rf"|\b(?:only|just) (?:keep|import|use|take|load) (?:the )?(?P<b>(?!this\b|it\b|the file|rows|records){_ITEM})(?: (?:columns?|fields?))?"
        rf"|\b(?:keep|import|use|take|load) (?:only|just) (?:the )?(?:columns? |fields? )?(?P<c>(?!rows|records|those){_ITEM})(?: (?:columns?|fields?))?"
    )
    if match:
        found["keep"] = tuple(listed(match["a"] or match["b"] or match["c"]))
    match = scanner.take(
        rf"\b{_IGNORE} (?:the )?(?:columns?|fields?) (?P<a>{_LIST}){_END}"
        rf"|\b{_IGNORE} (?:the )?(?P<b>{_ITEM}) (?:columns?|fields?)\b"
        rf"|\b(?:without|except|but not|leave out|drop|omit) (?:the )?(?P<c>{_ITEM})"
    )
    if match:
        found["drop"] = tuple(listed(match["a"] or match["b"] or match["c"]))


def _reading(scanner: Scanner, found: dict[str, object]) -> None:
    """How dates and numbers are written, and which sheet."""
    if scanner.take(r"\b(?:the )?(?:dates? (?:are|is) )?(?:(?:written |in )?day[ -]?(?:first|/month(?:/year)?)|dd[/.-]mm(?:[/.-]yy(?:yy)?)?|european dates?)"
                    r"(?: (?:format|order))?"):  # fmt: skip
        found["day_first"] = True
    elif scanner.take(r"\b(?:the )?(?:dates? (?:are|is) )?(?:(?:written |in )?month[ -]?(?:first|/day(?:/year)?)|mm[/.-]dd(?:[/.-]yy(?:yy)?)?|(?:us|american) dates?)"
                      r"(?: (?:format|order))?"):  # fmt: skip
        found["day_first"] = False
    if scanner.take(
        r"\b(?:with |numbers? (?:use|have|with) )?(?:a )?(?:decimal commas?|commas? (?:is|are|as) (?:the )?decimal\w*(?: separators?)?|european numbers?)"
    ):
        found["decimal_comma"] = True
    match = scanner.take(
        rf"\b(?:from |use |read |import |only )?(?:the )?(?:work)?sheet (?:called |named )?(?P<a>\"[^\"]+\"|'[^']+'|(?!into|to|in|as|and)[\w-]+)"
        rf"|\b(?:from|use|read) (?:the )?(?P<b>{NAME}) (?:work)?sheet\b"
    )
    if match:
        found["sheet"] = unquote(match["a"] or match["b"])


def _target(scanner: Scanner, found: dict[str, object], tables: Sequence[str]) -> None:
    if "table" in found:
        return
    quoted = r"(?P<name>\"[^\"]+\"|'[^']+'|[\w][\w-]*(?: (?!table\b|and\b|but\b|with\b|using\b|where\b)[\w-]+){0,3}?)"
    patterns = [
        r"\b(?:a |the )?(?P<new>new )?table (?:called |named |name )?(?P<name>\"[^\"]+\"|'[^']+'|(?!and\b|but\b|with\b|for\b|from\b|using\b|of\b|where\b|by\b|please\b|then\b)[\w][\w-]*)",
        rf"\b(?:in|into|to|as|onto|for|update) (?:a |an |the |my |our |your |their )?(?:existing )?(?P<new>new )?{quoted} (?:table|list|database|collection)\b",
        rf"\b(?:create|make|build) (?:a |an |the |me a )?(?P<new>new )?{quoted} table\b",
        r"\b(?:into|in|to|as) (?:a |an |the |my |our |your |their )*(?P<new>new )?(?P<name>\"[^\"]+\"|'[^']+'|(?!it\b|this\b|that\b|new\b|table\b|them\b|text\b)[\w][\w-]*)",
        r"\b(?:import|load|add|these are|this is|here are|upload|save|store) (?:a |an |the |my |our |your |their |new |these |some )*"
        r"(?P<name>(?!into\b|to\b|as\b|in\b|where\b|only\b|with\b|from\b|and\b|this\b|it\b|file\b|everything\b|csv\b|data\b|excel\b|rows\b|records\b|all\b|spreadsheet\b|attached\b)[\w][\w-]*)",
    ]
    for pattern in patterns:
        match = scanner.take(pattern)
        if match is None:
            continue
        name = unquote(match["name"])
        groups = match.groupdict()
        new = bool(groups.get("new")) or match[0].lower().startswith(("create", "make", "build"))
        # A new table has the name that was said, however like that of another it is.
        found["table"], found["new"] = name if new else close_name(name, list(tables)) or name, new
        return
    if scanner.take(r"\b(?:create|make|as|into|in) (?:a )?new table\b"):
        found["new"] = True
