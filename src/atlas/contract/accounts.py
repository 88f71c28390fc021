"""Answers on accounts: users, organizations, keys, tags, rights, usage, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from atlas.contract.shape import Json, Moment, Shape, Success, absent

Role = Literal["member", "admin", "operator"]
_PREFIX = {"description": "Its first characters.", "examples": ["atlas_live_sk_a1b2c3d4"]}


@dataclass(frozen=True)
class Key(Shape):
    """A key, without the key itself."""

    _name: ClassVar = "KeyView"
    id: int
    name: str
    prefix: str = field(metadata=_PREFIX)
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None = field(default_factory=absent)
    last_used_at: Moment | None = field(default_factory=absent)


@dataclass(frozen=True)
class KeysView(Success):
    """The caller's keys."""

    keys: tuple[Key, ...]


@dataclass(frozen=True)
class OwnedKey(Key):
    """A key with its user and organization."""

    organization: str = field(kw_only=True)
    user: str = field(kw_only=True)


@dataclass(frozen=True)
class OwnedKeysView(Success):
    """Keys of an organization."""

    keys: tuple[OwnedKey, ...]


@dataclass(frozen=True)
class NewKey(Success):
    """A new key, shown this once."""

    _name: ClassVar = "NewKeyView"
    key: str = field(repr=False)
    id: int
    name: str
    prefix: str
    created_at: Moment
    expires_at: Moment | None
    replaced: int | None = field(
        default_factory=absent, metadata={"description": "The key that it takes the place of."}
    )


@dataclass(frozen=True)
class NewOwnedKey(NewKey):
    """A new key of a user, shown this once."""

    _name: ClassVar = "NewOwnedKeyView"
    organization: str = field(kw_only=True)
    user: str = field(kw_only=True)


@dataclass(frozen=True)
class RevokedView(Success):
    """A revoked key."""

    id: int
    revoked: bool = True


@dataclass(frozen=True)
class User(Shape):
    """A user."""

    _name: ClassVar = "UserPart"
    id: int
    name: str
    role: Role


@dataclass(frozen=True)
class Organization(Shape):
    """An organization."""

    _name: ClassVar = "OrganizationPart"
    id: int
    name: str


@dataclass(frozen=True)
class Me(Success):
    """The caller."""

    _name: ClassVar = "MeView"
    user: User
    organization: Organization
    key: Key
    tags: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class DayUsage(Shape):
    """Usage on a UTC day."""

    date: str
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int
    rows_written: int


@dataclass(frozen=True)
class KeyUsage(Shape):
    """Usage of a key."""

    key_id: int
    name: str
    prefix: str
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int
    rows_written: int


@dataclass(frozen=True)
class Storage(Shape):
    """Storage of your datasets, and of the tables of your organization."""

    datasets: int
    dataset_rows: int
    dataset_bytes: int
    tables: int
    table_rows: int
    table_bytes: int


@dataclass(frozen=True)
class Usage(Success):
    """Usage of a user."""

    _name: ClassVar = "UsageView"
    days: tuple[DayUsage, ...]
    keys: tuple[KeyUsage, ...]
    storage: Storage


@dataclass(frozen=True)
class OrganizationItem(Shape):
    """An organization."""

    id: int
    name: str
    created_at: Moment
    users: int


@dataclass(frozen=True)
class OrganizationsView(Success):
    """Every organization."""

    organizations: tuple[OrganizationItem, ...]


@dataclass(frozen=True)
class UserItem(Shape):
    """A user with its live keys, datasets and last use."""

    id: int
    name: str
    organization: str
    role: Role
    created_at: Moment
    keys: int
    datasets: int
    last_used_at: Moment | None


@dataclass(frozen=True)
class UsersView(Success):
    """Users of an organization."""

    users: tuple[UserItem, ...]


@dataclass(frozen=True)
class Member(Shape):
    """A user of an organization, with its role there."""

    id: int
    name: str
    organization: str
    role: Role


@dataclass(frozen=True)
class NewUserView(Member, Success):
    """A new user."""


@dataclass(frozen=True)
class RoleView(User, Success):
    """A user's role after a change."""


@dataclass(frozen=True)
class DisabledView(Success):
    """A user without keys."""

    id: int
    revoked_keys: int


@dataclass(frozen=True)
class Tag(Shape):
    """A tag, without its secret."""

    _name: ClassVar = "TagView"
    id: int
    name: str
    description: str
    is_public: bool
    metadata: Json
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class TagItem(Shape):
    """A tag with its use."""

    id: int
    name: str
    description: str
    is_public: bool
    datasets: int
    holders: int
    created_at: Moment


@dataclass(frozen=True)
class TagsView(Success):
    """Every tag."""

    tags: tuple[TagItem, ...]


@dataclass(frozen=True)
class NewTag(Shape):
    """A new tag, without its secret."""

    id: int
    name: str
    is_public: bool


@dataclass(frozen=True)
class NewTagView(NewTag, Success):
    """A new tag."""

    description: str


@dataclass(frozen=True)
class DeletedTagView(Success):
    """A deleted tag."""

    id: int
    deleted: bool = True


@dataclass(frozen=True)
class Access(Shape):
    """The caller's rights to a dataset."""

    _name: ClassVar = "AccessView"
    has_access: bool
    is_owner: bool
    matching_tags: tuple[str, ...]


@dataclass(frozen=True)
class JobItem(Shape):
    """A job: an import that runs later, or the delivery of a webhook."""

    id: int
    task: str
    status: str
    attempts: int
    organization: str
    import_id: str | None
    delivery_id: str | None
    scheduled_at: Moment | None
    created_at: Moment | None
    started_at: Moment | None
    ended_at: Moment | None


@dataclass(frozen=True)
class JobsView(Success):
    """A page of jobs."""

    jobs: tuple[JobItem, ...]
    total_count: int
    limit: int
    offset: int


@dataclass(frozen=True)
class JobView(Success):
    """A job after a change."""

    id: int
    status: Literal["cancelled", "aborting", "aborted", "todo"]


@dataclass(frozen=True)
class AuditItem(Shape):
    """Requests of a kind: by a user, or on a dataset of the organization."""

    id: int
    at: Moment
    user: str
    organization: str | None
    key_id: int
    action: Literal["read", "write"]
    method: str
    path: str
    dataset_id: int | None
    status: int
    requests: int
    rows: int
    request_id: str


@dataclass(frozen=True)
class AuditView(Success):
    """A page of the audit log."""

    entries: tuple[AuditItem, ...]
    total_count: int
    limit: int
    offset: int
