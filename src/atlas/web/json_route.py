"""Routes with a body: its sender is admitted first, then JSON is received up to a limit and parsed."""

from __future__ import annotations

import asyncio
import email.message
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response, params
from fastapi.exceptions import RequestValidationError

from atlas.errors import BadRequestError, TooLargeError
from atlas.kit.json_depth import TOO_DEEP, too_deep
from atlas.web.bodies import known_storable, refuse_unstorable
from atlas.web.contract_route import ContractRoute
from atlas.web.gatekeeper import gatekeeper_of
from atlas.web.unknown_parameters import given_twice, unknown_ones

MIB = 1024 * 1024
CONTENT = "/api/v1/"
UNNAMED = ("", "application/x-www-form-urlencoded")
# What a route takes that says no more; JSON of so many bytes keeps Python from all else for some 20 ms.
BODY_BYTES = MIB
# Bodies of rows and decisions, up to 10,000 in one request.
LARGER = {
    ("POST", "/api/rows/"): 4 * MIB,
    ("POST", "/api/v1/smart-data-instruction"): 4 * MIB,
    ("POST", "/api/v1/import/{import_id}/issues/correct"): 4 * MIB,
    ("POST", "/api/v1/tables/{table_name}/update"): 4 * MIB,
}
# Objects and lists of a body that is parsed as a whole: each takes as long as a hundred bytes of text.
MOST_CONTAINERS = 100_000
# Less than this is parsed sooner than handed to a thread.
INLINE_BYTES = 4 * 1024


async def bounded(request: Request) -> AsyncIterator[bytes]:
    """The body of a request in pieces. Raises TooLargeError past the limit of its route, or as it says that it will."""
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
    """As `bounded`, all of it."""
    return b"".join([piece async for piece in bounded(request)])


def refuse_deep(body: bytes) -> None:
    """Raises BadRequestError for JSON that decoders may not follow: nested too deep, or of too many values."""
    if too_deep(body):
        raise BadRequestError("Invalid request", f"the body is {TOO_DEEP}")
    if body.count(b"[") + body.count(b"{") > MOST_CONTAINERS:
        raise BadRequestError("Invalid request", f"the body has more than {MOST_CONTAINERS} lists and objects")


def loads(text: str | bytes) -> Any:
    """The value of a JSON text. Raises JSONDecodeError, and BadRequestError for an object that has a member twice."""
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
    """The value of a JSON body. Raises BadRequestError, and JSONDecodeError, which FastAPI makes an answer of."""
    refuse_deep(body)
    try:
        return loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise BadRequestError("Invalid request", "the body is not UTF-8") from None
    except ValueError:
        # Python reads no whole number of more digits.
        raise BadRequestError("Invalid request", "the body has a number of more than 4,300 digits") from None


class _JsonRequest(Request):
    """A request whose JSON is received, parsed and checked before anybody asks for it."""

    checked = False
    _bytes: bytes = b""
    _value: Any = None
    _error: json.JSONDecodeError | None = None

    async def load(self, check: Callable[[Any], Any]) -> None:
        """Receives and parses the body, where it is JSON; a large one is what `check` makes of it.

        Raises TooLargeError, BadRequestError, and what `check` raises.
        """
        self._bytes = await bounded_body(self)
        if not self._bytes:
            return
        if not _is_json(self.headers.get("content-type")):
            given = self.headers.get("content-type", "")[:64]
            if self.scope["path"].startswith(CONTENT):
                # As curl sends -d, or nothing at all.
                kind = f"is said to be {given!r}" if given else "has no type"
                told = f"the body {kind}; for JSON send the header `Content-Type: application/json`"
                raise RequestValidationError([{"type": "content_type", "loc": ("body",), "msg": told}])
            raise BadRequestError("Unsupported Content-Type", f"{given!r}; the body is JSON, so send application/json")
        try:
            if len(self._bytes) <= INLINE_BYTES:
                self._value = parse(self._bytes)
            else:
                self._value = await asyncio.to_thread(lambda: check(parse(self._bytes)))
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
    """The scope of a time-series request whose JSON has no type, or the one that curl gives it with -d, as of JSON."""
    given = request.headers.get("content-type", "")
    if request.scope["path"].startswith(CONTENT) or given.split(";")[0].strip().lower() not in UNNAMED:
        return dict(request.scope)
    others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return {**request.scope, "headers": [*others, (b"content-type", b"application/json")]}


def _is_json(content_type: str | None) -> bool:
    """Whether FastAPI would parse a body of this type as JSON."""
    if not content_type:
        return False
    message = email.message.Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def _check_fields(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises BadRequestError for fields of a form that are not known, or that are given twice."""
    if unknown := [name for name in names if name not in known]:
        raise unknown_ones("field of the form", unknown, known)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise given_twice("field of the form", twice)


class JsonRoute(ContractRoute):
    """A route that admits its caller before it receives a body, be it JSON or a form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual = super().get_route_handler()
        if self.body_field is None:
            return usual
        if isinstance(self.body_field.field_info, params.Form):
            return self._form_handler(usual)

        async def handle(request: Request) -> Response:
            await gatekeeper_of(request).admit(request)
            known = _JsonRequest(_as_json(request), request.receive)
            await known.load(self._checked)
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
                # It has no file, so that nothing goes to disk.
                await bounded_body(request)
                missing = "Field required, in a form of the type multipart/form-data"
                raise RequestValidationError([{"type": "missing", "loc": ("body", "file"), "msg": missing}])
            # FastAPI finds the same form again, and closes it.
            form = await request.form()
            try:
                _check_fields([name for name, _ in form.multi_items()], fields)
            except BadRequestError:
                await form.close()
                raise
            return await usual(request)

        return handle

    def _checked(self, value: Any) -> Any:
        """A body as its model, where it is one: what FastAPI would otherwise do in the thread of the event loop."""
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
