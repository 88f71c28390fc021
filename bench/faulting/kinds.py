"""The faults, each a coroutine that does harm and, where it must, ends it again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import httpx2
import psutil
import psycopg

from atlas.db.embedded import EmbeddedPostgres
from faulting.amid import Amid
from faulting.ledger import Import
from faulting.proxy import Proxy
from faulting.traffic import TABLES, Traffic
from faulting.world import ATLAS, World

CONFIGURATIONS = ((1, 10), (2, 10), (1, 2), (2, 2))
NEWER: LiteralString = "INSERT INTO public._yoyo_migration SELECT 'newer', '9999_newer', now() AT TIME ZONE 'UTC'"
WRITTEN: LiteralString = (
    "SELECT (SELECT sum(last_seq) FROM atlas.dataset_state), (SELECT count(*) FROM atlas.imports),"
    " (SELECT count(*) FROM atlas.api_keys)"
)
SLOW_SQL = "SELECT count(*) FROM bulks a JOIN bulks b ON a.n < b.n"


class Faults:
    """All kinds of faults on one world."""

    def __init__(self, world: World, proxy: Proxy, traffic: Traffic, rng: random.Random) -> None:
        self.world, self.proxy, self.traffic, self.rng = world, proxy, traffic, rng
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill-server": self.kill_server,
            "stop-server": self.stop_server,
            "kill-worker": self.kill_worker,
            "kill-postmaster": self.kill_postmaster,
            "kill-backend": self.kill_backend,
            "end-backends": self.end_backends,
            "restart-database": self.restart_database,
            "freeze-database": self.freeze_database,
            "fill-disk": self.fill_disk,
            "cut-connections": self.cut,
            "exhaust-pool": self.exhaust_pool,
            "fill-disk-amid-import": self.fill_amid_import,
            "fill-disk-amid-checkpoint": self.fill_amid_checkpoint,
            "jump-clock": self.jump_clock,
            "newer-version": self.newer_version,
            "restore-amid-writes": self.restore,
            **Amid(world, traffic, rng, self.start_server).kinds,
        }
        if not world.mounted:
            print("fill-disk is left out: neither a tmpfs nor a loop device can be mounted here (root is needed)")
            self.kinds = {name: kind for name, kind in self.kinds.items() if not name.startswith("fill-disk")}
        if not world.clock.works:
            print("jump-clock is left out: it needs Linux and a C compiler")
            del self.kinds["jump-clock"]

    async def start_server(self) -> None:
        workers, pool = self.rng.choice(CONFIGURATIONS)
        await asyncio.to_thread(self.world.start, workers=workers, pool=pool)

    async def kill_server(self) -> None:
        await asyncio.to_thread(self.world.kill)
        await self.start_server()

    async def stop_server(self) -> None:
        await asyncio.to_thread(self.world.stop)
        await asyncio.sleep(self.rng.uniform(0, 1))
        await self.start_server()

    async def kill_worker(self) -> None:
        if self.world.workers == 1:
            # Such a server has no worker to lose; it gets some first.
            await asyncio.to_thread(self.world.stop)
            await asyncio.to_thread(self.world.start, workers=2, pool=10)
            await asyncio.sleep(2)
        _signal(self.rng, self.world.worker_processes(), signal.SIGKILL)
        await asyncio.sleep(self.rng.uniform(1, 3))

    async def kill_postmaster(self) -> None:
        _signal(self.rng, [self.world.postmaster()], signal.SIGKILL)

    async def kill_backend(self) -> None:
        _signal(self.rng, self.world.backends(), signal.SIGKILL)

    async def end_backends(self) -> None:
        for backend in self.world.backends():
            if self.rng.random() < 0.5:
                _signal(self.rng, [backend], signal.SIGTERM)

    async def restart_database(self) -> None:
        # Fast or immediate; Atlas starts it again.
        _signal(self.rng, [self.world.postmaster()], self.rng.choice((signal.SIGINT, signal.SIGQUIT)))

    async def freeze_database(self) -> None:
        server = self.world.postmaster()
        frozen: list[psutil.Process] = []
        try:
            with contextlib.suppress(psutil.Error):
                for process in [server, *server.children()] if server else []:
                    process.suspend()
                    frozen.append(process)
            await asyncio.sleep(self.rng.uniform(1, 3.5))
        finally:
            for process in reversed(frozen):
                with contextlib.suppress(psutil.Error):
                    process.resume()

    async def fill_disk(self) -> None:
        ballast = self.world.disk / "ballast"
        try:
            await asyncio.to_thread(_fill, ballast)
            await asyncio.sleep(self.rng.uniform(1, 4))
        finally:
            ballast.unlink(missing_ok=True)

    async def fill_amid_import(self) -> None:
        """The disk fills while a file of some size is imported, which comes whole or not at all."""
        tag = f"filling{self.rng.randrange(2**32)}"
        one = Import(tag, str(uuid4()), TABLES[0], 20_000, asynchronous=False)
        self.traffic.ledger.imports.append(one)
        client = self.traffic.client(retries=0)
        sending = asyncio.create_task(self.traffic.send_import(client, one))
        await asyncio.sleep(self.rng.uniform(0, 0.8))
        await self.fill_disk()
        await sending

    async def fill_amid_checkpoint(self) -> None:
        """The disk fills, and PostgreSQL is to write all that it has, and a new segment of its log."""
        ballast = self.world.disk / "ballast"
        try:
            await asyncio.to_thread(_fill, ballast)
            for statement in ("SELECT pg_switch_wal()", "CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
                await asyncio.to_thread(self._try, statement)
            await asyncio.sleep(self.rng.uniform(0.5, 2))
        finally:
            ballast.unlink(missing_ok=True)

    def _try(self, statement: LiteralString) -> None:
        with contextlib.suppress(psycopg.Error), self.world.connect() as connection:
            connection.execute("SET statement_timeout = '5s'")
            connection.execute(statement)

    async def jump_clock(self) -> None:
        """The clock of the server and of PostgreSQL is an hour on or back for some seconds."""
        try:
            self.world.clock.set(self.rng.choice((3600, -3600)))
            await asyncio.sleep(self.rng.uniform(2, 6))
        finally:
            self.world.clock.set(0)

    async def newer_version(self) -> None:
        """A newer Atlas migrates the database: this one writes nothing from then on, and says why."""
        await asyncio.to_thread(self._sql, "SELECT pg_notify('atlas_schema', '9999_newer')")
        await asyncio.to_thread(self._sql, NEWER)
        try:
            await asyncio.sleep(2)
            before = await asyncio.to_thread(self._sql, WRITTEN)
            async with httpx2.AsyncClient(headers={"X-API-Key": self.traffic.key}, timeout=20) as http:
                answer = await http.get(f"{self.world.url}/api/datasets/")
            if answer.status_code != 503 or "newer Atlas" not in answer.text:
                self.traffic.ledger.violate(f"a newer database is answered by {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(self.rng.uniform(0.5, 2))
            after = await asyncio.to_thread(self._sql, WRITTEN)
            if before != after:
                self.traffic.ledger.violate(f"an older server wrote to a newer database: {before} is now {after}")
        finally:
            await asyncio.to_thread(self._sql, "DELETE FROM public._yoyo_migration WHERE migration_id = '9999_newer'")

    def _sql(self, statement: LiteralString) -> object:
        with self.world.connect() as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None

    async def restore(self) -> None:
        """A backup is to be restored while everybody writes: that is refused, and changes nothing."""
        await asyncio.to_thread(self._restore)

    def _restore(self) -> None:
        file = self.world.disk / "restored.zip"
        command = [str(ATLAS), "admin"]
        where = ["--force", "--data-dir", str(self.world.data)]
        variables = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
        try:
            subprocess.run([*command, "backup", str(file), *where], env=variables, capture_output=True, check=True)
            for url in (None, EmbeddedPostgres(self.world.data).url()):
                given = variables if url is None else {**variables, "ATLAS_DATABASE_URL": url}
                done = subprocess.run(
                    [*command, "restore", str(file), *where], env=given, capture_output=True, text=True, check=False
                )
                if done.returncode != 1 or not ("is running" in done.stderr or "in use" in done.stderr):
                    self.traffic.ledger.violate(f"a restore under load: {done.returncode} {done.stderr[-300:]}")
        finally:
            file.unlink(missing_ok=True)

    async def cut(self) -> None:
        self.proxy.cutting = True
        await asyncio.sleep(self.rng.uniform(0.5, 2))
        self.proxy.cut_all()
        self.proxy.cutting = False

    async def exhaust_pool(self) -> None:
        """Slow statements and inserts that wait for a lock, more than the pools have connections."""
        ledger = self.traffic.ledger
        headers = {"X-API-Key": self.traffic.key}
        dataset = self.traffic.datasets[0]
        async with httpx2.AsyncClient(
            base_url=self.traffic.url,
            headers=headers,
            timeout=60,
            event_hooks={"response": [ledger.note]},
            limits=httpx2.Limits(max_connections=200),
        ) as http:
            calls = [http.post("/api/v1/sql", json={"sql": SLOW_SQL}) for _ in range(8)]
            calls += [http.get(f"/api/rows/aggregate/?dataset={dataset}&bucket=1m") for _ in range(20)]
            calls += [http.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv") for _ in range(20)]
            calls += [http.get(f"/api/rows/?dataset={dataset}&limit=1000") for _ in range(20)]
            holding = asyncio.create_task(asyncio.to_thread(self._hold, dataset, self.rng.uniform(2, 13)))
            asked = asyncio.gather(*calls, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                # Slow questions that go on past that are cut, as an impatient client would.
                await asyncio.wait_for(asked, 15)
            await holding

    def _hold(self, dataset: int, seconds: float) -> None:
        with contextlib.suppress(psycopg.Error), self.world.connect() as connection, connection.transaction():
            connection.execute("SELECT 1 FROM atlas.dataset_state WHERE dataset_id = %s FOR UPDATE", (dataset,))
            connection.execute("SELECT pg_sleep(%s)", (seconds,))


def _signal(rng: random.Random, processes: list[psutil.Process | None] | list[psutil.Process], number: int) -> None:
    living = [process for process in processes if process is not None]
    if living:
        with contextlib.suppress(psutil.Error):
            rng.choice(living).send_signal(number)


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb") as file:
        while True:
            file.write(b"\0" * 2**20)
            file.flush()
