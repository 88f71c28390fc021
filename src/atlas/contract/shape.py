"""The base of answers, and what their members may say of themselves."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar

Json = dict[str, Any]


@dataclass(frozen=True)
class _Documented:
    """What the document says of a type instead of what pydantic would."""

    schema: str
    format: str | None = None

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Json:
        return {"type": self.schema} | ({} if self.format is None else {"format": self.format})


# A moment with a time zone: ISO 8601 with `Z` in JSON. Generated clients leave it as the text that it is.
Moment = Annotated[datetime, _Documented("string")]
# A moment that the database has written as ISO 8601.
MomentText = Annotated[str, _Documented("string", "date-time")]


def absent() -> Any:
    """The default factory of members that an answer may lack: JSON lacks them, and the client reads None.

    Gives what msgspec writes nothing for, or None where only the client is installed.
    """
    try:
        from msgspec import UNSET
    except ImportError:
        return None
    return UNSET


def may_lack(known: Field[Any]) -> bool:
    """Whether an answer may lack a member."""
    return known.default_factory is absent


@dataclass(frozen=True)
class Shape:
    """A JSON object of an answer.

    _name: what the OpenAPI document calls the class, where that is another name. The metadata of a field goes into the
    document, too, such as `description` and `examples`.
    """

    _name: ClassVar[str]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Json:
        """Completes the schema that pydantic makes of the class: a member is required unless an answer may lack it."""
        schema: Json = handler(core)
        whole = handler.resolve_ref_schema(schema)
        whole["title"] = cls.__dict__.get("_name", cls.__name__)
        required = [known.name for known in fields(cls) if not may_lack(known)]
        if required:
            whole["required"] = required
        # As JSON has them; pydantic has those last that are given by name only.
        whole["properties"] = {known.name: whole["properties"][known.name] for known in fields(cls)}
        for known in fields(cls):
            whole["properties"][known.name].pop("default", None)
            whole["properties"][known.name] |= known.metadata
        return schema


@dataclass(frozen=True)
class Success(Shape):
    """An answer of the content API that says that it is one."""

    success: bool = field(default=True, kw_only=True)
