"""A process that appends numbered records until it is killed.

Usage: appender.py ROOT DURABILITY PROGRESS [FIRST]

It continues the spool that a dead process left under ROOT, or begins one. Whenever an append has
returned, it writes the number of that record to the file PROGRESS: what it has promised.
"""

import os
import random
import struct
import sys
from pathlib import Path

from relayscope.spool import Durability, Spool, SpoolSettings

_PROGRESS = struct.Struct("<q")
# Segments of 8 MiB, some begun in most rounds. With 128 MiB, a fast writer that was given a window
# filled the spool now and then, and records went for their size.
_MAX_BYTES = 512 << 20


def settings(durability: str) -> SpoolSettings:
    """The settings of the appending process."""
    return SpoolSettings(durability=Durability(durability), max_bytes=_MAX_BYTES)


def numbered(number: int) -> bytes:
    """A record of up to 8 KiB whose bytes follow from its number."""
    size = random.Random(number).choice((0, 100, 500, 500, 2000, 8 * 1024))
    return b"%d " % number + bytes([number % 251]) * size


def number_of(record: bytes) -> int:
    """Return the number of a record, which must be whole."""
    number = int(record.split(b" ", 1)[0])
    assert record == numbered(number)
    return number


def promised(progress: Path) -> int:
    """The number of the last record whose append has returned; -1 if there is none."""
    data = progress.read_bytes() if progress.exists() else b""
    number: int = _PROGRESS.unpack(data)[0] if data else -1
    return number


def main(root: str, durability: str, progress: str, first: str = "0") -> None:
    """Append until killed."""
    descriptor = os.open(progress, os.O_WRONLY | os.O_CREAT, 0o600)
    spool = Spool.adopt(Path(root), settings(durability))
    if spool is None:
        spool = Spool.create(Path(root), settings(durability))
    number = int(first)
    while True:
        spool.append(numbered(number))
        os.pwrite(descriptor, _PROGRESS.pack(number), 0)
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
