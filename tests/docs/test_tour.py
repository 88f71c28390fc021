"""The commands of the README, the tutorial and the recipes work as they are written, on one server."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from docs._ext.demo_server import demo_server
from tests.docs.scripts import Server, blocks, run, shell

from atlas.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not (shutil.which("curl") and shutil.which("sh")), reason="needs sh and curl"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A new installation, which the pages share; the README comes first, as its datasets have the ids 1 and 2."""
    with demo_server() as (url, key, data_dir):
        yield Server(url, key, data_dir)


def test_readme(server: Server, tmp_path: Path) -> None:
    # The first block starts the server.
    script = "\n".join(blocks("README.md", "sh")[1:])
    said = run(shell(script, server, {"python3 dev.py run python": f"'{sys.executable}'"}), server, tmp_path)
    assert '"inserted":560' in said
    assert "event: connected" in said


def test_tutorial(server: Server, tmp_path: Path) -> None:
    (code,) = blocks("docs/tutorial.md", "python")
    (tmp_path / "step.py").write_text(code, encoding="utf-8")
    script = "\n".join(blocks("docs/tutorial.md", "sh"))
    changes = {
        # One answer is meant to be a 403.
        "curl -o refused.json": "command curl\t-sS -o refused.json",
        # Python's turn comes before the dataset is deleted.
        "atlas admin backup": f"'{sys.executable}' step.py\natlas admin backup",
    }
    said = run(shell(script, server, changes), server, tmp_path)
    assert "North" in said
    assert (tmp_path / "tutorial.zip").exists()


def test_recipes(server: Server, tmp_path: Path) -> None:
    script = "\n".join(blocks("docs/recipes.md", "sh"))
    said = run(shell(f"{script}\necho dataset=$DATASET", server, {}), server, tmp_path)
    dataset = said.rpartition("dataset=")[2].strip()
    codes = blocks("docs/recipes.md", "python")
    assert len(codes) == 3
    for code in codes:
        assert "load" in run([sys.executable, "-c", code], server, tmp_path, DATASET=dataset)
    with psycopg.connect(EmbeddedPostgres(server.data_dir).url(), autocommit=True) as connection:
        row = connection.execute("SELECT table_schema FROM atlas.datasets WHERE id = %s", (dataset,)).fetchone()
        assert row is not None
        (statements,) = blocks("docs/recipes.md", "sql")
        for name, own in {"org_0123456789ab": row[0], "dataset_1": f"dataset_{dataset}"}.items():
            assert name in statements
            statements = statements.replace(name, own)
        connection.execute(statements)
        connection.execute("SET ROLE grafana")
        seen = connection.execute(
            f"SELECT ts AS time, load FROM {row[0]}.dataset_{dataset}"
            " WHERE ts BETWEEN '2026-01-05T10:00:00Z' AND '2026-01-05T10:03:00Z' ORDER BY ts"
        ).fetchall()
        assert [load for _, load in seen] == [0.5, 0.7, 0.9, 0.4]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM atlas.api_keys")
