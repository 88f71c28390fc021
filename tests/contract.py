"""What tests of the HTTP contract share: a server, data and keys of every kind, and requests that meet them.

Schemathesis makes requests from the OpenAPI document; `World.fill` puts ids in most of them that exist, and
`World.mend` makes again what a request took away, so that operations are reached and not only refused.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import uvicorn

from atlas.accounts.local_administration import KeyService
from atlas.cli.local_database import run_async
from atlas.db.database import Database
from atlas.settings import Settings
from tests.conftest import application

KINDS = ("none", "revoked", "expired", "member", "holder", "stranger", "admin", "operator")
# Those that nothing is answered to.
DEAD = {"none", "revoked", "expired"}
# The organization, user and role behind each kind of key. The member owns the data. A holder reads a dataset of another
# organization by a tag, a stranger does not.
_USERS = {
    "revoked": ("acme", "owner", "member"),
    "expired": ("acme", "owner", "member"),
    "member": ("acme", "owner", "member"),
    "holder": ("other", "holder", "member"),
    "stranger": ("third", "stranger", "member"),
    "admin": ("acme", "boss", "admin"),
    "operator": ("acme", "chief", "operator"),
    "set-up": ("acme", "owner", "member"),
    "keeper": ("acme", "keeper", "operator"),
    "spare": ("acme", "spare", "member"),
    "owner ended": ("acme", "owner", "member"),
    "holder ended": ("other", "holder", "member"),
}
CONTACTS = b"""Full Name,Email Address,Age,Joined
Ann Smith,ann@x.com,30,2024-01-05
Bob,bob@x.com,n/a,2024-02-01
Ann Smith,ann@x.com,30,2024-01-05
Carl,carl,41,2024-03-01
"""
ROWS = [
    {"timestamp": f"2025-12-16T10:00:{second:02}Z", "values": {"a": second, "b": second / 2, "c": "x", "d": [1]}}
    for second in range(20)
]
# What operations take away, and what makes it again.
_LOST = {
    "DELETE /api/datasets/{dataset_id}/": "dataset",
    "DELETE /api/rows/": "dataset",
    "DELETE /api/datasets/{dataset_id}/tags/{tag_id}/": "dataset",
    "DELETE /api/v1/tables/{table_name}": "table",
    "POST /api/v1/import/{import_id}/undo": "table",
    "POST /api/v1/import/{import_id}/redo": "table",
    "POST /api/v1/import/{import_id}/issues/correct": "table",
    "DELETE /api/v1/tables/{table_name}/rows/{row}": "table",
    "DELETE /api/v1/verified-questions/{verified_id}": "questions",
    "DELETE /api/v1/glossary/{term_id}": "questions",
    "DELETE /api/v1/saved-queries/{query_id}": "questions",
    "DELETE /api/v1/admin/tags/{tag_id}": "tag",
    "DELETE /api/v1/keys/{key_id}": "keys",
    "POST /api/v1/keys/{key_id}/rotate": "keys",
    "PATCH /api/v1/admin/users/{user_id}": "keys",
    "POST /api/v1/admin/users/{user_id}/disable": "keys",
    "DELETE /api/v1/admin/keys/{key_id}": "keys",
    "POST /api/v1/admin/jobs/{job_id}/cancel": "delivery",
}
# Bodies, or members of bodies, that lead somewhere.
_BODIES: dict[str, dict[str, Any]] = {
    "/api/datasets/": {"columns": []},
    "/api/rows/": {"dataset": "dataset", "timestamp": "2025-12-16T11:00:00Z", "values": {"a": 1}},
    "/api/rows/bulk_insert/": {"dataset": "dataset", "rows": ROWS[:2]},
    "/api/rows/preview/": {"dataset": "dataset", "rows": ROWS[:2]},
    "/api/columns/": {"dataset": "dataset"},
    "/api/access/check/": {"dataset_id": "dataset"},
    "/api/tags/acquire/": {"tag_name": "public", "secret": None},
    "/api/datasets/{dataset_id}/tags/": {"tag_name": "public", "tag_id": None},
    "/api/v1/smart-import": {"file": CONTACTS, "instruction": "Import into leads", "callback_url": "", "import_id": ""},
    "/api/v1/smart-import/preview": {"file": CONTACTS, "instruction": "Import into leads"},
    "/api/v1/tables/{table_name}/update": {"mode": "condition", "condition": "age = 30", "updates": {"age": 31}},
    "/api/v1/tables/{table_name}/update/file": {"file": b"age,joined\n30,2024-01-05\n", "key_columns": "age"},
    "/api/v1/tables/{table_name}/rows": {"values": {"email_address": "new@x.com"}},
    "/api/v1/tables/{table_name}/rows/{row}": {"values": {"age": 31}},
    "/api/v1/query": {"prompt": "How many leads are there?", "table_name": None},
    "/api/v1/generate-sql": {"prompt": "How many leads are there?", "table_hints": []},
    "/api/v1/sql": {"sql": "SELECT * FROM leads"},
    "/api/v1/sql/export": {"sql": "SELECT * FROM leads"},
    "/api/v1/verified-questions": {"sql": "SELECT count(*) FROM leads"},
    "/api/v1/verified-questions/{verified_id}": {"sql": "SELECT count(*) FROM leads"},
    "/api/v1/smart-data-instruction": {
        "intent": "insert",
        "entities": [{"entity_type": "note", "data": {"text": "x"}}],
    },
    "/api/v1/admin/keys": {"user": "spare"},
}


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The URL of a server in a thread of this process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(application(settings), port=port, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def make_keys(database_url: str) -> dict[str, dict[str, Any]]:
    """A key (`key`, `id`, `user_id`, `role`) of each kind, one to set things up with, and some that may be ended."""
    made: dict[str, dict[str, Any]] = run_async(_make_keys(database_url))
    return made


async def _make_keys(database_url: str) -> dict[str, dict[str, Any]]:
    database = Database(database_url, pool_size=2, statement_timeout=60)
    await database.open()
    try:
        keys, found = KeyService(database), {}
        for name, (organization, user, role) in _USERS.items():
            ends = datetime.now(UTC) - timedelta(seconds=1) if name == "expired" else None
            made = await keys.create_key(organization, user, name, ends)
            await keys.set_role(organization, user, role)
            users = await keys.users(organization)
            user_id = next(one.id for one in users if one.name == user)
            found[name] = {"key": made.key, "id": made.id, "user_id": user_id, "role": role}
        await keys.revoke_key(found["revoked"]["id"])
        return found
    finally:
        await database.close()


class World:
    """Data of an organization, and a key of one kind that stays good, or bad, whatever requests do."""

    def __init__(self, url: str, database_url: str, kind: str, keys: dict[str, dict[str, Any]]) -> None:
        self.url, self.kind = url, kind
        self.key: str | None = None if kind == "none" else keys[kind]["key"]
        self.statuses: dict[str, Counter[int]] = {}
        self._database_url, self._keys = database_url, keys
        # Which requests are filled is the same in every run; words of terms must not be.
        self._random, self._words = random.Random(1), random.Random()
        ended = {"member": "owner ended", "holder": "holder ended"}.get(kind, "spare")
        self._ids: dict[str, Any] = {
            "row": 1,
            "issue_type": "duplicates",
            "job_id": 1,
            "key_id": keys[ended]["id"],
            "user_id": keys["spare"]["user_id"],
        }
        self._owner = httpx.Client(base_url=url, timeout=60, headers={"X-API-Key": keys["set-up"]["key"]})
        for what in ("tag", "dataset", "table", "delivery", "questions"):
            self.make(what)
        if kind in ("holder", "stranger"):
            self._make_own_table()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._owner.close()

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"X-API-Key": self.key}

    def make(self, what: str) -> None:
        """Makes a thing, its predecessor being gone or not."""
        getattr(self, f"_make_{what}")()

    def fill(self, case: Any) -> None:
        """Puts what exists into most of the places of a request that name something."""
        if case.path_parameters:
            for name in case.path_parameters:
                if name in self._ids and self._often():
                    case.path_parameters[name] = str(self._ids[name])
        path = case.operation.path
        if any(parameter.name == "If-None-Match" for parameter in case.operation.headers) and not self._often():
            case.headers["If-None-Match"] = "*"
        for name in ("dataset", "confirm", "table_name", "import_id"):
            parameters = {parameter.name for parameter in case.operation.query}
            if name in parameters and self._often():
                case.query = {**(case.query or {}), name: str(self._ids["table_name" if name == "confirm" else name])}
        known = _BODIES.get(path)
        if known and isinstance(case.body, dict) and self._often():
            named = {
                key: self._ids[key] if value == "dataset" else value
                for key, value in known.items()
                if value != "dataset" or key in self._ids
            }
            if "dataset_id" in known:
                named["dataset_id"] = self._ids["dataset"]
            case.body = {**case.body, **named} if self._often() else named
            for name in [key for key, value in case.body.items() if value == ""]:
                del case.body[name]

    def mend(self, case: Any, status: int) -> None:
        """Counts an answer, and makes again what the request took away."""
        label = f"{case.method} {case.operation.path}"
        if case.method.upper() != case.operation.method.upper():
            # A method that the path does not have.
            label = "undeclared"
        self.statuses.setdefault(label, Counter())[status] += 1
        if status < 300 and label in _LOST:
            self.make(_LOST[label])

    def _often(self) -> bool:
        return self._random.random() < 0.7

    def _make_keys(self) -> None:
        """Lets the keys be as they were made, so that the one that a run began with stays the right one."""
        live = [known["id"] for name, known in self._keys.items() if name not in DEAD]
        with psycopg.connect(self._database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE atlas.api_keys SET revoked_at = NULL, expires_at = NULL WHERE id = ANY(%s)", [live]
            )
            for known in self._keys.values():
                parameters = [known["role"], known["user_id"]]
                connection.execute("UPDATE atlas.users SET role = %s WHERE id = %s", parameters)

    def _send(self, method: str, path: str, **options: Any) -> Any:
        response = self._owner.request(method, path, **options)
        assert response.status_code < 300, f"{path}: {response.text}"
        return response.json()

    def _make_tag(self) -> None:
        made = httpx.post(
            f"{self.url}/api/v1/admin/tags", json={"name": "gold"}, headers={"X-API-Key": self._keys["keeper"]["key"]}
        )
        assert made.status_code in (200, 400), made.text
        tags = self._send("GET", "/api/tags/")
        self._ids["tag_id"] = next(tag["id"] for tag in tags if tag["name"] == "gold")

    def _make_dataset(self) -> None:
        made = self._send("POST", "/api/datasets/", json={"name": "prices", "metadata": {"source": "x"}})
        self._ids["dataset"] = self._ids["dataset_id"] = made["id"]
        self._send("POST", "/api/rows/bulk_insert/", json={"dataset": made["id"], "rows": ROWS})
        for tag in ("public", "gold"):
            self._send("POST", f"/api/datasets/{made['id']}/tags/", json={"tag_name": tag})
        if self.kind == "holder":
            acquired = httpx.post(f"{self.url}/api/tags/acquire/", headers=self.headers, json={"tag_name": "public"})
            assert acquired.status_code == 200, acquired.text

    def _make_table(self) -> None:
        form = {"instruction": "Import this into my leads table, email is the key"}
        done = self._send("POST", "/api/v1/smart-import", data=form, files={"file": ("contacts.csv", CONTACTS)})
        self._ids["import_id"], self._ids["table_name"] = done["import_id"], done["table_name"]

    def _make_own_table(self) -> None:
        """Gives another organization a table of the same name, which no drawn request may happen to do."""
        form = {"instruction": "Import this into my leads table, email is the key"}
        files = {"file": ("contacts.csv", CONTACTS)}
        url = f"{self.url}/api/v1/smart-import"
        httpx.post(url, data=form, files=files, headers={"X-API-Key": self.key or ""}, timeout=60).raise_for_status()

    def _make_delivery(self) -> None:
        form = {"instruction": "Import into later", "callback_url": f"{self.url}/health"}
        self._send("POST", "/api/v1/smart-import", data=form, files={"file": ("contacts.csv", CONTACTS)})
        for _ in range(200):
            rows = self._send("GET", "/api/v1/webhooks/deliveries")["deliveries"]
            if rows:
                self._ids["delivery_id"] = rows[0]["id"]
                break
            time.sleep(0.1)

    def _make_questions(self) -> None:
        asked = self._send("POST", "/api/v1/query", json={"prompt": "How many leads are there?"})
        self._ids["question_id"] = asked["question_id"]
        word = "".join(self._words.choices("bcdfghjklmnpqrstvwxz", k=12))
        verified = self._send(
            "POST",
            "/api/v1/verified-questions",
            json={"question": f"How many {word}?", "sql": "SELECT count(*) FROM leads"},
        )
        term = self._send("POST", "/api/v1/glossary", json={"term": word, "meaning": "a lead"})
        saved = self._send("POST", "/api/v1/saved-queries", json={"name": word, "sql": "SELECT 1 AS one"})
        self._ids["query_id"] = saved["saved_query"]["id"]
        self._ids["verified_id"], self._ids["term_id"] = verified["verified_question"]["id"], term["term"]["id"]
