"""Classes of the parts of a client: `client.rows` is a `Rows`, `client.tables` is a `Tables`, and so on.

These names are public, for annotations and for the reference. Clients make the objects.
"""

from atlas.client._async.admin import AsyncAdmin
from atlas.client._async.datasets import AsyncDatasets, AsyncTags
from atlas.client._async.imports import AsyncImports
from atlas.client._async.questions import AsyncGlossary, AsyncQuestions, AsyncVerified
from atlas.client._async.rows import AsyncRows
from atlas.client._async.saved import AsyncFavourites, AsyncSavedQueries
from atlas.client._async.settings import AsyncKeys, AsyncModelSettings, AsyncWebhooks
from atlas.client._async.tables import AsyncTables
from atlas.client._sync.admin import Admin
from atlas.client._sync.datasets import Datasets, Tags
from atlas.client._sync.imports import Imports
from atlas.client._sync.questions import Glossary, Questions, Verified
from atlas.client._sync.rows import Rows
from atlas.client._sync.saved import Favourites, SavedQueries
from atlas.client._sync.settings import Keys, ModelSettings, Webhooks
from atlas.client._sync.tables import Tables

__all__ = [
    "Admin",
    "AsyncAdmin",
    "AsyncDatasets",
    "AsyncFavourites",
    "AsyncGlossary",
    "AsyncImports",
    "AsyncKeys",
    "AsyncModelSettings",
    "AsyncQuestions",
    "AsyncRows",
    "AsyncSavedQueries",
    "AsyncTables",
    "AsyncTags",
    "AsyncVerified",
    "AsyncWebhooks",
    "Datasets",
    "Favourites",
    "Glossary",
    "Imports",
    "Keys",
    "ModelSettings",
    "Questions",
    "Rows",
    "SavedQueries",
    "Tables",
    "Tags",
    "Verified",
    "Webhooks",
]
