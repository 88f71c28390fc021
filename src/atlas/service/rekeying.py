"""New keys for rows whose key columns have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from atlas.core.tables import Table
from atlas.readers.key_rows import row_keys
from atlas.store import loading
from atlas.store.database import Connection


async def rekey(connection: Connection, table: Table, rows: Sequence[int] | None) -> None:
    """Computes the keys of the rows numbered `rows`, or of all, within the transaction."""
    if rows is not None and not rows:
        return
    texts = await loading.key_texts(connection, table, rows)
    await loading.set_keys(connection, table, await asyncio.to_thread(row_keys, texts, table.columns, table.key))
