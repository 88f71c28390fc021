"""Administration of organizations, users and keys by the operator at the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from atlas.accounts import repository as accounts
from atlas.accounts.access import ROLES
from atlas.contract.accounts import Member, Organization, OrganizationItem, OwnedKey, Role, UserItem
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, NotFoundError

FIRST_ORGANIZATION, FIRST_USER = "default", "admin"


@dataclass(frozen=True)
class StoredOrganization:
    """An organization and the schema of its tables."""

    id: int
    name: str
    schema_name: str
    created_at: datetime
    users: int

    def shown(self) -> OrganizationItem:
        """Returns the organization without members that only operators at the command line see."""
        return OrganizationItem(self.id, self.name, self.created_at, self.users)


@dataclass(frozen=True)
class IssuedKey:
    """A new key, which only this value shows."""

    key: str = field(repr=False)
    organization: str
    user: str
    id: int
    prefix: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class RotatedKey:
    """A new key, and the key that it replaces."""

    key: str = field(repr=False)
    replaced: int
    id: int
    prefix: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class RevokedKey:
    """A revoked key."""

    id: int
    revoked: bool = True


class KeyService:
    """Creates organizations, users and keys, and revokes keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first_key(self) -> str | None:
        """Creates the first key of a new installation, with its organization and user.

        Returns None if any key exists.
        """
        async with self._database.transaction() as connection:
            # The lock keeps servers that start together from each creating a key.
            await accounts.lock_keys(connection)
            if await accounts.any_key(connection):
                return None
            organization, _ = await accounts.ensure_organization(connection, FIRST_ORGANIZATION)
            user, _ = await accounts.ensure_user(connection, organization, FIRST_USER)
            await accounts.set_role(connection, user, "operator")
            key, _ = await accounts.insert_key(connection, user, "first key", None)
        return key

    async def create_organization(self, name: str) -> Organization:
        """Creates an organization. Raises BadRequestError when the name is taken or invalid."""
        async with self._database.transaction() as connection:
            organization_id, made = await accounts.ensure_organization(connection, _name(name, "organization"))
        if not made:
            raise BadRequestError("Organization already exists", f"name: {name!r} is taken")
        return Organization(organization_id, name)

    async def create_user(self, organization: str, name: str, *, role: str = "member") -> Member:
        """Creates a user, and a missing organization. Raises BadRequestError when the name is taken or invalid."""
        checked = _role(role)
        async with self._database.transaction() as connection:
            organization_id, _ = await accounts.ensure_organization(connection, _name(organization, "organization"))
            user_id, made = await accounts.ensure_user(connection, organization_id, _name(name, "user"), role)
        if not made:
            raise BadRequestError("User already exists", f"name: {name!r} is taken in {organization!r}")
        return Member(user_id, name, organization, checked)

    async def set_role(self, organization: str, name: str, role: str) -> Member:
        """Sets a user's role. Raises NotFoundError, and BadRequestError when no operator would be left."""
        checked = _role(role)
        found = next((user for user in await self.users(organization) if user.name == name), None)
        if found is None:
            raise NotFoundError("User not found", f"No user {name!r} in {organization!r}")
        async with self._database.transaction() as connection:
            await change_role(connection, found.id, role)
        return Member(found.id, name, organization, checked)

    async def create_key(self, organization: str, user: str, name: str, expires_at: datetime | None) -> IssuedKey:
        """Creates a key, with a missing organization and user. Only the result shows the key."""
        async with self._database.transaction() as connection:
            organization_id, _ = await accounts.ensure_organization(connection, _name(organization, "organization"))
            user_id, _ = await accounts.ensure_user(connection, organization_id, _name(user, "user"))
            key, row = await accounts.insert_key(connection, user_id, name, expires_at)
        return IssuedKey(key, organization, user, **row)

    async def revoke_key(self, key_id: int) -> RevokedKey:
        """Revokes a key at once. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await accounts.revoke_key(connection, key_id) is None:
                raise NotFoundError("Key not found", f"No key with ID {key_id}")
        return RevokedKey(key_id)

    async def rotate_key(self, key_id: int) -> RotatedKey:
        """Creates a key for the user of an old key, and revokes the old key at once. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            old = await accounts.revoke_key(connection, key_id)
            if old is None:
                raise NotFoundError("Key not found", f"No key with ID {key_id}")
            key, row = await accounts.insert_key(connection, *old)
        return RotatedKey(key, key_id, **row)

    async def organizations(self) -> list[StoredOrganization]:
        found = await accounts.list_rows(self._database, "list_organizations")
        return [StoredOrganization(**row) for row in found]

    async def users(self, organization: str | None) -> list[UserItem]:
        found = await accounts.list_rows(self._database, "list_users", organization=organization)
        return [UserItem(**row) for row in found]

    async def keys(self, organization: str | None, user: str | None) -> list[OwnedKey]:
        """Lists keys by their lookup prefixes, never the keys themselves."""
        found = await accounts.list_rows(self._database, "list_keys", organization=organization, user=user)
        return [OwnedKey(**row) for row in found]


def _name(name: str, what: str) -> str:
    if not name.strip() or "\0" in name or len(name) > 200:
        raise BadRequestError("Invalid name", f"{what}: 1 to 200 characters, not only spaces")
    return name


def _role(role: str) -> Role:
    """Returns the role of this name. Raises BadRequestError for another name."""
    if role not in ROLES:
        raise BadRequestError("Invalid role", f"role: one of {', '.join(ROLES)}")
    return cast("Role", role)


async def change_role(connection: Connection, user_id: int, role: str) -> None:
    """Sets a user's role within the transaction. Raises NotFoundError, and BadRequestError for the last operator."""
    user = await accounts.find(connection, "get_user", id=user_id)
    if user is None:
        raise NotFoundError("User not found", f"No user with ID {user_id}")
    if user["role"] == "operator" and role != "operator":
        await refuse_last_operator(connection, user_id)
    await accounts.set_role(connection, user_id, role)


async def refuse_last_operator(connection: Connection, user_id: int) -> None:
    """Raises BadRequestError when no other operator has a live key."""
    if not await accounts.other_operator(connection, user_id):
        raise BadRequestError("Last operator", "make another user with a live key an operator first")
