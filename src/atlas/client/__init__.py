"""The Python client of Atlas. It needs none of the server's libraries; data frames need an extra.

    from atlas import Client

    with Client("http://127.0.0.1:8000", "atlas_live_sk_…") as client:
        client.datasets.create("btc_hourly")
        client.rows.bulk_insert("btc_hourly", [{"timestamp": "2026-01-05T10:00:00Z", "open": 104500}])

`AsyncClient` has the same methods for asyncio.
"""

from atlas.client._async.client import AsyncClient
from atlas.client._async.questions import AsyncAnswer
from atlas.client._sync.client import Client
from atlas.client._sync.questions import Answer
from atlas.client.errors import (
    ApiError,
    AtlasClientError,
    AuthenticationFailed,
    ConnectionFailed,
    DataError,
    Forbidden,
    Invalid,
    MissingExtra,
    NotFound,
    ProfileError,
    RateLimited,
    ServerFault,
    Unavailable,
    WaitTimeout,
    WebhookRefused,
)
from atlas.client.events import Connected, Heartbeat, NewRow, StreamEvent
from atlas.client.results import Result, ResultColumn, Rows
from atlas.client.webhook_events import (
    ImportFailed,
    ImportNeedsReview,
    ImportSucceeded,
    IssuesWaiting,
    UnknownEvent,
    WebhookEvent,
    read_webhook,
)

__all__ = [
    "Answer",
    "ApiError",
    "AsyncAnswer",
    "AsyncClient",
    "AtlasClientError",
    "AuthenticationFailed",
    "Client",
    "Connected",
    "ConnectionFailed",
    "DataError",
    "Forbidden",
    "Heartbeat",
    "ImportFailed",
    "ImportNeedsReview",
    "ImportSucceeded",
    "Invalid",
    "IssuesWaiting",
    "MissingExtra",
    "NewRow",
    "NotFound",
    "ProfileError",
    "RateLimited",
    "Result",
    "ResultColumn",
    "Rows",
    "ServerFault",
    "StreamEvent",
    "Unavailable",
    "UnknownEvent",
    "WaitTimeout",
    "WebhookEvent",
    "WebhookRefused",
    "read_webhook",
]
