"""How requests to a model leave: to checked addresses, over verified TLS, without what the environment adds."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import ModelServer, model_server, say
from tests.unit.test_outbound_requests import certificate

from atlas.errors import ModelError
from atlas.kit.ssrf import Reach
from atlas.language.llm.engine import ModelEngine, ModelSettings, Provider
from atlas.llm.http_client import open_client

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret-4711"


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[Any]:
    made = open_client(Reach(anywhere=True))
    yield made
    await made.aclose()


@pytest.fixture
def engine(server: ModelServer, client: Any) -> ModelEngine:
    return ModelEngine(ModelSettings("openai", "coder", server.url, KEY, timeout=10), client)


@pytest.fixture
def claude(server: ModelServer, client: Any) -> ModelEngine:
    return ModelEngine(ModelSettings("anthropic", "claude", server.url.removesuffix("/v1"), KEY, timeout=10), client)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_nobody_there(client: Any, provider: Provider) -> None:
    gone = ModelEngine(ModelSettings(provider, "m", "http://127.0.0.1:9/v1", KEY, timeout=5), client)
    with pytest.raises(ModelError) as failed:
        await gone.ping()
    assert failed.value.reason == "connection refused"


async def test_environment_variables_are_not_sent(
    engine: ModelEngine, claude: ModelEngine, server: ModelServer, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's own keys must not reach an address that an organization chose."""
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "OPENAI_CUSTOM_HEADERS",
        "ANTHROPIC_CUSTOM_HEADERS",
    ):
        monkeypatch.setenv(name, f"X-Operator: operators-own-{name}")
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.will(say({"ready": True}))
    for asked in (engine, claude):
        await ModelEngine(replace(asked.settings, api_key=None), client).ping()
        await asked.ping()
    assert len(server.seen) == 4
    for received in server.seen:
        assert b"operator" not in received.raw.lower()
        assert b"stainless" not in received.raw.lower()
        assert received.headers["user-agent"] == "Atlas/1"


async def test_addresses_are_checked_when_connecting(engine: ModelEngine, server: ModelServer) -> None:
    guarded = open_client(Reach(field="base_url", secure=True))
    try:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/v1"):
            with pytest.raises(ModelError) as failed:
                await ModelEngine(replace(engine.settings, base_url=url), guarded).ping()
            assert failed.value.reason == "the address is not public"
    finally:
        await guarded.aclose()
    assert not server.seen


async def test_tls_is_for_the_name_and_not_for_the_address(
    engine: ModelEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def ping(name: str) -> str | None:
        made = open_client(Reach(private=True))
        settings = replace(engine.settings, base_url=f"https://{name}:{server.port}/v1")
        try:
            await ModelEngine(settings, made).ping()
        except ModelError as failed:
            return failed.reason
        finally:
            await made.aclose()
        return None

    context = certificate(tmp_path, "models.example")
    async with model_server(context) as server:
        server.will(say({"ready": True}))
        monkeypatch.setattr("atlas.kit.ssrf.look_up", resolve)
        assert await ping("models.example") == "certificate is not valid"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert await ping("models.example") is None
        assert await ping("other.example") == "certificate is not valid"
    assert len(server.seen) == 1


def test_sdks_are_loaded_only_when_a_model_is_asked() -> None:
    code = (
        "import sys, atlas.app; sys.exit(any(n in sys.modules for n in ('pydantic_ai','openai','anthropic','httpx2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
