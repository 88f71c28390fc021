"""The media type of a file that is sent: its own, or plain bytes for who asks for those."""

from __future__ import annotations

from fastapi import Request

BYTES = "application/octet-stream"


def media_type_for(request: Request, own: str) -> str:
    """`application/octet-stream` where `Accept` names it, and neither the file's own type nor all types; else `own`."""
    wanted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    others = {"*/*", "application/*" if own.startswith("application/") else "text/*", own.partition(";")[0]}
    return BYTES if BYTES in wanted and not wanted & others else own
