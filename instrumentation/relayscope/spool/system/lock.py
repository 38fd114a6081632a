"""Locks that end with their process.

An advisory lock on an open file: the system gives it back when the last descriptor of that open
file is closed, so also when the process is killed, whatever its number is used for afterwards.
"""

import os
import sys
from pathlib import Path

from relayscope.spool.errors import SpoolHeld

if sys.platform == "win32":
    import msvcrt

    # What is locked, nobody else can read: so it is a byte that no file of ours has.
    _PLACE = 2**31 - 2

    def _take(descriptor: int) -> None:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = (BlockingIOError, PermissionError)  # what Linux and macOS say, and what Windows says


def lock(descriptor: int, folder: Path) -> None:
    """Lock an open file until its descriptor is closed.

    Args:
        descriptor: The open file.
        folder: The folder that it guards, for the message.

    Raises:
        SpoolHeld: Somebody else has it.
        OSError: The file system knows no locks.
    """
    try:
        _take(descriptor)
    except _HELD as error:
        raise SpoolHeld(f"{folder} is in use by another process or reader.") from error
