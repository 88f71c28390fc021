"""Chooses the media type of a download: its own type, or plain bytes for clients that ask for bytes."""

from __future__ import annotations

from fastapi import Request

BYTES = "application/octet-stream"


def media_type_for(request: Request, own: str) -> str:
    """Returns `application/octet-stream` when `Accept` names it but neither `own` nor a wildcard; else `own`."""
    wanted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    others = {"*/*", "application/*" if own.startswith("application/") else "text/*", own.partition(";")[0]}
    return BYTES if BYTES in wanted and not wanted & others else own
