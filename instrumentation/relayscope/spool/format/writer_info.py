"""Bytes that describe the writer of a slot, written once for all its records.

The file ``about`` holds it twice, each time with its length and its checksum before it, so that one
damaged copy does no harm.
"""

import os
import struct
from io import FileIO
from pathlib import Path
from zlib import crc32

from relayscope.spool.system.own_files import open_own, read_own

_FILE = "about"
_HEAD = struct.Struct("<II")


def write_writer_info(folder: Path, info: bytes) -> None:
    """Describe the writer of a new slot."""
    copy = _HEAD.pack(len(info), crc32(info)) + info
    descriptor = open_own(folder / _FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with FileIO(descriptor, "w") as file:
        file.write(copy * 2)


def read_writer_info(folder: Path) -> bytes:
    """Return the description of a slot's writer; empty if it is gone or damaged."""
    try:
        data = read_own(folder / _FILE)
    except OSError:
        return b""
    # If a length is damaged, the copies are still of one size.
    for start in (0, len(data) // 2):
        if len(data) >= start + _HEAD.size:
            length, checksum = _HEAD.unpack_from(data, start)
            info = data[start + _HEAD.size : start + _HEAD.size + length]
            if crc32(info) == checksum:
                return info
    return b""
