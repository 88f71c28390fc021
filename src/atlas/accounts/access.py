"""The rights of a user on a dataset. Every refusal has its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from atlas.contract.accounts import Role

ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a request's key."""

    user_id: int
    user_name: str
    organization_id: int
    schema_name: str
    key_id: int
    role: str = "member"

    @property
    def is_admin(self) -> bool:
        """Whether the user manages the organization's users, keys and jobs."""
        return self.role in ("admin", "operator")

    @property
    def is_operator(self) -> bool:
        """Whether the user manages tags and every organization."""
        return self.role == "operator"


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of a caller on one dataset."""

    is_owner: bool
    matching_tags: tuple[str, ...]

    @property
    def can_read(self) -> bool:
        return self.is_owner or bool(self.matching_tags)

    @property
    def can_write(self) -> bool:
        return self.is_owner

    def allows(self, *, write: bool) -> bool:
        """Returns whether the caller may write (with `write`) or read."""
        return self.can_write if write else self.can_read

    def denial(self, *, write: bool) -> str:
        """Returns why the caller is refused, and a remedy."""
        if write:
            return "Only the owner can write to this dataset; tags grant read access only"
        return "You are not the owner and hold no tag of this dataset; acquire a matching tag first"
