"""Folders of ours: nobody else's are taken, open ones are closed or refused, links are not followed."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from atlas.kit.private_folders import FolderError, check_private, let_through, make_data_folder, make_private

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes and owners are POSIX's")
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def me() -> set[int]:
    return {os.geteuid()}


def test_a_private_folder_is_made_with_its_parents_and_taken_again(tmp_path: Path) -> None:
    wanted = tmp_path / "a" / "b"
    make_private(wanted, me())
    assert mode(wanted) == 0o700
    make_private(wanted, me())
    check_private(wanted, me())


@pytest.mark.parametrize("found", [0o777, 0o755, 0o710, 0o1777, 0o701])
def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, found: int) -> None:
    wanted = tmp_path / "run"
    wanted.mkdir()
    wanted.chmod(found)
    with pytest.raises(FolderError, match="open to other users"):
        make_private(wanted, me())


def test_links_and_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for name in ("link", "dangling", "file"):
        with pytest.raises(FolderError, match="is no folder"):
            make_private(tmp_path / name, me())
    with pytest.raises(FolderError, match="cannot be used"):
        make_data_folder(tmp_path / "link", me(), ())


@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="only root gives folders away")
def test_a_strangers_folder_is_refused(tmp_path: Path) -> None:
    wanted = tmp_path / "run"
    wanted.mkdir(mode=0o700)
    os.chown(wanted, NOBODY, NOBODY)
    with pytest.raises(FolderError, match="belongs to another user"):
        make_private(wanted, me())
    with pytest.raises(FolderError, match="belongs to another user"):
        make_data_folder(wanted, me(), ())
    make_private(wanted, me() | {NOBODY})


def test_of_several_at_once_each_has_the_folder(tmp_path: Path) -> None:
    wanted, failed = tmp_path / "run", list[Exception]()

    def make() -> None:
        try:
            make_private(wanted, me())
        except FolderError as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert mode(wanted) == 0o700


def test_a_data_folder_is_closed_unless_it_holds_what_is_not_ours(tmp_path: Path) -> None:
    wanted = tmp_path / "data"
    assert not make_data_folder(wanted, me(), ("server.lock",))
    assert mode(wanted) == 0o700
    wanted.chmod(0o755)
    (wanted / "lost+found").mkdir()
    assert not make_data_folder(wanted, me(), ("server.lock",))
    assert mode(wanted) == 0o700
    for others, ours in (("letters", False), ("letters", True)):
        (wanted / others).touch()
        if ours:
            (wanted / "server.lock").touch()
        wanted.chmod(0o755)
        if ours:
            assert make_data_folder(wanted, me(), ("server.lock",))
            assert mode(wanted) == 0o700
        else:
            with pytest.raises(FolderError, match="not Atlas's"):
                make_data_folder(wanted, me(), ("server.lock",))
            assert mode(wanted) == 0o755


def test_folders_above_are_opened_to_pass_and_not_to_read(tmp_path: Path) -> None:
    above = tmp_path / "home"
    (above / "data").mkdir(parents=True)
    above.chmod(0o700)
    let_through(above / "data")
    assert mode(above) == 0o711
