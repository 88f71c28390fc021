"""The whole HTTP API against its OpenAPI document, by Schemathesis, with every kind of key.

    python dev.py run python bench/contract.py [--examples 30] [--kind member]… [--work build/contract]

Starts a PostgreSQL and a server of its own. For each kind of key (none, revoked, member, holder of a tag from another
organization, admin, operator) all operations get the examples of the document, its coverage cases and generated
requests, good and bad; most of them with ids that exist (tests/contract.py). A finding is an answer of 5xx, a status,
a content type or a body that the document does not have, a method that is refused wrongly, or a request without a good
key that is answered. Ends with 1 where there is one. Details are in WORK/<kind>.log.

Figures: `bench/record.py contract` adds them to `bench/results/contract.csv`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import SecretStr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.conftest import open_folder
from tests.contract import KINDS, make_keys, serving

from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.settings import Settings

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance,missing_required_header,ignored_auth"
)
PHASES = "examples,coverage,fuzzing"


def run(kind: str, url: str, database_url: str, keys: dict[str, Any], work: Path, examples: int) -> dict[str, Any]:
    """Figures of one kind of key."""
    counts = work / f"{kind}.json"
    counts.unlink(missing_ok=True)
    told = {"kind": kind, "url": url, "database_url": database_url, "keys": keys, "counts": str(counts)}
    hooks = Path(__file__).with_name("contract_hooks.py")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(hooks), "CONTRACT": json.dumps(told)}
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{url}/openapi.json",
        "--checks",
        CHECKS,
        "--phases",
        PHASES,
        "--max-examples",
        str(examples),
        "--seed",
        "1",
        "--continue-on-failure",
        "--request-timeout",
        "60",
        "--suppress-health-check",
        "all",
        "--no-color",
        "--warnings",
        "off",
        *([] if kind == "none" else ["--header", f"X-API-Key: {keys[kind]['key']}"]),
    ]
    started = time.monotonic()
    with (work / f"{kind}.log").open("wb") as log:
        code = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=log, check=False).returncode
    statuses = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    total: Counter[str] = Counter()
    for found in statuses.values():
        total.update(found)
    text = (work / f"{kind}.log").read_text(encoding="utf-8", errors="replace")
    unique = re.search(r"(\d+) unique failures?", text)
    return {
        "kind": kind,
        "operations": len(set(statuses) - {"undeclared"}),
        "requests": sum(total.values()),
        "answered": sum(1 for found in statuses.values() if any(status.startswith("2") for status in found)),
        "statuses": dict(sorted(total.items())),
        "findings": int(unique[1]) if unique else int(code != 0),
        "seconds": round(time.monotonic() - started),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=30, help="generated requests for each operation at most")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "contract")
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    findings = 0
    with open_folder() as folder, EmbeddedPostgres(folder).serve() as database_url:
        Database(database_url, pool_size=2, statement_timeout=60).migrate()
        settings = Settings(
            database_url=database_url,
            data_dir=folder,
            log_level="error",
            jobs=1,
            webhook_loopback=True,
            secret_key=SecretStr("a secret for the contract"),
        )
        with serving(settings) as url:
            keys = make_keys(database_url)
            for kind in options.kind or KINDS:
                figures = run(kind, url, database_url, keys, work, options.examples)
                findings += figures["findings"]
                print(json.dumps(figures), flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
