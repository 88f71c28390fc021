"""Administration of an organization: its users, keys and jobs. For operators also tags and organizations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from atlas.accounts import administration_repository as admin
from atlas.accounts import repository as accounts
from atlas.accounts.access import Caller
from atlas.accounts.authorization import require_admin
from atlas.accounts.local_administration import KeyService, change_role, refuse_last_operator
from atlas.accounts.service import expiry, no_key, refuse_too_many
from atlas.accounts.tags import TagService
from atlas.contract.accounts import (
    DeletedTagView,
    DisabledView,
    JobItem,
    JobsView,
    JobView,
    NewOwnedKey,
    NewTagView,
    NewUserView,
    OrganizationsView,
    OwnedKeysView,
    RevokedView,
    Role,
    RoleView,
    TagItem,
    TagsView,
    UsersView,
)
from atlas.db.database import Connection, Database
from atlas.db.job_queue import JobQueue
from atlas.errors import BadRequestError, ForbiddenError, NotFoundError
from atlas.kit.validation import refuse_text

Row = dict[str, Any]
# Makes an import fail for a reason, and sends its webhook. Returns False for an import that has already ended.
FailImport = Callable[[Database, UUID, str], Awaitable[bool]]
KEPT_TAGS = ("public", "test")
JOB_STATUSES = ("todo", "doing", "failed", "cancelled", "aborted")


class AdminService:
    """The actions of admins and operators. Each method raises ForbiddenError for other callers."""

    def __init__(
        self,
        database: Database,
        keys: KeyService,
        tags: TagService,
        queue: JobQueue,
        fail_import: FailImport,
        *,
        max_keys: int,
    ) -> None:
        self._database, self._keys, self._tags, self._queue = database, keys, tags, queue
        self._fail_import = fail_import
        self._max_keys = max_keys

    async def _organization(self, caller: Caller, name: str | None) -> Row:
        """Returns the managed organization: the caller's own, or any named organization for operators.

        Raises NotFoundError for an unknown organization, and ForbiddenError for another organization of an admin.
        """
        _require_admin(caller)
        own = await admin.one(self._database, "organization_of", name=None, user=caller.user_id)
        assert own is not None
        if name is None or name == own["name"]:
            return own
        if not caller.is_operator:
            raise ForbiddenError("Permission denied", "Only operators manage other organizations")
        found = await admin.one(self._database, "organization_of", name=name.replace("\0", ""), user=None)
        if found is None:
            raise NotFoundError("Organization not found", f"no organization {name[:100]!r}")
        return found

    async def organizations(self, caller: Caller) -> OrganizationsView:
        """Lists every organization with the number of its users. Operators only."""
        _require_operator(caller)
        found = await self._keys.organizations()
        return OrganizationsView(tuple(item.shown() for item in found))

    async def users(self, caller: Caller, organization: str | None) -> UsersView:
        """Lists users with their roles, live keys, datasets and last use."""
        managed = await self._organization(caller, organization)
        return UsersView(tuple(await self._keys.users(managed["name"])))

    async def create_user(self, caller: Caller, organization: str | None, name: str, role: Role) -> NewUserView:
        """Creates a user without a key. Only operators make operators."""
        managed = await self._organization(caller, organization)
        if role == "operator":
            _require_operator(caller)
        made = await self._keys.create_user(managed["name"], name, role=role)
        return NewUserView(made.id, made.name, made.organization, made.role)

    async def set_role(self, caller: Caller, user_id: int, role: Role) -> RoleView:
        """Sets a user's role. Only operators make operators, or take the role from an operator."""
        _require_admin(caller)
        if role == "operator":
            _require_operator(caller)
        async with self._database.transaction() as connection:
            user = await _user(connection, caller, user_id)
            await change_role(connection, user_id, role)
        return RoleView(user_id, user["name"], role)

    async def disable_user(self, caller: Caller, user_id: int) -> DisabledView:
        """Revokes all keys of a user. Raises BadRequestError for the last operator."""
        _require_admin(caller)
        async with self._database.transaction() as connection:
            user = await _user(connection, caller, user_id)
            if user["role"] == "operator":
                await refuse_last_operator(connection, user_id)
            ended = await admin.rows(connection, "disable_user", user=user_id)
        return DisabledView(user_id, len(ended))

    async def keys(self, caller: Caller, organization: str | None, user: str | None) -> OwnedKeysView:
        """Lists keys of an organization, or of one of its users, by their first characters."""
        managed = await self._organization(caller, organization)
        return OwnedKeysView(tuple(await self._keys.keys(managed["name"], user)))

    async def create_key(
        self, caller: Caller, organization: str | None, user: str, name: str, expires_at: str | None
    ) -> NewOwnedKey:
        """Creates a key for a user, which only this answer shows. Only operators make keys of operators.

        Raises BadRequestError for a user with too many keys.
        """
        managed = await self._organization(caller, organization)
        ends = expiry(expires_at)
        async with self._database.transaction() as connection:
            found = await accounts.find(connection, "find_user", organization=managed["id"], name=user)
            if found is None:
                raise NotFoundError("User not found", f"no user {user[:100]!r} in {managed['name']!r}")
            await _user(connection, caller, found["id"])
            await refuse_too_many(connection, found["id"], self._max_keys)
            key, row = await accounts.insert_key(connection, found["id"], name, ends)
        return NewOwnedKey(key=key, name=name, user=user, organization=managed["name"], **row)

    async def revoke_key(self, caller: Caller, key_id: int) -> RevokedView:
        """Revokes a key at once. Raises NotFoundError for a key that the caller does not manage."""
        _require_admin(caller)
        async with self._database.transaction() as connection:
            found = await admin.one(connection, "find_key", id=key_id) if 0 < key_id < 2**31 else None
            if found is None or not (caller.is_operator or found["organization_id"] == caller.organization_id):
                raise no_key(key_id)
            await _user(connection, caller, found["user_id"])
            await accounts.revoke_key(connection, key_id)
        return RevokedView(key_id)

    async def tags(self, caller: Caller) -> TagsView:
        """Lists every tag with the numbers of its datasets and holders."""
        _require_admin(caller)
        found = await admin.rows(self._database, "list_tags")
        return TagsView(tuple(TagItem(**row) for row in found))

    async def create_tag(self, caller: Caller, name: str, description: str, secret: str | None) -> NewTagView:
        """Creates a tag: private with a secret, else public. Its creator holds the tag. Operators only."""
        _require_operator(caller)
        refuse_text("name", name, 255)
        if secret == "":
            raise BadRequestError("Invalid parameter", "secret: empty; leave it out for a public tag")
        made = await self._tags.create(name, description, secret)
        # The creator of a private tag knows its secret.
        await self._tags.acquire(caller, name, secret)
        return NewTagView(made.id, made.name, made.is_public, description)

    async def delete_tag(self, caller: Caller, tag_id: int) -> DeletedTagView:
        """Removes a tag from all datasets and users, for good. Operators only."""
        _require_operator(caller)
        known = {tag.id: tag.name for tag in await self._tags.all()}
        if tag_id not in known:
            raise NotFoundError("Tag not found", f"no tag with ID {tag_id}")
        if known[tag_id] in KEPT_TAGS:
            raise BadRequestError("Tag is needed", f"the tag {known[tag_id]!r} cannot be deleted")
        await admin.rows(self._database, "delete_tag", id=tag_id)
        return DeletedTagView(tag_id)

    async def jobs(
        self, caller: Caller, organization: str | None, status: str | None, limit: int, offset: int
    ) -> JobsView:
        """Returns a page of an organization's jobs, newest first. An operator who names none gets the jobs of all."""
        managed: Row = {"id": None}
        if organization is not None or not caller.is_operator:
            managed = await self._organization(caller, organization)
        if status is not None and status not in JOB_STATUSES:
            raise BadRequestError("Invalid parameter", f"status: one of {', '.join(JOB_STATUSES)}")
        asked: Row = {"organization": managed["id"], "status": status}
        found = await admin.rows(self._database, "list_jobs", **asked, limit=limit, offset=offset)
        if not found and offset:
            # Past the last page no row has the total, so the first row is read.
            first = await admin.rows(self._database, "list_jobs", **asked, limit=1, offset=0)
            return JobsView((), first[0]["total"] if first else 0, limit, offset)
        total = found[0]["total"] if found else 0
        return JobsView(tuple(_job_item(row) for row in found), total, limit, offset)

    async def cancel_job(self, caller: Caller, job_id: int) -> JobView:
        """Removes a waiting job from the queue, or ends a running job. Its import or delivery then has failed."""
        job = await self._job(caller, job_id)
        if job["status"] not in ("todo", "doing"):
            raise BadRequestError("Job has ended", f"job {job_id} is {job['status']}")
        # This step comes first, so that a running import cannot commit, and a job that starts meanwhile finds no work.
        if job["import_id"] is not None:
            given_up = await self._fail_import(self._database, job["import_id"], "cancelled")
            if not given_up and job["import_status"] != "failed":
                raise BadRequestError("Job has ended", f"job {job_id}: its import has ended already")
        if job["delivery_id"] is not None:
            await admin.rows(self._database, "cancel_delivery", id=job["delivery_id"])
        if await self._queue.cancel(job_id):
            return JobView(job_id, "cancelled")
        # A job that has ended in the meantime has changed nothing more.
        return JobView(job_id, await self._queue.abort(job_id) or "aborted")

    async def retry_job(self, caller: Caller, job_id: int) -> JobView:
        """Queues a failed job again."""
        job = await self._job(caller, job_id)
        if job["status"] != "failed":
            raise BadRequestError("Job has not failed", f"job {job_id} is {job['status']}")
        # This step comes first, because a worker may start the job at once.
        if job["import_id"] is not None:
            await admin.rows(self._database, "reopen_import", id=job["import_id"])
        if job["delivery_id"] is not None:
            await admin.rows(self._database, "reopen_failed_delivery", id=job["delivery_id"])
        if not await self._queue.retry(job_id):
            raise BadRequestError("Job has not failed", f"job {job_id} waits or runs already")
        return JobView(job_id, "todo")

    async def _job(self, caller: Caller, job_id: int) -> Row:
        _require_admin(caller)
        found = await admin.one(self._database, "job_organization", id=job_id) if 0 < job_id < 2**63 else None
        known = found is not None and found["organization_id"] is not None
        if found is None or not known or not (caller.is_operator or found["organization_id"] == caller.organization_id):
            raise NotFoundError("Job not found", f"no job with ID {job_id}")
        return found


def _require_admin(caller: Caller) -> None:
    require_admin(caller, "do this")


def _require_operator(caller: Caller) -> None:
    if not caller.is_operator:
        raise ForbiddenError("Permission denied", "Only operators may do this")


async def _user(connection: Connection, caller: Caller, user_id: int) -> Row:
    """Returns a user whom the caller manages.

    Raises NotFoundError for another user, and ForbiddenError when an admin manages an operator.
    """
    found = await accounts.find(connection, "get_user", id=user_id) if 0 < user_id < 2**31 else None
    if found is None or not (caller.is_operator or found["organization_id"] == caller.organization_id):
        raise NotFoundError("User not found", f"no user with ID {user_id}")
    if found["role"] == "operator":
        _require_operator(caller)
    return found


def _job_item(row: Row) -> JobItem:
    ids = {name: None if row[name] is None else str(row[name]) for name in ("import_id", "delivery_id")}
    return JobItem(**{name: value for name, value in row.items() if name != "total"} | ids)
