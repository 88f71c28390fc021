"""The index of routes: it finds what trying all routes in turn finds, and nothing else."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match

from atlas.app import ROUTERS, create_app
from atlas.settings import Settings
from atlas.web.path_index import PathIndex


def _scope(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "root_path": "", "path_params": {}}


def test_every_plain_path_is_found_as_it_would_be_without_the_index() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    index = PathIndex(routes)
    found = 0
    for route in routes:
        for method in (*(route.methods or ()), "PATCH"):
            scope = _scope(method, route.path.replace("{", "").replace("}", ""))
            match, more = index.matches(scope)
            if match is Match.FULL:
                found += 1
                first = next(one for one in routes if one.matches(dict(scope))[0] is Match.FULL)
                assert more["route"] is first
                assert more["endpoint"] is first.endpoint
    assert found > 50
    app = create_app(Settings(database_url="postgresql://nowhere"))
    assert app.url_path_for("insert_row") == "/api/rows/"


def test_a_path_that_another_route_takes_first_is_not_in_it() -> None:
    router = APIRouter()

    @router.get("/things/{name}")
    async def thing(name: str) -> str:
        return name

    @router.get("/things/all")
    async def everything() -> str:
        return "never"

    @router.get("/others")
    async def others() -> str:
        return "others"

    index = PathIndex(router.routes)
    assert index.matches(_scope("GET", "/things/all"))[0] is Match.NONE
    assert index.matches(_scope("POST", "/others"))[0] is Match.NONE
    assert index.matches(_scope("GET", "/others"))[0] is Match.FULL
    assert index.matches(_scope("GET", "/others") | {"root_path": "/atlas"})[0] is Match.NONE
    assert index.matches({"type": "websocket", "path": "/others"})[0] is Match.NONE


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/rows/nothing/"])
def test_what_nobody_knows_is_left_to_others(path: str) -> None:
    assert PathIndex([route for router in ROUTERS for route in router.routes]).matches(_scope("GET", path))[0] is (
        Match.NONE
    )


def test_every_route_stands_in_its_router_itself() -> None:
    """A router within a router keeps its routes, which then have no lane, no label and no check of parameters."""
    assert [
        type(route).__name__ for router in ROUTERS for route in router.routes if not isinstance(route, APIRoute)
    ] == []
