"""The base class of JSON bodies: no type is coerced, and no unknown member is ignored."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from atlas.errors import unknown_name

Metadata = dict[str, Any]


Name = Annotated[str, Field(min_length=1, max_length=255)]


# Whether a thread has already checked that the current request's body can be stored.
known_storable: ContextVar[bool] = ContextVar("known_storable", default=False)


# The type of the pydantic error for unknown members.
UNKNOWN_MEMBER = "unknown_member"


class Body(BaseModel):
    """A request body. Types are strict, unknown members are refused, and texts may not contain NUL.

    PostgreSQL cannot store NUL.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        """Refuses unknown members, and suggests the nearest known names."""
        if isinstance(value, dict) and not value.keys() <= cls.model_fields.keys():
            unknown = [str(name) for name in value if name not in cls.model_fields]
            reasons = {name[:100]: unknown_name(name, cls.model_fields) for name in unknown[:5]}
            raise PydanticCustomError(
                UNKNOWN_MEMBER, "unknown members", {"reasons": reasons, "known": [*cls.model_fields]}
            )
        return value

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        refuse_unstorable(value)
        return value


def refuse_unstorable(value: Any) -> None:
    """Raises ValueError for a JSON value that PostgreSQL cannot store."""
    if known_storable.get():
        return
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("the NUL character is not allowed")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair is not allowed") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key)
            refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            refuse_unstorable(item)
    elif (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value:  # noqa: PLR0124
        raise ValueError("NaN and Infinity are not allowed")


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Returns the JSON schema of a body with inner models inlined, because references would lead nowhere."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            return resolved(inner[name]) if name in inner else {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    found: dict[str, Any] = resolved(schema)
    return found
