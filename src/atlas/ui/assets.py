"""Files of the web interface: our own, and the browser libraries that the nicegui package carries.

NiceGUI's own run time is not used: it compiles templates in the browser, which needs 'unsafe-eval', and keeps each
page's state in one process, while Atlas runs in several. Its wheel brings Vue, ECharts, AG Grid and CodeMirror as
plain modules, so that nothing has to be built or fetched from another host.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

STATIC = Path(__file__).parent / "static"
# Where each library's entry module is in the package.
_LIBRARIES = {"vue": "static", "echarts": "elements/echart/dist", "aggrid": "elements/aggrid/dist",
              "codemirror": "elements/codemirror/dist"}  # fmt: skip
_SCRIPT_SUFFIXES = (".js", ".mjs")


class _Files(StaticFiles):
    """Files that browsers ask about again each time, by ETag, so that an upgrade is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        if path.endswith(_SCRIPT_SUFFIXES):
            # Browsers refuse a module of another type, and some systems know none for .js.
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


def _package() -> Path:
    found = importlib.util.find_spec("nicegui")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the web interface needs the nicegui package")
    return Path(found.submodule_search_locations[0])


def _compressed(folder: Path) -> ASGIApp:
    return GZipMiddleware(_Files(directory=folder), minimum_size=1000, compresslevel=5)


def mounts() -> list[Mount]:
    """Routes of all files, below /ui/static and /ui/lib/<library>."""
    package = _package()
    libraries = [Mount(f"/ui/lib/{name}", _compressed(package / folder)) for name, folder in _LIBRARIES.items()]
    return [Mount("/ui/static", _compressed(STATIC)), *libraries]
