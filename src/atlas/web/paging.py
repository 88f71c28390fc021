"""Pages of lists, and links between pages."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request


def link(request: Request, limit: int, offset: int) -> str:
    """Builds the request's own URL with another limit and offset, below the server's public URL if set."""
    asked = request.url.include_query_params(limit=limit, offset=offset)
    public: str | None = request.app.state.settings.public_url
    if public is None:
        # The host is the request's Host, which the middleware has checked.
        return str(asked)
    parts = urlsplit(str(asked))
    return f"{public}{parts.path}?{parts.query}"


def links(request: Request, count: int, limit: int, offset: int) -> tuple[str | None, str | None]:
    """Builds the URLs of the next and the previous page, None where there is no such page."""
    following = link(request, limit, offset + limit) if offset + limit < count else None
    previous = link(request, limit, max(0, offset - limit)) if offset > 0 else None
    return following, previous


async def part(
    limit: Annotated[int | None, Query(ge=1, le=1000, description="Items at most; all of them without it.")] = None,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Items to skip.")] = 0,
) -> slice:
    """Parses the requested part of a short list, which has no pages."""
    return slice(offset, None if limit is None else offset + limit)


PartParam = Annotated[slice, Depends(part)]
Items = list[dict[str, Any]]
