"""Named servers with their keys on this machine, for the command line and the client.

`profiles.json` in the user's configuration folder has names and URLs. A key is in the system's keyring. Without a
keyring, as on most servers, the key is in `keys.json` in the same folder, which only its owner can read.
`ATLAS_CONFIG_DIR` names another folder. All functions raise ProfileError with the file and the reason.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from atlas.client.errors import ProfileError

SERVICE = "atlas"
Kept = Literal["keyring", "file", "none"]
PLACES = ("keyring", "file", "none")


@dataclass(frozen=True, slots=True)
class Profile:
    """A server. key_in: the place of its key; api_key: the key itself, only from `load`."""

    name: str
    url: str
    key_in: Kept
    is_default: bool
    api_key: str | None = None

    def __repr__(self) -> str:
        return f"Profile(name={self.name!r}, url={self.url!r}, key_in={self.key_in!r}, is_default={self.is_default})"


def folder() -> Path:
    """Returns the folder of the profiles."""
    given = os.environ.get("ATLAS_CONFIG_DIR")
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("atlas", appauthor=False)


def list() -> tuple[Profile, ...]:
    """Lists all profiles by name, without their keys."""
    stored = _read()
    return tuple(_profile(stored, name) for name in sorted(stored["profiles"]))


def default() -> str | None:
    """Returns the name of the profile to use when none is named: the default, or the only profile, or None."""
    stored = _read()
    chosen, names = stored.get("default"), [*stored["profiles"]]
    if chosen in names:
        return str(chosen)
    return names[0] if len(names) == 1 else None


def set_default(name: str) -> None:
    """Makes a profile the default."""
    stored = _known(name)
    stored["default"] = name
    _write("profiles.json", stored)


def load(name: str | None = None) -> Profile | None:
    """Returns a profile with its key. Without a name, returns the default profile, or None if there is none."""
    if name is None:
        name = default()
        if name is None:
            return None
    stored = _known(name)
    found = _profile(stored, name)
    return Profile(found.name, found.url, found.key_in, found.is_default, _key(found))


def save(name: str, url: str, api_key: str | None, *, make_default: bool = False) -> Profile:
    """Creates or replaces a profile. The first profile becomes the default. A key of None is not stored."""
    _check(name, url)
    stored = _read()
    if name in stored["profiles"]:
        _forget_key(_profile(stored, name))
    kept: Kept = "none" if api_key is None else _keep_key(name, api_key)
    stored["profiles"][name] = {"url": url.rstrip("/"), "key_in": kept}
    if make_default or not stored.get("default"):
        stored["default"] = name
    _write("profiles.json", stored)
    return _profile(stored, name)


def delete(name: str) -> None:
    """Deletes a profile and its key."""
    stored = _known(name)
    _forget_key(_profile(stored, name))
    del stored["profiles"][name]
    if stored.get("default") == name:
        stored["default"] = None
    _write("profiles.json", stored)


def _check(name: str, url: str) -> None:
    if not name or len(name) > 100 or not name.isprintable() or name != name.strip():
        raise ProfileError("Invalid profile", f"{name!r} is no name for one")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProfileError("Invalid profile", f"{url!r} is not the URL of a server, such as http://127.0.0.1:8000")


def _profile(stored: Mapping[str, Any], name: str) -> Profile:
    entry = stored["profiles"][name]
    return Profile(name, entry["url"], entry["key_in"], stored.get("default") == name)


def _known(name: str) -> dict[str, Any]:
    stored = _read()
    if name not in stored["profiles"]:
        names = ", ".join(sorted(stored["profiles"])) or "none"
        raise ProfileError("Profile not found", f"there is no {name!r}; there are: {names}")
    return stored


def _read() -> dict[str, Any]:
    stored = _load("profiles.json")
    entries = stored.setdefault("profiles", {})
    sound = isinstance(entries, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("url"), str)
        and entry.get("key_in") in ("keyring", "file", "none")
        for entry in entries.values()
    )
    if not sound:
        raise ProfileError("Profiles cannot be read", f"{folder() / 'profiles.json'} has another form than expected")
    return stored


def _load(file: str) -> dict[str, Any]:
    path = folder() / file
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ProfileError("Profiles cannot be read", f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise ProfileError("Profiles cannot be read", f"{path} is not a JSON object")
    return found


def _write(file: str, content: Mapping[str, Any]) -> None:
    """Replaces a file atomically. Other users cannot read the file, because mkstemp restricts access before the first
    write.
    """
    path = folder() / file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{file}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as target:
                json.dump(content, target, indent=2, ensure_ascii=False)
                target.write("\n")
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProfileError("Profiles cannot be written", f"{path}: {error}") from None


def _account(name: str) -> str:
    # Accounts differ by folder, so that a test or a second configuration does not remove another's key.
    return name if "ATLAS_CONFIG_DIR" not in os.environ else f"{folder()}:{name}"


def _has_keyring() -> bool:
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def _keep_key(name: str, api_key: str) -> Kept:
    import keyring
    from keyring.errors import KeyringError

    if _has_keyring():
        try:
            keyring.set_password(SERVICE, _account(name), api_key)
        except (KeyringError, OSError):
            pass  # Locked, or its service does not run. The file then takes the key.
        else:
            return "keyring"
    _write("keys.json", _load("keys.json") | {name: api_key})
    return "file"


def _key(profile: Profile) -> str | None:
    if profile.key_in == "none":
        return None
    if profile.key_in == "file":
        found = _load("keys.json").get(profile.name)
    else:
        import keyring
        from keyring.errors import KeyringError

        try:
            found = keyring.get_password(SERVICE, _account(profile.name))
        except (KeyringError, OSError) as error:
            raise ProfileError("The keyring does not answer", str(error)) from None
    if not isinstance(found, str):
        raise ProfileError("The profile's key is gone", f"save {profile.name!r} again")
    return found


def _forget_key(profile: Profile) -> None:
    if profile.key_in == "file":
        keys = _load("keys.json")
        if keys.pop(profile.name, None) is not None:
            _write("keys.json", keys)
    elif profile.key_in == "keyring":
        import contextlib

        import keyring
        from keyring.errors import KeyringError

        # A key that is gone already counts as removed.
        with contextlib.suppress(KeyringError, OSError):
            keyring.delete_password(SERVICE, _account(profile.name))
