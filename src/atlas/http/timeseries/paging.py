"""Links between pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request


def link(request: Request, limit: int, offset: int) -> str:
    """The request's own URL with another limit and offset, below the server's public URL where that is set."""
    asked = request.url.include_query_params(limit=limit, offset=offset)
    public: str | None = request.app.state.settings.public_url
    if public is None:
        # Its host is the one of the request, which the middleware has looked at.
        return str(asked)
    parts = urlsplit(str(asked))
    return f"{public}{parts.path}?{parts.query}"


def links(request: Request, count: int, limit: int, offset: int) -> tuple[str | None, str | None]:
    """URLs of the next and the previous page, None where there is none."""
    following = link(request, limit, offset + limit) if offset + limit < count else None
    previous = link(request, limit, max(0, offset - limit)) if offset > 0 else None
    return following, previous
