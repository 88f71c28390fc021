"""The state of the server itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from atlas.contract.shape import Moment, Shape


@dataclass(frozen=True)
class Health(Shape):
    """The state of the server."""

    _name: ClassVar = "HealthView"
    status: Literal["healthy", "unhealthy"]
    time: Moment = field(metadata={"examples": ["2025-12-16T10:00:00Z"]})
    database: Literal["connected", "disconnected"]
