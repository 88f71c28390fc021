"""Routes with a body: the caller is admitted first, then JSON is received up to a limit and parsed."""

from __future__ import annotations

import email.message
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response, params
from fastapi.exceptions import RequestValidationError

from atlas.errors import BadRequestError, TooLargeError
from atlas.kit.json_depth import TOO_DEEP, too_deep
from atlas.kit.processor_time import in_charged_thread
from atlas.web.bodies import known_storable, refuse_unstorable
from atlas.web.contract_route import ContractRoute
from atlas.web.form_files import FormRequest
from atlas.web.gatekeeper import gatekeeper_of
from atlas.web.unknown_parameters import given_twice, unknown_ones

MIB = 1024 * 1024
CONTENT = "/api/v1/"
UNNAMED = ("", "application/x-www-form-urlencoded")
# The default limit of a route. JSON of this size keeps Python from all other work for some 20 ms.
BODY_BYTES = MIB
# Bodies of rows and decisions, up to 10,000 in one request.
LARGER = {
    ("POST", "/api/rows/"): 4 * MIB,
    ("POST", "/api/v1/smart-data-instruction"): 4 * MIB,
    ("POST", "/api/v1/import/{import_id}/issues/correct"): 4 * MIB,
    ("POST", "/api/v1/tables/{table_name}/update"): 4 * MIB,
}
# The maximum number of objects and lists in a body that is parsed as a whole. Each takes as long as 100 bytes of text.
MOST_CONTAINERS = 100_000
# A smaller body is parsed sooner than handed to a thread.
INLINE_BYTES = 4 * 1024


async def bounded(request: Request) -> AsyncIterator[bytes]:
    """Yields the body of a request in pieces.

    Raises TooLargeError when the body, or its Content-Length, is over the limit of the route.
    """
    route = request.scope.get("route")
    most = LARGER.get((request.method, getattr(route, "path", "")), BODY_BYTES)
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() else 0
    if size <= most:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                break
            yield piece
    if size > most:
        raise TooLargeError("Request body too large", f"the limit of this route is {most} bytes")


async def bounded_body(request: Request) -> bytes:
    """Returns the whole body of a request. Raises TooLargeError as `bounded` does."""
    return b"".join([piece async for piece in bounded(request)])


def refuse_deep(body: bytes) -> None:
    """Raises BadRequestError for JSON that is nested too deep for decoders, or has too many lists and objects."""
    if too_deep(body):
        raise BadRequestError("Invalid request", f"the body is {TOO_DEEP}")
    if body.count(b"[") + body.count(b"{") > MOST_CONTAINERS:
        raise BadRequestError("Invalid request", f"the body has more than {MOST_CONTAINERS} lists and objects")


def loads(text: str | bytes) -> Any:
    """Parses a JSON text. Raises JSONDecodeError, or BadRequestError for an object with a duplicate member."""
    return json.loads(text, object_pairs_hook=_object)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        left = set(found)
        for name, _ in members:
            if name not in left:
                raise given_twice("member", name[:100])
            left.remove(name)
    return found


def parse(body: bytes) -> Any:
    """Parses a JSON body.

    Raises BadRequestError, or JSONDecodeError, which FastAPI turns into an answer.
    """
    refuse_deep(body)
    try:
        return loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise BadRequestError("Invalid request", "the body is not UTF-8") from None
    except ValueError:
        # Python refuses whole numbers with more digits.
        raise BadRequestError("Invalid request", "the body has a number of more than 4,300 digits") from None


