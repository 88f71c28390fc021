"""JSON answers whose numbers keep all of their digits."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def exact_json(value: Any) -> Response:
    """Encodes a value as JSON.

    Decimals become numbers with all their digits, which FastAPI would make floats or texts.
    """
    return Response(_ENCODER.encode(value), media_type="application/json")
