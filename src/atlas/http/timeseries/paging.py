"""Links between pages."""

from __future__ import annotations

from fastapi import Request


def link(request: Request, limit: int, offset: int) -> str:
    """The request's own URL with another limit and offset."""
    return str(request.url.include_query_params(limit=limit, offset=offset))


def links(request: Request, count: int, limit: int, offset: int) -> tuple[str | None, str | None]:
    """URLs of the next and the previous page, None where there is none."""
    following = link(request, limit, offset + limit) if offset + limit < count else None
    previous = link(request, limit, max(0, offset - limit)) if offset > 0 else None
    return following, previous
