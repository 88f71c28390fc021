"""The client without asyncio. scripts/make_sync.py makes this package from `_async`, except `waiting.py`."""
