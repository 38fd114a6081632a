"""Files and folders of this user alone: what others have made, or can write to, is not used.

Spools may be in a folder that others can write to, such as the temporary one. There a name may lead
to a file of the user's own (a symbolic link), or to what keeps whoever opens it waiting (a FIFO).
Other processes of the user read, rename and delete these files while they are open.

On Windows, folders in a profile, the temporary one among them, are private to their user from the
start, and a file shows no owner and no rights of others.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path

_LINK_OR_FIFO = frozenset({errno.ELOOP, errno.ENXIO})
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

if sys.platform == "win32":
    import _winapi
    import msvcrt

    # Python's own open keeps everybody from renaming and deleting a file that is open anywhere.
    # The spool does both: a segment gets its name when its header is written, and is deleted while
    # its reader may have it open.
    _SHARED = 0x1 | 0x2 | 0x4  # FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE
    _CREATE_NEW, _OPEN_EXISTING, _OPEN_ALWAYS = 1, 3, 4
    _NORMAL = 0x80
    _NOT_FOLLOWING = 0x0020_0000  # FILE_FLAG_OPEN_REPARSE_POINT

    def _open(path: Path, flags: int) -> int:
        """Open a file and return its descriptor, whose content nobody translates.

        Args:
            path: The file; if it is made, then with the rights of its folder.
            flags: As for `os.open`; emptying is not among them.

        Raises:
            OSError: It cannot be opened.
        """
        access = _winapi.GENERIC_READ
        if flags & (os.O_WRONLY | os.O_RDWR):
            access |= _winapi.GENERIC_WRITE
        way = _OPEN_EXISTING
        if flags & os.O_CREAT:
            way = _CREATE_NEW if flags & os.O_EXCL else _OPEN_ALWAYS
        handle = _winapi.CreateFile(
            str(path), access, _SHARED, _winapi.NULL, way, _NORMAL | _NOT_FOLLOWING, _winapi.NULL
        )
        try:
            return msvcrt.open_osfhandle(handle, flags & os.O_APPEND)
        except BaseException:
            _winapi.CloseHandle(handle)
            raise

    def user_id() -> int:
        """Return the number that `os.stat` shows as every owner's."""
        return 0

    def is_ours(found: os.stat_result) -> bool:  # noqa: ARG001  # it shows nothing
        """Return whether only this user can write to something."""
        return True

else:
    import fcntl

    _FIRST_OF_A_HOST = 3

    def _open(path: Path, flags: int) -> int:
        """Open a file and return its descriptor; nothing is followed, and nothing waited for.

        It is none of stdin, stdout and stderr: a daemon has closed them, and what it prints all
        the same would get into the file.

        Args:
            path: The file; if it is made, then for its user alone.
            flags: As for `os.open`.

        Raises:
            OSError: It cannot be opened.
        """
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        if descriptor >= _FIRST_OF_A_HOST:
            return descriptor
        try:
            return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_OF_A_HOST)
        finally:
            os.close(descriptor)

    def user_id() -> int:
        """Return the number of the user."""
        return os.geteuid()

    def is_ours(found: os.stat_result) -> bool:
        """Return whether only this user can write to something."""
        return found.st_uid == user_id() and not found.st_mode & _WRITABLE_BY_OTHERS


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
        descriptor = _open(path, flags & ~os.O_TRUNC)
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
