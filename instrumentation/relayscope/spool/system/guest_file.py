"""Files that stay open in a process whose descriptors are not ours alone.

A host may close descriptors that it does not know (`os.closerange`, a daemon that begins) and be
given their numbers for files and connections of its own. Whoever writes to a number that was
remembered would write into those.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable
from typing import Final

# Room for `struct stat`, which has 144 bytes on most systems.
_Structure = ctypes.c_char * 512
_NUMBERS: Final = struct.Struct("i4xQ" if sys.platform == "darwin" else "QQ")
"""The numbers of device and file, with which the structure begins."""


def _find_fstat() -> Callable[[int, int], int] | None:
    """Find the C library's fstat, which is called without giving up the interpreter lock."""
    try:
        function = ctypes.PyDLL(None).fstat
    except (AttributeError, OSError, TypeError):  # Windows, glibc before 2.33
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_void_p)
    function.restype = ctypes.c_int
    return function


# os.fstat gives up the interpreter lock, as os.write does (see `syscalls`). Measured for each call,
# p50/p99 beside one busy thread: os.fstat 6/10,898 µs, this one 5/19 µs. Alone, `is_open` adds
# 1.0 µs to each record, half of it the system's; to write 500 B takes 3.4 on the same machine.
_fstat: Final = _find_fstat()


class GuestFile:
    """A file of ours with its descriptor, as long as that is its own.

    Attributes:
        descriptor: Its number, to be used right after `is_open` has said so, and not later.
    """

    __slots__ = ("_address", "_file", "_found", "_structure", "descriptor")

    def __init__(self, descriptor: int) -> None:
        """Take a file that has just been opened.

        Raises:
            OSError: It cannot be looked at.
        """
        self.descriptor = descriptor
        self._file = _numbers(descriptor)
        self._structure: ctypes.Array[ctypes.c_char] | None = None
        self._address = 0

    @property
    def is_open(self) -> bool:
        """True if the descriptor is still that of this file."""
        if self._address and _fstat is not None:
            return (
                not _fstat(self.descriptor, self._address)
                and _NUMBERS.unpack_from(self._found) == self._file
            )
        is_open = self._is_open_still()
        if is_open and self._structure is None:
            self._prepare()
        return is_open

    def check(self) -> None:
        """Make sure that the descriptor is still that of this file.

        Raises:
            OSError: The host has closed it.
        """
        if not self.is_open:
            raise OSError(errno.EBADF, "this process has closed the spool's files")

    def close(self) -> None:
        """Close the file, but not what has been given its number."""
        is_open = self._is_open_still()
        descriptor, self.descriptor = self.descriptor, -1
        if is_open:
            os.close(descriptor)

    def _is_open_still(self) -> bool:
        try:
            return _numbers(self.descriptor) == self._file
        except OSError:
            return False

    def _prepare(self) -> None:
        """Take the quick way from now on, unless the structure begins otherwise on this system."""
        self._structure = _Structure()
        self._found = memoryview(self._structure).cast("B")
        address = ctypes.addressof(self._structure)
        if _fstat is not None and not _fstat(self.descriptor, address):
            self._address = address if _NUMBERS.unpack_from(self._found) == self._file else 0


def _numbers(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino
