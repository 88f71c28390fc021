"""Answers to inserts, also those that were stored with the idempotency keys of earlier inserts."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import msgspec

from atlas.contract.rows import InsertedRow, InsertedRows
from atlas.contract.shape import absent
from atlas.timeseries.conflicts.model import Outcome
from atlas.timeseries.ingest.csv_rows import Guesses


class _KeptRow(msgspec.Struct):
    """The answer to an insert of one row, as stored with its idempotency key."""

    dataset: int
    timestamp: str
    values: dict[str, msgspec.Raw]
    inserted: int | None = None
    replaced: int | None = None
    identical: int | None = None
    kept: int | None = None
    total: int | None = None


def earlier_row(answer: Any) -> InsertedRow:
    """Reads the stored answer of an earlier insert with the same idempotency key."""
    if not isinstance(answer, msgspec.Raw):
        return InsertedRow(**answer)
    kept = msgspec.json.decode(answer, type=_KeptRow)
    return InsertedRow(**{name: value for name, value in msgspec.structs.asdict(kept).items() if value is not None})


def inserted_row(row: InsertedRow, rows: int, outcome: Outcome | None) -> InsertedRow:
    """Returns the answer to an insert of one row, with what a policy did."""
    return row if outcome is None else replace(row, **asdict(outcome), total=outcome.total)


def inserted(rows: int, outcome: Outcome | None, guesses: Guesses) -> InsertedRows:
    """Returns the answer to a bulk insert, with what a policy did, and with guessed parameters."""
    guessed = guesses.timestamp_column or absent(), guesses.timestamp_format or absent()
    if outcome is None:
        return InsertedRows(rows, rows, absent(), absent(), absent(), *guessed)
    return InsertedRows(outcome.inserted, outcome.total, outcome.replaced, outcome.identical, outcome.kept, *guessed)


def inserted_rows(answer: Any) -> InsertedRows:
    """Returns the answer to a bulk insert, which may be the stored one of an earlier insert."""
    if isinstance(answer, InsertedRows):
        return answer
    return InsertedRows(**(msgspec.json.decode(answer) if isinstance(answer, msgspec.Raw) else answer))
