"""Finds the caller of a key, and the caller's rights on a dataset."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection
from functools import partial

from atlas.accounts import audit, dataset_access
from atlas.accounts import repository as accounts
from atlas.accounts.access import Access, Caller
from atlas.accounts.api_keys import hash_key
from atlas.db.database import Database
from atlas.errors import AuthenticationError, ForbiddenError, NotFoundError
from atlas.kit.coalescing import Coalescer

# Maximum number of (user, dataset) ownership pairs, and of callers, to cache.
REMEMBERED = 10_000
# Seconds for which the caller of a key is remembered. The last use of a key is recorded by the minute.
REMEMBERED_SECONDS = 20.0


def require_admin(caller: Caller, what: str) -> None:
    """Raises ForbiddenError unless the caller administers the organization. what: such as `set the model`."""
    if not caller.is_admin:
        details = f"Only administrators of the organization and operators may {what}; your role is {caller.role}"
        raise ForbiddenError("Permission denied", details)


class AccessService:
    """Authenticates requests and checks rights."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._callers = Coalescer(partial(accounts.find_callers, database))
        self._accesses = Coalescer(partial(dataset_access.access, database))
        self._touching: set[int] = set()
        # Users and datasets that they own, the least recently used first.
        self._owned: OrderedDict[tuple[int, int], None] = OrderedDict()
        # Callers by the hash of their key, and when the key was last found live.
        self._seen: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    async def authenticate(self, key: str | None) -> Caller:
        """Returns the caller of an API key. Raises AuthenticationError for a missing or invalid key."""
        if not key:
            raise AuthenticationError(
                "Missing API key", "Send your key in the header X-API-Key, or as Authorization: Bearer KEY"
            )
        found = await self._callers.get(key)
        if found is None:
            raise AuthenticationError("Invalid API key", "The key is unknown, revoked or expired")
        caller, stale = found
        if stale and caller.key_id not in self._touching:
            # Recorded once for concurrent requests of a key, which would otherwise wait for each other's row lock.
            self._touching.add(caller.key_id)
            try:
                await accounts.touch_key(self._database, caller.key_id)
            finally:
                self._touching.discard(caller.key_id)
        self._seen[hash_key(key)] = caller, time.monotonic()
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return caller

    def remembered(self, key: str) -> Caller | None:
        """Returns the caller of a key that was found live within seconds, or None.

        For work that checks in its own statement whether the key is still live.
        """
        caller, seen = self._seen.get(hash_key(key), (None, 0.0))
        return caller if time.monotonic() - seen < REMEMBERED_SECONDS else None

    def owns(self, caller: Caller, dataset_id: int) -> bool:
        """Returns whether the caller is known to own a dataset, which may have been deleted since."""
        return (caller.user_id, dataset_id) in self._owned

    async def check(self, caller: Caller, dataset_id: int) -> Access:
        """Returns the caller's rights on a dataset. Raises NotFoundError when the dataset does not exist."""
        found = None
        if 0 < dataset_id < 2**31:
            found = await self._accesses.get((caller.user_id, dataset_id))
        if found is None:
            raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
        return found

    async def require(self, caller: Caller, dataset_id: int, *, write: bool = False) -> Access:
        """Does what `check` does, and raises ForbiddenError unless the caller may read, or write with `write`."""
        found = await self.check(caller, dataset_id)
        audit.touched(dataset_id)
        if not found.allows(write=write):
            raise ForbiddenError("Permission denied", found.denial(write=write))
        return found

    async def require_insert(self, caller: Caller, dataset_id: int) -> None:
        """Does what `require(write=True)` does, but may answer from the ownership cache.

        The insert itself reports a deleted dataset. A dataset keeps its owner, and its id is never reused. So an owner
        may write as long as the dataset exists.
        """
        pair = caller.user_id, dataset_id
        if pair in self._owned:
            self._owned.move_to_end(pair)
            audit.touched(dataset_id)
            return
        await self.require(caller, dataset_id, write=True)
        self._owned[pair] = None
        if len(self._owned) > REMEMBERED:
            self._owned.popitem(last=False)

    def forget(self, caller: Caller, dataset_id: int) -> None:
        """Removes a deleted dataset of the caller from the cache."""
        self._owned.pop((caller.user_id, dataset_id), None)

    async def still_readable(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Returns those pairs (key id, dataset id) whose key is live and may read the dataset."""
        return await dataset_access.readable_pairs(self._database, pairs)
