"""Whose a file or a folder is: what somebody else has made, or can write to, is not used.

Spools may be in a folder that others can write to, such as the temporary one. There a name may lead
to a file of the user's own (a symbolic link), or to what keeps whoever opens it waiting (a FIFO).
"""

import errno
import os
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from relayscope.spool.opening import open_safely
from relayscope.spool.user import is_ours

_LINK_OR_FIFO = frozenset({errno.ELOOP, errno.ENXIO})


def open_own(path: Path, flags: int) -> int:
    """Open a regular file that is ours alone to write to, and return its descriptor.

    Args:
        path: The file; if it is made, then for its user alone.
        flags: As for `os.open`.

    Raises:
        PermissionError: It is something else, or somebody else's; nothing of it was changed.
        OSError: It cannot be opened.
    """
    try:
        descriptor = open_safely(path, flags & ~os.O_TRUNC)
    except OSError as error:
        if error.errno in _LINK_OR_FIFO:
            raise _not_ours(path, "is a link or a pipe") from error
        raise
    try:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_own(path: Path) -> bytes:
    """Return what is in a file of ours.

    Raises:
        PermissionError: It is not ours.
        OSError: It cannot be read.
    """
    with FileIO(open_own(path, os.O_RDONLY)) as file:
        return file.readall()


def check_folder(folder: Path) -> None:
    """Make sure that a folder is ours alone to write to.

    Raises:
        PermissionError: It is not.
        OSError: It cannot be looked at.
    """
    _check(folder, folder.lstat(), stat.S_ISDIR)


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        raise _not_ours(path, "is a link, or something else than it should be")
    if not is_ours(found):
        raise _not_ours(path, "belongs to another user, or others can write to it")


def _not_ours(path: Path, why: str) -> PermissionError:
    return PermissionError(errno.EPERM, f"{path} {why}")
