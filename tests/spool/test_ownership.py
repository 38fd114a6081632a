"""Files and folders of others are not opened, and what they lead to is left alone."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from relayscope.spool import Spool, SpoolUnavailable, check_folder, open_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STRANGER = 54321
"""A user's number that nobody has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "target")


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))


def _writable_by_others(path: Path) -> None:
    path.write_text("kept")
    path.chmod(0o602)


def _of_a_stranger(path: Path) -> None:
    path.write_text("kept")
    os.chown(path, STRANGER, STRANGER)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR])
@pytest.mark.parametrize(
    "make",
    [
        _link,
        os.mkfifo,
        _folder,
        _socket,
        _writable_by_others,
        pytest.param(_of_a_stranger, marks=as_root),
    ],
)
def test_what_is_not_ours_is_not_opened(
    make: Callable[[Path], None], flags: int, tmp_path: Path
) -> None:
    """A link, a pipe, what others can write to: refused at once, and as it was."""
    target = tmp_path / "target"
    target.write_text("kept")
    path = tmp_path / "name"
    make(path)

    with pytest.raises(OSError, match="name"):
        os.close(open_own(path, flags))

    assert target.read_text() == "kept"
    if path.is_file():
        assert path.read_text() == "kept"


def test_what_is_ours_is_opened_made_and_emptied(tmp_path: Path) -> None:
    """A file of our own is as `os.open` has it, and private when it is made."""
    path = tmp_path / "name"
    descriptor = open_own(path, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"text")
    os.close(descriptor)
    assert path.stat().st_mode & 0o777 == 0o600

    os.close(open_own(path, os.O_RDWR))
    assert path.read_bytes() == b"text"
    os.close(open_own(path, os.O_WRONLY | os.O_TRUNC))
    assert path.read_bytes() == b""


def _linked_folder(folder: Path) -> None:
    (folder.parent / "target").mkdir()
    folder.symlink_to(folder.parent / "target")


def _open_folder(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _folder_of_a_stranger(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, STRANGER, STRANGER)


@pytest.mark.parametrize(
    "make",
    [_linked_folder, _open_folder, pytest.param(_folder_of_a_stranger, marks=as_root)],
)
def test_no_spool_is_made_in_a_folder_that_is_not_ours(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    """A user who can write to the folder could replace anything in it."""
    root = tmp_path / "root"
    make(root)

    with pytest.raises(PermissionError, match="root"):
        check_folder(root)
    with pytest.raises(SpoolUnavailable, match="root"):
        Spool.create(root)

    assert list(root.iterdir()) == []
