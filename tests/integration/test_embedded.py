"""The embedded PostgreSQL's folders, its socket where paths are long, and clusters of other versions."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.conftest import open_folder
from tests.integration.test_backup import contents

from atlas.backup.service import BackupService
from atlas.db import embedded, postgres_programs
from atlas.db.database import Database
from atlas.db.embedded import ClusterVersionError, EmbeddedError, EmbeddedPostgres
from atlas.kit.private_folders import FolderError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes, owners and sockets in folders are POSIX's")
OLDER = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def long_path(folder: Path) -> Path:
    """A data folder whose socket would not fit an address."""
    return folder / ("deep" * 20) / "data"


def test_folders_are_closed_and_the_socket_of_a_long_path_is_nobodys_to_take(folder: Path) -> None:
    data = long_path(folder)
    with EmbeddedPostgres(data).serve() as url:
        assert "require_auth=scram-sha-256" in url
        sockets = Path((data / "postgres.socket").read_text())
        assert mode(data) == mode(sockets) == mode(data / "postgres") == 0o700
        assert mode(data / "postgres.socket") == mode(data / "postgres.password") == 0o600
        assert sockets.parent == Path(tempfile.gettempdir())
        with psycopg.connect(EmbeddedPostgres(data).url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    # Somebody else's folder in its place, as after a cleaner of the temporary folder: another one is made.
    shutil.rmtree(sockets, ignore_errors=True)
    sockets.mkdir()
    sockets.chmod(0o777)
    with pytest.raises(EmbeddedError, match="open to other users"):
        EmbeddedPostgres(data).url()
    data.chmod(0o755)
    with EmbeddedPostgres(data).serve() as url:
        other = Path((data / "postgres.socket").read_text())
        assert other != sockets
        assert mode(data) == 0o700
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    sockets.rmdir()
    shutil.rmtree(other, ignore_errors=True)


def test_whoever_listens_in_its_place_gets_no_password(folder: Path) -> None:
    with EmbeddedPostgres(folder / "data").serve() as url:
        pass
    # As a server of somebody else's: it asks for the password in clear text.
    path = folder / "data" / "run" / ".s.PGSQL.5432"
    got: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            there, _ = listening.accept()
            with there:
                got.append(there.recv(4096))
                there.sendall(b"R\0\0\0\x08\0\0\0\x03")
                got.append(there.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(psycopg.OperationalError, match="authentication method requirement"):
            psycopg.connect(url, sslmode="disable", gssencmode="disable")
        thread.join()
    assert b"user" in got[0]
    assert got[1] == b""


def test_a_folder_of_others_is_refused_by_a_command_in_one_line(folder: Path) -> None:
    (folder / "letters").touch()
    with pytest.raises(EmbeddedError, match="files that are not Atlas's"), EmbeddedPostgres(folder).serve():
        pass
    assert mode(folder) == 0o755
    assert not issubclass(FolderError, EmbeddedError)


def test_a_cluster_of_another_major_version_is_refused(folder: Path) -> None:
    data = folder / "data"
    with EmbeddedPostgres(data).serve():
        pass
    (data / "postgres" / "PG_VERSION").write_text("19\n")
    before = sorted(path.name for path in data.iterdir())
    with pytest.raises(ClusterVersionError, match=r"PostgreSQL 19.*atlas admin backup.*upgrading\.md"):
        EmbeddedPostgres(data).serve().__enter__()
    with pytest.raises(ClusterVersionError):
        EmbeddedPostgres(data).join().__enter__()
    assert sorted(path.name for path in data.iterdir()) == before


@pytest.mark.skipif(not OLDER.exists(), reason="PostgreSQL 15 is not here")
def test_a_real_older_cluster_moves_by_backup_and_restore(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, file = folder / "old", folder / "new", folder / "backup.zip"
    with monkeypatch.context() as older:
        older.setattr(postgres_programs, "binaries", lambda: OLDER)
        older.setattr(embedded, "let_through", lambda path: None)
        with EmbeddedPostgres(old).serve() as url:
            Database(url, pool_size=2, statement_timeout=60).migrate()
            with psycopg.connect(url) as connection:
                assert connection.info.server_version < 160000
                connection.execute("INSERT INTO atlas.tags (name, is_public) VALUES ('ümlaut', true)")
            BackupService(url).create(file, verify=False, replace=False)
            before = contents(url)
    with pytest.raises(ClusterVersionError, match="PostgreSQL 15"):
        EmbeddedPostgres(old).serve().__enter__()
    with EmbeddedPostgres(new).serve() as url:
        BackupService(url).restore(file, replace=False)
        assert contents(url) == before
