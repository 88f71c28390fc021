"""Tags: listed, acquired, and assigned to datasets to share them."""

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
    """Manages tags of users and datasets."""

    def __init__(self, database: Database, access: AccessService) -> None:
        self._database = database
        self._access = access

    async def all(self) -> list[Tag]:
        """Lists every tag of the system, without secrets."""
        return [_public(row) for row in await store.all_tags(self._database)]

    async def create(self, name: str, description: str, secret: str | None) -> NewTag:
        """Creates a tag: private with a secret, else public. For operators; no route calls this method directly."""
        hashed = None if secret is None else await asyncio.to_thread(hash_secret, secret)
        row = await store.create(self._database, name, description, secret is None, hashed)
        if row is None:
            raise BadRequestError("Tag already exists", f"name: {name!r} is taken")
        return NewTag(**row)

    async def acquire(self, caller: Caller, name: str, secret: str | None) -> Tag:
        """Gives the caller a tag. Raises NotFoundError, or ForbiddenError without the right secret.

        A holder of the tag needs no secret, and nothing changes.
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
        """Lists the tags of a dataset that the caller may read."""
        await self._access.require(caller, dataset_id)
        return [_public(row) for row in await store.of_dataset(self._database, dataset_id)]

    async def assign(self, caller: Caller, dataset_id: int, name: str | None, tag_id: int | None) -> Tag:
        """Assigns a tag, by name or else by id, to an owned dataset.

        Raises ForbiddenError for a private tag that the caller does not hold. Otherwise strangers could put datasets
        before the tag's holders, among the datasets that they trust.
        """
        await self._access.require(caller, dataset_id, write=True)
        if (name is None) == (tag_id is None):
            raise BadRequestError("Invalid request body", "send either tag_name or tag_id")
        tag = await self._find(name, tag_id)
        if not tag["is_public"] and not await store.holds(self._database, caller.user_id, tag["id"]):
            details = f"The tag {tag['name']!r} is private and you do not hold it; acquire it with its secret first"
            raise ForbiddenError("Permission denied", details)
        await store.assign(self._database, dataset_id, tag["id"])
        return _public(tag)

    async def remove(self, caller: Caller, dataset_id: int, tag_id: int) -> None:
        """Removes a tag from an owned dataset. Raises NotFoundError when the dataset does not have the tag."""
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
