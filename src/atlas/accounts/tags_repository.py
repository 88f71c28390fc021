"""Queries of tags: existing tags, their holders, and their datasets."""

from __future__ import annotations

from typing import Any

from atlas.db import executor
from atlas.db.database import Database
from atlas.db.named_queries import queries

Row = dict[str, Any]


async def _rows(database: Database, query: str, **parameters: Any) -> list[Row]:
    return await executor.records(database, queries("accounts/tags")[query], parameters)


async def all_tags(database: Database) -> list[Row]:
    """Returns every tag, without its secret."""
    return await _rows(database, "list_tags")


async def find(database: Database, name: str | None, tag_id: int | None) -> Row | None:
    """Returns the tag of a name or id, with its secret's hash, or None."""
    rows = await _rows(database, "find_tag", name=name, id=tag_id)
    return rows[0] if rows else None


async def create(
    database: Database, name: str, description: str, is_public: bool, secret_hash: bytes | None
) -> Row | None:
    """Creates a tag. Returns None when the name is taken."""
    rows = await _rows(
        database,
        "create_tag",
        name=name,
        description=description,
        is_public=is_public,
        secret_hash=secret_hash,
    )
    return rows[0] if rows else None


async def acquire(database: Database, user_id: int, tag_id: int) -> None:
    """Gives a tag to a user. Nothing changes when the user holds the tag."""
    await _rows(database, "acquire_tag", user=user_id, tag=tag_id)


async def holds(database: Database, user_id: int, tag_id: int) -> bool:
    """Returns whether a user holds a tag."""
    return bool(await _rows(database, "holds_tag", user=user_id, tag=tag_id))


async def of_dataset(database: Database, dataset_id: int) -> list[Row]:
    """Returns the tags of a dataset."""
    return await _rows(database, "dataset_tags", dataset=dataset_id)


async def assign(database: Database, dataset_id: int, tag_id: int) -> None:
    """Assigns a tag to a dataset. Nothing changes when the dataset has the tag."""
    await _rows(database, "assign_tag", dataset=dataset_id, tag=tag_id)


async def remove(database: Database, dataset_id: int, tag_id: int) -> bool:
    """Removes a tag from a dataset. Returns False when the dataset did not have the tag."""
    return bool(await _rows(database, "remove_tag", dataset=dataset_id, tag=tag_id))
