"""Routes of small, frequent requests, which resolve plain parameters themselves.

FastAPI's work to resolve and check parameters takes 0.1 to 0.2 ms of a request, up to a third of the total. Plain
parameters are resolved here with the same result: by the same validators, and by the same dependencies in the same
order. Other parameters are left to FastAPI, which also reports errors. Not plain are duplicate, unknown and missing
parameters, and wrong values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request, Response, params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.security.base import SecurityBase

from atlas.web.json_route import JsonRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# A percent sign begins an escaped character. Most escaped characters of timestamps arrive so.
_TEXT = re.compile(r"[\w.:,+%-]{1,500}", re.ASCII)
# Queries of a route whose values are kept.
CACHED = 1_000
# First parts of keys that no query parameter has.
_REQUEST, _HEADER, _RESULT = 0, 1, 2


class FastRoute(JsonRoute):
    """A route whose handler takes parameters of query and headers, coroutines as dependencies, and the request."""

    def get_route_handler(self) -> Handler:
        usual = super().get_route_handler()
        known = [one for one in get_flat_params(self.dependant) if isinstance(one.field_info, params.Query)]
        query, solver = _Query(known), _Solver(self.dependant)

        async def handle(request: Request) -> Response:
            given = query.read(request.scope["query_string"])
            if given is None:
                return await usual(request)
            answer: Response = await solver.solve(request, given)
            return answer

        return handle


class _Query:
    """The query parameters of a route."""

    def __init__(self, known: Iterable[ModelField]) -> None:
        self._known = {field.alias: field for field in known}
        self._lists = {alias for alias, field in self._known.items() if "list[" in str(field.field_info.annotation)}
        self._required = {alias for alias, field in self._known.items() if field.field_info.is_required()}
        self._defaults = {alias: field.default for alias, field in self._known.items() if alias not in self._required}

        # Clients send the same few queries again and again.
        self.read = lru_cache(CACHED)(self._read)

    def _read(self, query: bytes) -> Mapping[str, Any] | None:
        """Returns the values by name, or None when one is not plain, is wrong or is missing."""
        found: dict[str, Any] = {}
        for part in query.decode("latin-1").split("&") if query else ():
            name, _, text = part.partition("=")
            field = self._known.get(name)
            if field is None or name in found or not _TEXT.fullmatch(text):
                return None
            plain = unquote_plus(text)
            found[name], errors = field.validate([plain] if name in self._lists else plain)
            if errors:
                return None
        return None if self._required - found.keys() else self._defaults | found


class _Solver:
    """Calls a function with the parameters and dependencies that it asks for."""

    def __init__(self, wanted: Dependant) -> None:
        self._headers: set[str] = set()
        # Functions in the order of their calls, with the keys of their parameters' values, and the key of the result.
        self._calls: list[tuple[Callable[..., Coroutine[Any, Any, Any]], list[tuple[str, Hashable]], Hashable]] = []
        self._last = self._add(wanted)

    def _add(self, wanted: Dependant) -> Hashable:
        """Adds a function after its dependencies, and returns the key of its result."""
        call: Any = wanted.call
        if isinstance(call, SecurityBase):
            # For the document only: the gatekeeper reads keys.
            return _REQUEST
        others = (wanted.path_params, wanted.cookie_params, wanted.body_params, wanted.response_param_name)
        if call is None or any(others) or not any(map(iscoroutinefunction, (call, type(call).__call__))):
            raise TypeError(f"{call} is no coroutine, or takes what a fast route cannot give")
        given: list[tuple[str, Hashable]] = [(part.name or "", self._add(part)) for part in wanted.dependencies]
        given += [(field.name, field.alias) for field in wanted.query_params]
        given += [(field.name, (_HEADER, field.alias)) for field in wanted.header_params]
        self._headers |= {field.alias for field in wanted.header_params}
        if request := wanted.request_param_name or wanted.http_connection_param_name:
            given.append((request, _REQUEST))
        result = (_RESULT, len(self._calls))
        self._calls.append((call, given, result))
        return result

    async def solve(self, request: Request, given: Mapping[str, Any]) -> Any:
        """Calls the function. given: parameters of the query. Raises the errors of dependencies and function."""
        known: dict[Hashable, Any] = {_REQUEST: request}
        known.update(given)
        for name in self._headers:
            known[_HEADER, name] = request.headers.get(name)
        for call, wanted, result in self._calls:
            known[result] = await call(**{name: known[key] for name, key in wanted})
        return known[self._last]
