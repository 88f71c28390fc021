"""Routes with a JSON body: its depth is measured before it is parsed, and a large one is parsed in a thread."""

from __future__ import annotations

import asyncio
import email.message
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response, params
from fastapi.routing import APIRoute

from atlas.core.json_depth import TOO_DEEP, too_deep
from atlas.errors import BadRequestError

# Less than this is parsed sooner than handed to a thread.
INLINE_BYTES = 4 * 1024


def refuse_deep(body: bytes) -> None:
    """Raises BadRequestError for a body that nests deeper than decoders may follow."""
    if too_deep(body):
        raise BadRequestError("Invalid request", f"the body is {TOO_DEEP}")


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises BadRequestError, and JSONDecodeError, which FastAPI makes an answer of."""
    refuse_deep(body)
    try:
        return json.loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise BadRequestError("Invalid request", "the body is not UTF-8") from None
    except ValueError:
        # Python reads no whole number of more digits.
        raise BadRequestError("Invalid request", "the body has a number of more than 4,300 digits") from None


class _JsonRequest(Request):
    """A request whose JSON is parsed before anybody asks for it."""

    _value: Any = None
    _error: json.JSONDecodeError | None = None

    async def load(self) -> None:
        """Receives and parses the body, where it is JSON. Raises BadRequestError."""
        body = await self.body()
        if not body or not _is_json(self.headers.get("content-type")):
            return
        try:
            self._value = parse(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(parse, body)
        except json.JSONDecodeError as error:
            self._error = error

    async def json(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


def _is_json(content_type: str | None) -> bool:
    """Whether FastAPI would parse a body of this type as JSON."""
    if not content_type:
        return False
    message = email.message.Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


class JsonRoute(APIRoute):
    """A route that takes a JSON body where it takes one at all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual = super().get_route_handler()
        if self.body_field is None or isinstance(self.body_field.field_info, params.Form):
            return usual

        async def handle(request: Request) -> Response:
            known = _JsonRequest(request.scope, request.receive)
            await known.load()
            return await usual(known)

        return handle
