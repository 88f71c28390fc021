"""Returns unused memory of the allocators to the system."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa


def release() -> None:
    """Returns memory that Arrow and the C library hold without use. Blocks, for some 10 to 80 ms."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # C libraries other than GNU's have no malloc_trim, and do not need it.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
