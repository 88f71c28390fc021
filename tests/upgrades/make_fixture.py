"""Makes the fixture of an upgrade test: a database that an older Atlas filled, and what that Atlas answered.

    git worktree add /tmp/old COMMIT
    .venv/bin/python tests/upgrades/make_fixture.py /tmp/old/src tests/upgrades/COMMIT

Starts the server of the older sources on a PostgreSQL of its own, fills it over HTTP, records the answers to GET
requests, and writes COMMIT.sql.gz (statements of pg_dump) and COMMIT.json.gz. The data is made up here.
"""

from __future__ import annotations

import gzip
import http.server
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg

from atlas.db.embedded import EmbeddedPostgres
from atlas.db.postgres_programs import binary

SECRET = "a secret for tests alone"
MEMBERS = b"""Name;E-Mail;Joined;Paid
Ann;ann@x.com;31.01.2024;1.250,50
Bob;bob@x;28.02.2024;20,00
Cy;cy@x.com;01.03.2024;n/a
"""
MORE = b"""Name;E-Mail;Joined;Paid
Di;di@x.com;02.03.2024;3,00
Ann;ann@x.com;31.01.2024;1.250,50
Ann B.;ann@x.com;31.01.2024;7,00
"""
ORDERS = b"""order_no,customer,amount,sent
0017,ann@x.com,12.50,true
0018,di@x.com,0.10,false
0019,di@x.com,99999.99,true
"""
PACK = """
import asyncio, sys
from atlas.core.timestamps import MAX_MICROS
from atlas.store import compacting
from atlas.store.database import Database
async def main():
    database = Database(sys.argv[1], pool_size=2, statement_timeout=60)
    await database.open()
    assert await compacting.pack_next(database, 1, MAX_MICROS, 2**62) == 300
    await database.close()
asyncio.run(main())
"""
# Roles belong to the server, where those of an earlier run may be left.
ROLE = """DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT {role} TO CURRENT_USER;
"""
# What the test asks again. Times of now and what grows by asking stay out.
READS = (
    "/api/datasets/",
    "/api/datasets/1/",
    "/api/datasets/2/",
    "/api/datasets/3/",
    "/api/datasets/1/summary/",
    "/api/datasets/2/summary/",
    "/api/datasets/search/?unit=USD",
    "/api/datasets/1/tags/",
    "/api/tags/",
    "/api/columns/?dataset=1",
    "/api/columns/?dataset=2",
    "/api/rows/?dataset=1&limit=20",
    "/api/rows/?dataset=1&limit=90&offset=40&ordering=-timestamp",
    "/api/rows/?dataset=2",
    "/api/rows/latest/?dataset=1",
    "/api/rows/latest/?dataset=2",
    "/api/rows/aggregate/?dataset=1&bucket=1h&functions=min,max,sum,avg,count",
    "/api/rows/aggregate/?dataset=1&bucket=7m&functions=first,last",
    "/api/rows/bulk_download/?dataset=1&output=csv",
    "/api/rows/bulk_download/?dataset=2&output=json",
    "/api/rows/live/?dataset=1",
    "/api/v1/tables",
    "/api/v1/tables/members/schema",
    "/api/v1/tables/members/rows",
    "/api/v1/tables/orders/rows",
    "/api/v1/tables/members/stats",
    "/api/v1/tables/members/export",
    "/api/v1/tables/orders/export",
    "/api/v1/tables/members/rows/1/history",
    "/api/v1/import-history",
    "/api/v1/questions",
    "/api/v1/verified-questions",
    "/api/v1/glossary",
    "/api/v1/webhooks/secret",
    "/api/v1/webhooks/deliveries",
    "/api/v1/settings/model",
    "/api/v1/me",
    "/api/v1/keys",
    "/api/v1/admin/organizations",
    "/api/v1/admin/users",
    "/api/v1/admin/keys",
    "/api/v1/admin/tags",
)
READS_OF_IMPORT = ("/api/v1/import-history/{}", "/api/v1/import/{}/issues", "/api/v1/import/{}/export")
QUERIES = (
    "SELECT name, paid FROM members ORDER BY name",
    "SELECT count(*) AS n, sum(open) AS total, min(volume) AS least FROM prices",
    "SELECT m.name, sum(o.amount) AS spent FROM orders o JOIN members m ON m.email = o.customer GROUP BY 1 ORDER BY 1",
)


