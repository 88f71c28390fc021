"""Limits of CPU time that hold on a slow machine as well."""

from __future__ import annotations

import time

# What the work below takes on a machine where the limits were set with room to spare.
USUAL_SECONDS = 0.045


def limit(seconds: float) -> float:
    """`seconds` on a usual machine, and as many times more as this one is slower at the moment."""
    return seconds * max(1.0, min(_took() for _ in range(3)) / USUAL_SECONDS)


def _took() -> float:
    started = time.process_time()
    number = 0
    for step in range(1_000_000):
        number += step
    return time.process_time() - started
