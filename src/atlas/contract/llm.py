"""The model provider of an organization."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from atlas.contract.shape import Shape, Success, absent


@dataclass(frozen=True)
class ModelSettingsView(Success):
    """The settings in force. Only the end of the key is shown."""

    _name: ClassVar = "ModelView"
    source: Literal["organization", "server", "none"] = field(
        metadata={"description": "Whose settings these are: the organization's, the operator's, or nobody's."}
    )
    provider: Literal["openai", "anthropic", "none"]
    model: str | None
    base_url: str | None
    host: str | None = field(
        metadata={
            "description": "Who is asked; null without a model, and for a server of the operator's own.",
            "examples": ["api.openai.com"],
        }
    )
    api_key_set: bool
    api_key_hint: str | None = field(metadata={"description": "Told to administrators.", "examples": ["…x4Qz"]})
    problem: str | None = field(
        metadata={"description": "Why the model cannot be asked, if so, such as packages that are missing."}
    )
    samples: bool
    timeout_seconds: float | None
    updated_at: datetime | None
    updated_by: str | None


@dataclass(frozen=True)
class ModelTestView(Shape):
    """The result of a test call."""

    success: bool
    seconds: float
    error: str | None = field(default_factory=absent, metadata={"examples": ["connection refused"]})
