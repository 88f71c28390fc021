"""Administration by admins and operators."""

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
    """Users, keys, tags and jobs of your organization. An operator may name another organization. Others
    get Forbidden.
    """

    async def users(self, *, organization: str | None = None) -> Sequence[Json]:
        """Lists users with their roles and usage."""
        return tuple((await self._get(f"{ADMIN}/users", organization=organization))["users"])

    async def create_user(self, name: str, role: Role = "member", *, organization: str | None = None) -> Json:
        """Creates a user."""
        found: Json = await self._post(f"{ADMIN}/users", {"name": name, "role": role}, organization=organization)
        return found

    async def set_role(self, user_id: int, role: Role) -> Json:
        """Sets the role of a user. The last operator stays operator."""
        found: Json = await self._patch(f"{ADMIN}/users/{int(user_id)}", {"role": role})
        return found

    async def disable_user(self, user_id: int) -> Json:
        """Revokes all keys of a user."""
        found: Json = await self._post(f"{ADMIN}/users/{int(user_id)}/disable")
        return found

    async def keys(self, *, user: str | None = None, organization: str | None = None) -> Sequence[OwnedKey]:
        """Lists keys of all users, or of one user."""
        return read_all(OwnedKey, (await self._get(f"{ADMIN}/keys", user=user, organization=organization))["keys"])

    async def create_key(
        self, user: str, name: str = "", expires_at: datetime | str | None = None, *, organization: str | None = None
    ) -> NewOwnedKey:
        """Creates a key for a user. `key` of the answer is shown only once."""
        body = {"user": user, "name": name, "expires_at": moment_text(expires_at)}
        return read(NewOwnedKey, await self._post(f"{ADMIN}/keys", body, organization=organization))

    async def revoke_key(self, key_id: int) -> None:
        """Revokes a key of any user at once."""
        await self._delete(f"{ADMIN}/keys/{int(key_id)}")

    async def tags(self) -> Sequence[Json]:
        """Lists tags with the number of their datasets and holders."""
        return tuple((await self._get(f"{ADMIN}/tags"))["tags"])

    async def create_tag(self, name: str, description: str = "", *, secret: str | None = None) -> Json:
        """Creates a tag. A tag with a secret is private. Operators only."""
        found: Json = await self._post(f"{ADMIN}/tags", {"name": name, "description": description, "secret": secret})
        return found

    async def delete_tag(self, tag_id: int) -> None:
        """Deletes a tag. Datasets shared only by this tag are no longer shared. Operators only."""
        await self._delete(f"{ADMIN}/tags/{int(tag_id)}")

    async def jobs(
        self,
        *,
        status: str | None = None,
        organization: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> AsyncIterator[Json]:
        """Yields background jobs, newest first. An operator without `organization` sees all jobs."""
        params = given(status=status, organization=organization)
        async for item in self._pages(f"{ADMIN}/jobs", "jobs", limit, params, page=page_size):
            yield item

    async def cancel_job(self, job_id: int) -> Json:
        """Cancels a waiting job, or stops a running job."""
        found: Json = await self._post(f"{ADMIN}/jobs/{int(job_id)}/cancel")
        return found

    async def retry_job(self, job_id: int) -> Json:
        """Runs a failed job again."""
        found: Json = await self._post(f"{ADMIN}/jobs/{int(job_id)}/retry")
        return found

    async def organizations(self) -> Sequence[Json]:
        """Lists all organizations. Operators only."""
        return tuple((await self._get(f"{ADMIN}/organizations"))["organizations"])
