"""Profiles: kept, found and removed, with a keyring and without; what is broken is told plainly."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from atlas.client import profiles
from atlas.client._connection import DEFAULT_URL, server
from atlas.client.errors import AtlasClientError, ProfileError

URL = "http://127.0.0.1:8000"


class Ring(KeyringBackend):
    """A keyring in memory, which may be locked. It has no priority, or others would take it for the system's."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATLAS_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_nothing_is_there_at_first(home: Path) -> None:
    assert profiles.list() == ()
    assert profiles.default() is None
    assert profiles.load() is None
    assert not home.exists()


@pytest.mark.usefixtures("no_ring")
def test_without_a_keyring_keys_are_in_a_file_of_ones_own(home: Path) -> None:
    made = profiles.save("local", f"{URL}/", "atlas_live_sk_1")
    assert (made.url, made.key_in, made.is_default) == (URL, "file", True)
    profiles.save("far", "https://atlas.example.com", "atlas_live_sk_2")
    assert [(p.name, p.is_default, p.api_key) for p in profiles.list()] == [("far", False, None), ("local", True, None)]
    loaded = profiles.load()
    assert loaded is not None
    assert (loaded.name, loaded.api_key) == ("local", "atlas_live_sk_1")
    assert "atlas_live_sk" not in repr(loaded)
    assert "atlas_live_sk" not in (home / "profiles.json").read_text()
    if os.name != "nt":
        assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}
    profiles.set_default("far")
    assert profiles.default() == "far"
    profiles.delete("far")
    # The only one that is left counts without being chosen.
    assert profiles.default() == "local"
    assert "atlas_live_sk_2" not in (home / "keys.json").read_text()


@pytest.mark.usefixtures("home")
def test_the_keyring_keeps_keys(ring: Ring, home: Path) -> None:
    assert profiles.save("local", URL, "atlas_live_sk_1").key_in == "keyring"
    assert list(ring.kept.values()) == ["atlas_live_sk_1"]
    assert not (home / "keys.json").exists()
    loaded = profiles.load("local")
    assert loaded is not None
    assert loaded.api_key == "atlas_live_sk_1"
    # A locked keyring takes no new key; the old one must not stay behind as if it counted.
    ring.locked = True
    assert profiles.save("local", URL, "atlas_live_sk_2").key_in == "file"
    assert not ring.kept
    profiles.delete("local")
    assert profiles.list() == ()


@pytest.mark.usefixtures("home")
def test_a_key_that_left_the_keyring_is_missed(ring: Ring) -> None:
    profiles.save("local", URL, "atlas_live_sk_1")
    ring.kept.clear()
    with pytest.raises(ProfileError, match="save 'local' again"):
        profiles.load("local")
    profiles.delete("local")


@pytest.mark.usefixtures("no_ring")
@pytest.mark.parametrize("content", ["{", "[]", '{"profiles": []}', '{"profiles": {"a": {"url": 5}}}'])
def test_a_broken_file_is_named(home: Path, content: str) -> None:
    home.mkdir()
    (home / "profiles.json").write_text(content)
    with pytest.raises(ProfileError, match=r"profiles\.json"):
        profiles.list()
    with pytest.raises(ProfileError):
        profiles.save("a", URL, None)
    assert (home / "profiles.json").read_text() == content


@pytest.mark.usefixtures("home", "no_ring")
def test_wrong_names_and_urls() -> None:
    for name, url in (
        ("", URL),
        (" a", URL),
        ("a\n", URL),
        ("a", "127.0.0.1:8000"),
        ("a", "ftp://x"),
        ("a", "http://"),
    ):
        with pytest.raises(ProfileError, match="Invalid profile"):
            profiles.save(name, url, None)
    profiles.save("a", URL, None)
    assert profiles.load("a") is not None
    for action in (profiles.load, profiles.delete, profiles.set_default):
        with pytest.raises(ProfileError, match="there are: a"):
            action("b")


@pytest.mark.usefixtures("home", "no_ring")
def test_which_server_and_key_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ATLAS_URL", "ATLAS_API_KEY", "ATLAS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    far = "https://atlas.example.com"
    assert server(None, None, None) == (DEFAULT_URL, None)
    profiles.save("far", far, "far-key")
    assert server(None, None, None) == (far, "far-key")
    assert server(f"{far}/", None, None) == (far, "far-key")
    # A key goes to its own server only.
    assert server(URL, None, None) == (URL, None)
    assert server(URL, None, "far") == (URL, None)
    monkeypatch.setenv("ATLAS_URL", URL)
    assert server(None, None, None) == (URL, None)
    monkeypatch.setenv("ATLAS_API_KEY", "variable-key")
    assert server(None, None, None) == (URL, "variable-key")
    # A profile that is named counts for more than variables, and what is given for more than both.
    assert server(None, None, "far") == (far, "far-key")
    assert server("http://given", "given-key", "far") == ("http://given", "given-key")
    monkeypatch.delenv("ATLAS_URL")
    monkeypatch.delenv("ATLAS_API_KEY")
    profiles.save("local", URL, "local-key")
    monkeypatch.setenv("ATLAS_PROFILE", "local")
    assert server(None, None, None) == (URL, "local-key")
    for url in ("nothing", "ftp://x", "http://"):
        with pytest.raises(AtlasClientError, match="Invalid URL"):
            server(url, "key", None)
    for key in ("a b", "a\nX-Evil: 1", "ключ"):
        with pytest.raises(AtlasClientError, match="Invalid API key") as failed:
            server(URL, key, None)
        assert key not in str(failed.value)
