"""Backups: what was written or restored."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.contract.shape import Shape


@dataclass(frozen=True)
class BackupFile(Shape):
    """A backup and what it holds. verified: whether it was restored and each table compared."""

    file: str
    bytes: int
    made_at: str
    atlas: str
    tables: int
    rows: int
    verified: bool
    note: str
