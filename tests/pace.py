"""Limits of CPU time that hold on a slow machine as well."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# What the work below takes on a machine where the limits were set with room to spare.
USUAL_SECONDS = 0.045


def takes_less(seconds: float, action: Callable[[], object]) -> bool:
    """Whether `action` needs less CPU than `seconds` of a usual machine, or than this one needs for as much now.

    Collecting what thousands of tests have left, and the end of a thread of another, are not the action's time but may
    fall into it, so it may try again.
    """
    for _ in range(3):
        took = _took(action)
        if took < seconds or took < seconds * min(_took(_work) for _ in range(3)) / USUAL_SECONDS:
            return True
        gc.collect()
    return False


def _work() -> None:
    number = 0
    for step in range(1_000_000):
        number += step


def _took(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started
