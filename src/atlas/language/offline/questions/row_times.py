"""Adds the times of creation and change to tables that have no such columns of their own."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable
from atlas.language.offline.questions.schema_linking import TEMPORAL
from atlas.language.offline.questions.tokenizer import parts, stem

# Stems of columns with other times than the row's creation, such as a birthday.
OTHER_TIMES = ("updat", "modif", "end", "finish", "birth", "dob", "due", "expir", "delet", "last", "term")
_MEANINGS = {
    "created_at": "created_at is when Atlas got the row",
    "updated_at": "updated_at is when the row last changed in Atlas",
}


@lru_cache(maxsize=32)
def add_row_times(catalog: Catalog) -> Catalog:
    """Returns the catalog with `created_at` and `updated_at` in the tables that have no time of creation of their own."""
    return msgspec.structs.replace(catalog, tables=tuple(map(_extend, catalog.tables)))


def meanings(sql: str, catalog: Catalog) -> tuple[str, ...]:
    """Explains the row times that a query uses, for the assumptions of the answer."""
    named = set(re.findall(r"\w+", sql))
    tables = [table for table in catalog.tables if table.name in named and _extend(table) is not table]
    return tuple(
        told for name, told in _MEANINGS.items() if name in named and any(name in table.row_times for table in tables)
    )


def _extend(table: CatalogTable) -> CatalogTable:
    if not table.row_times or any(_is_row_time(column) for column in table.columns):
        return table
    times = tuple(CatalogColumn(name, "timestamp") for name in table.row_times)
    return msgspec.structs.replace(table, columns=table.columns + times)


def _is_row_time(column: CatalogColumn) -> bool:
    stems = [stem(part) for part in parts(column.name)]
    return column.type in TEMPORAL and not any(one.startswith(OTHER_TIMES) for one in stems)
