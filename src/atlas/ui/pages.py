"""The single page of the web interface, which scripts fill."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

import atlas
from atlas.ui.assets import STATIC

router = APIRouter(include_in_schema=False)

# AG Grid adds its style sheets by script, which needs a nonce. All other styles come from files.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@router.get("/")
async def root() -> RedirectResponse:
    """Redirects the server's address to the web interface."""
    return RedirectResponse("/ui/")


@router.get("/ui")
@router.get("/ui/{path:path}")
async def page(path: str = "") -> HTMLResponse:
    """Returns the page. The scripts read from the address what to show."""
    nonce = secrets.token_urlsafe(18)
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    html = text.replace("{{nonce}}", nonce).replace("{{version}}", atlas.__version__)
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce=nonce),
        "Cache-Control": "no-store",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return HTMLResponse(html, headers=headers)
