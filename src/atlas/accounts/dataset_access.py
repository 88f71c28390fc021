"""Queries of users' rights on datasets."""

from __future__ import annotations

from collections.abc import Collection

from atlas.accounts.access import Access
from atlas.db.binary_values import INT4, arrays
from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.db.prepared import statement_of

_ACCESS = statement_of(queries("accounts/dataset_access")["access"], "users", "ids")


async def access(database: Database, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Access]:
    """Returns the rights of users on datasets, by pairs (user id, dataset id). Missing datasets are left out."""
    users, ids = [user for user, _ in pairs], [dataset for _, dataset in pairs]
    rows = await database.find(_ACCESS, arrays(INT4, users), arrays(INT4, ids))
    return {(user, dataset): Access(is_owner, tuple(tags)) for user, dataset, is_owner, tags in rows}


async def readable_pairs(database: Database, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Returns those pairs (key id, dataset id) whose key is live and may read the dataset."""
    keys, datasets = [key for key, _ in pairs], [dataset for _, dataset in pairs]
    rows = await database.fetch(queries("accounts/dataset_access")["readable_pairs"], keys=keys, datasets=datasets)
    return {(key, dataset) for key, dataset in rows}
