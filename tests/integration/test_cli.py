"""The commands for organizations, users and keys, on a database. In this process: `test_server.py` starts them."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from typer.testing import CliRunner

from atlas.cli.main import app


def atlas(database_url: str, *command: str, code: int = 0) -> Any:
    """What `atlas … --json` prints."""
    done = CliRunner().invoke(app, [*command, "--json"], env={"ATLAS_DATABASE_URL": database_url})
    assert done.exit_code == code, done.stderr
    assert "Traceback" not in done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_organizations_users_and_keys_from_first_to_last(database_url: str) -> None:
    assert atlas(database_url, "admin", "org", "create", "acme")["name"] == "acme"
    assert atlas(database_url, "admin", "user", "create", "ann", "--org", "acme")["name"] == "ann"
    assert [org["name"] for org in atlas(database_url, "admin", "org", "list")] == ["acme"]
    assert [user["name"] for user in atlas(database_url, "admin", "user", "list", "--org", "acme")] == ["ann"]
    made = atlas(database_url, "admin", "key", "create", "--org", "acme", "--user", "ann", "--name", "laptop")
    rotated = atlas(database_url, "admin", "key", "rotate", str(made["id"]))
    assert rotated["key"] != made["key"]
    listed = {key["id"]: key for key in atlas(database_url, "admin", "key", "list", "--org", "acme", "--user", "ann")}
    assert listed[made["id"]]["revoked_at"] is not None
    assert listed[rotated["id"]]["revoked_at"] is None
    assert listed[rotated["id"]]["name"] == "laptop"
    assert all(made["key"] not in str(key) and rotated["key"] not in str(key) for key in listed.values())
    atlas(database_url, "admin", "key", "revoke", str(rotated["id"]))
    assert all(key["revoked_at"] for key in atlas(database_url, "admin", "key", "list"))
    assert "999" in atlas(database_url, "admin", "key", "rotate", "999", code=1)


def test_keys_are_stored_as_hashes_only(database_url: str) -> None:
    key = atlas(database_url, "admin", "key", "create", "--org", "acme", "--user", "ann")["key"]
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT k::text FROM atlas.api_keys k").fetchall()
    secret = key.removeprefix("atlas_live_sk_")
    assert len(stored) == 1
    assert secret not in stored[0][0]
    assert secret[12:] not in stored[0][0]


def test_users_get_roles(database_url: str) -> None:
    made = atlas(database_url, "admin", "user", "create", "ann", "--role", "operator")
    assert made["role"] == "operator"
    atlas(database_url, "admin", "key", "create", "--user", "ann")
    assert "Last operator" in atlas(database_url, "admin", "user", "role", "ann", "member", code=1)
    atlas(database_url, "admin", "user", "create", "bob")
    assert atlas(database_url, "admin", "user", "role", "bob", "admin")["role"] == "admin"
    assert {user["name"]: user["role"] for user in atlas(database_url, "admin", "user", "list")} == {
        "ann": "operator",
        "bob": "admin",
    }
    assert "owner" in atlas(database_url, "admin", "user", "role", "bob", "owner", code=2)
    assert "nobody" in atlas(database_url, "admin", "user", "role", "nobody", "admin", code=1)
