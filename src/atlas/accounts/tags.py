"""Tags: list, acquire, and share datasets by them."""

from __future__ import annotations

import asyncio
from typing import Any

from atlas.accounts import tags_repository as store
from atlas.accounts.access import Caller
from atlas.accounts.api_keys import check_secret, hash_secret
from atlas.accounts.authorization import AccessService
from atlas.contract.accounts import NewTag, Tag
from atlas.db.database import Database
from atlas.errors import BadRequestError, ForbiddenError, NotFoundError

Row = dict[str, Any]


class TagService:
    """What users do with tags."""

    def __init__(self, database: Database, access: AccessService) -> None:
        self._database = database
        self._access = access

    async def all(self) -> list[Tag]:
        """Every tag of the system, without secrets."""
        return [_public(row) for row in await store.all_tags(self._database)]

    async def create(self, name: str, description: str, secret: str | None) -> NewTag:
        """A new tag: private with a secret, else public. For operators; there is no route to it."""
        hashed = None if secret is None else await asyncio.to_thread(hash_secret, secret)
        row = await store.create(self._database, name, description, secret is None, hashed)
        if row is None:
            raise BadRequestError("Tag already exists", f"name: {name!r} is taken")
        return NewTag(**row)

    async def acquire(self, caller: Caller, name: str, secret: str | None) -> Tag:
        """Gives the caller a tag. Raises NotFoundError, or ForbiddenError without the right secret.

        Who has the tag needs no secret: nothing changes.
        """
        tag = await self._find(name, None)
        if not tag["is_public"]:
            if secret is None:
                if await store.holds(self._database, caller.user_id, tag["id"]):
                    return _public(tag)
                raise ForbiddenError("Secret required", f"The tag {name!r} is private; send its secret")
            if not await asyncio.to_thread(check_secret, secret, bytes(tag["secret_hash"])):
                raise ForbiddenError("Invalid secret", f"The secret of the tag {name!r} is another")
        await store.acquire(self._database, caller.user_id, tag["id"])
        return _public(tag)

    async def of_dataset(self, caller: Caller, dataset_id: int) -> list[Tag]:
        """The tags of a dataset that the caller may read."""
        await self._access.require(caller, dataset_id)
        return [_public(row) for row in await store.of_dataset(self._database, dataset_id)]

    async def assign(self, caller: Caller, dataset_id: int, name: str | None, tag_id: int | None) -> Tag:
        """Puts a tag, by name or else by id, on an owned dataset.

        Raises ForbiddenError for a private tag that the caller does not hold: its holders would be shown the dataset
        among those that they trust.
        """
        await self._access.require(caller, dataset_id, write=True)
        if (name is None) == (tag_id is None):
            raise BadRequestError("Invalid request body", "send either tag_name or tag_id")
        tag = await self._find(name, tag_id)
        if not tag["is_public"] and not await store.holds(self._database, caller.user_id, tag["id"]):
            told = f"The tag {tag['name']!r} is private and you do not hold it; acquire it with its secret first"
            raise ForbiddenError("Permission denied", told)
        await store.assign(self._database, dataset_id, tag["id"])
        return _public(tag)

    async def remove(self, caller: Caller, dataset_id: int, tag_id: int) -> None:
        """Takes a tag off an owned dataset. Raises NotFoundError where it was not there."""
        await self._access.require(caller, dataset_id, write=True)
        if not 0 < tag_id < 2**31 or not await store.remove(self._database, dataset_id, tag_id):
            raise NotFoundError("Tag not found", f"Dataset {dataset_id} has no tag with ID {tag_id}")

    async def _find(self, name: str | None, tag_id: int | None) -> Row:
        tag = None
        if name is not None and "\0" not in name:
            tag = await store.find(self._database, name, None)
        elif tag_id is not None and 0 < tag_id < 2**31:
            tag = await store.find(self._database, None, tag_id)
        if tag is None:
            what = f"named {name!r}" if name is not None else f"with ID {tag_id}"
            raise NotFoundError("Tag not found", f"No tag {what}")
        return tag


def _public(tag: Row) -> Tag:
    return Tag(**{name: value for name, value in tag.items() if name != "secret_hash"})
