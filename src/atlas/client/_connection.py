"""The server of a client, and its key."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from atlas.client import profiles
from atlas.client.errors import AtlasClientError

DEFAULT_URL = "http://127.0.0.1:8000"


def server(url: str | None, api_key: str | None, profile: str | None) -> tuple[str, str | None]:
    """Returns URL and key of the server.

    The order is: the arguments, the named profile, ATLAS_URL and ATLAS_API_KEY, then the profile of ATLAS_PROFILE or
    the default profile. A profile's key goes to its own server only.

    Raises AtlasClientError: when the URL or the key is invalid.
    """
    if profile is None:
        url = url or os.environ.get("ATLAS_URL")
        api_key = api_key or os.environ.get("ATLAS_API_KEY")
        profile = os.environ.get("ATLAS_PROFILE")
    if url is None or api_key is None:
        found = profiles.load(profile)
        if found is not None:
            url = url or found.url
            if api_key is None and url.rstrip("/") == found.url:
                api_key = found.api_key
    url = (url or DEFAULT_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AtlasClientError("Invalid URL", f"{url!r} is not the URL of a server, such as {DEFAULT_URL}")
    if api_key is not None and not all("!" <= character <= "~" for character in api_key):
        raise AtlasClientError("Invalid API key", "it has characters that no key has, such as blanks")
    return url, api_key
