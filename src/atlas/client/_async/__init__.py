"""The client for asyncio. scripts/make_sync.py makes `_sync` from this package, except `waiting.py`."""
