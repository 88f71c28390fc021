"""SIGKILL in the midst of what takes long: undo, redo, corrections, updates, backups, first starts and upgrades.

Each is whole afterwards, or has not been; what was answered is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import httpx2
import yoyo
from psycopg import sql

from atlas.client import ApiError, AsyncClient, AtlasClientError, ConnectionFailed, RateLimited, Unavailable
from atlas.db.embedded import EmbeddedPostgres
from faulting.traffic import Traffic
from faulting.world import ATLAS, World, free_port

ROWS, TWICE = 6_000, 40
HEALTHY_SECONDS = 180.0


@dataclass(frozen=True)
class State:
    """How an import of its own stands. rows: those that are shown; changed: those with the new value; open: issues."""

    status: str
    rows: int
    changed: int
    open: int


class Amid:
    """Those faults. restart: starts the server again after it was killed."""

    def __init__(
        self, world: World, traffic: Traffic, rng: random.Random, restart: Callable[[], Awaitable[None]]
    ) -> None:
        self._world, self._traffic, self._rng, self._restart = world, traffic, rng, restart
        self._made = 0
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill-amid-undo": lambda: self._amid(lambda c, i, t: c.imports.undo(i), UNDO),
            "kill-amid-redo": lambda: self._amid(lambda c, i, t: c.imports.redo(i, auto_execute=True), REDO),
            "kill-amid-correction": lambda: self._amid(_correct, CORRECTION),
            "kill-amid-update": lambda: self._amid(
                lambda c, i, t: c.tables.update_where(t, "paid >= 0", {"paid": 7}), UPDATE
            ),
            "kill-amid-backup": self.backup,
            "kill-amid-first-start": self.first_start,
            "kill-amid-upgrade": self.upgrade,
        }

    async def _amid(
        self, work: Callable[[AsyncClient, str, str], Awaitable[object]], allowed: tuple[State, State]
    ) -> None:
        """allowed: how it stands where the work has not been done, and where it has."""
        self._made += 1
        table = f"amends{self._made}"
        client = self._traffic.client(retries=0)
        import_id = await self._import(client, table)
        working = asyncio.create_task(_told(work(client, import_id, table)))
        await asyncio.sleep(self._rng.uniform(0, 0.8))
        await asyncio.to_thread(self._world.kill)
        await self._restart()
        answered = await working
        found = await asyncio.to_thread(self._state, import_id, table)
        if found not in (allowed[1:] if answered else allowed):
            word = "answered" if answered else "cut off"
            self._traffic.ledger.violate(f"{table}: work that was {word} is half done: {found}, not {allowed}")

    async def _import(self, client: AsyncClient, table: str) -> str:
        lines = ["email,paid", *(f"p{n}@x.com,{n + 10}" for n in (*range(ROWS), *range(TWICE))), ""]
        while True:
            with contextlib.suppress(ConnectionFailed, RateLimited, Unavailable):
                result = await client.imports.run(
                    (f"{table}.csv", "\n".join(lines).encode()),
                    f"Import into a new table {table}, the email is the key",
                )
                return str(result.import_id)
            await asyncio.sleep(0.5)

    def _state(self, import_id: str, table: str) -> State:
        with self._world.connect() as connection:
            found = connection.execute(
                "SELECT i.status, i.number, t.id, o.schema_name FROM atlas.imports i JOIN atlas.organizations o"
                " ON o.id = i.organization_id LEFT JOIN atlas.tables t ON t.name = %s WHERE i.public_id = %s",
                (table, import_id),
            ).fetchone()
            assert found is not None
            status, number, table_id, schema = found
            if table_id is None:
                return State(status, 0, 0, 0)
            query = sql.SQL(
                "SELECT count(*), count(*) FILTER (WHERE paid = 7), (SELECT count(*) FROM atlas.import_issues"
                " WHERE import_number = {} AND status = 'pending') FROM {} WHERE _archived IS NULL"
            ).format(sql.Literal(number), sql.Identifier(schema, f"_table_{table_id}"))
            row = connection.execute(query).fetchone()
            assert row is not None
            return State(status, *row)

    async def backup(self) -> None:
        """Kills the command, or PostgreSQL under it: there is a whole file or none."""
        await asyncio.to_thread(self._backup)

    def _backup(self) -> None:
        violate, file = self._traffic.ledger.violate, self._world.disk / "killed.zip"
        process = subprocess.Popen(
            [str(ATLAS), "admin", "backup", str(file), "--force", "--data-dir", str(self._world.data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        part = file.with_name(f"{file.name}.part")
        end = time.monotonic() + 60
        while not part.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(self._rng.uniform(0, 0.7))
        under = self._world.postmaster() if self._rng.random() < 0.5 else None
        if under is None:
            process.kill()
        else:
            under.send_signal(signal.SIGKILL)
        code = process.wait(120)
        if code == 0:
            if not file.exists():
                violate("a backup ended well and left no file")
        elif file.exists():
            violate(f"a backup that ended with {code} left a file")
        elif code > 0 and part.exists():
            violate(f"a backup that ended with {code} left a part")
        file.unlink(missing_ok=True)
        part.unlink(missing_ok=True)

    async def first_start(self) -> None:
        """Kills a server of its own as it makes its database; the next start makes it."""
        await asyncio.to_thread(self._start_killed, None)

    async def upgrade(self) -> None:
        """The same on a database that has had but the first few migrations."""
        await asyncio.to_thread(self._start_killed, self._rng.randint(1, 11))

    def _start_killed(self, migrations: int | None) -> None:
        folder = self._world.disk / "other"
        shutil.rmtree(folder, ignore_errors=True)
        data, log = folder / "data", self._world.log.with_suffix(".other.log")
        folder.mkdir(mode=0o755)
        try:
            if migrations is not None:
                _migrate(data, migrations)
            for _ in range(self._rng.randint(1, 3)):
                process = _serve(data, log)[0]
                # From when there is a server to ask; what comes before has no rows to lose.
                _until((data / "postgres" / "postmaster.pid").exists, process)
                time.sleep(self._rng.uniform(0, 1.5))
                process.kill()
                process.wait()
            process, url = _serve(data, log)
            try:
                self._use(data, process, url)
            finally:
                process.terminate()
                process.wait(60)
        finally:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGQUIT)
                time.sleep(1)
            shutil.rmtree(folder, ignore_errors=True)

    def _use(self, data: Path, process: subprocess.Popen[bytes], url: str) -> None:
        violate = self._traffic.ledger.violate
        if not _until(lambda: _healthy(url), process):
            violate(f"a server that was killed at its start does not start again; see {self._world.log}")
            return
        # The first key may have been made and never shown.
        made = subprocess.run(
            [str(ATLAS), "admin", "key", "create", "--user", "amid", "--json", "--data-dir", str(data)],
            capture_output=True,
            text=True,
            env=_environment(),
            check=True,
        )
        with httpx2.Client(base_url=url, headers={"X-API-Key": json.loads(made.stdout)["key"]}, timeout=60) as http:
            dataset = http.post("/api/datasets/", json={"name": "after"}).json()["id"]
            row = {"dataset": dataset, "timestamp": "2026-01-01T00:00:00Z", "values": {"n": 1}}
            if http.post("/api/rows/", json=row).status_code != 201:
                violate("a server that was killed at its start stores nothing")
        checked = subprocess.run(
            [str(ATLAS), "admin", "check", "--data-dir", str(data)],
            capture_output=True,
            text=True,
            env=_environment(),
            check=False,
        )
        if checked.returncode:
            violate(f"a server that was killed at its start: {checked.stdout[-500:]} {checked.stderr[-500:]}")


async def _correct(client: AsyncClient, import_id: str, table: str) -> None:
    """Inserts every duplicate all the same, each under another email."""
    found = await client.imports.issues(import_id)
    numbers = [one["record_number"] for one in found.duplicates]
    decided = [{"record_number": n, "action": "insert", "data": {"email": f"again{n}@x.com"}} for n in numbers]
    await client.imports.correct(import_id, duplicates=decided)


UNDO = (State("success", ROWS, 0, TWICE), State("undone", 0, 0, 0))
REDO = (State("success", ROWS, 0, TWICE), State("success", ROWS, 0, TWICE))
CORRECTION = (State("success", ROWS, 0, TWICE), State("success", ROWS + TWICE, 0, 0))
UPDATE = (State("success", ROWS, 0, TWICE), State("success", ROWS, ROWS, TWICE))


async def _told(work: Awaitable[object]) -> bool:
    """Whether it was answered as done."""
    try:
        await work
    except ApiError as error:
        if error.status not in (429, 503):
            raise
        return False
    except AtlasClientError:
        return False
    return True


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}


def _serve(data: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(ATLAS), "serve", "--port", str(port), "--data-dir", str(data)],
            stdout=output,
            stderr=output,
            env=_environment(),
        )
    return process, f"http://127.0.0.1:{port}"


def _until(check: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if check():
            return True
        time.sleep(0.02)
    return False


def _healthy(url: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/health", timeout=5, verify=False).status_code == 200
    return False


def _migrate(data: Path, count: int) -> None:
    """A database as an older Atlas has left it: with the first few migrations."""
    with EmbeddedPostgres(data).serve() as url:
        with (
            yoyo.get_backend(f"postgresql+psycopg://{url.split('://', 1)[1]}") as backend,
            resources.as_file(resources.files("atlas.db") / "migrations") as folder,
        ):
            backend.apply_migrations(backend.to_apply(yoyo.read_migrations(str(folder)))[:count])
