"""Webhooks, the model provider, and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal

from atlas.client._async.resource import PAGE, AsyncResource
from atlas.client._reading import read, read_all
from atlas.client._requests import given, path_of
from atlas.client.types import Json
from atlas.contract.accounts import Key, NewKey

HOOKS = "/api/v1/webhooks"
MODEL = "/api/v1/settings/model"
KEYS = "/api/v1/keys"
KEEP: Any = object()


class AsyncWebhooks(AsyncResource):
    """Webhooks, which post the results of imports to you."""

    async def secret(self) -> str:
        """Returns the secret that verifies signatures.

        Raises Forbidden: when you are no administrator.
        """
        return str((await self._get(f"{HOOKS}/secret"))["secret"])

    async def rotate_secret(self) -> str:
        """Replaces the secret, for administrators. The old secret signs nothing any more."""
        return str((await self._post(f"{HOOKS}/secret/rotate"))["secret"])

    async def deliveries(
        self, *, import_id: str | None = None, limit: int | None = None, page_size: int = PAGE
    ) -> AsyncIterator[Json]:
        """Yields deliveries with every attempt, newest first."""
        params = {"import_id": import_id}
        async for item in self._pages(f"{HOOKS}/deliveries", "deliveries", limit, params, page=page_size):
            yield item

    async def redeliver(self, delivery_id: str) -> None:
        """Sends a delivery again."""
        await self._post(f"{HOOKS}/deliveries{path_of(delivery_id)}/redeliver")


class AsyncModelSettings(AsyncResource):
    """The model provider of your organization. Keys are never shown again."""

    async def get(self) -> Json:
        """Returns the settings in force. `host` and `model` name the provider's server and the model."""
        found: Json = await self._get(MODEL)
        return found

    async def set(
        self,
        provider: Literal["openai", "anthropic", "none"],
        model: str | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = KEEP,
        samples: bool = False,
        timeout_seconds: float = 30.0,
    ) -> Json:
        """Replaces the settings, for administrators. Without api_key the stored key stays; None removes the key."""
        body: Json = {"provider": provider, "samples": samples, "timeout_seconds": timeout_seconds}
        body |= given(model=model, base_url=base_url)
        if api_key is not KEEP:
            body["api_key"] = api_key
        found: Json = await self._put(MODEL, body)
        return found

    async def delete(self) -> Json:
        """Deletes the settings and the key, for administrators. Returns the settings in force then."""
        found: Json = await self._delete(MODEL)
        return found

    async def test(self) -> Json:
        """Makes one tiny call to the provider, for administrators."""
        found: Json = await self._post(f"{MODEL}/test", timeout=310.0)
        return found


class AsyncKeys(AsyncResource):
    """Your own API keys."""

    async def list(self) -> Sequence[Key]:
        """Lists all your keys, without the keys themselves."""
        return read_all(Key, (await self._get(KEYS))["keys"])

    async def create(self, name: str = "", expires_at: datetime | str | None = None) -> NewKey:
        """Creates a key. `key` of the answer is shown only once."""
        return read(NewKey, await self._post(KEYS, {"name": name, "expires_at": moment_text(expires_at)}))

    async def revoke(self, key_id: int) -> None:
        """Revokes a key at once."""
        await self._delete(f"{KEYS}/{int(key_id)}")

    async def rotate(self, key_id: int) -> NewKey:
        """Revokes a key and creates another in its place, which is shown only once."""
        return read(NewKey, await self._post(f"{KEYS}/{int(key_id)}/rotate"))


def moment_text(value: datetime | str | None) -> str | None:
    """Formats a moment for JSON."""
    return value.isoformat() if isinstance(value, datetime) else value
