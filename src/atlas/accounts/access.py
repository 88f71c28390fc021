"""Who may do what with a dataset. Every decision carries its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from atlas.contract.accounts import Role

ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a request's key."""

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
    """What a caller may do with one dataset."""

    is_owner: bool
    matching_tags: tuple[str, ...]

    @property
    def can_read(self) -> bool:
        return self.is_owner or bool(self.matching_tags)

    @property
    def can_write(self) -> bool:
        return self.is_owner

    def allows(self, *, write: bool) -> bool:
        """Whether the caller may write (`write`) or else read."""
        return self.can_write if write else self.can_read

    def denial(self, *, write: bool) -> str:
        """Why a refused caller was refused, and what would help."""
        if write:
            return "Only the owner can write to this dataset; tags grant read access only"
        return "You are not the owner and hold no tag of this dataset; acquire a matching tag first"
