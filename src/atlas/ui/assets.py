"""Serves the files of the web interface: our own modules, and the browser libraries in `vendor`.

The libraries are published files. `vendor/manifest.json` names their versions, licences and digests, and
`scripts/vendor_javascript.py` updates and verifies them.
"""

from __future__ import annotations

from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

STATIC = Path(__file__).parent / "static"
VENDOR = Path(__file__).parent / "vendor"
_SCRIPT_SUFFIXES = (".js", ".mjs")


class _Files(StaticFiles):
    """Files that browsers revalidate by ETag each time, so that an upgrade takes effect at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        if path.endswith(_SCRIPT_SUFFIXES):
            # Browsers refuse a module with another type, and some systems have no type for .js.
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


def _serve_compressed(folder: Path) -> ASGIApp:
    return GZipMiddleware(_Files(directory=folder), minimum_size=1000, compresslevel=5)


def mounts() -> list[Mount]:
    """Returns the routes of all files, below /ui/static and /ui/lib/<library>."""
    return [Mount("/ui/static", _serve_compressed(STATIC)), Mount("/ui/lib", _serve_compressed(VENDOR))]
