"""The API reference at /docs, and ReDoc at /redoc with its script from this server."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html
from fastapi.responses import HTMLResponse

from atlas.ui.api_reference_page import page

_SCRIPT = "/ui/lib/redoc/redoc.standalone.js"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# ReDoc starts by a script within its page, and creates styles.
_REDOC_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
)


def install(app: FastAPI) -> None:
    """Adds the pages to an application that was created without FastAPI's own pages."""
    router = APIRouter(include_in_schema=False)
    icon = "/ui/static/icon.svg"
    made: list[str] = []

    @router.get("/docs")
    async def reference() -> HTMLResponse:
        if not made:
            made.append(page(app.openapi()))
        return HTMLResponse(made[0], headers={"Content-Security-Policy": _POLICY})

    @router.get("/redoc")
    async def redoc() -> HTMLResponse:
        shown = get_redoc_html(
            openapi_url=app.openapi_url or "",
            title="Atlas: reference",
            redoc_favicon_url=icon,
            redoc_js_url=_SCRIPT,
            with_google_fonts=False,
        )
        return HTMLResponse(shown.body, headers={"Content-Security-Policy": _REDOC_POLICY})

    app.include_router(router)
