"""Where the first key goes: to whoever looks, and to no journal."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from atlas.cli.first_key import show_first_key

KEY = "atlas_live_sk_" + "x" * 32


def test_it_is_printed_to_a_terminal_a_pipe_or_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    show_first_key(KEY, tmp_path / "data", "auto")
    assert KEY in capfd.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_journal_gets_the_name_of_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.fstat(sys.stderr.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    for _ in range(2):
        show_first_key(KEY, tmp_path / "data", "auto")
        told = capfd.readouterr().err
        file = tmp_path / "data" / "first.key"
        assert KEY not in told
        assert str(file) in told
        assert file.read_text() == f"{KEY}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 or os.name == "nt"
    # A shell within a service: its standard error is no longer the journal.
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    show_first_key(KEY, tmp_path / "data", "auto")
    assert KEY in capfd.readouterr().err


def test_a_key_that_cannot_be_written_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    show_first_key(KEY, tmp_path / "file" / "data", "file")
    assert KEY in capfd.readouterr().err
