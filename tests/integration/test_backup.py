"""Backup and restore by the commands: while rows arrive, into an empty folder, and refusals that change nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from psycopg import sql
from tests.conftest import open_folder
from tests.integration.test_server import ATLAS, Serving, stop_all

from atlas.cli.local_database import run_async
from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.kit.timestamps import MAX_MICROS
from atlas.timeseries.cold import mover

CSV = "Name;E-Mail;Paid\nAnn;ann@x.com;1.250,50\nBob;bob@x;20\nAnn;ann@x.com;1.250,50\n"


def atlas(*command: str, code: int = 0, **environment: str) -> Any:
    """What `atlas admin … --json` prints, or says."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")} | environment
    done = subprocess.run(
        [ATLAS, "admin", *command, "--json"], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Rows of each table and a checksum over them in order, computed otherwise than by backups."""
    tables = (
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'"
    )
    query = "SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")), '') FROM {} t"
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{table}": connection.execute(
                sql.SQL(query).format(sql.Identifier(schema, table))  # type: ignore[arg-type]
            ).fetchone()
            for schema, table in connection.execute(tables).fetchall()
        }  # type: ignore[return-value]


def rights(url: str) -> dict[str, tuple[str, set[str]]]:
    """Owner of each table and view of an organization, and who may do what with it."""
    query = """SELECT c.oid::regclass::text, relowner::regrole::text, coalesce(relacl::text[], '{}') FROM pg_class c
               JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname ~ '^org_' AND relkind IN ('r', 'v')
               UNION SELECT nspname, nspowner::regrole::text, nspacl::text[] FROM pg_namespace
               WHERE nspname ~ '^org_'"""
    with psycopg.connect(url) as connection:
        found = connection.execute(query.encode()).fetchall()
    return {name: (owner, set(granted)) for name, owner, granted in found}


def fill(client: httpx.Client) -> None:
    """Two datasets, one of them shared, and a table with an issue of each kind."""
    for name, keys in (("prices", ["note"]), ("arriving", [])):
        assert client.post("/api/datasets/", json={"name": name, "keys": keys}).status_code == 201
    rows = [
        {"timestamp": f"2026-01-05T10:{n:02}:00Z", "values": {"open": n / 3, "note": f"ü{n}", "odd": [n, None]}}
        for n in range(60)
    ]
    assert client.post("/api/rows/bulk_insert/", json={"dataset": 1, "rows": rows}).status_code == 200
    assert client.post("/api/datasets/1/tags/", json={"tag_name": "public"}).status_code == 201
    files = {"file": ("members.csv", CSV.encode())}
    answer = client.post(
        "/api/v1/smart-import", files=files, data={"instruction": "Import into members, the email is the key"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success", answer.text
    asked = client.post("/api/v1/query", json={"prompt": "How many members are there?"})
    assert asked.json()["success"], asked.text


async def pack(url: str, dataset: int) -> int:
    """Packs all rows of a dataset; gives their number."""
    database = Database(url, pool_size=2, statement_timeout=60)
    await database.open()
    rows = await mover.pack_next(database, dataset, MAX_MICROS, 2**62)
    await database.close()
    return rows or 0


@pytest.fixture(scope="module")
def folders() -> Iterator[tuple[Path, Path]]:
    with open_folder() as root:
        for name in ("old", "new"):
            (root / name).mkdir(mode=0o755)
        yield root / "old", root / "new"
        for name in ("old", "new"):
            stop_all(root / name)


def insert_until(stop: threading.Event, client: httpx.Client, answers: list[int]) -> None:
    while not stop.is_set():
        body = {"dataset": 2, "rows": [{"timestamp": "2026-01-05", "values": {"n": n}} for n in range(500)]}
        answers.append(client.post("/api/rows/bulk_insert/", json=body).status_code)


def test_backup_while_rows_arrive_and_restore_into_an_empty_folder(folders: tuple[Path, Path]) -> None:
    old, new = folders
    file = old.parent / "atlas.zip"
    first = Serving(old, ATLAS_COLD_AFTER_DAYS="inf")
    first.ready()
    key = first.key()
    with httpx.Client(base_url=first.url, headers={"X-API-Key": key}, timeout=60) as client:
        fill(client)
        assert run_async(pack(EmbeddedPostgres(old / "data").url(), 1)) == 60
        other = atlas("key", "create", "--user", "carol", "--data-dir", str(old / "data"))["key"]
        stop, answers = threading.Event(), list[int]()
        writer = threading.Thread(target=insert_until, args=(stop, client, answers))
        writer.start()
        try:
            made = atlas("backup", str(file), "--verify", "--data-dir", str(old / "data"))
        finally:
            stop.set()
            writer.join()
        assert answers
        assert set(answers) == {200}
        assert made["verified"]
        assert "secret" in made["note"]
        assert file.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
        assert "exists" in atlas("backup", str(file), "--data-dir", str(old / "data"), code=1)
        assert "running" in atlas("restore", str(file), "--data-dir", str(old / "data"), code=1)
    first.stop()
    with EmbeddedPostgres(old / "data").serve() as url:
        before, before_rights = contents(url), rights(url)

    restored = atlas("restore", str(file), "--data-dir", str(new / "data"))
    assert restored["rows"] == made["rows"]
    with EmbeddedPostgres(new / "data").serve() as url:
        after, after_rights = contents(url), rights(url)
        with psycopg.connect(url) as connection:
            states = connection.execute(
                "SELECT s.row_count, coalesce(sum(b.row_count), 0)::bigint FROM atlas.dataset_state s"
                " LEFT JOIN atlas.row_blocks b USING (dataset_id) GROUP BY dataset_id, 1 ORDER BY dataset_id"
            ).fetchall()
    manifest = json.loads(zipfile.ZipFile(file).read("manifest.json"))
    assert {f"{t['schema']}.{t['name']}": t["rows"] for t in manifest["tables"]} == {
        name: rows for name, (rows, _) in after.items()
    }
    # The rollup of what arrives is made when that are enough rows, before or after the backup.
    assert after.keys() | {name for name in before if name.endswith("._rollup_2")} == before.keys()
    assert len(after_rights) >= 4
    assert after_rights.items() <= {**after_rights, **before_rights}.items()
    # These go on changing: what arrives, and what the server keeps of it.
    moving = {"dataset_2", "dataset_state", "row_blocks", "api_keys", "api_key_usage", "idempotency_keys"}
    moving |= {"rollups", "_rollup_2", "audit_log", "moments"}
    moving |= {name.split(".")[1] for name in after if name.startswith(("atlas_jobs.", "public."))} | {"key_usage"}
    for name in after:
        if name.split(".")[1] not in moving:
            assert after[name] == before[name], name
    arrived = next(rows for name, (rows, _) in after.items() if name.endswith(".dataset_2"))
    assert arrived % 500 == 0
    assert states[1] == (arrived, arrived)

    shutil.copyfile(old / "data" / "secret.key", new / "data" / "secret.key")
    second = Serving(new)
    second.ready()
    assert "atlas_live_sk_" not in second.log.read_text(encoding="utf-8")
    with httpx.Client(base_url=second.url, headers={"X-API-Key": key}, timeout=60) as client:
        assert client.get("/api/rows/", params={"dataset": 1}).json()["count"] == 60
        assert client.get("/api/v1/import-history").json()
        # As the user's own role, with the rights that the roles of the backup have.
        asked = client.post("/api/v1/sql", json={"sql": "SELECT count(*) AS n FROM members"}).json()
        assert asked["data_csv"].split() == ["n", "1"], asked
        assert client.post("/api/v1/sql", json={"sql": "SELECT max(open) AS m FROM prices"}).json()["success"]
        late = {"dataset": 1, "timestamp": "2026-01-05T12:00:00Z", "values": {"note": "ü7", "open": 9}}
        assert client.post("/api/rows/", json={**late, "values": {"open": 9}}).status_code == 400
        assert client.post("/api/rows/", json=late).status_code == 201
        newest = client.get("/api/rows/latest/", params={"dataset": 1, "by": "note"}).json()
        assert (newest["count"], newest["results"][57]["values"]) == (60, {"note": "ü7", "open": 9})
        assert client.delete("/api/rows/", params={"dataset": 1, "start": "2026-01-05T12:00:00Z"}).status_code == 200
        newest = client.get("/api/rows/latest/", params={"dataset": 1, "where": "note:ü7"}).json()
        assert newest["timestamp"] == "2026-01-05T10:07:00Z"
        more = {"dataset": 2, "rows": [{"timestamp": "2026-01-06", "values": {"n": 1, "fresh": "x"}}]}
        assert client.post("/api/rows/bulk_insert/", json=more).status_code == 200
        client.headers["X-API-Key"] = other
        assert client.get("/api/rows/", params={"dataset": 1}).status_code == 403
        assert client.post("/api/tags/acquire/", json={"tag_name": "public"}).status_code == 200
        assert client.get("/api/rows/", params={"dataset": 1}).json()["count"] == 60
        shared = client.post("/api/v1/sql", json={"sql": "SELECT count(*) AS n FROM prices"}).json()
        assert shared["data_csv"].split() == ["n", "60"], shared
    second.stop()


def test_a_restore_that_is_refused_changes_nothing(folders: tuple[Path, Path]) -> None:
    old, new = folders
    file, damaged, short, wrong = (old.parent / f"{name}.zip" for name in ("atlas", "damaged", "short", "wrong"))
    with EmbeddedPostgres(new / "data").serve() as url:
        before = contents(url)
        environment = {"ATLAS_DATABASE_URL": url}
        assert "has data" in atlas("restore", str(file), code=1, **environment)
        with psycopg.connect(url):
            assert "in use" in atlas("restore", str(file), "--force", code=1, **environment)
        data = file.read_bytes()
        middle = data.index(b"PGDMP") + 40_000
        damaged.write_bytes(data[:middle] + b"?" * 40 + data[middle + 40 :])
        short.write_bytes(data[: len(data) // 2])
        with zipfile.ZipFile(file) as good, zipfile.ZipFile(wrong, "w") as bad:
            manifest = json.loads(good.read("manifest.json"))
            next(table for table in manifest["tables"] if table["name"] == "_chunks_1")["checksum"] = "1"
            bad.writestr("manifest.json", json.dumps(manifest))
            bad.writestr("database.dump", good.read("database.dump"))
        for bad_file in (damaged, short, wrong):
            said = atlas("restore", str(bad_file), "--force", code=1, **environment)
            assert contents(url) == before, said
        assert "differs from the backup" in atlas("restore", str(wrong), "--force", code=1, **environment)
        restored = atlas("restore", str(file), "--force", **environment)
        assert restored["verified"]
        assert contents(url) != before


def test_a_user_that_is_no_superuser_may_restore(folders: tuple[Path, Path]) -> None:
    """As on a managed server: a role of its own that may create roles, and a database that it owns."""
    file = folders[0].parent / "atlas.zip"
    with open_folder() as folder, EmbeddedPostgres(folder).serve() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE managed LOGIN CREATEROLE PASSWORD 'for this test'")
            connection.execute("CREATE DATABASE managed OWNER managed")
        parts = urlsplit(url)
        own = urlunsplit(parts._replace(netloc="managed:for%20this%20test@", path="/managed"))
        assert atlas("restore", str(file), ATLAS_DATABASE_URL=own)["verified"]
        with psycopg.connect(own) as connection:
            role = connection.execute("SELECT schema_name || '_owner' FROM atlas.organizations").fetchone()
            assert role is not None
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role[0])))
            schema = role[0].removesuffix("_owner")
            assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "_hot_1")))
        again = file.with_name("again.zip")
        assert atlas("backup", str(again), ATLAS_DATABASE_URL=own)["rows"]