class Received(http.server.BaseHTTPRequestHandler):
    """A receiver of webhooks that takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def made(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def wait(check: Callable[[], object]) -> None:
    """Waits until `check()` is true. Raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(inspect.getsource(check))
        time.sleep(0.2)


def healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def fill_datasets(client: httpx.Client, pack: Callable[[], object]) -> None:
    """1: rows of which 300 are packed; 2: odd values; 3: empty, but for its columns."""
    fields = {"name": "prices", "description": "By the minute", "metadata": {"unit": "USD", "source": "made up"}}
    made(client.post("/api/datasets/", json=fields))
    rows = [
        {
            "timestamp": f"2026-01-{5 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00.{n % 1000:03}Z",
            "values": {"open": round(100 + n % 97 / 4, 2), "volume": n * 7 % 1000, "side": "buy" if n % 3 else "sell"},
        }
        for n in range(380)
    ]
    made(client.post("/api/rows/bulk_insert/", json={"dataset": 1, "rows": rows[:300]}))
    pack()
    made(client.post("/api/rows/bulk_insert/", json={"dataset": 1, "rows": rows[300:]}))
    made(client.post("/api/datasets/", json={"name": "odd"}))
    odd = [
        {"timestamp": "1969-12-31T23:59:59.999999Z", "values": {"a": 1, "b": None, "long": 12345678901234567890}},
        {"timestamp": "2026-01-05T10:00:00Z", "values": {"a": "text", "list": [1, {"deep": None}], "ü é": "naïve"}},
        {"timestamp": "2026-01-05T10:00:00Z", "values": {"a": 2.5, "flag": True, "b": ""}},
        {"timestamp": "2026-01-04T10:00:00+02:00", "values": {}},
    ]
    made(client.post("/api/rows/bulk_insert/", json={"dataset": 2, "rows": odd}, headers={"Idempotency-Key": "odd-1"}))
    made(client.post("/api/datasets/", json={"name": "empty"}))
    made(client.post("/api/columns/", json={"dataset": 3, "name": "level", "dtype": "int"}))
    made(client.post("/api/datasets/1/tags/", json={"tag_name": "public"}))
    made(client.post("/api/v1/admin/tags", json={"name": "premium", "secret": "open sesame"}))


def fill_tables(client: httpx.Client, port: int) -> list[str]:
    """Imports with issues of each kind, one decided; one that ran later and told a webhook; one undone."""

    def send(name: str, content: bytes, instruction: str, **fields: str) -> str:
        data = {"instruction": instruction, **fields}
        answer = client.post("/api/v1/smart-import", files={"file": (name, content)}, data=data)
        return str(made(answer)["import_id"])

    ids = [send("members.csv", MEMBERS, "Import into my members table, the email is the key")]
    ids.append(send("more.csv", MORE, "Import into members and flag duplicates"))
    url = f"http://127.0.0.1:{port}/hook"
    ids.append(send("orders.csv", ORDERS, "Import into orders", callback_url=url, callback_metadata='{"job": 7}'))
    wait(lambda: made(client.get(f"/api/v1/import/{ids[2]}"))["status"] == "success")
    ids.append(send("again.csv", ORDERS.replace(b"00", b"10"), "Import into orders"))
    made(client.post(f"/api/v1/import/{ids[3]}/undo"))
    change = {"mode": "condition", "condition": "name = 'Ann'", "updates": {"name": "Ann S."}}
    made(client.post("/api/v1/tables/members/update", json=change))
    made(client.delete("/api/v1/tables/orders/rows/2"))
    wait(lambda: made(client.get("/api/v1/webhooks/deliveries"))["deliveries"])
    return ids


def fill_questions(client: httpx.Client) -> None:
    first = made(client.post("/api/v1/query", json={"prompt": "How many members are there?"}))
    follow = {"prompt": "Show their names", "thread_id": first["thread_id"]}
    made(client.post("/api/v1/query", json=follow))
    made(client.post(f"/api/v1/questions/{first['question_id']}/rating", json={"rating": "up"}))
    sql = "SELECT sum(amount) AS revenue FROM orders WHERE sent"
    made(client.post("/api/v1/verified-questions", json={"question": "What is our revenue?", "sql": sql}))
    made(client.post("/api/v1/glossary", json={"term": "big orders", "meaning": "amount > 50", "table_name": "orders"}))
    model = {
        "provider": "openai",
        "model": "m",
        "base_url": "https://models.example.com/v1",
        "api_key": "sk-1234567890",
    }
    made(client.put("/api/v1/settings/model", json=model))


