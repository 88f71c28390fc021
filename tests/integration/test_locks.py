"""Locks that long transactions hold on rows of the catalog: what others store beside them does not wait."""

from __future__ import annotations

import asyncio
import re
from typing import LiteralString

import psycopg
import pytest
from tests.conftest import People, caller_of
from tests.rules.test_queries import FILES

from atlas.db import executor
from atlas.db.database import Database
from atlas.db.named_queries import parts_of, queries
from atlas.webhooks import repository as webhooks

pytestmark = pytest.mark.anyio
IMPORT = "0f9d5c1e-1f6b-4c57-9f0e-3a2f2c9f7a10"
OWNER = "(SELECT id FROM atlas.users WHERE name = 'owner')"
ACME = "(SELECT organization_id FROM atlas.users WHERE name = 'owner')"
KEY = "(SELECT min(k.id) FROM atlas.api_keys k JOIN atlas.users u ON u.id = k.user_id WHERE u.name = 'owner')"
MADE = (
    "UPDATE atlas.users SET role = 'operator' WHERE name = 'owner'",
    "INSERT INTO atlas.imports (id, public_id, organization_id, user_id, kind, status)"
    f" VALUES ('{IMPORT}', '{IMPORT}', {ACME}, {OWNER}, 'import', 'running')",
)
DELIVERY = (
    "INSERT INTO atlas.webhook_deliveries (organization_id, import_id, url, payload)"
    f" VALUES ({ACME}, '{IMPORT}', '', '')"
)


def test_no_statement_locks_the_keys_of_rows_that_others_refer_to(database_url: str) -> None:
    """FOR UPDATE does, which every new reference waits for; FOR NO KEY UPDATE keeps writers apart as well."""
    with psycopg.connect(database_url) as connection:
        query = "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        referred = {name for (name,) in connection.execute(query)}
    assert "atlas.users" in referred
    found = {}
    for file in FILES:
        for part in parts_of(file.read_text("utf-8")):
            if locked := re.search(r"\bFOR UPDATE\b(?: OF (\w+))?", part.text):
                alias = rf" {locked[1]}\b" if locked[1] else ""
                table = re.search(rf"\b(?:FROM|JOIN) (atlas\.\w+){alias}", part.text)
                assert table is not None, part.name
                found[part.name] = table[1]
    assert "lock_issues" in found
    assert {name: table for name, table in found.items() if table in referred} == {}


@pytest.mark.parametrize(
    ("topic", "query", "given", "stored"),
    [
        (
            "accounts/keys",
            "lock_operators",
            "1",
            f"INSERT INTO atlas.sessions (user_id, expires_at) VALUES ({OWNER}, now())",
        ),
        (
            "accounts/keys",
            "lock_own_key",
            f'{KEY} id, {OWNER} "user"',
            f"INSERT INTO atlas.key_usage (key_id, day) VALUES ({KEY}, now())",
        ),
        ("imports/imports", "lock_import", f"'{IMPORT}'::uuid id", DELIVERY),
        ("tables/tables", "lock_organization", f"{ACME} organization", DELIVERY),
    ],
)
async def test_references_are_stored_beside_a_lock(
    database: Database, topic: str, query: LiteralString, given: LiteralString, stored: LiteralString
) -> None:
    async with database.connection() as other, database.transaction() as holder:
        for statement in MADE:
            await other.execute(statement)
        parameters = await executor.record(other, "SELECT " + given)
        assert parameters is not None
        assert await executor.row(holder, queries(topic)[query], parameters)
        await other.execute("SET lock_timeout = '200ms'")
        assert (await other.execute(stored)).rowcount == 1
        await other.execute("RESET lock_timeout")


async def test_webhooks_are_signed_while_an_import_makes_a_table(database: Database, people: People) -> None:
    organization = (await caller_of(database, people.owner)).organization_id
    secret = await webhooks.secret(database, organization, "whsec_first")
    async with database.transaction() as holder:
        await holder.execute(queries("tables/tables")["lock_organization"], {"organization": organization})
        again = await asyncio.wait_for(webhooks.secret(database, organization, "whsec_second"), 10)
        assert again == secret == "whsec_first"
