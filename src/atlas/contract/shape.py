"""The base class of answers, and the metadata of their members."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar

Json = dict[str, Any]


@dataclass(frozen=True)
class Described:
    """The type in the OpenAPI document, in place of pydantic's type."""

    schema: str
    format: str | None = None

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Json:
        return {"type": self.schema} | ({} if self.format is None else {"format": self.format})


# A time with a zone: ISO 8601 with `Z` in JSON. Generated clients keep the text.
Moment = Annotated[datetime, Described("string")]
# A time that the database has written as ISO 8601.
MomentText = Annotated[str, Described("string", "date-time")]


def absent() -> Any:
    """Makes the default of members that an answer may lack: JSON lacks the member, and the client reads None.

    Returns msgspec's UNSET, which is not written, or None when only the client is installed.
    """
    try:
        from msgspec import UNSET
    except ImportError:
        return None
    return UNSET


def may_lack(known: Field[Any]) -> bool:
    """Checks whether an answer may lack a member."""
    return known.default_factory is absent


@dataclass(frozen=True)
class Shape:
    """A JSON object of an answer.

    `_name` is the name of the class in the OpenAPI document, if it differs. The metadata of a field goes into the
    document, too, such as `description` and `examples`.
    """

    _name: ClassVar[str]

    def __getitem__(self, name: str) -> Any:
        """A member by its name, as in JSON. Raises KeyError where there is none."""
        if name not in self.__dataclass_fields__:
            raise KeyError(name)
        return getattr(self, name)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Json:
        """Completes pydantic's schema of the class: a member is required unless an answer may lack it."""
        schema: Json = handler(core)
        whole = handler.resolve_ref_schema(schema)
        whole["title"] = cls.__dict__.get("_name", cls.__name__)
        required = [known.name for known in fields(cls) if not may_lack(known)]
        if required:
            whole["required"] = required
        # In the order of JSON. pydantic puts keyword-only members last.
        whole["properties"] = {known.name: whole["properties"][known.name] for known in fields(cls)}
        for known in fields(cls):
            whole["properties"][known.name].pop("default", None)
            whole["properties"][known.name] |= known.metadata
        return schema


@dataclass(frozen=True)
class Success(Shape):
    """An answer of the content API with the member `success`."""

    success: bool = field(default=True, kw_only=True)
