"""The identity and the keys of a caller."""

from __future__ import annotations

from datetime import UTC, datetime

import atlas
from atlas.accounts import repository as accounts
from atlas.accounts.access import Caller
from atlas.contract.accounts import Key, KeysView, Me, NewKey, Organization, RevokedView, User
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.timestamps import parse_timestamp


class AccountService:
    """Shows a caller's identity, and manages the caller's own keys."""

    def __init__(self, database: Database, *, max_keys: int) -> None:
        self._database, self._max_keys = database, max_keys

    async def me(self, caller: Caller) -> Me:
        """Returns the caller's user, organization, key and tags, and the server's version."""
        async with self._database.connection() as connection:
            found = await accounts.find(connection, "identity", key=caller.key_id)
        if found is None:
            raise NotFoundError("Key not found", f"No key with ID {caller.key_id}")
        key = {name: found[name] for name in ("id", "name", "prefix", "created_at", "expires_at", "last_used_at")}
        return Me(
            User(found["user_id"], found["user_name"], found["role"]),
            Organization(found["organization_id"], found["organization_name"]),
            Key(**key),
            tuple(found["tags"]),
            atlas.__version__,
        )

    async def keys(self, caller: Caller) -> KeysView:
        """Lists the caller's keys, including revoked keys, never the keys themselves."""
        found = await accounts.list_rows(self._database, "list_own_keys", user=caller.user_id)
        return KeysView(tuple(Key(**row) for row in found))

    async def create_key(self, caller: Caller, name: str, expires_at: str | None) -> NewKey:
        """Creates another key of the caller. Only the result shows the key.

        Raises BadRequestError for an invalid expiry, or for a user with too many keys.
        """
        ends = expiry(expires_at)
        async with self._database.transaction() as connection:
            await refuse_too_many(connection, caller.user_id, self._max_keys)
            key, row = await accounts.insert_key(connection, caller.user_id, name, ends)
        return NewKey(key=key, name=name, **row)

    async def revoke_key(self, caller: Caller, key_id: int) -> RevokedView:
        """Revokes a key of the caller at once. Raises NotFoundError for any other key."""
        found = None
        if 0 < key_id < 2**31:
            async with self._database.transaction() as connection:
                found = await accounts.revoke_key(connection, key_id, user_id=caller.user_id)
        if found is None:
            raise no_key(key_id)
        return RevokedView(key_id)

    async def rotate_key(self, caller: Caller, key_id: int) -> NewKey:
        """Creates a key with the name and expiry of a key of the caller, and revokes the old key at once.

        Raises NotFoundError for another user's key, and BadRequestError for a revoked key.
        """
        if not 0 < key_id < 2**31:
            raise no_key(key_id)
        async with self._database.transaction() as connection:
            known = await accounts.find(connection, "lock_own_key", id=key_id, user=caller.user_id)
            if known is None:
                raise no_key(key_id)
            if known["revoked_at"] is not None:
                raise BadRequestError("Key is revoked", f"key {key_id} has ended; create another")
            old = await accounts.revoke_key(connection, key_id)
            assert old is not None
            key, row = await accounts.insert_key(connection, *old)
        return NewKey(key=key, name=old[1], replaced=key_id, **row)


async def refuse_too_many(connection: Connection, user_id: int, most: int) -> None:
    """Raises BadRequestError when a user has `most` live keys. Concurrent transactions wait for this transaction."""
    live = await accounts.count_live_keys(connection, user_id)
    if live >= most:
        raise BadRequestError("Too many keys", f"a user has at most {most} at once; revoke or rotate one of {live}")


def no_key(key_id: int) -> NotFoundError:
    return NotFoundError("Key not found", f"no key with ID {key_id}")


def expiry(text: str | None) -> datetime | None:
    """Parses the expiry of a new key. Raises BadRequestError for a text that is no future time."""
    if text is None:
        return None
    try:
        found = parse_timestamp(text)
    except ValueError as error:
        raise BadRequestError("Invalid parameter", f"expires_at: {error}") from None
    if found <= datetime.now(UTC):
        raise BadRequestError("Invalid parameter", "expires_at: in the past")
    return found
