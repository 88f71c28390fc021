"""What clients were told, to be compared with what the database holds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import httpx2

# What an answer to a caller must never show: code, SQL, drivers, paths, hosts of ours.
INTERNAL = re.compile(
    r'Traceback|psycopg|adbc_|duckdb|asyncio|sqlalchemy|File "/|/tmp/|/work/|\.py\b|SELECT |INSERT |server closed|'
    r"No space left|could not (write|extend)|base/\d|Errno|0x[0-9a-f]{6}",
)
ALLOWED = {429, 503}


@dataclass
class Import:
    """One import. ended: what the caller knows of it."""

    tag: str
    import_id: str
    table: str
    rows: int
    asynchronous: bool
    accepted: bool = False
    acknowledged: bool = False
    told: str = ""


@dataclass
class Ledger:
    """Acknowledgements, answers and violations."""

    # By dataset: the numbers of each writer that were acknowledged, and those sent.
    acknowledged: dict[int, dict[int, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    imports: list[Import] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    hooks: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    events: int = 0
    resumed: int = 0
    violations: list[str] = field(default_factory=list)

    def violate(self, text: str) -> None:
        if len(self.violations) < 200:
            print(f"VIOLATION {text}", flush=True)
            self.violations.append(text)

    def rows(self, dataset: int) -> int:
        """Rows of a dataset that were acknowledged."""
        return sum(map(len, self.acknowledged[dataset].values()))

    async def note(self, response: httpx2.Response) -> None:
        """A hook of HTTP clients: looks at every answer."""
        status = response.status_code
        self.answers[str(status)] += 1
        if 200 <= status < 300:
            return
        # One that is cut off is the client's to notice.
        text = (await response.aread()).decode(errors="replace")
        path = response.request.url.path
        if status == 404 and path.startswith("/api/v1/import"):
            # A client asks whether an import, whose connection broke, was begun.
            return
        if status not in ALLOWED:
            self.violate(f"{response.request.method} {path} answered {status}: {text[:300]}")
        self.look(f"{path} {status}", text)

    def look(self, place: str, text: str) -> None:
        """Looks for internals in what a caller was told."""
        if INTERNAL.search(text):
            self.violate(f"internal text in {place}: {text[:300]}")
