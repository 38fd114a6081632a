"""The file in which a component's forwarder leaves the rules for its processes.

It is beside the spools, replaced as a whole. Whatever else may be found under its name is refused:
a file of somebody else's, a longer one, one that is cut off or changed, one that was put back.
"""

import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Final

from relayscope.spool import check_folder, open_own

_LARGEST: Final = 64 * 1024
"""Bytes; 32 rules with the longest patterns take half of it."""

_OLDEST: Final = 24 * 3600.0
"""Seconds; what nobody has confirmed for so long may have been taken back meanwhile."""

Mark = tuple[int, int, int]
"""The values that tell a file from the one that was there before it."""


@dataclass(frozen=True, slots=True)
class ComponentRules:
    """A configuration.

    Attributes:
        hash: By which the collector knows it, in hex digits.
        serial: Grows with each that is written.
        written: Time at which they were written, in seconds since the epoch.
        content: As JSON has it; its times are on this machine's clock.
    """

    hash: str
    serial: int
    written: float
    content: Any


class RulesFile:
    """The file of one destination in a component's folder."""

    def __init__(self, root: Path, destination: str) -> None:
        self._path = root / f"levels-{destination}.json"

    def mark(self) -> Mark | None:
        """Return what tells this file from others; None if there is none. Takes 3 us."""
        try:
            found = self._path.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> ComponentRules:
        """Return what it says.

        Raises:
            OSError: It is not ours, or cannot be read.
            ValueError: It is not what was written.
        """
        check_folder(self._path.parent)
        with FileIO(open_own(self._path, os.O_RDONLY)) as file:
            data = file.read(_LARGEST + 1) or b""
        if len(data) > _LARGEST:
            raise ValueError(f"{self._path} has more than {_LARGEST} bytes")
        try:
            digest, _, body = data.partition(b"\n")
            fields = json.loads(body) if digest == _digest(body) else None
        except (ValueError, RecursionError):
            fields = None
        match fields:
            case {
                "hash": str(known),
                "serial": int(serial),
                "written": float(written),
                "content": content,
            }:
                # A clock may have been set; then the forwarder writes it anew, too.
                if abs(time.time() - written) > _OLDEST:
                    raise ValueError(f"{self._path} is older than a day")
                return ComponentRules(known, serial, written, content)
        raise ValueError(f"{self._path} is cut off, or was changed")

    def write(self, known: str, content: Any) -> None:
        """Replace it.

        Raises:
            OSError: The disk refuses.
        """
        fields = {
            "hash": known,
            "serial": self._next_serial(),
            "written": time.time(),
            "content": content,
        }
        body = json.dumps(fields).encode()
        path = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        try:
            with FileIO(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
                file.write(_digest(body) + b"\n" + body)
            path.replace(self._path)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise

    def _next_serial(self) -> int:
        before = 0
        with suppress(OSError, ValueError):
            before = self.read().serial
        return max(before + 1, time.time_ns())


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
