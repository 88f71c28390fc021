"""Creates or refuses folders so that nobody else may enter them. On Windows a user's folders are private already."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Collection
from pathlib import Path

# Created by a file system in the folder where it is mounted.
_NOBODYS = {"lost+found"}
_OURS = 0o700


class FolderError(Exception):
    """A folder that others may enter or own, or a path that is no folder."""


def make_private(path: Path, owners: Collection[int]) -> None:
    """Creates a folder with mode 0700, or accepts an existing folder of that mode. Raises FolderError otherwise.

    owners: ids of the system users that may own the folder. Missing parents are created.
    """
    if sys.platform == "win32":
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=_OURS)
    except FileExistsError:
        check_private(path, owners)


def check_private(path: Path, owners: Collection[int]) -> None:
    """Raises FolderError unless a path is a folder of these users with mode 0700. Symbolic links are not followed."""
    if sys.platform == "win32":
        return
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise FolderError(f"{path} is missing") from None
    _refuse_strange(path, found, owners)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise FolderError(f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}); remove it")


def _refuse_strange(path: Path, found: os.stat_result, owners: Collection[int]) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise FolderError(f"{path} is no folder; remove it, or choose another --data-dir")
    if found.st_uid not in owners:
        raise FolderError(
            f"{path} belongs to another user (id {found.st_uid}); remove it, or choose another --data-dir"
        )


def make_data_folder(path: Path, owners: Collection[int], marks: Collection[str]) -> bool:
    """Creates the data folder with mode 0700, or accepts an existing folder.

    Returns whether a folder in use was open to others; such a folder is closed. owners: as for `make_private`. marks:
    names of files that identify a data folder.
    Raises FolderError for a folder that is open to others and holds other files, because others may need that folder.
    """
    if sys.platform == "win32":
        path.mkdir(parents=True, exist_ok=True)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=_OURS)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise FolderError(f"{path} cannot be used as a folder: {error.strerror}") from None
    try:
        found = os.fstat(handle)
        _refuse_strange(path, found, owners)
        if not stat.S_IMODE(found.st_mode) & 0o077:
            return False
        names = set(os.listdir(handle)) - _NOBODYS
        if names and not names & set(marks):
            raise FolderError(
                f"{path} is open to other users and holds files that are not Atlas's; choose another --data-dir, or "
                "chmod 700 it"
            )
        os.fchmod(handle, _OURS)
        return bool(names)
    finally:
        os.close(handle)


def let_through(path: Path) -> None:
    """Lets every user pass the folders above a path, and gives no other right."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o011 != 0o011:
            folder.chmod(mode | 0o011)
