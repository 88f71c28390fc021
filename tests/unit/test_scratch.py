"""Temporary files of servers: below the data folder, for nobody else, and gone with their process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.kit.private_folders import FolderError
from atlas.kit.scratch_files import NAME, sweep, use_scratch

SERVER = """
import sys, tempfile
from pathlib import Path
from atlas.kit.scratch_files import use_scratch
from starlette.formparsers import SpooledTemporaryFile
own = use_scratch(Path(sys.argv[1]))
with tempfile.NamedTemporaryFile(delete=False) as file, SpooledTemporaryFile(max_size=1) as spooled:
    spooled.write(b"more than fits")
    assert Path(file.name).parent == own and own.stat().st_mode & 0o777 == 0o700
    print(own, flush=True)
    sys.stdin.read()
"""


def start(data: Path) -> tuple[subprocess.Popen[str], Path]:
    command = [sys.executable, "-c", SERVER, str(data)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_files_go_with_their_process(tmp_path: Path) -> None:
    killed, first = start(tmp_path)
    living, second = start(tmp_path)
    with killed, living:
        assert first != second
        assert list(first.iterdir())
        killed.kill()
        killed.wait()
        assert first.exists()
        sweep(tmp_path / NAME)
        assert not first.exists()
        assert list(second.iterdir())
        living.communicate("")
        assert living.returncode == 0
    assert not list((tmp_path / NAME).iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME).chmod(0o755)
    with pytest.raises(FolderError, match="open to other users"):
        use_scratch(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FolderError, match="cannot be used"):
        use_scratch(tmp_path / "file")
