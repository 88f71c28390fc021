"""Answers on webhooks: the secret, and the log of deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from atlas.contract.shape import MomentText, Shape, Success


@dataclass(frozen=True)
class SecretView(Success):
    """The secret of an organization's webhooks."""

    secret: str = field(repr=False)


@dataclass(frozen=True)
class Attempt(Shape):
    """An attempt at a delivery. status: status of the receiver's response, if any."""

    at: MomentText
    status: int | None
    error: str | None
    seconds: float


@dataclass(frozen=True)
class Delivery(Shape):
    """A delivery of a webhook with its attempts."""

    id: str
    import_id: str
    type: str | None = field(
        metadata={"description": "Of its event; null in an earlier version.", "examples": ["import.failed"]}
    )
    url: str
    status: Literal["pending", "delivered", "failed"]
    created_at: datetime
    delivered_at: datetime | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class DeliveriesView(Success):
    """A page of deliveries."""

    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class RedeliveryView(Success):
    """A delivery that is sent again."""

    delivery_id: str