def fill(client: httpx.Client, port: int, pack: Callable[[], object]) -> dict[str, Any]:
    """Fills the database; gives the keys and the ids of imports. port: of the receiver of webhooks."""
    fill_datasets(client, pack)
    ids = fill_tables(client, port)
    fill_questions(client)
    made(client.post("/api/v1/admin/users", json={"name": "bea"}))
    bea = made(client.post("/api/v1/admin/keys", json={"user": "bea", "name": "of bea"}))["key"]
    revoked = made(client.post("/api/v1/keys", json={"name": "revoked"}))
    made(client.delete(f"/api/v1/keys/{revoked['id']}"))
    expired = made(client.post("/api/v1/keys", json={"name": "dated", "expires_at": "2200-01-01"}))["key"]
    return {"imports": ids, "keys": {"other": bea, "revoked": revoked["key"], "dated": expired}}


def record(client: httpx.Client, ids: list[str]) -> dict[str, Any]:
    """Answers by path: JSON as it is, CSV as text."""
    paths = [*READS, *(path.format(one) for one in ids for path in READS_OF_IMPORT)]
    answers: dict[str, Any] = {}
    for path in paths:
        answer = client.get(path)
        assert answer.is_success, f"{path}: {answer.text}"
        is_json = answer.headers["content-type"].startswith("application/json") and "bulk_download" not in path
        answers[path] = answer.json() if is_json else answer.text
    return answers


def dump(url: str, target: Path) -> None:
    """Writes the database as statements that any client can run; roles first."""
    with psycopg.connect(url) as connection:
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^org_' ORDER BY 1").fetchall()
    options = ["--inserts", "--rows-per-insert=200", "--exclude-schema=pg_catalog"]
    command = [binary("pg_dump"), *options, f"--dbname={url}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # psql's own commands, and what newer programs set on older servers.
    text = re.sub(r"^(\\.*|SET transaction_timeout.*|--.*|)\n", "", text, flags=re.MULTILINE)
    made_roles = "".join(ROLE.format(role=role) for (role,) in roles)
    write(target, made_roles + text)


def write(target: Path, text: str) -> None:
    """Writes a compressed file whose bytes depend on the text alone."""
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write(text.encode())


def use(server: subprocess.Popen[str], port: int, hooks: int, url: str, environment: dict[str, str]) -> dict[str, Any]:
    """Fills the server that starts, packs rows of its first dataset, and records what it answers then."""
    assert server.stderr is not None
    said = ""
    while "Atlas: http" not in said:
        said += (line := server.stderr.readline())
        assert line, said
    threading.Thread(target=server.stderr.read, daemon=True).start()
    found = re.search(r"atlas_live_sk_\w+", said)
    assert found, said
    # The name that links have in the tests, too.
    headers = {"X-API-Key": found[0], "Host": "atlas.test"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        wait(lambda: healthy(client))
        pack = [sys.executable, "-c", PACK, url]
        told = fill(client, hooks, lambda: subprocess.run(pack, env=environment, check=True))
        told["keys"]["admin"] = found[0]
        # The background work of what was written is done by then.
        time.sleep(5)
        told["answers"] = record(client, told["imports"])
        told["queries"] = {sql: made(client.post("/api/v1/sql", json={"sql": sql}))["data_csv"] for sql in QUERIES}
    return told


def main(source: str, target: Path) -> None:
    hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Received)
    threading.Thread(target=hooks.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(Path(name) / "data").serve() as url:
        Path(name).chmod(0o755)
        port = int(os.environ.get("PORT", "21501"))
        environment = {
            **os.environ,
            "PYTHONPATH": source,
            "ATLAS_DATABASE_URL": url,
            "ATLAS_SECRET_KEY": SECRET,
            "ATLAS_WEBHOOK_LOOPBACK": "true",
            "ATLAS_COLD_AFTER_DAYS": "inf",
            "ATLAS_DATA_DIR": name,
        }
        start = [sys.executable, "-c", "from atlas.cli.main import main; main()", "serve", "--port", str(port)]
        with subprocess.Popen(start, env=environment, stderr=subprocess.PIPE, text=True) as server:
            try:
                told = use(server, port, hooks.server_port, url, environment)
            finally:
                server.terminate()
        dump(url, target.with_suffix(".sql.gz"))
    write(target.with_suffix(".json.gz"), json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
