"""The API key of a request: in `X-API-Key`, or in `Authorization` as most tools send it."""

from __future__ import annotations

from starlette.datastructures import Headers

from atlas.accounts.api_keys import PREFIX
from atlas.errors import AuthenticationError, BadRequestError

SCHEME = "bearer"
_OTHERS = {
    "basic": "Basic (a name and a password) is not taken",
    "digest": "Digest is not taken",
    "token": "the scheme is called Bearer",
    "apikey": "the scheme is called Bearer",
}
_HOW = "send `X-API-Key: KEY` or `Authorization: Bearer KEY`"


def key_of(headers: Headers) -> str | None:
    """The one key that a request sends; None for none.

    `Authorization` of another scheme counts only where there is no `X-API-Key`: proxies have passwords of their own.
    Raises AuthenticationError for what is no key, BadRequestError for two that differ.
    """
    # Blanks around a value are no part of it (RFC 9110, 5.5); not every server in between takes them off.
    given = {key for value in headers.getlist("x-api-key") if (key := value.strip(" \t"))}
    if authorization := headers.getlist("authorization"):
        parts = [value.strip(" \t").partition(" ") for value in authorization]
        given |= {key.strip(" \t") for scheme, _, key in parts if scheme.lower() == SCHEME and key.strip(" \t")}
        if not given:
            raise AuthenticationError("Missing API key", f"Authorization: {_why(parts[0])}; {_HOW}")
    if len(given) > 1:
        raise BadRequestError("Two API keys", "X-API-Key and Authorization name different keys; send one")
    return next(iter(given), None)


def _why(parts: tuple[str, str, str]) -> str:
    scheme, _, rest = parts
    if scheme.lower() == SCHEME:
        return "there is no key after Bearer"
    if scheme.startswith(PREFIX) and not rest:
        return "the word Bearer before the key is missing"
    return _OTHERS.get(scheme.lower(), "its scheme is not Bearer")
