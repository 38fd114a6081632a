"""The few calls where the interpreter's own are too slow or promise too little."""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from zlib import crc32

# os.write gives up the interpreter lock for the microsecond it takes, and when any other thread
# computes meanwhile (a forwarder encoding requests), getting it back takes a switch interval.
# Measured, 508 B with one busy thread, p50/p99: os.write 5,194/5,390 µs, this call 23/69 µs; with
# idle threads 1.0 and 1.9 µs. Up to this size a page-cache write is shorter (150 µs) than the wait.
LOCK_KEPT_BYTES = 256 * 1024
# zlib.crc32 gives the lock up above this size; slices of it cost 1.3 times one large call.
_CRC_BYTES = 5 * 1024

_Write = Callable[[int, bytes, int], int]


def _find_write() -> _Write | None:
    """Find the C library's write, which is called without giving up the interpreter lock."""
    try:
        function = ctypes.PyDLL(None).write
    except (AttributeError, OSError, TypeError):  # Windows, or a static interpreter
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
    function.restype = ctypes.c_ssize_t
    return function


_write = _find_write()


def write(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, keeping the interpreter lock while that is cheaper.

    Raises:
        OSError: A part of ``data`` may have been written.
    """
    length = len(data)
    written = 0
    if _write is not None and length <= LOCK_KEPT_BYTES:
        written = _write(descriptor, data, length)
        if written == length:
            return
    # Large, interrupted or refused: os.write does the rest, or says what is wrong.
    write_aside(descriptor, memoryview(data)[max(0, written) :])


def write_aside(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of ``data``, letting other threads run meanwhile.

    Raises:
        OSError: A part of ``data`` may have been written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


if sys.platform == "win32":
    _placing = RLock()

    def write_at_start(descriptor: int, data: bytes) -> None:
        """Overwrite the beginning of a file, whatever other threads do with it.

        A signal handler that does the same in between leaves both mixed: what is written must tell
        whether it is whole.

        Raises:
            OSError: A part of ``data`` may have been written.
        """
        with _placing:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, data)

else:

    def write_at_start(descriptor: int, data: bytes) -> None:
        """Overwrite the beginning of a file, whatever other threads do with it.

        Raises:
            OSError: A part of ``data`` may have been written.
        """
        os.pwrite(descriptor, data, 0)


def checksum(data: bytes, value: int) -> int:
    """CRC-32 of ``data`` continuing ``value``, keeping the interpreter lock like `write`."""
    if len(data) <= _CRC_BYTES or len(data) > LOCK_KEPT_BYTES:
        return crc32(data, value)
    view = memoryview(data)
    for start in range(0, len(data), _CRC_BYTES):
        value = crc32(view[start : start + _CRC_BYTES], value)
    return value


def flush_to_disk(descriptor: int) -> None:
    """Return once the disk itself holds what was written to the file."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 - absent on Windows

        # On macOS, fsync leaves the data in the drive's own cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    elif sys.platform == "win32":
        os.fsync(descriptor)
    else:
        os.fdatasync(descriptor)


def flush_folder(folder: Path) -> None:
    """Return once the disk holds the folder's names: a new file is lost without its name."""
    if sys.platform == "win32":  # A folder cannot be opened, and NTFS journals its names.
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
