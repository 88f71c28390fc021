"""Keys to callers, and callers to what they may do with a dataset."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from functools import partial

from atlas.accounts import audit, dataset_access
from atlas.accounts import repository as accounts
from atlas.accounts.access import Access, Caller
from atlas.db.database import Database
from atlas.errors import AuthenticationError, ForbiddenError, NotFoundError
from atlas.kit.coalescing import Coalescer

# The most (user, dataset) pairs of ownership that are cached.
REMEMBERED = 10_000


def require_admin(caller: Caller, what: str) -> None:
    """Raises ForbiddenError unless the caller administers the organization. what: such as `set the model`."""
    if not caller.is_admin:
        told = f"Only administrators of the organization and operators may {what}; your role is {caller.role}"
        raise ForbiddenError("Permission denied", told)


class AccessService:
    """Decides who a request is from and what it may touch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._callers = Coalescer(partial(accounts.find_callers, database))
        self._accesses = Coalescer(partial(dataset_access.access, database))
        self._touching: set[int] = set()
        # Users and datasets of theirs, the least recently used first.
        self._owned: OrderedDict[tuple[int, int], None] = OrderedDict()

    async def authenticate(self, key: str | None) -> Caller:
        """The caller behind an API key. Raises AuthenticationError."""
        if not key:
            raise AuthenticationError(
                "Missing API key", "Send your key in the header X-API-Key, or as Authorization: Bearer KEY"
            )
        found = await self._callers.get(key)
        if found is None:
            raise AuthenticationError("Invalid API key", "The key is unknown, revoked or expired")
        caller, stale = found
        if stale and caller.key_id not in self._touching:
            # Once, however many requests of the key have come together: each would wait for the others' row lock.
            self._touching.add(caller.key_id)
            try:
                await accounts.touch_key(self._database, caller.key_id)
            finally:
                self._touching.discard(caller.key_id)
        return caller

    async def check(self, caller: Caller, dataset_id: int) -> Access:
        """What the caller may do with a dataset. Raises NotFoundError."""
        found = None
        if 0 < dataset_id < 2**31:
            found = await self._accesses.get((caller.user_id, dataset_id))
        if found is None:
            raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
        return found

    async def require(self, caller: Caller, dataset_id: int, *, write: bool = False) -> Access:
        """As `check`, but raises ForbiddenError unless the caller may read, or `write`."""
        found = await self.check(caller, dataset_id)
        audit.touched(dataset_id)
        if not found.allows(write=write):
            raise ForbiddenError("Permission denied", found.denial(write=write))
        return found

    async def require_insert(self, caller: Caller, dataset_id: int) -> None:
        """As `require(write=True)`, but may answer from the cache of ownership.

        The insert itself reports a deleted dataset.

        A dataset keeps its owner, and its id is never another's, so whoever could write can as long as it is there.
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
        """The caller's dataset is gone."""
        self._owned.pop((caller.user_id, dataset_id), None)

    async def still_readable(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of `pairs` (key id, dataset id) whose key is live and may read the dataset."""
        return await dataset_access.readable_pairs(self._database, pairs)
