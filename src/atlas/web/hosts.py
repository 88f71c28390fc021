"""Names that requests may call the server by: what a client sends as its Host ends up in links to pages."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.types import Scope

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::[0-9]{1,5})?", re.ASCII)
# Load balancers and monitors ask by address.
_ANY = ("/health", "/health/", "/metrics", "/metrics/")


def wrong_host(scope: Scope, allowed: Collection[str]) -> str | None:
    """What is wrong with a request's Host, None where nothing is. allowed: names in lower case; empty allows all."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(given) > 1:
        return "Host: given twice"
    host = given[0].strip(" \t") if given else ""
    if host and not _HOST.fullmatch(host):
        return "Host: not a name or an address with an optional port"
    if allowed and scope["path"] not in _ANY:
        name = re.sub(r":[0-9]+$", "", host).lower()
        if name not in allowed:
            return "Host: this server is not called so"
    return None