class _JsonRequest(Request):
    """A request whose JSON is received, parsed and checked before a handler reads the body."""

    checked = False
    _bytes: bytes = b""
    _value: Any = None
    _error: json.JSONDecodeError | None = None

    async def load(self, check: Callable[[Any], Any]) -> None:
        """Receives and parses a JSON body. A body over 4 KiB is replaced by the result of `check`, in a thread.

        Raises TooLargeError, BadRequestError, and the errors of `check`.
        """
        self._bytes = await bounded_body(self)
        if not self._bytes:
            return
        if not _is_json(self.headers.get("content-type")):
            given = self.headers.get("content-type", "")[:64]
            if self.scope["path"].startswith(CONTENT):
                # curl sends a form's type with -d; other programs send no type.
                kind = f"is said to be {given!r}" if given else "has no type"
                told = f"the body {kind}; for JSON send the header `Content-Type: application/json`"
                raise RequestValidationError([{"type": "content_type", "loc": ("body",), "msg": told}])
            raise BadRequestError("Unsupported Content-Type", f"{given!r}; the body is JSON, so send application/json")
        try:
            if len(self._bytes) <= INLINE_BYTES:
                self._value = parse(self._bytes)
            else:
                self._value = await in_charged_thread(lambda: check(parse(self._bytes)))
                self.checked = True
        except json.JSONDecodeError as error:
            self._error = error

    async def body(self) -> bytes:
        return self._bytes

    async def json(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


def _as_json(request: Request) -> dict[str, Any]:
    """Returns the scope of a request, with the type of JSON where a time-series request names no useful type.

    No useful type is an absent type, or the form type that curl sends with -d.
    """
    given = request.headers.get("content-type", "")
    if request.scope["path"].startswith(CONTENT) or given.split(";")[0].strip().lower() not in UNNAMED:
        return dict(request.scope)
    others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return {**request.scope, "headers": [*others, (b"content-type", b"application/json")]}


def _is_json(content_type: str | None) -> bool:
    """Returns whether FastAPI would parse a body of this type as JSON."""
    if not content_type:
        return False
    message = email.message.Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def _check_fields(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises BadRequestError for unknown or duplicate fields of a form."""
    if unknown := [name for name in names if name not in known]:
        raise unknown_ones("field of the form", unknown, known)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise given_twice("field of the form", twice)


class JsonRoute(ContractRoute):
    """A route that admits its caller before it receives a body, JSON or a form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual = super().get_route_handler()
        if self.body_field is None:
            return usual
        if isinstance(self.body_field.field_info, params.Form):
            return self._form_handler(usual)

        async def handle(request: Request) -> Response:
            await gatekeeper_of(request).admit(request)
            known = _JsonRequest(_as_json(request), request.receive)
            await known.load(self._validate)
            before = known_storable.set(known.checked)
            try:
                return await usual(known)
            finally:
                known_storable.reset(before)

        return handle

    def _form_handler(
        self, usual: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        fields = [field.alias for field in self.dependant.body_params]

        async def handle(request: Request) -> Response:
            await gatekeeper_of(request).admit(request, upload=True)
            media = request.headers.get("content-type", "").split(";")[0].strip().lower()
            if media != "multipart/form-data":
                # Such a body has no file, so nothing goes to disk.
                await bounded_body(request)
                missing = "Field required, in a form of the type multipart/form-data"
                raise RequestValidationError([{"type": "missing", "loc": ("body", "file"), "msg": missing}])
            # FastAPI uses the same parsed form again, and closes it.
            known = FormRequest(request.scope, request.receive)
            form = await known.form()
            try:
                _check_fields([name for name, _ in form.multi_items()], fields)
            except BadRequestError:
                await form.close()
                raise
            return await usual(known)

        return handle

    def _validate(self, value: Any) -> Any:
        """Validates a body as its model, if it has a model. FastAPI would do that in the thread of the event loop."""
        for key, item in value.items() if isinstance(value, dict) else [(None, value)]:
            try:
                refuse_unstorable(item)
            except ValueError as error:
                place = ("body",) if key is None else ("body", key)
                raise RequestValidationError(
                    [{"type": "value_error", "loc": place, "msg": f"Value error, {error}", "input": None}]
                ) from None
        assert self.body_field is not None
        if self._embed_body_fields:
            return value
        made, errors = self.body_field.validate(value, {}, loc=("body",))
        if errors:
            raise RequestValidationError(errors if isinstance(errors, list) else [errors])
        return made
