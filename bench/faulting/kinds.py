"""The faults, each a coroutine that does harm and, where it must, ends it again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import psutil
import psycopg

from faulting.proxy import Proxy
from faulting.traffic import Traffic
from faulting.world import World

CONFIGURATIONS = ((1, 10), (2, 10), (1, 2), (2, 2))
SLOW_SQL = "SELECT count(*) FROM bulks a JOIN bulks b ON a.n < b.n"


class Faults:
    """All kinds of faults on one world."""

    def __init__(self, world: World, proxy: Proxy, traffic: Traffic, rng: random.Random) -> None:
        self.world, self.proxy, self.traffic, self.rng = world, proxy, traffic, rng
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill-server": self.kill_server, "stop-server": self.stop_server, "kill-worker": self.kill_worker,
            "kill-postmaster": self.kill_postmaster, "kill-backend": self.kill_backend,
            "end-backends": self.end_backends, "restart-database": self.restart_database,
            "freeze-database": self.freeze_database, "fill-disk": self.fill_disk, "cut-connections": self.cut,
            "exhaust-pool": self.exhaust_pool,
        }  # fmt: skip
        if not world.mounted:
            print("fill-disk is left out: neither a tmpfs nor a loop device can be mounted here (root is needed)")
            del self.kinds["fill-disk"]

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
            base_url=self.traffic.url, headers=headers, timeout=60, event_hooks={"response": [ledger.note]},
            limits=httpx2.Limits(max_connections=200),
        ) as http:  # fmt: skip
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
