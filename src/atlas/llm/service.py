"""The model settings of organizations, and the engines that ask the models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from atlas.accounts.access import Caller
from atlas.accounts.authorization import require_admin
from atlas.contract.llm import ModelSettingsView, ModelTestView
from atlas.db.database import Database
from atlas.errors import BadRequestError, ModelError, UnavailableError
from atlas.kit.encryption import SecretBox
from atlas.kit.ssrf import Reach, check_form, check_reach
from atlas.language.llm.engine import BASE_URLS, ModelEngine, ModelSettings
from atlas.language.llm.packages import Provider, missing_packages
from atlas.llm import repository as model_settings
from atlas.llm.repository import StoredModel

if TYPE_CHECKING:
    import httpx2

__all__ = ["ModelChange", "ModelService", "ModelSettings"]
# The last 4 characters would reveal too much of a shorter key.
_MIN_HINTED = 16


@dataclass(frozen=True, slots=True)
class ModelChange:
    """New settings.

    api_key: None removes the key.
    keep_key: keep the stored key and ignore `api_key`.
    """

    provider: Literal["openai", "anthropic", "none"]
    model: str | None
    base_url: str | None
    api_key: str | None = field(repr=False)
    keep_key: bool
    samples: bool
    timeout: float


class ModelService:
    """Manages the settings of model providers, and makes engines.

    default: the settings for organizations without settings of their own. The operator sets the default, so its address
    is trusted.
    secret: returns the secret that encrypts keys. The call may block, and is made when the secret is first needed.
    """

    def __init__(
        self, database: Database, secret: Callable[[], str], *, private_hosts: bool, default: ModelSettings | None
    ) -> None:
        self._database, self._secret, self._default = database, secret, default
        self._reach = Reach(field="base_url", private=private_hosts, secure=not private_hosts)
        self._box: SecretBox | None = None
        self._clients: dict[Reach, httpx2.AsyncClient] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def get(self, caller: Caller) -> ModelSettingsView:
        """Returns the settings of the caller's organization.

        Only administrators see the last 4 characters of the key.
        """
        stored = await model_settings.find(self._database, caller.organization_id)
        if stored is None:
            return self._default_view()
        hint, problem = None, None
        try:
            key = await self._key(stored, caller.organization_id)
            hint = f"…{key[-4:]}" if caller.is_admin and key is not None and len(key) >= _MIN_HINTED else None
        except UnavailableError as error:
            problem = error.details
        problem = problem or _missing(stored.provider)
        return ModelSettingsView(
            source="organization",
            provider=stored.provider,
            model=stored.model,
            base_url=stored.base_url,
            host=_host(stored.provider, stored.base_url),
            api_key_set=stored.key is not None,
            api_key_hint=hint,
            problem=problem,
            samples=stored.samples,
            timeout_seconds=float(stored.timeout),
            updated_at=stored.updated_at,
            updated_by=stored.updated_by,
        )

    def _default_view(self) -> ModelSettingsView:
        """Returns the operator's settings. Organizations do not see the address."""
        used = self._default
        return ModelSettingsView(
            source="none" if used is None else "server",
            provider="none" if used is None else used.provider,
            model=None if used is None else used.model,
            base_url=None,
            host=None if used is None or used.base_url is not None else _host(used.provider, None),
            api_key_set=used is not None and used.api_key is not None,
            api_key_hint=None,
            problem=None if used is None else _missing(used.provider),
            samples=used is not None and used.samples,
            timeout_seconds=None if used is None else float(used.timeout),
            updated_at=None,
            updated_by=None,
        )

    async def set(self, caller: Caller, change: ModelChange) -> ModelSettingsView:
        """Replaces the settings of the caller's organization.

        Raises ForbiddenError: when the caller is no administrator.
        Raises BadRequestError: when the address is not allowed, or the provider's packages are not installed.
        """
        require_admin(caller, "set the model")
        missing = _missing(change.provider)
        if missing is not None:
            raise BadRequestError("No packages for models", f"provider: {missing}")
        if change.provider != "none" and not change.model:
            raise BadRequestError("Invalid model settings", "model: required")
        if change.base_url is not None:
            await check_reach(change.base_url, self._reach)
        key, unused = None, change.provider == "none"
        if change.api_key is not None and not unused:
            box = await self._secret_box()
            key = box.encrypt(change.api_key, _context(caller.organization_id))
        saved = await model_settings.save(
            self._database,
            caller,
            StoredModel(change.provider, change.model, change.base_url, key, change.samples, change.timeout),
            keep_key=change.keep_key and not unused,
        )
        if not saved:
            raise BadRequestError(
                "Invalid model settings", "api_key: give it again, or null, when provider or base_url change"
            )
        return await self.get(caller)

    async def delete(self, caller: Caller) -> ModelSettingsView:
        """Removes the settings of the caller's organization, so that the operator's default applies.

        Raises ForbiddenError: when the caller is no administrator.
        """
        require_admin(caller, "forget the model's settings")
        await model_settings.delete(self._database, caller.organization_id)
        return await self.get(caller)

    async def test(self, caller: Caller) -> ModelTestView:
        """Makes one tiny call to the model. Returns the seconds and, on failure, the reason.

        Raises ForbiddenError: when the caller is no administrator.
        """
        require_admin(caller, "test the model")
        started = time.monotonic()
        error: str | None = "no model is set"
        try:
            engine = await self.engine_for(caller)
            if engine is not None:
                await engine.ping()
                error = None
        except ModelError as failed:
            error = failed.reason
        seconds = round(time.monotonic() - started, 3)
        return ModelTestView(True, seconds) if error is None else ModelTestView(False, seconds, error)

    async def engine_for(self, caller: Caller) -> ModelEngine | None:
        """Returns an engine for the caller's organization, or None if the organization uses no model.

        Raises ModelError: when the key cannot be decrypted, or the address is no longer allowed.
        """
        stored = await model_settings.find(self._database, caller.organization_id)
        if stored is None:
            return (
                None if self._default is None else ModelEngine(self._default, await self._client(Reach(anywhere=True)))
            )
        if stored.provider == "none" or stored.model is None:
            return None
        try:
            if stored.base_url is not None:
                check_form(stored.base_url, self._reach)
            key = await self._key(stored, caller.organization_id)
        except (BadRequestError, UnavailableError) as error:
            raise ModelError(error.details or error.message) from None
        settings = ModelSettings(
            "anthropic" if stored.provider == "anthropic" else "openai",
            stored.model,
            stored.base_url,
            key,
            stored.samples,
            stored.timeout,
        )
        return ModelEngine(settings, await self._client(self._reach))

    async def _key(self, stored: StoredModel, organization_id: int) -> str | None:
        """Decrypts the API key of stored settings.

        Raises UnavailableError: when the key cannot be decrypted.
        """
        if stored.key is None:
            return None
        return (await self._secret_box()).decrypt(stored.key, _context(organization_id))

    async def _secret_box(self) -> SecretBox:
        if self._box is None:
            self._box = await asyncio.to_thread(lambda: SecretBox(self._secret()))
        return self._box

    async def _client(self, reach: Reach) -> httpx2.AsyncClient:
        """Returns the process's shared client for `reach`."""
        if reach not in self._clients:
            made = await asyncio.to_thread(_open_client, reach)
            if self._clients.setdefault(reach, made) is not made:
                await made.aclose()
        return self._clients[reach]


def _open_client(reach: Reach) -> httpx2.AsyncClient:
    from atlas.llm.http_client import open_client

    return open_client(reach)


def _missing(provider: str) -> str | None:
    """Returns a sentence on the packages that the server lacks for `provider`, or None."""
    known: tuple[Provider, ...] = ("openai", "anthropic")
    return next((missing_packages(one) for one in known if one == provider), None)


def _host(provider: str, base_url: str | None) -> str | None:
    """Returns the host that receives the questions, or None without a model."""
    if provider == "none":
        return None
    return urlsplit(base_url or BASE_URLS["anthropic" if provider == "anthropic" else "openai"]).hostname


def _context(organization_id: int) -> str:
    return f"organization {organization_id}: model api key"
