# Made from _async/admin.py by scripts/make_sync.py; change that one.
"""Administration by admins and operators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from atlas.client._reading import read, read_all
from atlas.client._requests import given
from atlas.client._sync.resource import PAGE, Resource
from atlas.client._sync.settings import moment_text
from atlas.client.types import Json
from atlas.contract.accounts import NewOwnedKey, OwnedKey, Role

ADMIN = "/api/v1/admin"


class Admin(Resource):
    """Users, keys, tags and jobs of your organization. An operator may name another organization. Others
    get Forbidden.
    """

    def users(self, *, organization: str | None = None) -> Sequence[Json]:
        """Lists users with their roles and usage."""
        return tuple((self._get(f"{ADMIN}/users", organization=organization))["users"])

    def create_user(self, name: str, role: Role = "member", *, organization: str | None = None) -> Json:
        """Creates a user."""
        found: Json = self._post(f"{ADMIN}/users", {"name": name, "role": role}, organization=organization)
        return found

    def set_role(self, user_id: int, role: Role) -> Json:
        """Sets the role of a user. The last operator stays operator."""
        found: Json = self._patch(f"{ADMIN}/users/{int(user_id)}", {"role": role})
        return found

    def disable_user(self, user_id: int) -> Json:
        """Revokes all keys of a user."""
        found: Json = self._post(f"{ADMIN}/users/{int(user_id)}/disable")
        return found

    def keys(self, *, user: str | None = None, organization: str | None = None) -> Sequence[OwnedKey]:
        """Lists keys of all users, or of one user."""
        return read_all(OwnedKey, (self._get(f"{ADMIN}/keys", user=user, organization=organization))["keys"])

    def create_key(
        self, user: str, name: str = "", expires_at: datetime | str | None = None, *, organization: str | None = None
    ) -> NewOwnedKey:
        """Creates a key for a user. `key` of the answer is shown only once."""
        body = {"user": user, "name": name, "expires_at": moment_text(expires_at)}
        return read(NewOwnedKey, self._post(f"{ADMIN}/keys", body, organization=organization))

    def revoke_key(self, key_id: int) -> None:
        """Revokes a key of any user at once."""
        self._delete(f"{ADMIN}/keys/{int(key_id)}")

    def tags(self) -> Sequence[Json]:
        """Lists tags with the number of their datasets and holders."""
        return tuple((self._get(f"{ADMIN}/tags"))["tags"])

    def create_tag(self, name: str, description: str = "", *, secret: str | None = None) -> Json:
        """Creates a tag. A tag with a secret is private. Operators only."""
        found: Json = self._post(f"{ADMIN}/tags", {"name": name, "description": description, "secret": secret})
        return found

    def delete_tag(self, tag_id: int) -> None:
        """Deletes a tag. Datasets shared only by this tag are no longer shared. Operators only."""
        self._delete(f"{ADMIN}/tags/{int(tag_id)}")

    def jobs(
        self,
        *,
        status: str | None = None,
        organization: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[Json]:
        """Yields background jobs, newest first. An operator without `organization` sees all jobs."""
        params = given(status=status, organization=organization)
        yield from self._pages(f"{ADMIN}/jobs", "jobs", limit, params, page=page_size)

    def cancel_job(self, job_id: int) -> Json:
        """Cancels a waiting job, or stops a running job."""
        found: Json = self._post(f"{ADMIN}/jobs/{int(job_id)}/cancel")
        return found

    def retry_job(self, job_id: int) -> Json:
        """Runs a failed job again."""
        found: Json = self._post(f"{ADMIN}/jobs/{int(job_id)}/retry")
        return found

    def organizations(self) -> Sequence[Json]:
        """Lists all organizations. Operators only."""
        return tuple((self._get(f"{ADMIN}/organizations"))["organizations"])
