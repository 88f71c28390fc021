"""The interactive reference at /docs and /redoc, with its scripts from a package instead of another host."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_FILES = "/docs/files"
# Both pages start by a script within the page.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
)


def install(app: FastAPI) -> None:
    """Adds the pages to an application that was made without FastAPI's own."""
    found = importlib.util.find_spec("fastapi_offline")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the reference needs the fastapi-offline package")
    app.mount(_FILES, StaticFiles(directory=Path(found.submodule_search_locations[0]) / "static"))
    router = APIRouter(include_in_schema=False)
    headers = {"Content-Security-Policy": _POLICY}
    icon = "/ui/static/icon.svg"

    @router.get("/docs")
    async def swagger() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url=app.openapi_url or "", title="Atlas: reference", swagger_favicon_url=icon,
            swagger_js_url=f"{_FILES}/swagger-ui-bundle.js", swagger_css_url=f"{_FILES}/swagger-ui.css",
            swagger_ui_parameters={"persistAuthorization": False},
        )  # fmt: skip
        return HTMLResponse(page.body, headers=headers)

    @router.get("/redoc")
    async def redoc() -> HTMLResponse:
        page = get_redoc_html(
            openapi_url=app.openapi_url or "", title="Atlas: reference", redoc_favicon_url=icon,
            redoc_js_url=f"{_FILES}/redoc.standalone.js", with_google_fonts=False,
        )  # fmt: skip
        return HTMLResponse(page.body, headers=headers)

    app.include_router(router)
