"""Routes that answer with dataclasses of `atlas.contract`, document them, and send them as JSON directly."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, get_args

import msgspec
from fastapi import Response
from fastapi.datastructures import Default, DefaultPlaceholder
from fastapi.dependencies.utils import get_typed_return_annotation, get_typed_signature
from fastapi.routing import APIRoute

from atlas.contract.shape import Shape

_ENCODER = msgspec.json.Encoder()


class ContractRoute(APIRoute):
    """A route whose handler returns a Shape, or a list of Shapes. The OpenAPI document shows its return annotation.

    FastAPI would validate the handler's result, convert the result to dictionaries, and encode those.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, response_model: Any = Default(None), **options: Any
    ) -> None:
        if isinstance(response_model, DefaultPlaceholder):
            answer = get_typed_return_annotation(endpoint)
            if _is_shape(answer):
                status = options.get("status_code") or 200
                given = options.get("responses") or {}
                options["responses"] = {**given, status: {**given.get(status, {}), "model": answer}}
                endpoint, response_model = _encode_result(endpoint, status), None
        super().__init__(path, endpoint, response_model=response_model, **options)


def _is_shape(answer: Any) -> bool:
    parts = get_args(answer)
    return any(map(_is_shape, parts)) if parts else is_dataclass(answer) and issubclass(answer, Shape)  # type: ignore[arg-type]


def _encode_result(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """Wraps a handler so that the wrapper answers with the JSON of the handler's result."""

    parameters = get_typed_signature(endpoint).parameters.values()
    response = next((one.name for one in parameters if one.annotation is Response), None)

    @functools.wraps(endpoint)
    async def handler(**named: Any) -> Response:
        sent = json_response(await endpoint(**named), status)
        if response is not None:
            # Status and headers that the handler has set on its response parameter.
            sent.status_code = named[response].status_code or status
            sent.headers.raw.extend(named[response].headers.raw)
        return sent

    return handler


def json_response(value: Shape | list[Any] | tuple[Any, ...], status: int = 200) -> Response:
    """Encodes Shapes as JSON, without absent members."""
    return Response(_ENCODER.encode(value), status, media_type="application/json")
