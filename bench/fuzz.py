"""Coverage-guided fuzzing of every decoder of what comes from outside, by Atheris (libFuzzer).

    python dev.py run pip install atheris          # once; wheels for Linux only, so it is no requirement of Atlas
    python dev.py run python bench/fuzz.py [--seconds 3600] [--target NAME]… [--work build/fuzz]

The time is shared among the targets of bench/fuzz_targets.py, one after the other on one core. A finding is an
exception that is no AtlasError, more than a second of CPU time or 300 MB of memory for one small input, a crash, or two
ways that differ. Findings of one place count once; the input that showed each is kept under WORK/<target>/findings.
Corpora stay in WORK, so that a later run goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SLOW_SECONDS = 1.0
HEAVY_KB = 300 * 1024
EXIT_SECONDS = 15
MAX_BYTES = {"excel": 32_768, "archives": 32_768, "imports": 16_384}
NAMES = (
    "json_fast json_pieces ndjson csv_rows parquet_rows arrow_rows stamps delimited excel xml_records json_records "
    "archives imports markdown_records import_instructions questions conditions sql_gate cookies headers idempotency "
    "cursors"
).split()


class Notes:
    """Counts executions and keeps one input for each place that fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "notes.jsonl"
        self._known = {json.loads(line)["place"] for line in self._lines()}
        self._executions = 0
        self._told = time.monotonic()

    def _lines(self) -> list[str]:
        return self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []

    def count(self) -> None:
        self._executions += 1
        if time.monotonic() - self._told > 1:
            self._told = time.monotonic()
            (self._folder / f"executions-{os.getpid()}").write_text(str(self._executions), encoding="ascii")

    def add(self, place: str, text: str, data: bytes) -> None:
        if " " not in place:
            # Two ways that differ have no line; some are kept, as one cause must not hide others.
            place = next((name for n in range(1, 6) if (name := f"{place} {n}") not in self._known), f"{place} 1")
        if place in self._known:
            return
        self._known.add(place)
        name = hashlib.sha256(data).hexdigest()[:16]
        (self._folder / "findings" / name).write_bytes(data)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"place": place, "input": name, "text": text}) + "\n")
        print(f"FINDING {place}: {text[-2000:]}\n{data[:300]!r}", flush=True)


def _place(error: BaseException) -> str:
    """The kind of an exception and the line of Atlas where it passed last."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if f"{os.sep}atlas{os.sep}" in frame.filename
    ]
    last = frames[-1] if frames else None
    return f"{type(error).__name__} {Path(last.filename).name}:{last.lineno}" if last else type(error).__name__


def _watched(target: Callable[[bytes], None], refused: type[Exception], notes: Notes) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        notes.count()
        started, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            target(data)
        except refused:
            pass
        except Exception as error:
            notes.add(_place(error), traceback.format_exc(), data)
        seconds = time.process_time() - started
        if seconds > SLOW_SECONDS:
            notes.add(f"slow {data[:6].hex()}", f"{seconds:.1f} s", data)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
        if grown > HEAVY_KB:
            notes.add(f"memory {data[:6].hex()}", f"{grown // 1024} MB more", data)

    return run


def one(name: str, folder: Path, seconds: int) -> None:
    """Fuzzes one target in this process; libFuzzer ends it."""
    import atheris

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["atlas"]):
        import fuzz_seeds
        import fuzz_targets

        from atlas.errors import AtlasError
    longest = MAX_BYTES.get(name, 4096)
    corpus = folder / "corpus"
    for data in fuzz_seeds.seeds(name, longest):
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    watched: Any = _watched(fuzz_targets.TARGETS[name], AtlasError, Notes(folder))
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={longest}",
        "-timeout=30",
        "-rss_limit_mb=3072",
        "-seed=1",
        f"-artifact_prefix={folder / 'findings'}{os.sep}",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], watched)
    atheris.Fuzz()


def _run(command: list[str], log: Path, seconds: int) -> int:
    """Runs a fuzzer; gives its exit code. libFuzzer itself ends what hangs, but its own exit can wait for a thread of
    Arrow's or Polars' that waits for the interpreter's lock: such a process has done its work and is killed."""
    with log.open("ab") as out:
        try:
            return subprocess.run(command, stdout=out, stderr=out, check=False, timeout=seconds).returncode
        except subprocess.TimeoutExpired:
            return 0


def supervise(name: str, work: Path, seconds: int) -> dict[str, Any]:
    """Runs one target for so long, again after each crash. Gives executions and places of findings."""
    folder = work / name
    for part in ("corpus", "findings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for old in folder.glob("executions-*"):
        old.unlink()
    end, crashes = time.monotonic() + seconds, 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    while (left := int(end - time.monotonic())) > 2:
        command = [sys.executable, __file__, "--one", name, "--seconds", str(left), "--work", str(work)]
        crashes += _run(command, folder / "log", left + EXIT_SECONDS) != 0
        if crashes > 20:
            break
    executions = sum(int(path.read_text(encoding="ascii")) for path in folder.glob("executions-*"))
    notes = folder / "notes.jsonl"
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    places = [json.loads(line)["place"] for line in lines]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    corpus = sum(1 for _ in (folder / "corpus").iterdir())
    figures = {"target": name, "executions": executions, "cpu_seconds": spent, "corpus": corpus, "crashes": crashes}
    return {**figures, "findings": places}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--target", action="append", choices=NAMES)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.work / options.one, options.seconds)
        return
    os.nice(15)
    names = options.target or NAMES
    for name in names:
        print(json.dumps(supervise(name, options.work.resolve(), options.seconds // len(names))), flush=True)


if __name__ == "__main__":
    main()
