"""Finds the route of a request in one step when its path has no parameters."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from atlas.web.unknown_parameters import KnownParameters


def add_routes(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Adds the routes of `routers`, in their order, after an index of them. Routes of the API check their parameters.

    `include_router` would keep routers whole: a request then asks each router, and the matching router twice. That took
    a third of the framework's time.
    """
    routes = [route for router in routers for route in router.routes]
    for route in routes:
        # Probes and scrapers may add their own parameters to the other routes.
        # The routers are shared by all applications of a process.
        if isinstance(route, APIRoute) and route.path.startswith("/api") and not isinstance(route.app, KnownParameters):
            route.app = KnownParameters(route)
    app.router.routes.extend([PathIndex(routes), *routes])


class PathIndex(BaseRoute):
    """The routes whose paths have no parameters, by method and path.

    Other requests go on to the routes after the index.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes: dict[tuple[str, str], APIRoute] = {}
        for route in routes:
            if isinstance(route, APIRoute) and "{" not in route.path:
                for method in route.methods or ():
                    first = next(one for one in routes if _takes(one, method, route.path))
                    if first is route:
                        self._routes[method, route.path] = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": route.endpoint, "path_params": {}, "route": route}

    @property
    def routes(self) -> list[APIRoute]:
        """The indexed routes."""
        return list(self._routes.values())

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        # The routes themselves can build the URL.
        raise NoMatchFound(name, path_params)


def _takes(route: BaseRoute, method: str, path: str) -> bool:
    if isinstance(route, APIRoute):
        # Most routes differ in method or in the fixed beginning of their path; a match takes ten times as long.
        is_near = method in (route.methods or ()) and path.startswith(route.path.partition("{")[0])
        if not is_near:
            return False
    match, _ = route.matches({"type": "http", "method": method, "path": path, "root_path": "", "path_params": {}})
    return match is Match.FULL
