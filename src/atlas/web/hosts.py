"""Checks the Host header of requests, because a client's Host ends up in links to pages."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.types import Scope

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::([0-9]{1,5}))?", re.ASCII)
# Load balancers and monitors request these paths by address.
_MOST_PORT = 65_535
_ANY = ("/health", "/health/", "/metrics", "/metrics/")


def wrong_host(scope: Scope, allowed: Collection[str]) -> str | None:
    """Returns the error of a request's Host, or None. allowed: names in lower case; an empty collection allows all."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(given) > 1:
        return "Host: given twice"
    host = given[0].strip(" \t") if given else ""
    found = _HOST.fullmatch(host)
    if host and (found is None or int(found[1] or 0) > _MOST_PORT):
        return "Host: not a name or an address with an optional port"
    if allowed and scope["path"] not in _ANY:
        name = re.sub(r":[0-9]+$", "", host).lower()
        if name not in allowed:
            return "Host: this server is not called so"
    return None
