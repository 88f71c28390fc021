"""Browser sessions: an API key, encrypted in a cookie that only the server can decrypt, until the session ends."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import msgspec

from atlas.accounts import browser_sessions_repository as store
from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.tags import TagService
from atlas.db.database import Database
from atlas.errors import AtlasError
from atlas.kit.coalescing import Coalescer
from atlas.kit.encryption import SecretBox

SECONDS = 12 * 3600
REMEMBERED_SECONDS = 30 * 24 * 3600
_CONTEXT = "browser session 2"
# A signed-in user reads public datasets without having to know of tags.
_FREE_TAG = "public"


class _Sealed(msgspec.Struct):
    key: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Session:
    """The content of a browser's cookie. token: opaque text. seconds: its lifetime."""

    token: str
    seconds: int
    caller: Caller


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that a request has sent, and its API key."""

    id: UUID
    key: str


class SessionService:
    """Signs browsers in and out.

    The cookie holds the key, encrypted with the server's secret, and the id of a session. Both are looked up for every
    request. So a session ends at once when its user signs out, or when its key is revoked, wherever a copy of the
    cookie is.
    """

    def __init__(self, database: Database, access: AccessService, tags: TagService, secret: Callable[[], str]) -> None:
        self._database, self._access, self._tags, self._secret = database, access, tags, secret
        self._living = Coalescer(partial(store.living, database))

    @functools.cached_property
    def _box(self) -> SecretBox:
        return SecretBox(self._secret())

    async def sign_in(self, key: str, *, remember: bool) -> Session:
        """Starts a session for the user of a key, who gets the public tag. Raises AuthenticationError."""
        caller = await self._access.authenticate(key)
        await self._tags.acquire(caller, _FREE_TAG, None)
        seconds = REMEMBERED_SECONDS if remember else SECONDS
        sealed = _Sealed(key, await store.begin(self._database, caller.user_id, seconds))
        data = self._box.encrypt(msgspec.json.encode(sealed).decode(), _CONTEXT)
        return Session(base64.urlsafe_b64encode(data).decode().rstrip("="), seconds, caller)

    async def open_session(self, token: str) -> OpenSession | None:
        """Returns the session of a cookie; None for a session that has ended, or a cookie of another server."""
        sealed = self._unseal(token)
        if sealed is None or not await self.lives(sealed.id):
            return None
        return OpenSession(sealed.id, sealed.key)

    async def lives(self, session: UUID) -> bool:
        """Returns whether a session has not ended. Raises UnavailableError."""
        return await self._living.get(session) is not None

    async def sign_out(self, token: str, *, everywhere: bool = False) -> None:
        """Ends the session of a cookie, or all of its user's sessions. An ended or unknown session is ignored."""
        sealed = self._unseal(token)
        if sealed is not None:
            await store.end(self._database, sealed.id, everywhere=everywhere)

    def _unseal(self, token: str) -> _Sealed | None:
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.json.decode(self._box.decrypt(data, _CONTEXT), type=_Sealed)
        except (AtlasError, binascii.Error, ValueError, msgspec.DecodeError):
            return None
