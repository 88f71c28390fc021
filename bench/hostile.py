"""One server, two organizations: one attacks with everything it can think of, the other works at a steady pace.

    python dev.py run python bench/hostile.py [--seconds 20] [--workers 1] [--only NAME …]

Prints for each attack how the quiet organization fared: the p99 of each kind of request beside that of the idle server,
how many times as long its usual request takes (the medians of all kinds, as a geometric mean), requests a second,
answers of 5xx, deaths of the server, and the most memory over idle. The command ends with 1 where a figure misses what
docs/faults.md promises.

The idle server is measured for as long as an attack lasts, several times, since the p99 of few requests is the slowest
of them: the median of those p99s counts. `nothing` is no attack, but takes the processors as attackers might. Each line
has the seconds of processor time that the attackers took.

Figures: `bench/record.py hostile` adds them to `bench/results/hostile.csv`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from attacking.attacks import ATTACKS, Target
from attacking.server import Server, Watch, folder

# What may be at most: memory over idle in bytes, and the quiet organization's p99 over that of the idle server.
MEMORY, SLOWER = 2**30, 3.0
# How many times as long as on the idle server the usual request of the quiet organization may take, while one user of
# another organization asks by many keys.
SLOWED = 1.5
BY_MANY_KEYS = ("many_keys", "ordinary_requests")
# Requests of a kind below which a p99 is the slowest of few.
FEW = 20
IDLE_TIMES, REST_SECONDS = 5, 3.0
LEADS = "name,email,amount\n" + "".join(f"Lead {n},lead{n}@example.com,{n}.25\n" for n in range(2_000))
ORDERS = "id,amount\n" + "".join(f"{n},{n}.5\n" for n in range(500))
KEYS = 12


@dataclass(slots=True)
class Phase:
    """What the quiet organization met while something went on. Times in seconds, memory in bytes."""

    name: str
    begun: float
    ended: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    memory: int = 0
    backend: int = 0
    health: float = 0.0
    # Processor time of the attackers' own process.
    attackers: float = 0.0

    def p99(self, kind: str) -> float:
        """The p99 of a kind of request; of few, the slowest."""
        values = sorted(self.times.get(kind, []))
        return values[min(len(values) - 1, int(len(values) * 0.99))] if values else 0.0

    def usual(self, kind: str) -> float:
        """The median of a kind of request."""
        return statistics.median(self.times.get(kind) or [0.0])

    @property
    def pace(self) -> float:
        """Requests that were answered, in a second."""
        answered = sum(len(times) for kind, times in self.times.items() if kind != "event")
        return answered / max(0.001, self.lasted)

    @property
    def lasted(self) -> float:
        return self.ended - self.begun


def together(phases: list[Phase]) -> Phase:
    """Phases of one kind as one, of which a p99 is the median of theirs."""

    class Several(Phase):
        lasted = sum(phase.lasted for phase in phases)

        def p99(self, kind: str) -> float:
            return statistics.median(phase.p99(kind) for phase in phases)

    found = Several("idle", phases[0].begun, phases[-1].ended)
    for phase in phases:
        for kind, times in phase.times.items():
            found.times[kind] += times
        found.statuses += phase.statuses
    found.memory, found.health = (max(getattr(p, name) for p in phases) for name in ("memory", "health"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each attack lasts")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--niceness", type=int, default=19, help="of the attackers; 0: as if they were the server's equals"
    )
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS), help="these attacks alone")
    options = parser.parse_args()
    with folder() as place:
        server = Server(place, options.workers)
        try:
            server.start()
            return attack_all(server, options.only or list(ATTACKS), options.seconds, options.niceness)
        finally:
            server.stop()


def attack_all(server: Server, names: list[str], seconds: float, niceness: int) -> int:
    """Runs the attacks one after another. Gives the exit code."""
    quiet, target = prepare(server)
    watch = Watch(server)
    lines: list[list[Any]] = []
    tenant = start_tenant(server, quiet, lines)
    time.sleep(5)
    idle = [measured(Phase("idle", time.time()), watch, lambda: time.sleep(seconds)) for _ in range(IDLE_TIMES)]
    usual = watch.last
    phases: list[Phase] = []
    for name in names:
        print(f"-- {name}", flush=True)
        phase = Phase(name, time.time())
        measured(phase, watch, lambda p=phase: run_attack(target, p, seconds, niceness))
        phases.append(phase)
        if server.revive(name):
            tenant.kill()
            tenant = start_tenant(server, quiet, lines)
        time.sleep(REST_SECONDS)
    tenant.kill()
    watch.close()
    sort_out(lines, [*idle, *phases])
    return report([together(idle), *phases], usual, server.deaths, server.log)


def prepare(server: Server) -> tuple[tuple[str, int], Target]:
    """Both organizations: the quiet one's key and dataset, and what the hostile one has."""
    quiet = server.key("quiet", "ann")
    hostile, stranger = server.key("hostile", "mal"), server.key("hostile", "eve")
    with httpx2.Client(base_url=server.url, timeout=120) as client:
        client.headers["X-API-Key"] = quiet
        number = client.post("/api/datasets/", json={"name": "quiet readings"}).json()["id"]
        upload(client, "orders.csv", ORDERS, "Import into a new table quiet_orders")
        client.headers["X-API-Key"] = hostile
        upload(client, "leads.csv", LEADS, "Import into a new table leads, email is the key")
        dataset = client.post("/api/datasets/", json={"name": "big"}).json()["id"]
        rows = "timestamp,a,b,c\n" + "".join(
            f"2026-01-01T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z,{n},{n},text {n}\n"
            for n in range(300_000)
        )
        client.post(
            f"/api/rows/bulk_insert/?dataset={dataset}", content=rows.encode(), headers={"Content-Type": "text/csv"}
        )
        keys = [hostile]
        for _ in range(KEYS - 1):
            made = client.post("/api/v1/keys", json={"name": "more"})
            if made.status_code < 300:
                keys.append(made.json()["key"])
    print(f"one hostile user has {len(keys)} keys", flush=True)
    return (quiet, number), Target(server.port, keys, stranger, dataset)


