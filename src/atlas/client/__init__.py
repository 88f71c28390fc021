"""The Python client of Atlas. The client needs none of the server's libraries; data frames need an extra.

    from atlas import Client

    with Client("http://127.0.0.1:8000", "atlas_live_sk_…") as client:
        client.datasets.create("btc_hourly")
        client.rows.bulk_insert("btc_hourly", [{"timestamp": "2026-01-05T10:00:00Z", "open": 104500}])

`AsyncClient` has the same methods for asyncio. This module exports the public interface: the clients, the types of
answers, events and errors. The parts of a client, such as `client.rows`, are classes of `atlas.client.resources`.
"""

from atlas.client._async.client import AsyncClient
from atlas.client._async.questions import AsyncAnswer
from atlas.client._sync.client import Client
from atlas.client._sync.questions import Answer
from atlas.client.errors import (
    ApiError,
    AtlasClientError,
    AuthenticationFailed,
    Conflict,
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
from atlas.client.events import Connected, CorrectedRow, Heartbeat, NewRow, StreamEvent
from atlas.client.profiles import Profile
from atlas.client.results import Result, Rows
from atlas.client.types import (
    Aggregate,
    Bucket,
    DatasetSummary,
    Inserted,
    InsertedRow,
    ReplacedRow,
    Row,
    RowPage,
    RowsPreview,
)
from atlas.client.webhook_events import (
    ImportFailed,
    ImportNeedsReview,
    ImportSucceeded,
    IssuesWaiting,
    UnknownEvent,
    WebhookEvent,
    read_webhook,
)
from atlas.contract.accounts import (
    Access,
    DayUsage,
    Key,
    KeyUsage,
    Me,
    NewKey,
    NewOwnedKey,
    Organization,
    OwnedKey,
    Storage,
    Tag,
    Usage,
    User,
)
from atlas.contract.datasets import Column, Dataset
from atlas.contract.imports import (
    Clause,
    ImportDetail,
    ImportInfo,
    ImportResult,
    Preview,
    Progress,
    Proposal,
    Undone,
)
from atlas.contract.issues import Corrected, Issues
from atlas.contract.questions import GeneratedSql, ResultColumn
from atlas.contract.records import Recorded, RowChange, TablePage, Updated
from atlas.contract.rows import Series
from atlas.contract.saved import Favourite, SavedQuery
from atlas.contract.system import Health
from atlas.contract.tables import Table, TableColumn, TableStats

__all__ = [
    "Access",
    "Aggregate",
    "Answer",
    "ApiError",
    "AsyncAnswer",
    "AsyncClient",
    "AtlasClientError",
    "AuthenticationFailed",
    "Bucket",
    "Clause",
    "Client",
    "Column",
    "Conflict",
    "Connected",
    "ConnectionFailed",
    "Corrected",
    "CorrectedRow",
    "DataError",
    "Dataset",
    "DatasetSummary",
    "DayUsage",
    "Favourite",
    "Forbidden",
    "GeneratedSql",
    "Health",
    "Heartbeat",
    "ImportDetail",
    "ImportFailed",
    "ImportInfo",
    "ImportNeedsReview",
    "ImportResult",
    "ImportSucceeded",
    "Inserted",
    "InsertedRow",
    "Invalid",
    "Issues",
    "IssuesWaiting",
    "Key",
    "KeyUsage",
    "Me",
    "MissingExtra",
    "NewKey",
    "NewOwnedKey",
    "NewRow",
    "NotFound",
    "Organization",
    "OwnedKey",
    "Preview",
    "Profile",
    "ProfileError",
    "Progress",
    "Proposal",
    "RateLimited",
    "Recorded",
    "ReplacedRow",
    "Result",
    "ResultColumn",
    "Row",
    "RowChange",
    "RowPage",
    "Rows",
    "RowsPreview",
    "SavedQuery",
    "Series",
    "ServerFault",
    "Storage",
    "StreamEvent",
    "Table",
    "TableColumn",
    "TablePage",
    "TableStats",
    "Tag",
    "Unavailable",
    "Undone",
    "UnknownEvent",
    "Updated",
    "Usage",
    "User",
    "WaitTimeout",
    "WebhookEvent",
    "WebhookRefused",
    "read_webhook",
]
