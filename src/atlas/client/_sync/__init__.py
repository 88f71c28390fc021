"""The client without asyncio, made from `_async` by scripts/make_sync.py, all but `waiting.py`."""
