"""Refuses what no data can answer: forecasts, opinions and advice, and causes."""

from __future__ import annotations

import re

from atlas.language.offline.questions.schema_linking import Index
from atlas.language.offline.questions.tokenizer import Token

_FORECAST = "the data holds what was, not what will be. I can show how it was so far."
_OPINION = "the data holds figures, not opinions or advice. Which figure should I show?"
_CAUSE = "the data holds what happened, not why. I can show what changed, and when."
_KINDS: tuple[tuple[str, str], ...] = (
    (
        r"forecast\w*|predict\w*|projection|projected|extrapolat\w+|(?:what|how|which|when|who|where|it|that|and|if) will|will (?!be shown)\w+ (?:be|rise|fall|grow|have|reach|perform|go|cost|drop)|"
        r"going to (?:be|rise|fall|grow|reach|happen|go|drop)|expected? (?:to|\w+ (?:for|in) (?:the )?next)|expected|likely to|outlook|next (?:year|month|week|quarter|decade)|next \d+ \w+|in the future|"
        r"in the coming \w+|tomorrow|estimate for (?:the )?next|would (?:be|have been) if|what if|what would",
        _FORECAST,
    ),
    (
        r"should (?:i|we|one|they|you)|do you (?:think|believe|recommend|like)|what do you|would you|your (?:opinion|view|advice|favou?rite)|recommend\w*|advice|advise|suggest (?:a|an|which|what|me)|"
        r"worth (?:buying|it|investing)|good (?:investment|buy|time|idea|deal|price)|bad (?:investment|idea)|overvalued|undervalued|overpriced|underpriced|too (?:expensive|high|low|hot|cold|many|few)|"
        r"(?:is|are|was|were) (?:\w+ ){0,4}(?:good|bad|healthy|normal|ok|okay|safe|reasonable|fair|acceptable|suspicious)\b(?: \?| *$)|better to|best (?:to|investment|buy)|how (?:good|bad|reliable) (?:is|are)|"
        r"opinion|opinions|feel about|prettier|nicer|nicest|most beautiful|fun|interesting|surprising",
        _OPINION,
    ),
    (
        r"why(?! not\b)|(?:what|who) (?:caused|causes|drives|drove|explains|explained|led to|triggered|makes|made|influences|influenced|affects|is behind|was behind)|reasons? (?:for|of|behind|why)|"
        r"cause of|causes of|caused by|because of what|due to what|explain (?:the|why|how|what|this|that)|how come|root cause|what happened (?:to|with)",
        _CAUSE,
    ),
)
_PATTERNS = tuple((re.compile(rf"(?<!\S)(?:{words})(?!\S)"), reason) for words, reason in _KINDS)


def refuse_unanswerable(found: list[Token], index: Index) -> tuple[str, str] | None:
    """Returns the words that no data can answer, and the reason. None: data may answer.

    A word that names a column, a table or a value is data: a table may hold forecasts, and a column reasons.
    """
    text = " ".join(token.lower for token in found)
    for pattern, reason in _PATTERNS:
        for match in pattern.finditer(text):
            first = text[: match.start()].count(" ")
            last = first + match[0].count(" ")
            if not _is_data(found, index, first, last):
                words = " ".join(token.text for token in found[first : last + 1])
                return words, f'About "{words}": {reason}'
    return None


def _is_data(found: list[Token], index: Index, first: int, last: int) -> bool:
    """Checks whether one of the tokens names a thing of the schema, as the same word."""
    if any(token.kind == "quote" for token in found[first : last + 1]):
        return True
    inside = (
        mention
        for mention in index.mentions(found)
        if first <= mention.start and mention.end - 1 <= last and mention.score >= 0.93
    )
    return any(m.end - m.start == last - first + 1 or found[m.start].lower not in _COMMON for m in inside)


# Words that say little of what a phrase is about, although a column may have the name.
_COMMON = frozenset(
    "year month week quarter day time price high low good bad fair safe to for of in is are was were you i we".split()
)
