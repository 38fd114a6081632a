"""The reason why records wait, as a forwarder writes it for hosts and people to read.

The file is beside the forwarder's lock, and there only while the destination does not take what it
is sent.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Self

from relayscope.spool import open_own

from .credentials import without_credentials

_PATTERN: Final = "trouble-*.json"
_BYTES: Final = 4096
_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of a destination.

    Attributes:
        reason: In its own words, or those of the connection.
        is_refusal: True if somebody has to put something right; else it is only away.
        since: Time of its beginning, in seconds of the wall clock.
        is_own: True if it is no fault of the destination's: nothing reaches it.
    """

    reason: str
    is_refusal: bool
    since: float
    is_own: bool = False

    @classmethod
    def now(cls, reason: str, *, is_refusal: bool, is_own: bool = False) -> Self:
        """Return a trouble that begins."""
        # A peer chose the words, and a terminal shows them.
        clean = without_credentials(reason)
        shown = "".join(letter if letter.isprintable() else " " for letter in clean)
        return cls(shown[:_LONGEST_REASON], is_refusal, time.time(), is_own)

    def __str__(self) -> str:
        at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        if self.is_own:
            return f"nothing can be sent since {at}: {self.reason}"
        how = "refuses what it is sent" if self.is_refusal else "takes nothing"
        return f"the collector {how} since {at}: {self.reason}"


class TroubleFile:
    """The file in which the forwarders of one destination report its fault."""

    def __init__(self, root: Path, destination: str) -> None:
        self._path = root / _PATTERN.replace("*", destination)

    def write(self, trouble: Trouble) -> None:
        """Write a fault in place of the one before; nothing happens where the disk refuses."""
        # Always as long, so that whoever reads it meanwhile finds one or the other.
        said = json.dumps(asdict(trouble)).encode().ljust(_BYTES)
        flags = os.O_WRONLY | os.O_CREAT
        with suppress(OSError), FileIO(open_own(self._path, flags), "w") as file:
            file.write(said)

    def clear(self) -> None:
        """Say that all is well, also in place of what was said of another destination.

        If that is still in use, its own forwarder says it again.
        """
        for path in self._path.parent.glob(_PATTERN):
            with suppress(OSError):
                path.unlink()

    def read(self) -> Trouble | None:
        """Return the fault; None if all is well, or it cannot be read."""
        return _read(self._path)


def troubles(root: Path) -> list[Trouble]:
    """Return what forwarders say of the destinations of a component."""
    return [found for path in sorted(root.glob(_PATTERN)) if (found := _read(path)) is not None]


def _read(path: Path) -> Trouble | None:
    try:
        with FileIO(open_own(path, os.O_RDONLY)) as file:
            fields = json.loads(file.read(_BYTES))
        return Trouble(
            str(fields["reason"]),
            bool(fields["is_refusal"]),
            float(fields["since"]),
            bool(fields.get("is_own")),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
