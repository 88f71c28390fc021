"""The tables that the queries in the tests of the gate for SQL are about."""

from __future__ import annotations

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable


def column(name: str, kind: str = "text", physical: str = "") -> CatalogColumn:
    return CatalogColumn(name, kind, physical)


CATALOG = Catalog(
    (
        CatalogTable(
            "leads",
            "org_1",
            "_table_1",
            (
                column("id", "bigint"),
                column("name"),
                column("email"),
                column("state"),
                column("amount", "numeric"),
                column("created_at", "timestamptz"),
            ),
        ),
        CatalogTable(
            "orders",
            "org_1",
            "_table_2",
            (
                column("id", "bigint"),
                column("lead_id", "bigint"),
                column("total", "numeric"),
                column("Größe"),
                column("order", "int"),
            ),
        ),
        CatalogTable(
            "prices",
            "org_1",
            "dataset_7",
            (column("ts", "timestamptz"), column("Close Price", "float8", "c1"), column("xmin", "text", "c2")),
            kind="dataset",
        ),
        CatalogTable(
            "Mixed",
            "org_1",
            "_table_4",
            (column("a"), column("A"), column('q"x'), column("b", "int", "stored_b")),
        ),
    )
)
