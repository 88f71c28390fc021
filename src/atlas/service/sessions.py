"""Sessions of browsers: an API key, sealed into a cookie that only the server can open."""

from __future__ import annotations

import base64
import binascii
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from atlas.core.access import Caller
from atlas.core.secrets import SecretBox
from atlas.errors import AtlasError
from atlas.service.access import AccessService
from atlas.service.tags import TagService

SECONDS = 12 * 3600
REMEMBERED_SECONDS = 30 * 24 * 3600
_CONTEXT = "browser session 1"
# Whoever signs in reads what is public, without having to know of tags.
_FREE_TAG = "public"


class _Sealed(msgspec.Struct):
    key: str
    expires: float


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser keeps. `token` is opaque; `seconds` is how long it is good for."""

    token: str
    seconds: int
    caller: Caller


class SessionService:
    """Signs browsers in. Nothing is stored: the cookie holds the key, encrypted with the server's secret.

    The key is looked up again for every request, so a session ends at once when its key is revoked.
    """

    def __init__(self, access: AccessService, tags: TagService, secret: Callable[[], str]) -> None:
        self._access, self._tags, self._secret = access, tags, secret

    @functools.cached_property
    def _box(self) -> SecretBox:
        return SecretBox(self._secret())

    async def sign_in(self, key: str, *, remember: bool) -> Session:
        """A session for the user of a key, who gets the public tag. Raises AuthenticationError."""
        caller = await self._access.authenticate(key)
        await self._tags.acquire(caller, _FREE_TAG, None)
        seconds = REMEMBERED_SECONDS if remember else SECONDS
        sealed = msgspec.json.encode(_Sealed(key, time.time() + seconds)).decode()
        token = base64.urlsafe_b64encode(self._box.encrypt(sealed, _CONTEXT)).decode().rstrip("=")
        return Session(token, seconds, caller)

    def key_of(self, token: str) -> str | None:
        """The API key of a session; None for one that has ended or was not made here."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            sealed = msgspec.json.decode(self._box.decrypt(data, _CONTEXT), type=_Sealed)
        except (AtlasError, binascii.Error, ValueError, msgspec.DecodeError):
            return None
        return sealed.key if sealed.expires > time.time() else None
