"""The commands of the README, the tutorial and the recipes work as they are written."""

from __future__ import annotations

import os
import shutil
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import dev
import psycopg
import pytest
from docs._ext.demo_server import demo_server
from tests.docs.scripts import CURL, ROOT, Server, adapt, blocks, clean_environment, run, shell
from tests.integration.test_server import free_port
from tests.terminals import terminal_of, terminals

from atlas.db.embedded import EmbeddedPostgres

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not (shutil.which("curl") and shutil.which("sh")), reason="needs sh and curl"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A new installation, which the tutorial and the recipes share."""
    with demo_server() as (url, key, data_dir):
        yield Server(url, key, data_dir)


@terminals
def test_readme_as_a_reader_types_it(tmp_path: Path) -> None:
    """Every block of a shell as it is printed, in a checkout that nothing was done in. Port and key are others."""
    folder, port = fresh_checkout(tmp_path), free_port()
    environment = clean_environment() | {
        "ATLAS_PORT": str(port),
        "ATLAS_DATA_DIR": str(tmp_path / "data"),
        "ATLAS_CONFIG_DIR": str(tmp_path / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    start, *tour = blocks("README.md", "sh")
    with terminal_of(["bash", "-ec", start], environment, cwd=folder) as server:
        server.until("atlas_live_sk_", seconds=90)
        server.until(f":{port}/docs", seconds=90)
        key = server.find(r"atlas_live_sk_\w+")
        script = adapt("\n".join(tour), {"127.0.0.1:8000": f"127.0.0.1:{port}", "atlas_live_sk_…": key})
        (folder / "tour.sh").write_text(f"{CURL}\n{script}\necho the end", encoding="utf-8")
        with terminal_of(["bash", "-e", "tour.sh"], environment, cwd=folder) as shown:
            shown.until('"inserted":5')
            shown.until("API key: ", seconds=90)
            shown.press(f"{key}\n")
            shown.until("Validation failure 1 of 1", seconds=90)
            shown.until("all the rest")
            shown.press("n")
            shown.until("0 decided, 1 still waiting")
            shown.until("busy")
            shown.interrupt()
            shown.until("the end")
            assert shown.wait() == 0, shown.shown
        assert "event: connected" in shown.shown
        assert '"error":"' not in shown.shown
        assert '"detail"' not in shown.shown
        server.interrupt()
        assert server.wait() in (0, 130), server.shown
        # Libraries whose objects outlive the interpreter say so.
        assert "leaked" not in server.shown


def test_readme_on_windows_names_what_is_there() -> None:
    (block,) = blocks("README.md", "powershell")
    assert block.split("#")[0].strip() == r".venv\Scripts\activate"


def fresh_checkout(folder: Path) -> Path:
    """What the README's first command finds, with the packages by a path, as a network may not be there."""
    made = folder / "atlas"
    made.mkdir()
    for name in ("dev.py", "README.md", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, made)
    (made / "src").symlink_to(ROOT / "src")
    venv.create(made / ".venv", symlinks=True)
    (packages,) = (made / ".venv" / "lib").glob("python*/site-packages")
    paths = [str(ROOT / "src"), *(path for path in sys.path if path.endswith("-packages"))]
    (packages / "here.pth").write_text("\n".join(paths), encoding="utf-8")
    program = made / ".venv" / "bin" / "atlas"
    program.write_text(f"#!{made}/.venv/bin/python\nfrom atlas.cli.main import main\nmain()\n", encoding="utf-8")
    program.chmod(0o755)
    (made / ".venv" / "installedserver").write_text(dev.wanted(), encoding="ascii")
    return made


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
