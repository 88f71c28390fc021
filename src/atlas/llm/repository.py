"""The stored model provider of each organization. Keys are stored and returned encrypted."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from atlas.accounts.access import Caller
from atlas.db.database import Database
from atlas.db.named_queries import queries


class StoredModel(msgspec.Struct, frozen=True):
    """The model settings of an organization.

    key: encrypted.
    timeout: in seconds.
    updated_by: a user's name.
    """

    provider: Literal["openai", "anthropic", "none"]
    model: str | None
    base_url: str | None
    key: bytes | None
    samples: bool
    timeout: float
    updated_at: datetime | None = None
    updated_by: str | None = None


async def find(database: Database, organization_id: int) -> StoredModel | None:
    rows = await database.fetch(queries("llm/model_settings")["find"], organization=organization_id)
    return StoredModel(*rows[0]) if rows else None


async def save(database: Database, caller: Caller, settings: StoredModel, *, keep_key: bool) -> bool:
    """Replaces the settings of the caller's organization, and returns whether the settings are saved.

    keep_key: keep the stored key and ignore `settings.key`. If the stored key belongs to another address, nothing is
    saved.
    """
    rows = await database.fetch(
        queries("llm/model_settings")["save"],
        organization=caller.organization_id,
        user=caller.user_id,
        provider=settings.provider,
        model=settings.model,
        base_url=settings.base_url,
        key=settings.key,
        samples=settings.samples,
        timeout=settings.timeout,
        keep_key=keep_key,
    )
    return bool(rows)


async def delete(database: Database, organization_id: int) -> None:
    await database.fetch(queries("llm/model_settings")["delete"], organization=organization_id)
