"""The account of a process on disk, beside its spool: what a full disk cannot keep from being told.

It has its place from the start and is overwritten in it, so that a process which drops records for
want of room, and is killed before there is any, has still said how many.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

from relayscope.spool import GuestFile, open_own, read_own, write_at_start

_NAME: Final = "account"
_BYTES: Final = 1024
_HEAD_BYTES: Final = 6


class AccountFile:
    """The file, open for its process to write.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        """Make it.

        Raises:
            OSError: There is no room, or no right to.
        """
        descriptor = open_own(folder / _NAME, os.O_RDWR | os.O_CREAT)
        try:
            os.write(descriptor, bytes(_BYTES))
        except BaseException:
            os.close(descriptor)
            raise
        self.folder = folder
        self._file = GuestFile(descriptor)

    @property
    def is_open(self) -> bool:
        """False if the host has closed it."""
        return self._file.is_open

    def write(self, account: bytes) -> None:
        """Replace what it says.

        Raises:
            OSError: The disk refuses, or the host has closed it.
        """
        self._file.check()
        head = crc32(account).to_bytes(4, "little") + len(account).to_bytes(2, "little")
        write_at_start(self._file.descriptor, head + account)

    def close(self) -> None:
        """Close it; what it says stays."""
        self._file.close()


def read_account(folder: Path) -> bytes:
    """Return what the process has said; empty if it said nothing, or if that is damaged."""
    with suppress(OSError):
        data = read_own(folder / _NAME)
        length = int.from_bytes(data[4:_HEAD_BYTES], "little")
        account = data[_HEAD_BYTES : _HEAD_BYTES + length]
        if crc32(account).to_bytes(4, "little") == data[:4]:
            return account
    return b""
