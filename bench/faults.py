"""Faults under load: what was acknowledged must be there once, and everything must come back.

    python dev.py run python bench/faults.py [--faults 220] [--seed 1] [--steady 0.2 --parts 1] [--short]

Starts a server with its embedded PostgreSQL on loopback, in a folder on a small tmpfs (as root on Linux; else the fault
"fill-disk" is left out). Writers, importers, readers and streams use it through a proxy while faults happen, one at a
time, at random moments. Prints a line for each kind of fault and ends with 1 if anything was violated.

Figures: `bench/record.py faults` adds them to `bench/results/faults.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import sys
import time
from collections import Counter

from faulting.checking import check_all, check_backup, connections, timed, wait_for_jobs
from faulting.kinds import Faults
from faulting.ledger import Ledger
from faulting.proxy import Proxy
from faulting.traffic import Receiver, Traffic
from faulting.world import World, small_disk

# The part of the faults that comes last and leaves the server's processes alone, so that their memory is comparable.
STEADY_SHARE = 0.2
STEADY_KINDS = (
    "freeze-database",
    "cut-connections",
    "exhaust-pool",
    "kill-backend",
    "kill-postmaster",
    "fill-disk",
    "end-backends",
    "restart-database",
)
SLOW_KINDS = (
    "kill-server",
    "stop-server",
    "kill-worker",
    "exhaust-pool",
    "kill-amid-undo",
    "kill-amid-redo",
    "kill-amid-correction",
    "kill-amid-update",
    "kill-amid-backup",
    "kill-amid-first-start",
    "kill-amid-upgrade",
    "restore-amid-writes",
    "newer-version",
)
SHORT_KINDS = (
    "kill-backend",
    "cut-connections",
    "kill-server",
    "fill-disk",
    "end-backends",
    "kill-postmaster",
    "freeze-database",
    "restart-database",
    "jump-clock",
    "newer-version",
    "kill-amid-update",
)
# Memory may be this much more after the faults than before: allocators keep what a burst needed.
MEMORY_FACTOR, MEMORY_MORE = 1.25, 64 * 2**20

# Two processes, each with 10 pooled connections, 3 for look-ups, 8 for columnar reads, 7 for jobs, notifications
# and the guard, 4 for SQL.
MOST_CONNECTIONS = 2 * (10 + 3 + 8 + 7 + 4)


class Run:
    """One run: state that the phases share."""

    def __init__(self, world: World, arguments: argparse.Namespace) -> None:
        self.world, self.short = world, bool(arguments.short)
        self.only: list[str] = arguments.only or []
        self.count, self.seed = int(arguments.faults), int(arguments.seed)
        self.steady, self.parts = float(arguments.steady), int(arguments.parts)
        self.rng = random.Random(self.seed)
        self.ledger = Ledger()
        self.proxy = Proxy(random.Random(self.seed + 1))
        self.receiver = Receiver(self.ledger, random.Random(self.seed + 2))
        self.done: Counter[str] = Counter()
        self.recovery: dict[str, list[float]] = {}
        self.levels: list[tuple[int, int]] = []

    async def go(self) -> None:
        await self.proxy.start()
        await self.receiver.start()
        self.proxy.target = self.world.port
        await asyncio.to_thread(self.world.start, workers=2, pool=10)
        self.traffic = Traffic(
            f"http://127.0.0.1:{self.proxy.port}", self.world.key, self.ledger, random.Random(self.seed + 3)
        )
        self.traffic.hook_url = self.receiver.url
        self.faults = Faults(self.world, self.proxy, self.traffic, self.rng)
        await self.traffic.prepare(streams=3 if self.short else 6)
        steady = 0 if self.short else round(self.count * self.steady)
        kinds = [kind for kind in self.faults.kinds if not self.only or kind in self.only]
        await self._phase(kinds, self.count - steady)
        if steady:
            await asyncio.to_thread(self.world.stop)
            await asyncio.to_thread(self.world.start, workers=2, pool=10)
            await self._level()
            for part in range(self.parts):
                count = steady * (part + 1) // self.parts - steady * part // self.parts
                await self._phase([kind for kind in STEADY_KINDS if kind in kinds] or kinds, count)
                await self._level()
        await self._check()

    async def _phase(self, kinds: list[str], count: int) -> None:
        """Faults of the kinds in an order of chance; those that take long, because a server starts, more seldom."""
        order: list[str] = []
        if self.short and not self.only:
            order = [kind for kind in SHORT_KINDS if kind in kinds][:count]
        while len(order) < count:
            several = [kind for kind in kinds for _ in range(1 if kind in SLOW_KINDS else 4)]
            order += self.rng.sample(several, len(several))
        self.traffic.start()
        await asyncio.sleep(1)
        for kind in order[:count]:
            await asyncio.sleep(self.rng.uniform(0.05, 0.8))
            begun = time.monotonic()
            await self.faults.kinds[kind]()
            if not await asyncio.to_thread(self.world.wait_healthy):
                self.ledger.violate(f"the server is not healthy after {kind}")
            seconds = time.monotonic() - begun
            self.done[kind] += 1
            self.recovery.setdefault(kind, []).append(seconds)
            print(f"{sum(self.done.values()):4} {kind} ({seconds:.1f} s)", flush=True)
        await self.traffic.stop()

    async def _level(self) -> None:
        """Memory and connections after load that is the same each time."""
        self.traffic.start()
        for _ in range(2):
            await self.faults.exhaust_pool()
        await asyncio.sleep(8)
        await self.traffic.stop()
        await asyncio.sleep(6)
        level = (await asyncio.to_thread(self.world.memory), await asyncio.to_thread(connections, self.world))
        self.levels.append(level)
        print(f"level: {level[0] / 2**20:.0f} MiB of memory, {level[1]} connections", flush=True)

    async def _check(self) -> None:
        with timed("imports and webhooks ended"):
            left = await asyncio.to_thread(wait_for_jobs, self.world, self.ledger, 4 if self.short else 240)
        await self._check_streams()
        for problem in self.world.problems:
            self.ledger.violate(problem)
        with timed("compared with the database"):
            self.ended = await asyncio.to_thread(
                check_all, self.world, self.ledger, self.traffic, patient=not self.short
            )
        if left and not self.short:
            self.ledger.violate(f"{left} imports or webhooks have not ended")
        elif left:
            print(f"{left} imports or webhooks were still to come, with their jobs waiting")
        await self.traffic.close()
        self._check_levels()
        await asyncio.to_thread(self.world.stop)
        with timed("backup and restore"):
            self.backup = await asyncio.to_thread(check_backup, self.world, self.ledger)
        self.proxy.close()
        self.receiver.close()

    async def _check_streams(self) -> None:
        """Every stream has reached the last row."""
        wanted = [self.ledger.rows(dataset) for dataset in self.traffic.datasets]
        streams = range(3 if self.short else 6)
        for _ in range(100):
            heard = [self.traffic.last_event.get(n, 0) for n in streams]
            if all(heard[n] == wanted[n % len(wanted)] for n in streams):
                return
            await asyncio.sleep(0.2)
        self.ledger.violate(f"streams have heard {heard} events of {wanted} rows")

    def _check_levels(self) -> None:
        if len(self.levels) < 2:
            return
        (memory, open_before), (after, open_after) = self.levels[0], self.levels[-1]
        if after > memory * MEMORY_FACTOR + MEMORY_MORE:
            self.ledger.violate(f"memory rose from {memory / 2**20:.0f} to {after / 2**20:.0f} MiB")
        if open_after > max(open_before, MOST_CONNECTIONS):
            self.ledger.violate(f"connections rose from {open_before} to {open_after}")

    def report(self, seconds: float) -> None:
        print(
            f"\nseed {self.seed}; {sum(self.done.values())} faults in {seconds / 60:.1f} min; {platform.platform()}, "
            f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
        )
        print("kind | times | until healthy, median | longest")
        for kind, times in sorted(self.recovery.items()):
            middle = sorted(times)[len(times) // 2]
            print(f"{kind} | {len(times)} | {middle:.1f} s | {max(times):.1f} s")
        ledger = self.ledger
        rows = sum(ledger.rows(dataset) for dataset in self.traffic.datasets)
        print(f"rows acknowledged: {rows:,}; events streamed: {ledger.events:,} over {ledger.resumed} connections")
        print(f"answers: {dict(sorted(ledger.answers.items()))}; connections cut: {self.proxy.cuts}")
        print(f"imports: {dict(sorted(self.ended.items()))}; webhooks: {sum(ledger.hooks.values())}")
        print(f"reads: {dict(ledger.reads)}; server starts: {self.world.starts}; backup: {self.backup}")
        for memory, opened in self.levels:
            print(f"level: {memory / 2**20:.0f} MiB, {opened} connections")
        print(f"violations: {len(ledger.violations)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=220)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--disk", type=int, default=1536, help="MiB of the small disk")
    parser.add_argument("--only", nargs="+", metavar="KIND", help="these kinds alone")
    parser.add_argument(
        "--steady", type=float, default=STEADY_SHARE, help="share of the faults that end no process of the server"
    )
    parser.add_argument("--parts", type=int, default=1, help="memory is looked at after each such part of those")
    parser.add_argument("--short", action="store_true", help="a few kinds, no comparison of memory, little patience")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with small_disk(arguments.disk) as (folder, mounted):
        world = World(folder, mounted=mounted)
        run = Run(world, arguments)
        try:
            asyncio.run(run.go())
        finally:
            world.clean_up()
        run.report(time.monotonic() - begun)
    print(f"server log: {world.log}")
    return 1 if run.ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main())
