"""A URL with several hosts works in both of libpq's forms. A pooler that shares sessions is refused at the start."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.conftest import with_database
from tests.integration.test_server import free_port

from atlas.db.addresses import one_host, refuse_pooler
from atlas.db.database import Database


@pytest.mark.parametrize("form", ["hosts", "parameters"])
def test_a_url_with_several_hosts_is_migrated(postgres_url: str, form: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE several_{form}".encode())
    found = conninfo_to_dict(with_database(postgres_url, f"several_{form}"))
    host, port, user = quote(str(found["host"]), safe=""), found.get("port") or 5432, found["user"]
    password = f":{quote(str(found['password']), safe='')}" if found.get("password") else ""
    if form == "hosts":
        places = f"{user}{password}@127.0.0.1:1,{host}:{port}/several_hosts?target_session_attrs=read-write"
    else:
        places = f"{user}{password}@/several_parameters?host=127.0.0.1,{host}&port=1,{port}"
    database = Database(f"postgresql://{places}", pool_size=2, statement_timeout=10)
    database.migrate()
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) > 20 FROM public._yoyo_migration").fetchone() == (True,)
        assert "," not in one_host(database.url, connection)


def test_sessions_of_its_own_are_taken(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        refuse_pooler(postgres_url, connection)


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="needs pgbouncer")
@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
def test_a_pooler_that_shares_sessions_is_refused(postgres_url: str, tmp_path: Path, mode: str) -> None:
    found = conninfo_to_dict(postgres_url)
    port, owner = free_port(), Path(str(found["host"])).owner() if str(found["host"]).startswith("/") else "nobody"
    places = " ".join(f"{name}={found[name]}" for name in ("host", "port", "user", "password") if found.get(name))
    (tmp_path / "p.ini").write_text(
        f"[databases]\n* = {places}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"auth_type = any\npool_mode = {mode}\nunix_socket_dir =\nlogfile = {tmp_path}/log\npidfile = {tmp_path}/pid\n"
        f"ignore_startup_parameters = extra_float_digits\nuser = {owner}\n"
    )
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    process = subprocess.Popen(["pgbouncer", str(tmp_path / "p.ini")], stderr=subprocess.DEVNULL)
    try:
        url = f"postgresql://{found['user']}@127.0.0.1:{port}/{found.get('dbname') or 'postgres'}"
        connection = _connected(url)
        with connection:
            if mode == "session":
                refuse_pooler(url, connection)
                return
            with pytest.raises(RuntimeError, match="a pooler that shares sessions"):
                refuse_pooler(url, connection)
    finally:
        process.terminate()
        process.wait(10)


def _connected(url: str) -> psycopg.Connection:
    until = time.monotonic() + 10
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
