"""The model provider of an organization: settings, keys, addresses, and instructions that a model reads."""

from __future__ import annotations

import pickle
import socket
import stat
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.test_imports import CONTACTS
from tests.conftest import Client, People, serve
from tests.model_server import ModelServer, hang_up, model_server, say, send, silent

from atlas.errors import UnavailableError
from atlas.kit.encryption import SecretBox
from atlas.kit.secret_key import load_secret
from atlas.language.llm import packages
from atlas.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("owner_is_admin")]
KEY = "sk-test-4711-abcdefgh-wxyz"
PATH = "/api/v1/settings/model"
FAILED = "The model provider failed ({}); the offline engine answered."


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as made:
        yield made


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, log_level="info", jobs=0, model_private_hosts=True, data_dir=tmp_path)


async def put(client: httpx.AsyncClient, status: int = 200, **body: Any) -> dict[str, Any]:
    response = await client.put(PATH, json={"provider": "openai", "model": "coder"} | body)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def check(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.post(f"{PATH}/test")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def shown(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get(PATH)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def everything(database_url: str) -> str:
    """All rows of all tables of the catalog, as text; bytes as they are too."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname LIKE 'atlas%'"
        ).fetchall()
        rows = [connection.execute(f"SELECT t::text FROM {name} t").fetchall() for (name,) in names]  # type: ignore[arg-type]
        keys = connection.execute("SELECT encode(api_key_encrypted, 'escape') FROM atlas.model_settings").fetchall()
    return str(rows) + str(keys)


async def test_a_key_is_stored_encrypted_and_never_shown(
    owner: httpx.AsyncClient, server: ModelServer, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    nothing = await shown(owner)
    assert (nothing["success"], nothing["source"], nothing["provider"]) == (True, "none", "none")
    assert await check(owner) | {"seconds": 0} == {"success": False, "seconds": 0, "error": "no model is set"}
    made = await put(owner, base_url=server.url, api_key=KEY, samples=True, timeout_seconds=7)
    assert made == await shown(owner)
    assert (made["source"], made["provider"], made["model"], made["base_url"]) == (
        "organization",
        "openai",
        "coder",
        server.url,
    )
    assert (made["api_key_set"], made["api_key_hint"], made["problem"]) == (True, "…wxyz", None)
    assert (made["samples"], made["timeout_seconds"], made["updated_by"]) == (True, 7.0, "owner")
    server.will(say({"ready": True}))
    done = await check(owner)
    assert set(done) == {"success", "seconds"}
    assert done["success"] is True
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    server.will(send(401, f'{{"error": "{KEY}"}}'))
    assert (await check(owner))["error"] == "it refused the API key (HTTP 401)"
    server.will(hang_up)
    assert (await check(owner))["success"] is False
    assert KEY not in everything(database_url)
    assert KEY not in str(made)
    assert KEY not in "".join(capfd.readouterr())
    gone = (await owner.delete(PATH)).json()
    assert (gone["success"], gone["source"], gone["api_key_set"]) == (True, "none", False)
    assert (await owner.delete(PATH)).status_code == 200


async def test_members_see_who_answers_and_change_nothing(
    client: Client, people: People, server: ModelServer, database_url: str
) -> None:
    """Whoever sets the address is sent what colleagues ask, so members see it and may not."""
    admin, member, stranger = client(people.owner), client(people.holder), client(people.stranger)
    await put(admin, base_url=server.url, api_key=KEY, samples=True)
    seen = await shown(member)
    assert (seen["model"], seen["host"], seen["samples"], seen["updated_by"]) == ("coder", "127.0.0.1", True, "owner")
    assert (seen["api_key_set"], seen["api_key_hint"], (await shown(admin))["api_key_hint"]) == (True, None, "…wxyz")
    assert (await shown(stranger))["host"] is None
    told = "Only administrators of the organization and operators may set the model; your role is member"
    assert (await put(member, 403, base_url=server.url))["detail"] == f"Permission denied: {told}"
    for refused in (await member.delete(PATH), await member.post(f"{PATH}/test")):
        assert (refused.status_code, set(refused.json())) == (403, {"detail"})
    assert await shown(member) == seen
    assert not server.seen
    # An administrator of another organization has nothing to say here.
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE atlas.users SET role = 'operator' WHERE name = 'stranger'")
    assert (await put(stranger, provider="none", model=None))["source"] == "organization"
    assert await shown(member) == seen
    await put(admin, provider="anthropic", api_key=None)
    assert (await shown(member))["host"] == "api.anthropic.com"


async def test_a_key_stays_with_its_address(owner: httpx.AsyncClient, server: ModelServer) -> None:
    """Who may set the address must not be able to have a key sent there that nobody may read."""
    await put(owner, base_url=server.url, api_key=KEY)
    assert (await put(owner, base_url=server.url, model="other"))["api_key_hint"] == "…wxyz"
    for change in ({"base_url": "http://127.0.0.1:9/v1"}, {}, {"base_url": server.url, "provider": "anthropic"}):
        refused = await put(owner, 400, **change)
        assert "api_key: give it again" in refused["detail"]
    assert (await shown(owner))["base_url"] == server.url
    assert (await put(owner, base_url="http://127.0.0.1:9/v1", api_key=None))["api_key_set"] is False
    assert (await put(owner, base_url=server.url))["api_key_set"] is False
    await put(owner, base_url=server.url, api_key=KEY)
    assert (await put(owner, provider="none", model=None))["api_key_set"] is False
    # Short keys would be half told.
    assert (await put(owner, base_url=server.url, api_key="short"))["api_key_hint"] is None


async def test_settings_belong_to_organizations(
    client: Client, people: People, server: ModelServer, database_url: str
) -> None:
    await put(client(people.owner), base_url=server.url, api_key=KEY)
    assert (await shown(client(people.holder)))["host"] == "127.0.0.1"
    stranger = client(people.stranger)
    assert (await shown(stranger))["source"] == "none"
    await stranger.delete(PATH)
    assert (await shown(client(people.owner)))["source"] == "organization"
    # A row that was copied to another organization is worthless there.
    await put(stranger, base_url=server.url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE atlas.model_settings SET api_key_encrypted ="
            " (SELECT api_key_encrypted FROM atlas.model_settings WHERE api_key_encrypted IS NOT NULL)"
        )
    assert (await shown(stranger))["problem"] == "stored key cannot be read; set it again"
    assert (await check(stranger))["error"] == "stored key cannot be read; set it again"
    assert not server.seen


async def test_another_secret_is_told(settings: Settings, people: People, server: ModelServer) -> None:
    async with serve(settings) as make:
        await put(make(people.owner), base_url=server.url, api_key=KEY)
    async with serve(settings.model_copy(update={"data_dir": settings.data_dir / "new"})) as make:
        seen = await shown(make(people.owner))
        assert (seen["api_key_set"], seen["api_key_hint"]) == (True, None)
        assert seen["problem"] == "stored key cannot be read; set it again"
        assert (await check(make(people.owner)))["error"] == "stored key cannot be read; set it again"
        body = {"data": {"instruction": "Import into leads"}, "files": {"file": ("c.csv", CONTACTS)}}
        done = (await make(people.owner).post("/api/v1/smart-import", **body)).json()  # type: ignore[arg-type]
        assert done["notes"] == [FAILED.format("stored key cannot be read; set it again")]
        assert done["records_inserted"] == 3


BAD_URLS = """
http://8.8.8.8/v1 http://api.example.com/v1 https://127.0.0.1/v1 https://127.1/ https://2130706433/ https://localhost/v1
https://a.localhost/ https://[::1]/v1 https://10.0.0.8/v1 https://172.16.0.1/ https://192.168.1.5:8080/v1
https://169.254.169.254/latest https://[::ffff:169.254.169.254]/ https://[fd00:ec2::254]/ https://100.64.0.1/
https://0.0.0.0/ https://[fe80::1]/ https://models.internal/ https://printer.local/ ftp://example.com/ file:///etc/passwd
https://user:pw@example.com/ https://example.com/#x nonsense
""".split()


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Puts a name server that knows these addresses alone in place of the system's."""

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("atlas.kit.ssrf.look_up", resolve)


async def test_addresses_must_be_public_and_secure(
    settings: Settings, people: People, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = settings.model_copy(update={"model_private_hosts": False})
    async with serve(guarded) as make:
        owner = make(people.owner)
        for url in [*BAD_URLS, server.url]:
            refused = await put(owner, 400, base_url=url)
            assert refused["detail"].startswith("Invalid base_url: base_url: "), url
        assert (await shown(owner))["source"] == "none"
        with monkeypatch.context() as patch:
            for address in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"):
                named(patch, address)
                refused = await put(owner, 400, base_url="https://models.example.com/v1")
                assert refused["detail"] == "Invalid base_url: base_url: the address is not public"
            named(patch, "93.184.215.14", "10.0.0.1")
            await put(owner, 400, base_url="https://models.example.com/v1")
            named(patch, "93.184.215.14")
            await put(owner, base_url="https://models.example.com/v1")
            # The name leads inside later; what counts is where the connection goes.
            named(patch, "127.0.0.1")
            assert (await check(owner))["error"] == "the address is not public"
    async with serve(settings) as make:
        await put(make(people.owner), base_url=server.url)
        for url in ("http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://224.0.0.1/"):
            await put(make(people.owner), 400, base_url=url)
    async with serve(guarded) as make:
        # What was allowed once is checked again.
        assert (await check(make(people.owner)))["error"] == "base_url: https only"
    assert not server.seen


BAD_BODIES: list[dict[str, Any]] = [
    {"provider": "google"},
    {"model": None},
    {"model": ""},
    {"model": "a\0"},
    {"model": "a\nb"},
    {"api_key": ""},
    {"api_key": "sk-secret\r\nX-Evil: 1"},
    {"api_key": "sk-secret ü"},
    {"api_key": 5},
    {"timeout_seconds": 0},
    {"timeout_seconds": 301},
    {"timeout_seconds": "30"},
    {"samples": "yes"},
    {"base_url": ""},
    {"model": "m" * 201},
]


async def test_bad_bodies(owner: httpx.AsyncClient) -> None:
    for body in BAD_BODIES:
        response = await owner.put(PATH, json={"provider": "openai", "model": "m"} | body)
        assert response.status_code == (400 if body == {"model": None} else 422), response.text
        assert set(response.json()) == {"detail"}
        assert "sk-secret" not in response.text


async def smart_import(client: httpx.AsyncClient, text: str, path: str = "", status: int = 200) -> dict[str, Any]:
    response = await client.post(
        f"/api/v1/smart-import{path}", data={"instruction": text}, files={"file": ("c.csv", CONTACTS)}
    )
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_imports_by_a_model(owner: httpx.AsyncClient, server: ModelServer) -> None:
    before = await smart_import(owner, "Import into leads")
    assert not {"language_engine", "notes"} & set(before)
    assert "language_engine" not in await smart_import(owner, "Import into leads", "/preview")
    await put(owner, base_url=server.url)
    server.will(say({"table": "prospects", "new_table": True, "only_columns": ["email"]}))
    seen = await smart_import(owner, "ab in die Interessenten, nur die Mail", "/preview")
    assert (seen["language_engine"], seen["table_name"], len(seen["columns"])) == ("model", "prospects", 1)
    done = await smart_import(owner, "ab in die Interessenten, nur die Mail")
    assert (done["language_engine"], done["notes"], done["table_name"]) == ("model", [], "prospects")
    assert '\\"leads\\"' in server.seen[-1].raw.decode()
    # Columns that the file does not have are a mistake of the model's as they are one of the offline engine's.
    server.will(say({"clarifying_question": "Which table?"}))
    assert "Which table?" in (await smart_import(owner, "Import", status=400))["detail"]


async def test_the_offline_engine_answers_for_a_model_that_fails(owner: httpx.AsyncClient, server: ModelServer) -> None:
    await put(owner, base_url=server.url)
    # The SDK is loaded before time counts.
    server.will(say({"ready": True}))
    assert (await check(owner))["success"] is True
    await put(owner, base_url=server.url, timeout_seconds=1)
    for reply, reason in (
        (send(500), "it has an error (HTTP 500)"),
        (say({"table": {}}), "its answer could not be used"),
        (silent, "timed out"),
    ):
        server.will(reply)
        done = await smart_import(owner, "Import into leads, keep all duplicates")
        assert (done["table_name"], done["language_engine"]) == ("leads", "offline")
        assert done["notes"] == [FAILED.format(reason)]
        assert f"Note: The model provider failed ({reason}); the offline" in done["response_summary"]
    server.will(send(500))
    seen = await smart_import(owner, "Import into leads", "/preview")
    assert (seen["language_engine"], seen["notes"][0]) == ("offline", FAILED.format("it has an error (HTTP 500)"))


async def tell(client: httpx.AsyncClient, text: str) -> dict[str, Any]:
    response = await client.post(
        "/api/v1/smart-data-instruction",
        content=text,
        headers={"Content-Type": "text/plain"},
        params={"thread_id": "t"},
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_records_by_a_model(owner: httpx.AsyncClient, server: ModelServer) -> None:
    await put(owner, base_url=server.url)
    entity = {
        "entity_type": "client",
        "data": [{"field": "name", "value": "Acme"}, {"field": "email", "value": "a@acme.com"}],
    }
    server.will(say({"intent": "insert", "entities": [entity]}))
    done = await tell(owner, "Wir haben einen neuen Kunden: Acme (a@acme.com)")
    assert (done["success"], done["language_engine"], done["notes"]) == (True, "model", [])
    assert done["tables_affected"] == ["clients"]
    server.will(say({"clarifying_question": "Which client?"}))
    asked = await tell(owner, "Der Kunde soll weg")
    assert (asked["success"], asked["question"], asked["language_engine"]) == (False, "Which client?", "model")
    server.will(say({"intent": "archive", "entities": [{"match": [{"field": "name", "value": "Somebody else"}]}]}))
    asked = await tell(owner, "Archive the client Nobody")
    assert (asked["success"], asked["language_engine"]) == (False, "offline")
    assert asked["notes"] == [FAILED.format("its answers did not pass the check")]
    server.will(send(500))
    undone = await tell(owner, "undo that")
    assert (undone["success"], undone["intent"]) == (True, "undo")
    assert not server.seen


async def test_the_operators_default(
    settings: Settings, people: People, server: ModelServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """It counts for organizations without settings of their own, at an address that they could not choose."""
    given = {
        "model_provider": "anthropic",
        "model_name": "claude",
        "model_api_key": KEY,
        "model_private_hosts": False,
        "model_base_url": server.url.removesuffix("/v1"),
        "data_dir": settings.data_dir,
    }
    server.will(say({"ready": True}))
    async with serve(Settings(database_url=settings.database_url, jobs=0, **given)) as make:  # type: ignore[arg-type]
        owner = make(people.owner)
        seen = await shown(owner)
        assert (seen["source"], seen["provider"], seen["model"]) == ("server", "anthropic", "claude")
        assert (seen["base_url"], seen["api_key_set"], seen["api_key_hint"]) == (None, True, None)
        assert (await check(owner))["success"] is True
        assert KEY in server.seen[0].raw.decode()
        assert (await put(owner, provider="none", model=None))["source"] == "organization"
        assert (await check(owner))["error"] == "no model is set"
        assert "language_engine" not in await smart_import(owner, "Import into leads")
        assert (await shown(make(people.stranger)))["source"] == "server"
    assert KEY not in "".join(capfd.readouterr())
    assert not (settings.data_dir / "secret.key").exists()
    with pytest.raises(ValueError, match="model_name"):
        Settings(model_provider="openai")


async def test_without_a_place_for_the_secret(settings: Settings, people: People) -> None:
    blocked = settings.data_dir / "file"
    blocked.write_text("x")
    async with serve(settings.model_copy(update={"data_dir": blocked})) as make:
        refused = await put(make(people.owner), 503, api_key=KEY)
        assert refused["detail"] == "No secret key: the server cannot read or make its secret.key; see its log"
        await put(make(people.owner))


def test_settings_reach_worker_processes(tmp_path: Path) -> None:
    given = Settings(
        database_url="postgresql://x",
        secret_key="s" * 20,
        model_provider="openai",
        model_name="m",  # type: ignore[arg-type]
        model_api_key=KEY,
        storage_options={"a": "b"},
        data_dir=tmp_path,  # type: ignore[arg-type]
    )
    assert pickle.loads(pickle.dumps(given)) == given
    assert KEY not in repr(given)
    assert KEY not in str(given.model_dump())


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(load_secret, [tmp_path / "data"] * 32))
    assert len(found) == 1
    made = tmp_path / "data" / "secret.key"
    assert [each.name for each in made.parent.iterdir()] == ["secret.key"]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert load_secret(tmp_path / "data") in found
    made.write_text("short")
    with pytest.raises(UnavailableError, match="No secret key"):
        load_secret(tmp_path / "data")


def test_encryption() -> None:
    box = SecretBox("a secret of some length")
    sealed = box.encrypt(KEY, "organization 1")
    assert KEY.encode() not in sealed
    assert sealed != box.encrypt(KEY, "organization 1")
    assert SecretBox("a secret of some length").decrypt(sealed, "organization 1") == KEY
    for other, context, data in (
        (SecretBox("another secret, as long"), "organization 1", sealed),
        (box, "organization 2", sealed),
        (box, "organization 1", sealed[:-1]),
        (box, "organization 1", b"\x02" + sealed[1:]),
        (box, "organization 1", b""),
    ):
        with pytest.raises(UnavailableError) as failed:
            other.decrypt(data, context)
        assert failed.value.details == "stored key cannot be read; set it again"


async def test_packages_that_are_missing_are_named(
    owner: httpx.AsyncClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without the extra `llm` refuses a provider, and says of older settings why they are not used."""
    await put(owner, base_url=server.url, api_key=KEY)
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "openai" else object())
    lacking = "the server lacks the packages that ask models (openai); its operator installs Atlas's extra llm: "
    refused = str((await put(owner, 400, base_url=server.url))["detail"])
    assert lacking in refused
    assert '".[server,llm]"' in refused
    assert (await shown(owner))["problem"].startswith(lacking)
    assert (await check(owner))["error"].startswith(lacking)
    assert server.seen == []
    # What needs no package can be set.
    assert (await put(owner, provider="anthropic", base_url=server.url, api_key=None))["problem"] is None
    assert (await put(owner, provider="none"))["problem"] is None