def stamp(second: int) -> str:
    """So many seconds after a midnight, on that day."""
    return f"2026-01-01T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def upload(client: httpx2.Client, name: str, text: str, instruction: str) -> None:
    answer = client.post("/api/v1/smart-import", data={"instruction": instruction}, files={"file": (name, text)})
    if answer.json().get("status") != "success":
        raise RuntimeError(f"not prepared: {answer.text[:500]}")


def start_tenant(server: Server, quiet: tuple[str, int], lines: list[list[Any]]) -> subprocess.Popen[str]:
    """The quiet organization in a process of its own; its lines are read by a thread."""
    program = Path(__file__).parent / "attacking" / "tenant.py"
    command = [sys.executable, str(program), server.url, quiet[0], str(quiet[1]), "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    stream = process.stdout
    threading.Thread(target=lambda: lines.extend(json.loads(line) for line in stream), daemon=True).start()
    return process


def measured(phase: Phase, watch: Watch, work: Any) -> Phase:
    watch.reset()
    work()
    phase.ended = time.time()
    phase.memory, phase.backend, phase.health = watch.most, watch.largest_backend, watch.slowest_health
    return phase


def _attack(name: str, target: Target, niceness: int, answers: Any) -> None:
    # Attackers have machines of their own; here they take what the server and the quiet organization leave.
    os.setsid()
    os.nice(niceness)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))
    ATTACKS[name](target)
    answers.put((target.answers, time.process_time()))


def run_attack(target: Target, phase: Phase, seconds: float, niceness: int) -> None:
    """One attack in a process of its own, which is ended when its time is over."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    target.until = time.monotonic() + seconds + 1
    process = context.Process(target=_attack, args=(phase.name, target, niceness, answers), daemon=True)
    process.start()
    end = time.monotonic() + seconds + 15
    while process.is_alive() and time.monotonic() < end and answers.empty():
        time.sleep(0.1)
    if not answers.empty():
        counted, phase.attackers = answers.get()
        phase.answers.update(counted)
    process.kill()
    process.join()


def sort_out(lines: list[list[Any]], phases: list[Phase]) -> None:
    """Gives each of the quiet organization's requests to the phase in which it ended."""
    for when, kind, status, seconds in lines:
        for phase in phases:
            if phase.begun <= when <= phase.ended:
                phase.times[kind].append(seconds)
                phase.statuses[status] += 1


def report(phases: list[Phase], usual: int, deaths: list[str], log: Path) -> int:
    idle = phases[0]
    kinds = sorted(idle.times)
    print(
        "\n| Attack | "
        + " | ".join(kinds)
        + " | usual | a second | quiet not 2xx | hostile | attackers' CPU | memory over idle | /health |"
    )
    print("| --- |" + " ---: |" * (len(kinds) + 7))
    bad: list[str] = [f"died: {death}" for death in deaths]
    for phase in phases:
        cells = []
        for kind in kinds:
            mine, ratio = phase.p99(kind), phase.p99(kind) / max(idle.p99(kind), 0.001)
            cells.append(f"{mine * 1000:.0f} ms" + ("" if phase is idle else f" ({ratio:.1f})"))
            if phase is not idle and ratio > SLOWER and len(idle.times[kind]) >= FEW:
                bad.append(f"{phase.name}: p99 of {kind} {ratio:.1f} times that of the idle server")
        slowed = statistics.geometric_mean(max(phase.usual(k), 1e-4) / max(idle.usual(k), 1e-4) for k in kinds)
        if phase.name in BY_MANY_KEYS and slowed > SLOWED:
            bad.append(f"{phase.name}: usual requests take {slowed:.2f} times as long as on the idle server")
        if phase.name in BY_MANY_KEYS and phase.pace * SLOWED < idle.pace:
            bad.append(f"{phase.name}: {phase.pace:.1f} requests a second, {idle.pace:.1f} on the idle server")
        failed = {status: count for status, count in phase.statuses.items() if not 200 <= status < 300}
        over = phase.memory - usual
        told = ", ".join(f"{status} × {count}" for status, count in sorted(phase.answers.items()))
        print(
            f"| {phase.name} | "
            + " | ".join(cells)
            + f" | {slowed:.2f} | {phase.pace:.1f}"
            + f" | {failed or 0} | {told} | {phase.attackers:.1f} s | {over / 2**20:.0f} MiB | {phase.health:.2f} s |"
        )
        if failed:
            bad.append(f"{phase.name}: the quiet organization was answered {failed}")
        if over > MEMORY:
            bad.append(f"{phase.name}: {over / 2**20:.0f} MiB over idle")
        if phase.answers.get(500):
            bad.append(f"{phase.name}: {phase.answers[500]} answers of 500")
    text = log.read_text(errors="replace")
    print(
        f"\ndeaths {len(deaths)}; largest backend {max(p.backend for p in phases) / 2**20:.0f} MiB; "
        f"tracebacks in the log {text.count('Traceback')}"
    )
    for line in bad:
        print(f"MISSED {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
