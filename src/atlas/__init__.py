"""Atlas: time series and clean tables on PostgreSQL, behind one server and one API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The server does not need the client, and starts faster without it.
    if name in ("AsyncClient", "Client"):
        import atlas.client

        return getattr(atlas.client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
