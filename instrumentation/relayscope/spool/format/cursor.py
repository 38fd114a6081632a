"""The acknowledged position of a spool, on disk.

The file ``cursor`` holds two slots in two disk sectors, written in turn; the furthest valid one
counts. A write torn by a crash leaves the other, which is older: what it has not heard of is
delivered again, never lost. Both have their place from the start, so that a full disk cannot keep
the reader from acknowledging, and so from making room.
"""

import os
import struct
from io import FileIO
from pathlib import Path
from zlib import crc32

from relayscope.spool.position import START, Position
from relayscope.spool.system.lock import lock
from relayscope.spool.system.own_files import open_own, read_own
from relayscope.spool.system.syscalls import flush_to_disk

CURSOR = "cursor"
_SLOT = struct.Struct("<QQ")
_CHECKSUM = struct.Struct("<I")
_SECTOR_BYTES = 512
_FILE_BYTES = 2 * _SECTOR_BYTES
_NOWHERE = Position(-1, -1)


def _pack(position: Position) -> bytes:
    fields = _SLOT.pack(position.sequence, position.offset)
    return fields + _CHECKSUM.pack(crc32(fields))


def _unpack(data: bytes) -> list[Position]:
    """The position in each slot of a cursor file's bytes; `_NOWHERE` where a slot is not whole."""
    positions = []
    for start in (0, _SECTOR_BYTES):
        fields = data[start : start + _SLOT.size].ljust(_SLOT.size, b"\0")
        position = Position(*_SLOT.unpack(fields))
        whole = data.startswith(_pack(position), start)
        positions.append(position if whole else _NOWHERE)
    return positions


def create_cursor(folder: Path) -> None:
    """Write the cursor of a new spool: nothing is acknowledged."""
    descriptor = open_own(folder / CURSOR, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        os.write(descriptor, _pack(START).ljust(_FILE_BYTES, b"\0"))
    finally:
        os.close(descriptor)


def read_cursor(folder: Path) -> Position | None:
    """The acknowledged position; None if the cursor is missing or damaged."""
    try:
        position = max(_unpack(read_own(folder / CURSOR)))
    except FileNotFoundError:
        return None
    return None if position is _NOWHERE else position


def flush_cursor(folder: Path) -> None:
    """Return once the disk has the cursor; before what it acknowledges may be deleted.

    Without it, a power failure could take the cursor back and leave the records deleted: they
    would be counted as missing.
    """
    descriptor = open_own(folder / CURSOR, os.O_RDWR)
    try:
        flush_to_disk(descriptor)
    finally:
        os.close(descriptor)


class Cursor:
    """The cursor, opened by the one reader that may move it."""

    def __init__(self, folder: Path, otherwise: Position) -> None:
        """Open and lock the cursor.

        Args:
            folder: The spool's folder.
            otherwise: The position to begin with if the cursor is missing or damaged.

        Raises:
            SpoolHeld: Another reader has it.
            OSError: It cannot be opened.
        """
        descriptor = open_own(folder / CURSOR, os.O_RDWR | os.O_CREAT)
        self._file = FileIO(descriptor, "r+")
        try:
            lock(descriptor, folder)
            slots = _unpack(self._file.read(_FILE_BYTES))
        except BaseException:
            self._file.close()
            raise
        self.position = max(slots)
        self._next_slot = slots.index(min(slots))
        if self.position is _NOWHERE:
            self.advance(otherwise)

    def advance(self, position: Position) -> None:
        """Remember ``position``; an OSError leaves the old one."""
        self._file.seek(self._next_slot * _SECTOR_BYTES)
        self._file.write(_pack(position))
        self._next_slot = 1 - self._next_slot
        self.position = position

    def close(self) -> None:
        """Let another reader have it."""
        self._file.close()
