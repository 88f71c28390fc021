"""Tells verbs of what became of a thing from verbs that only link words."""

from __future__ import annotations

from atlas.language.offline.questions.tokenizer import stem


def tells_state(word: str) -> bool:
    """Checks whether a verb says what became of a thing, which only a column of its own could tell."""
    return word == "won" or stem(word) in _STATES


_STATES = frozenset(
    stem(word)
    for word in "cancelled canceled refunded rejected refused declined denied failed deleted removed delayed damaged lost "
    "completed finished approved accepted confirmed verified expired closed missed stolen injured repeated postponed "
    "abandoned renewed promoted demoted fired dismissed resigned retired quit trained hired rehired transferred replaced "
    "repaired fixed broken disputed reserved shared returned overdue discounted refilled restocked exported imported "
    "archived blocked banned suspended activated deactivated unsubscribed subscribed churned upgraded downgraded escalated "
    "resolved reopened reviewed audited tested vaccinated infected cured recovered died killed survived arrested convicted "
    "relegated disqualified eliminated drafted traded tied defeated beaten cleaned inspected certified licensed insured "
    "claimed complained contested corrected crashed derailed diverted dropped withdrawn terminated interrupted paused "
    "recalled released discontinued translated awarded nominated praised criticized recommended bookmarked liked disliked "
    "flagged skipped ignored forgotten unpaid settled defaulted invested inherited".split()
)
