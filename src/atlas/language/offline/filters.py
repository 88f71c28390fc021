"""Conditions in English on columns: `where country is US and amount over 100`."""

from __future__ import annotations

import re

from atlas.core.plans import Filter
from atlas.language.offline.scanner import NAME, Scanner, unquote

# Words that start another phrase, where a list or a condition ends.
FILTER_END = (
    r"skip|ignore|flag|update|keep|rename|drop|treat|where|whose|use|using|import|create|the key|into|"
    r"mark|require|exclude|remove|read|dates|discard|overwrite|only|don't|do not"
)
_OPERATORS: tuple[tuple[str, str, bool], ...] = (
    (r"(?:is|are) (?:not|n't) (?:empty|blank|null|missing|set)|(?:isn't|aren't) (?:empty|blank|missing)|is set|is filled|exists|is present",
     "empty", True),
    (r"(?:is|are) (?:empty|blank|null|missing|not set)", "empty", False),
    (r"(?:is |are )?between", "between", False),
    (r"(?:is |are )?(?:not in|none of)|(?:is|are) not (?:in|one of)", "in", True),
    (r"(?:is |are )?(?:in|one of|any of)", "in", False),
    (r"(?:does not|doesn't|do not|not) (?:contain|include)s?", "contains", True),
    (r"(?:contain|include|mention|like)s?(?:ing)?", "contains", False),
    (r"(?:start|begin)s?(?:ing)? with", "starts", False),
    (r"end(?:s|ing)? (?:with|in)", "ends", False),
    (r"(?:is |are )?(?:at least|greater than or equal to|no less than|not less than|>=|on or after|since)", ">=", False),
    (r"(?:is |are )?(?:at most|less than or equal to|no more than|not more than|<=|on or before|until|up to)", "<=", False),
    (r"(?:is |are )?(?:greater than|more than|larger than|higher than|bigger than|over|above|exceeds?|>|after|later than)", ">", False),
    (r"(?:is |are )?(?:less than|lower than|smaller than|fewer than|under|below|<|before|earlier than)", "<", False),
    (r"(?:is|are) not|isn't|aren't|!=|<>|(?:does not|doesn't) equal|not equal to|other than", "=", True),
    (r"==?|is equal to|equals?|is|are|was", "=", False),
)  # fmt: skip
_OPERATOR = "|".join(pattern for pattern, _, _ in _OPERATORS)
_VALUE = (
    r"(?:\"[^\"]*\"|'[^']*'|[^\s,.;!?\0()]+(?:\.\d+)?(?: (?!and\b|or\b|but\b|then\b|"
    + FILTER_END
    + r")[^\s,.;!?\0()]+){0,3})"
)
_CONDITION = re.compile(
    rf"\s*(?:the |their |its )?(?P<column>{NAME}(?: {NAME})??) (?:(?P<op>{_OPERATOR})) ?(?P<rest>.*)", re.IGNORECASE
)


def parse_filters(scanner: Scanner) -> tuple[tuple[tuple[Filter, ...], ...], bool]:
    """The filters that an instruction names, as groups, and whether they say what to leave out."""
    phrase = rf"(?P<c>[^.;!?\0]+(?:\.\d[^.;!?\0]*)*?)(?=\s*(?:[;!?\0]|\.(?:\s|$)|$|,?\s+(?:and|but|then),?\s+(?:{FILTER_END})\b|,\s*(?:{FILTER_END})\b))"
    leave = r"\b(?:skip|ignore|exclude|drop|remove|discard|leave out|omit|without) (?:any |all |the |those )*"
    some = r"(?:rows?|records?|entries|lines|leads|contacts|customers|orders|products|ones|items|people|users)"
    match = scanner.take(rf"{leave}{some} (?:where|with|whose|that have|having|in which|if) (?:the |a |an )?{phrase}")
    exclude = match is not None
    if match is None:
        match = scanner.take(
            rf"\b(?<!into )(?<!to )(?<!in )(?:only |just )?(?:import |keep |take |load |include |use )?(?:only |just )?(?:the |those |all )*{some} "
            rf"(?:where|with|whose|that have|having|in which|if) (?:the |a |an )?{phrase}"
        )
    if match is None:
        match = scanner.take(rf"\b(?:only |but only |just )?(?:where|whose|if the) (?:the )?{phrase}")
    if match is None:
        return (), False
    groups = []
    for part in re.split(
        r"\s+or\s+(?=(?:the )?\S+ (?:is|are|=|!|<|>|over|under|above|below|contains|starts|ends|in|not)\b|where)",
        match["c"],
    ):
        group = _group(part)
        if group is None:
            return (), False
        groups.append(group)
    return tuple(groups), exclude


def _group(text: str) -> tuple[Filter, ...] | None:
    found: list[Filter] = []
    text = text.strip(" ,")
    while text:
        text = re.sub(r"^(?:and|,|where|whose|the)\s+", "", text.strip(" ,"), flags=re.IGNORECASE)
        match = _CONDITION.fullmatch(text)
        if match is None:
            return None
        operator, negated = next((o, n) for p, o, n in _OPERATORS if re.fullmatch(p, match["op"], re.IGNORECASE))
        values, text = _values(operator, match["rest"])
        if values is None:
            return None
        found.append(Filter(unquote(match["column"]), operator, values, negated))
    return tuple(found) or None


def _values(operator: str, rest: str) -> tuple[tuple[str, ...] | None, str]:
    """The values of a comparison, and the text behind them."""
    if operator == "empty":
        return (), rest
    if operator == "between":
        match = re.match(rf"({_VALUE}) and ({_VALUE})", rest, re.IGNORECASE)
        return ((unquote(match[1]), unquote(match[2])), rest[match.end() :]) if match else (None, rest)
    if operator == "in":
        match = re.match(rf"\(?({_VALUE}(?:\s*(?:,\s*(?:or |and )?|\bor |\band ){_VALUE})*)\)?", rest, re.IGNORECASE)
        if not match:
            return None, rest
        values = [unquote(v) for v in re.findall(_VALUE, re.sub(r"\b(?:or|and)\b", ",", match[1]), re.IGNORECASE)]
        return tuple(values), rest[match.end() :]
    match = re.match(rf"(?:a |an |the |than |to )?({_VALUE})", rest, re.IGNORECASE)
    if not match:
        return None, rest
    value, behind = unquote(match[1]), rest[match.end() :]
    more = re.match(rf"((?:\s*(?:,|\bor)\s+{_VALUE})+)$", behind, re.IGNORECASE)
    if more and operator == "=":
        # "country is US or CA"
        values = [unquote(v) for v in re.findall(_VALUE, re.sub(r"\bor\b", ",", more[1]), re.IGNORECASE)]
        return (value, *values), ""
    return (value,), behind
