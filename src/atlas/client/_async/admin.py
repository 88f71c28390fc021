"""What admins and operators do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from atlas.client._async.resource import PAGE, AsyncResource
from atlas.client._async.settings import moment_text
from atlas.client._reading import read, read_all
from atlas.client._requests import given
from atlas.client.types import Json
from atlas.contract.accounts import NewOwnedKey, OwnedKey, Role

ADMIN = "/api/v1/admin"


class AsyncAdmin(AsyncResource):
    """Users, keys, tags and jobs of your organization; an operator may name another. Others get Forbidden."""

    async def users(self, *, organization: str | None = None) -> Sequence[Json]:
        """Users with their roles and how much they have."""
        return tuple((await self._get(f"{ADMIN}/users", organization=organization))["users"])

    async def create_user(self, name: str, role: Role = "member", *, organization: str | None = None) -> Json:
        """Makes a user."""
        found: Json = await self._post(f"{ADMIN}/users", {"name": name, "role": role}, organization=organization)
        return found

    async def set_role(self, user_id: int, role: Role) -> Json:
        """Gives a user a role; the last operator keeps it."""
        found: Json = await self._patch(f"{ADMIN}/users/{int(user_id)}", {"role": role})
        return found

    async def disable_user(self, user_id: int) -> Json:
        """Revokes all keys of a user."""
        found: Json = await self._post(f"{ADMIN}/users/{int(user_id)}/disable")
        return found

    async def keys(self, *, user: str | None = None, organization: str | None = None) -> Sequence[OwnedKey]:
        """Keys of all users, or of one."""
        return read_all(OwnedKey, (await self._get(f"{ADMIN}/keys", user=user, organization=organization))["keys"])

    async def create_key(
        self, user: str, name: str = "", expires_at: datetime | str | None = None, *, organization: str | None = None
    ) -> NewOwnedKey:
        """A new key of a user; `key` of the answer is shown this once."""
        body = {"user": user, "name": name, "expires_at": moment_text(expires_at)}
        return read(NewOwnedKey, await self._post(f"{ADMIN}/keys", body, organization=organization))

    async def revoke_key(self, key_id: int) -> None:
        """Ends a key of anybody at once."""
        await self._delete(f"{ADMIN}/keys/{int(key_id)}")

    async def tags(self) -> Sequence[Json]:
        """Tags with how many datasets have and users hold them."""
        return tuple((await self._get(f"{ADMIN}/tags"))["tags"])

    async def create_tag(self, name: str, description: str = "", *, secret: str | None = None) -> Json:
        """Makes a tag, private with a secret. Operators only."""
        found: Json = await self._post(f"{ADMIN}/tags", {"name": name, "description": description, "secret": secret})
        return found

    async def delete_tag(self, tag_id: int) -> None:
        """Deletes a tag; what was shared by it alone is shared no more. Operators only."""
        await self._delete(f"{ADMIN}/tags/{int(tag_id)}")

    async def jobs(
        self,
        *,
        status: str | None = None,
        organization: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> AsyncIterator[Json]:
        """Jobs in the background, newest first; an operator who names no organization sees all of them."""
        params = given(status=status, organization=organization)
        async for item in self._pages(f"{ADMIN}/jobs", "jobs", limit, params, page=page_size):
            yield item

    async def cancel_job(self, job_id: int) -> Json:
        """Calls off a job that waits, and ends one that runs."""
        found: Json = await self._post(f"{ADMIN}/jobs/{int(job_id)}/cancel")
        return found

    async def retry_job(self, job_id: int) -> Json:
        """Runs a failed job again."""
        found: Json = await self._post(f"{ADMIN}/jobs/{int(job_id)}/retry")
        return found

    async def organizations(self) -> Sequence[Json]:
        """All organizations. Operators only."""
        return tuple((await self._get(f"{ADMIN}/organizations"))["organizations"])
