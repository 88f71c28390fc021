"""Bodies of requests about tags and access."""

from __future__ import annotations

from typing import Any

from pydantic import Field, StrictInt, field_validator

from atlas.web.bodies import Body, Name


class AcquireBody(Body):
    """A tag to acquire, with the secret of a private tag."""

    tag_name: Name = Field(examples=["public"])
    secret: str | None = Field(None, max_length=1000)


class AccessBody(Body):
    """A dataset to check access to."""

    dataset_id: StrictInt = Field(examples=[1])
    require_write: bool = False

    @field_validator("require_write", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        """Treats null as an absent member."""
        return False if value is None else value
