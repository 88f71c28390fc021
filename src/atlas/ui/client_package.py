"""Builds a wheel of this server's package, so that pip installs the client and the command line in the same version.

Atlas is on no public index, where other people could own its name.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

import atlas

NAME = "atlas-data-platform"
STEM = f"atlas_data_platform-{atlas.__version__}"
WHEEL = f"{STEM}-py3-none-any.whl"
# The contents of the package. Other files in its folder are not published.
PARTS = (
    "**/*.py",
    "py.typed",
    "**/sql/*.sql",
    "db/migrations/*.sql",
    "ui/static/*",
    "ui/static/css/*",
    "ui/static/components/*",
    "ui/static/pages/*",
    "ui/vendor/*",
    "ui/vendor/*/*",
)
router = APIRouter(include_in_schema=False)


@router.get(f"/client/{WHEEL}")
async def client_package(request: Request) -> Response:
    """Returns the wheel. Everybody may have the wheel, as it holds Atlas's source and nothing of this installation."""
    try:
        content, tag = await asyncio.to_thread(wheel)
    except PackageNotFoundError:
        return PlainTextResponse("This server runs from sources that were not installed", status_code=404)
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/zip", headers=headers)


@functools.cache
def wheel() -> tuple[bytes, str]:
    """Builds the wheel of the running code, with the same bytes each time. Returns the wheel and its digest.

    Raises PackageNotFoundError: when Atlas is not installed.
    """
    own = distribution(NAME)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        lines = []
        for path, content in _files(own):
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(content)}\n")
        record = f"{STEM}.dist-info/RECORD"
        lines.append(f"{record},,\n")
        archive.writestr(zipfile.ZipInfo(record, (1980, 1, 1, 0, 0, 0)), "".join(lines), zipfile.ZIP_DEFLATED)
    content = sink.getvalue()
    return content, hashlib.sha256(content).hexdigest()[:32]


def _files(own: Distribution) -> Iterator[tuple[str, bytes]]:
    package = Path(atlas.__file__).parent
    for path in sorted({path for part in PARTS for path in package.glob(part) if path.is_file()}):
        yield f"atlas/{path.relative_to(package).as_posix()}", path.read_bytes()
    described = own.read_text("METADATA") or own.read_text("PKG-INFO")
    if described is None:
        raise PackageNotFoundError(NAME)
    tags = "Wheel-Version: 1.0\nGenerator: atlas\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    for name, text in (
        ("METADATA", described),
        ("WHEEL", tags),
        ("entry_points.txt", own.read_text("entry_points.txt")),
    ):
        if text is not None:
            yield f"{STEM}.dist-info/{name}", text.encode()
