"""The time since the machine was booted: a clock that nobody sets.

Age is counted by the time since the machine was booted, which all its processes share and which no
change of the wall clock moves. A stamp from another boot (or machine) cannot be compared; whoever
finds one takes the record to be new, and so keeps it longer, never shorter, than promised.
"""

import sys
import time
from functools import cache
from pathlib import Path
from uuid import UUID

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN_BOOT = bytes(16)


@cache
def this_boot() -> bytes:
    """16 bytes that name the machine's present boot; zeros where the system has no such name."""
    try:
        return UUID(_BOOT_ID.read_text("ascii").strip()).bytes
    except (OSError, ValueError):
        return _UNKNOWN_BOOT


def now() -> float:
    """Seconds since the boot, time asleep included where the system counts it."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":  # Python's own monotonic clock stands still there during sleep.
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


def comparable(boot: bytes) -> bool:
    """Return whether a stamp made in ``boot`` and `now` count from the same instant."""
    return boot == this_boot() != _UNKNOWN_BOOT
