"""Hooks of Schemathesis for bench/contract.py: requests get ids that exist, answers are counted."""

from __future__ import annotations

import atexit
import json
import os
import sys
from pathlib import Path
from typing import Any

import schemathesis

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.contract import World

_told = json.loads(os.environ["CONTRACT"])
_world = World(_told["url"], _told["database_url"], _told["kind"], _told["keys"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Fills in ids. A stream has no end, so a second of it must do."""
    _world.fill(case)
    if case.operation.path == "/api/rows/stream/":
        kwargs["timeout"] = 1


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Counts, and makes again what is gone."""
    _world.mend(case, response.status_code)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """What the server's parser refuses, such as a URL over 64 kB, never comes to the application."""
    return bool(response.content != b"Invalid HTTP request received.")


@atexit.register
def _report() -> None:
    Path(_told["counts"]).write_text(json.dumps(_world.statuses), encoding="utf-8")
