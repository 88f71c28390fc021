"""The summary of an import, in one line of English."""

from __future__ import annotations

from atlas.imports.load import Outcome
from atlas.imports.plan import ImportPlan
from atlas.kit.plurals import many


def summary(outcome: Outcome, plan: ImportPlan) -> str:
    """Writes one line on the results of an import and the words that were not understood."""
    where = f"the new table {outcome.table}" if outcome.made_table else outcome.table
    if outcome.dataset_id is not None:
        where = f"dataset {outcome.dataset_id} ({outcome.table})"
    parts = [f"Imported {many(outcome.inserted, 'record')} into {where}."]
    if outcome.replaced:
        were = _were(outcome.replaced)
        parts.append(f"{many(outcome.replaced, 'row')} that {were} there {were} archived.")
    if outcome.unmatched:
        match = "matches" if outcome.unmatched == 1 else "match"
        parts.append(f"{many(outcome.unmatched, 'record')} {match} no row and {_were(outcome.unmatched)} left out.")
    if outcome.updated:
        parts.append(f"{many(outcome.updated, 'row')} {_were(outcome.updated)} updated.")
    if outcome.duplicates:
        parts.append(f"{many(outcome.duplicates, 'duplicate')} {_were(outcome.duplicates)} skipped.")
    if filtered := outcome.left_out - outcome.unmatched:
        parts.append(f"{many(filtered, 'record')} {_were(filtered)} left out by the filter.")
    if outcome.similar:
        look = "looks" if outcome.similar == 1 else "look"
        parts.append(f"{many(outcome.similar, 'record')} {look} like another and {_were(outcome.similar)} flagged.")
    if outcome.failures:
        parts.append(f"{many(outcome.failures, 'record')} failed validation and {_wait(outcome.failures)} for review.")
    if outcome.replacements:
        parts.append(f"{many(outcome.replacements, 'value')} {_were(outcome.replacements)} replaced.")
    if outcome.new_columns:
        parts.append(f"New columns: {', '.join(outcome.new_columns)}.")
    if plan.key_found and plan.duplicates != "keep":
        parts.append(f"Records with the same {' and '.join(plan.key)} count as duplicates.")
    parts += [f"Note: {note.rstrip('.')}." for note in (*plan.notes, *keyless_notes(outcome, plan))]
    if plan.not_understood:
        parts.append(f"Not understood: {'; '.join(plan.not_understood)}.")
    return " ".join(parts)


def keyless_notes(outcome: Outcome, plan: ImportPlan) -> list[str]:
    """Notes the records without a key, which match no row: a further import of them inserts them again."""
    if not outcome.keyless:
        return []
    told = f"{many(outcome.keyless, 'record has', 'records have')} no {' and '.join(plan.key)}, so no row is the same"
    return [f"{told}; if the file is imported again, {'it is' if outcome.keyless == 1 else 'they are'} inserted again"]


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"
