"""Folders that are opened by their parent, one name at a time, and never through a link.

Root serves from a folder that another user could have prepared. So whatever is below the data
folder is reached from an open descriptor of a folder whose owner was looked at. The supervisor runs
this by path, before any package can be imported, so it imports nothing of ours.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CONTENT: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_MOST_LINKS: Final = 40
"""As Linux has it."""


class NotOurs(PermissionError):
    """Something is another user's, or open to other users; the message says what to do."""


def check_way(path: Path) -> None:
    """Refuse a path of root's on which another user could put something else.

    Every folder and every link on the way has to be root's, and no folder open to others, unless
    nobody can take away what is another's (sticky, as `/tmp`).

    Raises:
        NotOurs: Something on the way is not.
        OSError: It cannot be looked at.
    """
    if os.geteuid() != 0:
        return
    here, ahead, links = Path("/"), list(reversed(path.absolute().parts[1:])), 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            here = here.parent
            continue
        at = here / name
        try:
            found = at.lstat()
        except FileNotFoundError:
            return  # We make what is missing.
        if found.st_uid not in _roots():
            raise _of_another(at, found.st_uid)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise NotOurs(f"{path} leads in circles")
            target = at.readlink()
            if target.is_absolute():
                here = Path("/")
            ahead += reversed([part for part in target.parts if part != target.anchor])
            continue
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise NotOurs(f"others can write to {at}; chmod o-w it, or use another folder")
        here = at


def open_own(path: Path) -> int:
    """Open a folder of ours; make it, for us alone, if it is missing.

    Raises:
        NotOurs: It belongs to another user.
        OSError: It cannot be opened, or its last name is a link.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _ours(os.open(path, _FOLDER), path)


def open_private(path: Path) -> int:
    """Like `open_own`, and close it to others; refuse one that others could write to.

    Raises:
        NotOurs: It belongs to another user, or others could write to it.
        OSError: As `open_own`.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = _ours(os.open(path, _FOLDER), path)
    if os.fstat(folder).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(folder)
        raise NotOurs(f"others can write to {path}; remove it")
    os.fchmod(folder, 0o700)
    return folder


def open_below(parent: int, name: str) -> int:
    """Open a folder within an open one; make it, for us alone, if it is missing.

    Raises:
        OSError: It cannot be opened, or is a link or no folder.
    """
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def open_file(parent: int, name: str) -> int:
    """Open a file within an open folder, as it is; make it, for us alone, if it is missing.

    Raises:
        OSError: It cannot be opened, or is a link or no file.
    """
    file = os.open(name, _FILE, 0o600, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotOurs(f"{name} is no file; remove it")
    return file


def give(folder: int, user_id: int, group_id: int) -> None:
    """Give an open folder of root's to a user, with all that is in it.

    A link stays what it is, and so does what its name leads to. A file that has another name
    besides may be one of root's that somebody put there, and stays root's.
    """
    for inner in _opened(folder):
        found = os.fstat(inner)
        if stat.S_ISDIR(found.st_mode):
            give(inner, user_id, group_id)
        elif stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchown(inner, user_id, group_id)
    # Last: as long as it is not done, it will be done again.
    os.fchown(folder, user_id, group_id)


def path_of(folder: int, path: Path) -> Path:
    """Return a path by which a process that has inherited the descriptor reaches an open folder.

    On Linux this needs no permission for the folders above it, which may be root's alone.
    """
    return Path(f"/proc/self/fd/{folder}") if sys.platform == "linux" else path


def _ours(folder: int, path: Path) -> int:
    owner = os.fstat(folder).st_uid
    if owner == os.geteuid():
        return folder
    os.close(folder)
    raise _of_another(path, owner)


def _of_another(path: Path, owner: int) -> NotOurs:
    return NotOurs(
        f"{path} belongs to the user {owner}; run relayscope as that user, or with another folder"
    )


def _roots() -> set[int]:
    """Return the ids that root's folders have: in a container, also that of users outside of it."""
    whole = "4294967295"
    try:
        if Path("/proc/self/uid_map").read_text().split()[-1] == whole:
            return {0}
        return {0, int(Path("/proc/sys/kernel/overflowuid").read_text())}
    except (OSError, ValueError, IndexError):
        return {0}


def _opened(folder: int) -> Iterator[int]:
    for name in os.listdir(folder):
        with suppress(OSError), _content(folder, name) as inner:
            yield inner


@contextmanager
def _content(folder: int, name: str) -> Iterator[int]:
    inner = os.open(name, _CONTENT, dir_fd=folder)
    try:
        yield inner
    finally:
        os.close(inner)
