"""Reads the API key of a request: from `X-API-Key`, or from `Authorization` as most tools send the key."""

from __future__ import annotations

from starlette.datastructures import Headers

from atlas.accounts.api_keys import PREFIX
from atlas.errors import AuthenticationError, BadRequestError

# InfluxDB's clients say Token.
SCHEMES = ("bearer", "token")
_OTHERS = {
    "basic": "Basic (a name and a password) is not taken",
    "digest": "Digest is not taken",
    "apikey": "the scheme is called Bearer",
}
_HOW = "send `X-API-Key: KEY` or `Authorization: Bearer KEY`"


def key_of(headers: Headers) -> str | None:
    """Returns the one key that a request sends, or None.

    `Authorization` of another scheme is ignored beside `X-API-Key`, because proxies have their own passwords.
    Raises AuthenticationError for `Authorization` without a key.
    Raises BadRequestError for two different keys.
    """
    # Blanks around a value are no part of it (RFC 9110, 5.5), but not every proxy removes them.
    given = {key for value in headers.getlist("x-api-key") if (key := value.strip(" \t"))}
    if authorization := headers.getlist("authorization"):
        parts = [value.strip(" \t").partition(" ") for value in authorization]
        given |= {key.strip(" \t") for scheme, _, key in parts if scheme.lower() in SCHEMES and key.strip(" \t")}
        if not given:
            raise AuthenticationError("Missing API key", f"Authorization: {_explain(parts[0])}; {_HOW}")
    if len(given) > 1:
        raise BadRequestError("Two API keys", "X-API-Key and Authorization name different keys; send one")
    return next(iter(given), None)


def _explain(parts: tuple[str, str, str]) -> str:
    scheme, _, rest = parts
    if scheme.lower() in SCHEMES:
        return f"there is no key after {scheme}"
    if scheme.startswith(PREFIX) and not rest:
        return "the word Bearer before the key is missing"
    return _OTHERS.get(scheme.lower(), "its scheme is not Bearer")
