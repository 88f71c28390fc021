"""The client for asyncio. `_sync` is made from this package by scripts/make_sync.py, all but `waiting.py`."""
